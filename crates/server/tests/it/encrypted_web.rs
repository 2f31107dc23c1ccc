//! The encrypted listener, asked by programs that nobody here wrote: curl over TLS, aioquic over QUIC.

use std::{path::Path, process::Command};

use backends::clock::Clock;
use serde_json::{Value, json};
use server::config::Role;

use crate::{
    engines::Engines,
    film::film,
    harness::{House, PASSWORD},
    judges,
};

/// A certificate that vouches for itself.
fn certify(dir: &Path) {
    let done = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

async fn encrypted(roles: &[Role]) -> (House, tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    certify(dir.path());
    let house = House::configured(Engines::embedded(), roles, Clock::system(), |config| {
        config.http.tls.listen = Some(([127, 0, 0, 1], 0).into());
        config.http.tls.certificate = dir.path().join("cert.pem");
        config.http.tls.key = dir.path().join("key.pem");
    })
    .await;
    let base = format!("https://{}", house.server.tls_address.unwrap());
    (house, dir, base)
}

/// What `curl` says of an address: version of HTTP, status, and all headers.
fn curl(more: &[&str]) -> (String, String) {
    let mut curl = Command::new("curl");
    let done = curl.args(["-sk", "-o", "/dev/null", "-D", "-", "-w", "%{http_version} %{http_code}"]);
    let done = done.args(more).output().unwrap();
    let told = String::from_utf8(done.stdout).unwrap();
    let (headers, line) = told.rsplit_once("\r\n").unwrap();
    (line.to_owned(), headers.to_ascii_lowercase())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_http_says_the_same_over_tls() {
    let (house, dir, base) = encrypted(&Role::ALL).await;
    let caller = house.admin().await;
    let film = film(4).await;
    let id = caller.upload("everywhere", &film.file).await;
    caller.until_complete(id).await;
    let playback = caller.playback(id).await;
    let list = playback["hls_url"].as_str().unwrap();
    let segment = list.replace("main.m3u8", "v90p/0.m4s");

    let port = house.server.tls_address.unwrap().port();
    let other = format!("alt-svc: h3=\":{port}\"; ma=86400");
    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        for path in [list, &segment, "/healthz"] {
            let (line, headers) = curl(&[flag, &format!("{base}{path}")]);
            assert_eq!(line, format!("{version} 200"), "{path}");
            assert!(headers.contains(&other), "{headers}");
        }
    }
    // In the clear nothing is told of it, and HTTP/2 is spoken all the same.
    let (line, headers) = curl(&["--http2-prior-knowledge", &format!("{}{segment}", house.base)]);
    assert_eq!(line, "2 200");
    assert!(!headers.contains("alt-svc"));
    let cookie = |base: &str| {
        let body = json!({ "email": "ada@example.org", "password": PASSWORD }).to_string();
        let origin = format!("origin: {base}");
        let json = "content-type: application/json";
        curl(&["-H", &origin, "-H", json, "-d", &body, &format!("{base}/api/v1/session")]).1
    };
    assert!(cookie(&base).contains("; secure"), "who comes encrypted gets a cookie that stays so");
    assert!(!cookie(&house.base).contains("; secure"));

    let direct = reqwest::get(format!("{}{segment}", house.base)).await.unwrap().bytes().await.unwrap();
    let sign_in = json!({ "email": "ada@example.org", "password": PASSWORD }).to_string();
    let asked = json!([
        { "method": "GET", "path": list },
        { "method": "GET", "path": segment },
        { "method": "GET", "path": "/media/no.token/x/main.m3u8" },
        { "method": "GET", "path": "/api/v1/instance" },
        { "method": "POST", "path": "/api/v1/session", "body": sign_in },
        { "method": "POST", "path": "/api/v1/session", "body": "{\"email\":1}" },
    ]);
    let Some(Value::Array(answers)) = judges::python("http3.py", &[&base, &asked.to_string()]).await else {
        return;
    };
    let status: Vec<_> = answers.iter().map(|answer| answer["status"].as_i64().unwrap()).collect();
    assert_eq!(status, [200, 200, 404, 200, 201, 422], "{answers:#?}");
    assert_eq!(answers[1]["length"], direct.len());
    assert!(answers[4]["headers"]["set-cookie"].as_str().unwrap().to_ascii_lowercase().contains("; secure"));
    assert!(answers[0]["body"].as_str().unwrap().starts_with("#EXTM3U"));
    drop(dir);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let (house, dir, _) = encrypted(&[Role::Api, Role::Origin]).await;
    let address = house.server.tls_address.unwrap().to_string();
    let shown = || {
        let asking = format!(
            "openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint"
        );
        let done = Command::new("sh").args(["-c", &asking]).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    };
    let before = shown();
    assert!(before.contains("Fingerprint"), "{before}");
    std::fs::write(dir.path().join("cert.pem"), "broken").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    assert_eq!(shown(), before, "what cannot be read changes nothing");
    certify(dir.path());
    for _ in 0..30 {
        if shown() != before {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    panic!("the old certificate is still shown");
}
