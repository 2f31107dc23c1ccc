//! Programs that we did not write, as clients and judges: tus-js-client, tuspy, hls-parser, m3u8-parser, mpd-parser.

use std::path::{Path, PathBuf};

use serde_json::Value;
use server::config::Role;

use crate::{
    engines::Engines,
    film::film,
    harness::{Caller, House},
};

crate::on_both_engines!(strict_readers_accept_a_title, tus_clients_of_others_upload);

/// Where `./test` installs the judges.
fn cache() -> PathBuf {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    from("KINORA_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|dir| dir.join("kinora")))
        .or_else(|| from("HOME").map(|dir| dir.join(".cache/kinora")))
        .unwrap()
}

fn scripts() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../judges")
}

/// Whether `place` is installed. CI has no excuse.
fn is_there(place: &Path) -> bool {
    let there = place.exists();
    assert!(there || std::env::var_os("CI").is_none(), "{} is missing: ./test installs it", place.display());
    if !there {
        eprintln!("skipped: {} is missing; ./test installs it", place.display());
    }
    there
}

/// Runs a script of `judges/`; `None` when its modules are not installed here.
pub async fn node(script: &str, args: &[&str]) -> Option<Value> {
    let home = cache().join("judges");
    if !is_there(&home.join("node_modules/tus-js-client")) {
        return None;
    }
    // Modules are looked for beside the script's real place.
    let copy = home.join(format!("it-{}-{script}", std::process::id()));
    std::fs::copy(scripts().join(script), &copy).unwrap();
    let done = tokio::process::Command::new("node").arg(&copy).args(args).output().await;
    std::fs::remove_file(&copy).unwrap();
    Some(verdict(script, &done.unwrap()))
}

pub async fn python(script: &str, args: &[&str]) -> Option<Value> {
    let python = cache().join("venv/bin/python");
    if !is_there(&python) {
        return None;
    }
    let done = tokio::process::Command::new(python).arg(scripts().join(script)).args(args).output().await;
    Some(verdict(script, &done.unwrap()))
}

fn verdict(script: &str, done: &std::process::Output) -> Value {
    assert!(done.status.success(), "{script}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

async fn strict_readers_accept_a_title(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let id = admin.upload("judged", &film(14).await.file).await;
    admin.until_complete(id).await;
    let playback = house.visitor().playback(id).await;
    let url = |field: &str| format!("{}{}", house.base, playback[field].as_str().unwrap());
    let count = |value: &Value| value.as_array().unwrap().len();
    if let Some(hls) = node("hls.mjs", &[&url("hls_url")]).await {
        let counts = ["variants", "audio", "iframes", "images"].map(|kind| count(&hls[kind]));
        assert_eq!(counts, [2, 1, 2, 1], "{hls}");
        for list in [&hls["variants"][0], &hls["variants"][1], &hls["audio"][0]] {
            assert_eq!((&list["segments"], &list["complete"]), (&4.into(), &true.into()), "{list}");
            assert!((list["duration"].as_f64().unwrap() - 14.0).abs() < 0.03, "{list}");
        }
    }
    if let Some(dash) = node("dash.mjs", &[&url("dash_url")]).await {
        assert_eq!((count(&dash["video"]), count(&dash["audio"])), (2, 1), "{dash}");
        assert_eq!((&dash["video"][0]["segments"], &dash["complete"]), (&4.into(), &true.into()), "{dash}");
        assert!((dash["duration"].as_f64().unwrap() - 14.0).abs() < 0.03, "{dash}");
    }
}

async fn tus_clients_of_others_upload(engines: Engines) {
    let house = House::start(engines, &[Role::Api, Role::Origin], backends::clock::Clock::system()).await;
    let admin = house.admin().await;
    let token = admin.token(&["upload", "read"]).await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("film.mp4");
    let bytes = crate::upload::noise(6_000_000);
    std::fs::write(&file, &bytes).unwrap();
    let args = [house.base.as_str(), &token, file.to_str().unwrap()];
    let mut titles = Vec::new();
    for told in [node("tus.mjs", &args).await, python("tus_upload.py", &args).await].into_iter().flatten() {
        titles.extend(told.as_object().unwrap().values().map(|id| id.as_str().unwrap().to_owned()));
    }
    every_byte_arrived(&house, &admin, &titles, &bytes).await;
}

async fn every_byte_arrived(house: &House, admin: &Caller, titles: &[String], bytes: &[u8]) {
    for id in titles {
        let title = admin.get(&format!("/api/v1/videos/{id}")).await.expect(200);
        assert_eq!(title.json["state"], "processing");
        let mut reader = house.app().store.reader().await.unwrap();
        let source = store::sources::of_video(&mut reader, id.parse().unwrap()).await.unwrap().remove(0);
        let mut stored = Vec::new();
        for part in source.parts.0 {
            stored.extend_from_slice(&house.server.blobs.get(&part.object).await.unwrap());
        }
        assert!(stored == bytes, "{}: the file is not what was sent", title.json["title"]);
    }
}
