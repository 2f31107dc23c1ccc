//! The MPD: one period, video, audio and thumbnail adaptation sets with numbered segments.

use super::{time, xml::Element};
use crate::{
    descriptor::{Descriptor, Storyboard, Track, TrackKind},
    measure::{self, Piece},
};

const PROFILES: &str = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019";

/// The manifest. `cap` is the largest short side that is shown; `published_at` when this version of the descriptor was
/// written (microseconds since the Unix epoch).
///
/// While a presentation grows, the manifest is dynamic and tells the planned duration: a recording in progress, which
/// Shaka Player begins at 0 and lets viewers seek up to what is there. Its availability start lies so far back that
/// whatever is listed is available, and no delay is suggested. (Players that take every dynamic manifest for a live
/// event begin at the end unless they are told a start time.)
pub fn mpd(descriptor: &Descriptor, cap: Option<u32>, published_at: i64) -> String {
    let video = measure::video_tracks(descriptor, cap);
    let audio = measure::audio_tracks(descriptor);
    let lists: Vec<Vec<Piece>> = video.iter().chain(&audio).map(|t| measure::segments(t)).collect();
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
    if !video.is_empty() {
        period = period.child(video_set(id(), &video, &lists, longest_ms));
    }
    let names = measure::labels(&audio);
    for ((n, track), (pieces, name)) in audio.iter().enumerate().zip(lists[video.len()..].iter().zip(&names))
    {
        period = period.child(audio_set(id(), (track, pieces), name, n == 0, longest_ms));
    }
    // Sheets have equal durations and no timeline: in a dynamic manifest they would be there up to the present time.
    let board = descriptor.storyboard.as_ref().filter(|_| descriptor.complete);
    if let Some(board) = board.filter(|b| measure::sheets(b).next().is_some()) {
        period = period.child(thumbnail_set(id(), board));
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

fn video_set(id: u32, tracks: &[&Track], lists: &[Vec<Piece>], longest_ms: u64) -> Element {
    let size = |t: &Track| match t.kind {
        TrackKind::Video { width, height, .. } => (width, height),
        TrackKind::Audio { .. } => (0, 0),
    };
    let width = tracks.iter().map(|t| size(t).0).max();
    let height = tracks.iter().map(|t| size(t).1).max();
    // A timeline that all rungs share is told once.
    let same = |a: &[Piece], b: &[Piece]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a.start, a.end) == (b.start, b.end))
    };
    let shared = tracks.windows(2).all(|t| t[0].timescale == t[1].timescale)
        && lists[..tracks.len()].windows(2).all(|l| same(&l[0], &l[1]));
    let mut set = adaptation_set(id, "video", "video/mp4")
        .attr("startWithSAP", 1)
        .maybe("maxWidth", width)
        .maybe("maxHeight", height);
    if let (true, Some(track)) = (shared, tracks.first()) {
        set = set.child(template(track, &lists[0]));
    }
    set.children(tracks.iter().zip(lists).map(|(track, pieces)| {
        let (width, height) = size(track);
        let mut representation = representation(track, pieces, longest_ms)
            .attr("width", width)
            .attr("height", height)
            .attr("sar", "1:1");
        if let TrackKind::Video { frame_rate: (numerator, denominator), .. } = track.kind {
            let text =
                if denominator == 1 { numerator.to_string() } else { format!("{numerator}/{denominator}") };
            representation = representation.attr("frameRate", text);
        }
        if shared { representation } else { representation.child(template(track, pieces)) }
    }))
}

fn audio_set(
    id: u32,
    (track, pieces): (&Track, &[Piece]),
    name: &str,
    main: bool,
    longest_ms: u64,
) -> Element {
    let (sample_rate, channels) = match track.kind {
        TrackKind::Audio { sample_rate, channels } => (sample_rate, channels),
        TrackKind::Video { .. } => (0, 0),
    };
    adaptation_set(id, "audio", "audio/mp4")
        .maybe("lang", measure::language(track))
        .attr("startWithSAP", 1)
        .child(Element::new("Label").text(name))
        .child(
            Element::new("Role")
                .attr("schemeIdUri", "urn:mpeg:dash:role:2011")
                .attr("value", if main { "main" } else { "alternate" }),
        )
        .child(template(track, pieces))
        .child(
            representation(track, pieces, longest_ms).attr("audioSamplingRate", sample_rate).child(
                Element::new("AudioChannelConfiguration")
                    .attr("schemeIdUri", "urn:mpeg:dash:23003:3:audio_channel_configuration:2011")
                    .attr("value", channels),
            ),
        )
}

/// Preview sheets (DASH-IF IOP 4.3 §6.2.6).
fn thumbnail_set(id: u32, board: &Storyboard) -> Element {
    let per_sheet = u64::from(board.columns) * u64::from(board.rows);
    let sheet_ms = u64::from(board.interval_ms.max(1)).saturating_mul(per_sheet);
    let peak = measure::sheets(board)
        .map(|(_, _, bytes)| bytes.saturating_mul(8000) / sheet_ms.max(1))
        .max()
        .unwrap_or(1);
    let template = Element::new("SegmentTemplate")
        .attr("media", "storyboard/$Number$.jpg")
        .attr("timescale", 1000)
        .attr("duration", sheet_ms)
        .attr("startNumber", 1)
        // Sound may go on a little after the last picture; there is no sheet for that.
        .attr("endNumber", measure::sheets(board).count());
    adaptation_set(id, "image", "image/jpeg").child(template).child(
        Element::new("Representation")
            .attr("id", "storyboard")
            .attr("bandwidth", peak.max(1))
            .attr("width", u64::from(board.tile_width) * u64::from(board.columns))
            .attr("height", u64::from(board.tile_height) * u64::from(board.rows))
            .child(
                Element::new("EssentialProperty")
                    .attr("schemeIdUri", "http://dashif.org/guidelines/thumbnail_tile")
                    .attr("value", format!("{}x{}", board.columns, board.rows)),
            ),
    )
}

fn adaptation_set(id: u32, content: &str, mime: &str) -> Element {
    Element::new("AdaptationSet")
        .attr("id", id)
        .attr("contentType", content)
        .attr("mimeType", mime)
        .attr("segmentAlignment", "true")
}

fn representation(track: &Track, pieces: &[Piece], longest_ms: u64) -> Element {
    Element::new("Representation")
        .attr("id", &track.id)
        .attr("codecs", &track.codec)
        .attr("bandwidth", measure::bandwidth(pieces, track.timescale, longest_ms).peak.max(1))
}

fn template(track: &Track, pieces: &[Piece]) -> Element {
    Element::new("SegmentTemplate")
        .attr("timescale", track.timescale)
        .attr("initialization", "$RepresentationID$/init.mp4")
        .attr("media", "$RepresentationID$/$Number$.m4s")
        .attr("startNumber", 0)
        .child(timeline(pieces))
}

/// Runs of equal durations become one line (§5.3.9.6).
fn timeline(pieces: &[Piece]) -> Element {
    let mut timeline = Element::new("SegmentTimeline");
    let mut rest = pieces;
    while let Some(first) = rest.first() {
        let length = first.end - first.start;
        let run = rest.iter().take_while(|p| p.end - p.start == length).count();
        let start = (rest.len() == pieces.len()).then_some(first.start);
        let repeats = (run > 1).then(|| run - 1);
        timeline = timeline.child(Element::new("S").maybe("t", start).attr("d", length).maybe("r", repeats));
        rest = &rest[run..];
    }
    timeline
}
