//! Cutting a planned title: which stored segments stay as they are, and which few frames must be encoded again. Pure.
//!
//! A cut inside a segment makes pieces of it; everything else keeps its bytes and only moves on the time line. The cut plan
//! is a plan like any other, whose chunks know where in the source they come from, so that it can be cut again.
//!
//! Sound is cut between coded frames. Each kept range begins with the frame that brings sound and picture closest together
//! there, so that they are never more than half a frame (10.7 ms of AAC at 48 kHz) apart, however many cuts there are.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{AudioPlan, Chunk, Plan, Times, VideoPlan, audio_unit, video_unit};

/// Most ranges that are kept.
pub const MOST_RANGES: usize = 200;
/// A title of less than this makes no sense, milliseconds.
const LEAST_MS: u64 = 500;

/// Where in the source the pictures of a chunk are found that is a part of a planned one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The planned chunk: its first frame, its frames, and when it begins (ticks), all on the source's time line.
    pub first_frame: u64,
    pub frames: u64,
    pub start: u64,
    /// Frames of the planned chunk before this part.
    pub skip: u64,
}

/// A part of the title that stays, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    pub start_ms: u64,
    pub end_ms: u64,
}

/// Why a title cannot be cut like this, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("Say what to keep: at least one part, at most {MOST_RANGES}.")]
    Number,
    #[error(
        "The parts to keep must follow one another without overlapping, each with an end after its start."
    )]
    Order,
    #[error("A part to keep ends after the title.")]
    Outside,
    #[error("What is left must last half a second or more.")]
    TooShort,
    #[error("Nothing would be cut away.")]
    Nothing,
    #[error("This title cannot be trimmed.")]
    Unfit,
}

/// Segments of an earlier unit that stay as they are, moved by `shift` ticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reused {
    pub unit: String,
    pub segments: Range<usize>,
    pub shift: i64,
}

/// Where a chunk of the cut picture comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    Reused(Reused),
    /// To be encoded from the source.
    Encoded,
}

/// Where a stretch of a cut audio track comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sound {
    Reused(Reused),
    /// Some coded frames of one segment of an earlier unit, to be put into a segment of their own.
    Frames {
        unit: String,
        segment: usize,
        frames: Range<u64>,
    },
}

/// A cut title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    pub plan: Plan,
    /// For each chunk of the plan.
    pub pictures: Vec<Picture>,
    /// For each track and each of its stretches.
    pub sounds: Vec<Vec<Sound>>,
    /// Times of all frames, for a plan that lists them.
    pub times: Vec<u64>,
    /// What stays, to the frame.
    pub keep: Vec<Keep>,
}

impl Cut {
    /// Segments of one rung: all, and those to be encoded; with the milliseconds of the latter.
    pub fn effort(&self) -> (usize, usize, u64) {
        let Some(video) = &self.plan.video else { return (0, 0, 0) };
        let (mut all, mut encoded, mut ticks) = (0, 0, 0);
        for (chunk, picture) in video.chunks.iter().zip(&self.pictures) {
            all += chunk.segments.len();
            if *picture == Picture::Encoded {
                encoded += chunk.segments.len();
                ticks += chunk.end() - chunk.start;
            }
        }
        (all, encoded, ticks * 1000 / u64::from(video.timescale.max(1)))
    }
}

/// A kept range on the old and on the new time line, ticks of `rate`.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: u64,
    to: u64,
    at: u64,
}

/// Cuts `plan` down to `keep`. `listed` are the times of all its frames when it lists them.
pub fn trim(plan: &Plan, listed: &[u64], keep: &[Keep]) -> Result<Cut, Refused> {
    check(keep, plan.duration_ms)?;
    let Some(video) = &plan.video else { return sound_only(plan, keep) };
    let clock = Clock { video, listed, frames: video.frames() };
    if clock.frames == 0 || (video.times == Times::Listed && listed.len() as u64 != clock.frames) {
        return Err(Refused::Unfit);
    }
    let ranges = to_frames(&clock, keep)?;
    let pictures = Pictures::cut(&clock, &ranges);
    let mut spans = Vec::with_capacity(ranges.len());
    let mut at = 0;
    for range in &ranges {
        let (from, to) = (clock.at(range.start), clock.at(range.end));
        spans.push(Span { from, to, at });
        at += to - from;
    }
    let ms = |ticks: u64| (ticks * 1000 + u64::from(video.timescale) / 2) / u64::from(video.timescale);
    let keep = spans.iter().map(|span| Keep { start_ms: ms(span.from), end_ms: ms(span.to) }).collect();
    let (audio, sounds) = cut_tracks(plan, &spans, video.timescale);
    let cut = VideoPlan { end: at, chunks: pictures.chunks, ..video.clone() };
    let duration_ms = at * 1000 / u64::from(video.timescale);
    let plan = Plan { format: plan.format, duration_ms, video: Some(cut), audio };
    Ok(Cut { plan, pictures: pictures.made, sounds, times: pictures.times, keep })
}

fn sound_only(plan: &Plan, keep: &[Keep]) -> Result<Cut, Refused> {
    if plan.audio.is_empty() {
        return Err(Refused::Unfit);
    }
    let mut at = 0;
    let spans: Vec<Span> = keep
        .iter()
        .map(|part| {
            let span = Span { from: part.start_ms, to: part.end_ms.min(plan.duration_ms), at };
            at += span.to - span.from;
            span
        })
        .collect();
    let (audio, sounds) = cut_tracks(plan, &spans, 1000);
    let plan = Plan { format: plan.format, duration_ms: at, video: None, audio };
    Ok(Cut { plan, pictures: Vec::new(), sounds, times: Vec::new(), keep: keep.to_vec() })
}

fn check(keep: &[Keep], duration_ms: u64) -> Result<(), Refused> {
    if keep.is_empty() || keep.len() > MOST_RANGES {
        return Err(Refused::Number);
    }
    let ordered = keep.windows(2).all(|two| two[0].end_ms <= two[1].start_ms);
    if !ordered || keep.iter().any(|part| part.start_ms >= part.end_ms) {
        return Err(Refused::Order);
    }
    // Players round up.
    if keep.iter().any(|part| part.end_ms > duration_ms + 100) {
        return Err(Refused::Outside);
    }
    let left: u64 = keep.iter().map(|part| part.end_ms - part.start_ms).sum();
    if left < LEAST_MS {
        return Err(Refused::TooShort);
    }
    let all = keep.first().is_some_and(|part| part.start_ms == 0) && left >= duration_ms;
    if all { Err(Refused::Nothing) } else { Ok(()) }
}

/// When frames of the title are shown.
struct Clock<'a> {
    video: &'a VideoPlan,
    listed: &'a [u64],
    frames: u64,
}

impl Clock<'_> {
    /// Ticks; the title's end for the frame after the last.
    fn at(&self, frame: u64) -> u64 {
        match self.video.times {
            Times::Constant(step) => frame * u64::from(step),
            Times::Listed => self.listed.get(frame as usize).copied().unwrap_or(self.video.end),
        }
    }

    /// The frame whose beginning is nearest to `ms`; the number of frames for the title's end.
    fn nearest(&self, ms: u64) -> u64 {
        let scale = u128::from(self.video.timescale);
        let ticks = u64::try_from(u128::from(ms) * scale / 1000).unwrap_or(u64::MAX);
        let (mut low, mut high) = (0, self.frames);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at(middle) < ticks { low = middle + 1 } else { high = middle }
        }
        let before = low.saturating_sub(1);
        if ticks.abs_diff(self.at(before)) < self.at(low).abs_diff(ticks) { before } else { low }
    }
}

/// The parts in frames: empty ones go, neighbours become one.
fn to_frames(clock: &Clock<'_>, keep: &[Keep]) -> Result<Vec<Range<u64>>, Refused> {
    let mut ranges: Vec<Range<u64>> = Vec::with_capacity(keep.len());
    for part in keep {
        let range = clock.nearest(part.start_ms)..clock.nearest(part.end_ms);
        match ranges.last_mut() {
            _ if range.is_empty() => {}
            Some(last) if last.end >= range.start => last.end = range.end,
            _ => ranges.push(range),
        }
    }
    match ranges.as_slice() {
        [] => Err(Refused::TooShort),
        [all] if *all == (0..clock.frames) => Err(Refused::Nothing),
        _ => Ok(ranges),
    }
}

/// The cut picture as it is put together.
#[derive(Default)]
struct Pictures {
    chunks: Vec<Chunk>,
    made: Vec<Picture>,
    times: Vec<u64>,
    /// Frames and ticks so far.
    frames: u64,
    at: u64,
}

impl Pictures {
    fn cut(clock: &Clock<'_>, ranges: &[Range<u64>]) -> Self {
        let mut out = Self::default();
        for range in ranges {
            for (index, chunk) in clock.video.chunks.iter().enumerate() {
                out.cut_chunk(clock, index, chunk, range);
            }
        }
        out
    }

    /// Adds what `range` keeps of a chunk: a piece at each cut, and the whole segments between as one run.
    fn cut_chunk(&mut self, clock: &Clock<'_>, index: usize, chunk: &Chunk, range: &Range<u64>) {
        let mut first = chunk.first_frame;
        let mut run: Option<(Range<usize>, u64)> = None;
        for (n, gops) in chunk.segments.iter().enumerate() {
            let frames = first..first + gops.iter().map(|gop| u64::from(*gop)).sum::<u64>();
            first = frames.end;
            let kept = frames.start.max(range.start)..frames.end.min(range.end);
            if kept == frames && !frames.is_empty() {
                match &mut run {
                    Some((segments, _)) => segments.end = n + 1,
                    None => run = Some((n..n + 1, frames.start)),
                }
                continue;
            }
            if let Some((segments, start)) = run.take() {
                self.add_run(clock, index, chunk, segments, start);
            }
            if !kept.is_empty() {
                let gops = piece_gops(clock, gops, &frames, &kept);
                self.add(clock, chunk, kept.start, vec![gops], Picture::Encoded);
            }
        }
        if let Some((segments, start)) = run.take() {
            self.add_run(clock, index, chunk, segments, start);
        }
    }

    fn add_run(
        &mut self,
        clock: &Clock<'_>,
        index: usize,
        chunk: &Chunk,
        segments: Range<usize>,
        first: u64,
    ) {
        let shift = self.at.cast_signed() - clock.at(first).cast_signed();
        let reused = Reused { unit: video_unit(index), segments: segments.clone(), shift };
        self.add(clock, chunk, first, chunk.segments[segments].to_vec(), Picture::Reused(reused));
    }

    /// Adds segments of `chunk` that begin with frame `first` of the old time line.
    fn add(&mut self, clock: &Clock<'_>, chunk: &Chunk, first: u64, segments: Vec<Vec<u32>>, made: Picture) {
        let window = chunk.decoded();
        let window = Window { skip: window.skip + (first - chunk.first_frame), ..window };
        let (start, old_start) = (self.at, clock.at(first));
        let first_frame = self.frames;
        let mut frame = first;
        let mut ends = Vec::with_capacity(segments.len());
        for gops in &segments {
            let end = frame + gops.iter().map(|gop| u64::from(*gop)).sum::<u64>();
            if clock.video.times == Times::Listed {
                self.times.extend((frame..end).map(|frame| start + (clock.at(frame) - old_start)));
            }
            frame = end;
            ends.push(start + (clock.at(frame) - old_start));
        }
        self.frames += frame - first;
        self.at = ends.last().copied().unwrap_or(start);
        self.chunks.push(Chunk {
            first_frame,
            start,
            ends,
            from_pts: chunk.from_pts,
            to_pts: chunk.to_pts,
            segments,
            seek: chunk.seek.clone(),
            reach: chunk.reach.clone(),
            ahead: None,
            window: Some(window),
        });
        self.made.push(made);
    }
}

/// Frames of the GOPs of a piece, `kept` of a segment of `frames` that has `gops`: at a constant rate the encoder counts
/// from the piece's first frame, else key frames stay where they are.
fn piece_gops(clock: &Clock<'_>, gops: &[u32], frames: &Range<u64>, kept: &Range<u64>) -> Vec<u32> {
    if matches!(clock.video.times, Times::Constant(_)) {
        let (gop, all) = (clock.video.gop_frames(), kept.end - kept.start);
        return (0..all.div_ceil(gop)).map(|n| gop.min(all - n * gop) as u32).collect();
    }
    let mut first = frames.start;
    let inside = gops.iter().map(|gop| {
        let (from, to) = (first.max(kept.start), (first + u64::from(*gop)).min(kept.end));
        first += u64::from(*gop);
        to.saturating_sub(from) as u32
    });
    inside.filter(|frames| *frames > 0).collect()
}

fn cut_tracks(plan: &Plan, spans: &[Span], rate: u32) -> (Vec<AudioPlan>, Vec<Vec<Sound>>) {
    let cut = |(track, audio): (usize, &AudioPlan)| cut_track(track, audio, spans, rate);
    plan.audio.iter().enumerate().map(cut).unzip()
}

/// A kept run of coded frames, all of one old segment.
struct Bit {
    stretch: usize,
    segment: usize,
    /// Within the segment, and the segment's own number of frames.
    frames: Range<u64>,
    of: u64,
    /// Frames of the old track before it.
    before: u64,
}

fn cut_track(track: usize, audio: &AudioPlan, spans: &[Span], rate: u32) -> (AudioPlan, Vec<Sound>) {
    let samples = |ticks: u64| u128::from(ticks) * u128::from(audio.sample_rate) / u128::from(rate.max(1));
    let frame = u128::from(audio.frame());
    let (whole, half) = (i128::from(audio.frame()), i128::from(audio.frame() / 2));
    let nearest = |samples: i128| u64::try_from((samples + half).max(0) / whole).unwrap_or(0);
    let old_frames = audio.frames();
    let (mut out, mut bits) = (0_u64, Vec::new());
    let mut end_samples = 0;
    for (n, span) in spans.iter().enumerate() {
        let (new_at, new_end) = (samples(span.at), samples(span.at + (span.to - span.from)));
        let ahead = i128::from(out * audio.frame()) - new_at.cast_signed();
        let first = nearest(samples(span.from).cast_signed() + ahead).min(old_frames);
        // The last part covers the picture to its end; its last frame is played as far as that goes.
        let wanted = new_end.saturating_sub(u128::from(out) * frame);
        let count = if n + 1 == spans.len() { wanted.div_ceil(frame) } else { (wanted + frame / 2) / frame };
        let last = first.saturating_add(u64::try_from(count).unwrap_or(u64::MAX)).min(old_frames);
        let before = bits.len();
        collect(audio, first..last, &mut bits);
        if bits.len() > before {
            out += last - first;
        }
        end_samples = new_end;
    }
    let end_samples = u64::try_from(end_samples).unwrap_or(u64::MAX).min(out * audio.frame()).max(1);
    assemble(track, audio, &bits, end_samples)
}

/// The old segments, or parts of them, that hold `wanted` frames.
fn collect(audio: &AudioPlan, wanted: Range<u64>, bits: &mut Vec<Bit>) {
    let mut before = 0;
    for (stretch, segments) in audio.stretches.iter().enumerate() {
        for (segment, frames) in segments.iter().enumerate() {
            let own = before..before + u64::from(*frames);
            let kept = own.start.max(wanted.start)..own.end.min(wanted.end);
            if !kept.is_empty() {
                let frames = kept.start - own.start..kept.end - own.start;
                bits.push(Bit { stretch, segment, frames, of: own.end - own.start, before: kept.start });
            }
            before = own.end;
        }
    }
}

/// Whole segments in a row become one stretch, parts of segments one each.
fn assemble(track: usize, audio: &AudioPlan, bits: &[Bit], end_samples: u64) -> (AudioPlan, Vec<Sound>) {
    let (mut stretches, mut sounds): (Vec<Vec<u32>>, Vec<Sound>) = Default::default();
    let mut out = 0_u64;
    let total: u64 = bits.iter().map(|bit| bit.frames.end - bit.frames.start).sum();
    // How long the frame that ends at frame `end` of a track of `samples` is played.
    let frame = audio.frame();
    let lasts = |end: u64, samples: u64| frame.min(samples.saturating_sub((end - 1) * frame)).max(1);
    for bit in bits {
        let count = bit.frames.end - bit.frames.start;
        let (old_end, new_end) = (bit.before + count, out + count);
        let new_samples = if new_end == total { end_samples } else { u64::MAX / 2 };
        let unchanged = lasts(old_end, audio.samples) == lasts(new_end, new_samples);
        let unit = audio_unit(track, bit.stretch);
        if bit.frames == (0..bit.of) && unchanged {
            let shift = (out.cast_signed() - bit.before.cast_signed()) * frame.cast_signed();
            match (sounds.last_mut(), stretches.last_mut()) {
                (Some(Sound::Reused(last)), Some(stretch))
                    if last.unit == unit && last.segments.end == bit.segment && last.shift == shift =>
                {
                    last.segments.end += 1;
                    stretch.push(count as u32);
                }
                _ => {
                    sounds.push(Sound::Reused(Reused {
                        unit,
                        segments: bit.segment..bit.segment + 1,
                        shift,
                    }));
                    stretches.push(vec![count as u32]);
                }
            }
        } else {
            sounds.push(Sound::Frames { unit, segment: bit.segment, frames: bit.frames.clone() });
            stretches.push(vec![count as u32]);
        }
        out = new_end;
    }
    (AudioPlan { samples: end_samples, stretches, ..audio.clone() }, sounds)
}
