//! HLS playlists (RFC 8216bis) of a presentation.
//!
//! All URLs are relative to the multivariant playlist's folder and name one resource each, without byte ranges.

mod live;
mod media;
mod multivariant;

pub use self::live::live_playlist;
pub use self::media::{iframe_playlist, image_playlist, media_playlist};
pub use multivariant::multivariant;

/// Text fit for a quoted string (§4.2): no quotes, no line breaks.
fn quoted(text: &str) -> String {
    let clean: String =
        text.chars().map(|c| if c == '"' { '\'' } else { c }).filter(|c| !c.is_control()).collect();
    format!("\"{clean}\"")
}
