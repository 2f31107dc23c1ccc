//! Requests and errors that this process has answered, and how the last hour went, minute by minute.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use domain::Micros;

/// Samples kept: an hour of minutes.
const KEPT: usize = 60;
/// A request that took longer was slow.
const SLOW: Duration = Duration::from_secs(1);

/// One minute, and how the queue stood at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    pub at: Micros,
    pub requests: u64,
    pub server_errors: u64,
    pub queued: i64,
    pub running: i64,
}

/// Counts since the start of the process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub requests: u64,
    pub client_errors: u64,
    pub server_errors: u64,
    pub slow: u64,
}

#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    client_errors: AtomicU64,
    server_errors: AtomicU64,
    slow: AtomicU64,
    hour: Mutex<Hour>,
}

#[derive(Debug, Default)]
struct Hour {
    samples: VecDeque<Sample>,
    /// The totals at the last sample.
    before: Totals,
}

impl Traffic {
    /// Notes an answer with HTTP status `status`.
    pub fn note(&self, status: u16, took: Duration) {
        self.requests.fetch_add(1, Relaxed);
        match status {
            400..500 => self.client_errors.fetch_add(1, Relaxed),
            500.. => self.server_errors.fetch_add(1, Relaxed),
            _ => 0,
        };
        if took > SLOW {
            self.slow.fetch_add(1, Relaxed);
        }
    }

    pub fn totals(&self) -> Totals {
        Totals {
            requests: self.requests.load(Relaxed),
            client_errors: self.client_errors.load(Relaxed),
            server_errors: self.server_errors.load(Relaxed),
            slow: self.slow.load(Relaxed),
        }
    }

    /// Ends a minute.
    pub fn sample(&self, at: Micros, queued: i64, running: i64) {
        let now = self.totals();
        let mut hour = self.hour();
        let since = |total: fn(&Totals) -> u64| total(&now).saturating_sub(total(&hour.before));
        let (requests, server_errors) = (since(|of| of.requests), since(|of| of.server_errors));
        hour.before = now;
        hour.samples.push_back(Sample { at, requests, server_errors, queued, running });
        while hour.samples.len() > KEPT {
            hour.samples.pop_front();
        }
    }

    /// The last hour, oldest minute first.
    pub fn samples(&self) -> Vec<Sample> {
        self.hour().samples.iter().copied().collect()
    }

    fn hour(&self) -> MutexGuard<'_, Hour> {
        self.hour.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_hold_what_came_since_the_last_and_an_hour_is_kept() {
        let traffic = Traffic::default();
        for (status, millis) in [(200, 5), (304, 5), (404, 5), (500, 5), (503, 1500)] {
            traffic.note(status, Duration::from_millis(millis));
        }
        let totals = Totals { requests: 5, client_errors: 1, server_errors: 2, slow: 1 };
        assert_eq!(traffic.totals(), totals);
        traffic.sample(Micros(1), 7, 2);
        traffic.note(200, Duration::ZERO);
        traffic.sample(Micros(2), 0, 0);
        let second = Sample { at: Micros(2), requests: 1, server_errors: 0, queued: 0, running: 0 };
        let first = Sample { at: Micros(1), requests: 5, server_errors: 2, queued: 7, running: 2 };
        assert_eq!(traffic.samples(), [first, second]);
        for minute in 3..=100 {
            traffic.sample(Micros(minute), 0, 0);
        }
        let kept = traffic.samples();
        assert_eq!((kept.len(), kept[0].at, kept[59].at), (60, Micros(41), Micros(100)));
    }
}
