//! The queue seen from outside: enqueue, cancel, retry, list, count, prune.

use domain::Micros;
use uuid::Uuid;

use super::{Job, NewJob};
use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
};

/// What [`enqueue`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enqueued {
    pub id: String,
    /// False when a queued job with the same dedupe key will do the work.
    pub fresh: bool,
}

/// Puts a job into the queue, or joins a queued one with the same dedupe key, which then runs at the earlier time and the
/// better priority of the two.
///
/// Joining locks the queued job until this transaction ends, so that no worker can claim it before the change that it is
/// meant to see is committed.
pub async fn enqueue(tx: &mut Tx, job: &NewJob<'_>, now: Micros) -> Result<Enqueued> {
    let fresh_id = Uuid::now_v7().to_string();
    let (id,) = query!(
        fetch_one,
        tx,
        (String,),
        "INSERT INTO jobs (id, kind, subject, dedupe, payload, state, priority, run_at, attempts, max_attempts, deaths, fence, \
                           lease_until, turn, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, 'queued', $6, $7, 0, $8, 0, 0, 0, $10, $9, $9) \
         ON CONFLICT (dedupe) DO UPDATE SET \
             priority = CASE WHEN excluded.priority < jobs.priority THEN excluded.priority ELSE jobs.priority END, \
             run_at = CASE WHEN excluded.run_at < jobs.run_at THEN excluded.run_at ELSE jobs.run_at END, \
             updated_at = excluded.updated_at \
         RETURNING id",
        &fresh_id,
        job.kind,
        job.subject,
        job.dedupe,
        job.payload,
        job.priority,
        job.run_at.0.max(now.0),
        i64::from(job.max_attempts.max(1)),
        now.0,
        if job.turn.0 == 0 { now.0 } else { job.turn.0 },
    )?;
    Ok(Enqueued { fresh: id == fresh_id, id })
}

/// Where the turns of an owner's new jobs begin: after those of their queued ones, and not in the past.
///
/// Whoever enqueues much work gives its pieces turns that lie apart by what each will take. Work of somebody else that comes
/// later then has its turn between them, so that one long film does not keep all others waiting (start-time fair queueing,
/// Goyal, Vin and Cheng, 1996).
pub async fn turns(tx: &mut Tx, owner: domain::UserId, now: Micros) -> Result<Micros> {
    let (last,) = query!(
        fetch_one,
        tx,
        (i64,),
        "SELECT CAST(COALESCE(MAX(j.turn), 0) AS BIGINT) FROM jobs j JOIN videos v ON v.id = j.subject \
         WHERE v.owner_id = $1 AND j.state = 'queued'",
        owner.to_string(),
    )?;
    Ok(Micros(last.max(now.0)))
}

/// Gives the queued jobs about `subject` that priority.
pub async fn prioritise(tx: &mut Tx, subject: &str, priority: i64, now: Micros) -> Result<u64> {
    execute!(
        tx,
        "UPDATE jobs SET priority = $1, updated_at = $2 WHERE subject = $3 AND state = 'queued'",
        priority,
        now.0,
        subject,
    )
}

/// Cancels every queued and running job about `subject`. Handlers of running ones learn it from their next heartbeat and can
/// no longer commit; [`settled`] tells when they have let go.
pub async fn cancel_by_subject(tx: &mut Tx, subject: &str, now: Micros) -> Result<u64> {
    execute!(
        tx,
        "UPDATE jobs SET state = 'cancelled', dedupe = NULL, updated_at = $1 \
         WHERE subject = $2 AND state IN ('queued', 'running')",
        now.0,
        subject,
    )
}

/// Gives the dead jobs about `subject` a new set of attempts, at once and by anybody.
pub async fn retry_dead(tx: &mut Tx, subject: &str, now: Micros) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM job_failures WHERE job_id IN (SELECT id FROM jobs WHERE subject = $1 AND state = 'dead')",
        subject,
    )?;
    execute!(
        tx,
        "UPDATE jobs SET state = 'queued', run_at = $1, attempts = 0, deaths = 0, error = NULL, updated_at = $1 \
         WHERE subject = $2 AND state = 'dead'",
        now.0,
        subject,
    )
}

/// Gives one dead job a new set of attempts, at once and by anybody. [`Error::Stale`] when it is not dead any more.
pub async fn revive(tx: &mut Tx, id: &str, now: Micros) -> Result<()> {
    execute!(tx, "DELETE FROM job_failures WHERE job_id = $1", id)?;
    one(execute!(
        tx,
        "UPDATE jobs SET state = 'queued', run_at = $1, attempts = 0, deaths = 0, error = NULL, updated_at = $1 \
         WHERE id = $2 AND state = 'dead'",
        now.0,
        id,
    )?)
}

/// Puts one dead job away. [`Error::Stale`] when it is not dead any more.
pub async fn discard(tx: &mut Tx, id: &str, now: Micros) -> Result<()> {
    one(execute!(
        tx,
        "UPDATE jobs SET state = 'cancelled', updated_at = $1 WHERE id = $2 AND state = 'dead'",
        now.0,
        id,
    )?)
}

/// Puts the dead jobs about `subject` away.
pub async fn discard_dead(tx: &mut Tx, subject: &str, now: Micros) -> Result<u64> {
    execute!(
        tx,
        "UPDATE jobs SET state = 'cancelled', updated_at = $1 WHERE subject = $2 AND state = 'dead'",
        now.0,
        subject,
    )
}

fn one(rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(Error::Stale) }
}

/// True when no handler works on `subject` any more, cancelled ones included; the job `except` (the one that asks) aside.
/// What cancelled handlers still write may be removed from then on without leaving orphans.
pub async fn settled(conn: &mut impl Connect, subject: &str, except: &str, now: Micros) -> Result<bool> {
    let (busy,) = query!(
        fetch_one,
        conn,
        (i64,),
        "SELECT COUNT(*) FROM jobs \
         WHERE subject = $1 AND id <> $2 AND (state = 'running' OR (state = 'cancelled' AND lease_until > $3))",
        subject,
        except,
        now.0,
    )?;
    Ok(busy == 0)
}

/// One job, whatever its state.
pub async fn find(conn: &mut impl Connect, id: &str) -> Result<Job> {
    query!(
        fetch_one,
        conn,
        Job,
        "SELECT id, kind, subject, payload, state, priority, run_at, attempts, max_attempts, deaths, fence, worker, lease_until, \
                error, created_at, updated_at FROM jobs WHERE id = $1",
        id,
    )
}

/// All jobs about `subject` that were not pruned yet, oldest first.
pub async fn list(conn: &mut impl Connect, subject: &str) -> Result<Vec<Job>> {
    query!(
        fetch_all,
        conn,
        Job,
        "SELECT id, kind, subject, payload, state, priority, run_at, attempts, max_attempts, deaths, fence, worker, lease_until, \
                error, created_at, updated_at FROM jobs WHERE subject = $1 ORDER BY id",
        subject,
    )
}

/// How many jobs of one kind are in one state, for metrics.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Count {
    pub kind: String,
    #[sqlx(try_from = "String")]
    pub state: super::State,
    pub jobs: i64,
    /// The earliest `run_at` among them: how long the queue makes people wait.
    #[sqlx(try_from = "i64")]
    pub oldest: Micros,
}

/// Queued, running and dead jobs by kind.
pub async fn stats(conn: &mut impl Connect) -> Result<Vec<Count>> {
    query!(
        fetch_all,
        conn,
        Count,
        "SELECT kind, state, COUNT(*) AS jobs, MIN(run_at) AS oldest FROM jobs \
         WHERE state IN ('queued', 'running', 'dead') GROUP BY kind, state ORDER BY kind, state",
    )
}

/// Deletes up to `limit` jobs that were done or cancelled before `ended_before`, or dead before `dead_before`.
pub async fn prune(tx: &mut Tx, ended_before: Micros, dead_before: Micros, limit: u32) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs \
             WHERE (state IN ('done', 'cancelled') AND updated_at < $1 AND lease_until < $1) \
                OR (state = 'dead' AND updated_at < $2) ORDER BY id LIMIT $3)",
        ended_before.0,
        dead_before.0,
        i64::from(limit),
    )
}
