//! Accepts publishers, within TLS or not, and lets them go when the process stops.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::connection::{Host, Peer};
use crate::{
    Config, Door, Protocol, Slots,
    config::milliseconds,
    crowd::{Crowd, Member},
    measure,
};

/// Why nobody can come in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("live.rtmp.listen: {0}: {1}")]
    Address(SocketAddr, io::Error),
    #[error("live.rtmp.listen_tls: a certificate is needed")]
    NoCertificate,
}

/// Listening sockets and their connections. Dropping it cuts all of them off.
#[derive(Debug)]
pub struct Listening {
    /// The addresses that were given, in their order; a port of 0 has been chosen.
    pub plain: Option<SocketAddr>,
    pub encrypted: Option<SocketAddr>,
    stop: CancellationToken,
    accepting: Vec<AbortOnDropHandle<()>>,
}

/// Listens where `config` says. `certificate` is for RTMPS.
pub async fn listen<D: Door>(
    config: Config,
    certificate: Option<Arc<ServerConfig>>,
    door: Arc<D>,
    slots: Slots,
) -> Result<Listening, Error> {
    let stop = CancellationToken::new();
    let room = Arc::new(Semaphore::new(config.rtmp.max_connections));
    let rtmp = config.rtmp.clone();
    let host = Host { config, door, slots, stop: stop.clone() };
    let mut listening = Listening { plain: None, encrypted: None, stop, accepting: Vec::new() };
    let tls = rtmp
        .listen_tls
        .map(|_| certificate.map(TlsAcceptor::from).ok_or(Error::NoCertificate))
        .transpose()?;
    for (address, tls) in [(rtmp.listen, None), (rtmp.listen_tls, tls)] {
        let Some(address) = address else { continue };
        let failed = |error| Error::Address(address, error);
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let bound = Some(socket.local_addr().map_err(failed)?);
        if tls.is_some() {
            listening.encrypted = bound
        } else {
            listening.plain = bound
        }
        let accepting = tokio::spawn(accept(socket, tls, host.clone(), room.clone()));
        listening.accepting.push(AbortOnDropHandle::new(accepting));
    }
    Ok(listening)
}

impl Listening {
    /// Accepts nobody any more, tells all publishers that the server stops, and waits for them within their time.
    pub async fn stop(self) {
        self.stop.cancel();
        for accepting in self.accepting {
            let _ = accepting.await;
        }
    }
}

async fn accept<D: Door>(socket: TcpListener, tls: Option<TlsAcceptor>, host: Host<D>, room: Arc<Semaphore>) {
    let mut connections = JoinSet::new();
    let crowd = Crowd::default();
    let most = host.config.rtmp.max_connections_per_address;
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            Some(_) = connections.join_next() => continue,
            () = host.stop.cancelled() => break,
        };
        match accepted {
            Ok((stream, address)) => {
                match room.clone().try_acquire_owned().ok().zip(crowd.join(address, most)) {
                    Some(place) => {
                        connections.spawn(serve(stream, address, tls.clone(), host.clone(), place));
                    }
                    // Closed at once: encoders try again by themselves.
                    None => measure::turned_away(Protocol::Rtmp),
                }
            }
            Err(error) => {
                // Out of descriptors, mostly: they come back.
                tracing::warn!(%error, "a publisher cannot be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(socket);
    let grace = milliseconds(host.config.rtmp.grace_ms);
    let all = async { while connections.join_next().await.is_some() {} };
    if timeout(grace, all).await.is_err() {
        tracing::warn!("publishers are cut off that did not go in time");
    }
}

async fn serve<D: Door>(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    host: Host<D>,
    _place: (OwnedSemaphorePermit, Member),
) {
    let _count = measure::Connected::new(Protocol::Rtmp);
    let entered = Instant::now();
    let _ = stream.set_nodelay(true);
    let peer = Peer { address, encrypted: tls.is_some() };
    let ended = match tls {
        None => host.serve(stream, peer, entered).await,
        Some(tls) => {
            let deadline = entered + milliseconds(host.config.rtmp.handshake_ms);
            match timeout_at(deadline, tls.accept(stream)).await {
                Ok(Ok(stream)) => host.serve(stream, peer, entered).await,
                Ok(Err(error)) => return tracing::debug!(%error, peer = %address, "TLS failed"),
                Err(_) => return tracing::debug!(peer = %address, "TLS took too long"),
            }
        }
    };
    tracing::debug!(peer = %address, %ended, "an RTMP connection has ended");
}
