//! MPEG transport streams (ISO/IEC 13818-1): the first program's H.264, HEVC, AAC (ADTS) and Opus become tracks and samples.
//!
//! One PES packet with a presentation time begins one coded picture, and those without one go on with it, as all encoders write them;
//! a PES header lies within one transport packet. Every length and count is checked and bounded, so that foreign bytes can neither
//! panic nor exhaust memory.

mod adts;
mod demux;
mod opus;
mod packet;
mod pes;
mod section;
mod stream;
mod tables;
mod video;

pub use demux::{Demuxer, Limits};
pub use packet::SIZE;

/// Ticks per second of the times that come out, which are those of the stream.
pub const TIMESCALE: u32 = 90_000;
