//! Repeating the last picture: of a still with sound, or where the sound goes on after the film.

use serde::{Deserialize, Serialize};

/// What follows the source's last picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Pictures of the source.
    pub pictures: u64,
    /// Repetitions of the last one.
    pub frames: u64,
    /// Source ticks from one to the next, as a fraction.
    pub every: (u64, u64),
}

/// Less than this of sound after the last picture, in seconds, is let go.
const TOLERATED: i128 = 1;

impl Held {
    /// Repetitions at `rate` until `end` (source ticks of `base` seconds), when that is long after the last of
    /// `pictures`.
    pub(super) fn until(
        end: Option<i64>,
        pictures: &[i64],
        rate: (u32, u32),
        base: (u32, u32),
    ) -> Option<Self> {
        let every = (u64::from(rate.1) * u64::from(base.1), u64::from(rate.0) * u64::from(base.0));
        let last = *pictures.last()?;
        let over = last.checked_add(i64::try_from(every.0 / every.1.max(1)).ok()?)?;
        let rest = u128::from(long_enough(end?, over, base)?.abs_diff(over));
        let frames = (rest * u128::from(every.1)).div_ceil(u128::from(every.0.max(1)));
        Some(Self { pictures: pictures.len() as u64, frames: u64::try_from(frames).ok()?, every })
    }

    /// Source ticks from the last picture to its `k`-th repetition.
    fn after(&self, k: u64) -> i64 {
        let ticks = u128::from(k) * u128::from(self.every.0) / u128::from(self.every.1.max(1));
        i64::try_from(ticks).unwrap_or(i64::MAX)
    }

    /// Source ticks that one repetition lasts, at least one.
    pub(super) fn ticks(&self) -> u64 {
        (self.every.0 / self.every.1.max(1)).max(1)
    }

    /// Adds the times of the repetitions to those of the pictures.
    pub(super) fn extend(&self, times: &mut Vec<i64>) {
        let Some(last) = times.last().copied() else { return };
        times.extend((1..=self.frames).map(|k| last.saturating_add(self.after(k))));
    }

    /// ffmpeg's filters for the repetitions in a chunk of `frames` that begins with frame `first`, when it has any.
    /// `last` is the source time of the last picture.
    pub fn filters(&self, first: u64, frames: u64, last: i64) -> Option<String> {
        // Of a chunk of repetitions alone the last picture is decoded, which is one of them already.
        let own = i128::from(self.pictures) - i128::from(first);
        let missing = i128::from(frames) - own.max(1);
        let (num, den) = self.every;
        (i128::from(frames) > own).then(|| {
            format!(
                "tpad=stop_mode=clone:stop={},setpts='if(lt(N,{own}),PTS,{last}+floor((N+1-({own}))*{num}/{den}))'",
                missing.max(0)
            )
        })
    }
}

/// `end`, when it is more than what is tolerated after `over`; both in ticks of `base` seconds.
pub(super) fn long_enough(end: i64, over: i64, base: (u32, u32)) -> Option<i64> {
    let rest = i128::from(end) - i128::from(over);
    (rest * i128::from(base.0) >= TOLERATED * i128::from(base.1)).then_some(end)
}

/// Microseconds as ticks of `base` seconds.
pub(super) fn source_ticks(us: i64, base: (u32, u32)) -> Option<i64> {
    let ticks = i128::from(us) * i128::from(base.1) / (i128::from(base.0.max(1)) * 1_000_000);
    i64::try_from(ticks).ok()
}
