//! HTTP/3 (RFC 9114) over QUIC (RFC 9000).

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use bytes::{Buf, Bytes};
use edge::Visitors;
use futures::{StreamExt, stream};
use h3::server::{RequestResolver, RequestStream};
use hyper::Response;
use quinn::{Endpoint, IdleTimeout, TransportConfig, VarInt, crypto::rustls::QuicServerConfig};
use rustls::ServerConfig;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::listen::{Arrived, MAX_HEAD_BYTES};

/// Requests of one connection that are answered at the same time.
const STREAMS: u32 = 128;
/// A connection on which nothing happens for so long is over, milliseconds.
const IDLE_MS: u32 = 30_000;
/// Longest time in which a client takes nothing of an answer.
const STALL: Duration = Duration::from_secs(20);

type Sending = RequestStream<h3_quinn::SendStream<Bytes>, Bytes>;
type Receiving = RequestStream<h3_quinn::RecvStream, Bytes>;

/// Listens on a port of UDP.
pub fn bind(address: SocketAddr, tls: ServerConfig) -> anyhow::Result<Endpoint> {
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls)?));
    let mut transport = TransportConfig::default();
    transport.max_concurrent_bidi_streams(STREAMS.into());
    transport.max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MS))));
    config.transport_config(Arc::new(transport));
    Ok(Endpoint::server(config, address)?)
}

/// Serves `router` until `stop`; then lets requests finish for as long as `grace`.
pub async fn serve(
    endpoint: Endpoint,
    router: Router,
    visitors: Option<Visitors>,
    stop: CancellationToken,
    grace: Duration,
) {
    let connections = TaskTracker::new();
    loop {
        let incoming = tokio::select! {
            () = stop.cancelled() => break,
            incoming = endpoint.accept() => match incoming {
                Some(incoming) => incoming,
                None => break,
            },
        };
        let visit = match &visitors {
            Some(visitors) => match visitors.admit(incoming.remote_address().ip()) {
                Some(visit) => Some(visit),
                None => {
                    incoming.refuse();
                    continue;
                }
            },
            None => None,
        };
        let (router, stop) = (router.clone(), stop.clone());
        connections.spawn(async move {
            let _visit = visit;
            match incoming.await {
                Ok(connection) => serve_connection(connection, router, stop).await,
                Err(error) => tracing::debug!(%error, "a QUIC handshake failed"),
            }
        });
    }
    connections.close();
    if tokio::time::timeout(grace, connections.wait()).await.is_err() {
        tracing::warn!("some HTTP/3 requests did not finish in time and were cut off");
    }
    endpoint.close(VarInt::from_u32(0x100), b"");
    endpoint.wait_idle().await;
}

async fn serve_connection(connection: quinn::Connection, router: Router, stop: CancellationToken) {
    let arrived = Arrived { peer: connection.remote_address(), encrypted: true };
    let mut builder = h3::server::builder();
    builder.max_field_section_size(MAX_HEAD_BYTES as u64);
    let mut connection = match builder.build(h3_quinn::Connection::new(connection)).await {
        Ok(connection) => connection,
        Err(error) => {
            tracing::debug!(%error, "an HTTP/3 connection could not begin");
            return;
        }
    };
    let requests = TaskTracker::new();
    let mut stopping = false;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                // Those that were begun are answered, further ones are refused (RFC 9114 §5.2).
                if connection.shutdown(0).await.is_err() {
                    break;
                }
                continue;
            }
            accepted = connection.accept() => accepted,
            () = requests.wait(), if stopping && requests.is_closed() => break,
        };
        match accepted {
            Ok(Some(resolver)) => {
                let router = router.clone();
                requests.spawn(async move {
                    if let Err(error) = answer(resolver, router, arrived).await {
                        tracing::debug!(%error, "an HTTP/3 request ended badly");
                    }
                });
            }
            Ok(None) => break,
            Err(error) => {
                tracing::debug!(%error, "an HTTP/3 connection ended");
                break;
            }
        }
        if stopping {
            requests.close();
        }
    }
    requests.close();
    requests.wait().await;
}

async fn answer(
    resolver: RequestResolver<h3_quinn::Connection, Bytes>,
    router: Router,
    arrived: Arrived,
) -> anyhow::Result<()> {
    let (request, stream) = resolver.resolve_request().await?;
    let (sending, receiving) = stream.split();
    let request = arrived.note(request.map(|()| body(receiving)));
    let Ok(response) = router.oneshot(request).await;
    send(sending, response).await
}

/// The body of a request as it comes.
fn body(receiving: Receiving) -> Body {
    let pieces = stream::unfold(Some(receiving), async |receiving| {
        let mut receiving = receiving?;
        match receiving.recv_data().await {
            Ok(Some(mut piece)) => Some((Ok(piece.copy_to_bytes(piece.remaining())), Some(receiving))),
            Ok(None) => None,
            Err(error) => Some((Err(io::Error::other(error)), None)),
        }
    });
    Body::from_stream(pieces)
}

async fn send(mut sending: Sending, response: Response<Body>) -> anyhow::Result<()> {
    let (parts, body) = response.into_parts();
    sending.send_response(Response::from_parts(parts, ())).await?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => tokio::time::timeout(STALL, sending.send_data(piece)).await??,
            Err(error) => {
                // The client must not take what it has for the whole (RFC 9114 §4.1.1).
                sending.stop_stream(h3::error::Code::H3_INTERNAL_ERROR);
                return Err(error.into());
            }
        }
    }
    tokio::time::timeout(STALL, sending.finish()).await??;
    Ok(())
}
