//! The clock that every component is handed: the machine's, or one that a test moves by hand.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use domain::Micros;

/// Tells the time. Cheap to clone; clones of a manual clock share their time.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock, UTC.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Micros) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(start.0))))
    }

    /// A machine clock set before 1970 tells 0; nothing in Kinora needs earlier times.
    pub fn now(&self) -> Micros {
        match &self.0 {
            Source::System => {
                Micros(micros(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
            }
            Source::Manual(at) => Micros(at.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward. The system clock takes no orders: there this does nothing.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(at) = &self.0 {
            at.fetch_add(micros(by), Ordering::SeqCst);
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_of_a_manual_clock_move_together() {
        let clock = Clock::manual(Micros(5));
        let clone = clock.clone();
        clock.advance(Duration::from_millis(2));
        assert_eq!(clone.now(), Micros(2_005));
    }

    #[test]
    fn the_system_clock_goes_by_itself() {
        let clock = Clock::system();
        let before = clock.now();
        clock.advance(Duration::from_secs(1_000_000));
        let after = clock.now();
        assert!(before.0 > 1_600_000_000_000_000, "{before:?} is long past");
        assert!(after.0 - before.0 < 60_000_000, "the system clock was moved");
    }
}
