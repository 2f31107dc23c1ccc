//! Concatenation: pieces that arrive side by side become one file.

use domain::Role;
use reqwest::Method;
use store::videos::State;

use crate::{
    app::{App, header, identity, metadata, noise},
    on_both,
};

on_both![pieces_become_one_title, pieces_that_cannot_be_joined];

const PATH: &str = vod::upload::PATH;

async fn piece(app: &App, length: usize) -> String {
    let answer =
        app.post().header("upload-length", length).header("upload-concat", "partial").send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert!(!answer.headers().contains_key("kinora-video-id"));
    header(answer.headers(), "location")
}

async fn join(app: &App, pieces: &[&String]) -> reqwest::Response {
    let urls: Vec<String> = pieces.iter().map(|path| format!("{}{path}", app.base)).collect();
    let sent = metadata(&[("filename", "joined.mkv")]);
    let request = app
        .post()
        .header("upload-concat", format!("final;{}", urls.join(" ")))
        .header("upload-metadata", sent);
    request.send().await.unwrap()
}

async fn pieces_become_one_title(app: App) {
    let bytes = noise(900_000);
    // A piece in the middle may look like anything.
    let second = [&b"PK\x03\x04"[..], &noise(300_000)].concat();
    let parts = [bytes.to_vec(), second, noise(77).to_vec()];
    let mut paths = Vec::new();
    for part in &parts {
        paths.push(piece(&app, part.len()).await);
    }
    let sent = paths.iter().zip(&parts).map(|(path, part)| app.patch(path, 0, part.clone()).send());
    for answer in futures::future::join_all(sent).await {
        assert_eq!(answer.unwrap().status(), 204);
    }
    let answer = app.request(Method::HEAD, &paths[0]).send().await.unwrap();
    assert_eq!(header(answer.headers(), "upload-concat"), "partial");

    let answer = join(&app, &paths.iter().collect::<Vec<_>>()).await;
    assert_eq!(answer.status(), 201);
    let path = header(answer.headers(), "location");
    let video = header(answer.headers(), "kinora-video-id").parse().unwrap();
    let row = app.video(video).await.unwrap();
    assert_eq!((row.title.as_str(), row.state), ("joined", State::Processing));
    assert!(app.source(video).await == parts.concat());
    assert_eq!(app.probe_jobs(video).await, 1);

    let answer = app.request(Method::HEAD, &path).send().await.unwrap();
    let get = |name| header(answer.headers(), name);
    assert_eq!(get("upload-concat"), format!("final;{}", paths.join(" ")));
    assert_eq!((get("upload-length"), get("upload-offset")), ("1200081".into(), "1200081".into()));
    assert_eq!(app.patch(&path, 1_200_081, "x").send().await.unwrap().status(), 403);

    // The answer was lost, the client asks again.
    let again = join(&app, &paths.iter().collect::<Vec<_>>()).await;
    assert_eq!((again.status().as_u16(), header(again.headers(), "location")), (201, path.clone()));
    // The pieces belong to the title now.
    assert_eq!(app.head(&paths[0]).await.0, 404);
    assert_eq!(join(&app, &[&paths[0]]).await.status(), 400);
    assert_eq!(app.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert!(app.source(video).await == parts.concat(), "forgetting the upload leaves the title");
}

async fn pieces_that_cannot_be_joined(app: App) {
    let whole = piece(&app, 3).await;
    app.patch(&whole, 0, "abc").send().await.unwrap();
    let unfinished = piece(&app, 3).await;
    let single = app.create(3).await;
    app.patch(&single, 0, "abc").send().await.unwrap();
    let stranger = identity(app.add_user(Role::Creator).await, Role::Creator, None);
    let foreign = app
        .request_as(&stranger, Method::POST, PATH)
        .header("upload-length", 1)
        .header("upload-concat", "partial");
    let foreign = header(foreign.send().await.unwrap().headers(), "location");
    let page = piece(&app, 15).await;
    app.patch(&page, 0, "<!doctype html>").send().await.unwrap();
    let none = format!("{PATH}/0192f0c1-0000-7000-8000-000000000000");
    for pieces in [
        vec![&whole, &unfinished],
        vec![&whole, &single],
        vec![&whole, &foreign],
        vec![&whole, &none],
        vec![&whole, &whole],
    ] {
        assert_eq!(join(&app, &pieces).await.status(), 400, "{pieces:?}");
    }
    assert_eq!(join(&app, &[&page, &whole]).await.status(), 415);
    // A failed attempt takes no piece away.
    assert_eq!(app.offset(&whole).await, 3);
    assert_eq!(join(&app, &[&whole]).await.status(), 201);
}
