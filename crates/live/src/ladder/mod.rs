//! The real-time ladder: smaller renditions of a publisher's picture while it comes. One program decodes once and encodes all rungs, with
//! key frames where they are told to be; what comes out lies in rings of a feed like the publisher's own.
//!
//! The program is a guest: it gets coded frames through a pipe and answers through another. It may die or hang at any time: the
//! next one goes on at the newest key frame.

mod command;
mod drive;
mod input;
mod run;
mod still;

use std::{
    any::Any,
    io,
    path::PathBuf,
    pin::Pin,
    process::Stdio,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use media::{
    cmaf::{Media, TrackSpec},
    codec::{Format, avc},
    frame::TrackId,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

pub use run::run;
pub use still::still;

/// A rendition to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Even, in square pixels.
    pub width: u32,
    pub height: u32,
    pub bitrate_bps: u32,
}

/// What is made of a publisher's stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The publisher's own picture is the top rung as it is, and its key frames are everybody's. Without it, key frames come every
    /// `key_interval_ms`.
    pub keeps_source: bool,
    pub key_interval_ms: u32,
    /// Best first.
    pub rungs: Vec<Rung>,
    /// Of sound that is made into AAC; AAC-LC of the publisher stays as it is.
    pub audio_bps: u32,
    /// The sample rate and the channels that sound must have; `None`: the publisher's.
    pub sound: Option<(u32, u32)>,
    /// x264's word.
    pub preset: String,
    /// 0: as many as the encoder likes.
    pub threads: u32,
}

/// Can every player take the publisher's picture as it is? It must be H.264 of 8 bits, 4:2:0, in whole frames, with key frames no farther apart
/// than segments may be long; `key_interval_ms` is the longest distance that was seen.
pub fn can_stay(spec: &TrackSpec, key_interval_ms: Option<u64>, longest_ms: u64) -> bool {
    let Media::Video { picture, .. } = &spec.media else { return false };
    let sps =
        (picture.format == Format::Avc).then(|| avc::Config::parse(&picture.config).and_then(|c| c.sps()));
    let Some(Ok(sps)) = sps else { return false };
    let is_plain = (sps.chroma_format, sps.bit_depth, sps.frames_only) == (1, 8, true);
    is_plain && key_interval_ms.is_some_and(|apart| apart <= longest_ms)
}

/// What encoders went through, as it happens. Cheap to clone: all clones count together.
#[derive(Debug, Clone, Default)]
pub struct Losses {
    deaths: Arc<AtomicU64>,
    given_up: Arc<Mutex<Vec<TrackId>>>,
}

impl Losses {
    /// Deaths count together with these; nothing is given up yet.
    pub fn of_another_ladder(&self) -> Self {
        Self { deaths: self.deaths.clone(), given_up: Arc::default() }
    }

    /// Encoders that died or hung.
    pub fn deaths(&self) -> u64 {
        self.deaths.load(Relaxed)
    }

    /// Rungs that were given up because the machine could not keep up.
    pub fn given_up(&self) -> Vec<TrackId> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn death(&self) {
        self.deaths.fetch_add(1, Relaxed);
    }

    /// Before the track ends, so that whoever reads it knows why.
    fn giving_up(&self, track: TrackId) {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner).push(track);
    }
}

/// A program at work.
pub struct Process {
    pub stdin: Pin<Box<dyn AsyncWrite + Send>>,
    pub stdout: Pin<Box<dyn AsyncRead + Send>>,
    /// Dropping it ends the program.
    pub keep: Box<dyn Any + Send>,
}

/// Starts encoders. Whoever implements it chooses the program and what it may do.
pub trait Starter: Send + Sync + 'static {
    fn start(&self, args: Vec<String>) -> impl Future<Output = io::Result<Process>> + Send;
}

/// Starts a program as it is, with the rights of this process: for tests and for machines on which nothing else matters.
#[derive(Debug, Clone)]
pub struct Uncaged {
    pub program: PathBuf,
}

impl Starter for Uncaged {
    async fn start(&self, args: Vec<String>) -> io::Result<Process> {
        let mut child = tokio::process::Command::new(&self.program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Process { stdin: Box::pin(stdin), stdout: Box::pin(stdout), keep: Box::new(child) })
    }
}
