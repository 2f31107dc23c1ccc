//! Audio: which tracks, how encoded, and how many AAC frames lie in each segment.

use domain::{
    Micros,
    profile::{AudioCodec, Profile},
};
use serde::{Deserialize, Serialize};

use super::{Joined, chunks};
use crate::probe::{AudioInfo, Index, SourceInfo};

/// Most audio tracks that are taken along.
const MOST_TRACKS: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioPlan {
    /// Track id, `a0`; with the codec for those that are added to the first one, `a0opus`.
    pub id: String,
    /// Index of the stream in the source.
    pub stream: u32,
    pub label: String,
    pub language: Option<String>,
    pub default: bool,
    pub sample_rate: u32,
    pub channels: u32,
    pub bitrate_bps: u32,
    #[serde(default)]
    pub codec: AudioCodec,
    /// Frames that come first and are left out: what encoders begin with, or what lies before presentation time 0.
    #[serde(default = "one")]
    pub dropped: u64,
    /// Source time of presentation time 0, microseconds.
    pub origin_us: i64,
    /// Samples of the finished track. The last frame is played as far as these go.
    pub samples: u64,
    /// Coded frames of each segment, by stretch.
    pub stretches: Vec<Vec<u32>>,
    /// The source's clock jumps, see [`Joined`].
    #[serde(default)]
    pub joined: Option<Joined>,
}

fn one() -> u64 {
    1
}

impl AudioPlan {
    /// Samples of a coded frame.
    pub fn frame(&self) -> u64 {
        self.codec.frame()
    }

    /// Added to a title that is complete without it.
    pub fn is_extra(&self) -> bool {
        self.codec != AudioCodec::Aac
    }

    /// Names of its units, where it is the `track`-th of the plan.
    pub fn units(&self, track: usize) -> impl Iterator<Item = String> + use<> {
        (0..self.stretches.len()).map(move |n| super::audio_unit(track, n))
    }

    /// Coded frames before stretch `n`.
    pub fn frames_before(&self, n: usize) -> u64 {
        self.stretches.iter().take(n).flatten().map(|frames| u64::from(*frames)).sum()
    }

    /// Coded frames of the finished track.
    pub fn frames(&self) -> u64 {
        self.frames_before(self.stretches.len())
    }
}

/// Segments of 4 s for a title without pictures: origin (µs), boundaries, ticks per second.
pub(super) fn own_boundaries(info: &SourceInfo, index: &Index) -> Option<(i64, Vec<u64>, u32)> {
    const SEGMENT: u64 = 4_000_000;
    let (num, den) = info.main_time_base()?;
    let micros = |t: i64| i64::try_from(i128::from(t) * i128::from(num) * 1_000_000 / i128::from(den)).ok();
    let (start, _) = index.span()?;
    let total = u64::try_from(info.duration_us).ok().filter(|us| *us > 0)?;
    let mut ends: Vec<u64> = (1..=total / SEGMENT).map(|i| i * SEGMENT).collect();
    match ends.last_mut() {
        // A rest under a second joins the segment before it.
        Some(last) if total - *last < SEGMENT / 4 => *last = total,
        _ => ends.push(total),
    }
    Some((micros(start)?, ends, Micros::SECOND as u32))
}

/// Plans the tracks along `boundaries` (segment ends, `rate` ticks per second).
pub(super) fn plan(
    profile: &Profile,
    tracks: &[AudioInfo],
    origin_us: i64,
    boundaries: &[u64],
    rate: u32,
) -> Vec<AudioPlan> {
    let mut order: Vec<&AudioInfo> = tracks.iter().take(MOST_TRACKS).collect();
    // The default first; else the file's order.
    order.sort_by_key(|track| !track.default);
    let mut all = Vec::new();
    for codec in &profile.audio {
        let one =
            |(n, track): (usize, &&AudioInfo)| track_plan(*codec, n, track, origin_us, boundaries, rate);
        let mut plans: Vec<AudioPlan> = order.iter().enumerate().map(one).collect();
        distinct_labels(&mut plans);
        all.extend(plans);
    }
    if profile.keep_dolby {
        let kept = order.iter().enumerate().filter_map(|(n, track)| {
            let plan = track_plan(AudioCodec::Eac3, n, track, origin_us, boundaries, rate);
            // One programme with its other forms.
            let label = all.get(n).map_or(plan.label.clone(), |aac: &AudioPlan| aac.label.clone());
            let dropped = dolby_before(track, origin_us)?;
            let ends = track.told_end_us.is_none_or(|told| reaches(told, &plan));
            ends.then_some(AudioPlan { label, dropped, ..plan })
        });
        let kept: Vec<AudioPlan> = kept.collect();
        all.extend(kept);
    }
    all
}

/// Frames of a track of Dolby sound that lie before presentation time 0. `None` when it cannot be taken over: it is another
/// codec, or begins so late that silence would have to go before it.
fn dolby_before(track: &AudioInfo, origin_us: i64) -> Option<u64> {
    let fits = track.codec == "eac3" && track.sample_rate == 48_000;
    let early = origin_us.checked_sub(track.start_us.filter(|_| fits)?)?;
    const FRAME_US: i64 = 32_000;
    u64::try_from((early + FRAME_US / 2).div_euclid(FRAME_US)).ok()
}

/// Does sound that ends there last about as long as planned?
fn reaches(end_us: i64, plan: &AudioPlan) -> bool {
    const MISSING_US: i128 = 1_000_000;
    let lasts = i128::from(plan.samples) * 1_000_000 / i128::from(plan.sample_rate.max(1));
    i128::from(end_us) + MISSING_US >= i128::from(plan.origin_us) + lasts
}

fn track_plan(
    codec: AudioCodec,
    n: usize,
    track: &AudioInfo,
    origin_us: i64,
    boundaries: &[u64],
    rate: u32,
) -> AudioPlan {
    // Opus is always decoded to 48 kHz (RFC 7845 §5.1).
    let keeps = codec == AudioCodec::Aac && track.sample_rate == 44_100;
    let sample_rate = if keeps { 44_100 } else { 48_000 };
    let channels = if codec == AudioCodec::Eac3 { track.channels } else { track.channels.min(2) };
    let at = |tick: u64| u128::from(tick) * u128::from(sample_rate);
    let samples = (at(boundaries.last().copied().unwrap_or(0)) / u128::from(rate)) as u64;
    let samples = samples.max(1);
    let all = samples.div_ceil(codec.frame());
    let unit = u128::from(rate) * u128::from(codec.frame());
    let mut done = 0;
    let mut segments: Vec<u32> = Vec::with_capacity(boundaries.len());
    for (i, tick) in boundaries.iter().enumerate() {
        let nearest = ((at(*tick) + unit / 2) / unit) as u64;
        let end = if i + 1 == boundaries.len() { all } else { nearest.clamp(done, all) };
        segments.push((end - done) as u32);
        done = end;
    }
    // A boundary without a frame of its own is none.
    segments.retain(|frames| *frames > 0);
    let stretches = chunks(segments.len()).map(|range| segments[range].to_vec()).collect();
    AudioPlan {
        id: if codec == AudioCodec::Aac { format!("a{n}") } else { format!("a{n}{}", codec.word()) },
        stream: track.stream,
        label: label(n, track),
        language: track.language.clone(),
        default: n == 0,
        sample_rate,
        channels,
        bitrate_bps: match (codec, channels) {
            (AudioCodec::Aac, 1) => 96_000,
            (AudioCodec::Aac, _) => 160_000,
            (AudioCodec::Opus, 1) => 64_000,
            (AudioCodec::Opus, _) => 112_000,
            (AudioCodec::Eac3, _) => track.bitrate_bps as u32,
        },
        codec,
        dropped: u64::from(codec != AudioCodec::Eac3),
        origin_us,
        samples,
        stretches,
        joined: None,
    }
}

fn label(n: usize, track: &AudioInfo) -> String {
    match (&track.title, &track.language) {
        (Some(title), _) => title.clone(),
        (None, Some(language)) => language_name(language).unwrap_or(language).to_owned(),
        (None, None) if n == 0 => "Audio".to_owned(),
        (None, None) => format!("Audio {}", n + 1),
    }
}

fn distinct_labels(plans: &mut [AudioPlan]) {
    for i in 1..plans.len() {
        let (before, rest) = plans.split_at_mut(i);
        if let Some(plan) = rest.first_mut()
            && before.iter().any(|b| b.label == plan.label)
        {
            plan.label = format!("{} ({})", plan.label, i + 1);
        }
    }
}

/// English names of languages that are often met; others keep their tag.
fn language_name(tag: &str) -> Option<&'static str> {
    Some(match tag.split('-').next()? {
        "eng" | "en" => "English",
        "deu" | "ger" | "de" => "German",
        "fra" | "fre" | "fr" => "French",
        "spa" | "es" => "Spanish",
        "ita" | "it" => "Italian",
        "por" | "pt" => "Portuguese",
        "nld" | "dut" | "nl" => "Dutch",
        "pol" | "pl" => "Polish",
        "ces" | "cze" | "cs" => "Czech",
        "rus" | "ru" => "Russian",
        "ukr" | "uk" => "Ukrainian",
        "tur" | "tr" => "Turkish",
        "ara" | "ar" => "Arabic",
        "hin" | "hi" => "Hindi",
        "jpn" | "ja" => "Japanese",
        "kor" | "ko" => "Korean",
        "zho" | "chi" | "zh" => "Chinese",
        "swe" | "sv" => "Swedish",
        "dan" | "da" => "Danish",
        "nor" | "nob" | "no" => "Norwegian",
        "fin" | "fi" => "Finnish",
        "ell" | "gre" | "el" => "Greek",
        "hun" | "hu" => "Hungarian",
        "ron" | "rum" | "ro" => "Romanian",
        _ => return None,
    })
}
