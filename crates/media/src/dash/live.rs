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

/// Segments that are told before they are whole, where there is low latency: the one that is being made, and the next. What is told is
/// good until the manifest is asked for again.
const AHEAD: usize = 2;
/// Of so many of the newest segments the longest tells how long they will be: a player that expects too much of one finds the next.
const LIKE: usize = 4;

/// The manifest, of low latency where `rules` have parts. `event` tells the tracks, each with what it may need instead of its segments; `windows` are what there is of
/// them, in the same order.
pub fn live_mpd(event: &Descriptor, windows: &[Window<'_>], rules: &Rules, selection: Selection) -> String {
    let target = u64::from(rules.target_s) * 1_000_000;
    let ended = windows.iter().all(|window| window.ended);
    let part = rules.part_ms.filter(|_| !ended);
    let ahead = if part.is_some() { AHEAD } else { 0 };
    let pieces: Vec<Vec<Piece>> = windows.iter().map(|window| pieces(window, ahead)).collect();
    let early = part.map(|part| sets::Early {
        by_ms: (rules.target_s * 1000).saturating_sub(part),
        started_at: rules.started_at,
    });
    let played = |wanted: &str| {
        let at = event.tracks.iter().position(|track| track.id == wanted)?;
        let track = &event.tracks[at];
        let declared = measure::bandwidth(&measure::segments(track), track.timescale, target / 1000);
        Some(sets::Played {
            track,
            pieces: pieces.get(at)?,
            first: windows.get(at)?.first,
            declared_bps: declared.peak,
            early,
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

    let delay = part.map_or(target * 3, |part| u64::from(part) * 1000 * LEAST_BEHIND);
    let mut mpd = Element::new("MPD")
        .attr("xmlns", "urn:mpeg:dash:schema:mpd:2011")
        .attr("profiles", PROFILES)
        .attr("type", "dynamic")
        .attr("availabilityStartTime", time::date_time_ms(rules.started_at))
        .attr("publishTime", time::date_time_ms(rules.started_at.saturating_add_unsigned(end)))
        .attr("minBufferTime", time::duration(target))
        .attr("timeShiftBufferDepth", time::duration(end.saturating_sub(start).max(target * LEAST_WINDOW)))
        .attr("suggestedPresentationDelay", time::duration(delay))
        .attr("maxSegmentDuration", time::duration(target));
    mpd = if ended {
        // It stays as it is: what was live becomes a recording of this length (§5.3.1.2).
        mpd.attr("mediaPresentationDuration", time::duration(end))
    } else {
        mpd.attr("minimumUpdatePeriod", time::duration(target))
    };
    if let Some(part) = part {
        mpd = mpd.child(service(part.into(), target / 1000));
    }
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
    mpd = mpd.child(period);
    if part.is_some() {
        mpd = mpd.child(sets::clock());
    }
    // The clock of whoever serves the manifest (§5.8.4.11).
    mpd.child(sets::property("UTCTiming", "urn:mpeg:dash:utc:http-head:2014", "main.mpd")).document()
}

/// Target durations that can be gone back at least, as far as the event has lasted: players that are told of less come nearer to the
/// present than it is meant.
const LEAST_WINDOW: u64 = 6;
/// Parts that a viewer is behind the present: the least, and as many again for a network that hesitates.
const LEAST_BEHIND: u64 = 3;
const PARTS_BEHIND: u64 = 2 * LEAST_BEHIND;

/// How far behind the present it is meant to be watched, milliseconds, and how fast that may be mended (§K.3).
fn service(part_ms: u64, target_ms: u64) -> Element {
    let latency = Element::new("Latency")
        .attr("referenceId", sets::REFERENCE_TIME)
        .attr("target", part_ms * PARTS_BEHIND)
        .attr("min", part_ms * LEAST_BEHIND)
        .attr("max", target_ms * 3);
    let rate = Element::new("PlaybackRate").attr("min", "0.96").attr("max", "1.04");
    Element::new("ServiceDescription").attr("id", 0).child(latency).child(rate)
}

/// The whole segments, and so many that will follow.
fn pieces(window: &Window<'_>, ahead: usize) -> Vec<Piece> {
    let piece = |segment: &crate::live::Segment| Piece {
        start: segment.start,
        end: segment.start + u64::from(segment.duration),
        bytes: segment.bytes.into(),
    };
    let mut pieces: Vec<Piece> = window.segments.iter().map(piece).collect();
    let like = window.segments.iter().rev().take(LIKE).map(|segment| u64::from(segment.duration)).max();
    for _ in 0..ahead {
        let (Some(last), Some(like)) = (pieces.last(), like) else { break };
        pieces.push(Piece { start: last.end, end: last.end + like, bytes: 0 });
    }
    pieces
}
