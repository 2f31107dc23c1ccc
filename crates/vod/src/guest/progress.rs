//! Live progress of a guest that was started with `-progress pipe:1`.

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

/// How far an encode has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Frames put out so far.
    pub frames: u64,
}

/// Reads `key=value` lines to the end and tells each new count of frames.
pub async fn follow(from: impl AsyncRead + Unpin, mut tell: impl FnMut(Progress)) -> std::io::Result<()> {
    let mut lines = BufReader::new(tokio::io::AsyncReadExt::take(from, 64 << 20)).lines();
    let mut last = Progress::default();
    while let Some(line) = lines.next_line().await? {
        if let Some(frames) = line.strip_prefix("frame=").and_then(|n| n.trim().parse().ok())
            && frames != last.frames
        {
            last = Progress { frames };
            tell(last);
        }
    }
    Ok(())
}
