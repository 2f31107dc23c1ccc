//! Reader of fragmented MP4 (ISO/IEC 14496-12): headers, and samples from a file or a growing pipe.
//!
//! Every length is checked and bounded, so that foreign bytes can neither panic nor exhaust memory.

mod boxes;
mod esds;
mod fragment;
mod header;
mod reader;

pub use boxes::{BoxHead, Boxes, FourCc};
pub use esds::AudioConfig;
pub use fragment::{SampleEntry, TrackFragment, parse_moof};
pub use header::{Header, TrackHeader, TrackKind};
pub use reader::{Fragment, FragmentReader, Item, Limits, Sample};

/// `sample_is_non_sync_sample` (ISO/IEC 14496-12 §8.8.3.1).
pub const NON_SYNC: u32 = 0x0001_0000;
