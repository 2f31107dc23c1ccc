//! Whether an upstream is worth asking: told by how it answered lately.

use std::time::{Duration, Instant};

/// Longest time between two looks at an upstream that is out.
const LONGEST: Duration = Duration::from_secs(30);
const SHORTEST: Duration = Duration::from_millis(500);

/// Time is an argument.
#[derive(Debug, Default)]
pub struct Health {
    failures: u32,
    /// Out until somebody has looked, not before then.
    out: Option<(Instant, Duration)>,
}

impl Health {
    pub fn is_in(&self) -> bool {
        self.out.is_none()
    }

    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Goes out after `most` failures one after another; `true` when it just did.
    pub fn failed(&mut self, most: u32, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        match self.out {
            None if self.failures >= most => {
                self.out = Some((now + SHORTEST, SHORTEST));
                true
            }
            _ => false,
        }
    }

    /// Is it time to look whether it is back?
    pub fn is_due(&self, now: Instant) -> bool {
        self.out.is_some_and(|(at, _)| now >= at)
    }

    /// It was looked at, and is not back.
    pub fn still_out(&mut self, now: Instant) {
        if let Some((_, wait)) = self.out {
            let wait = (wait * 2).min(LONGEST);
            self.out = Some((now + wait, wait));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_out_after_failures_in_a_row_and_is_looked_at_ever_more_rarely() {
        let start = Instant::now();
        let mut health = Health::default();
        assert!(!health.failed(3, start) && !health.failed(3, start));
        health.succeeded();
        assert!(!health.failed(3, start) && !health.failed(3, start) && health.failed(3, start));
        assert!(!health.is_in() && !health.is_due(start) && health.is_due(start + SHORTEST));
        let (mut now, mut waits) = (start + SHORTEST, Vec::new());
        for _ in 0..8 {
            health.still_out(now);
            let wait = (1..40_000).find(|ms| health.is_due(now + Duration::from_millis(*ms))).unwrap();
            waits.push(wait);
            now += Duration::from_millis(wait);
        }
        assert_eq!(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
        health.succeeded();
        assert!(health.is_in());
    }
}
