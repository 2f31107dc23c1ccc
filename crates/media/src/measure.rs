//! What manifests measure on a descriptor: bit rates, pictures, names, and times as decimal text.

use crate::{
    descriptor::{Storyboard, SyncSample, Track},
    iframe,
};

/// A piece of a track with its own URL: start and end in ticks, size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub start: u64,
    pub end: u64,
    pub bytes: u64,
}

/// Peak and average of a list of pieces, in bits per second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bandwidth {
    pub peak: u64,
    pub average: u64,
}

impl std::ops::Add for Bandwidth {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            peak: self.peak.saturating_add(other.peak),
            average: self.average.saturating_add(other.average),
        }
    }
}

/// The segments of a track.
pub fn segments(track: &Track) -> Vec<Piece> {
    let mut start = 0;
    let piece = |(_, _, s): (_, _, &crate::descriptor::Segment)| {
        let piece = Piece { start, end: start + u64::from(s.duration), bytes: u64::from(s.bytes) };
        start = piece.end;
        piece
    };
    track.segments().map(piece).collect()
}

/// The pictures of a video track that decode on their own; each lasts until the next.
pub fn pictures(track: &Track) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut start = 0;
    for (_, _, segment) in track.segments() {
        for SyncSample { at, bytes } in &segment.sync {
            // An index that has gone bad must not make pictures run backwards.
            let at = start + u64::from((*at).min(segment.duration));
            let at = pieces.last().map_or(at, |last| at.max(last.start));
            if let Some(last) = pieces.last_mut() {
                last.end = at;
            }
            pieces.push(Piece { start: at, end: at, bytes: u64::from(*bytes) + u64::from(iframe::HEAD) });
        }
        start += u64::from(segment.duration);
    }
    if let Some(last) = pieces.last_mut() {
        last.end = start;
    }
    pieces
}

/// Peak as RFC 8216bis §4.4.6.2 defines it: the largest rate of any contiguous run of segments whose length lies
/// between 0.5 and 1.5 target durations. `longest_segment_ms` is what [`target_seconds`] takes.
pub fn bandwidth(pieces: &[Piece], timescale: u32, longest_segment_ms: u64) -> Bandwidth {
    let target = target_seconds(pieces, timescale, longest_segment_ms).saturating_mul(u64::from(timescale));
    let rate = |bytes: u64, ticks: u64| {
        let bits = u128::from(bytes) * 8 * u128::from(timescale);
        bits.div_ceil(u128::from(ticks.max(1))).min(u128::from(u64::MAX)) as u64
    };
    let total: u64 = pieces.iter().map(|p| p.bytes).sum();
    let duration = pieces.last().map_or(0, |p| p.end).saturating_sub(pieces.first().map_or(0, |p| p.start));
    let average = rate(total, duration);
    let mut peak = 0;
    for (n, first) in pieces.iter().enumerate() {
        let mut bytes = 0;
        for piece in &pieces[n..] {
            bytes += piece.bytes;
            let ticks = piece.end - first.start;
            if ticks * 2 > target.saturating_mul(3) {
                break;
            }
            if ticks * 2 >= target {
                peak = peak.max(rate(bytes, ticks));
            }
        }
    }
    // A track shorter than half a target duration has no such run.
    Bandwidth { peak: peak.max(average), average }
}

/// The target duration of a presentation's playlists in whole seconds, rounded as RFC 8216bis §4.4.3.1 compares it; at
/// least 1. It must never change, so that the longest segment planned counts even where it is not there yet.
pub fn target_seconds(pieces: &[Piece], timescale: u32, longest_segment_ms: u64) -> u64 {
    let longest = pieces.iter().map(|p| p.end - p.start).max().unwrap_or(0);
    rounded(longest, timescale).max(rounded(longest_segment_ms, 1000)).max(1)
}

fn rounded(ticks: u64, timescale: u32) -> u64 {
    let scale = u128::from(timescale.max(1));
    ((u128::from(ticks) * 2 + scale) / (scale * 2)) as u64
}

/// Names for people that are unlike each other: a second `English` becomes `English 2`.
pub fn labels(tracks: &[&Track]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(tracks.len());
    for track in tracks {
        let base = if track.label.trim().is_empty() { track.id.as_str() } else { track.label.trim() };
        let mut name = base.to_owned();
        let mut n = 1;
        while names.contains(&name) {
            n += 1;
            name = format!("{base} {n}");
        }
        names.push(name);
    }
    names
}

/// The track's language, when it is well-formed (BCP 47 §2.1): it goes into attributes that allow nothing else.
pub fn language(track: &Track) -> Option<&str> {
    let subtag = |s: &str| (1..=8).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric());
    let primary = |s: &str| s.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    track.language.as_deref().filter(|l| l.len() <= 35 && primary(l) && l.split('-').all(subtag))
}

/// The sheets of a storyboard: number (from 1, so that DASH's `@endNumber` is also the count that some readers take it
/// for), how many tiles it holds, and its bytes.
pub fn sheets(storyboard: &Storyboard) -> impl Iterator<Item = (usize, u32, u64)> {
    let per_sheet = storyboard.columns.saturating_mul(storyboard.rows).max(1);
    let tiles = storyboard.tiles;
    storyboard.sheets.iter().enumerate().filter_map(move |(n, (_, bytes))| {
        let before = u32::try_from(n).ok()?.checked_mul(per_sheet)?;
        let held = tiles.checked_sub(before)?.min(per_sheet);
        (held > 0).then_some((n + 1, held, *bytes))
    })
}

/// Ticks in whole millionths of a second, rounded, so that rounding errors never add up over a list.
pub fn micros(ticks: u64, timescale: u32) -> u64 {
    let scale = u128::from(timescale.max(1));
    ((u128::from(ticks) * 2_000_000 + scale) / (scale * 2)) as u64
}

/// `start..end` as decimal seconds with six digits.
pub fn seconds(start: u64, end: u64, timescale: u32) -> String {
    let span = micros(end, timescale).saturating_sub(micros(start, timescale));
    format!("{}.{:06}", span / 1_000_000, span % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(list: &[(u64, u64)]) -> Vec<Piece> {
        let mut at = 0;
        let piece = |(ticks, bytes): &(u64, u64)| {
            at += ticks;
            Piece { start: at - ticks, end: at, bytes: *bytes }
        };
        list.iter().map(piece).collect()
    }

    #[test]
    fn a_short_last_segment_is_no_peak() {
        let list = pieces(&[(4, 4000), (4, 2000), (1, 5000)]);
        // Alone it would be 40,000 b/s, but it is shorter than half a target; with the one before it is 5 s long.
        assert_eq!(bandwidth(&list, 1, 4000), Bandwidth { peak: 11_200, average: 9_778 });
    }

    #[test]
    fn a_track_of_one_short_segment_has_its_own_rate() {
        assert_eq!(bandwidth(&pieces(&[(1, 1000)]), 1, 4000), Bandwidth { peak: 8000, average: 8000 });
        assert_eq!(bandwidth(&[], 1, 4000), Bandwidth { peak: 0, average: 0 });
    }

    #[test]
    fn an_index_gone_bad_has_no_pictures_out_of_order() {
        let json = br#"{"id":"v","kind":"video","width":2,"height":2,"frame_rate":[1,1],"codec":"","timescale":1,"label":"",
            "default":true,"init":"","extents":[{"object":"","offset":18446744073709551615,
            "segments":[[4,9,[[0,1],[900,1],[2,1]]],[4,9,[[0,1]]]]}]}"#;
        let track: Track = serde_json::from_slice(json).unwrap();
        let list = pictures(&track);
        assert_eq!(
            list.iter().map(|p| (p.start, p.end)).collect::<Vec<_>>(),
            [(0, 4), (4, 4), (4, 4), (4, 8)]
        );
        assert_eq!(target_seconds(&list, 1, u64::MAX), u64::MAX / 1000 + 1);
        assert!(bandwidth(&list, u32::MAX, u64::MAX).peak > 0);
        assert_eq!(track.segments().count(), 2);
    }

    #[test]
    fn rounding_errors_do_not_add_up() {
        let total: u64 = (0..1000)
            .map(|n| {
                let text = seconds(n * 1001, (n + 1) * 1001, 30_000);
                text.replace('.', "").parse::<u64>().unwrap()
            })
            .sum();
        assert_eq!(total, micros(1_001_000, 30_000));
    }
}
