//! The packager: frames of all tracks become parts and segments that begin and end together and follow each other without a gap,
//! whatever the publisher does.
//!
//! One track **leads**, at first the first one: at its key frames segments begin, and the others follow. Each track is filled where it has nothing: a
//! picture with the slate or with the last one that decodes on its own, sound with silence. So the event's time never stands still,
//! and what is recorded needs no mending. Without a clock: times are arguments.

mod fill;
mod line;

use std::{collections::VecDeque, sync::Arc};

use media::cmaf::{Media, TrackSpec};

use self::line::Line;
pub use self::line::{Chunk, Made};
use crate::ring::Frame;

/// Ticks per second of all pictures.
pub const PICTURES: u32 = 90_000;
/// How far a follower may be behind the leader before it is filled, milliseconds: an encoder that is replaced takes a second or two.
const LATE_MS: u32 = 3_000;
/// A source that goes on after a pause where it had stopped is followed again after this time, microseconds; one that was held up by its
/// network catches up before.
const STAYS_BEHIND_US: i64 = 3_000_000;

/// No segment is shorter, ticks of pictures: each has something of every track.
const SHORTEST: u64 = PICTURES as u64 / 10;

/// How an event is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Segments are as long as whole groups of pictures allow without being longer than this, milliseconds.
    pub longest_ms: u32,
    /// Segments where there are no key frames to begin with, milliseconds.
    pub usual_ms: u32,
    /// No part is longer, milliseconds.
    pub part_ms: u32,
}

impl Default for Cut {
    /// Two seconds, up to what a playlist still calls two; ten pictures of thirty in a second.
    fn default() -> Self {
        Self { longest_ms: 2_499, usual_ms: 2_000, part_ms: 340 }
    }
}

/// Where segments begin: event time, ticks of pictures.
#[derive(Debug, Clone)]
struct Bounds {
    /// The segment that the slowest track is in, and its beginning.
    passed: u64,
    began: u64,
    breaks: bool,
    /// Beginnings of those after it.
    ahead: VecDeque<Bound>,
}

#[derive(Debug, Clone, Copy)]
struct Bound {
    at: u64,
    /// What comes is not of the same encoder as what was.
    breaks: bool,
}

impl Bounds {
    /// Where segment `number` ends, once that is known.
    fn end_of(&self, number: u64) -> Option<Bound> {
        self.ahead.get(usize::try_from(number.checked_sub(self.passed)?).ok()?).copied()
    }

    fn newest(&self) -> u64 {
        self.ahead.back().map_or(self.began, |bound| bound.at)
    }

    fn add(&mut self, at: u64, breaks: bool) {
        if at >= self.newest() + SHORTEST {
            self.ahead.push_back(Bound { at, breaks });
        }
    }

    fn forget_before(&mut self, number: u64) {
        while self.passed < number {
            let Some(Bound { at, breaks }) = self.ahead.pop_front() else { return };
            (self.began, self.breaks, self.passed) = (at, breaks, self.passed + 1);
        }
    }
}

/// What plays now, and how its times become the event's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Nothing; the next one begins at this event time at the earliest, ticks of pictures.
    Waiting(u64),
    /// Microseconds that are added to its times.
    Playing(i64),
}

/// Makes an event's parts and segments.
#[derive(Debug)]
pub struct Packager {
    cut: Cut,
    lines: Vec<Line>,
    leader: usize,
    bounds: Bounds,
    /// The last distances between the leader's key frames.
    groups: VecDeque<u64>,
    last_key: Option<u64>,
    /// How far segments are decided: event time, ticks of pictures.
    horizon: u64,
    source: Source,
    /// What stands in is shown, and not the source.
    filling: bool,
    /// Since when the source has been behind what was filled, microseconds.
    behind: Option<i64>,
}

impl Packager {
    /// For these tracks, the leader first. The event's time goes on at `at`, ticks of pictures, where segment `number` begins.
    pub fn new(cut: Cut, specs: Vec<TrackSpec>, number: u64, at: u64) -> Self {
        // What comes after an interruption is of another encoder.
        let bounds = Bounds { passed: number, began: at, breaks: number > 0, ahead: VecDeque::new() };
        let line = |(track, spec): (usize, TrackSpec)| Line::new(track, retimed(spec), &cut, &bounds);
        let lines = specs.into_iter().enumerate().map(line).collect();
        let (groups, source) = (VecDeque::new(), Source::Waiting(at));
        let (leader, last_key, horizon, filling, behind) = (0, None, at, false, None);
        Self { cut, lines, leader, bounds, groups, last_key, horizon, source, filling, behind }
    }

    /// What a track's samples are described by.
    pub fn spec(&self, track: usize) -> Option<&Arc<TrackSpec>> {
        self.lines.get(track).map(Line::spec)
    }

    /// Event time up to which all is decided, microseconds.
    pub fn now_us(&self) -> i64 {
        micros(self.horizon)
    }

    /// Does what stands in fill the time just now?
    pub fn is_filling(&self) -> bool {
        self.filling
    }

    /// Another source begins: its first key frame is shown at `at_us` of the event's time, or later where there is something already.
    pub fn join(&mut self, at_us: i64) {
        // The last picture of who was before is shown.
        self.horizon = self.horizon.max(self.lines.get(self.leader).map_or(0, Line::end_if_held));
        self.source = Source::Waiting(ticks(at_us).max(self.horizon));
        (self.last_key, self.behind) = (None, None);
        self.groups.clear();
        self.lines.iter_mut().for_each(Line::part_with_source);
    }

    /// What stands in on a track while nobody sends: a picture that decodes on its own; `None`: the last one that was shown.
    pub fn set_slate(&mut self, track: usize, picture: Option<&Frame>) {
        if let Some(line) = self.lines.get_mut(track) {
            line.set_slate(picture);
        }
    }

    /// Segments begin at the key frames of this track from now on. `now_us` is the event's time by the clock.
    pub fn follow_track(&mut self, leader: usize, now_us: i64) {
        if self.leader == leader {
            return;
        }
        self.leader = leader;
        let waiting = self.lines.get_mut(leader).map(Line::take_waiting).unwrap_or_default();
        waiting.into_iter().for_each(|frame| self.push(leader, frame, now_us));
    }

    /// Takes a frame of a track at the event's time `now_us` by the clock.
    pub fn push(&mut self, track: usize, frame: Frame, now_us: i64) {
        if track == self.leader {
            self.lead(frame, now_us);
        } else if let Some(line) = self.lines.get_mut(track) {
            line.wait(frame);
        }
        self.follow();
    }

    /// Fills what is missing up to this event time, microseconds.
    pub fn catch_up(&mut self, to_us: i64) {
        let to = ticks(to_us);
        // In steps of a part, so that those who wait get something.
        let step = self.ms(self.cut.part_ms);
        let interrupted = self.lines.get(self.leader).filter(|line| line.is_started() && !self.filling);
        let from = interrupted.map(|line| self.horizon.max(line.end_if_held()).max(self.room()));
        if from.unwrap_or(self.horizon) + step > to {
            return;
        }
        if let Some(from) = from {
            self.horizon = from;
            self.bounds.add(from, true);
            self.lines.iter_mut().for_each(|line| line.darkens(from));
        }
        self.filling = true;
        while self.horizon + step <= to {
            let next = self.horizon + step;
            self.fill_bounds(next);
            if let Some(line) = self.lines.get_mut(self.leader) {
                line.advance(next, &self.bounds);
            }
            self.horizon = next;
            self.follow();
        }
    }

    /// All that is there becomes segments; nothing follows.
    pub fn finish(&mut self) {
        self.follow();
        let end = self.lines.get(self.leader).map_or(0, Line::end_if_held);
        self.horizon = self.horizon.max(end);
        for line in self.lines.iter_mut().filter(|line| line.is_started()) {
            line.advance(self.horizon, &self.bounds);
            line.close();
        }
    }

    /// What was made since the last call.
    pub fn take(&mut self) -> Vec<Made> {
        self.lines.iter_mut().flat_map(Line::take).collect()
    }

    /// A frame of the leader.
    fn lead(&mut self, frame: Frame, now_us: i64) {
        let offset = match self.source {
            Source::Playing(offset) => offset,
            Source::Waiting(_) if !frame.key => return,
            Source::Waiting(at) => self.anchor(&frame, at.max(self.room())),
        };
        let Some(line) = self.lines.get_mut(self.leader) else { return };
        let (pictures, filled) = (line.is_video(), self.filling || line.wants_key());
        let Some(mut at) = line.time(&frame, offset) else { return };
        if at < self.horizon {
            if !frame.key || !self.stays_behind(now_us) {
                return;
            }
            let offset = self.anchor(&frame, self.horizon.max(self.room()));
            self.lines.iter_mut().for_each(Line::part_with_source);
            let again = self.lines.get_mut(self.leader).and_then(|line| line.time(&frame, offset));
            let Some(anchored) = again else { return };
            at = anchored;
        }
        if filled && !frame.key {
            return;
        }
        self.behind = None;
        if std::mem::take(&mut self.filling) {
            self.lines.iter_mut().for_each(|line| line.lightens(at));
        }
        if filled {
            // A segment begins here, and the one before it is not too short.
            self.fill_bounds(at.saturating_sub(SHORTEST));
        }
        if frame.key && self.begins_segment(at, filled || frame.discontinuity, pictures) {
            self.bounds.add(at, filled || frame.discontinuity);
        }
        if frame.key {
            self.last_key = Some(at);
        }
        if let Some(line) = self.lines.get_mut(self.leader) {
            line.add(frame, at, &self.bounds);
        }
        self.horizon = self.horizon.max(at);
    }

    /// The source's times become the event's so that `frame` is shown at `at`. Gives what is added to them.
    fn anchor(&mut self, frame: &Frame, at: u64) -> i64 {
        let offset = micros(at) - scale(frame.pts, frame.spec.timescale, 1_000_000);
        self.source = Source::Playing(offset);
        self.behind = None;
        offset
    }

    fn stays_behind(&mut self, now_us: i64) -> bool {
        now_us - *self.behind.get_or_insert(now_us) >= STAYS_BEHIND_US
    }

    /// Does a segment begin at this key frame?
    fn begins_segment(&mut self, at: u64, broken: bool, pictures: bool) -> bool {
        let began = self.bounds.newest();
        let (longest, usual) = (self.ms(self.cut.longest_ms), self.ms(self.cut.usual_ms));
        if pictures && let Some(last) = self.last_key.filter(|last| *last < at) {
            self.groups.push_back(at - last);
            if self.groups.len() > 4 {
                self.groups.pop_front();
            }
        }
        if at <= began {
            return false;
        }
        if !pictures {
            return at - began >= usual;
        }
        let group = self.groups.iter().copied().max().unwrap_or(usual);
        broken || at - began + group > longest
    }

    /// Without key frames segments begin at the usual distance.
    fn fill_bounds(&mut self, to: u64) {
        let usual = self.ms(self.cut.usual_ms);
        loop {
            // Not where something is already: a group of pictures may have been longer.
            let next = (self.bounds.newest() + usual).max(self.horizon);
            if next >= to {
                return;
            }
            self.bounds.add(next, false);
        }
    }

    /// The first time at which a segment can begin; at once before the first.
    fn room(&self) -> u64 {
        let newest = self.bounds.newest();
        if self.horizon > newest { newest + SHORTEST } else { newest }
    }

    /// Brings the followers as far as the leader is.
    fn follow(&mut self) {
        let least = self.horizon.saturating_sub(self.ms(LATE_MS));
        let followers = self.lines.iter_mut().enumerate().filter(|(track, _)| *track != self.leader);
        for (_, line) in followers {
            if let Source::Playing(offset) = self.source {
                while let Some((frame, at)) = line.next_waiting(offset, self.horizon) {
                    line.add(frame, at, &self.bounds);
                }
            }
            // Before its first picture there is nothing to stand in: that one will show what was before as well.
            if line.end() < least && (line.is_started() || !line.is_video()) {
                line.advance(least, &self.bounds);
            }
        }
        let slowest = self.lines.iter().map(Line::number).min();
        self.bounds.forget_before(slowest.unwrap_or(self.bounds.passed));
    }

    fn ms(&self, ms: u32) -> u64 {
        u64::from(ms) * u64::from(PICTURES) / 1000
    }
}

/// A spec with the ticks that its track has in an event.
fn retimed(spec: TrackSpec) -> TrackSpec {
    let timescale = match &spec.media {
        Media::Video { .. } => PICTURES,
        Media::Audio(sound) => sound.sample_rate().max(1),
    };
    let media = match spec.media {
        Media::Video { picture, delay } => {
            let delay = scale(delay.into(), spec.timescale, PICTURES);
            Media::Video { picture, delay: u32::try_from(delay).unwrap_or(0) }
        }
        sound => sound,
    };
    TrackSpec { timescale, media, ..spec }
}

fn micros(ticks: u64) -> i64 {
    scale(i64::try_from(ticks).unwrap_or(i64::MAX), PICTURES, 1_000_000)
}

/// Microseconds as ticks of pictures, rounded.
pub fn ticks(micros: i64) -> u64 {
    u64::try_from(scale(micros, 1_000_000, PICTURES)).unwrap_or(0)
}

/// Ticks of one timescale as those of another, rounded.
fn scale(value: i64, from: u32, to: u32) -> i64 {
    let (value, from, to) = (i128::from(value), i128::from(from.max(1)), i128::from(to));
    i64::try_from((value * to * 2 + from).div_euclid(from * 2)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
