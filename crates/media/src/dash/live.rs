//! The MPD of an event that goes on: a dynamic presentation with a window of segments.

use super::{sets, xml::Element};
use crate::{
    descriptor::Descriptor,
    live::{Rules, Window},
    measure::{self, Piece},
    selection::{Selection, programmes},
    time,
};

const PROFILES: &str = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019";

/// The manifest. `event` tells the tracks, each with what it may need instead of its segments; `windows` are what there is of
/// them, in the same order.
pub fn live_mpd(event: &Descriptor, windows: &[Window<'_>], rules: &Rules, selection: Selection) -> String {
    let target = u64::from(rules.target_s) * 1_000_000;
    let ended = windows.iter().all(|window| window.ended);
    let pieces: Vec<Vec<Piece>> = windows.iter().map(pieces).collect();
    let played = |wanted: &str| {
        let at = event.tracks.iter().position(|track| track.id == wanted)?;
        let track = &event.tracks[at];
        let declared = measure::bandwidth(&measure::segments(track), track.timescale, target / 1000);
        Some(sets::Played {
            track,
            pieces: pieces.get(at)?,
            first: windows.get(at)?.first,
            declared_bps: declared.peak,
        })
    };
    let micros = |window: &Window<'_>| {
        let (first, last) = (window.segments.first(), window.segments.last());
        let end = last.map_or(0, |last| last.start + u64::from(last.duration));
        let start = first.map_or(0, |first| first.start);
        (measure::micros(start, window.timescale), measure::micros(end, window.timescale))
    };
    let start = windows.iter().map(|window| micros(window).0).min().unwrap_or(0);
    let end = windows.iter().map(|window| micros(window).1).max().unwrap_or(0);

    let mut mpd = Element::new("MPD")
        .attr("xmlns", "urn:mpeg:dash:schema:mpd:2011")
        .attr("profiles", PROFILES)
        .attr("type", "dynamic")
        .attr("availabilityStartTime", time::date_time_ms(rules.started_at))
        .attr("publishTime", time::date_time_ms(rules.started_at.saturating_add_unsigned(end)))
        .attr("minBufferTime", time::duration(target))
        .attr("timeShiftBufferDepth", time::duration(end.saturating_sub(start).max(target)))
        .attr("suggestedPresentationDelay", time::duration(target * 3))
        .attr("maxSegmentDuration", time::duration(target));
    mpd = if ended {
        // It stays as it is: what was live becomes a recording of this length (§5.3.1.2).
        mpd.attr("mediaPresentationDuration", time::duration(end))
    } else {
        mpd.attr("minimumUpdatePeriod", time::duration(target))
    };
    let mut period = Element::new("Period").attr("id", "0").attr("start", "PT0S");
    let mut next_id = 0..;
    let mut id = || next_id.next().unwrap_or(0u32);
    let video: Vec<sets::Played<'_>> =
        selection.video(event).iter().filter_map(|track| played(&track.id)).collect();
    for set in sets::video(&video, target / 1000, &mut id) {
        period = period.child(set);
    }
    let audio = selection.audio(event);
    for (n, programme) in programmes(&audio).into_iter().enumerate() {
        for track in &programme.tracks {
            let Some(played) = played(&track.id) else { continue };
            period = period.child(sets::audio(id(), played, &programme.name, n == 0, target / 1000));
        }
    }
    mpd.child(period)
        // The clock of whoever serves the manifest (§5.8.4.11).
        .child(
            Element::new("UTCTiming")
                .attr("schemeIdUri", "urn:mpeg:dash:utc:http-head:2014")
                .attr("value", "main.mpd"),
        )
        .document()
}

fn pieces(window: &Window<'_>) -> Vec<Piece> {
    let piece = |segment: &crate::live::Segment| Piece {
        start: segment.start,
        end: segment.start + u64::from(segment.duration),
        bytes: segment.bytes.into(),
    };
    window.segments.iter().map(piece).collect()
}
