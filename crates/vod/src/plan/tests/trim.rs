//! Properties of cuts: exactly the kept frames, once each, few of them encoded, and sound in step.

use domain::profile::Profile;
use proptest::prelude::*;

use super::{super::trim::*, *};

/// A plan and the times of its frames.
fn planned(variable: bool, frames: usize) -> (Plan, Vec<u64>) {
    let base = (1, 90_000);
    let mut at = 1234;
    let times: Vec<i64> = (0..frames)
        .map(|i| {
            let now = at;
            at += if variable && i % 7 == 3 { 9000 } else { 3600 };
            now
        })
        .collect();
    let index = index(&times, 30);
    let plan = plan(&info((25, 1), base), &index, &Profile::default()).unwrap();
    let listed = listed_times(plan.video.as_ref().unwrap(), &index);
    assert_eq!(listed.is_empty(), !variable);
    (plan, listed)
}

/// Source frames of a plan's pictures, in order.
fn pictures(plan: &Plan) -> Vec<u64> {
    let chunks = plan.video.iter().flat_map(|video| &video.chunks);
    chunks
        .flat_map(|chunk| {
            let from = chunk.decoded();
            assert!(from.skip + chunk.frames() <= from.frames, "within what is decoded");
            (0..chunk.frames()).map(move |i| from.first_frame + from.skip + i)
        })
        .collect()
}

/// Old AAC frames of a cut track, in order, from the units of `plan`.
fn sounds(plan: &Plan, cut: &Cut) -> Vec<u64> {
    let old = &plan.audio[0];
    let first = |unit: &str, segment: usize| {
        let n: usize = unit.strip_prefix("a0:").unwrap().parse().unwrap();
        let before: u32 = old.stretches[n][..segment].iter().sum();
        old.frames_before(n) + u64::from(before)
    };
    let new = &cut.plan.audio[0];
    let mut out = 0;
    let mut all = Vec::new();
    for (sound, segments) in cut.sounds[0].iter().zip(&new.stretches) {
        let count: u64 = segments.iter().map(|frames| u64::from(*frames)).sum();
        let from = match sound {
            Sound::Reused(reused) => {
                let from = first(&reused.unit, reused.segments.start);
                assert_eq!(reused.shift, (out as i64 - from as i64) * 1024);
                assert_eq!(reused.segments.len(), segments.len());
                from
            }
            Sound::Frames { unit, segment, frames } => {
                assert_eq!((frames.end - frames.start, segments.len()), (count, 1));
                first(unit, *segment) + frames.start
            }
        };
        all.extend(from..from + count);
        out += count;
    }
    assert_eq!(new.frames(), out);
    assert_eq!(new.samples.div_ceil(1024), out, "the last frame is the one that ends it");
    all
}

fn judge(plan: &Plan, listed: &[u64], keep: &[Keep], cut: &Cut) {
    let video = plan.video.as_ref().unwrap();
    let made = cut.plan.video.as_ref().unwrap();
    let step = if let Times::Constant(step) = video.times { u64::from(step) } else { 0 };
    let at = |frame: usize| match video.times {
        Times::Constant(_) => frame as u64 * step,
        Times::Listed => listed.get(frame).copied().unwrap_or(video.end),
    };
    // The frames whose beginnings lie within what is kept, told in milliseconds.
    let scale = u64::from(video.timescale);
    let before = pictures(plan);
    let wanted: Vec<usize> = (0..before.len())
        .filter(|frame| {
            let ms = (at(*frame) * 1000 + scale / 2) / scale;
            cut.keep.iter().any(|part| part.start_ms <= ms && ms < part.end_ms)
        })
        .collect();
    let got = pictures(&cut.plan);
    assert_eq!(got, wanted.iter().map(|frame| before[*frame]).collect::<Vec<_>>(), "exactly the kept frames");
    for (asked, made) in keep.iter().zip(&cut.keep) {
        // Half of the longest frame, and rounding.
        assert!(
            asked.start_ms.abs_diff(made.start_ms) <= 52 && asked.end_ms.abs_diff(made.end_ms) <= 52,
            "{asked:?} {made:?}"
        );
    }
    // End to end, in the old distances.
    let (mut frame, mut tick, mut encoded) = (0, 0, 0);
    for (chunk, picture) in made.chunks.iter().zip(&cut.pictures) {
        assert_eq!((chunk.first_frame, chunk.start), (frame, tick));
        frame += chunk.frames();
        tick = chunk.end();
        match picture {
            Picture::Encoded => encoded += chunk.segments.len(),
            Picture::Reused(reused) => {
                let n: usize = reused.unit.strip_prefix("v:").unwrap().parse().unwrap();
                assert_eq!(
                    video.chunks[n].segments[reused.segments.clone()],
                    chunk.segments,
                    "whole segments"
                );
            }
        }
    }
    assert_eq!((made.end, made.frames()), (tick, frame));
    assert!(encoded <= 2 * keep.len(), "{encoded} segments for {} parts", keep.len());
    if video.times == Times::Listed {
        assert_eq!(cut.times.len() as u64, frame);
        assert!(cut.times.windows(2).all(|two| two[0] < two[1]));
    }
    // Sound: no more than 12 ms from its picture, in every part.
    let sounds = sounds(plan, cut);
    let seconds = |frame: u64| frame as f64 * 1024.0 / 48_000.0;
    let mut start = 0.0;
    for part in &cut.keep {
        let (from, to) = (part.start_ms as f64 / 1000.0, part.end_ms as f64 / 1000.0);
        for (new, old) in sounds.iter().enumerate() {
            let new = seconds(new as u64);
            if new > start + 0.03 && new < start + (to - from) - 0.03 {
                let off = (seconds(*old) - from) - (new - start);
                assert!(off.abs() < 0.0125, "{off} s apart");
            }
        }
        start += to - from;
    }
    let end = made.end as f64 / f64::from(made.timescale);
    assert!((cut.plan.audio[0].samples as f64 / 48_000.0 - end).abs() < 0.022, "sound ends with the picture");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn what_is_kept_stays_and_is_seldom_encoded(
        variable in any::<bool>(),
        frames in 60_usize..2000,
        cuts in prop::collection::vec(0.0_f64..1.0, 2..9),
        again in prop::collection::vec(0.0_f64..1.0, 2..5),
    ) {
        let (plan, listed) = planned(variable, frames);
        let keep = |cuts: &[f64], duration_ms: u64| -> Vec<Keep> {
            let mut at: Vec<u64> = cuts.iter().map(|cut| (cut * duration_ms as f64) as u64).collect();
            at.sort_unstable();
            at.chunks_exact(2).map(|two| Keep { start_ms: two[0], end_ms: two[1] }).filter(|part| part.end_ms >= part.start_ms + 200).collect()
        };
        let first = keep(&cuts, plan.duration_ms);
        let Ok(cut) = trim(&plan, &listed, &first) else { return Ok(()) };
        prop_assume!(cut.keep.len() == first.len());
        judge(&plan, &listed, &first, &cut);
        // A cut title can be cut again: what was encoded for it counts as stored.
        let second = keep(&again, cut.plan.duration_ms);
        if let Ok(twice) = trim(&cut.plan, &cut.times, &second)
            && twice.keep.len() == second.len()
        {
            judge(&cut.plan, &cut.times, &second, &twice);
        }
    }
}

#[test]
fn a_cut_costs_the_same_in_a_long_title() {
    let keep = |duration: u64| {
        [(1_300, 17_040), (18_000, duration - 2_260)].map(|(start_ms, end_ms)| Keep { start_ms, end_ms })
    };
    let mut encoded = Vec::new();
    for seconds in [60, 600, 7200] {
        let (plan, listed) = planned(false, seconds * 25);
        let cut = trim(&plan, &listed, &keep(plan.duration_ms)).unwrap();
        let (all, again, ms) = cut.effort();
        assert!(all >= seconds / 5);
        encoded.push((again, ms));
    }
    assert_eq!(encoded[0], encoded[1]);
    assert_eq!(encoded[1], encoded[2]);
    assert_eq!(encoded[0].0, 4, "one piece at each of four ends");
}

#[test]
fn cuts_at_segment_boundaries_encode_nothing() {
    let (plan, listed) = planned(false, 1000);
    let keep = [Keep { start_ms: 4_000, end_ms: 12_000 }, Keep { start_ms: 20_000, end_ms: 40_000 }];
    let cut = trim(&plan, &listed, &keep).unwrap();
    assert_eq!((cut.effort().1, cut.plan.duration_ms), (0, 28_000));
    assert!(cut.pictures.iter().all(|picture| matches!(picture, Picture::Reused(_))));
}

#[test]
fn nonsense_is_refused_in_words() {
    let (plan, listed) = planned(false, 500);
    let part = |start_ms, end_ms| Keep { start_ms, end_ms };
    for (keep, refused) in [
        (vec![], Refused::Number),
        (vec![part(0, 10); 201], Refused::Number),
        (vec![part(5000, 4000)], Refused::Order),
        (vec![part(0, 4000), part(3000, 9000)], Refused::Order),
        (vec![part(5000, 9000), part(0, 4000)], Refused::Order),
        (vec![part(0, 20_500)], Refused::Outside),
        (vec![part(0, u64::MAX)], Refused::Outside),
        (vec![part(0, 200)], Refused::TooShort),
        (vec![part(0, 20_000)], Refused::Nothing),
        (vec![part(0, 10_000), part(10_000, 20_000)], Refused::Nothing),
        (vec![part(5, 19_995)], Refused::Nothing),
    ] {
        assert_eq!(trim(&plan, &listed, &keep), Err(refused), "{keep:?}");
    }
}
