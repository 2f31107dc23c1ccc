//! One fetch for all who wait.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use bytes::Bytes;
use futures::{StreamExt, future::join_all};
use http::StatusCode;
use tokio::sync::{Notify, mpsc};

use crate::world::{World, answer, ask, bytes, until};

const FOREVER: &[(&str, &str)] = &[
    ("cache-control", "public, max-age=31536000, immutable"),
    ("etag", "\"a\""),
    ("content-type", "video/mp4"),
];
const MANY: usize = 10_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_misses_are_one_fetch_even_while_it_blocks() {
    let world = World::start().await;
    let open = Arc::new(Notify::new());
    let (gate, body) = (open.clone(), bytes(20_000));
    let expected = body.clone();
    world.upstream.does(move |_| {
        let (gate, body) = (gate.clone(), body.clone());
        async move {
            gate.notified().await;
            answer(FOREVER, body)
        }
    });
    let path = world.path("v1/playlist.m3u8?_HLS_msn=7");
    let clients: Vec<_> = (0..MANY)
        .map(|_| {
            let (edge, path) = (world.edge.clone(), path.clone());
            tokio::spawn(async move { ask(&edge, "GET", &path, &[]).await })
        })
        .collect();
    until(|| world.upstream.count() == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    open.notify_one();
    let got = join_all(clients).await;
    assert!(got.iter().all(|got| got.as_ref().unwrap().body() == expected));
    assert_eq!(world.upstream.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_share_a_body_that_still_grows() {
    let world = World::start().await;
    let (more, rest) = mpsc::channel::<Bytes>(1);
    let rest = std::sync::Mutex::new(Some(rest));
    world.upstream.does(move |_| {
        let rest = rest.lock().unwrap().take().expect("asked once");
        let stream = futures::stream::unfold(rest, async |mut rest| {
            Some((Ok::<_, std::io::Error>(rest.recv().await?), rest))
        });
        async move { answer(FOREVER, Body::from_stream(stream)) }
    });
    let body = bytes(360_000);
    let path = world.path("v1/1.m4s");
    let join = |count: usize| {
        let (edge, path) = (world.edge.clone(), path.clone());
        (0..count).map(move |_| {
            let (edge, path) = (edge.clone(), path.clone());
            tokio::spawn(async move {
                let got = ask(&edge, "GET", &path, &[]).await;
                got.body.map(|body| (body.len(), crc32fast::hash(&body)))
            })
        })
    };
    let mut clients: Vec<_> = join(MANY / 10).collect();
    for (n, piece) in body.chunks(40_000).enumerate() {
        more.send(Bytes::copy_from_slice(piece)).await.unwrap();
        if n % 4 == 1 {
            clients.extend(join(MANY * 3 / 10));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    drop(more);
    let expected = Some((body.len(), crc32fast::hash(&body)));
    for client in clients {
        assert_eq!(client.await.unwrap(), expected);
    }
    assert_eq!(world.upstream.count(), 1);
    until(|| world.edge.report().fetching == 0).await;
    assert_eq!(world.get("v1/1.m4s").await.cache(), "hit");
}

#[tokio::test]
async fn the_first_client_may_leave() {
    let world = World::start().await;
    let open = Arc::new(Notify::new());
    let gate = open.clone();
    world.upstream.does(move |_| {
        let gate = gate.clone();
        async move {
            gate.notified().await;
            answer(FOREVER, "body")
        }
    });
    let path = world.path("v1/1.m4s");
    let first = tokio::time::timeout(Duration::from_millis(50), world.ask("GET", &path, &[])).await;
    assert!(first.is_err());
    let second = world.ask("GET", &path, &[]);
    let opening = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        open.notify_one();
    };
    let (second, ()) = tokio::join!(second, opening);
    assert_eq!((second.body(), second.cache()), (&b"body"[..], "fwd=uri-miss; collapsed"));
    assert_eq!(world.upstream.count(), 1);
}

#[tokio::test]
async fn a_body_that_breaks_is_broken_for_all_and_not_kept() {
    let world = World::start().await;
    for length in [1_000, 500_000] {
        world.upstream.does(move |_| async move {
            let good = futures::stream::iter([Ok(bytes(length))]);
            let slow = good.chain(futures::stream::once(async {
                tokio::time::sleep(Duration::from_millis(100)).await;
                Err(std::io::Error::other("gone"))
            }));
            answer(FOREVER, Body::from_stream(slow))
        });
        let before = world.upstream.count();
        let got = join_all((0..20).map(|_| world.get("v1/1.m4s"))).await;
        assert!(got.iter().all(|got| got.status == 200 && got.body.is_none()));
        assert_eq!(world.upstream.count(), before + 1);
        until(|| world.edge.report().fetching == 0).await;
    }
    // Fewer bytes than were promised are no whole body either.
    world
        .upstream
        .does(|_| async { answer(&[("content-length", "10"), ("cache-control", "max-age=9")], "short") });
    assert!(world.get("v1/1.m4s").await.body.is_none());
    let report = world.edge.report();
    assert_eq!((report.memory.objects, report.disk.objects), (0, 0));
    assert_eq!(std::fs::read_dir(world.part().join("drafts")).unwrap().count(), 0);
}

#[tokio::test]
async fn errors_are_shared_too_and_never_kept() {
    let world = World::start().await;
    world.upstream.does(|_| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut response = answer(&[("cache-control", "max-age=60")], "sorry");
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    });
    let got = join_all((0..100).map(|_| world.get("v1/1.m4s"))).await;
    assert!(got.iter().all(|got| got.status == 500 && got.body() == b"sorry"));
    assert_eq!(world.upstream.count(), 1);
    world.get("v1/1.m4s").await;
    assert_eq!(world.upstream.count(), 2);
}

#[tokio::test]
async fn what_is_refused_to_one_token_is_not_refused_to_another() {
    let world = World::start().await;
    let bad = world.token();
    let told = bad.clone();
    world.upstream.does(move |request| {
        let refused = request.uri().path().contains(&told);
        async move {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let mut response = answer(FOREVER, "body");
            if refused {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
            response
        }
    });
    let path = format!("/media/{bad}/{}/v1/1.m4s", world.id);
    let (first, second) = tokio::join!(world.ask("GET", &path, &[]), world.get("v1/1.m4s"));
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (401, 200));
}

#[tokio::test]
async fn a_slow_reader_holds_no_memory() {
    let world = World::start().await;
    let body = bytes(3_000_000);
    world.upstream.says(FOREVER, body.clone());
    let request = http::Request::get(world.path("v1/1.m4s")).body(Body::empty()).unwrap();
    let Ok(response) = tower::ServiceExt::oneshot(world.edge.router(), request).await;
    let mut slow = response.into_body().into_data_stream();
    let first = slow.next().await.unwrap().unwrap();
    until(|| world.edge.report().disk.objects == 1).await;
    // All is in the file by now, and the rest comes from there.
    let mut all = first.to_vec();
    while let Some(piece) = slow.next().await {
        all.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(all, body);
}
