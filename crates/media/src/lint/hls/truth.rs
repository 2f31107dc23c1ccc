//! Whether a media playlist tells the truth about its segments.

use super::{Rendition, Role};
use crate::lint::{
    Place, Report,
    loaded::{Loaded, Media},
    mp4::{
        Header, Segment,
        continuity::{between, within},
    },
    number,
    rules::{cmaf, hls_media as rules},
};

/// `independent` tells that the multivariant playlist promises independent segments.
pub fn check(rendition: &Rendition, independent: bool, report: &mut Report) {
    formats(rendition, report);
    bitrates(rendition, report);
    if rendition.role == Role::Images || rendition.playlist.images_only {
        images(rendition, report);
        return;
    }
    keys(rendition, report);
    if rendition.playlist.iframes_only {
        iframes(rendition, report);
        return;
    }
    let promised = independent || rendition.playlist.independent;
    for (n, loaded) in rendition.media.iter().enumerate() {
        if let Some((header, segment)) = loaded.mp4() {
            key_frames(header, segment, promised, &place(rendition, n), report);
        }
    }
    durations(rendition, report);
    continuity(rendition, report);
}

fn place(rendition: &Rendition, n: usize) -> Place {
    Place::line(&rendition.playlist.url, rendition.playlist.segments.get(n).map_or(0, |s| s.line))
}

/// Formats of the segments, and what each format needs to be understood.
fn formats(rendition: &Rendition, report: &mut Report) {
    let mut before: Option<&Media> = None;
    for (n, loaded) in rendition.media.iter().enumerate() {
        let (Some(media), Some(segment)) = (&loaded.media, rendition.playlist.segments.get(n)) else {
            continue;
        };
        match media {
            Media::Unknown => {
                report.add(
                    &rules::SEGMENT_FORMAT,
                    Place::whole(&loaded.url),
                    "it is of no format that is known",
                );
            }
            Media::Mp4(found) => {
                if segment.map.is_none() && !found.has_header {
                    report.add(
                        &rules::MAP_MISSING,
                        place(rendition, n),
                        "it is fragmented MP4, and no EXT-X-MAP holds",
                    );
                }
                if segment.map.is_some() && found.has_header {
                    report.add(&rules::FMP4_SELF_INIT, Place::whole(&loaded.url), "it has a moov of its own");
                }
            }
            Media::Ts => transport(rendition, n, loaded, report),
            Media::WebVtt => web_vtt(loaded, report),
            Media::PackedAudio => packed_audio(loaded, report),
            Media::Image(_) | Media::Encrypted => {}
        }
        let parted = segment.discontinuity;
        if before.is_some_and(|b| b.name() != media.name()) && !parted && *media != Media::Unknown {
            let what = format!("it is {}, those before are {}", media.name(), before.map_or("", Media::name));
            report.add(&rules::SEGMENT_FORMATS_MIXED, place(rendition, n), what);
        }
        if *media != Media::Unknown {
            before = Some(media);
        }
    }
}

/// PAT (PID 0) and then PMT come first (§3.1.1).
fn transport(rendition: &Rendition, n: usize, loaded: &Loaded, report: &mut Report) {
    let has_map = rendition.playlist.segments.get(n).is_some_and(|s| s.map.is_some());
    let first_pid = loaded.start.get(1..3).map(|b| u16::from_be_bytes([b[0], b[1]]) & 0x1fff);
    // A service description (PID 17) may stand before the PAT, as ffmpeg has it.
    let pids: Vec<u16> = loaded
        .start
        .chunks_exact(188)
        .map(|packet| u16::from_be_bytes([packet[1], packet[2]]) & 0x1fff)
        .filter(|pid| *pid != 17)
        .collect();
    if !has_map && pids.first() != Some(&0) {
        let what = format!("its first packet is of PID {}", first_pid.unwrap_or(0));
        report.add(&rules::TS_PAT, Place::whole(&loaded.url), what);
    }
}

fn web_vtt(loaded: &Loaded, report: &mut Report) {
    let text = String::from_utf8_lossy(&loaded.start);
    let header = text.split("\n\n").next().unwrap_or_default();
    let map = header.lines().find_map(|line| line.trim_end().strip_prefix("X-TIMESTAMP-MAP="));
    if let Some(map) = map.filter(|m| !m.contains("MPEGTS:") || !m.contains("LOCAL:")) {
        let what = format!("X-TIMESTAMP-MAP is `{map}`");
        report.add(&rules::WEBVTT, Place::whole(&loaded.url), what);
    }
    let first = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().to_owned();
    if first != "WEBVTT" && !first.starts_with("WEBVTT ") && !first.starts_with("WEBVTT\t") {
        report.add(&rules::WEBVTT, Place::whole(&loaded.url), format!("its first line is `{first}`"));
    }
}

fn packed_audio(loaded: &Loaded, report: &mut Report) {
    let owner = b"com.apple.streaming.transportStreamTimestamp";
    let tagged = loaded.start.starts_with(b"ID3") && loaded.start.windows(owner.len()).any(|w| w == owner);
    if !tagged {
        report.add(
            &rules::PACKED_AUDIO,
            Place::whole(&loaded.url),
            "it does not begin with an ID3 tag of its timestamp",
        );
    }
}

fn bitrates(rendition: &Rendition, report: &mut Report) {
    for (n, (segment, loaded)) in rendition.playlist.segments.iter().zip(&rendition.media).enumerate() {
        let (Some(told), Some(bytes), None) = (segment.bitrate, loaded.bytes, &segment.range) else {
            continue;
        };
        let found = number::bitrate(bytes, segment.duration) / 1000;
        if told.saturating_mul(10) < found.saturating_mul(9)
            || told.saturating_mul(10) > found.saturating_mul(11) + 10
        {
            let what = format!("EXT-X-BITRATE is {told} kb/s, the segment has {found} kb/s");
            report.add(&rules::BITRATE_TAG, place(rendition, n), what);
        }
    }
}

fn images(rendition: &Rendition, report: &mut Report) {
    for (n, loaded) in rendition.media.iter().enumerate() {
        let place = place(rendition, n);
        let Some(tiles) = rendition.playlist.tiles.get(n).copied().flatten() else {
            report.add(&rules::IMAGES, place, "it has no EXT-X-TILES");
            continue;
        };
        let needed =
            (tiles.tile.0.saturating_mul(tiles.layout.0), tiles.tile.1.saturating_mul(tiles.layout.1));
        match &loaded.media {
            Some(Media::Image(Some((width, height)))) => {
                let (width, height) = (u64::from(*width), u64::from(*height));
                if width < needed.0 || height < needed.1 {
                    let what =
                        format!("the sheet is {width}x{height}, its tiles need {}x{}", needed.0, needed.1);
                    report.add(&rules::IMAGES, place, what);
                }
            }
            Some(Media::Unknown) | None => {}
            Some(_) => {
                report.add(&rules::IMAGES, place, "the sheet is no JPEG or PNG whose size can be read")
            }
        }
    }
}

/// Keys against how the header says samples are encrypted (§4.4.4.4).
fn keys(rendition: &Rendition, report: &mut Report) {
    for (n, (segment, loaded)) in rendition.playlist.segments.iter().zip(&rendition.media).enumerate() {
        let Some((header, _)) = loaded.mp4() else { continue };
        let protection =
            header.tracks.iter().find_map(|t| t.entry.protection.as_ref()).filter(|p| p.is_protected);
        let Some(protection) = protection else { continue };
        if segment.methods.is_empty() {
            let what = "its samples are encrypted, and no EXT-X-KEY holds";
            report.add(&rules::KEY_MISSING, place(rendition, n), what);
        }
        let wrong = segment.methods.iter().find(|method| match method.as_str() {
            "SAMPLE-AES" => matches!(&protection.scheme, b"cenc" | b"cens"),
            "SAMPLE-AES-CTR" => matches!(&protection.scheme, b"cbcs" | b"cbc1"),
            _ => false,
        });
        if let Some(method) = wrong {
            let scheme = crate::lint::mp4::name(protection.scheme);
            let what = format!("METHOD is {method}, the header's scheme `{scheme}`");
            report.add(&rules::KEY_METHOD, place(rendition, n), what);
        }
    }
}

/// Each entry is one picture (§4.4.3.6).
fn iframes(rendition: &Rendition, report: &mut Report) {
    for (n, loaded) in rendition.media.iter().enumerate() {
        let Some((header, segment)) = loaded.mp4() else { continue };
        let Some(track) = header.of(*b"vide") else { continue };
        match segment.of(track.id).next() {
            Some(first) if first.sap > 0 && first.present > 0 => {
                if first.present > 1 {
                    let what = format!("it holds {} pictures", first.present);
                    report.add(&rules::IFRAME_ONLY, place(rendition, n), what);
                }
            }
            _ => report.add(&rules::IFRAME, place(rendition, n), "it does not begin with a whole key frame"),
        }
    }
}

fn key_frames(header: &Header, segment: &Segment, promised: bool, place: &Place, report: &mut Report) {
    let Some(track) = header.of(*b"vide") else { return };
    let Some((first, _)) = segment.ends(track.id) else { return };
    if promised && !matches!(first.sap, 1 | 2) {
        let what = "it does not begin with a key frame";
        report.add(&rules::INDEPENDENT, place.clone(), what);
    } else if !promised && segment.of(track.id).all(|f| f.sync == 0) {
        report.add(&rules::NO_KEY_FRAME, place.clone(), "it has no key frame");
    }
}

/// The track whose durations EXTINF tells: video before audio.
fn leading(header: &Header) -> Option<(u32, u32)> {
    let track = header.of(*b"vide").or_else(|| header.of(*b"soun")).or(header.tracks.first())?;
    (track.timescale > 0).then_some((track.id, track.timescale))
}

fn durations(rendition: &Rendition, report: &mut Report) {
    let starts = rendition.playlist.starts();
    // Where the run since the last discontinuity began: in the playlist and on the media's timeline.
    let mut origin: Option<(i64, i64)> = None;
    for (n, (segment, loaded)) in rendition.playlist.segments.iter().zip(&rendition.media).enumerate() {
        if segment.discontinuity {
            origin = None;
        }
        let Some((header, found)) = loaded.mp4() else { continue };
        let Some((id, timescale)) = leading(header) else { continue };
        let Some((first, last)) = found.ends(id) else { continue };
        let micros = |t: i64| number::ticks(t, timescale);
        let frame = micros(i64::from(first.shortest.max(last.shortest))) + 1000;
        let lasts = micros(last.end_dts) - micros(first.start_dts);
        if (lasts - segment.duration).abs() > frame {
            let what = format!(
                "EXTINF is {} s, the samples last {} s",
                number::seconds(segment.duration),
                number::seconds(lasts)
            );
            report.add(&rules::EXTINF_DIFFERS, place(rendition, n), what);
        }
        let (listed, at) = *origin.get_or_insert((starts[n], micros(first.start_dts)));
        let off = (starts[n] - listed) - (micros(first.start_dts) - at);
        // A jump of the media is told by itself.
        let jumped = found.ends(id).is_some_and(|_| n > 0 && broken(rendition, n));
        if off.abs() > 1_000_000 && !jumped {
            let what = format!("by EXTINF it is {} s from where its samples are", number::seconds(off));
            report.add(&rules::EXTINF_SUM_DIFFERS, place(rendition, n), what);
        }
        if jumped {
            origin = Some((starts[n], micros(first.start_dts)));
        }
    }
}

/// Whether the media jumps by half a second or more before segment `n`.
fn broken(rendition: &Rendition, n: usize) -> bool {
    gap(rendition, n).is_some_and(|(gap, _)| gap.abs() >= 500_000)
}

/// Microseconds between the end of segment `n - 1` and the start of `n`, where both are known, and a sequence number that
/// does not grow.
fn gap(rendition: &Rendition, n: usize) -> Option<(i64, bool)> {
    let (before, now) = (rendition.media.get(n.checked_sub(1)?)?, rendition.media.get(n)?);
    let ((old, a), (header, b)) = (before.mp4()?, now.mp4()?);
    let (id, timescale) = leading(header)?;
    if leading(old) != Some((id, timescale)) {
        return None;
    }
    Some(between(a.ends(id)?.1, b.ends(id)?.0, timescale))
}

/// Fragments follow one another without gap or overlap, within segments and from one to the next.
fn continuity(rendition: &Rendition, report: &mut Report) {
    for (n, (segment, loaded)) in rendition.playlist.segments.iter().zip(&rendition.media).enumerate() {
        let Some((header, found)) = loaded.mp4() else { continue };
        within(header, found, &loaded.url, report);
        if segment.discontinuity {
            continue;
        }
        let Some((gap, disordered)) = gap(rendition, n) else { continue };
        let what = format!("{} s lie between it and the segment before", number::seconds(gap));
        if gap.abs() >= 500_000 {
            report.add(&rules::TIMELINE_BREAK, place(rendition, n), what);
        } else if gap.abs() > 1000 {
            report.add(&cmaf::TIMELINE_GAP, Place::path(&loaded.url, "moof/traf/tfdt"), what);
        }
        if disordered {
            let what = "its sequence number does not follow that of the segment before";
            report.add(&cmaf::SEQUENCE, Place::path(&loaded.url, "moof/mfhd"), what);
        }
    }
}
