//! An SRT caller that does what it is told.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use sapflow_srt::{
    Caller, CallerCloseReason, CallerConfig, CallerEvent,
    crypto::{CryptoConfig, KeySize},
};
use tokio::{
    net::UdpSocket,
    sync::{mpsc, oneshot},
    time::{sleep, timeout},
};

use crate::house::SOON;

enum Order {
    Send(Vec<u8>),
    /// Ends the connection once all has been acknowledged.
    Finish,
}

pub struct SrtClient {
    orders: mpsc::UnboundedSender<Order>,
    closed: oneshot::Receiver<CallerCloseReason>,
}

impl SrtClient {
    /// Connects; why it was not let in, otherwise.
    pub async fn knock(
        to: SocketAddr,
        stream_id: &str,
        passphrase: Option<&str>,
    ) -> Result<Self, CallerCloseReason> {
        let crypto = passphrase.map(|text| CryptoConfig::new(text.into(), KeySize::Aes128).unwrap());
        let config = CallerConfig {
            stream_id: stream_id.into(),
            latency: Duration::from_millis(20),
            connect_timeout: Duration::from_secs(20),
            max_handshake_packets: 200,
            crypto,
            ..CallerConfig::default()
        };
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let caller = Caller::new(config, to, Instant::now()).unwrap();
        let (orders, ordered) = mpsc::unbounded_channel();
        let (close, closed) = oneshot::channel();
        let (open, opened) = oneshot::channel();
        tokio::spawn(run(caller, socket, ordered, open, close));
        let client = Self { orders, closed };
        match timeout(SOON, opened).await.unwrap() {
            Ok(()) => Ok(client),
            Err(_) => Err(client.closed.await.unwrap()),
        }
    }

    pub fn send(&self, bytes: &[u8]) {
        for payload in bytes.chunks(1316) {
            self.orders.send(Order::Send(payload.to_vec())).unwrap();
        }
    }

    pub fn finish(&self) {
        self.orders.send(Order::Finish).unwrap();
    }

    /// How it ended.
    pub async fn closed(self) -> CallerCloseReason {
        timeout(SOON, self.closed).await.unwrap().unwrap()
    }
}

async fn run(
    mut caller: Caller,
    socket: UdpSocket,
    mut ordered: mpsc::UnboundedReceiver<Order>,
    open: oneshot::Sender<()>,
    close: oneshot::Sender<CallerCloseReason>,
) {
    let (mut open, mut finishing, mut bytes) = (Some(open), false, [0; 2048]);
    loop {
        caller.handle_timeout(Instant::now());
        while let Some(event) = caller.poll_event() {
            match event {
                CallerEvent::Connected { .. } => drop(open.take().map(|open| open.send(()))),
                CallerEvent::Closed { reason } => {
                    drop(open);
                    let _ = close.send(reason);
                    return;
                }
            }
        }
        while let Some((to, bytes)) = caller.poll_transmit(Instant::now()) {
            socket.send_to(&bytes, to).await.unwrap();
        }
        if finishing && caller.stats().send.buffered_packets == 0 {
            caller.stop(Instant::now());
            while let Some((to, bytes)) = caller.poll_transmit(Instant::now()) {
                socket.send_to(&bytes, to).await.unwrap();
            }
            continue;
        }
        let room = caller.is_connected() && !finishing && caller.stats().send.buffered_packets < 64;
        tokio::select! {
            received = socket.recv_from(&mut bytes) => {
                let (size, peer) = received.unwrap();
                caller.handle_datagram(Instant::now(), peer, &bytes[..size]);
            }
            order = ordered.recv(), if room => match order {
                Some(Order::Send(payload)) => caller.enqueue(Instant::now(), payload).unwrap(),
                Some(Order::Finish) => finishing = true,
                // Dropped: gone without a word.
                None => return,
            },
            () = sleep(Duration::from_millis(2)) => {}
        }
    }
}
