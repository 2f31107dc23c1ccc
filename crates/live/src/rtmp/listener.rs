//! Accepts publishers, within TLS or not, and lets them go when the process stops.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::connection::{Host, Peer};
use crate::{Config, Door, Protocol, Slots, config::milliseconds, measure};

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
    measure::connected(Protocol::Rtmp);
    let _count = Connected;
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

/// How many connections each address has.
#[derive(Debug, Clone, Default)]
struct Crowd(Arc<Mutex<HashMap<IpAddr, u32>>>);

/// One of the crowd, until it is dropped.
struct Member(Crowd, IpAddr);

impl Crowd {
    /// `None` when there are as many as there may be; 0: any number.
    fn join(&self, address: SocketAddr, most: u32) -> Option<Member> {
        let address = match address.ip().to_canonical() {
            // Who has one address of a /64 has them all.
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address => address,
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(address).or_default();
        if most > 0 && *count >= most {
            return None;
        }
        *count += 1;
        Some(Member(self.clone(), address))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = all.entry(self.1) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

/// Counts itself out.
struct Connected;

impl Drop for Connected {
    fn drop(&mut self) {
        measure::disconnected(Protocol::Rtmp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_counted_by_address() {
        let crowd = Crowd::default();
        let join = |address: &str| crowd.join(address.parse().unwrap(), 2);
        let (one, two) = (join("10.0.0.1:1"), join("10.0.0.1:2"));
        assert!(one.is_some() && two.is_some() && join("10.0.0.1:3").is_none());
        let (six, seven) = (join("[2001:db8::1]:1"), join("[2001:db8::2]:1"));
        assert!(six.is_some() && seven.is_some() && join("[2001:db8::3]:1").is_none());
        assert!(join("[2001:db8:0:1::1]:1").is_some(), "another network");
        drop((one, six, seven));
        assert!(join("10.0.0.1:3").is_some());
        drop(two);
        assert!(crowd.0.lock().unwrap().is_empty());
        assert!((0..9).all(|_| crowd.join("10.0.0.1:1".parse().unwrap(), 0).is_some()));
    }
}
