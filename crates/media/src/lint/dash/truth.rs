//! A manifest against its media.

use super::{
    Manifest, Representation, Set,
    addressing::{Addressing, Template},
    manifest::Period,
};
use crate::lint::{
    Place, Report,
    loaded::{Loaded, Media},
    mp4::{Header, Track, codecs, continuity, name},
    number,
    rules::{cmaf, dash as rules},
};

/// A representation with its media.
#[derive(Debug, Clone)]
pub struct Played<'a> {
    pub representation: &'a Representation,
    pub media: Vec<Loaded>,
}

impl Played<'_> {
    fn template(&self) -> Option<&Template> {
        match &self.representation.addressing {
            Addressing::Template(t) | Addressing::List(t) => Some(t),
            _ => None,
        }
    }

    fn header(&self) -> Option<&Header> {
        self.media.iter().find_map(|m| m.header.as_deref())
    }
}

/// Checks a set and its representations.
pub fn check(manifest: &Manifest, period: &Period, set: &Set, played: &[Played<'_>], report: &mut Report) {
    for one in played {
        header(one, report);
        if set.content == "image" {
            images(one, report);
        }
        segments(one, report);
        continuous(one, report);
        coverage(manifest, period, one, report);
        bandwidth(manifest, one, report);
    }
    if set.aligned {
        alignment(set, played, report);
    }
}

fn place(one: &Played<'_>) -> Place {
    one.representation.place.clone()
}

/// What the manifest says about the codec, the picture and the sound, against the header.
fn header(one: &Played<'_>, report: &mut Report) {
    let told = one.representation;
    if one
        .media
        .iter()
        .any(|m| matches!(&m.media, Some(Media::Mp4(s)) if !s.has_header) && m.header.is_none())
    {
        report.add(
            &rules::HEADER_MISSING,
            place(one),
            "its segments have no header, and there is no initialization",
        );
    }
    let Some(header) = one.header() else { return };
    if let Some(list) = &told.codecs {
        let list: Vec<&str> = list.split(',').map(str::trim).collect();
        for track in header.tracks.iter().filter(|t| !list.iter().any(|c| codecs::same(c, &t.entry.codec))) {
            let what = format!("@codecs is `{}`, the header says {}", list.join(","), track.entry.codec);
            report.add(&rules::CODECS_DIFFER, place(one), what);
        }
    }
    protection(one, header, report);
    if let Some(track) = header.of(*b"vide") {
        picture(one, track, report);
    }
    if let Some(rate) = told.sampling_rate
        && let Some(track) = header.of(*b"soun").filter(|t| t.entry.sample_rate > 0)
        && u64::from(track.entry.sample_rate) != rate
        // The rate of SBR is twice that of its core (ISO/IEC 14496-3 §1.6.5).
        && u64::from(track.entry.sample_rate) * 2 != rate
    {
        let what = format!("@audioSamplingRate is {rate}, the header says {}", track.entry.sample_rate);
        report.add(&rules::SAMPLING_RATE_DIFFERS, place(one), what);
    }
}

fn picture(one: &Played<'_>, track: &Track, report: &mut Report) {
    let (told, entry) = (one.representation, &track.entry);
    let size = (u64::from(entry.width), u64::from(entry.height));
    if let Some(stated) = told.width.zip(told.height).filter(|stated| *stated != size) {
        let what =
            format!("@width and @height are {}x{}, the pictures {}x{}", stated.0, stated.1, size.0, size.1);
        report.add(&rules::SIZE_DIFFERS, place(one), what);
    }
    let found = entry.colours().map(|c| (c.range(), u64::from(c.transfer)));
    let wrong = match (told.transfer, found) {
        (Some(told), Some((_, found))) => told != found,
        (None, Some((range, _))) => !range.is_sdr(),
        (_, None) => false,
    };
    if let (true, Some((_, found))) = (wrong, found) {
        let told = told.transfer.map_or_else(|| "not told".to_owned(), |told| told.to_string());
        let what = format!("TransferCharacteristics is {told}, the header says {found}");
        report.add(&rules::TRANSFER_DIFFERS, place(one), what);
    }
    let Some((frames, seconds)) = told.frame_rate.filter(|_| track.timescale > 0) else { return };
    let samples = one.media.iter().filter_map(|m| m.mp4()).flat_map(|(_, s)| s.of(track.id));
    let Some((greatest, mean)) = continuity::frame_rates(samples, track.timescale) else { return };
    let stated = (u128::from(frames) * 1_000_000 / u128::from(seconds)).min(1 << 40) as i64;
    if stated > greatest + greatest / 50 || stated < mean - mean / 50 {
        let what =
            format!("@frameRate is {frames}/{seconds}, the samples have {}", number::seconds(greatest));
        report.add(&rules::FRAME_RATE_DIFFERS, place(one), what);
    }
}

fn protection(one: &Played<'_>, header: &Header, report: &mut Report) {
    let found = header.tracks.iter().find_map(|t| t.entry.protection.as_ref()).filter(|p| p.is_protected);
    let Some(found) = found else { return };
    let scheme = name(found.scheme);
    match &one.representation.protection {
        Some((value, key)) if *value == scheme || value.is_empty() => {
            let hex: String = found.key_id.iter().map(|b| format!("{b:02x}")).collect();
            if let Some(key) = key.as_ref().filter(|key| **key != hex) {
                let what = format!("default_KID is {key}, the header's key ID {hex}");
                report.add(&rules::PROTECTION_KEY, place(one), what);
            }
        }
        Some((value, _)) => {
            let what =
                format!("ContentProtection has the value `{value}`, the header's scheme is `{scheme}`");
            report.add(&rules::PROTECTION_MISSING, place(one), what);
        }
        None => {
            let what = format!("the samples are encrypted by `{scheme}`, and there is no mp4protection");
            report.add(&rules::PROTECTION_MISSING, place(one), what);
        }
    }
}

fn images(one: &Played<'_>, report: &mut Report) {
    for loaded in &one.media {
        let Some(media) = &loaded.media else { continue };
        let told = one.representation.width.zip(one.representation.height);
        let found = if let Media::Image(size) = media { *size } else { None };
        let found = found.map(|(w, h)| (u64::from(w), u64::from(h)));
        if found.is_none() || told.is_some_and(|told| Some(told) != found) {
            let what = format!("@width and @height are {told:?}, the sheet is {found:?}");
            report.add(&rules::THUMBNAILS, Place::whole(&loaded.url), what);
        }
    }
}

/// Times, durations and access points of segments.
fn segments(one: &Played<'_>, report: &mut Report) {
    let Some(template) = one.template() else { return };
    for (entry, loaded) in template.entries.iter().zip(&one.media) {
        let Some((header, segment)) = loaded.mp4() else { continue };
        let Some(track) = header.tracks.first().filter(|t| t.timescale > 0) else { continue };
        let (Some((first, last)), Some((start, _))) = (segment.ends(track.id), segment.shown(track.id))
        else {
            continue;
        };
        let micros = |ticks: i64| number::ticks(ticks, track.timescale);
        let frame = micros(i64::from(first.shortest.max(last.shortest))) + 1000;
        // Segments of one nominal duration may be off by half of it (ISO/IEC 23009-1 §7.2.1).
        let told = number::ticks(entry.duration, template.timescale);
        let slack = if template.has_timeline { frame } else { told / 2 + frame };
        let begins = number::ticks(entry.start, template.timescale);
        // Before or after the edit list, as writers differ.
        let off =
            [start, start.saturating_add(track.shift), first.start_dts].map(|t| (micros(t) - begins).abs());
        let at = || Place::whole(&loaded.url);
        if off.into_iter().min().is_some_and(|off| off > slack) {
            let what = format!(
                "the manifest says {} s, the media begins at {} s",
                number::seconds(begins),
                number::seconds(micros(start))
            );
            report.add(&rules::SEGMENT_TIME, at(), what);
        }
        let lasts = micros(last.end_dts) - micros(first.start_dts);
        let is_last = std::ptr::eq(entry, template.entries.last().unwrap_or(entry));
        if (lasts - told).abs() > slack && (template.has_timeline || !is_last) {
            let what = format!(
                "the manifest says {} s, the media lasts {} s",
                number::seconds(told),
                number::seconds(lasts)
            );
            report.add(&rules::SEGMENT_DURATION, at(), what);
        }
        if let Some(sap) = one.representation.sap.filter(|sap| first.sap == 0 || first.sap > *sap) {
            let what = format!("startWithSAP is {sap}, the segment begins with type {}", first.sap);
            report.add(&rules::SAP_FALSE, at(), what);
        }
    }
}

/// Fragments within segments, and from one segment to the next.
fn continuous(one: &Played<'_>, report: &mut Report) {
    for (n, loaded) in one.media.iter().enumerate() {
        let Some((header, segment)) = loaded.mp4() else { continue };
        continuity::within(header, segment, &loaded.url, report);
        let Some((_, before)) = n.checked_sub(1).and_then(|n| one.media.get(n)).and_then(Loaded::mp4) else {
            continue;
        };
        let Some(track) = header.tracks.first().filter(|t| t.timescale > 0) else { continue };
        let (Some((_, last)), Some((first, _))) = (before.ends(track.id), segment.ends(track.id)) else {
            continue;
        };
        let (gap, disordered) = continuity::between(last, first, track.timescale);
        if gap.abs() > 1000 {
            let what = format!("{} s lie between it and the segment before", number::seconds(gap));
            report.add(&cmaf::TIMELINE_GAP, Place::path(&loaded.url, "moof/traf/tfdt"), what);
        }
        if disordered {
            let what = "its sequence number does not follow that of the segment before";
            report.add(&cmaf::SEQUENCE, Place::path(&loaded.url, "moof/mfhd"), what);
        }
    }
}

/// Segments against maxSegmentDuration and the period.
fn coverage(manifest: &Manifest, period: &Period, one: &Played<'_>, report: &mut Report) {
    let Some(template) = one.template() else { return };
    let spans: Vec<(i64, i64)> = template.entries.iter().map(|e| template.shown(e)).collect();
    let longest = spans.iter().map(|(start, end)| end - start).max().unwrap_or(0);
    // Sheets of thumbnails hold many pictures each; players do not wait for them.
    let is_media = !one.representation.mime.starts_with("image/");
    if let Some(most) = manifest.max_segment.filter(|most| is_media && longest > most + 1000) {
        let what = format!(
            "a segment lasts {} s, maxSegmentDuration is {} s",
            number::seconds(longest),
            number::seconds(most)
        );
        report.add(&rules::MAX_SEGMENT, place(one), what);
    }
    let (Some((start, _)), Some((_, end)), Some(duration)) = (spans.first(), spans.last(), period.duration)
    else {
        return;
    };
    if manifest.dynamic || template.open {
        return;
    }
    let slack = longest.max(1_000_000);
    if *start > 100_000 || end.saturating_add(slack) < duration {
        let seconds = number::seconds;
        let what = format!(
            "its segments last from {} s to {} s of {} s",
            seconds(*start),
            seconds(*end),
            seconds(duration)
        );
        report.add(&rules::PERIOD_COVERED, place(one), what);
    }
    if end.saturating_sub(slack) > duration && template.has_timeline {
        let what = format!(
            "the period lasts {} s, its segments end at {} s",
            number::seconds(duration),
            number::seconds(*end)
        );
        report.add(&rules::DURATION_DIFFERS, place(one), what);
    }
}

/// Over a channel of @bandwidth, when playing begins minBufferTime after the first byte was asked for at any segment, each
/// segment has come before its end (§5.3.5.2).
fn bandwidth(manifest: &Manifest, one: &Played<'_>, report: &mut Report) {
    let (Some(template), Some(buffer)) = (one.template(), manifest.min_buffer) else { return };
    let sizes: Option<Vec<u64>> = one.media.iter().map(|m| m.bytes).collect();
    let Some(sizes) = sizes else {
        report.unchecked("bandwidths were not measured where the sizes of some segments are not known");
        return;
    };
    let told = i128::from(one.representation.bandwidth);
    // In millionths of bits, so that microseconds stay exact.
    let room = told * i128::from(buffer);
    let (mut bits, mut least) = (0i128, i128::MAX);
    for (entry, size) in template.entries.iter().zip(&sizes) {
        let (start, end) = template.shown(entry);
        least = least.min(bits - told * i128::from(start));
        bits += i128::from(*size) * 8_000_000;
        let late = bits - told * i128::from(end) - least - room;
        if late > 0 {
            let what = format!(
                "@bandwidth is {told}, minBufferTime {} s; at {} s {} bits are late",
                number::seconds(buffer),
                number::seconds(start),
                late / 1_000_000
            );
            report.add(&rules::BANDWIDTH, place(one), what);
            return;
        }
    }
}

/// Segments of all representations begin and end together (§5.3.3.2).
fn alignment(set: &Set, played: &[Played<'_>], report: &mut Report) {
    let listed = |one: &Played<'_>| {
        let template = one.template()?;
        Some(template.entries.iter().map(|e| template.shown(e)).collect::<Vec<_>>())
    };
    let mut spans = played.iter().filter_map(|one| Some((one, listed(one)?)));
    let Some((reference, first)) = spans.next() else { return };
    for (one, other) in spans {
        let apart =
            first.iter().zip(&other).position(|(a, b)| (a.0 - b.0).abs() > 1000 || (a.1 - b.1).abs() > 1000);
        if let Some(n) = apart {
            let what = format!(
                "segment {n} begins or ends at another time than that of {}",
                reference.representation.id
            );
            report.add(&rules::ALIGNMENT_FALSE, one.representation.place.clone(), what);
            continue;
        }
        let media = reference.media.iter().zip(&one.media).position(|(a, b)| {
            let shown = |loaded: &Loaded| {
                let (header, segment) = loaded.mp4()?;
                let track = header.tracks.first()?;
                Some(number::ticks(segment.shown(track.id)?.0, track.timescale))
            };
            // What is off by more is told as a wrong time of one of them.
            shown(a).zip(shown(b)).is_some_and(|(a, b)| (2000..20_000).contains(&(a - b).abs()))
        });
        if let Some(n) = media {
            let what = format!(
                "the media of segment {n} begin at another time than those of {}",
                reference.representation.id
            );
            report.add(&rules::ALIGNMENT_FALSE, set.place.clone(), what);
        }
    }
}
