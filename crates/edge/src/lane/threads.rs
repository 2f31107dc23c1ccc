//! The lane's own threads: each runs its connections alone, so that serving a hit wakes no other thread and waits for no lock
//! of a scheduler.

use std::{
    io,
    num::NonZero,
    sync::atomic::{AtomicUsize, Ordering},
};

use bytes::BytesMut;
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot},
};
use tokio_util::sync::CancellationToken;

use super::{Rewound, Visitors};
use crate::{Edge, config::milliseconds};

/// Threads that serve connections. Dropping it ends them.
pub struct Lanes {
    threads: Vec<mpsc::UnboundedSender<Entering>>,
    next: AtomicUsize,
    edge: Edge,
}

/// A connection on its way to a thread, and what comes back of it.
struct Entering {
    stream: std::net::TcpStream,
    left: oneshot::Sender<Option<Left>>,
}

/// A connection that is not for the lane, with what was read of it.
type Left = (std::net::TcpStream, BytesMut);

impl Lanes {
    /// One thread for each processor, or as many as are configured.
    pub fn start(edge: &Edge, stop: &CancellationToken) -> io::Result<Self> {
        let count = match edge.0.config.threads {
            0 => std::thread::available_parallelism().map_or(1, NonZero::get),
            count => count,
        };
        let threads = (0..count).map(|number| thread(number, edge, stop)).collect::<io::Result<_>>()?;
        Ok(Self { threads, next: AtomicUsize::new(0), edge: edge.clone() })
    }

    /// Counts connections, and limits those of each address.
    pub fn visitors(&self) -> Visitors {
        self.edge.0.visitors.clone()
    }

    /// Serves a connection for as long as its requests are plain ones for media, and gives back one on which something else was
    /// sent. `None` when it is over.
    pub async fn serve(&self, stream: TcpStream) -> Option<Rewound> {
        let (left, leaving) = oneshot::channel();
        let stream = stream.into_std().ok()?;
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.threads.len();
        self.threads.get(at)?.send(Entering { stream, left }).ok()?;
        let (stream, read) = leaving.await.ok().flatten()?;
        let stall = milliseconds(self.edge.0.config.clients.stall_ms);
        Some(Rewound::new(read, TcpStream::from_std(stream).ok()?, stall))
    }
}

fn thread(
    number: usize,
    edge: &Edge,
    stop: &CancellationToken,
) -> io::Result<mpsc::UnboundedSender<Entering>> {
    let (sender, mut entering) = mpsc::unbounded_channel::<Entering>();
    let (edge, stop) = (edge.clone(), stop.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name(format!("lane-{number}")).spawn(move || {
        runtime.block_on(async move {
            while let Some(Entering { stream, left }) = entering.recv().await {
                let (edge, stop) = (edge.clone(), stop.clone());
                tokio::spawn(async move {
                    let served = match TcpStream::from_std(stream) {
                        Ok(stream) => edge.ride(stream, &stop).await,
                        Err(_) => None,
                    };
                    let back = served.and_then(|(stream, read)| Some((stream.into_std().ok()?, read)));
                    // Nobody waits any more when the process ends.
                    let _ = left.send(back);
                });
            }
        });
    })?;
    Ok(sender)
}
