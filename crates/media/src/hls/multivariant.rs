//! The multivariant playlist (RFC 8216bis §4.4.6).

use std::fmt::Write;

use super::quoted;
use crate::{
    descriptor::{Descriptor, Track, TrackKind},
    measure::{self, Bandwidth},
};

/// Variants, audio renditions, I-frame and image playlists. `cap` is the largest short side that is shown.
pub fn multivariant(descriptor: &Descriptor, cap: Option<u32>) -> String {
    let video = measure::video_tracks(descriptor, cap);
    let audio = measure::audio_tracks(descriptor);
    let mut out = String::from("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    renditions(&mut out, &audio);
    let longest = descriptor.longest_segment_ms;
    let heaviest = audio.iter().map(|t| rate(t, longest)).fold(Bandwidth::default(), |a, b| Bandwidth {
        peak: a.peak.max(b.peak),
        average: a.average.max(b.average),
    });
    let group = if audio.is_empty() { "" } else { ",AUDIO=\"audio\"" };
    for track in &video {
        let TrackKind::Video { width, height, frame_rate } = track.kind else { continue };
        let total = rate(track, longest) + heaviest;
        let all: Vec<&Track> = [*track].into_iter().chain(audio.iter().copied()).collect();
        let _ = write!(out, "#EXT-X-STREAM-INF:{}", common(total, &codecs(&all)));
        let _ = write!(out, ",RESOLUTION={width}x{height},FRAME-RATE={}{group}", rate_decimal(frame_rate));
        let _ = writeln!(out, "\n{}/playlist.m3u8", track.id);
    }
    if let (true, Some(track)) = (video.is_empty(), audio.first()) {
        let _ = writeln!(out, "#EXT-X-STREAM-INF:{}{group}", common(heaviest, &codecs(&audio)));
        let _ = writeln!(out, "{}/playlist.m3u8", track.id);
    }
    for track in &video {
        iframe_variant(&mut out, track, longest);
    }
    image_variant(&mut out, descriptor);
    out
}

/// `EXT-X-MEDIA` (§4.4.6.1). The first is the default one; of several in one language, the first is chosen for those
/// who prefer that language.
fn renditions(out: &mut String, audio: &[&Track]) {
    for (n, (track, name)) in audio.iter().zip(measure::labels(audio)).enumerate() {
        let TrackKind::Audio { channels, .. } = track.kind else { continue };
        let yes = |is: bool| if is { "YES" } else { "NO" };
        let first_of_language = !audio[..n].iter().any(|t| measure::language(t) == measure::language(track));
        let _ = write!(out, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"audio\",NAME={}", quoted(&name));
        if let Some(language) = measure::language(track) {
            let _ = write!(out, ",LANGUAGE={}", quoted(language));
        }
        let (default, auto) = (yes(n == 0), yes(n == 0 || first_of_language));
        let _ = writeln!(
            out,
            ",DEFAULT={default},AUTOSELECT={auto},CHANNELS=\"{channels}\",URI=\"{}/playlist.m3u8\"",
            track.id
        );
    }
}

/// `EXT-X-I-FRAME-STREAM-INF` (§4.4.6.3).
fn iframe_variant(out: &mut String, track: &Track, longest_ms: u64) {
    let TrackKind::Video { width, height, .. } = track.kind else { return };
    let pictures = measure::pictures(track);
    if pictures.is_empty() {
        return;
    }
    let rate = measure::bandwidth(&pictures, track.timescale, longest_ms);
    let _ = writeln!(
        out,
        "#EXT-X-I-FRAME-STREAM-INF:{},RESOLUTION={width}x{height},URI=\"{}/iframes.m3u8\"",
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
