//! Decoders are guests: ffmpeg and ffprobe as caged child processes.
//!
//! A guest sees one input file and one scratch directory, has no network, cannot start another program, and lives
//! within limits of CPU, memory, output and time. Where the kernel lacks Landlock, the file rules fall away;
//! [`capabilities`] says so, and the worker logs it when it starts.

mod cage;
mod meter;
mod progress;
pub mod sniff;
mod spawn;

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, ChildStdin, ChildStdout},
    task::JoinHandle,
};

pub use meter::Meter;
pub use progress::{Progress, follow};

/// How much of a guest's complaints is kept: the end of it.
const STDERR_KEPT: usize = 64 * 1024;

/// What one guest may use up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// CPU time over all its threads.
    pub cpu: Duration,
    /// Time on the clock.
    pub wall: Duration,
    /// Address space in bytes.
    pub memory_bytes: u64,
    /// Largest file that it may write.
    pub file_bytes: u64,
    /// All that it may leave in its directory.
    pub scratch_bytes: u64,
    /// Politeness, 0 to 19: encoders yield to requests.
    pub nice: i32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(3600),
            wall: Duration::from_secs(3600),
            memory_bytes: 12 << 30,
            file_bytes: 16 << 30,
            scratch_bytes: 64 << 30,
            nice: 5,
        }
    }
}

/// Why a guest gave no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot start {program}: {source}")]
    Start { program: String, source: io::Error },
    #[error("{0}")]
    Failed(String),
    #[error("it took longer than {} s", .0.as_secs())]
    TooSlow(Duration),
    #[error("it used more than the allowed CPU time")]
    TooMuchCpu,
    #[error("it wrote more than the allowed amount")]
    TooLarge,
    #[error("the disk is full: {0}")]
    NoRoom(String),
    #[error("it was killed by signal {0}")]
    Killed(i32),
    #[error("lost contact: {0}")]
    Pipe(#[from] io::Error),
}

impl Error {
    /// Might the same call succeed another time? A broken input stays broken.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Start { .. } | Self::Pipe(_) | Self::NoRoom(_))
            || matches!(self, Self::Killed(signal) if *signal == libc::SIGKILL)
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A guest that has not started yet.
#[derive(Debug)]
pub struct Guest {
    program: PathBuf,
    args: Vec<OsString>,
    read: Vec<PathBuf>,
    scratch: Option<PathBuf>,
    doors: Option<Doors>,
    limits: Limits,
}

/// What leads to a device that a guest may drive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doors {
    /// Device nodes, to be opened, read, written and controlled.
    pub nodes: Vec<PathBuf>,
    /// Where the system describes the device, to be read.
    pub about: Vec<PathBuf>,
    /// The letter of the driver's control requests; `None`: they have no common one.
    pub requests: Option<u8>,
}

/// A guest at work. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    pid: Option<u32>,
    /// What it was asked to do.
    asked: String,
    /// It has ended, well or badly, and that was seen.
    over: bool,
    said: Said,
    stderr: JoinHandle<()>,
    wall: Duration,
    /// Its directory, and what it may leave there.
    scratch: Option<(PathBuf, u64)>,
}

impl Guest {
    /// `program` by path; a bare name is looked up in the system's usual places.
    pub fn new(program: &Path, limits: Limits) -> Self {
        Self {
            program: locate(program),
            args: Vec::new(),
            read: Vec::new(),
            scratch: None,
            doors: None,
            limits,
        }
    }

    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Lets it read a file, beside the system's libraries.
    #[must_use]
    pub fn reads(mut self, path: &Path) -> Self {
        self.read.push(path.to_owned());
        self
    }

    /// Its directory to write in; also where it stands.
    #[must_use]
    pub fn scratch(mut self, dir: &Path) -> Self {
        self.scratch = Some(dir.to_owned());
        self
    }

    /// Lets it drive a device. What is not there is left out.
    #[must_use]
    pub fn drives(mut self, doors: Doors) -> Self {
        self.doors = Some(doors);
        self
    }

    /// Starts it. Its output comes through [`Running::stdout`].
    pub async fn spawn(self) -> Result<(Running, ChildStdout)> {
        let (running, _, stdout) = self.start(Stdio::null()).await?;
        Ok((running, stdout))
    }

    /// The same of one that reads what it is given.
    pub async fn spawn_fed(self) -> Result<(Running, ChildStdin, ChildStdout)> {
        let name = self.program.display().to_string();
        let (running, stdin, stdout) = self.start(Stdio::piped()).await?;
        let stdin = stdin.ok_or(Error::Start { program: name, source: io::ErrorKind::BrokenPipe.into() })?;
        Ok((running, stdin, stdout))
    }

    async fn start(self, stdin: Stdio) -> Result<(Running, Option<ChildStdin>, ChildStdout)> {
        let name = self.program.display().to_string();
        let failed = |source| Error::Start { program: name.clone(), source };
        let read =
            self.read.iter().map(std::fs::canonicalize).collect::<io::Result<Vec<_>>>().map_err(failed)?;
        let paths = (read.as_slice(), self.scratch.as_deref());
        let bars = cage::Bars::build(&self.program, &self.args, paths, self.doors.as_ref(), &self.limits)
            .map_err(failed)?;
        let mut command = tokio::process::Command::new(&self.program);
        command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .current_dir(self.scratch.as_deref().unwrap_or(Path::new("/")));
        let mut child = spawn::caged(command, bars).await.map_err(failed)?;
        let pipes = child.stdout.take().zip(child.stderr.take());
        let (stdout, stderr) = pipes.ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        let stdin = child.stdin.take();
        let pid = child.id();
        let said = Said::default();
        let stderr = tokio::spawn(last_words(stderr, said.clone()));
        let scratch = self.scratch.map(|dir| (dir, self.limits.scratch_bytes));
        let args = self.args.iter().map(|arg| arg.to_string_lossy());
        let asked = std::iter::once(name.clone().into()).chain(args).collect::<Vec<_>>().join(" ");
        let wall = self.limits.wall;
        Ok((Running { child, pid, asked, over: false, said, stderr, wall, scratch }, stdin, stdout))
    }

    /// Runs it to its end and gives what it wrote to its standard output, at most `limit` bytes.
    pub async fn output(self, limit: usize) -> Result<Bytes> {
        let (running, mut stdout) = self.spawn().await?;
        let mut out = BytesMut::new();
        let read = async {
            while stdout.read_buf(&mut out).await? > 0 {
                if out.len() > limit {
                    return Err(Error::TooLarge);
                }
            }
            Ok(())
        };
        running.finish_with(read).await?;
        Ok(out.freeze())
    }
}

impl Running {
    /// Drives `work` (which reads the guest's output) and waits for a good end of both, within the time limit.
    /// The guest's own complaint explains a failure best, so it comes first.
    pub async fn finish_with<T, E>(mut self, work: impl Future<Output = Result<T, E>>) -> Result<T, E>
    where
        E: From<Error>,
    {
        let (wall, scratch) = (self.wall, self.scratch.take());
        let all = async {
            match work.await {
                Ok(value) => {
                    if let Some(pid) = self.pid {
                        meter::count_ending(pid).await;
                    }
                    self.wait().await.map(|()| value).map_err(E::from)
                }
                Err(error) => {
                    self.kill();
                    Err(error)
                }
            }
        };
        tokio::select! {
            ended = tokio::time::timeout(wall, all) => ended.unwrap_or_else(|_| Err(Error::TooSlow(wall).into())),
            // Dropping the other branch kills the guest.
            () = overflow(scratch) => Err(Error::TooLarge.into()),
        }
    }

    async fn wait(&mut self) -> Result<()> {
        let status = self.child.wait().await?;
        self.pid = None;
        self.over = true;
        let _ = (&mut self.stderr).await;
        if status.success() {
            return Ok(());
        }
        let words = self.said.text();
        let error = reason(status, &words);
        meter::note(&self.asked, &words, &status.to_string());
        Err(error)
    }

    fn kill(&mut self) {
        if let Some(pid) = self.pid.take() {
            meter::count(pid);
            cage::kill_group(pid);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            meter::note(&self.asked, &self.said.text(), "stopped before its end");
        }
        self.kill();
        self.stderr.abort();
    }
}

/// The end of what a guest has said so far.
#[derive(Debug, Clone, Default)]
struct Said(Arc<Mutex<BytesMut>>);

impl Said {
    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let start = kept.len().saturating_sub(STDERR_KEPT);
        String::from_utf8_lossy(&kept[start..]).into_owned()
    }

    fn add(&self, more: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(more);
        if kept.len() > 2 * STDERR_KEPT {
            let over = kept.len() - STDERR_KEPT;
            let _ = kept.split_to(over);
        }
    }
}

/// How often a guest's directory is looked at. The kernel limits single files, but not their sum.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Returns when a directory holds more than it may.
async fn overflow(scratch: Option<(PathBuf, u64)>) {
    let Some((dir, most)) = scratch else { return std::future::pending().await };
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let dir = dir.clone();
        let look = move || {
            let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
            entries.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum::<u64>()
        };
        if tokio::task::spawn_blocking(look).await.is_ok_and(|taken| taken > most) {
            return;
        }
    }
}

/// Reads to the end.
async fn last_words(mut from: impl AsyncRead + Unpin, said: Said) {
    let mut piece = BytesMut::with_capacity(4096);
    while matches!(from.read_buf(&mut piece).await, Ok(1..)) {
        said.add(&piece);
        piece.clear();
    }
}

/// As the system's errors are told.
const NO_ROOM: [&str; 2] = ["No space left on device", "Disk quota exceeded"];

fn reason(status: ExitStatus, words: &str) -> Error {
    use std::os::unix::process::ExitStatusExt;
    match status.signal() {
        Some(libc::SIGXCPU) => Error::TooMuchCpu,
        Some(libc::SIGXFSZ) => Error::TooLarge,
        Some(signal) => Error::Killed(signal),
        None => {
            let lines: Vec<&str> = words.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
            let told = lines[lines.len().saturating_sub(3)..].join("; ");
            if NO_ROOM.iter().any(|error| words.contains(error)) {
                return Error::NoRoom(told);
            }
            Error::Failed(if told.is_empty() { format!("it ended with {status}") } else { told })
        }
    }
}

fn locate(program: &Path) -> PathBuf {
    let found = if program.components().count() > 1 {
        program.to_owned()
    } else {
        let places = ["/usr/bin", "/usr/local/bin", "/bin"];
        let paths = places.iter().map(|dir| Path::new(dir).join(program));
        paths.into_iter().find(|path| path.exists()).unwrap_or_else(|| program.to_owned())
    };
    std::fs::canonicalize(&found).unwrap_or(found)
}

/// Ends this process as a sudden death would, for tests.
#[cfg(debug_assertions)]
pub(crate) fn kill_self() {
    cage::kill_self();
}

/// What this machine offers to keep guests in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Capabilities {
    /// Landlock's interface version; 0 when the kernel lacks it, and guests may then read what the worker's user may.
    pub landlock: u32,
    pub seccomp: bool,
}

/// Looks at the kernel.
pub fn capabilities() -> Capabilities {
    Capabilities { landlock: cage::landlock_version(), seccomp: cage::has_seccomp() }
}

impl Capabilities {
    /// Says loudly in the log what is missing.
    pub fn log(&self) {
        if !self.seccomp {
            tracing::error!("this kernel has no seccomp: decoders cannot be caged and will not be started");
        }
        match self.landlock {
            0 => tracing::warn!(
                "this kernel has no Landlock: decoders are kept from the network and from other programs, but not from \
                 reading files that this user may read"
            ),
            version => tracing::info!(landlock = version, "decoders run caged"),
        }
    }
}

#[cfg(test)]
mod escape;
#[cfg(test)]
mod tests;
