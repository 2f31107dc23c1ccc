//! FLV, as files and as the bodies of RTMP messages: script data (AMF0), the legacy tags of H.264 and AAC (Adobe Flash Video
//! File Format 10.1, annex E), and the extended ones of Enhanced RTMP v2 (Veovera).
//!
//! Every length and count is checked and bounded, so that foreign bytes can neither panic nor exhaust memory.

pub mod amf;
mod demux;
mod file;
mod mux;
mod opus;
mod tag;

use bytes::Bytes;

pub use demux::{Demuxer, Event};
pub use file::{Reader, Tag, header, tag};
pub use mux::{frame, sequence_start};
pub use tag::{Body, Packet, aggregate, audio, video};

/// Ticks per second of the times that come out: FLV tells milliseconds, and nanoseconds beside them.
pub const TIMESCALE: u32 = 1_000_000;

/// Types of tags, which are those of RTMP messages.
pub const AUDIO: u8 = 8;
pub const VIDEO: u8 = 9;
pub const SCRIPT: u8 = 18;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Video,
    Audio,
}

impl Kind {
    /// Type of tags and messages.
    pub fn tag(self) -> u8 {
        match self {
            Self::Video => VIDEO,
            Self::Audio => AUDIO,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }
}

/// A track of a publisher. Number 0 is the one that publishers without multitrack send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId {
    pub kind: Kind,
    pub number: u8,
}

impl std::fmt::Display for TrackId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.number)
    }
}

/// One coded frame: units with their lengths before them for H.264 and HEVC, as in MP4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Decode and presentation time, microseconds.
    pub dts: i64,
    pub pts: i64,
    pub key: bool,
    pub data: Bytes,
}
