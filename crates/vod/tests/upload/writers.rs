//! One writer at a time, writers that vanish, and connections that break.

use std::time::Duration;

use reqwest::Method;

use crate::{
    app::{App, TIMING, noise, slow_body, until},
    on_both,
};

on_both![
    a_second_writer_waits,
    a_vanished_client_frees_the_upload_and_its_bytes_stay,
    a_silent_writer_lets_another_in,
    an_upload_under_way_is_ended,
    a_silent_body_ends,
    a_dead_replica_is_outlived,
    broken_connections_lose_nothing_that_was_told,
];

async fn is_locked(app: &App, path: &str, offset: usize) -> bool {
    app.patch(path, offset, "x").send().await.unwrap().status() == 423
}

async fn is_leased_or_noted(app: &App, path: &str, offset: usize) -> bool {
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let row = store::uploads::get(&mut app.store.reader().await.unwrap(), app.user, id).await.unwrap();
    row.lease_holder.is_some() || row.received as usize > offset
}

/// A PATCH under way of which `sent` bytes have arrived; keeps sending bits so that it is not silent.
struct Writer {
    sender: tokio::sync::mpsc::Sender<std::io::Result<bytes::Bytes>>,
    request: tokio::task::JoinHandle<reqwest::Result<reqwest::Response>>,
}

async fn writer(app: &App, path: &str, offset: usize, first: bytes::Bytes) -> Writer {
    let (sender, body) = slow_body();
    let request = tokio::spawn(app.patch(path, offset, body).send());
    sender.send(Ok(first)).await.unwrap();
    until("the writer is at work", || is_leased_or_noted(app, path, offset)).await;
    Writer { sender, request }
}

async fn a_second_writer_waits(app: App) {
    let bytes = noise(100_000);
    let path = app.create(bytes.len()).await;
    let first = writer(&app, &path, 0, bytes.slice(..1000)).await;
    // It is not silent: a byte now and then.
    let feed = tokio::spawn({
        let (sender, bytes) = (first.sender.clone(), bytes.clone());
        async move {
            for at in 1000..1050 {
                sender.send(Ok(bytes.slice(at..=at))).await.unwrap();
                tokio::time::sleep(TIMING.suspend / 10).await;
            }
        }
    });
    assert!(is_locked(&app, &path, 0).await, "the second writer is refused");
    let other = app.replica().await;
    let answer = app.patch(&format!("{other}{path}"), 0, "x").send().await.unwrap();
    assert_eq!(answer.status(), 423, "also by another replica");
    assert_eq!(app.request(Method::DELETE, &path).send().await.unwrap().status(), 423);
    feed.await.unwrap();
    first.sender.send(Ok(bytes.slice(1050..))).await.unwrap();
    drop(first.sender);
    assert_eq!(first.request.await.unwrap().unwrap().status(), 204);
    assert!(app.source(app.video_of(&path).await).await == bytes);
}

async fn a_vanished_client_frees_the_upload_and_its_bytes_stay(app: App) {
    let bytes = noise(200_000);
    let path = app.create(bytes.len()).await;
    let first = writer(&app, &path, 0, bytes.slice(..150_000)).await;
    first.sender.send(Ok(bytes.slice(150_000..150_001))).await.unwrap();
    first.request.abort();
    // The clock stands still: no lease runs out here.
    until("what came counts", || async { app.offset(&path).await >= 150_000 }).await;
    let at = app.offset(&path).await;
    until("the lease is free", || async {
        app.patch(&path, at, bytes.slice(at..)).send().await.unwrap().status() != 423
    })
    .await;
    assert!(app.source(app.video_of(&path).await).await == bytes);
}

async fn a_silent_writer_lets_another_in(app: App) {
    let bytes = noise(2000);
    let path = app.create(bytes.len()).await;
    let silent = writer(&app, &path, 0, bytes.slice(..600)).await;
    until("its bytes are noted", || async { app.offset(&path).await == 600 }).await;
    let answer = app.patch(&path, 600, bytes.slice(600..1000)).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    // When it speaks again, it is too late: its bytes are not appended after the other's.
    silent.sender.send(Ok(bytes.slice(600..700))).await.unwrap();
    let answer = silent.request.await.unwrap().unwrap();
    assert_eq!(answer.status(), 409);
    assert_eq!(app.offset(&path).await, 1000);
    app.patch(&path, 1000, bytes.slice(1000..)).send().await.unwrap();
    assert!(app.source(app.video_of(&path).await).await == bytes);
}

/// As browsers cancel: the PATCH is cut off and the DELETE comes at once, here even before it is.
async fn an_upload_under_way_is_ended(app: App) {
    let path = app.create(200_000).await;
    let writer = writer(&app, &path, 0, noise(150_000)).await;
    let end = tokio::spawn(app.request(Method::DELETE, &path).send());
    writer.request.abort();
    assert_eq!(end.await.unwrap().unwrap().status(), 204);
    assert_eq!(app.request(Method::HEAD, &path).send().await.unwrap().status(), 404);
}

async fn a_silent_body_ends(app: App) {
    let path = app.create(2000).await;
    let silent = writer(&app, &path, 0, noise(600)).await;
    let answer = tokio::time::timeout(TIMING.silence * 8, silent.request).await.expect("ends by itself");
    assert_eq!(answer.unwrap().unwrap().status(), 408);
    assert_eq!(app.offset(&path).await, 600);
    drop(silent.sender);
}

async fn a_dead_replica_is_outlived(app: App) {
    let path = app.create(10).await;
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let now = app.clock.now();
    let mut tx = app.store.begin().await.unwrap();
    assert!(store::uploads::lease(&mut tx, id, "dead", now.plus(15_000_000), now).await.unwrap());
    tx.commit().await.unwrap();
    assert!(is_locked(&app, &path, 0).await);
    app.clock.advance(Duration::from_secs(14));
    assert!(is_locked(&app, &path, 0).await);
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(app.patch(&path, 0, "0123456789").send().await.unwrap().status(), 204);
    // Should it wake up, it can change nothing.
    let mut tx = app.store.begin().await.unwrap();
    let ended = store::uploads::complete(&mut tx, id, "dead", now, now).await;
    assert!(matches!(ended, Err(store::Error::Stale)));
}

/// Cuts the connection at many places, going on each time by another replica at the offset that is told.
async fn broken_connections_lose_nothing_that_was_told(app: App) {
    let bytes = noise(24_000_000);
    let path = app.create(bytes.len()).await;
    let replicas = [app.base.clone(), app.replica().await];
    let (mut told, mut seed, mut cuts, mut sent) = (0, 12345_usize, 0, 0);
    while told < bytes.len() {
        let url = format!("{}{path}", replicas[cuts % 2]);
        cuts += 1;
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let cut = (told + 1 + (seed >> 33) % 4_000_000).min(bytes.len());
        sent = cut.max(sent);
        let (sender, body) = slow_body();
        let request = tokio::spawn(app.patch(&url, told, body).send());
        for at in (told..cut).step_by(300_000) {
            if sender.send(Ok(bytes.slice(at..cut.min(at + 300_000)))).await.is_err() {
                break;
            }
        }
        if cut == bytes.len() {
            drop(sender);
            // Bytes of a broken connection may still have arrived when this one began: then it is told to ask again.
            let status = request.await.unwrap().unwrap().status().as_u16();
            assert!(matches!(status, 204 | 409), "{status}");
        } else {
            request.abort();
        }
        let before = told;
        // Offsets never go back, and the writer that lost its client is soon gone.
        until("the upload is free", || async {
            let at = app.offset(&path).await;
            assert!(at >= before && at <= sent, "{before} ≤ {at} ≤ {sent}");
            let answer = app.patch(&path, at, "").send().await.unwrap().status().as_u16();
            answer == 204
        })
        .await;
        told = app.offset(&path).await;
    }
    assert!(cuts > 5);
    assert!(app.source(app.video_of(&path).await).await == bytes);
}
