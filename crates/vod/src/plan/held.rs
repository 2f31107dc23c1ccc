//! Repeating the first picture where the sound begins before the film, and the last one: of a still with sound, or where
//! the sound goes on after the film.

use serde::{Deserialize, Serialize};

/// What goes before the source's first picture, and follows its last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Pictures of the source.
    pub pictures: u64,
    /// Repetitions of the first one, before it.
    #[serde(default)]
    pub before: u64,
    /// Repetitions of the last one.
    pub frames: u64,
    /// Source ticks from one to the next, as a fraction.
    pub every: (u64, u64),
}

/// Less than this of sound after the last picture, in seconds, is let go.
const TOLERATED: i128 = 1;

impl Held {
    /// Repetitions at `rate` from `start` on, when the sound begins there, and until `end`, when that is long after the
    /// last of `pictures`; both in source ticks of `base` seconds.
    pub(super) fn between(
        start: Option<i64>,
        end: Option<i64>,
        pictures: &[i64],
        rate: (u32, u32),
        base: (u32, u32),
    ) -> Option<Self> {
        let every = (u64::from(rate.1) * u64::from(base.1), u64::from(rate.0) * u64::from(base.0));
        let (first, last) = (*pictures.first()?, *pictures.last()?);
        let over = last.checked_add(i64::try_from(every.0 / every.1.max(1)).ok()?)?;
        let count = |ticks: u64, up: u128| {
            let frames = (u128::from(ticks) * u128::from(every.1) + up) / u128::from(every.0.max(1));
            u64::try_from(frames).ok()
        };
        let lead = start.filter(|start| *start < first).map_or(0, |start| start.abs_diff(first));
        let rest = end.and_then(|end| long_enough(end, over, base)).map_or(0, |end| end.abs_diff(over));
        // The nearest before, so that the sound is off by half a picture at most; all of it after.
        let before = count(lead, u128::from(every.0 / 2))?;
        let frames = count(rest, u128::from(every.0.max(1) - 1))?;
        (before + frames > 0).then_some(Self { pictures: pictures.len() as u64, before, frames, every })
    }

    /// Source ticks that `k` repetitions last.
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
        let (Some(first), Some(last)) = (times.first().copied(), times.last().copied()) else { return };
        times.extend((1..=self.frames).map(|k| last.saturating_add(self.after(k))));
        times.splice(0..0, (1..=self.before).rev().map(|k| first.saturating_sub(self.after(k))));
    }

    /// The source's picture that the title's frame `i` is or repeats.
    pub(super) fn picture(&self, i: u64) -> u64 {
        i.saturating_sub(self.before).min(self.pictures.saturating_sub(1))
    }

    /// ffmpeg's filters for the repetitions in a chunk of `frames` that begins with frame `first`, when it has any.
    /// `from` and `last` are the source times of the first and the last picture that is decoded for it.
    pub fn filters(&self, first: u64, frames: u64, (from, last): (i64, i64)) -> Option<String> {
        let (num, den) = self.every;
        let end = first + frames;
        // Of a chunk of repetitions alone the picture itself is decoded, which is one of them already.
        let own = end.min(self.before + self.pictures).saturating_sub(first.max(self.before)).max(1);
        let lead = self.before.saturating_sub(first);
        let pad = lead.min(frames - own);
        let stop = frames - own - pad;
        if pad + stop == 0 && lead == 0 && end <= self.before + self.pictures {
            return None;
        }
        // Padding at the start moves all times that follow; the first picture, whose time is known, tells how far.
        let before = match lead {
            0 => "PTS".to_owned(),
            _ => format!(
                "if(eq(N,{pad}),st(0,PTS-({from})));if(lt(N,{lead}),{from}-floor(({lead}-N)*{num}/{den}),PTS-ld(0))"
            ),
        };
        let held = i128::from(self.before + self.pictures) - i128::from(first);
        let after = format!("if(lt(N,{held}),{before},{last}+floor((N+1-({held}))*{num}/{den}))");
        let start = if pad > 0 { format!("start={pad}:start_mode=clone:") } else { String::new() };
        let expression = if end > self.before + self.pictures { after } else { before };
        Some(format!("tpad={start}stop_mode=clone:stop={stop},setpts='{expression}'"))
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
