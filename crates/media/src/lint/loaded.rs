//! Pieces of a rendition as they were fetched and understood.

use std::rc::Rc;

use super::mp4::{self, Header};

/// What a piece turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Media {
    Mp4(mp4::Segment),
    Ts,
    WebVtt,
    PackedAudio,
    Image(Option<(u32, u32)>),
    Encrypted,
    Unknown,
}

impl Media {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Mp4(_) => "fragmented MP4",
            Self::Ts => "MPEG-2 TS",
            Self::WebVtt => "WebVTT",
            Self::PackedAudio => "packed audio",
            Self::Image(_) => "image",
            Self::Encrypted => "encrypted",
            Self::Unknown => "unknown",
        }
    }
}

/// A piece as it was loaded.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    pub header: Option<Rc<Header>>,
    pub media: Option<Media>,
    /// Known also for pieces that were not fetched.
    pub bytes: Option<u64>,
    /// Kept for formats that are checked as text or packets.
    pub start: Vec<u8>,
    pub url: String,
}

impl Loaded {
    pub fn mp4(&self) -> Option<(&Header, &mp4::Segment)> {
        match (&self.header, &self.media) {
            (Some(header), Some(Media::Mp4(segment))) => Some((header, segment)),
            _ => None,
        }
    }
}
