//! The end of uploads: termination, expiration, cancelled titles, and a server that stops.

use std::time::Duration;

use domain::Micros;
use reqwest::Method;
use store::videos::{self, State};
use vod::upload::{Expired, expire};

use crate::{
    app::{App, header, noise, slow_body, until},
    on_both,
};

on_both![
    a_terminated_upload_leaves_nothing,
    an_expired_upload_leaves_nothing,
    a_cancelled_title_ends_its_upload,
    a_crash_between_object_and_row_is_mended,
    a_stopping_server_keeps_what_came,
];

async fn a_terminated_upload_leaves_nothing(app: App) {
    let path = app.create(20_000_000).await;
    let video = app.video_of(&path).await;
    app.patch(&path, 0, noise(9_000_000)).send().await.unwrap();
    assert_eq!(app.request(Method::DELETE, &path).send().await.unwrap().status(), 204);
    assert_eq!(app.head(&path).await.0, 404);
    assert_eq!(app.patch(&path, 9_000_000, "x").send().await.unwrap().status(), 404);
    assert_eq!(app.request(Method::DELETE, &path).send().await.unwrap().status(), 404);
    assert!(app.video(video).await.is_err());
    assert_eq!(app.stored().await, 0);

    // A piece goes even when it is whole.
    let piece =
        app.post().header("upload-length", 3).header("upload-concat", "partial").send().await.unwrap();
    let piece = header(piece.headers(), "location");
    app.patch(&piece, 0, "abc").send().await.unwrap();
    assert_eq!(app.stored().await, 1);
    assert_eq!(app.request(Method::DELETE, &piece).send().await.unwrap().status(), 204);
    assert_eq!(app.stored().await, 0);
}

async fn an_expired_upload_leaves_nothing(app: App) {
    let path = app.create(20_000_000).await;
    let video = app.video_of(&path).await;
    let done = app.create(3).await;
    app.patch(&done, 0, "abc").send().await.unwrap();
    app.clock.advance(Duration::from_micros(6 * Micros::DAY as u64));
    app.patch(&path, 0, noise(9_000_000)).send().await.unwrap();
    app.clock.advance(Duration::from_micros(2 * Micros::DAY as u64));
    assert_eq!(
        expire(&app.uploads).await.unwrap(),
        Expired { removed: 1, failed: 0 },
        "only the finished row is old"
    );
    assert_eq!(app.offset(&path).await, 9_000_000);
    app.clock.advance(Duration::from_micros(6 * Micros::DAY as u64));
    assert_eq!(app.head(&path).await.0, 410);
    assert_eq!(app.patch(&path, 9_000_000, "x").send().await.unwrap().status(), 410);
    assert_eq!(expire(&app.uploads).await.unwrap(), Expired { removed: 1, failed: 0 });
    assert_eq!(app.head(&path).await.0, 404);
    assert!(app.video(video).await.is_err());
    assert_eq!(app.stored().await, 1, "the finished title's source stays");
    assert_eq!(expire(&app.uploads).await.unwrap(), Expired::default());
}

async fn a_cancelled_title_ends_its_upload(app: App) {
    let path = app.create(1000).await;
    let video = app.video_of(&path).await;
    let (sender, body) = slow_body();
    let running = tokio::spawn(app.patch(&path, 0, body).send());
    sender.send(Ok(noise(600))).await.unwrap();
    until("the first bytes are noted", || async { app.offset(&path).await == 600 }).await;
    let mut tx = app.store.begin().await.unwrap();
    videos::cancelled(&mut tx, video, app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    sender.send(Ok(noise(400))).await.unwrap();
    drop(sender);
    assert_eq!(running.await.unwrap().unwrap().status(), 410);
    assert_eq!(app.head(&path).await.0, 410);
    assert_eq!(expire(&app.uploads).await.unwrap(), Expired { removed: 1, failed: 0 });
    assert_eq!(app.head(&path).await.0, 404);
    assert_eq!(app.video(video).await.unwrap().state, State::Cancelled, "its row tells what became of it");
    assert_eq!(app.stored().await, 0);
}

/// The object is whole, but the process died before the row could say so.
async fn a_crash_between_object_and_row_is_mended(app: App) {
    let bytes = noise(9_000_000);
    let path = app.create(bytes.len()).await;
    app.patch(&path, 0, bytes.slice(..8_500_000)).send().await.unwrap();
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let row = store::uploads::get(&mut app.store.reader().await.unwrap(), app.user, id).await.unwrap();
    let mut appender = app.blobs.append(&serde_json::from_str(&row.staging).unwrap()).await.unwrap();
    appender.write(bytes.slice(8_500_000..)).await.unwrap();
    appender.finish().await.unwrap();

    assert_eq!(app.offset(&path).await, 8_500_000);
    let answer = app.patch(&path, 8_500_000, bytes.slice(8_500_000..)).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), header(answer.headers(), "upload-offset")),
        (409, "9000000".into())
    );
    assert_eq!(app.offset(&path).await, bytes.len());
    let video = app.video_of(&path).await;
    assert!(app.source(video).await == bytes);
    assert_eq!(app.probe_jobs(video).await, 1);
}

async fn a_stopping_server_keeps_what_came(app: App) {
    let path = app.create(1000).await;
    let (sender, body) = slow_body();
    let running = tokio::spawn(app.patch(&path, 0, body).send());
    sender.send(Ok(noise(700))).await.unwrap();
    until("bytes are noted", || async { app.offset(&path).await == 700 }).await;
    app.stop.cancel();
    let answer = running.await.unwrap().unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(app.offset(&path).await, 700);
    drop(sender);
}
