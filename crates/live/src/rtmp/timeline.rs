//! Times of 32 bits, which begin again after 49 days (of 31 bits from some senders), made into ones that go on.

use std::time::Duration;

use tokio::time::Instant;

/// Farther back, or farther ahead of the clock, is a new time line.
const FARTHEST: i64 = 10_000;

#[derive(Debug, Default)]
pub struct Timeline(Option<Last>);

#[derive(Debug, Clone, Copy)]
struct Last {
    raw: u32,
    time: i64,
    at: Instant,
}

impl Timeline {
    /// Milliseconds that go on, and whether the publisher's time line is broken here. Messages of several tracks are interleaved: small
    /// steps back are theirs.
    pub fn unwrap(&mut self, raw: u32, now: Instant) -> (i64, bool) {
        let Some(last) = self.0 else {
            self.0 = Some(Last { raw, time: raw.into(), at: now });
            return (raw.into(), false);
        };
        // The lower 31 bits tell: some senders leave the highest one out, and begin again after 25 days.
        let step = i64::from((raw.wrapping_sub(last.raw) << 1) as i32 >> 1);
        let passed = i64::try_from(now.saturating_duration_since(last.at).as_millis()).unwrap_or(i64::MAX);
        let broken = step < -FARTHEST || step > FARTHEST.saturating_add(passed.saturating_mul(2));
        let time = if broken { last.time + 1 } else { last.time + step };
        self.0 = Some(Last { raw, time, at: now });
        (time, broken)
    }
}

/// For words: whole seconds, rounded up.
pub fn seconds(duration: Duration) -> u64 {
    duration.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_on_across_the_wrap() {
        let mut line = Timeline::default();
        let now = Instant::now();
        let raw = [u32::MAX - 50, u32::MAX - 60, u32::MAX - 10, 10, u32::MAX - 5, 40];
        let times: Vec<_> = raw.map(|raw| line.unwrap(raw, now)).into_iter().collect();
        let max = i64::from(u32::MAX);
        let expected = [max - 50, max - 60, max - 10, max + 11, max - 5, max + 41].map(|time| (time, false));
        assert_eq!(times, expected);
        let mut line = Timeline::default();
        let times: Vec<_> = [0x7fff_fff0, 0x10].map(|raw| line.unwrap(raw, now)).into_iter().collect();
        assert_eq!(times, [(0x7fff_fff0, false), (0x8000_0010, false)], "31 bits");
    }

    #[test]
    fn jumps_break_the_line_unless_the_clock_went_along() {
        let mut line = Timeline::default();
        let start = Instant::now();
        assert_eq!(line.unwrap(100_000, start), (100_000, false));
        assert_eq!(line.unwrap(0, start), (100_001, true), "begun again");
        assert_eq!(line.unwrap(40, start), (100_041, false));
        assert_eq!(line.unwrap(60_000, start), (100_042, true));
        let later = start + Duration::from_secs(60);
        assert_eq!(line.unwrap(120_000, later), (160_042, false), "nothing was sent for a minute");
    }
}
