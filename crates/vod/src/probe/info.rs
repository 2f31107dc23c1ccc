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
    /// BCP 47 or ISO 639, as in the file; `None` when it says nothing.
    pub language: Option<String>,
    pub title: Option<String>,
    pub default: bool,
    pub bitrate_bps: u64,
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
