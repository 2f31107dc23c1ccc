//! The ring: one writer and many readers of a track. Frames are immutable and their bytes shared; a group is a key frame and what
//! follows until the next. A reader is a cursor: it never holds the writer up, and when what it wants is gone it goes on at the
//! newest key frame and is told so.
//!
//! Whoever needs frames reads so: packaging, recording, publishing further, players that are fed frame by frame.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use media::cmaf::TrackSpec;
use tokio::sync::watch;

/// What a frame costs beside its bytes, roughly.
const OVERHEAD: u64 = 96;

/// How much a ring keeps. The newest group is kept in any case, as far as `bytes` go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Between the oldest frame and the newest.
    pub time: Duration,
    pub bytes: u64,
}

/// A coded frame, decoding order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What the decoder must know: the same `Arc` for all frames up to a change.
    pub spec: Arc<TrackSpec>,
    /// Decode and presentation time, ticks of the `spec`'s timescale.
    pub dts: i64,
    pub pts: i64,
    /// Decoding may begin here.
    pub key: bool,
    /// The publisher's time line is broken before it. Times go on growing all the same, but the step to this one means nothing.
    pub discontinuity: bool,
    pub data: Bytes,
}

/// What a reader gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Frame(Frame),
    /// The reader was too slow, and frames are lost to it. What comes next is a key frame.
    Lagged {
        frames: u64,
    },
}

/// Where a reader begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With all that is kept.
    Oldest,
    /// At the newest key frame: what a player wants that has nothing yet.
    NewestKey,
    /// With the first key frame that is still to come.
    NextKey,
    /// With the first key frame at this decode time, ticks, or after it: where a reader of another track is.
    From(i64),
}

struct State {
    window: Window,
    /// Number of the first frame.
    first: u64,
    frames: VecDeque<Frame>,
    /// Numbers of the key frames among them.
    keys: VecDeque<u64>,
    bytes: u64,
    closed: bool,
}

/// Without the frames, which are many.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { window, first, frames, bytes, closed, .. } = self;
        write!(f, "{} frames from {first} on, {bytes} bytes of {window:?}, closed: {closed}", frames.len())
    }
}

/// A track's frames. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Ring(Arc<watch::Sender<State>>);

/// The side that adds frames. Dropping it ends the track.
#[derive(Debug)]
pub struct Writer(Ring);

/// A place in a ring.
#[derive(Debug, Clone)]
pub struct Reader {
    state: watch::Receiver<State>,
    /// Number of the next frame.
    at: u64,
    /// Only a key frame will do.
    wants_key: bool,
    /// How far it may be behind before it lags, though what it wants is still there.
    patience: Option<Duration>,
}

/// What a ring holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    pub frames: usize,
    pub groups: usize,
    pub bytes: u64,
}

/// A new ring's two sides.
pub fn ring(window: Window) -> (Writer, Ring) {
    let (first, bytes, closed) = (0, 0, false);
    let (frames, keys) = (VecDeque::new(), VecDeque::new());
    let ring = Ring(Arc::new(watch::Sender::new(State { window, first, frames, keys, bytes, closed })));
    (Writer(ring.clone()), ring)
}

impl Ring {
    pub fn reader(&self, start: Start) -> Reader {
        let state = self.0.subscribe();
        let (at, wants_key) = {
            let state = state.borrow();
            match start {
                Start::Oldest => (state.first, true),
                Start::NewestKey => (state.keys.back().copied().unwrap_or(state.end()), true),
                Start::NextKey => (state.end(), true),
                Start::From(dts) => (state.number_at(dts), true),
            }
        };
        Reader { state, at, wants_key, patience: None }
    }

    pub fn held(&self) -> Held {
        let state = self.0.borrow();
        Held { frames: state.frames.len(), groups: state.keys.len(), bytes: state.bytes }
    }

    /// The newest frame.
    pub fn newest(&self) -> Option<Frame> {
        self.0.borrow().frames.back().cloned()
    }

    /// Is it the same ring?
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub fn is_closed(&self) -> bool {
        self.0.borrow().closed
    }
}

impl Writer {
    /// Adds a frame and lets go of what no longer fits.
    pub fn push(&self, frame: Frame) {
        self.0.0.send_modify(|state| state.push(frame));
    }

    pub fn ring(&self) -> &Ring {
        &self.0
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.0.0.send_modify(|state| state.closed = true);
    }
}

impl State {
    /// Number that the next frame will have.
    fn end(&self) -> u64 {
        self.first + self.frames.len() as u64
    }

    /// Of the first frame that is decoded at this time or later.
    fn number_at(&self, dts: i64) -> u64 {
        self.first + self.frames.partition_point(|frame| frame.dts < dts) as u64
    }

    fn push(&mut self, frame: Frame) {
        if self.closed {
            return;
        }
        if frame.key {
            self.keys.push_back(self.end());
        }
        self.bytes += cost(&frame);
        self.frames.push_back(frame);
        while self.is_over() {
            self.drop_group();
        }
        // A group without an end: its beginning goes, and late readers wait for the next key frame.
        while self.bytes > self.window.bytes && self.frames.len() > 1 {
            self.drop_frame();
        }
    }

    /// Is there more than the newest group, and too much of it?
    fn is_over(&self) -> bool {
        let Some(newest_key) = self.keys.back().filter(|key| **key > self.first) else { return false };
        if self.bytes > self.window.bytes {
            return true;
        }
        // What would be the oldest frame without the oldest group must still cover the window.
        let next = self.keys.iter().copied().find(|key| *key > self.first).unwrap_or(*newest_key);
        let (Some(oldest), Some(newest)) = (self.get(next), self.frames.back()) else { return false };
        span(oldest, newest) >= self.window.time
    }

    fn drop_group(&mut self) {
        self.drop_frame();
        while self.keys.front().is_some_and(|key| *key > self.first) {
            self.drop_frame();
        }
    }

    fn drop_frame(&mut self) {
        if let Some(frame) = self.frames.pop_front() {
            self.bytes -= cost(&frame);
            if self.keys.front() == Some(&self.first) {
                self.keys.pop_front();
            }
            self.first += 1;
        }
    }

    fn get(&self, number: u64) -> Option<&Frame> {
        self.frames.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }
}

fn cost(frame: &Frame) -> u64 {
    frame.data.len() as u64 + OVERHEAD
}

/// From one frame to a later one; 0 when it is not later.
fn span(from: &Frame, to: &Frame) -> Duration {
    let ticks = u64::try_from(to.dts.saturating_sub(from.dts)).unwrap_or(0);
    let micros = u128::from(ticks) * 1_000_000 / u128::from(to.spec.timescale.max(1));
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

impl Reader {
    /// Lags on purpose: whoever is farther behind than this goes on at the newest key frame, if there is a newer one.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience: Some(patience), ..self }
    }

    /// Goes on, never back, to the first key frame at this decode time or after it: after another track's reader has lagged. Frames between are not told as
    /// lost.
    pub fn skip_to(&mut self, dts: i64) {
        let to = self.state.borrow().number_at(dts);
        if to > self.at {
            (self.at, self.wants_key) = (to, true);
        }
    }

    /// The next frame; `None` when the track has ended and all was read. Cancel-safe.
    pub async fn next(&mut self) -> Option<Item> {
        loop {
            // What changes while this looks is a change that will be waited for.
            self.state.mark_unchanged();
            match self.look() {
                Look::Item(item) => return Some(item),
                Look::End => return None,
                Look::Wait => self.state.changed().await.ok()?,
            }
        }
    }

    /// The next frame if it is there.
    pub fn try_next(&mut self) -> Option<Item> {
        if let Look::Item(item) = self.look() { Some(item) } else { None }
    }

    fn look(&mut self) -> Look {
        let state = self.state.borrow();
        let (found, lost) = place(&state, self.at, self.wants_key, self.patience);
        if lost > 0 {
            (self.at, self.wants_key) = (found, true);
            return Look::Item(Item::Lagged { frames: lost });
        }
        self.at = found;
        match state.get(found) {
            Some(frame) => {
                (self.at, self.wants_key) = (found + 1, false);
                Look::Item(Item::Frame(frame.clone()))
            }
            None if state.closed => Look::End,
            None => Look::Wait,
        }
    }
}

/// Where a reader that is at `at` goes on, and how many frames it loses by that. Frames before the key frame that it begins with are
/// not lost: it never wanted them.
fn place(state: &State, at: u64, wants_key: bool, patience: Option<Duration>) -> (u64, u64) {
    let newest_key = state.keys.back().copied();
    if at < state.first {
        let to = newest_key.unwrap_or(state.end());
        return (to, if wants_key { 0 } else { to - at });
    }
    if wants_key {
        let from = state.keys.partition_point(|key| *key < at);
        return (state.keys.get(from).copied().unwrap_or(state.end()).max(at), 0);
    }
    if let (Some(patience), Some(key)) = (patience, newest_key.filter(|key| *key > at))
        && let (Some(next), Some(newest)) = (state.get(at), state.frames.back())
        && span(next, newest) > patience
    {
        return (key, key - at);
    }
    (at, 0)
}

enum Look {
    Item(Item),
    Wait,
    End,
}

#[cfg(test)]
mod tests;
