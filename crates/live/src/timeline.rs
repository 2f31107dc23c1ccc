//! Times of a publisher that may jump, made into ones that go on.

use tokio::time::Instant;

/// Farther back, or farther ahead of the clock, is a new time line; seconds.
const FARTHEST: i64 = 10;

#[derive(Debug)]
pub struct Timeline {
    /// Ticks per second.
    timescale: i64,
    last: Option<Last>,
    broken: bool,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    raw: i64,
    time: i64,
    /// The highest time so far: a track that is ahead of the others goes on behind its own.
    highest: i64,
    at: Instant,
}

impl Timeline {
    pub fn new(timescale: u32) -> Self {
        Self { timescale: timescale.into(), last: None, broken: false }
    }

    /// The publisher says that its times begin anew.
    pub fn break_here(&mut self) {
        self.broken = self.last.is_some();
    }

    /// A time that goes on, ticks, and whether the publisher's time line is broken here. Several tracks are interleaved: small steps back
    /// are theirs.
    pub fn next(&mut self, raw: i64, now: Instant) -> (i64, bool) {
        let Some(last) = self.last else {
            self.last = Some(Last { raw, time: raw, highest: raw, at: now });
            return (raw, false);
        };
        let step = raw.saturating_sub(last.raw);
        let passed = i64::try_from(now.saturating_duration_since(last.at).as_millis()).unwrap_or(i64::MAX);
        let passed = passed.saturating_mul(self.timescale) / 1000;
        let farthest = FARTHEST * self.timescale;
        let ahead = farthest.saturating_add(passed.saturating_mul(2));
        let broken = std::mem::take(&mut self.broken) || step < -farthest || step > ahead;
        let time = if broken { last.highest.saturating_add(1) } else { last.time.saturating_add(step) };
        self.last = Some(Last { raw, time, highest: last.highest.max(time), at: now });
        (time, broken)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn jumps_break_the_line_unless_the_clock_went_along() {
        let mut line = Timeline::new(1000);
        let start = Instant::now();
        assert_eq!(line.next(100_000, start), (100_000, false));
        assert_eq!(line.next(0, start), (100_001, true), "begun again");
        assert_eq!(line.next(40, start), (100_041, false));
        assert_eq!(line.next(60_000, start), (100_042, true));
        let later = start + Duration::from_secs(60);
        assert_eq!(line.next(120_000, later), (160_042, false), "nothing was sent for a minute");
        assert_eq!(line.next(119_000, later), (159_042, false), "another track");
    }

    /// The picture is half a second ahead of the sound, before a break and after it.
    #[test]
    fn no_track_goes_back() {
        let mut line = Timeline::new(1000);
        let now = Instant::now();
        let times = [90_500, 90_000, 90_540, 90_040, 500, 0, 540, 40].map(|raw| line.next(raw, now));
        let expected = [90_500, 90_000, 90_540, 90_040, 90_541, 90_041, 90_581, 90_081];
        assert_eq!(times.map(|(time, _)| time), expected);
        assert_eq!(times.iter().filter(|(_, broken)| *broken).count(), 1);
    }

    #[test]
    fn what_the_publisher_says_breaks_the_line() {
        let mut line = Timeline::new(90_000);
        let now = Instant::now();
        line.break_here();
        assert_eq!(line.next(900, now), (900, false), "it had not begun");
        line.break_here();
        assert_eq!(line.next(0, now), (901, true));
        assert_eq!(line.next(3600, now), (4501, false));
    }
}
