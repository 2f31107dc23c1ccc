//! A media playlist together with what it names.

use super::media::MediaPlaylist;
use crate::lint::loaded::Loaded;

/// What a media playlist was named as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Variant,
    Audio,
    Video,
    Subtitles,
    Iframes,
    Images,
}

/// A media playlist with its media.
#[derive(Debug, Clone)]
pub struct Rendition {
    pub role: Role,
    pub url: String,
    pub playlist: MediaPlaylist,
    pub media: Vec<Loaded>,
}

impl Rendition {
    /// Bytes of each segment; `None` while one of them is not known.
    pub fn sizes(&self) -> Option<Vec<u64>> {
        self.media
            .iter()
            .zip(&self.playlist.segments)
            .map(|(m, s)| if s.gap { Some(0) } else { m.bytes })
            .collect()
    }
}
