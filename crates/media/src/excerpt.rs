//! A part of a presentation as one of its own, cut at the borders of segments: nothing is encoded, and no sample is touched.

use std::{collections::BTreeMap, ops::Range};

use crate::{
    descriptor::{Descriptor, Extent, Track},
    measure,
};

/// Whole segments of all tracks, and where they lie on the time line of the first track, milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    pub segments: Range<usize>,
    pub from_ms: u64,
    pub to_ms: u64,
}

/// The segments that show `from_ms` to `to_ms`: from the beginning of the one that shows the first to the end of the one that
/// shows the last. Cutting at the borders that it gives, gives them again. `None` when they are not all there, or nothing lies
/// between; a track that lasts a little longer than the first counts.
pub fn cut(descriptor: &Descriptor, from_ms: u64, to_ms: u64) -> Option<Cut> {
    let borders = borders(descriptor);
    let first = borders.partition_point(|border| *border <= from_ms).checked_sub(1)?;
    let last = borders.len().saturating_sub(1);
    let reach = if to_ms <= duration_ms(descriptor) { last } else { borders.len() };
    let end = borders.partition_point(|border| *border < to_ms).min(reach);
    let is_some = from_ms < to_ms && first < end;
    let (from_ms, to_ms) = (*borders.get(first)?, *borders.get(end).filter(|_| is_some)?);
    Some(Cut { segments: first..end, from_ms, to_ms })
}

/// Where segments begin that all tracks have, and where the last one ends, milliseconds of the first track.
fn borders(descriptor: &Descriptor) -> Vec<u64> {
    let count = descriptor.tracks.iter().map(|track| track.segments().count()).min().unwrap_or(0);
    let Some(first) = descriptor.tracks.first() else { return Vec::new() };
    let mut at = 0;
    let ends = first.segments().take(count).map(|(_, _, segment)| {
        at += u64::from(segment.duration);
        measure::micros(at, first.timescale) / 1000
    });
    [0].into_iter().chain(ends).collect()
}

/// How long it is, as far as all tracks go, milliseconds.
pub fn length_ms(descriptor: &Descriptor) -> u64 {
    borders(descriptor).last().copied().unwrap_or(0)
}

/// Length of the longest track, milliseconds.
pub fn duration_ms(descriptor: &Descriptor) -> u64 {
    let tracks = descriptor.tracks.iter();
    tracks.map(|track| measure::micros(track.duration(), track.timescale) / 1000).max().unwrap_or(0)
}

/// These segments of all tracks, moved to the beginning of the time line. `name` gives the objects that they lie in the names
/// that they have there.
pub fn tracks(
    descriptor: &Descriptor,
    segments: &Range<usize>,
    mut name: impl FnMut(usize) -> String,
) -> (Vec<Track>, BTreeMap<String, String>) {
    let mut names = BTreeMap::new();
    let tracks = descriptor.tracks.iter().map(|track| {
        let before = track.segments().take(segments.start);
        let start: u64 = before.map(|(_, _, segment)| u64::from(segment.duration)).sum();
        let shift = i64::try_from(start).unwrap_or(i64::MAX);
        let kept = track.segments().skip(segments.start).take(segments.len());
        let extents = kept.map(|(extent, offset, segment)| {
            let next = names.len();
            let object: &String = names.entry(extent.object.clone()).or_insert_with(|| name(next));
            let (object, segments) = (object.clone(), vec![segment.clone()]);
            Extent { object, offset, shift: extent.shift - shift, segments }
        });
        Track { extents: extents.collect(), ..track.clone() }
    });
    (tracks.collect(), names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::{Segment, TrackKind};

    /// Five segments of 2, 1.5, 2, 2 and 2 s of picture; sound that is cut at the nearest frame.
    fn event() -> Descriptor {
        let track = |id: &str, kind: TrackKind, timescale: u32, durations: [u32; 5]| Track {
            id: id.into(),
            kind,
            codec: String::new(),
            timescale,
            language: None,
            label: String::new(),
            default: true,
            init: String::new(),
            extents: (0..)
                .zip(durations)
                .map(|(n, duration)| Extent {
                    object: format!("event/{n}"),
                    offset: u64::from(timescale) / 100,
                    shift: 0,
                    segments: vec![Segment { duration, bytes: 10, sync: Vec::new() }],
                })
                .collect(),
        };
        let video =
            TrackKind::Video { width: 640, height: 360, frame_rate: (30, 1), range: Default::default() };
        let audio = TrackKind::Audio { sample_rate: 48_000, channels: 2, joc: None };
        Descriptor {
            format: 1,
            presentation: "event".into(),
            version: 3,
            complete: true,
            created_at: 0,
            planned_duration_ms: 0,
            longest_segment_ms: 2000,
            tracks: vec![
                track("v360p", video, 90_000, [180_000, 135_000, 180_000, 180_000, 180_000]),
                track("a0", audio, 48_000, [96_256, 71_680, 96_256, 96_256, 96_256]),
            ],
            storyboard: None,
        }
    }

    #[test]
    fn cuts_lie_at_borders() {
        let event = event();
        assert_eq!(length_ms(&event), 9500);
        let of = |from, to| cut(&event, from, to).map(|cut| (cut.segments, cut.from_ms, cut.to_ms));
        assert_eq!(of(0, 9500), Some((0..5, 0, 9500)));
        assert_eq!(of(2500, 4000), Some((1..3, 2000, 5500)));
        // The borders themselves, and within one segment.
        assert_eq!(of(2000, 5500), Some((1..3, 2000, 5500)));
        assert_eq!(of(3500, 3501), Some((2..3, 3500, 5500)));
        assert_eq!(of(1999, 2001), Some((0..2, 0, 3500)));
        // The sound ends 14 ms after the picture.
        assert_eq!((duration_ms(&event), of(7600, 9514)), (9514, Some((4..5, 7500, 9500))));
        for (from, to) in [(0, 9515), (9500, 9510), (3000, 3000), (5000, 4000)] {
            assert_eq!(of(from, to), None, "{from} to {to}");
        }
        assert_eq!(cut(&Descriptor { tracks: Vec::new(), ..event }, 0, 1), None);
    }

    #[test]
    fn all_tracks_begin_anew_and_share_objects() {
        let (tracks, names) = tracks(&event(), &(1..3), |n| format!("clip/{n}"));
        let pairs: Vec<_> = names.iter().map(|(old, new)| (old.as_str(), new.as_str())).collect();
        assert_eq!(pairs, [("event/1", "clip/0"), ("event/2", "clip/1")]);
        for (track, start) in tracks.iter().zip([180_000, 96_256]) {
            let extents = &track.extents;
            assert_eq!((extents.len(), extents[0].object.as_str(), extents[0].shift), (2, "clip/0", -start));
            assert_eq!(extents[1].shift, -start, "moved as a whole");
            assert_eq!(extents[1].offset, u64::from(track.timescale) / 100);
        }
        assert_eq!(Descriptor::format_of(&tracks), 3, "of unknown codecs");
    }
}
