//! HLS playlists (draft-pantos-hls-rfc8216bis), read strictly.

pub mod across;
mod attributes;
pub mod low_latency;
pub mod media;
pub mod multivariant;
pub mod reload;
mod rendition;
mod tags;
mod text;
pub mod truth;
mod version;

pub use attributes::Attributes;
pub use media::{MediaPlaylist, Segment};
pub use multivariant::Multivariant;
pub use rendition::{Rendition, Role};
pub use text::{Kind, Text, Variables};

use super::Report;

/// A playlist of either kind.
#[derive(Debug, Clone)]
pub enum Playlist {
    Media(Box<MediaPlaylist>),
    Multivariant(Box<Multivariant>),
}

/// Reads a playlist. `imported` are variables of the multivariant playlist that named it.
pub fn read(bytes: &[u8], url: &str, imported: &Variables, report: &mut Report) -> Option<Playlist> {
    report.looked_at("playlists");
    let text = Text::read(bytes, url, imported, report)?;
    version::check(&text, report);
    Some(match text.kind {
        Kind::Multivariant => Playlist::Multivariant(Box::new(multivariant::read(text, report))),
        Kind::Media => Playlist::Media(Box::new(media::read(&text, report))),
    })
}

/// Whether bytes look like a playlist at all.
pub fn is_playlist(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.starts_with(b"#EXT")
}
