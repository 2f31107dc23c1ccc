//! The rules of the protocol, request by request.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Role, Scope, Visibility};
use reqwest::Method;
use sha1::{Digest, Sha1};
use sha2::Sha256;
use store::videos::State;

use crate::{
    app::{App, header, identity, metadata, noise},
    on_both,
};

on_both![
    a_file_becomes_a_title,
    creation_may_bring_bytes,
    what_cannot_become_a_title_is_refused_at_creation,
    quotas_count_what_is_there_and_what_will_be,
    uploads_are_private_to_their_owner,
    bytes_come_in_order_and_in_measure,
    checksums_are_checked_before_bytes_count,
    other_files_are_refused_by_their_first_bytes,
    unfinished_uploads_are_listed,
];

const PATH: &str = vod::upload::PATH;

async fn code(answer: reqwest::Response) -> (u16, String, String) {
    let status = answer.status().as_u16();
    assert_eq!(header(answer.headers(), "tus-resumable"), "1.0.0");
    assert_eq!(header(answer.headers(), "content-type"), "application/problem+json");
    let json: serde_json::Value = answer.json().await.unwrap();
    (status, json["code"].as_str().unwrap().to_owned(), json["detail"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn options_tell_what_is_spoken_to_anybody() {
    let app = App::embedded().await;
    let answer = app.http.request(Method::OPTIONS, format!("{}{PATH}", app.base)).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    let get = |name| header(answer.headers(), name);
    assert_eq!(get("tus-version"), "1.0.0");
    assert_eq!(
        get("tus-extension"),
        "creation,creation-with-upload,termination,checksum,expiration,concatenation"
    );
    assert_eq!(get("tus-max-size"), "50000000");
    assert_eq!(get("tus-checksum-algorithm"), "sha1,sha256");
}

#[tokio::test]
async fn another_version_is_refused() {
    let app = App::embedded().await;
    let path = app.create(10).await;
    for (method, path) in
        [(Method::POST, PATH), (Method::HEAD, &path), (Method::PATCH, &path), (Method::DELETE, &path)]
    {
        for version in [None, Some("0.2.2")] {
            let mut request = app.http.request(method.clone(), format!("{}{path}", app.base));
            request = request.header("test-identity", identity(app.user, Role::Creator, None));
            if let Some(version) = version {
                request = request.header("tus-resumable", version);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), 412, "{method} {version:?}");
            assert_eq!(header(answer.headers(), "tus-version"), "1.0.0");
        }
    }
    assert_eq!(app.offset(&path).await, 0);
}

async fn a_file_becomes_a_title(app: App) {
    let bytes = noise(300_000);
    let sent =
        metadata(&[("filename", "My_film.mp4"), ("filetype", "video/mp4"), ("visibility", "unlisted")]);
    let answer = app
        .post()
        .header("upload-length", bytes.len())
        .header("upload-metadata", &sent)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    let path = header(answer.headers(), "location");
    assert_eq!(header(answer.headers(), "upload-expires"), "Thu, 08 Jan 2026 00:00:00 GMT");
    let video = header(answer.headers(), "kinora-video-id").parse().unwrap();
    let row = app.video(video).await.unwrap();
    assert_eq!(
        (row.title.as_str(), row.visibility, row.state),
        ("My film", Visibility::Unlisted, State::Uploading)
    );
    assert_eq!(row.owner_id, app.user);

    let answer = app.request(Method::HEAD, &path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let get = |name| header(answer.headers(), name);
    assert_eq!(
        (get("upload-offset"), get("upload-length"), get("upload-metadata")),
        ("0".into(), "300000".into(), sent)
    );
    assert_eq!(get("cache-control"), "no-store");

    let answer = app.patch(&path, 0, bytes.slice(..100_000)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(answer.headers(), "upload-offset")), (204, "100000".into()));
    assert!(answer.headers().contains_key("upload-expires"));
    assert_eq!(app.offset(&path).await, 100_000);
    assert_eq!(app.probe_jobs(video).await, 0);

    let answer = app.patch(&path, 100_000, bytes.slice(100_000..)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(answer.headers(), "upload-offset")), (204, "300000".into()));
    assert_eq!(app.offset(&path).await, 300_000);
    assert_eq!(app.video(video).await.unwrap().state, State::Processing);
    assert_eq!(app.probe_jobs(video).await, 1);
    assert!(app.source(video).await == bytes);
    let steps = store::steps::list(&mut app.store.reader().await.unwrap(), video).await.unwrap();
    let upload = steps.iter().find(|step| step.name == store::steps::Name::Upload).unwrap();
    assert_eq!((upload.state, upload.done, upload.total), (store::steps::State::Done, 300_000, 300_000));

    // Nothing more is taken.
    let answer = app.patch(&path, 300_000, "x").send().await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(app.patch(&path, 0, "x").send().await.unwrap().status(), 409);
    assert_eq!(app.patch(&path, 300_000, "").send().await.unwrap().status(), 204);
    assert!(app.source(video).await == bytes);
}

async fn creation_may_bring_bytes(app: App) {
    let bytes = noise(50_000);
    let with_body = |body: bytes::Bytes| {
        app.post()
            .header("upload-length", 50_000)
            .header("content-type", "application/offset+octet-stream")
            .body(body)
    };
    let answer = with_body(bytes.slice(..20_000)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(answer.headers(), "upload-offset")), (201, "20000".into()));
    let path = header(answer.headers(), "location");
    app.patch(&path, 20_000, bytes.slice(20_000..)).send().await.unwrap();
    assert!(app.source(app.video_of(&path).await).await == bytes);

    let answer = with_body(bytes.clone()).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), header(answer.headers(), "upload-offset")), (201, "50000".into()));
    assert!(app.source(app.video_of(&header(answer.headers(), "location")).await).await == bytes);

    let answer = with_body(noise(50_001)).send().await.unwrap();
    assert_eq!(code(answer).await.0, 413);
    let answer = with_body("<!DOCTYPE html><title>x</title>".into()).send().await.unwrap();
    assert_eq!(code(answer).await.1, "not_media");
    let answer =
        with_body(bytes.clone()).header("upload-checksum", format!("sha1 {}", STANDARD.encode([0; 20])));
    assert_eq!(code(answer.send().await.unwrap()).await.0, 460);
    let mut reader = app.store.reader().await.unwrap();
    assert!(
        store::uploads::unfinished(&mut reader, app.user, 10).await.unwrap().is_empty(),
        "no trace of the refused"
    );
}

async fn what_cannot_become_a_title_is_refused_at_creation(app: App) {
    let named = |name| metadata(&[("filename", name)]);
    let cases = [
        (vec![], 400, "Upload-Length is missing"),
        (vec![("upload-length", "0".into())], 400, "empty"),
        (vec![("upload-length", "-1".into())], 400, "whole number"),
        (vec![("upload-length", "1e3".into())], 400, "whole number"),
        (vec![("upload-defer-length", "1".into())], 400, "length"),
        (vec![("upload-length", "50000001".into())], 413, "larger than the 50.0 MB"),
        (vec![("upload-length", "9".into()), ("upload-metadata", named("page.html"))], 415, "web page"),
        (
            vec![("upload-length", "9".into()), ("upload-metadata", named("films.zip"))],
            415,
            "unpack it first",
        ),
        (
            vec![("upload-length", "9".into()), ("upload-metadata", metadata(&[("filetype", "text/plain")]))],
            415,
            "text/plain",
        ),
        (
            vec![("upload-length", "9".into()), ("upload-metadata", metadata(&[("visibility", "all")]))],
            400,
            "visibility",
        ),
        (vec![("upload-length", "9".into()), ("upload-metadata", "title ?".into())], 400, "base64"),
        (vec![("upload-length", "9".into()), ("upload-metadata", "x ".repeat(5000))], 400, "8 KiB"),
        (vec![("upload-length", "9".into()), ("upload-concat", "sideways".into())], 400, "Upload-Concat"),
    ];
    for (headers, status, words) in cases {
        let request = headers.iter().fold(app.post(), |request, (name, value)| request.header(*name, value));
        let (found, _, detail) = code(request.send().await.unwrap()).await;
        assert_eq!(found, status, "{headers:?}: {detail}");
        assert!(detail.contains(words), "{headers:?}: {detail}");
    }
    let mut reader = app.store.reader().await.unwrap();
    let filter = store::videos::Filter::default();
    assert!(store::videos::list_managed(&mut reader, filter, None, 10).await.unwrap().is_empty());
}

async fn quotas_count_what_is_there_and_what_will_be(app: App) {
    let first = app.create(40_000_000).await;
    app.create(40_000_000).await;
    let (status, _, words) = code(app.post().header("upload-length", 20_000_001).send().await.unwrap()).await;
    assert_eq!(status, 413);
    assert!(words.contains("quota of 100.0 MB") && words.contains("80.0 MB are taken"), "{words}");
    assert_eq!(app.request(Method::DELETE, &first).send().await.unwrap().status(), 204);
    let path = app.create(20_000_000).await;
    // Many at once share what is left.
    let rush =
        futures::future::join_all((0..8).map(|_| app.post().header("upload-length", 15_000_000).send()))
            .await;
    let taken = rush.into_iter().filter(|answer| answer.as_ref().unwrap().status() == 201).count();
    assert_eq!(taken, 2);
    // A finished one counts as much as before.
    app.patch(&path, 0, noise(20_000_000)).send().await.unwrap();
    assert_eq!(app.post().header("upload-length", 10_000_001).send().await.unwrap().status(), 413);
    assert_eq!(app.post().header("upload-length", 10_000_000).send().await.unwrap().status(), 201);
}

async fn uploads_are_private_to_their_owner(app: App) {
    let path = app.create(10).await;
    let stranger = identity(app.add_user(Role::Creator).await, Role::Creator, None);
    let admin = identity(app.add_user(Role::Admin).await, Role::Admin, None);
    for other in [&stranger, &admin] {
        for method in [Method::HEAD, Method::PATCH, Method::DELETE] {
            let request = app.request_as(other, method.clone(), &path);
            let request =
                request.header("content-type", "application/offset+octet-stream").header("upload-offset", 0);
            assert_eq!(request.body("x").send().await.unwrap().status(), 404, "{method}");
        }
    }
    for id in ["nonsense", "0192f0c1-0000-7000-8000-000000000000", "..%2f..%2fetc", &path.to_uppercase()] {
        assert_eq!(app.head(&format!("{PATH}/{id}")).await.0, 404, "{id}");
    }
    let viewer = identity(app.add_user(Role::Viewer).await, Role::Viewer, None);
    let reading = identity(app.user, Role::Creator, Some(&[Scope::Read]));
    for (who, status) in [(&viewer, 403), (&reading, 403)] {
        let answer = app.request_as(who, Method::POST, PATH).header("upload-length", 1).send().await.unwrap();
        assert_eq!(answer.status(), status, "{who}");
        assert_eq!(app.request_as(who, Method::HEAD, &path).send().await.unwrap().status(), status);
        assert_eq!(
            app.request_as(who, Method::GET, "/api/v1/me/uploads").send().await.unwrap().status(),
            status
        );
    }
    let nobody = app.http.post(format!("{}{PATH}", app.base)).header("tus-resumable", "1.0.0");
    assert_eq!(nobody.header("upload-length", 1).send().await.unwrap().status(), 401);
    let uploading = identity(app.user, Role::Creator, Some(&[Scope::Upload]));
    assert_eq!(app.request_as(&uploading, Method::HEAD, &path).send().await.unwrap().status(), 200);
    assert_eq!(app.offset(&path).await, 0);
}

async fn bytes_come_in_order_and_in_measure(app: App) {
    let bytes = noise(1000);
    let path = app.create(1000).await;
    let wrong_type =
        app.request(Method::PATCH, &path).header("upload-offset", 0).header("content-type", "video/mp4");
    assert_eq!(code(wrong_type.body("x").send().await.unwrap()).await.0, 415);
    let no_offset =
        app.request(Method::PATCH, &path).header("content-type", "application/offset+octet-stream");
    assert_eq!(code(no_offset.body("x").send().await.unwrap()).await.0, 400);
    let answer = app.patch(&path, 5, "x").send().await.unwrap();
    assert_eq!(header(answer.headers(), "upload-offset"), "0");
    assert_eq!(code(answer).await.1, "wrong_offset");
    assert_eq!(code(app.patch(&path, 0, noise(1001)).send().await.unwrap()).await.0, 413);
    let (sender, unannounced) = crate::app::slow_body();
    let feed = tokio::spawn(async move {
        for _ in 0..3 {
            sender.send(Ok(noise(400))).await.ok();
        }
    });
    assert_eq!(code(app.patch(&path, 0, unannounced).send().await.unwrap()).await.0, 413);
    feed.await.unwrap();
    assert_eq!(app.offset(&path).await, 0, "none of it counts");

    // Proxies that know only POST.
    let post = |method: &str| app.request(Method::POST, &path).header("x-http-method-override", method);
    let patch =
        post("PATCH").header("content-type", "application/offset+octet-stream").header("upload-offset", 0);
    assert_eq!(patch.body(bytes.slice(..600)).send().await.unwrap().status(), 204);
    assert_eq!(header(post("HEAD").send().await.unwrap().headers(), "upload-offset"), "600");
    assert_eq!(post("PUT").send().await.unwrap().status(), 405);
    let refused = app.request(Method::POST, &path).send().await.unwrap();
    assert_eq!(refused.status(), 405);
    assert_eq!(refused.headers()["allow"], "OPTIONS,HEAD,PATCH,DELETE");
    assert_eq!(app.patch(&path, 600, "").send().await.unwrap().status(), 204);
    assert_eq!(app.patch(&path, 600, bytes.slice(600..)).send().await.unwrap().status(), 204);
    assert!(app.source(app.video_of(&path).await).await == bytes);
}

async fn checksums_are_checked_before_bytes_count(app: App) {
    let bytes = noise(9_000_000);
    let path = app.create(bytes.len()).await;
    app.patch(&path, 0, bytes.slice(..10)).send().await.unwrap();
    let wrong = format!("sha1 {}", STANDARD.encode(Sha1::digest(b"other")));
    // More than a part on S3, so that something has been stored by the time of the check.
    let answer = app
        .patch(&path, 10, bytes.slice(10..8_900_000))
        .header("upload-checksum", &wrong)
        .send()
        .await
        .unwrap();
    assert_eq!(
        code(answer).await,
        (
            460,
            "checksum_mismatch".into(),
            "The bytes do not have the checksum that was announced; none of them was kept.".into()
        )
    );
    assert_eq!(app.offset(&path).await, 10);
    for nonsense in ["crc32 AAAA", "sha1", "sha1 ?", "sha1 AAAA"] {
        let answer = app.patch(&path, 10, "x").header("upload-checksum", nonsense).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{nonsense}");
    }
    let right = format!("sha1 {}", STANDARD.encode(Sha1::digest(&bytes[10..5000])));
    let answer = app.patch(&path, 10, bytes.slice(10..5000)).header("upload-checksum", right);
    assert_eq!(answer.send().await.unwrap().status(), 204);
    // The last bytes, wrong and then right.
    let answer = app.patch(&path, 5000, bytes.slice(5000..)).header("upload-checksum", &wrong);
    assert_eq!(answer.send().await.unwrap().status(), 460);
    assert_eq!(app.video(app.video_of(&path).await).await.unwrap().state, State::Uploading);
    let right = format!("sha256 {}", STANDARD.encode(Sha256::digest(&bytes[5000..])));
    let answer = app.patch(&path, 5000, bytes.slice(5000..)).header("upload-checksum", right);
    assert_eq!(answer.send().await.unwrap().status(), 204);
    assert!(app.source(app.video_of(&path).await).await == bytes);
}

async fn other_files_are_refused_by_their_first_bytes(app: App) {
    for start in [&b"%PDF-1.7\n"[..], b"PK\x03\x04\x14\0", b"MZ\x90\0", b"<html>"] {
        let path = app.create(100_000).await;
        let video = app.video_of(&path).await;
        let body = [start, &noise(60_000)].concat();
        let (status, code, words) = code(app.patch(&path, 0, body).send().await.unwrap()).await;
        assert_eq!((status, code.as_str()), (415, "not_media"), "{words}");
        assert!(words.starts_with("Only video and audio files can become titles; this one is a"), "{words}");
        assert_eq!(app.head(&path).await.0, 404);
        assert!(app.video(video).await.is_err(), "its title never started");
    }
    assert_eq!(app.stored().await, 0);
    // Also a client in the middle of sending a lot gets to read why, and can use the connection on.
    let path = app.create(40_000_000).await;
    let answer = app.patch(&path, 7, noise(30_000_000)).send().await.unwrap();
    assert_eq!(answer.status(), 409);
    let body = [b"%PDF-1.7\n", &noise(30_000_000)[..]].concat();
    assert_eq!(code(app.patch(&path, 0, body).send().await.unwrap()).await.0, 415);
}

async fn unfinished_uploads_are_listed(app: App) {
    let sent = metadata(&[("filename", "a.mp4")]);
    let answer = app.post().header("upload-length", 9).header("upload-metadata", sent).send().await.unwrap();
    let path = header(answer.headers(), "location");
    app.patch(&path, 0, "123").send().await.unwrap();
    let done = app.create(3).await;
    app.patch(&done, 0, "123").send().await.unwrap();
    let answer = app.request(Method::GET, "/api/v1/me/uploads").send().await.unwrap();
    let list: serde_json::Value = answer.json().await.unwrap();
    let expected = serde_json::json!([{"id": path.rsplit('/').next().unwrap(), "video_id": app.video_of(&path).await,
        "filename": "a.mp4", "length": 9, "received": 3, "expires_at": "2026-01-08T00:00:00.000Z", "url": path}]);
    assert_eq!(list, expected);
}
