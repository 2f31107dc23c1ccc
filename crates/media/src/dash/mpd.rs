//! The MPD: one period, video, audio and thumbnail adaptation sets with numbered segments.

use super::{sets, xml::Element};
use crate::{
    descriptor::{Descriptor, Track},
    measure::{self, Piece},
    selection::{Selection, programmes},
    time,
};

const PROFILES: &str = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019";

/// The manifest. `published_at` is when this version of the descriptor was written (microseconds since the Unix epoch).
///
/// While a presentation grows, the manifest is dynamic and tells the planned duration: a recording in progress, which
/// Shaka Player begins at 0 and lets viewers seek up to what is there. Its availability start lies so far back that
/// whatever is listed is available, and no delay is suggested. (Players that take every dynamic manifest for a live
/// event begin at the end unless they are told a start time.)
pub fn mpd(descriptor: &Descriptor, selection: Selection, published_at: i64) -> String {
    let video = selection.video(descriptor);
    let audio = selection.audio(descriptor);
    let listed =
        |tracks: &[&'_ Track]| tracks.iter().map(|t| measure::segments(t)).collect::<Vec<Vec<Piece>>>();
    let lists: Vec<Vec<Piece>> = listed(&video).into_iter().chain(listed(&audio)).collect();
    let longest = video
        .iter()
        .chain(&audio)
        .zip(&lists)
        .flat_map(|(t, pieces)| pieces.iter().map(|p| measure::micros(p.end - p.start, t.timescale)))
        .max()
        .unwrap_or(0)
        .max(descriptor.longest_segment_ms.saturating_mul(1000));
    let longest_ms = descriptor.longest_segment_ms;
    let duration = video.iter().chain(&audio).map(|t| measure::micros(t.duration(), t.timescale)).max();
    let planned = descriptor.planned_duration_ms.saturating_mul(1000).max(duration.unwrap_or(0));

    let mut mpd = Element::new("MPD")
        .attr("xmlns", "urn:mpeg:dash:schema:mpd:2011")
        .attr("profiles", PROFILES)
        .attr("type", if descriptor.complete { "static" } else { "dynamic" })
        .attr("minBufferTime", time::duration(longest.max(1_000_000)));
    if descriptor.complete {
        mpd = mpd.attr("mediaPresentationDuration", time::duration(duration.unwrap_or(0)));
    } else {
        let back = i64::try_from(descriptor.planned_duration_ms.saturating_mul(1000))
            .unwrap_or(0)
            .saturating_add(DAY);
        mpd = mpd
            .attr("availabilityStartTime", time::date_time(descriptor.created_at.saturating_sub(back)))
            .attr("publishTime", time::date_time(published_at))
            .attr("minimumUpdatePeriod", "PT2S")
            .attr("suggestedPresentationDelay", "PT0S")
            .attr("mediaPresentationDuration", time::duration(planned));
    }
    mpd = mpd.attr("maxSegmentDuration", time::duration(longest.max(1_000_000)));

    let mut period = Element::new("Period").attr("id", "0").attr("start", "PT0S");
    let mut next_id = 0..;
    let mut id = || next_id.next().unwrap_or(0u32);
    let played: Vec<sets::Played<'_>> = video.iter().copied().zip(&lists).map(sets::Played::from).collect();
    for set in sets::video(&played, longest_ms, &mut id) {
        period = period.child(set);
    }
    for (n, programme) in programmes(&audio).into_iter().enumerate() {
        for track in &programme.tracks {
            let pieces = measure::segments(track);
            let played = sets::Played::from((*track, &pieces));
            period = period.child(sets::audio(id(), played, &programme.name, n == 0, longest_ms));
        }
    }
    // Sheets have equal durations and no timeline: in a dynamic manifest they would be there up to the present time.
    let board = descriptor.storyboard.as_ref().filter(|_| descriptor.complete);
    if let Some(board) = board.filter(|b| measure::sheets(b).next().is_some()) {
        period = period.child(sets::thumbnails(id(), board));
    }
    mpd = mpd.child(period);
    if !descriptor.complete {
        // The clock of whoever serves the manifest (§5.8.4.11).
        mpd = mpd.child(
            Element::new("UTCTiming")
                .attr("schemeIdUri", "urn:mpeg:dash:utc:http-head:2014")
                .attr("value", "main.mpd"),
        );
    }
    mpd.document()
}

/// One day in microseconds: clocks that are off by less do no harm.
const DAY: i64 = 86_400 * 1_000_000;
