//! Reading ffprobe's report. Every field may be missing or absurd.

use serde::Deserialize;

use super::{AudioInfo, Chapter, Refusal, SourceInfo, VideoInfo, language};
use crate::guest::sniff::Container;

/// Most streams, tracks and chapters that are looked at.
const MOST: usize = 64;

#[derive(Debug, Deserialize)]
struct Report {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    chapters: Vec<RawChapter>,
    #[serde(default)]
    format: Format,
}

#[derive(Debug, Default, Deserialize)]
struct Format {
    start_time: Option<String>,
    duration: Option<String>,
    bit_rate: Option<String>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Debug, Default, Deserialize)]
struct Tags {
    title: Option<String>,
    language: Option<String>,
    handler_name: Option<String>,
    #[serde(rename = "DURATION")]
    duration: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RawChapter {
    start_time: Option<String>,
    end_time: Option<String>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stream {
    index: u32,
    codec_type: String,
    codec_name: Option<String>,
    codec_tag_string: String,
    width: u32,
    height: u32,
    sample_aspect_ratio: String,
    pix_fmt: Option<String>,
    field_order: String,
    color_transfer: Option<String>,
    bits_per_raw_sample: Option<String>,
    r_frame_rate: String,
    avg_frame_rate: String,
    time_base: String,
    start_time: Option<String>,
    duration: Option<String>,
    bit_rate: Option<String>,
    sample_rate: Option<String>,
    channels: u32,
    disposition: Disposition,
    tags: Tags,
    side_data_list: Vec<SideData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Disposition {
    default: u8,
    attached_pic: u8,
    timed_thumbnails: u8,
    still_image: u8,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SideData {
    rotation: Option<f64>,
}

/// Turns a report into what we keep of it.
pub fn source_info(container: Container, report: &[u8]) -> Result<SourceInfo, Refusal> {
    let report: Report = serde_json::from_slice(report)
        .map_err(|_| Refusal::Damaged("its description cannot be read".into()))?;
    let protected = |s: &Stream| matches!(s.codec_tag_string.as_str(), "encv" | "enca" | "drmi" | "drms");
    let streams: Vec<&Stream> = report.streams.iter().take(MOST).collect();
    let wanted = |s: &&&Stream| matches!(s.codec_type.as_str(), "video" | "audio") && !is_picture(s);
    if streams.iter().filter(wanted).count() == 0 {
        return Err(Refusal::NoStreams);
    }
    if streams.iter().filter(wanted).any(|s| protected(s)) {
        return Err(Refusal::Encrypted);
    }
    let video = streams.iter().filter(|s| s.codec_type == "video" && !is_picture(s)).find_map(|s| video(s));
    let audio: Vec<AudioInfo> =
        streams.iter().filter(|s| s.codec_type == "audio").filter_map(|s| audio(s)).collect();
    if video.is_none() && audio.is_empty() {
        // A codec that is known by name, but of which no picture or sample was found.
        let known =
            |s: &&&Stream| s.codec_name.as_deref().is_some_and(|name| name != "none" && name != "unknown");
        if streams.iter().filter(wanted).any(|s| known(&s)) {
            return Err(Refusal::Empty);
        }
        let tags = streams.iter().filter(wanted).filter_map(|s| text(Some(&s.codec_tag_string), 12)).take(4);
        return Err(Refusal::Undecodable(tags.collect::<Vec<_>>().join(", ")));
    }
    // Matroska tells the length of each stream, and the file may hold longer ones that are not taken.
    let taken = |s: &&&Stream| {
        video.as_ref().is_some_and(|v| v.stream == s.index) || audio.iter().any(|a| a.stream == s.index)
    };
    let tagged = streams.iter().filter(taken).filter_map(|s| clock_time(s.tags.duration.as_deref()?));
    let told = tagged.reduce(f64::max).or_else(|| seconds(report.format.duration.as_deref()));
    let told_us = told.map_or(0, |s| (s * 1e6) as i64);
    Ok(SourceInfo {
        container,
        duration_us: told_us,
        told_us,
        start_us: seconds(report.format.start_time.as_deref()).map_or(0, |s| (s * 1e6) as i64),
        ending: None,
        frame: None,
        sound_start_us: None,
        bitrate_bps: number(report.format.bit_rate.as_deref()),
        video,
        audio,
        sound_end_us: None,
        chapters: report.chapters.iter().take(MOST * 8).filter_map(chapter).collect(),
        title: text(report.format.tags.title.as_deref(), 200),
    })
}

/// Cover art and the like.
fn is_picture(stream: &Stream) -> bool {
    let d = &stream.disposition;
    d.attached_pic + d.timed_thumbnails + d.still_image > 0
}

fn video(s: &Stream) -> Option<VideoInfo> {
    let codec = s.codec_name.clone().filter(|name| name != "none" && name != "unknown")?;
    let pixel_format = s.pix_fmt.clone()?;
    if s.width == 0 || s.height == 0 {
        return None;
    }
    let time_base = fraction(&s.time_base, '/')?;
    let rotation = s.side_data_list.iter().find_map(|d| d.rotation).map_or(0, clockwise);
    let (width, height) = square_pixels(s.width, s.height, fraction(&s.sample_aspect_ratio, ':'));
    let (display_width, display_height) =
        if rotation % 180 == 90 { (height, width) } else { (width, height) };
    let frame_rate = fraction(&s.r_frame_rate, '/');
    let average_rate = fraction(&s.avg_frame_rate, '/');
    let transfer = s.color_transfer.as_deref();
    Some(VideoInfo {
        stream: s.index,
        codec,
        coded_width: s.width,
        coded_height: s.height,
        display_width,
        display_height,
        rotation,
        time_base,
        frame_rate: frame_rate.or(average_rate).unwrap_or((25, 1)),
        average_rate: average_rate.or(frame_rate).unwrap_or((25, 1)),
        variable_rate: false,
        interlaced: matches!(s.field_order.as_str(), "tt" | "bb" | "tb" | "bt"),
        bit_depth: bit_depth(&pixel_format, s.bits_per_raw_sample.as_deref()),
        pixel_format,
        hdr: matches!(transfer, Some("smpte2084" | "arib-std-b67")),
        color_transfer: transfer.map(str::to_owned),
        mastering: None,
        bitrate_bps: number(s.bit_rate.as_deref()),
    })
}

fn audio(s: &Stream) -> Option<AudioInfo> {
    let codec = s.codec_name.clone().filter(|name| name != "none" && name != "unknown")?;
    let sample_rate = u32::try_from(number(s.sample_rate.as_deref())).ok().filter(|rate| *rate > 0)?;
    let handler = text(s.tags.handler_name.as_deref(), 80)
        .filter(|name| {
            !["SoundHandler", "Core Media Audio", "ISO Media"].iter().any(|generic| name.starts_with(generic))
        })
        .filter(|name| !name.to_lowercase().contains("handler"));
    Some(AudioInfo {
        stream: s.index,
        codec,
        channels: s.channels.clamp(1, 64),
        sample_rate,
        time_base: fraction(&s.time_base, '/')?,
        language: s.tags.language.as_deref().and_then(language::shortest),
        title: text(s.tags.title.as_deref(), 80).or(handler),
        default: s.disposition.default > 0,
        bitrate_bps: number(s.bit_rate.as_deref()),
        start_us: seconds(s.start_time.as_deref()).map(|seconds| (seconds * 1e6) as i64),
        told_end_us: told_end(s).map(|seconds| (seconds * 1e6) as i64),
    })
}

/// Matroska tells durations in a tag, counted from 0; others after the stream's start.
fn told_end(s: &Stream) -> Option<f64> {
    let tag = || s.tags.duration.as_deref().and_then(clock_time);
    let start = seconds(s.start_time.as_deref()).unwrap_or(0.0);
    seconds(s.duration.as_deref()).map(|duration| start + duration).or_else(tag)
}

/// `01:02:03.500000000` in seconds.
fn clock_time(text: &str) -> Option<f64> {
    let [hours, minutes, rest] = text.split(':').collect::<Vec<_>>()[..] else { return None };
    let (hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
    Some(f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + seconds(Some(rest))?)
}

fn chapter(c: &RawChapter) -> Option<Chapter> {
    let ms = |text: &Option<String>| seconds(text.as_deref()).map(|s| (s * 1e3) as i64);
    Some(Chapter {
        start_ms: ms(&c.start_time)?,
        end_ms: ms(&c.end_time)?,
        title: text(c.tags.title.as_deref(), 200),
    })
}

/// ffprobe tells the display matrix's angle counter-clockwise.
fn clockwise(angle: f64) -> u32 {
    let quarter = (-angle / 90.0).round() as i64;
    (quarter.rem_euclid(4) * 90) as u32
}

/// A picture of `width` × `height` pixels with that aspect, in square pixels: the longer way is kept, as ffmpeg's
/// `scale` would widen it.
fn square_pixels(width: u32, height: u32, aspect: Option<(u32, u32)>) -> (u32, u32) {
    let Some((num, den)) =
        aspect.filter(|(n, d)| n != d && *n <= d.saturating_mul(8) && *d <= n.saturating_mul(8))
    else {
        return (width, height);
    };
    let scaled = |side: u32, num: u32, den: u32| {
        (u64::from(side) * u64::from(num) + u64::from(den) / 2)
            .checked_div(u64::from(den))
            .unwrap_or(0)
            .clamp(1, 65_535) as u32
    };
    if num > den { (scaled(width, num, den), height) } else { (width, scaled(height, den, num)) }
}

/// A positive fraction whose terms fit 31 bits.
fn fraction(text: &str, sign: char) -> Option<(u32, u32)> {
    let (num, den) = text.split_once(sign)?;
    let (num, den) = (num.parse::<u32>().ok()?, den.parse::<u32>().ok()?);
    let fits = |n: u32| (1..=i32::MAX.unsigned_abs()).contains(&n);
    (fits(num) && fits(den)).then_some((num, den))
}

fn bit_depth(pixel_format: &str, told: Option<&str>) -> u32 {
    if let Some(bits) = told.and_then(|t| t.parse().ok()).filter(|b| (1..=16).contains(b)) {
        return bits;
    }
    [("16", 16), ("14", 14), ("12", 12), ("10", 10)]
        .into_iter()
        .find(|(name, _)| pixel_format.contains(&format!("p{name}")))
        .map_or(8, |(_, bits)| bits)
}

fn seconds(text: Option<&str>) -> Option<f64> {
    text?.parse::<f64>().ok().filter(|s| s.is_finite() && s.abs() < 1e9)
}

fn number(text: Option<&str>) -> u64 {
    text.and_then(|t| t.parse().ok()).unwrap_or(0)
}

/// A tag's text: trimmed, with nothing hidden in it, not longer than `most` characters.
fn text(from: Option<&str>, most: usize) -> Option<String> {
    let clean: String = domain::text::visible(from?).chars().take(most).collect();
    let clean = clean.trim();
    (!clean.is_empty()).then(|| clean.to_owned())
}
