//! Upstreams elsewhere: failures, slow ones, tiers of edges.

use std::time::{Duration, Instant};

use axum::{Router, response::IntoResponse, routing::get};
use edge::{Bound, Config};
use http::StatusCode;

use crate::world::{Upstream, World, answer, ask, bytes, until};

const FOREVER: &[(&str, &str)] = &[("cache-control", "max-age=31536000, immutable"), ("etag", "\"a\"")];

/// On a port of its own.
async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

async fn in_front(world: &World, name: &str, upstreams: Vec<String>, config: Config) -> edge::Edge {
    let config = Config { upstreams, dir: world.dir.path().join(name), key_refresh_ms: 0, ..config };
    edge::start(config, None, world.blobs.clone(), world.clock.clone(), Bound::default()).await.unwrap()
}

#[tokio::test]
async fn a_dead_upstream_is_left_out_and_comes_back() {
    let world = World::start().await;
    let (one, two) = (Upstream::new(), Upstream::new());
    one.says(FOREVER, "x");
    two.says(FOREVER, "x");
    let healthy = || Router::new().route("/healthz", get(async || "ok"));
    let bases =
        vec![listen(healthy().merge(one.router())).await, listen(healthy().merge(two.router())).await];
    let edge = in_front(&world, "e", bases, Config { hedge_ms: 0, ..Config::default() }).await;
    one.does(|_| async { StatusCode::BAD_GATEWAY.into_response() });
    for n in 0..40 {
        let got = ask(&edge, "GET", &world.path(&format!("v1/{n}.m4s")), &[]).await;
        assert_eq!((got.status.as_u16(), got.body()), (200, &b"x"[..]));
    }
    assert!((1..=4).contains(&one.count()), "{}", one.count());
    assert_eq!(edge.report().upstreams.iter().filter(|one| one.up).count(), 1);
    one.says(FOREVER, "x");
    until(|| edge.report().upstreams.iter().all(|one| one.up)).await;
    let before = one.count();
    for n in 40..80 {
        ask(&edge, "GET", &world.path(&format!("v1/{n}.m4s")), &[]).await;
    }
    assert!(one.count() > before + 5, "it has its share again");
}

#[tokio::test]
async fn a_slow_upstream_is_overtaken() {
    let world = World::start().await;
    let (slow, quick) = (Upstream::new(), Upstream::new());
    slow.does(|_| async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        answer(FOREVER, "x")
    });
    quick.says(FOREVER, "x");
    let bases = vec![listen(slow.router()).await, listen(quick.router()).await];
    let edge = in_front(&world, "e", bases, Config { hedge_ms: 50, ..Config::default() }).await;
    for n in 0..10 {
        let began = Instant::now();
        let got = ask(&edge, "GET", &world.path(&format!("v1/{n}.m4s")), &[]).await;
        assert!(got.status == 200 && began.elapsed() < Duration::from_secs(2));
    }
    assert!(slow.count() > 0);
}

#[tokio::test]
async fn a_body_cut_off_on_the_way_is_broken_and_nothing_there_is_an_answer() {
    let world = World::start().await;
    let upstream = Upstream::new();
    upstream.does(|_| async {
        let pieces = [Ok(bytes(100_000)), Err(std::io::Error::other("cut"))];
        answer(FOREVER, axum::body::Body::from_stream(futures::stream::iter(pieces)))
    });
    let edge = in_front(&world, "e", vec![listen(upstream.router()).await], Config::default()).await;
    let got = ask(&edge, "GET", &world.path("v1/1.m4s"), &[]).await;
    assert!(got.status == 502 || got.body.is_none());
    let nobody = in_front(&world, "n", vec!["http://127.0.0.1:1".into()], Config::default()).await;
    let got = ask(&nobody, "GET", &world.path("v1/1.m4s"), &[]).await;
    assert_eq!(
        (got.status.as_u16(), got.code().as_str(), got.header("retry-after")),
        (502, "upstream_unreachable", "2")
    );
}

#[tokio::test]
async fn edges_before_a_shield_before_the_origin() {
    let world = World::start().await;
    let body = bytes(300_000);
    world.upstream.says(FOREVER, body.clone());
    let shield = listen(world.edge.router()).await;
    for name in ["a", "b", "c"] {
        let edge = in_front(&world, name, vec![shield.clone()], Config::default()).await;
        assert_eq!(ask(&edge, "GET", &world.path("v1/1.m4s"), &[]).await.body(), body);
    }
    assert_eq!(world.upstream.count(), 1);
    let (_, headers) = world.upstream.seen.lock().unwrap()[0].clone();
    assert_eq!(headers["cdn-loop"], "kinora; hops=2");
}

#[tokio::test]
async fn edges_in_a_circle_are_found_out() {
    let world = World::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let edge = in_front(&world, "e", vec![base], Config::default()).await;
    let router = edge.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let got = ask(&edge, "GET", &world.path("v1/1.m4s"), &[]).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (508, "loop"));
}
