//! Video: frame times, GOPs, segments, chunks, where to seek, and rungs.

use domain::profile::{Profile, VideoCodec};
use serde::{Deserialize, Serialize};

use super::{
    GOP_SECONDS, chunks,
    held::{self, Held},
    rate::{self, constant_rate},
    reach,
    rungs::{self, RungPlan},
    trim::Window,
};
use crate::{
    guest::sniff::Container,
    probe::{Index, Mastering, Refusal, SourceInfo, VideoInfo},
};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoPlan {
    /// Index of the stream in the source.
    pub stream: u32,
    pub container: Container,
    pub mode: Mode,
    /// Ticks per second of the video tracks.
    pub timescale: u32,
    /// Nominal frames per second; the average when it varies.
    pub frame_rate: (u32, u32),
    pub times: Times,
    /// What composition offsets are raised by (see `media::cmaf`), ticks: two frames, the encoder's reordering depth.
    pub delay: u32,
    /// Time base of the source, seconds per tick, and its time of the title's first picture in such ticks.
    pub source_base: (u32, u32),
    pub first_pts: i64,
    /// When the last picture ends, ticks.
    pub end: u64,
    pub chunks: Vec<Chunk>,
    /// By codec, the one that makes the title playable first; of each codec the best first.
    pub rungs: Vec<RungPlan>,
    pub deinterlace: bool,
    /// Transfer function of a source with high dynamic range, to be brought down to standard range for rungs that do not
    /// keep it.
    pub tonemap: Option<String>,
    /// What such a source tells of the display that it was made on.
    #[serde(default)]
    pub mastering: Option<Mastering>,
    /// The first picture is repeated because the sound begins before it, the last one because it is meant to stay or the
    /// sound goes on.
    #[serde(default)]
    pub held: Option<Held>,
    /// The source's clock jumps, and ffmpeg closes the jumps by looking at this stream beside: the one that must be read
    /// along so that both stay in step.
    #[serde(default)]
    pub joined: Option<Joined>,
    /// Codecs whose chunks may come from hardware encoders, among others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hardware: Vec<VideoCodec>,
}

/// How a source is read whose clock jumps. Times count from the first packet of any stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The stream to read along.
    pub beside: Option<u32>,
}

/// How pictures are found in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Each has a trustworthy time stamp: chunks are decoded side by side and every frame is accounted for.
    Indexed,
    /// They have not: one chunk, resampled to the nominal rate.
    Sequential,
}

/// When pictures are shown, in ticks of the plan's timescale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Times {
    /// The i-th at i times this.
    Constant(u32),
    /// As listed beside the plan: source ticks since the first picture.
    Listed,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// Frames of the title before this chunk.
    pub first_frame: u64,
    /// When the chunk begins and when each of its segments ends, ticks.
    pub start: u64,
    pub ends: Vec<u64>,
    /// Source times of the first and the last picture; of the one that is repeated where there is none.
    pub from_pts: i64,
    pub to_pts: i64,
    /// What the encoder sees after the chunk, and whose outcome is thrown away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ahead: Option<Ahead>,
    /// For each segment the frames of each of its GOPs.
    pub segments: Vec<Vec<u32>>,
    /// Where to seek to, best first; empty: from the start.
    pub seek: Vec<Seek>,
    /// Bytes of the source that it is decoded from, beside what describes the file: `(from, to)`, growing. Empty: unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reach: Vec<(u64, u64)>,
    /// Of a part of a planned chunk: which part. Source times and key frames are the whole chunk's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// Pictures after a chunk. An encoder spends its bits by what comes next: without them the last pictures before a joint would be
/// worse than those of an encode in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ahead {
    pub frames: u32,
    /// Source time of the last one.
    pub to_pts: i64,
}

/// Enough for the encoders' look-ahead: with eight, x264's last picture of a chunk was another one than in one pass, with twelve
/// none was. They cost 2 % of a chunk of 32 s.
const AHEAD: u64 = 12;

/// A key frame at or before what is wanted, by source times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seek {
    pub key: i64,
    /// The key frame after it.
    pub next: Option<i64>,
}

impl Chunk {
    pub fn frames(&self) -> u64 {
        self.segments.iter().flatten().map(|n| u64::from(*n)).sum()
    }

    /// The planned chunk that its pictures are decoded with: itself, as a rule.
    pub fn decoded(&self) -> Window {
        let whole =
            Window { first_frame: self.first_frame, frames: self.frames(), start: self.start, skip: 0 };
        self.window.unwrap_or(whole)
    }

    /// Source time of the last picture that the encoder sees.
    pub fn seen_to(&self) -> i64 {
        self.ahead.map_or(self.to_pts, |ahead| ahead.to_pts)
    }

    /// When the chunk ends, ticks.
    pub fn end(&self) -> u64 {
        self.ends.last().copied().unwrap_or(self.start)
    }
}

impl VideoPlan {
    /// Source time of presentation time 0, in microseconds.
    pub fn origin(&self) -> i64 {
        let (num, den) = self.source_base;
        (i128::from(self.first_pts) * i128::from(num) * 1_000_000 / i128::from(den)) as i64
    }

    /// Codecs in the order in which they are made.
    pub fn codecs(&self) -> Vec<VideoCodec> {
        let mut codecs: Vec<VideoCodec> = self.rungs.iter().map(|rung| rung.codec).collect();
        codecs.dedup();
        codecs
    }

    /// The unit of chunk `index` in `codec`.
    pub fn unit(&self, index: usize, codec: VideoCodec) -> String {
        let unit = super::video_unit(index);
        let is_first = self.rungs.first().is_some_and(|rung| rung.codec == codec);
        if is_first { unit } else { super::added_unit(&unit, codec) }
    }

    /// The same with the rungs of one codec alone, which one decoder feeds.
    pub fn only(&self, codec: VideoCodec) -> Self {
        let rungs = self.rungs.iter().filter(|rung| rung.codec == codec).cloned().collect();
        Self { rungs, ..self.clone() }
    }

    /// Do key frames of these rungs bring their parameter sets along? They must where chunks of one track may come from
    /// different encoders and players have begun to read it: in H.264, which makes the title playable.
    pub fn sets_in_band(&self) -> bool {
        let mut rungs = self.rungs.iter();
        self.hardware.contains(&VideoCodec::H264) && rungs.all(|rung| rung.codec == VideoCodec::H264)
    }

    pub fn frames(&self) -> u64 {
        self.chunks.last().map_or(0, |c| c.first_frame + c.frames())
    }

    /// Frames of a GOP at a constant rate.
    pub fn gop_frames(&self) -> u64 {
        gop_frames(self.frame_rate)
    }

    /// When each segment ends, ticks.
    pub fn boundaries(&self) -> Vec<u64> {
        self.chunks.iter().flat_map(|chunk| chunk.ends.iter().copied()).collect()
    }
}

/// Presentation times of a chunk's frames. `listed` are all times of the title for [`Times::Listed`].
pub fn chunk_times(plan: &VideoPlan, chunk: &Chunk, listed: &[u64]) -> Option<Vec<u64>> {
    let frames = chunk.first_frame..chunk.first_frame + chunk.frames();
    match plan.times {
        Times::Constant(step) => Some(frames.map(|i| i * u64::from(step)).collect()),
        Times::Listed => listed.get(frames.start as usize..frames.end as usize).map(<[u64]>::to_vec),
    }
}

/// Times of all frames of a plan that lists them, in ticks of its timescale; empty for a constant rate.
pub fn listed_times(plan: &VideoPlan, index: &Index) -> Vec<u64> {
    if !matches!(plan.times, Times::Listed) {
        return Vec::new();
    }
    let factor = u64::from(plan.source_base.0) * u64::from(plan.timescale / plan.source_base.1);
    let mut shown = index.shown();
    plan.held.iter().for_each(|held| held.extend(&mut shown));
    shown.iter().map(|pts| (pts - plan.first_pts).unsigned_abs() * factor).collect()
}

/// Frame times of the whole title and how they came to be.
struct Clock {
    mode: Mode,
    timescale: u32,
    frame_rate: (u32, u32),
    times: Times,
    /// Source times of the pictures; empty when sequential.
    source: Vec<i64>,
    first_pts: i64,
    frames: u64,
    end: u64,
    ticks_per_source: u64,
    held: Option<Held>,
    joined: bool,
}

pub(super) fn plan(
    info: &SourceInfo,
    video: &VideoInfo,
    index: &Index,
    profile: &Profile,
) -> Result<VideoPlan, Refusal> {
    let container = info.container;
    let joined = joined(info, video, index);
    let clock = match joined {
        Some(clock) => Some(clock),
        None => clock(info, video, index),
    };
    let clock = clock.ok_or(Refusal::Empty)?;
    let rungs = rungs::plan(profile, video, clock.frame_rate, clock.times != Times::Listed);
    if rungs.is_empty() {
        return Err(Refusal::Empty);
    }
    let segments = segments(&clock);
    let keys = index.keys();
    let mut chunks = cut(&clock, &segments, &keys);
    // One chunk takes the whole file.
    if chunks.len() > 1 {
        chunks.iter_mut().for_each(|chunk| chunk.reach = reach::reach(index, chunk).unwrap_or_default());
    }
    Ok(VideoPlan {
        stream: video.stream,
        container,
        mode: clock.mode,
        timescale: clock.timescale,
        frame_rate: clock.frame_rate,
        times: clock.times,
        delay: delay(&clock),
        source_base: video.time_base,
        first_pts: clock.first_pts,
        end: clock.end,
        chunks,
        rungs,
        deinterlace: video.interlaced,
        tonemap: video.color_transfer.clone().filter(|_| video.hdr),
        mastering: video.mastering.filter(|_| video.hdr),
        held: clock.held,
        joined: clock.joined.then(|| Joined { beside: info.audio.first().map(|audio| audio.stream) }),
        hardware: Vec::new(),
    })
}

/// Frame times of a stream whose clock jumps, resampled when the jumps are closed. Only containers whose clock may jump
/// by their own standard are read so.
fn joined(info: &SourceInfo, video: &VideoInfo, index: &Index) -> Option<Clock> {
    if !matches!(info.container, Container::MpegTs | Container::M2ts | Container::MpegPs) {
        return None;
    }
    let (num, den) = video.time_base;
    let lasts = index.closed_up(i64::from(den / num.max(1)))?;
    let rate = usual_rate(video, index).or_else(|| nominal(video))?;
    let start = held::source_ticks(info.start_us, video.time_base)?;
    let first = index.packets.iter().find(|p| p.key).and_then(|p| p.pts).unwrap_or(start);
    // A first picture far from the file's start is on the other side of a jump.
    let first =
        first.checked_sub(start).filter(|ticks| (0..=i64::from(den) * 10).contains(ticks)).unwrap_or(0);
    let clock =
        constant(Mode::Sequential, rate, Vec::new(), first, frames_in(lasts, video.time_base, rate)?)?;
    Some(Clock { joined: true, ..clock })
}

/// Frames of `rate` in `ticks` of `base` seconds, at least one.
fn frames_in(ticks: i64, (num, den): (u32, u32), rate: (u32, u32)) -> Option<u64> {
    let span = u128::from(ticks.unsigned_abs()) * u128::from(num) * u128::from(rate.0);
    let unit = u128::from(den) * u128::from(rate.1);
    Some(u64::try_from((span + unit / 2) / unit).ok()?.max(1))
}

/// The rate of most pictures, whatever pauses lie between: a usual one, if it is near.
fn usual_rate(video: &VideoInfo, index: &Index) -> Option<(u32, u32)> {
    let (num, den) = video.time_base;
    let step = u64::try_from(index.usual_step()?).ok()?.checked_mul(u64::from(num))?;
    let near = |(n, d): &(u32, u32)| {
        let (ours, theirs) = (u128::from(den) * u128::from(*d), u128::from(*n) * u128::from(step));
        ours.abs_diff(theirs) * 50 <= theirs && ours * 120 >= theirs
    };
    let told = [video.frame_rate, video.average_rate];
    let found = told
        .into_iter()
        .filter(|(n, d)| *d > 0 && u64::from(*n) <= 120 * u64::from(*d))
        .chain(rate::USUAL)
        .find(near);
    found.or_else(|| {
        // Neither a slide show nor a flicker: pictures that come more slowly are repeated.
        let milli = (u64::from(den) * 1000).checked_div(step)?.clamp(5_000, 60_000);
        Some((u32::try_from(milli).ok()?, 1000))
    })
}

/// Pictures that stay for longer than this, in seconds, are repeated: players cannot seek into a segment that long.
const LONGEST_STILL: i64 = 4;

fn clock(info: &SourceInfo, video: &VideoInfo, index: &Index) -> Option<Clock> {
    let container = info.container;
    let ticks = |us: Option<i64>| us.and_then(|us| held::source_ticks(us, video.time_base));
    let (sound_start, sound_end) = (ticks(info.sound_start_us), ticks(info.sound_end_us));
    let second = i64::from(video.time_base.1 / video.time_base.0.max(1));
    let pauses = index.longest_step() > second.saturating_mul(LONGEST_STILL).max(1);
    // Pictures coded as two fields have two packets but are one frame; AVI numbers packets, not times.
    let fields = video.interlaced && !container.seeks_to_key_frames();
    if index.is_exact() && !fields && !pauses && container != Container::Avi {
        let mut source = index.shown();
        let rates = [video.frame_rate, video.average_rate];
        let rate = constant_rate(&source, video.time_base, &rates);
        // A still stays as long as it is told.
        let told = index.span().map(|(_, end)| end).filter(|_| source.len() == 1);
        let every = rate.or_else(|| nominal(video))?;
        let held = Held::between(sound_start, told.max(sound_end), &source, every, video.time_base);
        // Repetitions that come faster than the source's clock ticks would share their times.
        if held.is_none_or(|held| held.every.0 >= held.every.1) {
            held.iter().for_each(|held| held.extend(&mut source));
            let first_pts = *source.first()?;
            let clock = match rate {
                Some(rate) => {
                    let frames = source.len() as u64;
                    constant(Mode::Indexed, rate, source, first_pts, frames)
                }
                None => listed(video, index, source, held),
            };
            return clock.map(|clock| Clock { held, ..clock });
        }
    }
    let (start, end) = index.span()?;
    let start = sound_start.map_or(start, |sound| sound.min(start));
    let end = sound_end.map_or(end, |sound| held::long_enough(sound, end, video.time_base).unwrap_or(end));
    let rate = if pauses { usual_rate(video, index) } else { None }.or_else(|| nominal(video))?;
    let frames = frames_in(end.checked_sub(start)?, video.time_base, rate)?;
    constant(Mode::Sequential, rate, Vec::new(), start, frames)
}

/// The rate to resample to: what is told, as long as it can be believed.
fn nominal(video: &VideoInfo) -> Option<(u32, u32)> {
    let sane = |(num, den): &(u32, u32)| {
        let (n, d) = (u64::from(*num), u64::from(*den));
        n <= 120 * d && n * 10 >= d && *num < 1 << 27
    };
    [video.average_rate, video.frame_rate, (25, 1)].into_iter().find(sane)
}

fn constant(mode: Mode, rate: (u32, u32), source: Vec<i64>, first_pts: i64, frames: u64) -> Option<Clock> {
    let divisor = gcd(rate.0, rate.1);
    let (mut timescale, mut step) = (rate.0 / divisor, rate.1 / divisor);
    let frame_rate = (timescale, step);
    // Players and tools like a timescale that is not tiny; every frame stays exact.
    while timescale < 1000 {
        timescale *= 10;
        step = step.checked_mul(10)?;
    }
    let end = frames.checked_mul(u64::from(step))?;
    Some(Clock {
        mode,
        timescale,
        frame_rate,
        times: Times::Constant(step),
        source,
        first_pts,
        frames,
        end,
        ticks_per_source: 0,
        held: None,
        joined: false,
    })
}

fn listed(video: &VideoInfo, index: &Index, source: Vec<i64>, held: Option<Held>) -> Option<Clock> {
    let (num, den) = video.time_base;
    let (first_pts, last) = (*source.first()?, *source.last()?);
    let frames = source.len() as u64;
    let span = u64::try_from(last.checked_sub(first_pts)?).ok()?;
    let told =
        index.packets.iter().filter(|p| p.pts == Some(last)).map(|p| u64::from(p.duration)).find(|d| *d > 0);
    let told = held.map(|held| held.ticks()).or(told);
    let last_lasts = told.unwrap_or(span / frames.max(2)).max(1);
    let end = (span + last_lasts).checked_mul(u64::from(num))?;
    // Fine enough for decode times between presentation times.
    let scale = if den < 1000 { 1000_u32.div_ceil(den) } else { 1 };
    // Frames per second on average, in thousandths.
    let milli = u128::from(frames) * 1000 * u128::from(den) / u128::from(end.max(1));
    let frame_rate = (u32::try_from(milli).ok()?.max(1), 1000);
    Some(Clock {
        mode: Mode::Indexed,
        timescale: den.checked_mul(scale)?,
        frame_rate,
        times: Times::Listed,
        source,
        first_pts,
        frames,
        end: end.checked_mul(u64::from(scale))?,
        ticks_per_source: u64::from(num) * u64::from(scale),
        held,
        joined: false,
    })
}

impl Clock {
    /// Tick at which frame `i` is shown; the end for the one after the last.
    fn at(&self, i: u64) -> u64 {
        match self.times {
            Times::Constant(step) => i * u64::from(step),
            Times::Listed => self
                .source
                .get(i as usize)
                .map_or(self.end, |pts| (pts - self.first_pts).unsigned_abs() * self.ticks_per_source),
        }
    }
}

fn delay(clock: &Clock) -> u32 {
    match clock.times {
        Times::Constant(step) => step.saturating_mul(2),
        Times::Listed => (clock.end * 2 / clock.frames.max(1)).clamp(4, u64::from(u32::MAX / 4)) as u32,
    }
}

fn gop_frames((num, den): (u32, u32)) -> u64 {
    let (num, den) = (u64::from(num), u64::from(den));
    ((GOP_SECONDS * num + den / 2) / den).max(1)
}

/// Frames of each GOP of each segment.
fn segments(clock: &Clock) -> Vec<Vec<u32>> {
    let mut segments = match clock.times {
        Times::Constant(_) => {
            let gop = gop_frames(clock.frame_rate);
            let gops: Vec<u32> =
                (0..clock.frames.div_ceil(gop)).map(|i| gop.min(clock.frames - i * gop) as u32).collect();
            gops.chunks(2).map(<[u32]>::to_vec).collect()
        }
        Times::Listed => by_time(clock),
    };
    // A last segment under a second is no segment of its own.
    if segments.len() > 1 {
        let frames: u64 = segments.last().into_iter().flatten().map(|n| u64::from(*n)).sum();
        let short = frames * u64::from(clock.frame_rate.1) < u64::from(clock.frame_rate.0);
        if short
            && let Some(tail) = segments.pop()
            && let Some(last) = segments.last_mut()
        {
            last.extend(tail);
        }
    }
    segments
}

/// By slots of two seconds on the time line: a GOP begins with the first frame of a slot, a segment with an even slot.
fn by_time(clock: &Clock) -> Vec<Vec<u32>> {
    let slot_ticks = GOP_SECONDS * u64::from(clock.timescale);
    // A frame that misses its slot by less than half a frame still opens it.
    let tolerance = clock.end / clock.frames.max(1) / 2;
    let mut segments: Vec<Vec<u32>> = Vec::new();
    let mut last = None;
    for i in 0..clock.frames {
        let slot = (clock.at(i) + tolerance) / slot_ticks;
        match (last, segments.last_mut()) {
            (Some(previous), Some(_)) if previous == slot => {}
            (Some(previous), Some(segment)) if previous / 2 == slot / 2 => segment.push(0),
            _ => segments.push(vec![0]),
        }
        if let Some(count) = segments.last_mut().and_then(|s| s.last_mut()) {
            *count += 1;
        }
        last = Some(slot);
    }
    segments
}

/// Groups segments into chunks and finds where each is in the source.
fn cut(clock: &Clock, segments: &[Vec<u32>], keys: &[i64]) -> Vec<Chunk> {
    let ranges: Vec<_> = match clock.mode {
        Mode::Indexed => chunks(segments.len()).collect(),
        Mode::Sequential => std::iter::once(0..segments.len()).collect(),
    };
    let mut frame = 0;
    let chunk = |range: std::ops::Range<usize>| {
        let first_frame = frame;
        let ends = segments[range.clone()].iter().map(|gops| {
            frame += gops.iter().map(|n| u64::from(*n)).sum::<u64>();
            clock.at(frame)
        });
        let ends = ends.collect();
        let picture = |i: u64| {
            let at = clock.held.map_or(i, |held| held.before + held.picture(i));
            clock.source.get(at as usize).copied().unwrap_or(clock.first_pts)
        };
        let from_pts = picture(first_frame);
        // Repeated pictures are made from what lies between the chunk's own ends.
        let ahead = AHEAD.min(clock.frames.saturating_sub(frame));
        let ahead = Some(ahead).filter(|n| *n > 0 && clock.mode == Mode::Indexed && clock.held.is_none());
        Chunk {
            first_frame,
            start: clock.at(first_frame),
            ends,
            from_pts,
            to_pts: picture(frame - 1),
            ahead: ahead.map(|n| Ahead { frames: n as u32, to_pts: picture(frame + n - 1) }),
            segments: segments[range].to_vec(),
            seek: seek(keys, from_pts),
            reach: Vec::new(),
            window: None,
        }
    };
    ranges.into_iter().map(chunk).collect()
}

/// The last key frame at or before `from`, and for a second try one well before it. None when the start will do.
fn seek(keys: &[i64], from: i64) -> Vec<Seek> {
    let upto = keys.partition_point(|key| *key <= from);
    let candidates = [upto.checked_sub(1), upto.checked_sub(3)];
    candidates
        .into_iter()
        .flatten()
        .filter(|i| *i > 0)
        .map(|i| Seek { key: keys[i], next: keys.get(i + 1).copied() })
        .collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}
