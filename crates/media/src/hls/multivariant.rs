//! The multivariant playlist (RFC 8216bis §4.4.6).

use std::fmt::Write;

use super::quoted;
use crate::{
    codec::Family,
    descriptor::{Descriptor, Range, Track, TrackKind},
    measure::{self, Bandwidth},
    selection::{Programme, Selection, families, programmes},
};

/// Variants, audio renditions, I-frame and image playlists.
///
/// Each video track is a variant with each audio codec. First come those that everything plays; where there is a choice of
/// codecs, SCORE says what to prefer among those that a player decodes.
pub fn multivariant(descriptor: &Descriptor, selection: Selection) -> String {
    let video = selection.video(descriptor);
    let audio = selection.audio(descriptor);
    let programmes = programmes(&audio);
    let groups: Vec<Group<'_>> =
        families(&audio).into_iter().map(|family| Group::new(family, &programmes)).collect();
    let single = groups.len() == 1;
    let longest = descriptor.longest_segment_ms;
    let mut out = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    for group in &groups {
        renditions(&mut out, group, single);
    }
    let ranged = video.iter().any(|t| !t.range().is_sdr());
    let combinations = combinations(&video, &groups);
    let choice = families(&video).len() > 1 || groups.len() > 1;
    for combination in &combinations {
        let Combination { track, group, score } = combination;
        let TrackKind::Video { width, height, frame_rate, .. } = track.kind else { continue };
        let sound = group.map_or(&[][..], |group| &group.tracks);
        let total = rate(track, longest) + heaviest(sound, longest);
        let all: Vec<&Track> = [*track].into_iter().chain(sound.iter().copied()).collect();
        let _ = write!(out, "#EXT-X-STREAM-INF:{}", common(total, &codecs(&all)));
        if choice {
            let _ = write!(out, ",SCORE={score}");
        }
        let _ = write!(out, ",RESOLUTION={width}x{height},FRAME-RATE={}", rate_decimal(frame_rate));
        out.push_str(video_range(track, ranged));
        if let Some(group) = group {
            let _ = write!(out, ",AUDIO=\"{}\"", group.id(single));
        }
        let _ = writeln!(out, "\n{}/playlist.m3u8", track.id);
    }
    for group in groups.iter().filter(|_| video.is_empty()) {
        let Some(track) = group.tracks.first() else { continue };
        let _ = write!(
            out,
            "#EXT-X-STREAM-INF:{}",
            common(heaviest(&group.tracks, longest), &codecs(&group.tracks))
        );
        let _ = writeln!(out, ",AUDIO=\"{}\"\n{}/playlist.m3u8", group.id(single), track.id);
    }
    for track in &video {
        // All variants have one when any has (§4.4.6.2).
        let best = combinations.iter().filter(|one| one.track.id == track.id).map(|one| one.score).max();
        let score = best.filter(|_| choice).map(|score| format!(",SCORE={score}")).unwrap_or_default();
        iframe_variant(&mut out, track, &(score + video_range(track, ranged)), longest);
    }
    image_variant(&mut out, descriptor);
    out
}

/// The renditions of one audio codec. All groups have the same members (§4.4.6.2.1): what is not there in a codec stands in
/// its group in another one.
struct Group<'a> {
    family: Option<Family>,
    names: Vec<&'a str>,
    tracks: Vec<&'a Track>,
}

impl<'a> Group<'a> {
    fn new(family: Option<Family>, programmes: &'a [Programme<'a>]) -> Self {
        let members = programmes.iter().filter_map(|p| Some((p.name.as_str(), p.of(family)?)));
        let (names, tracks) = members.unzip();
        Self { family, names, tracks }
    }

    fn id(&self, single: bool) -> &'static str {
        if single { "audio" } else { self.family.map_or("other", Family::name) }
    }
}

/// A video track with the sound of a group.
struct Combination<'a> {
    track: &'a Track,
    group: Option<&'a Group<'a>>,
    /// From 1, greater is better.
    score: usize,
}

/// Ordered by video codec, then by audio codec, those that everything plays first. What counts for the score is the size,
/// the range, the video codec, the place among the tracks of the codec, and the audio codec, in this order.
fn combinations<'a>(video: &[&'a Track], groups: &'a [Group<'a>]) -> Vec<Combination<'a>> {
    let groups: Vec<Option<&Group<'_>>> =
        if groups.is_empty() { vec![None] } else { groups.iter().map(Some).collect() };
    let mut list = Vec::new();
    for family in families(video) {
        for (n, group) in groups.iter().enumerate() {
            for (place, track) in video.iter().enumerate().filter(|(_, t)| t.family() == family) {
                let TrackKind::Video { width, height, range, .. } = track.kind else { continue };
                let worth = (width.min(height), !range.is_sdr(), family, std::cmp::Reverse(place), n);
                list.push((worth, *track, *group));
            }
        }
    }
    let mut worths: Vec<_> = list.iter().map(|(worth, ..)| *worth).collect();
    worths.sort_unstable();
    let score = |worth| worths.partition_point(|other| *other <= worth);
    list.into_iter().map(|(worth, track, group)| Combination { track, group, score: score(worth) }).collect()
}

/// Told of all pictures when any are of a high dynamic range.
fn video_range(track: &Track, told: bool) -> &'static str {
    match track.range() {
        _ if !told => "",
        Range::Sdr => ",VIDEO-RANGE=SDR",
        Range::Pq => ",VIDEO-RANGE=PQ",
        Range::Hlg => ",VIDEO-RANGE=HLG",
    }
}

/// `EXT-X-MEDIA` (§4.4.6.1). The first is the default one; of several in one language, the first is chosen for those
/// who prefer that language.
fn renditions(out: &mut String, group: &Group<'_>, single: bool) {
    let audio = &group.tracks;
    for (n, (track, name)) in audio.iter().zip(&group.names).enumerate() {
        let TrackKind::Audio { channels, joc, .. } = track.kind else { continue };
        let yes = |is: bool| if is { "YES" } else { "NO" };
        let first_of_language = !audio[..n].iter().any(|t| measure::language(t) == measure::language(track));
        let _ =
            write!(out, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"{}\",NAME={}", group.id(single), quoted(name));
        if let Some(language) = measure::language(track) {
            let _ = write!(out, ",LANGUAGE={}", quoted(language));
        }
        let (default, auto) = (yes(n == 0), yes(n == 0 || first_of_language));
        let channels = joc.map_or_else(|| channels.to_string(), |objects| format!("{objects}/JOC"));
        let _ = writeln!(
            out,
            ",DEFAULT={default},AUTOSELECT={auto},CHANNELS=\"{channels}\",URI=\"{}/playlist.m3u8\"",
            track.id
        );
    }
}

/// `EXT-X-I-FRAME-STREAM-INF` (§4.4.6.3).
fn iframe_variant(out: &mut String, track: &Track, told: &str, longest_ms: u64) {
    let TrackKind::Video { width, height, .. } = track.kind else { return };
    let pictures = measure::pictures(track);
    if pictures.is_empty() {
        return;
    }
    let rate = measure::bandwidth(&pictures, track.timescale, longest_ms);
    let _ = writeln!(
        out,
        "#EXT-X-I-FRAME-STREAM-INF:{},RESOLUTION={width}x{height}{told},URI=\"{}/iframes.m3u8\"",
        common(rate, &track.codec),
        track.id
    );
}

/// `EXT-X-IMAGE-STREAM-INF` of the image media playlist extension (github.com/image-media-playlist/spec).
fn image_variant(out: &mut String, descriptor: &Descriptor) {
    let Some(board) = &descriptor.storyboard else { return };
    let interval = u64::from(board.interval_ms.max(1));
    let peak = measure::sheets(board)
        .map(|(_, tiles, bytes)| bytes.saturating_mul(8000).div_ceil(interval * u64::from(tiles)))
        .max();
    if let Some(peak) = peak {
        let _ = writeln!(
            out,
            "#EXT-X-IMAGE-STREAM-INF:BANDWIDTH={peak},RESOLUTION={}x{},CODECS=\"jpeg\",URI=\"storyboard/playlist.m3u8\"",
            board.tile_width, board.tile_height
        );
    }
}

fn rate(track: &Track, longest_ms: u64) -> Bandwidth {
    measure::bandwidth(&measure::segments(track), track.timescale, longest_ms)
}

fn heaviest(audio: &[&Track], longest_ms: u64) -> Bandwidth {
    audio.iter().map(|t| rate(t, longest_ms)).fold(Bandwidth::default(), |a, b| Bandwidth {
        peak: a.peak.max(b.peak),
        average: a.average.max(b.average),
    })
}

fn common(rate: Bandwidth, codecs: &str) -> String {
    format!("BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS={}", rate.peak, rate.average, quoted(codecs))
}

/// Each codec once, in order.
fn codecs(tracks: &[&Track]) -> String {
    let mut list: Vec<&str> = Vec::new();
    for track in tracks {
        if !list.contains(&track.codec.as_str()) {
            list.push(&track.codec);
        }
    }
    list.join(",")
}

/// Three decimals, rounded (§4.4.6.2).
fn rate_decimal((numerator, denominator): (u32, u32)) -> String {
    let denominator = u64::from(denominator.max(1));
    let thousandths = (u64::from(numerator) * 2000 + denominator) / (denominator * 2);
    format!("{}.{:03}", thousandths / 1000, thousandths % 1000)
}
