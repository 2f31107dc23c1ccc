//! One track on its way into parts and segments.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use bytes::Bytes;
use media::{
    cmaf::{self, Kind, Media, TrackSpec},
    descriptor,
    mp4::Sample,
};

use super::{Bounds, Cut, PICTURES, fill, scale};
use crate::ring::Frame;

/// Frames that a follower may keep until the leader has come so far.
const MOST_WAITING: usize = 4_096;
/// Key frames that are meant to be at the same time may be so far apart, ticks of pictures: encoders count in their own ticks.
pub const SNAP: u64 = 3 * PICTURES as u64 / 1000;

/// A part or a segment, with its bytes.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// The event's time at its beginning, ticks of its track.
    pub start: u64,
    /// It can be decoded without what was before.
    pub independent: bool,
    pub bytes: cmaf::Segment,
}

impl Chunk {
    /// Ticks of its track.
    pub fn duration(&self) -> u32 {
        self.bytes.index.duration
    }
}

/// What the packager makes.
#[derive(Debug, Clone)]
pub enum Made {
    /// The next part of the present segment.
    Part { track: usize, number: u64, chunk: Chunk, breaks: bool },
    /// The present segment is whole, and the next one begins.
    Segment { track: usize, number: u64, chunk: Chunk, breaks: bool },
}

impl Made {
    pub fn track(&self) -> usize {
        match self {
            Self::Part { track, .. } | Self::Segment { track, .. } => *track,
        }
    }
}

/// A track's samples, as far as they are known.
#[derive(Debug)]
pub struct Line {
    track: usize,
    spec: Arc<TrackSpec>,
    kind: Kind,
    /// Most ticks of a part.
    part_ticks: u32,
    /// The present segment.
    number: u64,
    breaks: bool,
    samples: Vec<Sample>,
    /// Its part that is not closed, as a number of its last samples, and how long it is.
    open: usize,
    open_ticks: u32,
    sequence: u32,
    /// Where the next sample begins, the held one left out.
    end: u64,
    /// A picture whose length the next one tells.
    held: Option<Sample>,
    /// Frames that are ahead of the leader.
    waiting: VecDeque<Frame>,
    /// What the present source's first key frame was shown after it was decoded, ticks.
    delay: Option<i64>,
    wants_key: bool,
    started: bool,
    /// What stands in for pictures that are missing, and what does where nobody sends: in this time, ticks of pictures.
    last_key: Option<Bytes>,
    slate: Option<Bytes>,
    dark: Range<u64>,
    made: Vec<Made>,
}

impl Line {
    pub fn new(track: usize, spec: TrackSpec, cut: &Cut, bounds: &Bounds) -> Self {
        let part_ticks = scale(cut.part_ms.into(), 1000, spec.timescale);
        let end = scale(i64::try_from(bounds.began).unwrap_or(0), PICTURES, spec.timescale);
        let end = u64::try_from(end).unwrap_or(0);
        Self {
            track,
            kind: spec.kind(),
            part_ticks: u32::try_from(part_ticks).unwrap_or(u32::MAX),
            spec: Arc::new(spec),
            number: bounds.passed,
            breaks: bounds.breaks,
            samples: Vec::new(),
            open: 0,
            open_ticks: 0,
            sequence: 0,
            end,
            held: None,
            waiting: VecDeque::new(),
            delay: None,
            wants_key: true,
            started: false,
            last_key: None,
            slate: None,
            dark: 0..0,
            made: Vec::new(),
        }
    }

    pub fn spec(&self) -> &Arc<TrackSpec> {
        &self.spec
    }

    /// Number of the present segment.
    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn is_video(&self) -> bool {
        matches!(self.kind, Kind::Video { .. })
    }

    /// Has it anything, or something to stand in?
    pub fn is_started(&self) -> bool {
        self.started
    }

    /// Is it waiting for a picture that can be decoded?
    pub fn wants_key(&self) -> bool {
        self.wants_key && self.is_video()
    }

    /// Where it ends, event time in ticks of pictures, a held picture left out.
    pub fn end(&self) -> u64 {
        self.in_pictures(self.end)
    }

    /// The same with a held picture, as far as can be told.
    pub fn end_if_held(&self) -> u64 {
        self.in_pictures(self.end + u64::from(self.held.as_ref().map_or(0, |held| held.duration)))
    }

    pub fn take(&mut self) -> Vec<Made> {
        std::mem::take(&mut self.made)
    }

    pub fn set_slate(&mut self, picture: Option<&Frame>) {
        self.slate = picture.and_then(|picture| self.stored(picture));
    }

    /// Nobody sends from here on, ticks of pictures.
    pub fn darkens(&mut self, at: u64) {
        self.dark = at..u64::MAX;
    }

    /// Somebody sends again.
    pub fn lightens(&mut self, at: u64) {
        self.dark.end = at;
    }

    /// Its source is over, and another one follows.
    pub fn part_with_source(&mut self) {
        self.waiting.clear();
        self.delay = None;
        self.wants_key = true;
    }

    /// Keeps a frame until the leader has come so far.
    pub fn wait(&mut self, frame: Frame) {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push_back(frame);
        }
    }

    /// The frames that were kept.
    pub fn take_waiting(&mut self) -> VecDeque<Frame> {
        std::mem::take(&mut self.waiting)
    }

    /// When a frame is decoded: event time in ticks of pictures. Pictures that can be decoded on their own are shown at that time.
    pub fn time(&mut self, frame: &Frame, offset_us: i64) -> Option<u64> {
        let scale_of = |ticks| scale(ticks, frame.spec.timescale, PICTURES);
        let delay = if self.is_video() {
            if frame.key {
                self.delay = Some(scale_of(frame.pts - frame.dts));
            }
            self.delay?
        } else {
            0
        };
        u64::try_from(scale_of(frame.dts) + delay + scale(offset_us, 1_000_000, PICTURES)).ok()
    }

    /// The next frame that waits, when it lies within what is decided.
    pub fn next_waiting(&mut self, offset_us: i64, horizon: u64) -> Option<(Frame, u64)> {
        loop {
            let frame = self.waiting.pop_front()?;
            match self.time(&frame, offset_us) {
                // Before the event, or pictures before a key frame.
                None => {}
                Some(at) if at > horizon + SNAP => {
                    self.waiting.push_front(frame);
                    return None;
                }
                Some(at) => return Some((frame, at)),
            }
        }
    }

    /// Adds a frame that is decoded at `at`, ticks of pictures.
    pub fn add(&mut self, frame: Frame, at: u64, bounds: &Bounds) {
        if self.is_video() { self.add_picture(frame, at, bounds) } else { self.add_sound(frame, at, bounds) }
    }

    fn add_picture(&mut self, frame: Frame, at: u64, bounds: &Bounds) {
        let starts = self.held.is_some().then_some(self.end);
        if (self.wants_key && !frame.key) || at < self.end || starts.is_some_and(|start| at <= start) {
            return;
        }
        let Some(data) = self.stored(&frame) else { return };
        if frame.key && !self.started {
            // What comes before its first picture shows it.
            self.last_key.get_or_insert_with(|| data.clone());
            self.started = true;
        }
        let mut at = at;
        while let Some(bound) = bounds.end_of(self.number).filter(|bound| at + SNAP >= bound.at) {
            let meets = frame.key && at.abs_diff(bound.at) <= SNAP;
            if meets {
                at = bound.at;
            }
            self.come_to(bound.at, meets);
            self.next_segment(bound.at, bound.breaks);
            // A segment begins with a picture that decodes on its own.
            self.wants_key |= !meets;
            if meets {
                break;
            }
        }
        if self.wants_key && !frame.key {
            return;
        }
        // What comes long after the last picture and does not need it is not its continuation.
        let far = at > self.end + 2 * u64::from(self.part_ticks);
        self.come_to(at, !(frame.key && far));
        let Frame { pts, dts, key, spec, .. } = frame;
        let shown = scale(pts - dts, spec.timescale, PICTURES) - self.delay.unwrap_or(0);
        let cts_offset = i32::try_from(shown).unwrap_or(0);
        if key {
            self.last_key = Some(data.clone());
        }
        self.wants_key = false;
        // Until the next one tells: thirty in a second.
        let duration = PICTURES / 30;
        self.held = Some(Sample { dts: self.end, cts_offset, duration, is_sync: key, data });
    }

    fn add_sound(&mut self, frame: Frame, at: u64, bounds: &Bounds) {
        if fill::sound_of(&frame.spec) != fill::sound_of(&self.spec) {
            return;
        }
        let step = u64::from(fill::frame_ticks(&self.spec));
        let own = self.own(at);
        // A frame and a half: times of RTMP are rounded to milliseconds, and a new source begins where it likes.
        let slack = step * 3 / 2;
        if own + slack < self.end {
            return;
        }
        if own > self.end + slack {
            self.fill_sound(own - step / 2, bounds);
            self.stretch(own);
        }
        self.started = true;
        self.put_sound(frame.data, bounds);
    }

    fn put_sound(&mut self, data: Bytes, bounds: &Bounds) {
        let duration = fill::frame_ticks(&self.spec);
        while let Some(bound) = bounds.end_of(self.number) {
            // At the frame that begins nearest to it.
            if self.own(bound.at) > self.end + u64::from(duration / 2) {
                break;
            }
            self.next_segment(self.end, bound.breaks);
        }
        self.commit(Sample { dts: self.end, cts_offset: 0, duration, is_sync: true, data });
    }

    /// Has something up to `to`, ticks of pictures, if need be what stands in.
    pub fn advance(&mut self, to: u64, bounds: &Bounds) {
        if !self.is_video() {
            return self.fill_sound(self.own(to), bounds);
        }
        while let Some(bound) = bounds.end_of(self.number).filter(|bound| bound.at <= to) {
            self.come_to(bound.at, false);
            self.next_segment(bound.at, bound.breaks);
        }
        self.come_to(to, false);
    }

    /// Sound that does not know how to be silent: its last frame lasts until `to`, ticks of its own.
    fn stretch(&mut self, to: u64) {
        let slack = u64::from(fill::frame_ticks(&self.spec)) * 3 / 2;
        if to <= self.end + slack {
            return;
        }
        self.close_part();
        if let Some(last) = self.samples.last_mut() {
            let more = u32::try_from(to - self.end).unwrap_or(u32::MAX);
            last.duration = last.duration.saturating_add(more);
        }
        self.end = to;
    }

    fn fill_sound(&mut self, to: u64, bounds: &Bounds) {
        let Some(silence) = fill::silence(&self.spec) else { return };
        let step = u64::from(fill::frame_ticks(&self.spec));
        self.started = true;
        while self.end + step <= to {
            self.put_sound(silence.clone(), bounds);
        }
    }

    /// Pictures up to `to`, within the present segment: the held one lasts as long as one may when what comes goes on with it, and what
    /// stands in follows.
    fn come_to(&mut self, to: u64, goes_on: bool) {
        if let Some(mut held) = self.held.take() {
            let left = to.saturating_sub(self.end);
            let most = if goes_on { u64::from(u32::MAX) } else { u64::from(self.part_ticks) };
            held.duration = u32::try_from(left.min(most)).unwrap_or(u32::MAX);
            if held.duration > 0 {
                self.commit(held);
            }
        }
        while self.end < to {
            let slate = self.slate.clone().filter(|_| self.dark.contains(&self.end()));
            let Some(picture) = slate.or_else(|| self.last_key.clone()) else { return };
            let duration = u32::try_from((to - self.end).min(self.part_ticks.into())).unwrap_or(u32::MAX);
            self.wants_key = true;
            self.commit(Sample { dts: self.end, cts_offset: 0, duration, is_sync: true, data: picture });
        }
    }

    fn commit(&mut self, sample: Sample) {
        let duration = sample.duration;
        if self.open > 0 && self.open_ticks.saturating_add(duration) > self.part_ticks {
            self.close_part();
        }
        self.end += u64::from(duration);
        self.samples.push(sample);
        self.open += 1;
        self.open_ticks = self.open_ticks.saturating_add(duration);
        // Another one like it has no place.
        if self.open_ticks.saturating_add(duration) > self.part_ticks {
            self.close_part();
        }
    }

    fn close_part(&mut self) {
        let first = self.samples.len() - self.open;
        let Some(samples) = self.samples.get(first..).filter(|samples| !samples.is_empty()) else { return };
        let start = samples[0].dts;
        let independent = !self.is_video() || samples[0].is_sync;
        self.sequence = self.sequence.wrapping_add(1);
        match cmaf::segment(self.sequence, start, samples, self.kind) {
            Ok(bytes) => {
                let chunk = Chunk { start, independent, bytes };
                let (track, number, breaks) = (self.track, self.number, self.breaks);
                self.made.push(Made::Part { track, number, chunk, breaks });
            }
            Err(error) => tracing::error!(%error, "a part of a live event cannot be written"),
        }
        (self.open, self.open_ticks) = (0, 0);
    }

    /// Ends the present segment at `at`, ticks of the track, where it has come to if it has anything.
    fn next_segment(&mut self, at: u64, breaks: bool) {
        self.close();
        (self.number, self.breaks) = (self.number + 1, breaks);
        self.end = self.end.max(at);
    }

    /// The present segment is whole.
    pub fn close(&mut self) {
        self.close_part();
        let samples = std::mem::take(&mut self.samples);
        let Some(first) = samples.first() else { return };
        let start = first.dts;
        let number = u32::try_from(self.number).unwrap_or(u32::MAX).saturating_add(1);
        match cmaf::segment(number, start, &samples, self.kind) {
            Ok(bytes) => {
                let chunk = Chunk { start, independent: true, bytes };
                let (track, number, breaks) = (self.track, self.number, self.breaks);
                self.made.push(Made::Segment { track, number, chunk, breaks });
            }
            Err(error) => tracing::error!(%error, "a segment of a live event cannot be written"),
        }
    }

    /// A picture as the track holds it: parameter sets that are not the header's come along.
    fn stored(&self, frame: &Frame) -> Option<Bytes> {
        let (Media::Video { picture: own, .. }, Media::Video { picture, .. }) =
            (&self.spec.media, &frame.spec.media)
        else {
            return None;
        };
        if own.config == picture.config {
            return own.stored(&frame.data, frame.key).ok();
        }
        picture.with_sets_in_band()?.stored(&frame.data, frame.key).ok()
    }

    /// Ticks of pictures as those of the track.
    fn own(&self, ticks: u64) -> u64 {
        let ticks = scale(i64::try_from(ticks).unwrap_or(i64::MAX), PICTURES, self.spec.timescale);
        u64::try_from(ticks).unwrap_or(0)
    }

    fn in_pictures(&self, ticks: u64) -> u64 {
        let ticks = scale(i64::try_from(ticks).unwrap_or(i64::MAX), self.spec.timescale, PICTURES);
        u64::try_from(ticks).unwrap_or(0)
    }
}

/// The segment as a descriptor lists it.
impl From<&Chunk> for descriptor::Segment {
    fn from(chunk: &Chunk) -> Self {
        chunk.bytes.index.clone()
    }
}
