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

pub use demux::Demuxer;
pub use file::{Reader, Tag, header, tag};
pub use mux::{frame, sequence_start};
pub use tag::{Body, Packet, aggregate, audio, video};

use crate::frame::Kind;

/// Ticks per second of the times that come out: FLV tells milliseconds, and nanoseconds beside them.
pub const TIMESCALE: u32 = 1_000_000;

/// Types of tags, which are those of RTMP messages.
pub const AUDIO: u8 = 8;
pub const VIDEO: u8 = 9;
pub const SCRIPT: u8 = 18;

/// The type of a track's tags and messages.
pub fn tag_type(kind: Kind) -> u8 {
    match kind {
        Kind::Video => VIDEO,
        Kind::Audio => AUDIO,
    }
}
