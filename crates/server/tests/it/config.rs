//! The program's configuration and command line, run as people run it.

use std::process::{Command, Output};

fn kinora(dir: &std::path::Path, args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kinora"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("KINORA_")) {
        command.env_remove(name);
    }
    command.current_dir(dir).args(args).envs(env.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn flags_outweigh_the_environment_and_that_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file =
        "data_dir = '/from/file'\nroles = ['api']\n[http]\nlisten = '127.0.0.1:1'\n[app]\nname = 'File'\n";
    std::fs::write(dir.path().join("kinora.toml"), file).unwrap();
    let env =
        [("KINORA_HTTP__LISTEN", "127.0.0.1:2"), ("KINORA_APP__NAME", "Env"), ("KINORA_TOKEN", "kin_x")];
    let output = kinora(dir.path(), &["config", "--listen", "127.0.0.1:3", "--roles", "api,origin"], &env);
    let shown = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for line in ["data_dir = \"/from/file\"", "listen = \"127.0.0.1:3\"", "name = \"Env\"", "\"origin\""] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert!(shown.contains("sqlite:/from/file/kinora.db"));
}

#[test]
fn mistakes_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let fails = |args: &[&str], env: &[(&str, &str)], words: &[&str]| {
        let output = kinora(dir.path(), args, env);
        let said = text(&output.stderr);
        assert!(!output.status.success(), "{args:?} {env:?}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    fails(&["config"], &[("KINORA_DATABSE__URL", "x")], &["databse", "did you mean `database`"]);
    fails(&["config"], &[("KINORA_DATABASE__ULR", "x")], &["database.ulr", "did you mean `database.url`"]);
    fails(&["serve", "--roles", "king"], &[], &["`king` is not a role"]);
    fails(&["config", "--config", "missing.toml"], &[], &["missing.toml", "does not exist"]);
    fails(&["serve", "--listen", "nowhere"], &[], &["http.listen"]);
    fails(&["serve"], &[("KINORA_DATABASE__URL", "mysql://x")], &["database.url must start with"]);
    fails(&["serve"], &[("KINORA_BLOB__URL", "ftp://x")], &["blob"]);
    fails(&["serve"], &[("KINORA_LOG__FILTER", "a=b=c")], &["log.filter"]);
    fails(&["serve"], &[("KINORA_APP__PUBLIC_URL", "video.example.org")], &["app.public_url"]);
    fails(
        &["config"],
        &[("KINORA_HTTP__TRUSTED_PROXIES", "[\"10.0.0.0/99\"]")],
        &["http.trusted_proxies", "10.0.0.0/99"],
    );
}

#[test]
fn administration_works_beside_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let token = kinora(dir.path(), &["admin", "token", "--data", data], &[]);
    assert!(token.status.success(), "{}", text(&token.stderr));
    let out = text(&token.stdout);
    assert!(
        out.lines().last().unwrap().starts_with("kin_") && !out.lines().last().unwrap().contains(' '),
        "{out}"
    );
    let args = ["admin", "create-user", "--data", data, "--email", "c@example.org", "--name", "Carl"];
    let made = kinora(dir.path(), &args, &[]);
    assert!(text(&made.stdout).contains("Password: "), "{}", text(&made.stderr));
    let again = kinora(dir.path(), &args, &[]);
    assert!(!again.status.success() && text(&again.stderr).contains("already"), "{}", text(&again.stderr));
    let granted = kinora(dir.path(), &["admin", "grant", "--data", data, "c@example.org", "admin"], &[]);
    assert!(text(&granted.stdout).contains("is now admin"), "{}", text(&granted.stderr));
    let nobody = kinora(dir.path(), &["admin", "grant", "--data", data, "x@example.org", "admin"], &[]);
    assert!(!nobody.status.success());
    let document = kinora(dir.path(), &["openapi"], &[]);
    let document: serde_json::Value = serde_json::from_slice(&document.stdout).unwrap();
    assert!(document["paths"]["/api/v1/videos/{id}"]["patch"].is_object());
    let version = kinora(dir.path(), &["--version"], &[]);
    assert_eq!(text(&version.stdout).trim(), format!("kinora {}", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_committed_openapi_document_is_the_programs_own() {
    let committed = include_str!("../../../../web/src/api/openapi.json");
    let own = serde_json::to_string_pretty(&server::openapi::document()).unwrap();
    assert!(
        committed.trim() == own.trim(),
        "run `kinora openapi > web/src/api/openapi.json` and generate the client's types anew"
    );
}
