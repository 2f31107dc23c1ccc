//! Media playlists of events, with and without low latency (RFC 8216bis §4.4.3, §4.4.4, §4.4.5, appendix B).

use std::fmt::Write;

use crate::{
    live::{Newest, Part, Rules, Segment, Window},
    measure, time,
};

/// Parts are told of segments that begin within so many target durations of the end (§4.4.4.9).
const PARTS_WITHIN: u64 = 3;
/// Older segments than this many target durations may be left out of an update (§4.4.3.8: at least six).
const SKIP_BEYOND: u64 = 6;
/// Every so many segments tell their date; of the others it follows from their lengths.
const DATED: u64 = 30;

/// The playlist of a track. With `skip` it tells an update for those who have an older one (§6.2.5.1), where there is enough to leave
/// out. `siblings` are the other tracks.
pub fn live_playlist(window: &Window<'_>, rules: &Rules, skip: bool, siblings: &[Newest<'_>]) -> String {
    let target = u64::from(rules.target_s);
    let mut out = String::with_capacity(512 + window.segments.len() * 64);
    let version = if rules.part_ms.is_some() { 9 } else { 7 };
    let _ = write!(out, "#EXTM3U\n#EXT-X-VERSION:{version}\n#EXT-X-TARGETDURATION:{target}\n");
    control(&mut out, rules);
    let _ = writeln!(out, "#EXT-X-MEDIA-SEQUENCE:{}", window.first);
    if window.breaks > 0 {
        let _ = writeln!(out, "#EXT-X-DISCONTINUITY-SEQUENCE:{}", window.breaks);
    }
    out.push_str("#EXT-X-INDEPENDENT-SEGMENTS\n");
    let skipped = if skip { skippable(window, target) } else { 0 };
    if skipped > 0 {
        let _ = writeln!(out, "#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}");
    } else {
        out.push_str("#EXT-X-MAP:URI=\"init.mp4\"\n");
    }
    let end = end_of(window);
    for (number, segment) in (window.first..).zip(window.segments).skip(skipped) {
        whole(&mut out, (number, segment), window.first + skipped as u64, window, rules, end);
    }
    if !window.ended {
        under_way(&mut out, window, rules, end);
    }
    if window.ended {
        out.push_str("#EXT-X-ENDLIST\n");
    } else {
        reports(&mut out, siblings);
    }
    out
}

/// What players may ask for, and how far from the end they stay (§4.4.3.8).
fn control(out: &mut String, rules: &Rules) {
    let target = rules.target_s;
    let skip = u64::from(target) * SKIP_BEYOND;
    let _ = write!(out, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={skip}.0");
    let _ = write!(out, ",HOLD-BACK={}.0", target * 3);
    match rules.part_ms {
        None => out.push('\n'),
        Some(part) => {
            // At least three parts (§4.4.3.8); a little more, so that a part that comes late is no stall.
            let back = part * 3 + part / 4;
            let _ = writeln!(out, ",PART-HOLD-BACK={}.{:03}", back / 1000, back % 1000);
            let _ = writeln!(out, "#EXT-X-PART-INF:PART-TARGET={}.{:03}", part / 1000, part % 1000);
        }
    }
}

/// Ticks at the end of what is there.
fn end_of(window: &Window<'_>) -> u64 {
    let whole = window.segments.last().map_or(0, |last| last.start + u64::from(last.duration));
    whole + window.open.iter().map(|part| u64::from(part.duration)).sum::<u64>()
}

/// How many segments at the beginning lie before the skip boundary (§4.4.5.2).
fn skippable(window: &Window<'_>, target: u64) -> usize {
    let back = target * SKIP_BEYOND * u64::from(window.timescale);
    let boundary = end_of(window).saturating_sub(back);
    window.segments.partition_point(|segment| segment.start + u64::from(segment.duration) <= boundary)
}

/// `told` is the first segment that this playlist tells.
fn whole(
    out: &mut String,
    (number, segment): (u64, &Segment),
    told: u64,
    window: &Window<'_>,
    rules: &Rules,
    end: u64,
) {
    let dated = number == told || segment.breaks || number.is_multiple_of(DATED);
    begin(out, segment.breaks, dated.then_some(segment.start), window.timescale, rules);
    let recent = u64::from(rules.target_s) * PARTS_WITHIN * u64::from(window.timescale);
    if rules.part_ms.is_some() && segment.start + recent >= end {
        parts(out, number, &segment.parts, window.timescale, segment.start);
    }
    let (from, to) = (segment.start, segment.start + u64::from(segment.duration));
    let _ = writeln!(out, "#EXTINF:{},\n{number}.m4s", measure::seconds(from, to, window.timescale));
}

/// The segment that is being made, and what comes next (§4.4.5.3).
fn under_way(out: &mut String, window: &Window<'_>, rules: &Rules, end: u64) {
    if rules.part_ms.is_none() {
        return;
    }
    let number = window.next();
    if !window.open.is_empty() {
        let start = end - window.open.iter().map(|part| u64::from(part.duration)).sum::<u64>();
        let dated = window.open_breaks || window.segments.is_empty();
        begin(out, window.open_breaks, dated.then_some(start), window.timescale, rules);
        parts(out, number, window.open, window.timescale, start);
    }
    let _ = writeln!(out, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{number}.{}.m4s\"", window.open.len());
}

/// What stands before a segment: a break, and its date (§4.4.4.6) where it is told.
fn begin(out: &mut String, breaks: bool, start: Option<u64>, timescale: u32, rules: &Rules) {
    if breaks {
        out.push_str("#EXT-X-DISCONTINUITY\n");
    }
    let Some(start) = start else { return };
    let at = rules.started_at.saturating_add_unsigned(measure::micros(start, timescale));
    let _ = writeln!(out, "#EXT-X-PROGRAM-DATE-TIME:{}", time::date_time_ms(at));
}

fn parts(out: &mut String, number: u64, parts: &[Part], timescale: u32, start: u64) {
    let mut at = start;
    for (n, part) in parts.iter().enumerate() {
        let next = at + u64::from(part.duration);
        let independent = if part.independent { ",INDEPENDENT=YES" } else { "" };
        let _ = writeln!(
            out,
            "#EXT-X-PART:DURATION={},URI=\"{number}.{n}.m4s\"{independent}",
            measure::seconds(at, next, timescale)
        );
        at = next;
    }
}

/// Where the siblings are (§4.4.5.4).
fn reports(out: &mut String, siblings: &[Newest<'_>]) {
    for Newest { track, segment, part } in siblings {
        let _ = write!(out, "#EXT-X-RENDITION-REPORT:URI=\"../{track}/playlist.m3u8\",LAST-MSN={segment}");
        if let Some(part) = part {
            let _ = write!(out, ",LAST-PART={part}");
        }
        out.push('\n');
    }
}
