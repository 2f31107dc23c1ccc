//! Freshness, revalidation, stale answers, negative ones, purging.

use std::{sync::Arc, time::Duration};

use axum::response::IntoResponse;
use http::StatusCode;

use crate::world::{World, answer, bytes, until};

const LIST: &[(&str, &str)] = &[("cache-control", "public, max-age=10"), ("etag", "\"one\"")];

#[tokio::test]
async fn hits_tell_their_age_and_stale_ones_are_revalidated() {
    let world = World::start().await;
    world.upstream.says(LIST, "list");
    let miss = world.get("main.m3u8").await;
    assert_eq!((miss.cache(), miss.header("age")), ("fwd=uri-miss", ""));
    world.pass(9);
    let hit = world.get("main.m3u8").await;
    assert_eq!((hit.cache(), hit.header("age"), hit.body()), ("hit", "9", &b"list"[..]));
    assert_eq!(hit.header("access-control-allow-origin"), "*");
    world.upstream.does(|request| async move {
        assert_eq!(request.headers()["if-none-match"], "\"one\"");
        let mut response = answer(LIST, "");
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    });
    world.pass(1);
    let checked = world.get("main.m3u8").await;
    assert_eq!((checked.status.as_u16(), checked.body()), (200, &b"list"[..]));
    assert_eq!((checked.cache(), checked.header("age")), ("fwd=stale; fwd-status=304", "0"));
    world.pass(9);
    assert_eq!(world.get("main.m3u8").await.cache(), "hit");
    assert_eq!(world.upstream.count(), 2);
    world.pass(1);
    world.upstream.says(LIST, "newer");
    assert_eq!(world.get("main.m3u8").await.body(), b"newer");
    assert_eq!(world.get("main.m3u8").await.body(), b"newer");
}

#[tokio::test]
async fn stale_while_revalidate_answers_at_once() {
    let world = World::start().await;
    world
        .upstream
        .says(&[("cache-control", "max-age=10, stale-while-revalidate=10"), ("etag", "\"a\"")], "old");
    world.get("main.m3u8").await;
    world.pass(12);
    let open = Arc::new(tokio::sync::Notify::new());
    let gate = open.clone();
    world.upstream.does(move |_| {
        let gate = gate.clone();
        async move {
            gate.notified().await;
            answer(LIST, "new")
        }
    });
    for _ in 0..5 {
        let stale = world.get("main.m3u8").await;
        assert_eq!(
            (stale.body(), stale.cache(), stale.header("age")),
            (&b"old"[..], "hit; detail=stale", "12")
        );
    }
    open.notify_one();
    until(|| world.edge.report().fetching == 0).await;
    assert_eq!(world.get("main.m3u8").await.body(), b"new");
    assert_eq!(world.upstream.count(), 2);
}

#[tokio::test]
async fn what_is_held_covers_for_upstreams_that_fail() {
    let world = World::start().await;
    world.upstream.says(LIST, "list");
    world.get("main.m3u8").await;
    world.upstream.does(|_| async { StatusCode::SERVICE_UNAVAILABLE.into_response() });
    world.pass(3600 - 20);
    assert_eq!(world.get("main.m3u8").await.body(), b"list");
    let asked = world.upstream.count();
    for _ in 0..20 {
        assert_eq!(world.get("main.m3u8").await.cache(), "hit; detail=stale");
        tokio::task::yield_now().await;
    }
    until(|| world.edge.report().fetching == 0).await;
    assert!(world.upstream.count() > asked, "it is looked for in the background");
    // A silent upstream holds nobody up either.
    world.upstream.does(|_| std::future::pending());
    world.pass(6);
    let began = std::time::Instant::now();
    assert_eq!(world.get("main.m3u8").await.body(), b"list");
    assert!(began.elapsed() < Duration::from_secs(3));
    // What must be revalidated is not covered for.
    let strict = World::start().await;
    strict.upstream.says(&[("cache-control", "max-age=10, must-revalidate"), ("etag", "\"a\"")], "list");
    strict.get("main.m3u8").await;
    strict.pass(11);
    strict.upstream.does(|_| async { StatusCode::SERVICE_UNAVAILABLE.into_response() });
    assert_eq!(strict.get("main.m3u8").await.status, 503);
}

#[tokio::test]
async fn what_is_missing_is_missing_for_a_moment() {
    let world = World::start().await;
    world.upstream.does(|_| async { StatusCode::NOT_FOUND.into_response() });
    assert_eq!(world.get("v1/9.m4s").await.status, 404);
    let again = world.get("v1/9.m4s").await;
    assert_eq!((again.status.as_u16(), again.cache(), world.upstream.count()), (404, "hit", 1));
    world.upstream.says(LIST, "here");
    world.pass(2);
    assert_eq!(world.get("v1/9.m4s").await.body(), b"here");
}

#[tokio::test]
async fn compressed_and_plain_texts_are_kept_apart() {
    let world = World::start().await;
    world.upstream.does(|request| async move {
        match request.headers().get("accept-encoding") {
            Some(coding) if coding == "gzip" => answer(
                &[("cache-control", "max-age=9"), ("content-encoding", "gzip"), ("vary", "Accept-Encoding")],
                "zip",
            ),
            _ => answer(&[("cache-control", "max-age=9"), ("vary", "Accept-Encoding")], "plain"),
        }
    });
    let path = world.path("main.m3u8");
    for _ in 0..2 {
        let packed = world.ask("GET", &path, &[("accept-encoding", "br, gzip;q=0.5")]).await;
        assert_eq!((packed.body(), packed.header("content-encoding")), (&b"zip"[..], "gzip"));
        assert_eq!(world.ask("GET", &path, &[("accept-encoding", "br")]).await.body(), b"plain");
    }
    assert_eq!(world.upstream.count(), 2);
}

#[tokio::test]
async fn purging_takes_what_is_held_and_what_is_on_its_way() {
    let world = World::start().await;
    world
        .upstream
        .says(&[("cache-control", "max-age=99, immutable"), ("cache-tag", "red, blue")], bytes(100_000));
    world.get("v1/1.m4s").await;
    until(|| world.edge.report().disk.objects == 1).await;
    assert_eq!(world.edge.purge(domain::PresentationId::new()).await, 0);
    assert_eq!(world.edge.purge_tag("green").await, 0);
    let hit = world.get("v1/1.m4s").await;
    assert_eq!((hit.cache(), hit.header("cache-tag")), ("hit", "red, blue"));
    assert_eq!(world.edge.purge_tag("blue").await, 1);
    assert_eq!(world.get("v1/1.m4s").await.cache(), "fwd=uri-miss");
    until(|| world.edge.report().disk.objects == 1).await;
    assert_eq!(world.edge.purge(world.id).await, 1);
    let files = |n: u8| std::fs::read_dir(world.part().join(format!("{n:02x}"))).unwrap().count();
    assert_eq!((0..=255).map(files).sum::<usize>(), 0);
    // One that began before the purge serves who waits, and nobody after.
    world.upstream.does(|_| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer(LIST, "old")
    });
    let (got, _) = tokio::join!(world.get("main.m3u8"), async {
        tokio::time::sleep(Duration::from_millis(40)).await;
        world.edge.purge(world.id).await
    });
    assert_eq!(got.body(), b"old");
    world.upstream.says(LIST, "new");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.get("main.m3u8").await.body(), b"new");
}

#[tokio::test]
async fn distrust_asks_again_for_what_can_change() {
    let world = World::start().await;
    world.upstream.says(LIST, "list");
    world.get("main.m3u8").await;
    world.upstream.says(&[("cache-control", "max-age=99, immutable")], "segment");
    world.get("v1/1.m4s").await;
    world.pass(1);
    world.edge.distrust();
    world.upstream.says(LIST, "newer");
    assert_eq!(world.get("main.m3u8").await.body(), b"newer");
    assert_eq!(world.get("v1/1.m4s").await.body(), b"segment");
}

#[tokio::test]
async fn upstreams_hear_nothing_of_clients() {
    let world = World::start().await;
    world.upstream.says(LIST, "list");
    let path = world.path("v1/playlist.m3u8?CMCD=sid%3D1&_HLS_part=2&_HLS_msn=1&x=%0d%0a");
    let nasty = [
        ("x-forwarded-host", "evil.example"),
        ("x-original-url", "/admin"),
        ("host", "evil.example"),
        ("cookie", "a=b"),
        ("authorization", "Bearer x"),
        ("range", "bytes=0-1"),
        ("if-none-match", "\"x\""),
        ("cache-control", "no-cache"),
        ("user-agent", "x"),
    ];
    assert_eq!(world.ask("GET", &path, &nasty).await.body(), b"li");
    let (address, headers) = world.upstream.seen.lock().unwrap()[0].clone();
    assert!(address.ends_with("/v1/playlist.m3u8?_HLS_msn=1&_HLS_part=2"), "{address}");
    let names: Vec<_> = headers.keys().map(|name| name.as_str()).collect();
    assert_eq!(names, ["cdn-loop"]);
    // The same bytes for whoever asks next, whatever was sent with the first.
    let path = world.path("v1/playlist.m3u8?_HLS_msn=1&_HLS_part=2");
    assert_eq!(world.ask("GET", &path, &[]).await.cache(), "hit");
    let looped = world.ask("GET", &path, &[("cdn-loop", "kinora; hops=8")]).await;
    assert_eq!((looped.status.as_u16(), looped.code().as_str()), (508, "loop"));
}
