//! The fast lane against the other way: the same bytes for whatever is sent, on the same edge.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{body::Body, response::IntoResponse};
use edge::{Clients, Config, Edge, Lanes};
use futures::StreamExt;
use http::StatusCode;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

use crate::world::{World, answer, bytes};

const FOREVER: &[(&str, &str)] = &[
    ("cache-control", "public, max-age=31536000, immutable"),
    ("etag", "\"a\""),
    ("content-type", "video/mp4"),
    ("vary", "Accept-Encoding"),
];

/// With the lane or without it.
async fn listen(edge: &Edge, lane: bool, stop: CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let edge = edge.clone();
    let lanes = Arc::new(Lanes::start(&edge, &stop).unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (edge, lanes) = (edge.clone(), lanes.clone());
            tokio::spawn(async move {
                if !lane {
                    return hyper(&edge, stream).await;
                }
                if let Some(rewound) = lanes.serve(stream).await {
                    hyper(&edge, rewound).await;
                }
            });
        }
    });
    address
}

async fn hyper(edge: &Edge, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_secs(20));
    let _ = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(edge.router())).await;
}

/// How long nothing comes before an answer counts as whole. The longer ones are for a machine that is busy.
const SILENCES: [Duration; 3] = [Duration::from_millis(150), Duration::from_secs(1), Duration::from_secs(6)];

/// Sends these and gives all that comes until the end, or until nothing has come for a while.
async fn exchange(address: SocketAddr, pieces: &[&[u8]], silence: Duration) -> (Vec<u8>, bool) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    for piece in pieces {
        if stream.write_all(piece).await.is_err() {
            break;
        }
        if pieces.len() > 1 {
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    }
    let mut out = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match tokio::time::timeout(silence, stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return (out, true),
            Ok(Ok(read)) => out.extend_from_slice(&buffer[..read]),
            Err(_) => return (out, false),
        }
    }
}

/// Without the hour, which goes on between two requests. Ours do not have it: their clock stands.
fn timeless(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let lines = text.split("\r\n").filter(|line| !line.starts_with("date: ") || line.contains("15 Jun 2025"));
    lines.collect::<Vec<_>>().join("\r\n").into_bytes()
}

struct Both {
    world: World,
    quick: SocketAddr,
    usual: SocketAddr,
}

impl Both {
    async fn start() -> Self {
        let world = World::start().await;
        let quick = listen(&world.edge, true, CancellationToken::new()).await;
        let usual = listen(&world.edge, false, CancellationToken::new()).await;
        Self { world, quick, usual }
    }

    async fn same(&self, pieces: &[&[u8]]) -> Vec<u8> {
        for silence in SILENCES {
            let (quick, usual) =
                (exchange(self.quick, pieces, silence), exchange(self.usual, pieces, silence));
            let (ours, theirs) = tokio::join!(quick, usual);
            if Self::is_same(&ours, &theirs) || silence == SILENCES[2] {
                return Self::compare(pieces, ours, theirs);
            }
        }
        unreachable!("the last is compared")
    }

    /// For what is not held: at the same time, one would join the other.
    async fn same_in_turn(&self, pieces: &[&[u8]]) -> Vec<u8> {
        let silence = SILENCES[1];
        let ours = exchange(self.quick, pieces, silence).await;
        Self::compare(pieces, ours, exchange(self.usual, pieces, silence).await)
    }

    fn is_same(ours: &(Vec<u8>, bool), theirs: &(Vec<u8>, bool)) -> bool {
        timeless(&ours.0) == timeless(&theirs.0) && ours.1 == theirs.1
    }

    fn compare(pieces: &[&[u8]], ours: (Vec<u8>, bool), theirs: (Vec<u8>, bool)) -> Vec<u8> {
        let shown = String::from_utf8_lossy(&pieces.concat()).into_owned();
        let (a, b) = (timeless(&ours.0), timeless(&theirs.0));
        if a != b {
            let short = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(1500)]).into_owned();
            panic!("{shown:?}\nthe lane:\n{}\nthe usual way:\n{}", short(&a), short(&b));
        }
        assert_eq!(ours.1, theirs.1, "{shown:?}: is the connection kept?");
        ours.0
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_answers_byte_for_byte() {
    let both = Both::start().await;
    let world = &both.world;
    world.upstream.does(|request| async move {
        let path = request.uri().path();
        match path.rsplit('/').next().unwrap() {
            "small.m3u8" => answer(FOREVER, bytes(20_000)),
            "large.m4s" => answer(FOREVER, bytes(1_500_000)),
            "none.m4s" => answer(FOREVER, ""),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    });
    let token = world.token();
    for rest in ["v/small.m3u8", "v/large.m4s", "v/none.m4s", "v/missing.m4s"] {
        let path = format!("/media/{token}/{}/{rest}", world.id);
        for (method, fields) in [
            ("GET", ""),
            ("HEAD", ""),
            ("GET", "Accept-Encoding: gzip, br\r\n"),
            ("GET", "Range: bytes=100-299\r\n"),
            ("HEAD", "Range: bytes=100-299\r\n"),
            ("GET", "Range: bytes=9999999-\r\n"),
            ("GET", "If-None-Match: \"a\"\r\n"),
            ("HEAD", "If-None-Match: \"a\"\r\n"),
            ("GET", "Range: bytes=0-1,3-4\r\n"),
            ("GET", "Connection: keep-alive\r\n"),
            ("GET", "Connection: close\r\n"),
            ("OPTIONS", "Origin: x\r\n"),
            ("POST", "Content-Length: 2\r\n"),
            ("DELETE", ""),
        ] {
            // What is asked for first is a miss on one side and not on the other.
            let warm = world.ask("GET", &path, &[]).await;
            world.ask("GET", &path, &[("accept-encoding", "gzip")]).await;
            assert!(warm.status == 200 || warm.status == 404);
            let request = format!("{method} {path}?CMCD=x%3D1 HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
            both.same(&[request.as_bytes()]).await;
        }
    }
    for path in [
        "/media/".to_owned(),
        "/media/x".into(),
        "/".into(),
        "/media/..".into(),
        format!("/media/bad/{}/v/small.m3u8", world.id),
        format!("/media/{token}/{}/v/%73mall.m3u8", world.id),
        format!("/media/{token}/{}/v/small.m3u8?_HLS_msn=x%20y", world.id),
    ] {
        both.same(&[format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn misses_that_grow_are_the_same() {
    let both = Both::start().await;
    both.world.upstream.does(|request| async move {
        let known = request.uri().path().ends_with("known.m4s");
        let pieces = futures::stream::iter(0..10).then(|n| async move {
            tokio::time::sleep(Duration::from_millis(3)).await;
            Ok::<_, std::io::Error>(bytes(20_000).slice(n * 2_000..(n + 1) * 2_000))
        });
        let mut response = answer(&[("cache-control", "no-store")], Body::from_stream(pieces));
        if known {
            response.headers_mut().insert("content-length", "20000".parse().unwrap());
        }
        response
    });
    for rest in ["v/known.m4s", "v/unknown.m4s"] {
        for method in ["GET", "HEAD"] {
            let request = format!("{method} {} HTTP/1.1\r\nHost: a\r\n\r\n", both.world.path(rest));
            let said = both.same_in_turn(&[request.as_bytes()]).await;
            assert_eq!(said.len() > 20_000, method == "GET");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_breaks_ends_the_connection() {
    let both = Both::start().await;
    both.world.upstream.does(|_| async {
        let good = futures::stream::iter([Ok(bytes(1000))]);
        let slow = good.chain(futures::stream::once(async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Err(std::io::Error::other("gone"))
        }));
        answer(FOREVER, Body::from_stream(slow))
    });
    let request = format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", both.world.path("v/1.m4s"));
    let (said, ended) = exchange(both.quick, &[request.as_bytes(), request.as_bytes()], SILENCES[2]).await;
    assert!(ended && !said.ends_with(b"0\r\n\r\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn smuggled_and_malformed_requests_are_treated_as_ever() {
    let both = Both::start().await;
    both.world.upstream.says(FOREVER, "hello");
    let path = both.world.path("v/1.m3u8");
    both.world.ask("GET", &path, &[]).await;
    let line = format!("GET {path} HTTP/1.1\r\nHost: a\r\n");
    let next = format!("{line}\r\n");
    let with = |fields: &str, rest: &str| format!("{line}{fields}\r\n{rest}");
    let table = [
        // Two requests in one: both are answered, in order.
        format!("{next}{next}{next}"),
        with("Content-Length: 0\r\n", &next),
        with("Content-Length: 5\r\n", &format!("GET x{next}")),
        with(&format!("Content-Length: {}\r\n", next.len()), &next),
        with("Transfer-Encoding: chunked\r\n", &format!("0\r\n\r\n{next}")),
        with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", &format!("0\r\n\r\n{next}")),
        with(
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            &format!("5\r\nhello\r\n0\r\n\r\n{next}"),
        ),
        with("Transfer-Encoding: identity\r\n", &next),
        with("Transfer-Encoding: chunked, identity\r\n", &next),
        with("Transfer-Encoding: xchunked\r\n", &format!("0\r\n\r\n{next}")),
        with("Transfer-Encoding : chunked\r\n", &format!("0\r\n\r\n{next}")),
        with("Transfer-Encoding:\tchunked\r\n", &format!("0\r\n\r\n{next}")),
        with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", &format!("0\r\n\r\n{next}")),
        with("Content-Length: 0\r\nContent-Length: 0\r\n", &next),
        with("Content-Length: 0\r\nContent-Length: 5\r\n", &next),
        with("Content-Length: 5, 5\r\n", &next),
        with("Content-Length: +0\r\n", &next),
        with("Content-Length: -1\r\n", &next),
        with("Content-Length: 0x0\r\n", &next),
        with("Content-Length: 99999999999999999999\r\n", &next),
        with("X: a\r\n folded: b\r\n", &next),
        with("X: a\r\n\tContent-Length: 5\r\n", &next),
        with(" X: a\r\n", &next),
        with("X : a\r\n", &next),
        with(": a\r\n", &next),
        with("X\r\n", &next),
        with("X: a\0b\r\n", &next),
        with("X: a\rb\r\n", &next),
        with("X: a\nY: b\r\n", &next),
        with("X: a\n\nGET / HTTP/1.1\r\n", &next),
        with("X: \u{fc}\r\n", &next),
        with("Range: bytes=0-1\r\nRange: bytes=1-2\r\n", &next),
        with("Host: b\r\n", &next),
        with("Connection: keep-alive, close\r\n", &next),
        with("Connection: close\r\nConnection: keep-alive\r\n", &next),
        with("Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n", &next),
        with("Expect: 100-continue\r\n", &next),
        next.replace("\r\n", "\n"),
        next.replacen("\r\n", "\n", 1),
        next.replace("HTTP/1.1", "HTTP/1.0"),
        next.replace("HTTP/1.1", "HTTP/1.2"),
        next.replace("HTTP/1.1", "HTTP/2.0"),
        next.replace("HTTP/1.1", "http/1.1"),
        next.replace(" HTTP/1.1", ""),
        next.replace("GET ", "GET  "),
        next.replace("GET ", "GET\t"),
        next.replace("GET ", "get "),
        next.replace("GET ", " GET "),
        next.replace("GET ", "GET http://a"),
        next.replace("GET ", "GET //a"),
        format!("\r\n{next}"),
        format!("\n\n{next}"),
        format!("\0{next}"),
        next.replace("/v/", "/v/\u{1}"),
        next.replace("/v/", "/v/ "),
        next.replace("/v/", "/v/../v/"),
        next.replace("/v/", "/v\\"),
        next.replace(" HTTP", "?a=\"<> HTTP"),
        next.replace(" HTTP", "#x HTTP"),
        "PRI * HTTP/2.0\r\n\r\n".into(),
        "GET / HTTP/1.1\r\n\r\n".into(),
        format!("GET /media/{} HTTP/1.1\r\n\r\n", "a".repeat(9000)),
        format!("{line}{}\r\n", "X: y\r\n".repeat(60)),
        format!("{line}{}\r\n", "X: y\r\n".repeat(200)),
        format!("{line}X: {}\r\n\r\n{next}", "y".repeat(20_000)),
    ];
    let both = &both;
    let checks = table.iter().map(|request| async move {
        both.same(&[request.as_bytes()]).await;
        // The same in two pieces.
        let middle = request.len() / 2;
        both.same(&[&request.as_bytes()[..middle], &request.as_bytes()[middle..]]).await;
    });
    futures::stream::iter(checks).buffer_unordered(16).collect::<Vec<_>>().await;
}

#[tokio::test]
async fn slow_heads_and_slow_readers_are_cut_off() {
    let clients = Clients { head_ms: 300, stall_ms: 300, ..Clients::default() };
    let world = World::with(Config { clients, ..Config::default() }).await;
    world.upstream.says(FOREVER, bytes(30_000_000));
    let address = listen(&world.edge, true, CancellationToken::new()).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut dripping = TcpStream::connect(address).await.unwrap();
    let began = std::time::Instant::now();
    let drip = async {
        let request = format!("GET {} HTTP/1.1\r\n", world.path("v/1.m4s"));
        for byte in request.bytes() {
            if dripping.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let mut nothing = [0];
    let (_, silence) = tokio::join!(drip, silent.read(&mut nothing));
    assert!(matches!(silence, Ok(0)));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    for _ in 0..2 {
        // Once as it arrives, once from the file.
        let mut greedy = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {} HTTP/1.1\r\n\r\n", world.path("v/1.m4s"));
        greedy.write_all(request.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let mut all = Vec::new();
        let _ = greedy.read_to_end(&mut all).await;
        assert!(all.len() < 30_000_000, "{}", all.len());
    }
}

#[tokio::test]
async fn idle_connections_end_when_the_edge_does() {
    let world = World::start().await;
    world.upstream.says(FOREVER, bytes(1000));
    let stop = CancellationToken::new();
    let address = listen(&world.edge, true, stop.clone()).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(format!("GET {} HTTP/1.1\r\n\r\n", world.path("v/1.m4s")).as_bytes()).await.unwrap();
    let mut buffer = vec![0; 4096];
    assert!(idle.read(&mut buffer).await.unwrap() > 0);
    stop.cancel();
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(5), idle.read_to_end(&mut rest)).await.unwrap().unwrap();
}
