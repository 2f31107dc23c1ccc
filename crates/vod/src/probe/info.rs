//! The probe's findings, stored with the source as JSON.

use serde::{Deserialize, Serialize};

use super::Index;
use crate::guest::sniff::Container;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceInfo {
    pub container: Container,
    /// Of the main stream, microseconds.
    pub duration_us: i64,
    pub bitrate_bps: u64,
    /// The first real video stream; cover art is none.
    pub video: Option<VideoInfo>,
    pub audio: Vec<AudioInfo>,
    /// Source time at which the sound ends, microseconds, where it goes on long after the video.
    #[serde(default)]
    pub sound_end_us: Option<i64>,
    /// Source time at which the sound begins, microseconds, where that is long before the video.
    #[serde(default)]
    pub sound_start_us: Option<i64>,
    /// The file is cut off, or tells of more than it holds.
    #[serde(default)]
    pub ending: Option<Ending>,
    /// Duration as the container's header tells it, microseconds. Not to be believed.
    #[serde(default)]
    pub told_us: i64,
    /// Source time of the first packet of any stream, microseconds.
    #[serde(default)]
    pub start_us: i64,
    pub chapters: Vec<Chapter>,
    /// Title from the file's own tags.
    pub title: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoInfo {
    /// Index of the stream in the file.
    pub stream: u32,
    pub codec: String,
    pub coded_width: u32,
    pub coded_height: u32,
    /// As shown: square pixels, after rotation.
    pub display_width: u32,
    pub display_height: u32,
    /// Clockwise, degrees, a multiple of 90.
    pub rotation: u32,
    /// Seconds per tick as a fraction.
    pub time_base: (u32, u32),
    /// Nominal frames per second as a fraction.
    pub frame_rate: (u32, u32),
    /// Average frames per second as a fraction.
    pub average_rate: (u32, u32),
    pub variable_rate: bool,
    pub interlaced: bool,
    pub pixel_format: String,
    pub bit_depth: u32,
    pub hdr: bool,
    pub color_transfer: Option<String>,
    pub bitrate_bps: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioInfo {
    pub stream: u32,
    pub codec: String,
    pub channels: u32,
    pub sample_rate: u32,
    /// Seconds per tick as a fraction.
    pub time_base: (u32, u32),
    /// BCP 47, in its shortest form; `None` when the file says nothing.
    pub language: Option<String>,
    pub title: Option<String>,
    pub default: bool,
    pub bitrate_bps: u64,
    /// Source time of its first packet, microseconds.
    #[serde(default)]
    pub start_us: Option<i64>,
    /// Source time of its end as headers tell it, microseconds. Not to be believed: headers of a file that was cut off
    /// tell of the whole.
    #[serde(default)]
    pub told_end_us: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chapter {
    pub start_ms: i64,
    pub end_ms: i64,
    pub title: Option<String>,
}

/// A file that ends before what its container tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// How long it tells to be and how long it is, milliseconds.
    pub told_ms: u64,
    pub found_ms: u64,
}

impl Ending {
    /// In words for its creator.
    pub fn words(&self) -> String {
        let clock = |ms: u64| match ms / 1000 {
            s @ 3600.. => format!("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60),
            s => format!("{}:{:02}", s / 60, s % 60),
        };
        let what = if self.told_ms >= self.found_ms + 1000 {
            format!(
                "it tells of {}, but what can be read ends at {}",
                clock(self.told_ms),
                clock(self.found_ms)
            )
        } else {
            "its last part is missing".to_owned()
        };
        format!("The file ends early: {what}. If something is missing, upload the original again.")
    }
}

impl SourceInfo {
    /// The stream that rules the time line: video, or the first audio track.
    pub fn main_stream(&self) -> Option<u32> {
        self.video.as_ref().map(|v| v.stream).or_else(|| self.audio.first().map(|a| a.stream))
    }

    /// Time base of the main stream.
    pub fn main_time_base(&self) -> Option<(u32, u32)> {
        self.video.as_ref().map(|v| v.time_base).or_else(|| self.audio.first().map(|a| a.time_base))
    }

    /// Replaces what headers claim by what the index shows.
    pub(super) fn settle(&mut self, index: &Index) {
        let Some((num, den)) = self.main_time_base() else { return };
        if let Some(ticks) = index.duration() {
            let us = i128::from(ticks) * i128::from(num) * 1_000_000 / i128::from(den.max(1));
            self.duration_us = i64::try_from(us).unwrap_or(i64::MAX);
        } else if index.packets.is_empty() {
            self.duration_us = 0;
        }
        if let Some(video) = &mut self.video {
            let constant = index.is_exact()
                && crate::plan::constant_rate(
                    &index.shown(),
                    video.time_base,
                    &[video.frame_rate, video.average_rate],
                )
                .is_some();
            video.variable_rate = index.is_exact() && !constant;
        }
    }
}
