//! Fragments one after the other: no gap, no overlap, growing numbers.

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
