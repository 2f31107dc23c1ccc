//! Adaptation sets: one for each video codec and range, one for each audio track, one for preview sheets.

use super::{channels, xml::Element};
use crate::{
    codec::Family,
    descriptor::{Range, Storyboard, Track, TrackKind},
    measure::{self, Piece},
    selection::families,
    time,
};

/// A track with its segments.
#[derive(Clone, Copy)]
pub struct Played<'a> {
    pub track: &'a Track,
    pub pieces: &'a [Piece],
    /// Number of the first of them.
    pub first: u64,
    /// What it may need, bits per second, whatever the pieces do.
    pub declared_bps: u64,
    /// Of an event of low latency.
    pub early: Option<Early>,
}

/// Segments that can be asked for while they are being made, and come part by part.
#[derive(Clone, Copy)]
pub struct Early {
    /// How much earlier than when they are whole, milliseconds.
    pub by_ms: u32,
    /// When media time was 0: microseconds since the Unix epoch.
    pub started_at: i64,
}

/// The clock that times are told by: its readings stand in the chunks as well (ISO/IEC 23009-1 §5.12).
fn reference_time(early: Early) -> Element {
    Element::new("ProducerReferenceTime")
        .attr("id", REFERENCE_TIME)
        .attr("inband", true)
        .attr("type", "encoder")
        .attr("wallClockTime", time::date_time_ms(early.started_at))
        .attr("presentationTime", 0)
        .child(clock())
}

/// What latency is counted from.
pub const REFERENCE_TIME: u32 = 0;

/// The clock of whoever serves the manifest, to the millisecond (§5.8.4.11).
pub fn clock() -> Element {
    property("UTCTiming", "urn:mpeg:dash:utc:http-iso:2014", "time.txt")
}

impl<'a> From<(&'a Track, &'a Vec<Piece>)> for Played<'a> {
    fn from((track, pieces): (&'a Track, &'a Vec<Piece>)) -> Self {
        Self { track, pieces, first: 0, declared_bps: 0, early: None }
    }
}

/// Sets of `played`, which are ordered by codec. Players may go from a set to those of the same range whose segments begin
/// and end together (ISO/IEC 23009-1 §5.3.3.5).
pub fn video(played: &[Played<'_>], longest_ms: u64, id: &mut impl FnMut() -> u32) -> Vec<Element> {
    let tracks: Vec<&Track> = played.iter().map(|p| p.track).collect();
    let mut sets: Vec<(u32, Option<Family>, Range, Vec<Played<'_>>)> = Vec::new();
    for family in families(&tracks) {
        for range in [Range::Sdr, Range::Hlg, Range::Pq] {
            let of = |p: &&Played<'_>| (p.track.family(), p.track.range()) == (family, range);
            let members: Vec<Played<'_>> = played.iter().filter(of).copied().collect();
            if !members.is_empty() {
                sets.push((id(), family, range, members));
            }
        }
    }
    let many = sets.len() > 1;
    let made = sets.iter().enumerate().map(|(n, (id, _, range, members))| {
        let switches = |(other, _, r, list): &&(u32, Option<Family>, Range, Vec<Played<'_>>)| {
            other != id && r == range && aligned(members.iter().chain(list))
        };
        let others: Vec<String> = sets.iter().filter(switches).map(|(id, ..)| id.to_string()).collect();
        video_set(*id, members, *range, &others, many.then_some(n + 1), longest_ms)
    });
    made.collect()
}

/// Whether all have the same segments, up to the end of the shortest.
fn aligned<'a>(played: impl Iterator<Item = &'a Played<'a>> + Clone) -> bool {
    let boundaries = |p: &'a Played<'a>| {
        p.pieces.iter().map(|piece| {
            (measure::micros(piece.start, p.track.timescale), measure::micros(piece.end, p.track.timescale))
        })
    };
    let Some(first) = played.clone().next() else { return true };
    played.into_iter().all(|other| boundaries(first).zip(boundaries(other)).all(|(a, b)| a == b))
}

/// `priority` tells which codec to prefer where there is a choice.
fn video_set(
    id: u32,
    played: &[Played<'_>],
    range: Range,
    switch_to: &[String],
    priority: Option<usize>,
    longest_ms: u64,
) -> Element {
    let size = |t: &Track| match t.kind {
        TrackKind::Video { width, height, .. } => (width, height),
        TrackKind::Audio { .. } => (0, 0),
    };
    let width = played.iter().map(|p| size(p.track).0).max();
    let height = played.iter().map(|p| size(p.track).1).max();
    // A timeline that all rungs share is told once.
    let same = |a: &[Piece], b: &[Piece]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a.start, a.end) == (b.start, b.end))
    };
    let shared = played
        .windows(2)
        .all(|p| p[0].track.timescale == p[1].track.timescale && same(p[0].pieces, p[1].pieces));
    let mut set = adaptation_set(id, "video", "video/mp4")
        .attr("startWithSAP", 1)
        .maybe("selectionPriority", priority)
        .maybe("maxWidth", width)
        .maybe("maxHeight", height);
    for (name, value) in cicp(range) {
        let scheme = format!("urn:mpeg:mpegB:cicp:{name}");
        set = set.child(property("EssentialProperty", &scheme, value));
    }
    if !switch_to.is_empty() {
        let scheme = "urn:mpeg:dash:adaptation-set-switching:2016";
        set = set.child(property("SupplementalProperty", scheme, switch_to.join(",")));
    }
    let first = played.first();
    set = set.children(first.and_then(|first| first.early).map(reference_time));
    if let (true, Some(first)) = (shared, first) {
        set = set.child(template(*first));
    }
    set.children(played.iter().map(|played| {
        let (width, height) = size(played.track);
        let mut representation = representation(*played, longest_ms)
            .attr("width", width)
            .attr("height", height)
            .attr("sar", "1:1");
        if let TrackKind::Video { frame_rate: (numerator, denominator), .. } = played.track.kind {
            let text =
                if denominator == 1 { numerator.to_string() } else { format!("{numerator}/{denominator}") };
            representation = representation.attr("frameRate", text);
        }
        if shared { representation } else { representation.child(template(*played)) }
    }))
}

/// Code points of ISO/IEC 23091-2 that players must know, so that none shows such pictures by mistake (DASH-IF IOP part 7):
/// ITU-R BT.2100 with PQ or HLG.
fn cicp(range: Range) -> Vec<(&'static str, u8)> {
    let transfer = match range {
        Range::Sdr => return Vec::new(),
        Range::Pq => 16,
        Range::Hlg => 18,
    };
    vec![("ColourPrimaries", 9), ("TransferCharacteristics", transfer), ("MatrixCoefficients", 9)]
}

/// The set of one audio track; `main` when it is of the programme that is played unless the viewer chooses.
pub fn audio(id: u32, played: Played<'_>, name: &str, main: bool, longest_ms: u64) -> Element {
    let track = played.track;
    let (sample_rate, channels, joc) = match track.kind {
        TrackKind::Audio { sample_rate, channels, joc } => (sample_rate, channels, joc),
        TrackKind::Video { .. } => (0, 0, None),
    };
    let properties = joc.into_iter().flat_map(|objects| {
        let scheme = |name: &str| format!("tag:dolby.com,2018:dash:EC3_Extension{name}:2018");
        [
            property("SupplementalProperty", &scheme("Type"), "JOC"),
            property("SupplementalProperty", &scheme("ComplexityIndex"), objects),
        ]
    });
    adaptation_set(id, "audio", "audio/mp4")
        .maybe("lang", measure::language(track))
        .attr("startWithSAP", 1)
        .child(Element::new("Label").text(name))
        .children(played.early.map(reference_time))
        .child(
            Element::new("Role")
                .attr("schemeIdUri", "urn:mpeg:dash:role:2011")
                .attr("value", if main { "main" } else { "alternate" }),
        )
        .child(template(played))
        .child(
            representation(played, longest_ms)
                .attr("audioSamplingRate", sample_rate)
                .children(channels::configurations(track.family(), channels))
                .children(properties),
        )
}

/// Preview sheets (DASH-IF IOP 4.3 §6.2.6).
pub fn thumbnails(id: u32, board: &Storyboard) -> Element {
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

pub fn property(kind: &'static str, scheme: &str, value: impl ToString) -> Element {
    Element::new(kind).attr("schemeIdUri", scheme).attr("value", value)
}

fn adaptation_set(id: u32, content: &str, mime: &str) -> Element {
    Element::new("AdaptationSet")
        .attr("id", id)
        .attr("contentType", content)
        .attr("mimeType", mime)
        .attr("segmentAlignment", "true")
}

fn representation(Played { track, pieces, declared_bps, .. }: Played<'_>, longest_ms: u64) -> Element {
    let peak = measure::bandwidth(pieces, track.timescale, longest_ms).peak;
    Element::new("Representation")
        .attr("id", &track.id)
        .attr("codecs", &track.codec)
        .attr("bandwidth", peak.max(declared_bps).max(1))
}

fn template(Played { track, pieces, first, early, .. }: Played<'_>) -> Element {
    let media = if early.is_some() {
        "$RepresentationID$/$Number$.chunks.m4s"
    } else {
        "$RepresentationID$/$Number$.m4s"
    };
    let offset = early.map(|early| format!("{}.{:03}", early.by_ms / 1000, early.by_ms % 1000));
    Element::new("SegmentTemplate")
        .attr("timescale", track.timescale)
        .maybe("availabilityTimeOffset", offset)
        .maybe("availabilityTimeComplete", early.map(|_| false))
        .attr("initialization", "$RepresentationID$/init.mp4")
        .attr("media", media)
        .attr("startNumber", first)
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
