//! The durable job queue: enqueued in the transaction of the business change, claimed by lease with a fencing number,
//! ended in the transaction of the result.
//!
//! ```text
//!            claim                    finish
//! queued ───────────────▶ running ───────────────▶ done
//!   ▲ ▲                   │  │  │
//!   │ └── release, fail ──┘  │  └── fail for good ─▶ dead ── retry_dead ─▶ queued
//!   └──── lease ran out ─────┘
//! queued, running ── cancel_by_subject ─▶ cancelled
//! ```
//!
//! A job may run more than once (a worker dies after its work and before its commit), so handlers are idempotent; but only
//! the latest claim can end it, because every write of a holder names the fence that its claim was given.

mod claim;
mod queue;

use domain::Micros;

pub use claim::{
    Beat, MOST_DEATHS, Outcome, Reaped, claim, claimable, fail, finish, has_another, heartbeat, let_go, reap,
    release, renounce, still_mine,
};
pub use queue::{
    Count, Enqueued, cancel_by_subject, discard, discard_dead, enqueue, find, list, prioritise, prune,
    retry_dead, revive, settled, stats, turns,
};

/// Lower runs first; anything between is allowed.
pub mod priority {
    /// Somebody waits for it: what makes a title playable.
    pub const URGENT: i64 = 0;
    pub const NORMAL: i64 = 100;
    /// Housekeeping.
    pub const IDLE: i64 = 1000;
}

/// A job to be enqueued.
#[derive(Debug, Clone)]
pub struct NewJob<'a> {
    pub kind: &'a str,
    /// What it is about, usually a video id: jobs are listed, cancelled and retried by it.
    pub subject: &'a str,
    /// JSON, the handler's own.
    pub payload: &'a str,
    /// While a job with this key is *queued*, no second one is made. A running one does not count: it may have read what the
    /// new one is meant to see.
    pub dedupe: Option<&'a str>,
    pub priority: i64,
    /// Among jobs of one priority the lowest turn is next; 0: the instant at which it is enqueued. See [`turns`].
    pub turn: Micros,
    /// Not before this instant.
    pub run_at: Micros,
    /// Attempts before the job is put away as dead; at least 1.
    pub max_attempts: u32,
}

impl<'a> NewJob<'a> {
    /// A job of normal priority that may run at once, with five attempts.
    pub fn new(kind: &'a str, subject: &'a str, payload: &'a str) -> Self {
        Self {
            kind,
            subject,
            payload,
            dedupe: None,
            priority: priority::NORMAL,
            turn: Micros(0),
            run_at: Micros(0),
            max_attempts: 5,
        }
    }

    #[must_use]
    pub fn dedupe(self, key: &'a str) -> Self {
        Self { dedupe: Some(key), ..self }
    }

    #[must_use]
    pub fn priority(self, priority: i64) -> Self {
        Self { priority, ..self }
    }

    #[must_use]
    pub fn turn(self, turn: Micros) -> Self {
        Self { turn, ..self }
    }

    #[must_use]
    pub fn run_at(self, run_at: Micros) -> Self {
        Self { run_at, ..self }
    }

    #[must_use]
    pub fn max_attempts(self, max_attempts: u32) -> Self {
        Self { max_attempts, ..self }
    }
}

/// A job that its holder may work on until the lease ends.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Claim {
    pub id: String,
    pub kind: String,
    pub subject: String,
    pub payload: String,
    /// Which attempt this is, from 1.
    #[sqlx(rename = "attempts")]
    pub attempt: i64,
    pub max_attempts: i64,
    pub fence: i64,
    #[sqlx(try_from = "i64")]
    pub lease_until: Micros,
}

/// A job as operators and tests see it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Job {
    pub id: String,
    pub kind: String,
    pub subject: String,
    pub payload: String,
    #[sqlx(try_from = "String")]
    pub state: State,
    pub priority: i64,
    #[sqlx(try_from = "i64")]
    pub run_at: Micros,
    pub attempts: i64,
    pub max_attempts: i64,
    pub deaths: i64,
    pub fence: i64,
    pub worker: Option<String>,
    #[sqlx(try_from = "i64")]
    pub lease_until: Micros,
    /// Why the last attempt failed.
    pub error: Option<String>,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    Queued,
    Running,
    Done,
    Dead,
    Cancelled,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

impl TryFrom<String> for State {
    type Error = crate::Error;

    fn try_from(text: String) -> crate::Result<Self> {
        Ok(match text.as_str() {
            "queued" => Self::Queued,
            "running" => Self::Running,
            "done" => Self::Done,
            "dead" => Self::Dead,
            "cancelled" => Self::Cancelled,
            _ => return Err(crate::Error::Corrupt(format!("job state {text:?}"))),
        })
    }
}

/// How long a job rests after `failures` failed attempts: 5 s, 10 s, 20 s … at most 15 minutes.
pub fn back_off(failures: i64) -> i64 {
    let doublings = failures.saturating_sub(1).clamp(0, 20) as u32;
    ((5 * Micros::SECOND) << doublings).min(15 * Micros::MINUTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_off_doubles_and_ends_at_a_quarter_of_an_hour() {
        let seconds: Vec<i64> = (1..=10).map(|n| back_off(n) / Micros::SECOND).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(back_off(i64::MAX), 15 * Micros::MINUTE);
        assert_eq!(back_off(0), 5 * Micros::SECOND);
    }
}
