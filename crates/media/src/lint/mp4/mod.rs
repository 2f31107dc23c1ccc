//! ISO base media files and CMAF (ISO/IEC 14496-12, 23000-19), read strictly.
//!
//! A reader of its own, apart from `crate::mp4`: that one forgives what uploads bring, this one must not.

pub mod boxes;
pub mod codecs;
pub mod continuity;
mod encryption;
mod entry;
pub mod fragments;
pub mod header;
mod nal;

pub use encryption::Protection;
pub use entry::Nal;
pub use fragments::{Fragment, Segment};
pub use header::{Header, Track};

/// Four characters, as text.
pub fn name(kind: [u8; 4]) -> String {
    kind.iter().map(|b| if b.is_ascii_graphic() || *b == b' ' { char::from(*b) } else { '?' }).collect()
}
