//! Sends over a TCP connection without copying what is in files, and without waiting for ever for who takes nothing.

use std::{
    fs::File,
    io::{self, IoSlice},
    ops::Range,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Buf;
use rustix::net::SendFlags;
use tokio::{io::Interest, net::TcpStream};

use crate::{
    config::{Clients, milliseconds},
    read::{bring_near, is_near},
};

/// Most bytes of a file that are handed to the kernel at once.
const PIECE: u64 = 1 << 20;
/// How long an answer may go on before its rate is looked at.
const FIRST: Duration = Duration::from_secs(10);

/// One answer on its way.
pub struct Sender<'a> {
    stream: &'a TcpStream,
    stall: Duration,
    least_rate: u64,
    began: Instant,
    sent: u64,
    last: bool,
}

impl<'a> Sender<'a> {
    /// `last`: no further answer follows on this connection.
    pub fn new(stream: &'a TcpStream, clients: &Clients, last: bool) -> Self {
        Self {
            stream,
            stall: milliseconds(clients.stall_ms),
            least_rate: clients.min_bytes_per_second.into(),
            began: Instant::now(),
            sent: 0,
            last,
        }
    }

    /// What every head ends with (RFC 9112 §9.6).
    pub fn end_of_head(&self) -> &'static [u8] {
        if self.last { b"connection: close\r\n\r\n" } else { b"\r\n" }
    }

    /// All of these, one after another.
    pub async fn write<const N: usize>(&mut self, mut parts: [&[u8]; N]) -> io::Result<()> {
        loop {
            let left: usize = parts.iter().map(|part| part.len()).sum();
            if left == 0 {
                return Ok(());
            }
            let slices = parts.map(IoSlice::new);
            let mut sent = match self.stream.try_write_vectored(&slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(sent) => sent,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.wait().await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            self.sent += sent as u64;
            for part in &mut parts {
                let here = sent.min(part.len());
                part.advance(here);
                sent -= here;
            }
        }
    }

    /// What more follows at once: it goes into the same packet.
    pub async fn write_more(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sending = self
                .stream
                .try_io(Interest::WRITABLE, || Ok(rustix::net::send(self.stream, bytes, SendFlags::MORE)?));
            match sending {
                Ok(sent) => {
                    self.sent += sent as u64;
                    bytes.advance(sent);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait().await?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub async fn write_file(&mut self, file: &Arc<File>, range: Range<u64>) -> io::Result<()> {
        let mut at = range.start;
        while at < range.end {
            let length = (range.end - at).min(PIECE);
            let end = at + length;
            if !is_near(file, at, length as usize) {
                bring_near(file, at, length as usize).await?;
            }
            while at < end {
                let before = at;
                let sending = self.stream.try_io(Interest::WRITABLE, || {
                    let most = (end - at) as usize;
                    match rustix::fs::sendfile(self.stream, &**file, Some(&mut at), most)? {
                        0 => Err(io::ErrorKind::UnexpectedEof.into()),
                        // Less than was asked for: the socket is full, no need to try before it is not.
                        sent if sent < most => Err(io::ErrorKind::WouldBlock.into()),
                        _ => Ok(()),
                    }
                });
                self.sent += at - before;
                match sending {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait().await?,
                    Err(error) => return Err(error),
                }
            }
            // Others have a turn.
            tokio::task::consume_budget().await;
        }
        Ok(())
    }

    /// Until the client has taken something.
    async fn wait(&self) -> io::Result<()> {
        let took = self.began.elapsed();
        if took > FIRST && self.sent < self.least_rate.saturating_mul(took.as_secs()) {
            metrics::counter!("kinora_edge_cut_off_total", "why" => "slow").increment(1);
            return Err(io::ErrorKind::TimedOut.into());
        }
        match tokio::time::timeout(self.stall, self.stream.writable()).await {
            Ok(ready) => ready,
            Err(_) => {
                metrics::counter!("kinora_edge_cut_off_total", "why" => "stalled").increment(1);
                Err(io::ErrorKind::TimedOut.into())
            }
        }
    }
}
