//! The programs that do the decoding and encoding, and what they may use up.

use std::path::PathBuf;

use crate::guest::Limits;

#[derive(Debug, Clone)]
pub struct Tools {
    pub ffmpeg: PathBuf,
    pub ffprobe: PathBuf,
    pub limits: Limits,
    /// Threads of each decoder and encoder; 0 lets them choose.
    pub threads: u32,
}

impl Default for Tools {
    fn default() -> Self {
        Self { ffmpeg: "ffmpeg".into(), ffprobe: "ffprobe".into(), limits: Limits::default(), threads: 0 }
    }
}
