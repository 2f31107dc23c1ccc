//! Fragments one after the other: no gap, no overlap, growing numbers, and how fast frames follow.

use super::{Fragment, Header, Segment};
use crate::lint::{Place, Report, number, rules::cmaf};

/// Microseconds between two fragments, and whether the sequence number fails to grow.
pub fn between(last: &Fragment, first: &Fragment, timescale: u32) -> (i64, bool) {
    let ticks = first.start_dts.saturating_sub(last.end_dts);
    // One tick of rounding is no gap.
    let gap = if ticks.abs() <= 1 { 0 } else { number::ticks(ticks, timescale) };
    (gap, first.sequence <= last.sequence)
}

/// Fragments of one segment, one after the other.
pub fn within(header: &Header, segment: &Segment, url: &str, report: &mut Report) {
    for track in header.tracks.iter().filter(|t| t.timescale > 0) {
        let fragments: Vec<&Fragment> = segment.of(track.id).collect();
        for pair in fragments.windows(2) {
            let (gap, disordered) = between(pair[0], pair[1], track.timescale);
            if gap.abs() > 1000 {
                let what = format!(
                    "{} s lie between fragments {} and {}",
                    number::seconds(gap),
                    pair[0].sequence,
                    pair[1].sequence
                );
                report.add(&cmaf::TIMELINE_GAP, Place::path(url, "moof/traf/tfdt"), what);
            }
            if disordered {
                let what = format!("fragment {} follows {}", pair[1].sequence, pair[0].sequence);
                report.add(&cmaf::SEQUENCE, Place::path(url, "moof/mfhd"), what);
            }
        }
    }
}

/// The greatest and the mean frame rate, in millionths of frames a second; `None` where there are too few samples.
pub fn frame_rates<'a>(fragments: impl Iterator<Item = &'a Fragment>, timescale: u32) -> Option<(i64, i64)> {
    let (mut shortest, mut samples, mut ticks) = (u32::MAX, 0i64, 0i64);
    for fragment in fragments.filter(|f| f.shortest > 0) {
        shortest = shortest.min(fragment.shortest);
        samples += fragment.samples as i64;
        ticks = ticks.saturating_add(fragment.end_dts.saturating_sub(fragment.start_dts));
    }
    let rate = |frames: i64, ticks: i64| {
        let value = i128::from(frames) * 1_000_000 * i128::from(timescale) / i128::from(ticks);
        value.clamp(0, 1 << 50) as i64
    };
    (samples > 1 && ticks > 0).then(|| (rate(1, i64::from(shortest)), rate(samples, ticks)))
}
