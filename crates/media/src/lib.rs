//! Media formats without I/O: CMAF/ISO-BMFF boxes, codec headers, the presentation descriptor, HLS and DASH manifests,
//! FLV, MPEG transport streams.
//!
//! Bytes in, bytes out, integer ticks throughout. Imports nothing of ours, no async runtime, no clock.

pub mod bits;
pub mod cmaf;
pub mod codec;
pub mod dash;
pub mod descriptor;
pub mod excerpt;
pub mod flv;
pub mod frame;
pub mod hls;
pub mod iframe;
pub mod lint;
pub mod live;
pub mod measure;
pub mod mp4;
pub mod rebase;
pub mod resource;
pub mod selection;
mod time;
pub mod ts;
pub mod webvtt;

/// Why bytes could not be read, or could not be written as asked. A retry with the same bytes never helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{0} ends before its content does")]
    Truncated(&'static str),
    #[error("{0}: {1}")]
    Invalid(&'static str, &'static str),
    #[error("{0} is larger than {1}, the most that is read")]
    TooLarge(&'static str, u64),
    #[error("{0} is not supported")]
    Unsupported(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;
