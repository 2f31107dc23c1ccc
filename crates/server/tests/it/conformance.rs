//! `kinora check` over what the whole application serves, and the command itself: exit statuses, JSON, folders, headers.

use std::{path::Path, process::Stdio};

use serde_json::Value;
use testkit::media::{Clip, Video};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    engines::Engines,
    harness::{Caller, House},
};

/// Exit status, standard output, standard error.
async fn kinora_check(args: &[&str]) -> (i32, String, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_kinora"));
    command.arg("check").args(args).stdin(Stdio::null()).kill_on_drop(true);
    let done = tokio::time::timeout(std::time::Duration::from_secs(100), command.output());
    let done = done.await.expect("the check does not end").unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

/// Neither errors nor warnings, and everything was looked into.
pub async fn clean(url: &str) {
    let (status, out, err) =
        kinora_check(&[url, "--strict", "--json", "--all-segments", "--no-reload"]).await;
    assert_eq!(status, 0, "{url}: {err}\n{out}");
    let told: Value = serde_json::from_str(&out).unwrap();
    let one = &told["presentations"][0];
    assert_eq!(one["not_checked"], serde_json::json!([]), "{out}");
    assert!(one["looked_at"]["segments"].as_u64().unwrap() > 0, "{out}");
}

/// HLS and DASH of a title.
pub async fn both_clean(base: &str, playback: &Value) {
    for field in ["hls_url", "dash_url"] {
        clean(&format!("{base}{}", playback[field].as_str().unwrap())).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn films_of_many_shapes_conform() {
    let house = House::working(Engines::embedded()).await;
    let admin = house.admin().await;
    let clips = [
        ("portrait, two languages", Clip::new(90, 160, 9.0).fps("30000/1001").tones(&[440, 880])),
        ("silent", Clip::new(160, 90, 5.0).silent()),
        ("uneven frames", Clip::new(160, 90, 9.0).video(Video::H264Variable)),
        ("half a second", Clip::new(160, 90, 0.5)),
    ];
    for (name, clip) in clips {
        let id = admin.upload(name, &clip.make().await.unwrap()).await;
        admin.until_complete(id).await;
        both_clean(&house.base, &Caller::playback(&house.visitor(), id).await).await;
    }
}

const LIST: &str = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.vtt\n#EXT-X-ENDLIST\n";

fn folder(list: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("list.m3u8"), list).unwrap();
    std::fs::write(dir.path().join("0.vtt"), "WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n").unwrap();
    dir
}

fn path(dir: &Path) -> &str {
    dir.to_str().unwrap()
}

#[tokio::test]
async fn exit_statuses_tell_how_it_went() {
    let good = folder(LIST);
    for target in [path(good.path()), path(&good.path().join("list.m3u8"))] {
        let (status, out, err) = kinora_check(&[target]).await;
        assert_eq!(status, 0, "{out}{err}");
        assert!(out.contains("0 errors, 0 warnings") && !out.contains('\u{1b}'), "{out}");
    }
    let wrong = folder(&LIST.replace("DURATION:4", "DURATION:2"));
    let (status, out, _) = kinora_check(&[path(wrong.path())]).await;
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("hls-targetduration-exceeded") && out.contains("RFC 8216bis §4.4.3.1"), "{out}");
    let warned = folder(&LIST.replace("#EXT-X-ENDLIST\n", "#EXT-X-PLAYLIST-TYPE:VOD\n"));
    assert_eq!(kinora_check(&[path(warned.path()), "--no-reload"]).await.0, 0);
    assert_eq!(kinora_check(&[path(warned.path()), "--no-reload", "--strict"]).await.0, 1);
    let none = folder("hello");
    for target in
        ["http://127.0.0.1:1/main.m3u8", "/nowhere/at/all", "ftp://example.org/x", path(none.path())]
    {
        let (status, out, err) = kinora_check(&[target]).await;
        assert_eq!((status, out.as_str()), (2, ""), "{target}");
        assert!(err.starts_with("kinora check: "), "{err}");
    }
}

#[tokio::test]
async fn a_list_cannot_lead_out_of_its_folder_nor_write_to_the_terminal() {
    let outer = tempfile::tempdir().unwrap();
    std::fs::write(outer.path().join("secret.vtt"), "WEBVTT\n\n").unwrap();
    let inner = outer.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    std::os::unix::fs::symlink(outer.path().join("secret.vtt"), inner.join("link.vtt")).unwrap();
    for uri in
        ["../secret.vtt", "/etc/hostname", "link.vtt", "file:///etc/hostname", "http://127.0.0.1:1/x.vtt"]
    {
        std::fs::write(inner.join("list.m3u8"), LIST.replace("0.vtt", uri)).unwrap();
        let (status, out, _) = kinora_check(&[path(&inner), "--json"]).await;
        assert_eq!(status, 1, "{uri}: {out}");
        assert!(out.contains("http-unavailable") || out.contains("hls-uri-invalid"), "{uri}: {out}");
        assert!(!out.contains("\"segments\""), "{uri}: {out}");
    }
    std::fs::write(inner.join("list.m3u8"), LIST.replace("0.vtt", "\u{1b}[2Jx.vtt")).unwrap();
    let (_, out, _) = kinora_check(&[path(&inner)]).await;
    assert!(out.contains("hls-encoding") && !out.contains('\u{1b}'), "{out:?}");
}

/// Answers each connection with what `answer` makes of the request's text; tells all requests.
async fn server(
    answer: impl Fn(&str) -> Vec<u8> + Send + 'static,
) -> (String, std::sync::Arc<std::sync::Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = seen.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 4096];
            let n = stream.read(&mut request).await.unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..n]).into_owned();
            let answer = answer(&request);
            log.lock().unwrap().push(request);
            let _ = stream.write_all(&answer).await;
        }
    });
    (base, seen)
}

fn ok(kind: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n{more}\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn headers_go_home_only_and_limits_are_no_fault_of_the_stream() {
    let (other, elsewhere) =
        server(|_| ok("text/vtt", "access-control-allow-origin: *\r\n", b"WEBVTT\n\n")).await;
    let list = LIST.replace("0.vtt", &format!("{other}/0.vtt"));
    let answer = move |_: &str| {
        ok("application/vnd.apple.mpegurl", "access-control-allow-origin: *\r\n", list.as_bytes())
    };
    let (base, home) = server(answer).await;
    let url = format!("{base}/list.m3u8");
    let (status, out, err) = kinora_check(&[&url, "--header", "X-Secret: please", "--json"]).await;
    assert_eq!(status, 0, "{out}{err}");
    assert!(home.lock().unwrap()[0].to_lowercase().contains("x-secret: please"));
    let there = elsewhere.lock().unwrap().clone();
    assert!(!there.is_empty() && !there.concat().to_lowercase().contains("x-secret"), "{there:?}");
    let (status, out, _) = kinora_check(&[&url, "--limit", "1", "--json"]).await;
    assert_eq!(status, 0, "{out}");
    assert!(out.contains("--limit"), "{out}");
    let (status, _, err) = kinora_check(&[&url, "--header", "nonsense"]).await;
    assert!(status == 2 && err.contains("nonsense"), "{err}");
}

#[tokio::test]
async fn a_bomb_and_a_loop_do_no_harm() {
    // 200 MB of zeros in 200 kB of gzip.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..200 {
        std::io::Write::write_all(&mut gzip, &vec![b'\n'; 1 << 20]).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    let (base, _) =
        server(move |_| ok("application/vnd.apple.mpegurl", "content-encoding: gzip\r\n", &bomb)).await;
    let (status, _, err) = kinora_check(&[&format!("{base}/list.m3u8")]).await;
    assert!(status == 2 && err.contains("unpacked"), "{err}");
    let (base, seen) = server(|_| {
        b"HTTP/1.1 302 Found\r\nlocation: /again\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()
    })
    .await;
    let (status, _, err) = kinora_check(&[&format!("{base}/list.m3u8")]).await;
    assert!(status == 2 && err.contains("redirect"), "{err}");
    assert!(seen.lock().unwrap().len() < 10);
    let (base, _) = server(|_| b"HTTP/1.1 302 Found\r\nlocation: file:///etc/hostname\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()).await;
    assert_eq!(kinora_check(&[&format!("{base}/list.m3u8")]).await.0, 2);
}
