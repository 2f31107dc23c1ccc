//! Opens the ports, and lets publishers go when the process stops.

use std::{io, net::SocketAddr, sync::Arc};

use rustix::net::sockopt::set_socket_recv_buffer_size;
use tokio::{net::UdpSocket, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{port::Port, secret::Secret, session::Host};
use crate::{Config, Door, Slots, crowd::Crowd};

/// Bytes that the system keeps of a port while it is not looked at.
const RECEIVE_BUFFER: usize = 8 << 20;

/// Why nobody can come in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("live.srt.listen: {0}: {1}")]
    Address(SocketAddr, io::Error),
    #[error("live.srt.listen: {0}: a passphrase has 10 to 79 bytes, and keys of 128 or 256 bits")]
    Passphrase(SocketAddr),
}

/// Listening ports and their connections. Dropping it cuts all of them off.
#[derive(Debug)]
pub struct Listening {
    /// The addresses that were given, in their order; ports of 0 have been chosen.
    pub addresses: Vec<SocketAddr>,
    stop: CancellationToken,
    ports: Vec<AbortOnDropHandle<()>>,
}

/// Listens where `config` says.
pub async fn listen<D: Door>(config: Config, door: Arc<D>, slots: Slots) -> Result<Listening, Error> {
    let stop = CancellationToken::new();
    let room = Arc::new(Semaphore::new(config.srt.max_connections));
    let crowd = Crowd::default();
    let ports = config.srt.listen.clone();
    let host = Host { config: Arc::new(config), door, slots, stop: stop.clone() };
    let mut listening = Listening { addresses: Vec::new(), stop, ports: Vec::new() };
    for port in ports {
        let secret = match &port.passphrase {
            Some(passphrase) => {
                Some(Secret::new(passphrase.reveal(), port.key_bits).ok_or(Error::Passphrase(port.address))?)
            }
            None => None,
        };
        let failed = |error| Error::Address(port.address, error);
        let socket = UdpSocket::bind(port.address).await.map_err(failed)?;
        // The system may give less; what does not fit is sent again.
        let _ = set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER);
        listening.addresses.push(socket.local_addr().map_err(failed)?);
        let port = Port::new(host.clone(), socket, &port, secret, room.clone(), crowd.clone());
        listening.ports.push(AbortOnDropHandle::new(tokio::spawn(port.run())));
    }
    Ok(listening)
}

impl Listening {
    /// Accepts nobody any more, hangs up on all publishers, and waits for them within their time.
    pub async fn stop(self) {
        self.stop.cancel();
        for port in self.ports {
            let _ = port.await;
        }
    }
}
