//! The packager on sources of all moods: what it makes has no gap and no overlap.

use std::{ops::RangeInclusive, sync::Arc};

use bytes::Bytes;
use media::{
    cmaf::{Media, TrackSpec},
    codec::{Format, Hdr, Picture, Sound},
    mp4::AudioConfig,
};
use proptest::prelude::*;

use super::{Chunk, Cut, Made, PICTURES, Packager, line::SNAP};
use crate::ring::Frame;

/// Samples of VP9 are stored as they are.
fn pictures(timescale: u32) -> TrackSpec {
    let picture = Picture {
        format: Format::Vp9,
        config: Bytes::from_static(&[1, 0, 0, 0, 0, 31, 0x82, 1, 1, 1, 0, 0]),
        width: 640,
        height: 360,
        aspect: None,
        colour: None,
        hdr: Hdr::default(),
        in_band: false,
    };
    TrackSpec { timescale, language: None, media: Media::Video { picture, delay: 0 } }
}

fn sound() -> TrackSpec {
    let sound = Sound::Mpeg(AudioConfig::from_specific(&[0x11, 0x90]).unwrap());
    TrackSpec { timescale: 1_000_000, language: None, media: Media::Audio(sound) }
}

fn frame(spec: &Arc<TrackSpec>, us: i64, key: bool) -> Frame {
    let dts = us * i64::from(spec.timescale) / 1_000_000;
    Frame { spec: spec.clone(), dts, pts: dts, key, discontinuity: false, data: Bytes::from_static(b"frame") }
}

/// A source, a rung of it that comes a little later, and sound.
struct Studio {
    packager: Packager,
    specs: [Arc<TrackSpec>; 3],
    made: Vec<Made>,
}

impl Studio {
    fn open(number: u64, at: u64) -> Self {
        let specs = [pictures(1_000_000), pictures(90_000), sound()];
        let packager = Packager::new(Cut::default(), specs.to_vec(), number, at);
        Self { packager, specs: specs.map(Arc::new), made: Vec::new() }
    }

    fn push(&mut self, track: usize, us: i64, key: bool, now_us: i64) {
        let frame = frame(&self.specs[track], us, key);
        self.packager.push(track, frame, now_us);
        self.made.extend(self.packager.take());
    }

    /// Thirty pictures in a second with a key frame every `group`, whose times begin at `from` and last for `us`; the clock is `ahead`
    /// of them.
    fn play(&mut self, from: i64, us: i64, group: i64, ahead: i64) {
        let (mut picture, mut sound) = (0, 0);
        while picture < us * 30 / 1_000_000 {
            let at = from + picture * 1_000_000 / 30;
            let key = picture % (group * 30 / 1_000_000) == 0;
            self.push(0, at, key, at + ahead);
            self.push(1, at, key, at + ahead);
            picture += 1;
            while sound * 1024 * 1_000_000 / 48_000 < picture * 1_000_000 / 30 {
                // Milliseconds, as RTMP has them.
                let at = (from + sound * 1024 * 1_000_000 / 48_000) / 1000 * 1000;
                self.push(2, at, true, at + ahead);
                sound += 1;
            }
        }
    }

    fn catch_up(&mut self, us: i64) {
        self.packager.catch_up(us);
        self.made.extend(self.packager.take());
    }

    fn end(mut self) -> Vec<Vec<(Chunk, bool)>> {
        self.packager.finish();
        self.made.extend(self.packager.take());
        check(&self.made);
        let mut tracks = vec![Vec::new(); 3];
        for made in self.made {
            if let Made::Segment { track, chunk, breaks, .. } = made {
                tracks[track].push((chunk, breaks));
            }
        }
        tracks
    }
}

/// What is so whatever happens.
fn check(made: &[Made]) {
    let mut counts = Vec::new();
    for track in 0..3 {
        let timescale = u64::from(if track == 2 { 48_000 } else { PICTURES });
        let (mut next, mut at) = (None, None);
        let (mut parts, mut part_ticks, mut last_ms) = (0, 0u64, 0);
        for made in made.iter().filter(|made| made.track() == track) {
            match made {
                Made::Part { number, chunk, .. } => {
                    assert_eq!(*number, *next.get_or_insert(*number), "a part of the present segment");
                    assert_eq!(chunk.start, *at.get_or_insert(chunk.start) + part_ticks, "no gap");
                    assert!(parts > 0 || chunk.independent, "a segment begins with a key frame");
                    part_ticks += u64::from(chunk.duration());
                    parts += 1;
                }
                Made::Segment { number, chunk, .. } => {
                    assert_eq!(Some(*number), next);
                    assert_eq!(Some(chunk.start), at);
                    assert_eq!(u64::from(chunk.duration()), part_ticks, "the parts are the segment");
                    if track < 2 {
                        assert_eq!(chunk.bytes.index.sync.first().map(|sync| sync.at), Some(0));
                    }
                    (next, at) = (Some(number + 1), Some(chunk.start + part_ticks));
                    last_ms = part_ticks * 1000 / timescale;
                    (parts, part_ticks) = (0, 0);
                }
            }
        }
        assert_eq!(part_ticks, 0, "all is in segments");
        // What is too short for a frame of sound has none.
        let whole = next.map(|next| if last_ms < 50 { next - 1 } else { next });
        counts.push((whole..=next, at.map_or(0, |at| at * 1000 / timescale)));
    }
    let meet = |one: &(RangeInclusive<Option<u64>>, u64)| {
        counts.iter().all(|(other, _)| one.0.start() <= other.end() && other.start() <= one.0.end())
    };
    assert!(counts.iter().all(meet), "as many segments of each track: {counts:?}");
    // Pictures that are meant to be at the same time may be a little apart.
    let snap = SNAP * 1000 / u64::from(PICTURES);
    assert!(counts[0].1.abs_diff(counts[1].1) <= snap, "{counts:?}");
    assert!(
        counts[0].1.abs_diff(counts[2].1) <= 64,
        "sound ends with the pictures, three frames at most apart: {counts:?}"
    );
}

fn lengths(track: &[(Chunk, bool)], timescale: u32) -> Vec<u32> {
    track.iter().map(|(chunk, _)| chunk.duration() * 1000 / timescale).collect()
}

#[test]
fn segments_are_whole_groups_of_pictures() {
    for (group, expected) in [(2, 2000), (1, 2000)] {
        let mut studio = Studio::open(0, 0);
        studio.play(5_000_000, 8_000_000, group * 1_000_000, 0);
        let tracks = studio.end();
        assert_eq!(lengths(&tracks[0], PICTURES), [expected; 4]);
        assert_eq!(lengths(&tracks[1], PICTURES), [expected; 4]);
        assert!(lengths(&tracks[2], 48_000).iter().all(|ms| ms.abs_diff(expected) <= 22));
        assert!(tracks.iter().flatten().all(|(_, breaks)| !breaks));
    }
}

#[test]
fn parts_are_as_long_as_they_may_be() {
    let mut studio = Studio::open(0, 0);
    studio.play(0, 4_000_000, 2_000_000, 0);
    let lengths: Vec<(usize, u32)> = studio
        .made
        .iter()
        .filter_map(|made| match made {
            Made::Part { track, chunk, .. } => Some((*track, chunk.duration())),
            Made::Segment { .. } => None,
        })
        .collect();
    let of = |track: usize| lengths.iter().filter(move |(t, _)| *t == track).map(|(_, ticks)| *ticks);
    assert!(of(0).take(5).all(|ticks| ticks == 30_000), "ten pictures");
    assert!(of(2).take(5).all(|ticks| ticks == 15 * 1024));
    studio.end();
}

#[test]
fn what_is_missing_is_filled_and_the_source_is_taken_up_again() {
    let mut studio = Studio::open(0, 0);
    studio.play(0, 4_000_000, 2_000_000, 0);
    studio.catch_up(9_000_000);
    // The same source goes on where it should be by now.
    studio.play(10_000_000, 4_000_000, 2_000_000, 0);
    let tracks = studio.end();
    let breaks: Vec<usize> = (0..tracks[0].len()).filter(|n| tracks[0][*n].1).collect();
    assert_eq!(breaks.len(), 2, "into what stands in, and out of it: {breaks:?}");
    let total: u32 = lengths(&tracks[0], PICTURES).iter().sum();
    assert_eq!(total, 14_000);
}

#[test]
fn the_slate_stands_in_where_nobody_sends() {
    let mut studio = Studio::open(0, 0);
    for track in 0..2 {
        let slate = Frame { data: Bytes::from_static(b"slate"), ..frame(&studio.specs[track], 0, true) };
        studio.packager.set_slate(track, Some(&slate));
    }
    studio.play(0, 4_000_000, 2_000_000, 0);
    studio.catch_up(9_000_000);
    studio.play(10_000_000, 4_000_000, 2_000_000, 0);
    let tracks = studio.end();
    for track in &tracks[..2] {
        let has = |chunk: &Chunk, what: &[u8]| {
            chunk.bytes.parts().any(|piece| piece.windows(what.len()).any(|bytes| bytes == what))
        };
        for (chunk, _) in track {
            let ms = chunk.start * 1000 / u64::from(PICTURES);
            let dark = (4_000..10_000).contains(&ms);
            assert_eq!((has(chunk, b"slate"), has(chunk, b"frame")), (dark, !dark), "at {ms} ms");
        }
    }
}

#[test]
fn another_track_leads_when_the_first_one_is_given_up() {
    let mut studio = Studio::open(0, 0);
    studio.play(0, 4_000_000, 2_000_000, 0);
    studio.packager.follow_track(1, 4_000_000);
    for n in 120..360 {
        let at = n * 1_000_000 / 30;
        studio.push(1, at, n % 60 == 0, at);
        studio.push(2, at, true, at);
    }
    let tracks = studio.end();
    assert!(tracks[1].len() == 6 && lengths(&tracks[1], PICTURES).iter().all(|ms| ms.abs_diff(2000) <= 1));
    let own = |(chunk, _): &(Chunk, bool)| chunk.bytes.index.sync.len();
    assert!(tracks[1].iter().map(own).all(|keys| keys == 1), "as they came");
    assert!(tracks[0].iter().map(own).skip(3).all(|keys| keys > 1), "the last picture, again and again");
}

#[test]
fn a_rung_that_comes_late_has_all_segments() {
    let mut studio = Studio::open(4, 10 * u64::from(PICTURES));
    let second = |n: i64| n * 1_000_000;
    for at in (10..18).map(second) {
        studio.push(0, at, true, at);
        studio.push(2, at, true, at);
    }
    for at in (18..22).map(second) {
        (0..3).for_each(|track| studio.push(track, at, true, at));
    }
    let tracks = studio.end();
    let began = [900_000, 900_000, 480_000];
    assert!(tracks.iter().zip(began).all(|(track, start)| track[0].0.start == start), "from the beginning");
    assert!(tracks.iter().all(|track| track.len() == tracks[0].len()));
}

#[test]
fn a_source_that_stays_behind_is_followed_from_where_it_is() {
    let mut studio = Studio::open(0, 0);
    studio.play(0, 4_000_000, 2_000_000, 0);
    studio.catch_up(9_700_000);
    // Its times have stood still meanwhile: six seconds late, for good.
    studio.play(4_000_000, 10_000_000, 2_000_000, 6_000_000);
    let tracks = studio.end();
    let total: u32 = lengths(&tracks[0], PICTURES).iter().sum();
    assert!((15_300..15_600).contains(&total), "{total}");
}

#[test]
fn another_source_goes_on_where_the_first_one_was() {
    let mut studio = Studio::open(0, 0);
    studio.play(0, 5_000_000, 2_000_000, 0);
    studio.packager.join(5_400_000);
    studio.play(77_000_000, 4_000_000, 1_000_000, -72_000_000);
    let tracks = studio.end();
    assert_eq!(tracks[0].iter().filter(|(_, breaks)| *breaks).count(), 1);
    let total: u32 = lengths(&tracks[0], PICTURES).iter().sum();
    assert_eq!(total, 9_400);
}

#[test]
fn an_event_goes_on_with_its_numbers() {
    let mut studio = Studio::open(7, 14 * 90_000);
    studio.packager.join(20_000_000);
    studio.play(0, 4_000_000, 2_000_000, 20_000_000);
    let first = studio.made.iter().find_map(|made| match made {
        Made::Segment { number, chunk, breaks, .. } => Some((*number, chunk.start, *breaks)),
        Made::Part { .. } => None,
    });
    assert_eq!(first, Some((7, 14 * 90_000, true)));
    studio.end();
}

#[test]
fn a_source_after_a_long_group_begins_a_segment() {
    let mut studio = Studio::open(0, 0);
    studio.play(0, 2_500_000, 2_000_000, 0);
    studio.packager.join(2_500_000);
    studio.play(0, 1_031_000, 1_000_000, 2_500_000);
    studio.play(1_031_000, 3_000_000, 3_000_000, 2_500_000);
    studio.packager.join(6_531_000);
    studio.play(0, 100_000, 1_000_000, 6_531_000);
    let tracks = studio.end();
    let breaks: Vec<bool> = tracks[0].iter().map(|(_, breaks)| *breaks).collect();
    assert_eq!(breaks, [false, false, true, true]);
}

proptest! {
    #[test]
    fn nothing_breaks_the_line(steps in prop::collection::vec((0u8..6, 0i64..4_000_000, 1i64..4), 1..12)) {
        let mut studio = Studio::open(0, 0);
        studio.play(0, 2_500_000, 2_000_000, 0);
        let (mut source, mut clock) = (2_500_000, 2_500_000);
        for (kind, us, group) in steps {
            match kind {
                // It plays on, or with a jump of its times, or after a pause.
                0 | 1 => {
                    studio.play(source, us, group * 1_000_000, clock - source);
                    (source, clock) = (source + us, clock + us);
                }
                2 => source += us,
                3 => (source, clock) = (source, clock + us),
                4 => {
                    clock += us;
                    studio.catch_up(clock);
                }
                _ => {
                    studio.packager.join(clock + us / 4);
                    source = us * 100;
                }
            }
        }
        studio.end();
    }
}
