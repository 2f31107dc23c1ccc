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
    /// The parts of the file that describe the rest, `(from, to)` in bytes: with them and the packets that are wanted it can
    /// be read as if it were whole. `None` where that cannot be told.
    #[serde(default)]
    pub frame: Option<Vec<(u64, u64)>>,
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
    /// What a picture of high dynamic range tells of how it was made.
    #[serde(default)]
    pub mastering: Option<Mastering>,
    pub bitrate_bps: u64,
}

/// Static metadata of high dynamic range (SMPTE ST 2086, CTA-861.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mastering {
    pub display: Option<Display>,
    /// Brightest pixel and brightest average of a picture, cd/m².
    pub light: Option<(u32, u32)>,
}

/// The display that a film was graded on: chromaticities as CIE 1931 x and y in 1/50,000, luminance in 0.0001 cd/m².
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Display {
    pub red: (u32, u32),
    pub green: (u32, u32),
    pub blue: (u32, u32),
    pub white: (u32, u32),
    /// Brightest and darkest.
    pub luminance: (u32, u32),
}

impl Display {
    /// `G(x,y)B(x,y)R(x,y)WP(x,y)L(max,min)` in the units above.
    pub fn in_units(&self) -> String {
        self.written(|chromaticity| chromaticity.to_string(), |luminance| luminance.to_string())
    }

    /// The same in units of 1 and cd/m².
    pub fn in_decimals(&self) -> String {
        self.written(
            |c| format!("{:.5}", f64::from(c) / 50_000.0),
            |l| format!("{:.4}", f64::from(l) / 10_000.0),
        )
    }

    fn written(&self, chromaticity: impl Fn(u32) -> String, luminance: impl Fn(u32) -> String) -> String {
        let colours = [("G", self.green), ("B", self.blue), ("R", self.red), ("WP", self.white)];
        let mut text: String =
            colours.map(|(name, (x, y))| format!("{name}({},{})", chromaticity(x), chromaticity(y))).concat();
        text += &format!("L({},{})", luminance(self.luminance.0), luminance(self.luminance.1));
        text
    }
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
