//! Parts of bodies, held and arriving; conditional requests; HEAD.

use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;

use crate::world::{World, answer, bytes, until};

const FOREVER: &[(&str, &str)] = &[("cache-control", "max-age=31536000, immutable"), ("etag", "\"a\"")];

#[tokio::test]
async fn parts_of_held_bodies() {
    let world = World::start().await;
    for (rest, size) in [("v1/small.m4s", 1_000), ("v1/large.m4s", 400_000)] {
        let body = bytes(size);
        world.upstream.says(FOREVER, body.clone());
        let path = world.path(rest);
        world.ask("GET", &path, &[]).await;
        until(|| world.edge.report().fetching == 0).await;
        let last = size - 1;
        let table: [(&str, u16, &[u8], String); 8] = [
            ("bytes=0-9", 206, &body[..10], format!("bytes 0-9/{size}")),
            ("bytes=500-", 206, &body[500..], format!("bytes 500-{last}/{size}")),
            ("bytes=-7", 206, &body[size - 7..], format!("bytes {}-{last}/{size}", size - 7)),
            ("bytes=10-99999999", 206, &body[10..], format!("bytes 10-{last}/{size}")),
            ("bytes=0-", 200, &body, String::new()),
            ("bytes=0-1,5-6", 200, &body, String::new()),
            ("bytes=9-1", 200, &body, String::new()),
            ("lines=0-1", 200, &body, String::new()),
        ];
        for (range, status, part, told) in table {
            let got = world.ask("GET", &path, &[("range", range)]).await;
            assert_eq!(
                (got.status.as_u16(), got.header("content-range")),
                (status, told.as_str()),
                "{range}"
            );
            assert_eq!(got.body(), part, "{range}");
            assert_eq!(got.header("content-length"), part.len().to_string(), "{range}");
        }
        let beyond = world.ask("GET", &path, &[("range", "bytes=9999999-")]).await;
        assert_eq!(
            (beyond.status.as_u16(), beyond.header("content-range")),
            (416, format!("bytes */{size}").as_str())
        );
        let range = ("range", "bytes=0-1");
        assert_eq!(world.ask("GET", &path, &[range, ("if-range", "\"a\"")]).await.status, 206);
        assert_eq!(world.ask("GET", &path, &[range, ("if-range", "\"b\"")]).await.status, 200);
        let same = world.ask("GET", &path, &[("if-none-match", "\"x\", \"a\"")]).await;
        assert_eq!((same.status.as_u16(), same.body(), same.header("etag")), (304, &b""[..], "\"a\""));
        assert_eq!(same.header("content-length"), "");
        let head = world.ask("HEAD", &path, &[]).await;
        assert_eq!(
            (head.status.as_u16(), head.body(), head.header("content-length")),
            (200, &b""[..], size.to_string().as_str())
        );
        let head = world.ask("HEAD", &path, &[range]).await;
        assert_eq!((head.status.as_u16(), head.header("content-length")), (206, "2"));
    }
    assert_eq!(world.upstream.count(), 2, "upstreams are asked for the whole, once");
}

#[tokio::test]
async fn a_part_waits_for_its_bytes_while_the_body_arrives() {
    let world = World::start().await;
    let body = bytes(300_000);
    let sent = body.clone();
    world.upstream.does(move |request| {
        assert!(!request.headers().contains_key("range"));
        let sent = sent.clone();
        async move {
            let pieces = futures::stream::iter(0..30).then(move |n| {
                let piece = sent.slice(n * 10_000..(n + 1) * 10_000);
                async move {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    Ok::<_, std::io::Error>(piece)
                }
            });
            let mut response = answer(FOREVER, Body::from_stream(pieces));
            response.headers_mut().insert("content-length", "300000".parse().unwrap());
            response
        }
    });
    let path = world.path("v1/1.m4s");
    let early = [("range", "bytes=5-14")];
    let late = [("range", "bytes=-10")];
    let (a, b, whole) = tokio::join!(
        world.ask("GET", &path, &early),
        world.ask("GET", &path, &late),
        world.ask("GET", &path, &[])
    );
    assert_eq!((a.status.as_u16(), a.body()), (206, &body[5..15]));
    assert_eq!((b.status.as_u16(), b.body()), (206, &body[299_990..]));
    assert_eq!((whole.status.as_u16(), whole.body()), (200, &body[..]));
    assert_eq!(world.upstream.count(), 1);
}
