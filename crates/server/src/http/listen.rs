//! The listeners: HTTP/1.1 and 2, in the clear or over TLS, with limits on headers and slowness, and a graceful end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use api::address::Encrypted;
use axum::{Router, body::Body, extract::ConnectInfo};
use bytes::BytesMut;
use edge::{LINGER, Lanes, Rewound, Visitors};
use hyper::{
    Request, Version,
    body::Incoming,
    header::{self, HeaderValue},
};
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
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

/// A request's head must have arrived within this time.
const HEAD_PATIENCE: Duration = Duration::from_secs(20);
/// What HTTP/2 connections begin with (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Largest head of a request; a larger one is answered with 431.
pub const MAX_HEAD_BYTES: usize = 64 * 1024;
/// A TLS handshake must be over within this time.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Longest time in which a client over TLS takes nothing of an answer.
const STALL: Duration = Duration::from_secs(20);

/// How a connection begins.
#[derive(Clone)]
pub enum Speech {
    /// In the clear. With the lanes of an edge, plain requests for media do not come so far.
    Plain(Option<Arc<Lanes>>),
    /// Over TLS; with the port at which HTTP/3 is spoken as well.
    Tls { acceptor: TlsAcceptor, http3: Option<u16> },
}

/// What is known of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Arrived {
    pub peer: SocketAddr,
    pub encrypted: bool,
}

impl Arrived {
    /// Puts it into a request. Whom the request is for is in `Host` afterwards, whichever HTTP it came by.
    pub fn note(self, mut request: Request<Body>) -> Request<Body> {
        request.extensions_mut().insert(ConnectInfo(self.peer));
        if self.encrypted {
            request.extensions_mut().insert(Encrypted);
        }
        let named = request.uri().authority().and_then(|name| HeaderValue::try_from(name.as_str()).ok());
        if let Some(name) = named.filter(|_| !request.headers().contains_key(header::HOST)) {
            request.headers_mut().insert(header::HOST, name);
        }
        request
    }
}

/// Serves `router` until `stop`; then lets requests finish for as long as `grace`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    speech: Speech,
    visitors: Option<Visitors>,
    stop: CancellationToken,
    grace: Duration,
) {
    let graceful = GracefulShutdown::new();
    let connections = TaskTracker::new();
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
        let (speech, watcher) = (speech.clone(), graceful.watcher());
        let served = Served { router: router.clone(), stop: stop.clone() };
        connections.spawn(async move {
            let _visit = visit;
            begin(stream, peer, speech, served, watcher).await;
        });
    }
    drop(listener);
    connections.close();
    // Requests that are on their way are answered, and told that they were the last.
    let _ = tokio::time::timeout(LINGER.min(grace), connections.wait()).await;
    let ended = async { tokio::join!(graceful.shutdown(), connections.wait()) };
    if tokio::time::timeout(grace, ended).await.is_err() {
        tracing::warn!("some requests did not finish in time and were cut off");
    }
}

/// What a connection is served with.
struct Served {
    router: Router,
    stop: CancellationToken,
}

async fn begin(stream: TcpStream, peer: SocketAddr, speech: Speech, served: Served, watcher: Watcher) {
    let plain = Arrived { peer, encrypted: false };
    match speech {
        Speech::Plain(Some(lanes)) => {
            if let Some(rewound) = lanes.serve(stream).await {
                connection(rewound, plain, None, served, watcher).await;
            }
        }
        Speech::Plain(None) => {
            if speaks(&stream, HEAD_PATIENCE).await {
                connection(stream, plain, None, served, watcher).await;
            }
        }
        Speech::Tls { acceptor, http3 } => {
            let watched = Rewound::new(BytesMut::new(), stream, STALL);
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(watched)).await {
                Ok(Ok(stream)) => {
                    let arrived = Arrived { peer, encrypted: true };
                    connection(stream, arrived, http3, served, watcher).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
        }
    }
}

/// All of HTTP/1.1 and 2.
async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    arrived: Arrived,
    http3: Option<u16>,
    Served { router, stop }: Served,
    watcher: Watcher,
) {
    // RFC 7838: the same is to be had by HTTP/3.
    let other = http3.and_then(|port| HeaderValue::try_from(format!("h3=\":{port}\"; ma=86400")).ok());
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let (router, other, stop) = (router.clone(), other.clone(), stop.clone());
        async move {
            let is_old = request.version() < Version::HTTP_2;
            let mut response = router.oneshot(arrived.note(request.map(Body::new))).await?;
            if is_old && stop.is_cancelled() {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            if let Some(other) = other {
                response.headers_mut().insert(header::ALT_SVC, other);
            }
            Ok::<_, std::convert::Infallible>(response)
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
