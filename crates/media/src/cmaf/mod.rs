//! Writer of CMAF headers and segments (ISO/IEC 23000-19, structural brand `cmfc`).
//!
//! A stored segment is one `moof`+`mdat` without `styp` or `sidx`. The `tfdt` of a segment is its earliest
//! presentation time. Pictures that are reordered would need negative composition offsets for that, which ffmpeg's
//! reader answers by showing the whole track late; so all offsets of a video track are raised by a fixed **delay**,
//! and the header takes it off again with an edit list (ISO/IEC 23000-19 §7.5.13), as other packagers do. In the same way
//! the header of Opus takes off what its decoder gives out before the sound begins.

mod boxes;
mod clock;
mod entry;
mod init;
mod retime;
mod segment;

pub use clock::producer_reference_time;
pub use init::{Media, TrackSpec, init_segment};
pub use retime::retime;
pub use segment::{Kind, Segment, segment};
pub(crate) use segment::{Run, RunSample};

/// The number of the only track in each file.
pub const TRACK_ID: u32 = 1;
