//! How fast encoders are.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Over so long.
const OVER: Duration = Duration::from_secs(5);

/// Where the source and what is made of it are, from time to time.
#[derive(Debug, Default)]
pub struct Pace(VecDeque<(Instant, i64, i64)>);

impl Pace {
    /// The times of the newest frames that went in and came out, microseconds.
    pub fn note(&mut self, now: Instant, source_us: i64, made_us: i64) {
        // Another source, or its times have jumped.
        if self.0.back().is_some_and(|(_, source, made)| source_us < *source || made_us < *made) {
            self.0.clear();
        }
        self.0.push_back((now, source_us, made_us));
        while self.0.get(1).is_some_and(|(at, ..)| now.duration_since(*at) >= OVER) {
            self.0.pop_front();
        }
    }

    /// What came out for each thousand that went in; `None` where too little went in to tell.
    pub fn milli(&self) -> Option<u64> {
        let ((_, source, made), (_, source_now, made_now)) = (self.0.front()?, self.0.back()?);
        let (into, out) = (source_now - source, made_now - made);
        (into >= 1_000_000).then(|| u64::try_from(out * 1000 / into).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_that_keeps_up_has_real_time() {
        let (mut pace, began) = (Pace::default(), Instant::now());
        assert_eq!(pace.milli(), None);
        let at = |ms: u64| began + Duration::from_millis(ms);
        for ms in (0..10_000).step_by(100) {
            pace.note(at(ms), ms as i64 * 1000, ms as i64 * 1000 - 300_000);
        }
        assert_eq!(pace.milli(), Some(1000));
        for ms in (10_000..20_000).step_by(100) {
            pace.note(at(ms), ms as i64 * 1000, 9_700_000 + (ms as i64 - 10_000) * 500);
        }
        assert_eq!(pace.milli(), Some(500));
        pace.note(at(20_000), 0, 0);
        assert_eq!(pace.milli(), None, "another source");
    }
}
