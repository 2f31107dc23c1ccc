//! `kinora upload` against a running server: from a file to addresses that players take.

use std::time::Duration;

use serde_json::Value;

use crate::{
    engines::Engines,
    film::{film, judge, run},
    harness::{Caller, House},
};

crate::on_both_engines!(the_command_line_uploads_and_waits);

/// Runs the command; gives its exit code and both outputs.
async fn upload(house: &House, token: &str, args: &[&str]) -> (i32, String, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_kinora"));
    let home = house.engines.dir().join("home");
    command.env("KINORA_SERVER", &house.base).env("KINORA_TOKEN", token);
    command.env("HOME", &home).env_remove("XDG_STATE_HOME").current_dir(house.engines.dir());
    command.arg("upload").args(args).kill_on_drop(true);
    let done = tokio::time::timeout(Duration::from_secs(100), command.output()).await;
    let done = done.expect("the command waits for ever").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

async fn the_command_line_uploads_and_waits(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let token = admin.token(&["upload", "read"]).await;
    let film = film(14).await;
    let file = film.file.to_str().unwrap();
    let args = [file, "--title", "By command", "--visibility", "public", "--wait", "--json"];
    let (code, out, err) = upload(&house, &token, &args).await;
    assert_eq!(code, 0, "{err}");
    assert_eq!(out.lines().count(), 1, "{out}");
    let told: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["state"], "ready");
    assert_eq!(told["page_url"], format!("{}/watch/{}", house.base, told["id"].as_str().unwrap()));
    let title = title(&admin, &told).await;
    assert_eq!((&title["title"], &title["visibility"]), (&"By command".into(), &"public".into()));
    assert_eq!(title["complete"], true);
    // The addresses are absolute: a player needs nothing else.
    judge(&film, "", &told).await;
    run("ffprobe", &["-v", "warning", told["dash_url"].as_str().unwrap()]).await;

    let broken = house.engines.dir().join("broken.mp4");
    std::fs::write(&broken, crate::upload::noise(40_000)).unwrap();
    let (code, out, err) = upload(&house, &token, &[broken.to_str().unwrap(), "--wait", "--json"]).await;
    assert_eq!((code, out.as_str()), (3, ""), "{err}");
    assert!(err.contains("could not make a title of this file"), "{err}");
    let (code, _, err) = upload(&house, "kin_wrong", &[file]).await;
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("token") && !err.contains("kin_wrong"), "{err}");
}

async fn title(admin: &Caller, told: &Value) -> Value {
    admin.video(told["id"].as_str().unwrap().parse().unwrap()).await
}
