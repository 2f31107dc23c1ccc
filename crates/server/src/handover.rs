//! A process that takes another one's place without losing a connection: `kinora serve --take-over`.
//!
//! Whoever serves listens on a socket in its data directory, named after its port. The successor connects there and is given the
//! listening sockets themselves (unix(7), `SCM_RIGHTS`) and the edge's files; when it is ready, it says so, and the predecessor accepts no
//! more and ends what it has begun. A successor that dies before that changes nothing.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    net::{SocketAddr, TcpListener},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail};
use edge::Edge;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

/// Sockets that can be given.
const MOST: usize = 2;
const GREETING: &[u8] = b"kinora 1";
const READY: &[u8] = b"ready";
/// How long a successor may take to start.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a successor was given.
pub struct Taken {
    predecessor: UnixStream,
    listeners: Vec<TcpListener>,
}

/// What is given to a successor.
pub struct Given {
    pub listeners: Vec<OwnedFd>,
    pub edge: Option<Edge>,
}

fn place(dir: &Path, listen: SocketAddr) -> PathBuf {
    dir.join(format!("handover.{}", listen.port()))
}

/// Asks who serves at `listen` with this data directory for its sockets. `None` when nobody does. Blocks.
pub fn take(dir: &Path, listen: SocketAddr) -> anyhow::Result<Option<Taken>> {
    let place = place(dir, listen);
    let predecessor = match UnixStream::connect(&place) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error).with_context(|| place.display().to_string()),
    };
    predecessor.set_read_timeout(Some(PATIENCE))?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut told = RecvAncillaryBuffer::new(&mut space);
    let mut greeting = [0; GREETING.len()];
    let got =
        recvmsg(&predecessor, &mut [IoSliceMut::new(&mut greeting)], &mut told, RecvFlags::CMSG_CLOEXEC)?;
    if got.bytes != GREETING.len() || greeting != GREETING {
        bail!("the process at {} is of a version that cannot be taken over from", place.display());
    }
    let mut listeners = Vec::new();
    for message in told.drain() {
        if let RecvAncillaryMessage::ScmRights(sockets) = message {
            listeners.extend(sockets.map(TcpListener::from));
        }
    }
    Ok(Some(Taken { predecessor, listeners }))
}

impl Taken {
    /// The socket that listens at this address, if it was given.
    pub fn listener(&mut self, address: SocketAddr) -> Option<TcpListener> {
        let at = self.listeners.iter().position(|one| one.local_addr().is_ok_and(|own| own == address))?;
        Some(self.listeners.swap_remove(at))
    }

    /// The predecessor may go. Waits until it is gone, for as long as `patience`. Blocks.
    pub fn ready(self, patience: Duration) -> io::Result<()> {
        use io::{Read, Write};
        let mut predecessor = self.predecessor;
        predecessor.write_all(READY)?;
        predecessor.set_read_timeout(Some(patience))?;
        // It holds its end as long as it lives.
        match predecessor.read(&mut [0]) {
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                tracing::warn!("the process before this one still ends what it has begun");
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Gives way to a successor whenever one comes, by calling `end`; until `stop`.
pub async fn offer(
    dir: PathBuf,
    listen: SocketAddr,
    given: Given,
    stop: CancellationToken,
    end: impl Fn() + Send,
) -> anyhow::Result<()> {
    let place = place(&dir, listen);
    // Whoever was there before has given its place, or is gone.
    if let Err(error) = std::fs::remove_file(&place)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error).with_context(|| place.display().to_string());
    }
    let socket = match UnixListener::bind(&place) {
        Ok(socket) => socket,
        Err(error) => {
            tracing::warn!(%error, place = %place.display(), "no process will be able to take this one's place");
            stop.cancelled().await;
            return Ok(());
        }
    };
    loop {
        let successor = tokio::select! {
            () = stop.cancelled() => break,
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => stream.into_std()?,
                Err(error) => {
                    tracing::warn!(%error, "a successor could not be heard");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
            },
        };
        successor.set_nonblocking(false)?;
        let waiting = serve_successor(&successor, &given);
        match waiting.await {
            Ok(true) => {
                tracing::info!("another process has taken over: finishing requests");
                end();
                // Its other end hears of our end.
                std::mem::forget(successor);
                return Ok(());
            }
            Ok(false) => tracing::warn!("a successor went before it was ready; going on"),
            Err(error) => tracing::warn!(%error, "a successor could not be given the sockets; going on"),
        }
        if let Some(edge) = given.edge.clone() {
            let back = tokio::task::spawn_blocking(move || edge.take_back()).await?;
            if let Err(error) = back {
                tracing::warn!(%error, "the edge's files are in other hands; it goes on without keeping more");
            }
        }
    }
    // A successor that listens here has its own.
    let _ = std::fs::remove_file(&place);
    Ok(())
}

/// Starts a process as this one was started, to take its place (SIGHUP).
pub fn beget() {
    let mut arguments = std::env::args_os();
    let Some(program) = arguments.next() else { return };
    let flag = std::ffi::OsStr::new("--take-over");
    let rest: Vec<_> = arguments.filter(|argument| argument != flag).collect();
    match std::process::Command::new(program).args(rest).arg(flag).spawn() {
        Ok(child) => tracing::info!(pid = child.id(), "SIGHUP: a new process starts, and takes over"),
        Err(error) => tracing::error!(%error, "a new process could not be started; going on"),
    }
}

/// Tells the service manager that this process serves now (sd_notify(3)); `socket` is its `NOTIFY_SOCKET`.
pub fn notify(socket: &str) -> io::Result<()> {
    use std::os::{linux::net::SocketAddrExt, unix::net};
    let address = match socket.strip_prefix('@') {
        Some(name) => net::SocketAddr::from_abstract_name(name)?,
        None => net::SocketAddr::from_pathname(socket)?,
    };
    let text = format!("READY=1\nMAINPID={}", std::process::id());
    net::UnixDatagram::unbound()?.send_to_addr(text.as_bytes(), &address).map(drop)
}

/// `false`: it did not become ready.
async fn serve_successor(successor: &UnixStream, given: &Given) -> anyhow::Result<bool> {
    if let Some(edge) = &given.edge {
        edge.give()?;
    }
    let sockets: Vec<BorrowedFd<'_>> = given.listeners.iter().map(AsFd::as_fd).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut told = SendAncillaryBuffer::new(&mut space);
    told.push(SendAncillaryMessage::ScmRights(&sockets));
    sendmsg(successor, &[IoSlice::new(GREETING)], &mut told, SendFlags::empty())?;
    let heard = successor.try_clone()?;
    heard.set_read_timeout(Some(PATIENCE))?;
    let said = tokio::task::spawn_blocking(move || {
        use io::Read;
        let mut said = [0; READY.len()];
        let mut heard = heard;
        heard.read_exact(&mut said).map(|()| said == *READY)
    });
    Ok(said.await?.unwrap_or(false))
}
