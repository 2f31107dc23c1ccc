//! A multivariant playlist against its media, and renditions against one another (RFC 8216bis §4.4.6.2, §6.2.4).

use std::collections::BTreeMap;

use super::{Multivariant, Rendition, Role, multivariant::Variant};
use crate::{
    codec::Colour,
    descriptor::Range,
    lint::{
        Place, Report,
        mp4::{Header, codecs, continuity},
        number,
        rules::hls_media as rules,
    },
};

/// `known` leads from URIs as written to the addresses of `renditions`.
pub fn check(
    all: &Multivariant,
    known: &BTreeMap<String, String>,
    renditions: &[Rendition],
    report: &mut Report,
) {
    let find = |uri: &str| known.get(uri).and_then(|url| renditions.iter().find(|r| r.url == *url));
    for variant in &all.variants {
        let Some(main) = find(&variant.uri) else { continue };
        let mut groups: BTreeMap<&str, Vec<&Rendition>> = BTreeMap::new();
        for other in all.renditions_of(variant) {
            let found = other.uri.as_deref().and_then(find).filter(|r| r.url != main.url);
            groups.entry(&other.kind).or_default().extend(found);
        }
        let place = Place::line(&all.url, variant.line);
        let everything: Vec<&Rendition> =
            std::iter::once(main).chain(groups.values().flatten().copied()).collect();
        formats(variant, &everything, &place, report);
        picture(variant, main, &place, report);
        range(variant, main, &place, report);
        let others: Vec<&Vec<&Rendition>> = groups.values().collect();
        bandwidth(variant, main, &others, &place, report);
    }
    for variant in &all.iframes {
        let Some(main) = find(&variant.uri) else { continue };
        let place = Place::line(&all.url, variant.line);
        formats(variant, &[main], &place, report);
        picture(variant, main, &place, report);
        range(variant, main, &place, report);
        bandwidth(variant, main, &[], &place, report);
    }
    alike(renditions, report);
    timelines(renditions, report);
}

/// The header of the first segment that has one.
fn header(rendition: &Rendition) -> Option<&Header> {
    rendition.media.iter().find_map(|m| m.header.as_deref())
}

/// CODECS against the sample entries.
fn formats(variant: &Variant, renditions: &[&Rendition], place: &Place, report: &mut Report) {
    let told = variant.codecs();
    if told.is_empty() {
        return;
    }
    let readable = |r: &&Rendition| header(r).is_some() || r.role == Role::Subtitles;
    let mut found: Vec<String> = Vec::new();
    for track in renditions.iter().filter_map(|r| header(r)).flat_map(|h| &h.tracks) {
        if !track.entry.codec.is_empty() && !found.contains(&track.entry.codec) {
            found.push(track.entry.codec.clone());
        }
    }
    let family = |codec: &str| codec.split('.').next().unwrap_or_default().to_ascii_lowercase();
    for codec in &found {
        if !told.iter().any(|t| codecs::same(t, codec)) {
            let what = format!("CODECS is \"{}\", a header says {codec}", told.join(","));
            report.add(&rules::CODECS_DIFFER, place.clone(), what);
        }
    }
    if !renditions.iter().all(readable) {
        return;
    }
    for codec in told {
        let text = matches!(family(codec).as_str(), "wvtt" | "stpp");
        let here = found.iter().any(|f| codecs::same(codec, f) || family(f) == family(codec));
        // One that stands for another is told above.
        let stands_for = found.iter().any(|f| {
            codecs::is_video(f) == codecs::is_video(codec)
                && !variant.codecs().iter().any(|t| codecs::same(t, f))
        });
        if !here && !text && !stands_for {
            let what = format!("CODECS has {codec}, the headers have {}", found.join(", "));
            report.add(&rules::CODECS_SUPERFLUOUS, place.clone(), what);
        }
    }
}

/// RESOLUTION and FRAME-RATE against header and samples.
fn picture(variant: &Variant, main: &Rendition, place: &Place, report: &mut Report) {
    let Some(track) = header(main).and_then(|h| h.of(*b"vide")) else { return };
    let entry = &track.entry;
    let (width, height) = (u64::from(entry.width), u64::from(entry.height));
    if let Some(told) = variant.attributes.resolution("RESOLUTION") {
        let (h, v) = entry.aspect.unwrap_or((1, 1));
        let wide = width * u64::from(h) / u64::from(v.max(1));
        let near = told.1 == height && told.0.abs_diff(wide) <= 1;
        if told != (width, height) && !near {
            let what = format!("RESOLUTION is {}x{}, the pictures are {width}x{height}", told.0, told.1);
            report.add(&rules::RESOLUTION_DIFFERS, place.clone(), what);
        }
    }
    let Some(told) = variant.attributes.micros("FRAME-RATE").filter(|_| track.timescale > 0) else { return };
    let fragments = main.media.iter().filter_map(|m| m.mp4()).flat_map(|(_, s)| s.of(track.id));
    // With frames of uneven length, anything from the mean to the greatest rate is believed.
    let Some((greatest, mean)) = continuity::frame_rates(fragments, track.timescale) else { return };
    if told > greatest + greatest / 50 || told < mean - mean / 50 {
        let what = format!(
            "FRAME-RATE is {}, the samples have {}",
            number::seconds(told),
            number::seconds(greatest)
        );
        report.add(&rules::FRAME_RATE_DIFFERS, place.clone(), what);
    }
}

/// VIDEO-RANGE against the colours.
fn range(variant: &Variant, main: &Rendition, place: &Place, report: &mut Report) {
    let Some(track) = header(main).and_then(|h| h.of(*b"vide")) else { return };
    let found = match track.entry.colours().map_or(Range::Sdr, Colour::range) {
        Range::Sdr => "SDR",
        Range::Pq => "PQ",
        Range::Hlg => "HLG",
    };
    let told = variant.attributes.get("VIDEO-RANGE");
    if told.unwrap_or("SDR") != found {
        let what = format!("VIDEO-RANGE is {}, the pictures are {found}", told.unwrap_or("not told"));
        report.add(&rules::VIDEO_RANGE_DIFFERS, place.clone(), what);
    }
}

/// Peak and average bit rate.
#[derive(Clone, Copy, Default)]
struct Rate {
    peak: u64,
    average: u64,
}

/// The peak is the greatest of any run of segments that lasts 0.5 to 1.5 target durations (§4.4.6.2).
fn rate(rendition: &Rendition) -> Option<Rate> {
    let sizes = rendition.sizes()?;
    let playlist = &rendition.playlist;
    let target = playlist.target_micros();
    let (total, lasts) = (sizes.iter().sum::<u64>(), playlist.duration());
    let average = number::bitrate(total, lasts);
    let mut peak = 0;
    for first in 0..sizes.len() {
        let (mut bytes, mut micros) = (0, 0);
        for (size, segment) in sizes[first..].iter().zip(&playlist.segments[first..]) {
            bytes += size;
            micros += segment.duration;
            if micros * 2 > target * 3 {
                break;
            }
            if micros * 2 >= target {
                peak = peak.max(number::bitrate(bytes, micros));
            }
        }
    }
    (lasts > 0).then_some(Rate { peak: if peak == 0 { average } else { peak }, average })
}

/// BANDWIDTH and AVERAGE-BANDWIDTH against the sizes of segments.
fn bandwidth(
    variant: &Variant,
    main: &Rendition,
    groups: &[&Vec<&Rendition>],
    place: &Place,
    report: &mut Report,
) {
    let Some(told) = variant.attributes.integer("BANDWIDTH") else { return };
    let mut total = rate(main);
    let mut complete = main.playlist.ended;
    for group in groups {
        let mut heaviest = Rate::default();
        for other in group.iter() {
            match rate(other) {
                Some(r) => {
                    heaviest.peak = heaviest.peak.max(r.peak);
                    heaviest.average = heaviest.average.max(r.average);
                }
                None => total = None,
            }
            complete &= other.playlist.ended;
        }
        total = total.map(|t| Rate { peak: t.peak + heaviest.peak, average: t.average + heaviest.average });
    }
    let Some(Rate { peak, average }) = total else {
        report.unchecked("bandwidths were not measured where the sizes of some segments are not known");
        return;
    };
    let what = format!("BANDWIDTH is {told}, the measured peak {peak} b/s");
    if peak * 10 > told.saturating_mul(11) {
        report.add(&rules::BANDWIDTH_EXCEEDED, place.clone(), what);
    } else if peak > told.saturating_add(told / 1000) {
        report.add(&rules::BANDWIDTH_BELOW, place.clone(), what);
    } else if complete && told.saturating_mul(10) > peak * 11 + 10_000 {
        report.add(&rules::BANDWIDTH_ABOVE, place.clone(), what);
    }
    if let Some(told) = variant.attributes.integer("AVERAGE-BANDWIDTH").filter(|_| complete)
        && told.abs_diff(average) * 10 > average + 10_000
    {
        let what = format!("AVERAGE-BANDWIDTH is {told}, the measured average {average} b/s");
        report.add(&rules::AVERAGE_DIFFERS, place.clone(), what);
    }
}

/// What must be alike in all playlists (§6.2.4).
fn alike(renditions: &[Rendition], report: &mut Report) {
    let playing: Vec<&Rendition> = renditions
        .iter()
        .filter(|r| matches!(r.role, Role::Variant | Role::Audio | Role::Video))
        .filter(|r| !r.playlist.segments.is_empty())
        .collect();
    let Some((first, rest)) = playing.split_first() else { return };
    for other in rest {
        let (a, b) = (&first.playlist, &other.playlist);
        let place = || Place::whole(&other.url);
        if a.target != b.target && b.target.is_some() {
            let what = format!(
                "the target duration is {}, that of {} is {}",
                b.target.unwrap_or(0),
                first.url,
                a.target.unwrap_or(0)
            );
            report.add(&rules::TARGETS_DIFFER, place(), what);
        }
        if a.kind != b.kind {
            let what = format!("the type is {:?}, that of {} is {:?}", b.kind, first.url, a.kind);
            report.add(&rules::TYPES_DIFFER, place(), what);
        }
        if a.ended != b.ended {
            let what = format!("ended: {}, {} ended: {}", b.ended, first.url, a.ended);
            report.add(&rules::ENDS_DIFFER, place(), what);
        }
        if !(a.ended && b.ended) {
            continue;
        }
        let off = (a.duration() - b.duration()).abs();
        if off > a.target_micros().max(b.target_micros()) {
            let seconds = number::seconds;
            let what = format!(
                "it lasts {} s, {} lasts {} s",
                seconds(b.duration()),
                first.url,
                seconds(a.duration())
            );
            report.add(&rules::DURATIONS_DIFFER, place(), what);
        }
        let count = |p: &super::MediaPlaylist| p.discontinuities().last().copied().unwrap_or(0);
        if count(a) != count(b) {
            let what = format!("it has {} discontinuities, {} has {}", count(b), first.url, count(a));
            report.add(&rules::DISCONTINUITIES_DIFFER, place(), what);
        }
    }
}

/// Where the first segment that was read lies on the media's timeline, less its place in the playlist; microseconds.
fn offset(rendition: &Rendition) -> Option<i64> {
    let starts = rendition.playlist.starts();
    rendition.media.iter().enumerate().find_map(|(n, loaded)| {
        let (header, segment) = loaded.mp4()?;
        let track = header.of(*b"vide").or(header.of(*b"soun"))?;
        let (start, _) = segment.shown(track.id)?;
        Some(number::ticks(start, track.timescale) - starts.get(n)?)
    })
}

/// Boundaries of video, and one timeline for all.
fn timelines(renditions: &[Rendition], report: &mut Report) {
    let comparable = |r: &&Rendition| {
        matches!(r.role, Role::Variant | Role::Audio | Role::Video)
            && r.playlist.sequence == 0
            && offset(r).is_some()
    };
    let mut playing = renditions.iter().filter(comparable);
    let Some(first) = playing.next() else { return };
    for other in playing {
        let (a, b) = (offset(first).unwrap_or(0), offset(other).unwrap_or(0));
        if (a - b).abs() > 500_000 {
            let what = format!(
                "its media are {} s from those of {} at the same place",
                number::seconds(b - a),
                first.url
            );
            report.add(&rules::TIMESTAMPS_DIFFER, Place::whole(&other.url), what);
        }
    }
    let is_video =
        |r: &&Rendition| r.role == Role::Variant && header(r).is_some_and(|h| h.of(*b"vide").is_some());
    let mut video = renditions.iter().filter(is_video);
    let Some(first) = video.next() else { return };
    for other in video {
        boundaries(first, other, report);
    }
}

fn boundaries(first: &Rendition, other: &Rendition, report: &mut Report) {
    let (a, b) = (&first.playlist, &other.playlist);
    let place = Place::whole(&other.url);
    if a.sequence != b.sequence {
        return;
    }
    if a.ended && b.ended && a.segments.len() != b.segments.len() {
        let what = format!("it has {} segments, {} has {}", b.segments.len(), first.url, a.segments.len());
        report.add(&rules::BOUNDARIES_DIFFER, place, what);
        return;
    }
    let start = |r: &Rendition, n: usize| {
        let (header, segment) = r.media.get(n)?.mp4()?;
        let track = header.of(*b"vide")?;
        Some((
            number::ticks(segment.shown(track.id)?.0, track.timescale),
            segment.ends(track.id)?.0.shortest,
            track.timescale,
        ))
    };
    for n in 0..a.segments.len().min(b.segments.len()) {
        let (Some((x, frame, timescale)), Some((y, ..))) = (start(first, n), start(other, n)) else {
            continue;
        };
        // A jump of the whole timeline is told by itself.
        if (x - y).abs() > number::ticks(i64::from(frame), timescale) / 2 + 1000 && (x - y).abs() < 500_000 {
            let what = format!("segment {n} begins {} s from that of {}", number::seconds(y - x), first.url);
            report.add(&rules::BOUNDARIES_DIFFER, place, what);
            return;
        }
    }
}
