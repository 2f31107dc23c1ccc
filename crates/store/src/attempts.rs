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
    pub id: String,
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
    /// 1: [`log`] has what the programs said.
    pub has_log: i64,
}

/// A name for an attempt.
pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// Keeps an attempt; `has_log` does not count.
pub async fn insert(tx: &mut Tx, attempt: &Attempt) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO attempts (id, job_id, kind, subject, worker, outcome, started_at, ended_at, cpu_ms, error) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &attempt.id,
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

/// Bytes of a log that are kept: its end.
pub const MOST_LOG: usize = 64 << 10;
/// Logs of one title that are kept: the latest.
const MOST_LOGS: i64 = 50;

/// Keeps what the programs of a failed attempt said, at most [`MOST_LOG`] bytes of it.
pub async fn keep_log(tx: &mut Tx, attempt: &Attempt, log: &str) -> Result<()> {
    let from = log.len().saturating_sub(MOST_LOG);
    let from = (from..log.len()).find(|at| log.is_char_boundary(*at)).unwrap_or(log.len());
    // PostgreSQL has no texts with a zero in them.
    let kept = log.get(from..).unwrap_or_default().replace('\0', "\u{fffd}");
    execute!(
        tx,
        "INSERT INTO attempt_logs (attempt_id, subject, log) VALUES ($1, $2, $3)",
        &attempt.id,
        &attempt.subject,
        kept,
    )?;
    execute!(
        tx,
        "DELETE FROM attempt_logs WHERE subject = $1 AND attempt_id NOT IN \
             (SELECT attempt_id FROM attempt_logs WHERE subject = $1 ORDER BY attempt_id DESC LIMIT $2)",
        &attempt.subject,
        MOST_LOGS,
    )?;
    Ok(())
}

/// What the programs of an attempt said; `None` when nothing was kept, or not any more.
pub async fn log(conn: &mut impl Connect, id: &str) -> Result<Option<String>> {
    let row =
        query!(fetch_optional, conn, (String,), "SELECT log FROM attempt_logs WHERE attempt_id = $1", id)?;
    Ok(row.map(|(log,)| log))
}

/// Forgets what was said in attempts about `subject`.
pub async fn forget_logs(tx: &mut Tx, subject: &str) -> Result<u64> {
    execute!(tx, "DELETE FROM attempt_logs WHERE subject = $1", subject)
}

/// Those that ended at `since` or later, the latest first.
pub async fn recent(conn: &mut impl Connect, since: Micros, limit: u32) -> Result<Vec<Attempt>> {
    query!(
        fetch_all,
        conn,
        Attempt,
        "SELECT a.id, a.job_id, a.kind, a.subject, a.worker, a.outcome, a.started_at, a.ended_at, a.cpu_ms, a.error, \
                CAST(CASE WHEN l.attempt_id IS NULL THEN 0 ELSE 1 END AS BIGINT) AS has_log \
         FROM attempts a LEFT JOIN attempt_logs l ON l.attempt_id = a.id WHERE a.ended_at >= $1 ORDER BY a.ended_at DESC, a.id DESC LIMIT $2",
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
