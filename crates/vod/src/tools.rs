//! The programs that do the decoding and encoding, and what they may use up.

use std::{path::PathBuf, sync::Arc};

use crate::{guest::Limits, hardware::Hardware};

#[derive(Debug, Clone)]
pub struct Tools {
    pub ffmpeg: PathBuf,
    pub ffprobe: PathBuf,
    pub limits: Limits,
    /// Threads of each decoder and encoder; 0 lets them choose.
    pub threads: u32,
    /// Encoders in hardware that may be used.
    pub hardware: Arc<Hardware>,
}

impl Default for Tools {
    fn default() -> Self {
        Self {
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            limits: Limits::default(),
            threads: 0,
            hardware: Arc::default(),
        }
    }
}
