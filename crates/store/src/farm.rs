//! The encoding farm as a whole: what workers got done, and which titles wait for them. Reads only.

use domain::{Micros, VideoId};

use crate::{Connect, Result, db::query};

/// What one worker got done in some time.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Throughput {
    pub worker: String,
    pub done: i64,
    /// Attempts that ended in an error, with the worker's death, or with its lease.
    pub failed: i64,
    pub cpu_ms: i64,
    /// Time of slots, microseconds.
    pub busy: i64,
}

/// By worker, since `since`: attempts that ended later, of their time what lies within.
pub async fn throughput(conn: &mut impl Connect, since: Micros) -> Result<Vec<Throughput>> {
    query!(
        fetch_all,
        conn,
        Throughput,
        "SELECT worker, CAST(SUM(CASE WHEN outcome = 'done' THEN 1 ELSE 0 END) AS BIGINT) AS done, \
                CAST(SUM(CASE WHEN outcome IN ('retry', 'dead', 'lost', 'died') THEN 1 ELSE 0 END) AS BIGINT) AS failed, \
                CAST(SUM(cpu_ms) AS BIGINT) AS cpu_ms, \
                CAST(SUM(ended_at - CASE WHEN started_at < $1 THEN $1 ELSE started_at END) AS BIGINT) AS busy \
         FROM attempts WHERE ended_at >= $1 GROUP BY worker ORDER BY worker LIMIT 1000",
        since.0,
    )
}

/// A title with jobs that could run and wait for a worker.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Waiting {
    #[sqlx(try_from = "String")]
    pub id: VideoId,
    pub title: String,
    pub jobs: i64,
    /// The lowest of them, which runs first, and the highest.
    pub first_priority: i64,
    pub last_priority: i64,
    /// Since when the oldest waits.
    #[sqlx(try_from = "i64")]
    pub since: Micros,
}

/// In the order of their turns, at most `limit`.
pub async fn waiting(conn: &mut impl Connect, now: Micros, limit: u32) -> Result<Vec<Waiting>> {
    query!(
        fetch_all,
        conn,
        Waiting,
        "SELECT v.id, v.title, COUNT(*) AS jobs, MIN(j.priority) AS first_priority, MAX(j.priority) AS last_priority, \
                MIN(j.run_at) AS since \
         FROM jobs j JOIN videos v ON v.id = j.subject WHERE j.state = 'queued' AND j.run_at <= $1 \
         GROUP BY v.id, v.title ORDER BY MIN(j.priority), MIN(j.turn), v.id LIMIT $2",
        now.0,
        i64::from(limit),
    )
}
