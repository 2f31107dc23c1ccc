//! Attempts at jobs that are over: what charts and costs are made of.

use domain::Micros;
use uuid::Uuid;

use crate::{
    Connect, Result, Tx,
    db::{execute, query},
};

/// One attempt that is over.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Attempt {
    pub job_id: String,
    pub kind: String,
    /// What the job was about, usually a video id.
    pub subject: String,
    pub worker: String,
    /// done, retry, dead, lost, cancelled, released, later, died.
    pub outcome: String,
    #[sqlx(try_from = "i64")]
    pub started_at: Micros,
    #[sqlx(try_from = "i64")]
    pub ended_at: Micros,
    /// CPU time of encoders and decoders, milliseconds.
    pub cpu_ms: i64,
    /// What went wrong, for operators.
    pub error: Option<String>,
}

pub async fn insert(tx: &mut Tx, attempt: &Attempt) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO attempts (id, job_id, kind, subject, worker, outcome, started_at, ended_at, cpu_ms, error) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        Uuid::now_v7().to_string(),
        &attempt.job_id,
        &attempt.kind,
        &attempt.subject,
        &attempt.worker,
        &attempt.outcome,
        attempt.started_at.0,
        attempt.ended_at.0,
        attempt.cpu_ms,
        &attempt.error,
    )?;
    Ok(())
}

/// Those that ended at `since` or later, the latest first.
pub async fn recent(conn: &mut impl Connect, since: Micros, limit: u32) -> Result<Vec<Attempt>> {
    query!(
        fetch_all,
        conn,
        Attempt,
        "SELECT job_id, kind, subject, worker, outcome, started_at, ended_at, cpu_ms, error FROM attempts \
         WHERE ended_at >= $1 ORDER BY ended_at DESC, id DESC LIMIT $2",
        since.0,
        i64::from(limit),
    )
}

/// What one title took in some time.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Cost {
    pub subject: String,
    /// The title's name; `None` when it is gone or the subject is no title.
    pub title: Option<String>,
    pub attempts: i64,
    /// Attempts whose work was lost.
    pub wasted: i64,
    pub cpu_ms: i64,
    /// Time of slots, microseconds.
    pub busy: i64,
    /// Milliseconds of film.
    pub duration_ms: Option<i64>,
}

/// The subjects that took the most CPU time since `since`.
pub async fn costliest(conn: &mut impl Connect, since: Micros, limit: u32) -> Result<Vec<Cost>> {
    query!(
        fetch_all,
        conn,
        Cost,
        "SELECT a.subject, MAX(v.title) AS title, COUNT(*) AS attempts, \
                CAST(SUM(CASE WHEN a.outcome = 'done' THEN 0 ELSE 1 END) AS BIGINT) AS wasted, \
                CAST(SUM(a.cpu_ms) AS BIGINT) AS cpu_ms, CAST(SUM(a.ended_at - a.started_at) AS BIGINT) AS busy, \
                MAX(v.duration_ms) AS duration_ms \
         FROM attempts a LEFT JOIN videos v ON v.id = a.subject WHERE a.ended_at >= $1 \
         GROUP BY a.subject ORDER BY cpu_ms DESC, a.subject LIMIT $2",
        since.0,
        i64::from(limit),
    )
}

/// Forgets those that ended before `before`.
pub async fn prune(tx: &mut Tx, before: Micros, limit: u32) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM attempts WHERE id IN (SELECT id FROM attempts WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)",
        before.0,
        i64::from(limit),
    )
}
