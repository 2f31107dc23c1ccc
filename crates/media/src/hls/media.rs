//! Media playlists (RFC 8216bis §4.4.3, §4.4.4): segments, single pictures, and preview sheets.

use std::fmt::Write;

use crate::{
    descriptor::{Descriptor, Storyboard, Track},
    measure::{self, Piece},
};

/// The segments of a track of `descriptor`. While more will follow it is an EVENT playlist that players begin at the
/// start.
pub fn media_playlist(descriptor: &Descriptor, track: &Track) -> String {
    playlist(&measure::segments(track), descriptor, track.timescale, "", "")
}

/// One URL for each picture that decodes on its own (§4.4.3.6).
pub fn iframe_playlist(descriptor: &Descriptor, track: &Track) -> String {
    playlist(&measure::pictures(track), descriptor, track.timescale, "#EXT-X-I-FRAMES-ONLY\n", "i")
}

fn playlist(pieces: &[Piece], descriptor: &Descriptor, timescale: u32, tags: &str, prefix: &str) -> String {
    let Descriptor { complete, longest_segment_ms, .. } = *descriptor;
    let mut out = head(measure::target_seconds(pieces, timescale, longest_segment_ms), complete);
    out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    out.push_str(tags);
    out.push_str("#EXT-X-MAP:URI=\"init.mp4\"\n");
    for (n, piece) in pieces.iter().enumerate() {
        let _ = writeln!(
            out,
            "#EXTINF:{},\n{prefix}{n}.m4s",
            measure::seconds(piece.start, piece.end, timescale)
        );
    }
    end(out, complete)
}

/// The sheets of a storyboard, as the image media playlist extension has them.
pub fn image_playlist(storyboard: &Storyboard) -> String {
    let interval = u64::from(storyboard.interval_ms.max(1));
    let longest = measure::sheets(storyboard).map(|(_, tiles, _)| u64::from(tiles) * interval).max();
    let mut out = head((longest.unwrap_or(0) + 500).div_euclid(1000).max(1), true);
    out.push_str("#EXT-X-IMAGES-ONLY\n");
    for (n, tiles, _) in measure::sheets(storyboard) {
        let Storyboard { tile_width, tile_height, columns, rows, .. } = storyboard;
        let _ = writeln!(
            out,
            "#EXTINF:{},\n#EXT-X-TILES:RESOLUTION={tile_width}x{tile_height},LAYOUT={columns}x{rows},DURATION={}\n{n}.jpg",
            measure::seconds(0, u64::from(tiles) * interval, 1000),
            measure::seconds(0, interval, 1000),
        );
    }
    end(out, true)
}

fn head(target: u64, complete: bool) -> String {
    let kind = if complete { "VOD" } else { "EVENT" };
    let mut out = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{target}\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:{kind}\n"
    );
    if !complete {
        // Without it players would begin near the end of what is there (§6.3.3).
        out.push_str("#EXT-X-START:TIME-OFFSET=0,PRECISE=YES\n");
    }
    out
}

fn end(mut out: String, complete: bool) -> String {
    if complete {
        out.push_str("#EXT-X-ENDLIST\n");
    }
    out
}
