//! The listener: HTTP/1.1 and cleartext HTTP/2 with limits on headers and slowness, and a graceful end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use edge::Lanes;
use hyper::{Request, body::Incoming};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Service, ServiceExt};

/// A request's head must have arrived within this time.
const HEAD_PATIENCE: Duration = Duration::from_secs(20);
/// What HTTP/2 connections begin with (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Largest head of a request; a larger one is answered with 431.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// Serves `router` until `stop`; then lets requests finish for as long as `grace`. With the lanes of an edge, plain requests for media do
/// not come so far.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    lanes: Option<Lanes>,
    stop: CancellationToken,
    grace: Duration,
) {
    let graceful = GracefulShutdown::new();
    let connections = TaskTracker::new();
    let visitors = lanes.as_ref().map(Lanes::visitors);
    let lanes = lanes.map(Arc::new);
    loop {
        let (stream, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Mostly too many open files: others must finish first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let visit = match &visitors {
            Some(visitors) => match visitors.admit(peer.ip()) {
                Some(visit) => Some(visit),
                None => continue,
            },
            None => None,
        };
        let _ = stream.set_nodelay(true);
        let (router, lanes, watcher) = (router.clone(), lanes.clone(), graceful.watcher());
        connections.spawn(async move {
            let _visit = visit;
            match lanes {
                Some(lanes) => {
                    if let Some(rewound) = lanes.serve(stream).await {
                        connection(rewound, peer, router, watcher).await;
                    }
                }
                None if speaks(&stream, HEAD_PATIENCE).await => {
                    connection(stream, peer, router, watcher).await;
                }
                None => {}
            }
        });
    }
    drop(listener);
    connections.close();
    let ended = async { tokio::join!(graceful.shutdown(), connections.wait()) };
    if tokio::time::timeout(grace, ended).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

/// All of HTTP/1.1 and 2.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    watcher: Watcher,
) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let mut router = router.clone();
        async move {
            let router = ServiceExt::<Request<axum::body::Body>>::ready(&mut router).await?;
            router.call(request).await
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .max_concurrent_streams(128)
        .keep_alive_interval(Duration::from_secs(30));
    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended badly");
    }
}

/// Waits until it can be told which HTTP this is; `false` when the client does not say so in time. The builder's own
/// patience begins only after that, so that silent connections would stay for ever.
async fn speaks(stream: &TcpStream, patience: Duration) -> bool {
    let telling = async {
        let mut seen = [0; PREFACE.len()];
        loop {
            let length = stream.peek(&mut seen).await.ok().filter(|length| *length > 0)?;
            if length == PREFACE.len() || !PREFACE.starts_with(&seen[..length]) {
                return Some(());
            }
            // A part of the preface is there, and stays readable: wait for the rest without spinning.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    matches!(tokio::time::timeout(patience, telling).await, Ok(Some(())))
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn heard(said: &[u8], patience: Duration) -> bool {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        client.write_all(said).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        speaks(&stream, patience).await
    }

    #[tokio::test]
    async fn only_connections_that_speak_are_served() {
        let (short, long) = (Duration::from_millis(60), Duration::from_secs(20));
        assert!(!heard(b"", short).await);
        assert!(!heard(b"PRI * HTTP/2.0\r\n", short).await);
        assert!(heard(b"G", long).await);
        assert!(heard(b"PUT /", long).await);
        assert!(heard(PREFACE, long).await);
    }
}
