//! One UDP port: datagrams to the protocol and from it, callers to sessions.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use sapflow_srt::{CloseReason, ConnId, Event, Listener, RejectCode};
use tokio::{
    net::UdpSocket,
    sync::{Semaphore, mpsc, oneshot},
    task::JoinSet,
    time::{sleep_until, timeout},
};

use super::{
    secret::{self, Secret},
    session::{self, Caller, Host},
    stream_id::{self, Wrong},
};
use crate::{Door, Key, Knock, Protocol, SrtPort, config::milliseconds, crowd::Crowd, measure};

/// Datagrams that are taken before anything else is looked at.
const BATCH: usize = 64;
/// Larger datagrams are none of SRT's.
const LARGEST: usize = 2048;
/// Timers are looked at so often: those of the protocol have 10 ms and more.
const TICK: Duration = Duration::from_millis(4);

/// What the access control guidelines of SRT have numbers for; encoders show them.
pub mod reject {
    use sapflow_srt::RejectCode;

    pub const BAD_REQUEST: RejectCode = RejectCode::http(400);
    pub const UNAUTHORIZED: RejectCode = RejectCode::http(401);
    pub const OVERLOAD: RejectCode = RejectCode::http(402);
    pub const BAD_MODE: RejectCode = RejectCode::http(405);
    pub const CONFLICT: RejectCode = RejectCode::http(409);
    pub const LOCKED: RejectCode = RejectCode::http(423);
    pub const DOWN: RejectCode = RejectCode::http(503);
}

/// What sessions ask of their port.
pub enum Request {
    /// Tells whether it is in: the caller may have gone meanwhile.
    Accept(ConnId, oneshot::Sender<bool>),
    Reject(ConnId, RejectCode),
    Close(ConnId),
}

/// The port's side of a session.
struct Line {
    /// For who knows the passphrase.
    crypto: Option<sapflow_srt::crypto::CryptoConfig>,
    payloads: mpsc::Sender<Vec<u8>>,
    over: oneshot::Sender<CloseReason>,
}

pub struct Port<D> {
    host: Host<D>,
    socket: UdpSocket,
    protocol: Listener,
    secret: Option<Secret>,
    room: Arc<Semaphore>,
    crowd: Crowd,
    lines: HashMap<ConnId, Line>,
    sessions: JoinSet<()>,
    asks: mpsc::UnboundedSender<Request>,
    asked: mpsc::UnboundedReceiver<Request>,
    /// When timers are looked at next.
    tick: Instant,
}

impl<D: Door> Port<D> {
    pub fn new(
        host: Host<D>,
        socket: UdpSocket,
        port: &SrtPort,
        secret: Option<Secret>,
        room: Arc<Semaphore>,
        crowd: Crowd,
    ) -> Self {
        let srt = &host.config.srt;
        let config = sapflow_srt::Config {
            latency: milliseconds(port.latency_ms),
            // Who comes in is counted by us, over all ports; one that is turned away must be counted here for a moment.
            max_connections: srt.max_connections.saturating_add(BATCH),
            handshakes_per_second: srt.handshakes_per_second,
            buffer_packets: srt.max_buffer_packets as usize,
            peer_idle: milliseconds(srt.lost_ms),
            accept_timeout: milliseconds(srt.handshake_ms),
            crypto: secret.as_ref().and_then(Secret::usual),
            require_encryption: secret.is_some(),
            allow_plaintext: false,
        };
        let tick = Instant::now();
        let protocol = Listener::new(config, tick);
        let (asks, asked) = mpsc::unbounded_channel();
        let (lines, sessions) = (HashMap::new(), JoinSet::new());
        Self { host, socket, protocol, secret, room, crowd, lines, sessions, asks, asked, tick }
    }

    /// Serves the port until the process stops and all sessions have gone.
    pub async fn run(mut self) {
        let stop = self.host.stop.clone();
        tokio::select! {
            () = self.serve() => {}
            () = stop.cancelled() => {}
        }
        let grace = milliseconds(self.host.config.srt.grace_ms);
        let leaving = async {
            while !self.sessions.is_empty() {
                self.step().await;
            }
        };
        if timeout(grace, leaving).await.is_err() {
            tracing::warn!("publishers are cut off that did not go in time");
        }
        self.settle().await;
    }

    async fn serve(&mut self) {
        loop {
            self.step().await;
        }
    }

    /// Waits for one thing, and does all that follows from it.
    async fn step(&mut self) {
        let idle = self.protocol.connections() == 0;
        let mut datagram = [0; LARGEST];
        tokio::select! {
            biased;
            Some(request) = self.asked.recv() => self.request(request),
            received = self.socket.recv_from(&mut datagram) => match received {
                Ok((size, peer)) => self.datagrams(&mut datagram, size, peer),
                // Of an answer that nobody took (ICMP), mostly.
                Err(error) => tracing::debug!(%error, "SRT: a datagram cannot be received"),
            },
            () = sleep_until(self.tick.into()), if !idle => {}
            Some(_) = self.sessions.join_next() => {}
        }
        while self.sessions.try_join_next().is_some() {}
        let now = Instant::now();
        if now >= self.tick {
            self.tick = now + TICK;
            self.protocol.handle_timeout(now);
        }
        self.settle().await;
    }

    fn datagrams(&mut self, datagram: &mut [u8], mut size: usize, mut peer: SocketAddr) {
        for _ in 0..BATCH {
            self.datagram(&datagram[..size], peer);
            match self.socket.try_recv_from(datagram) {
                Ok(next) => (size, peer) = next,
                Err(_) => break,
            }
        }
    }

    fn datagram(&mut self, datagram: &[u8], peer: SocketAddr) {
        self.protocol.handle_datagram(Instant::now(), peer, datagram);
        while let Some(event) = self.protocol.poll_event() {
            let material = || secret::material(datagram);
            self.event(event, material);
        }
    }

    /// Tells all that has happened, and sends all that is to be sent.
    async fn settle(&mut self) {
        while let Some(event) = self.protocol.poll_event() {
            self.event(event, || None);
        }
        while let Some((to, bytes)) = self.protocol.poll_transmit() {
            // What cannot be sent is lost, as it may be on the way.
            let _ = self.socket.send_to(&bytes, to).await;
        }
    }

    /// `material` is that of the datagram which this follows from.
    fn event(&mut self, event: Event, material: impl FnOnce() -> Option<Vec<u8>>) {
        match event {
            Event::Connect { id, peer, stream_id } => {
                if let Err(code) = self.connect(id, peer, &stream_id, material) {
                    self.protocol.reject(id, code);
                }
            }
            Event::Data { id, payload } => {
                if let Some(line) = self.lines.get(&id)
                    && line.payloads.try_send(payload).is_err()
                {
                    // The session has gone, or is too slow: its demuxer sees the gap.
                    tracing::debug!("SRT: a payload is dropped");
                }
            }
            Event::Closed { id, reason, stats } => {
                measure::packets(stats.lost, stats.retransmitted, stats.dropped);
                // Why it is over is told before the end of the payloads is.
                if let Some(Line { over, payloads, .. }) = self.lines.remove(&id) {
                    let _ = over.send(reason.unwrap_or(CloseReason::Timeout));
                    drop(payloads);
                }
            }
        }
    }

    /// Somebody asks to come in: nothing of its media is taken until its session has said so.
    fn connect(
        &mut self,
        id: ConnId,
        peer: SocketAddr,
        stream_id: &[u8],
        material: impl FnOnce() -> Option<Vec<u8>>,
    ) -> Result<(), RejectCode> {
        if self.host.stop.is_cancelled() {
            return Err(RejectCode::CLOSE);
        }
        let most = self.host.config.srt.max_connections_per_address;
        let Some(place) = self.room.clone().try_acquire_owned().ok().zip(self.crowd.join(peer, most)) else {
            measure::turned_away(Protocol::Srt);
            return Err(reject::OVERLOAD);
        };
        let crypto = match &self.secret {
            Some(secret) => {
                Some(material().and_then(|material| secret.admit(&material)).ok_or(RejectCode::BADSECRET)?)
            }
            None => None,
        };
        let key = stream_id::key(stream_id).map_err(|wrong| match wrong {
            Wrong::Syntax => reject::BAD_REQUEST,
            Wrong::Mode => reject::BAD_MODE,
        })?;
        let knock = Knock {
            protocol: Protocol::Srt,
            app: String::new(),
            key: Key::new(key),
            peer,
            encrypted: crypto.is_some(),
        };
        let (payloads, came) = mpsc::channel(self.host.config.srt.max_buffer_packets.max(64) as usize);
        let (over, ends) = oneshot::channel();
        self.lines.insert(id, Line { crypto, payloads, over });
        let caller = Caller { id, knock, came, ends, asks: self.asks.clone() };
        let host = self.host.clone();
        self.sessions.spawn(async move {
            let _place = place;
            session::serve(&host, caller).await;
        });
        Ok(())
    }

    fn request(&mut self, request: Request) {
        let now = Instant::now();
        match request {
            Request::Accept(id, answer) => {
                let crypto = self.lines.get(&id).and_then(|line| line.crypto.clone());
                let _ = answer.send(self.protocol.accept_with_crypto(id, now, crypto));
            }
            Request::Reject(id, code) => {
                self.protocol.reject(id, code);
                self.lines.remove(&id);
            }
            Request::Close(id) => {
                let stats = self.protocol.connection_stats(id);
                if let Some(stats) = stats {
                    measure::packets(stats.lost, stats.retransmitted, stats.dropped);
                }
                self.protocol.close(id, now);
                self.lines.remove(&id);
            }
        }
    }
}
