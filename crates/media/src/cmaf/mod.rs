//! Writer of CMAF headers and segments (ISO/IEC 23000-19, structural brands `cmfc` and `cmf2`).
//!
//! A stored segment is one `moof`+`mdat` without `styp` or `sidx`. All times count from the presentation's start
//! without an edit list: composition offsets are signed, so that a segment's `tfdt` is also its earliest
//! presentation time.

mod boxes;
mod init;
mod retime;
mod segment;

pub use init::{Media, TrackSpec, init_segment};
pub use retime::retime;
pub use segment::{Access, Segment, segment};
pub(crate) use segment::{Run, RunSample};

/// The number of the only track in each file.
pub const TRACK_ID: u32 = 1;
