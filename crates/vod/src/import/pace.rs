//! Is a server fast enough? Only the time that is spent waiting for it counts, not what our own store takes.

use std::time::Duration;

/// Bytes and waiting of the window under way.
#[derive(Debug, Default)]
pub struct Pace {
    window: Duration,
    least_bps: u64,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    /// At least `least_bps` bytes a second over each `window`.
    pub fn new(window: Duration, least_bps: u64) -> Self {
        Self { window, least_bps, ..Self::default() }
    }

    /// Counts `bytes` for which we waited so long. False when the window is over and too little came in it.
    pub fn keeps_up(&mut self, bytes: u64, waited: Duration) -> bool {
        self.bytes += bytes;
        self.waited += waited;
        if self.waited < self.window {
            return true;
        }
        let enough = u128::from(self.bytes) * 1000 >= u128::from(self.least_bps) * self.waited.as_millis();
        (self.bytes, self.waited) = (0, Duration::ZERO);
        enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trickle_is_noticed_after_its_window() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(second * 3, 100);
        assert!(pace.keeps_up(1, second) && pace.keeps_up(1, second));
        assert!(!pace.keeps_up(1, second), "three bytes in three seconds");
        assert!(pace.keeps_up(0, second) && pace.keeps_up(0, second));
        assert!(pace.keeps_up(300, second), "a burst makes up for the wait");
    }
}
