//! Low latency: parts, delivery directives, hints (RFC 8216bis §4.4.3.7 to §4.4.5.4, appendix B.1), as far as one load of
//! a playlist shows.

use super::{
    media::MediaPlaylist,
    text::{Line, Text},
};
use crate::lint::{Place, Report, number, rules::hls_live as rules};

pub fn check(text: &Text, playlist: &MediaPlaylist, report: &mut Report) {
    server_control(text, playlist, report);
    if text.has("EXT-X-PART") {
        parts(text, playlist, report);
    }
    if let Some((line, ..)) = text.first("EXT-X-SKIP").filter(|_| !text.url.contains("_HLS_skip=")) {
        let what = "it has EXT-X-SKIP, though no delta update was asked for";
        report.add(&rules::SKIP, text.place(line), what);
    }
    for kind in ["PART", "MAP"] {
        let hints: Vec<usize> = text
            .all("EXT-X-PRELOAD-HINT")
            .filter(|(_, _, a)| a.get("TYPE") == Some(kind))
            .map(|h| h.0)
            .collect();
        if let [_, second, ..] = hints[..] {
            report.add(
                &rules::PRELOAD_HINT,
                text.place(second),
                format!("there are {} hints of TYPE={kind}", hints.len()),
            );
        } else if let ([line], true) = (&hints[..], playlist.ended) {
            report.add(
                &rules::PRELOAD_HINT,
                text.place(*line),
                "it hints at more, though the playlist has ended",
            );
        }
    }
    for (line, _, attributes) in text.all("EXT-X-RENDITION-REPORT") {
        if let Some(uri) = attributes.get("URI").filter(|uri| uri.contains("://")) {
            report.add(&rules::RENDITION_REPORT, text.place(line), format!("`{uri}` is absolute"));
        }
    }
}

fn server_control(text: &Text, playlist: &MediaPlaylist, report: &mut Report) {
    let has_parts = text.has("EXT-X-PART-INF") || text.has("EXT-X-PART");
    let control = text.first("EXT-X-SERVER-CONTROL");
    let place = control.map_or(Place::whole(&text.url), |(line, ..)| text.place(line));
    let micros = |name: &str| control.and_then(|(_, _, a)| a.micros(name));
    let yes = |name: &str| control.is_some_and(|(_, _, a)| a.yes(name));
    let seconds = number::seconds;
    let target = playlist.target_micros();
    if let Some(hold) = micros("HOLD-BACK").filter(|hold| *hold < 3 * target) {
        let what =
            format!("HOLD-BACK is {} s, three target durations are {} s", seconds(hold), seconds(3 * target));
        report.add(&rules::HOLD_BACK, place.clone(), what);
    }
    match micros("CAN-SKIP-UNTIL") {
        Some(skip) if skip < 6 * target => {
            let what = format!(
                "CAN-SKIP-UNTIL is {} s, six target durations are {} s",
                seconds(skip),
                seconds(6 * target)
            );
            report.add(&rules::CAN_SKIP, place.clone(), what);
        }
        None if yes("CAN-SKIP-DATERANGES") => {
            report.add(&rules::CAN_SKIP, place.clone(), "CAN-SKIP-DATERANGES stands without CAN-SKIP-UNTIL");
        }
        _ => {}
    }
    if !has_parts {
        return;
    }
    let target = playlist.part_target.unwrap_or(0);
    match micros("PART-HOLD-BACK") {
        None => report.add(&rules::PART_HOLD_BACK, place.clone(), "there are parts, and no PART-HOLD-BACK"),
        Some(hold) if hold < 2 * target => {
            let what = format!("PART-HOLD-BACK is {} s, PART-TARGET {} s", seconds(hold), seconds(target));
            report.add(&rules::PART_HOLD_BACK, place.clone(), what);
        }
        Some(hold) if hold < 3 * target => {
            let what = format!("PART-HOLD-BACK is {} s, PART-TARGET {} s", seconds(hold), seconds(target));
            report.add(&rules::PART_HOLD_BACK_SHORT, place.clone(), what);
        }
        Some(_) => {}
    }
    if !yes("CAN-BLOCK-RELOAD") && !playlist.ended {
        report.add(&rules::CAN_BLOCK, place, "there are parts, and CAN-BLOCK-RELOAD is not YES");
    }
}

fn parts(text: &Text, playlist: &MediaPlaylist, report: &mut Report) {
    let Some(target) = playlist.part_target else {
        if !text.has("EXT-X-PART-INF") {
            report.add(&rules::PART_INF, Place::whole(&text.url), "there are parts, and no EXT-X-PART-INF");
        }
        return;
    };
    let seconds = number::seconds;
    // A part is the last of its segment when a URI follows before another part.
    let lines = &text.lines;
    for (n, (line, found)) in lines.iter().enumerate() {
        let Line::Tag { name: "EXT-X-PART", attributes, .. } = found else { continue };
        let Some(duration) = attributes.micros("DURATION") else { continue };
        let next = lines[n + 1..].iter().find_map(|(_, line)| match line {
            Line::Tag { name: "EXT-X-PART", .. } => Some(true),
            Line::Uri(_) => Some(false),
            Line::Tag { .. } => None,
        });
        if duration > target {
            let what =
                format!("the part lasts {} s, PART-TARGET is {} s", seconds(duration), seconds(target));
            report.add(&rules::PART_DURATION, text.place(*line), what);
        } else if next == Some(true)
            && duration.saturating_mul(100) < target.saturating_mul(85)
            && !attributes.yes("GAP")
        {
            let what =
                format!("the part lasts {} s, PART-TARGET is {} s", seconds(duration), seconds(target));
            report.add(&rules::PART_SHORT, text.place(*line), what);
        }
    }
    for segment in playlist.segments.iter().filter(|s| !s.parts.is_empty()) {
        let sum: i64 = segment.parts.iter().fold(0, |a, b| a.saturating_add(*b));
        if sum.saturating_sub(segment.duration).saturating_abs() > 50_000 {
            let what =
                format!("its parts last {} s, the segment {} s", seconds(sum), seconds(segment.duration));
            report.add(&rules::PART_SUM, text.place(segment.line), what);
        }
    }
}
