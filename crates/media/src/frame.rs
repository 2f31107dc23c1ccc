//! What publishers send, whatever carries it: tracks, their coded frames, and times that begin again.

use bytes::Bytes;

use crate::cmaf::TrackSpec;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Video,
    Audio,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Video => "video",
            Self::Audio => "audio",
        }
    }
}

/// A track of a publisher. Number 0 is the one that publishers without several tracks of a kind send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrackId {
    pub kind: Kind,
    pub number: u8,
}

impl std::fmt::Display for TrackId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.word(), self.number)
    }
}

/// One coded frame: units with their lengths before them for H.264 and HEVC, as in MP4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Decode and presentation time, ticks of the track's timescale.
    pub dts: i64,
    pub pts: i64,
    pub key: bool,
    pub data: Bytes,
}

/// What a demuxer finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A track begins, or goes on as another: the next sample of it is a key frame if it can be decoded at all.
    Track(TrackId, TrackSpec),
    Sample(TrackId, Sample),
    /// No more of it follows, unless it begins again.
    End(TrackId),
    /// A frame that cannot be used: empty, damaged, or before its track began.
    Dropped(TrackId),
    /// Something of the track was lost on the way, a frame or more: its next sample need not follow the last.
    Lost(TrackId),
    /// The publisher says that its times begin anew, for all tracks.
    Broken,
}

/// Makes times that begin again after some bits into times that go on: each is taken to be as near to the last as it can be, before it
/// or after it.
#[derive(Debug, Clone)]
pub struct Wrap {
    bits: u32,
    last: Option<i64>,
}

impl Wrap {
    /// Of counters with this number of bits, 1 to 62. The first time may have more.
    pub const fn new(bits: u32) -> Self {
        Self { bits, last: None }
    }

    /// The next time, which goes on.
    pub fn unwrap(&mut self, raw: u64) -> i64 {
        let raw = raw as i64;
        let time = self.last.map_or(raw, |last| last.saturating_add(self.step(last, raw)));
        self.last = Some(time);
        time
    }

    /// From one time to another that is near, though a wrap may lie between them.
    pub fn step(&self, from: i64, to: i64) -> i64 {
        let unused = 64 - self.bits;
        to.wrapping_sub(from) << unused >> unused
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_go_on_across_the_end() {
        let mut wrap = Wrap::new(33);
        let end = 1u64 << 33;
        let times: Vec<i64> =
            [end - 90, end - 180, 0, end - 45, 90].into_iter().map(|raw| wrap.unwrap(raw)).collect();
        let end = end as i64;
        assert_eq!(times, [end - 90, end - 180, end, end - 45, end + 90]);
    }

    proptest! {
        /// Whatever the bits, times that make small steps come out with the same steps.
        #[test]
        fn steps_are_kept(bits in 8u32..40, first in any::<u32>(), steps in prop::collection::vec(-100i64..=100, 1..200)) {
            let mut wrap = Wrap::new(bits);
            let mask = (1u64 << bits) - 1;
            let mut time = i64::from(first) & mask as i64;
            let mut last = wrap.unwrap(time as u64);
            for step in steps {
                time += step;
                let next = wrap.unwrap(time as u64 & mask);
                prop_assert_eq!(next - last, step);
                last = next;
            }
        }
    }
}
