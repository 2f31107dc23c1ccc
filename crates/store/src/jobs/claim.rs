//! Working on jobs: claim, keep the lease, and end. Everything a holder writes names its fence.

use domain::Micros;

use super::{Claim, State, back_off};
use crate::{
    Connect, Error, Result, Tx,
    attempts::{self, Attempt},
    db::{execute, query},
};

/// A worker that gave no sign of life for so long is not waited for, in microseconds. Signs come every ten seconds.
pub(super) const SILENT_AFTER: i64 = 35 * Micros::SECOND;

/// Holds for a job that the worker may take: it has not failed at it, or nobody else is there who has not. Others count as long
/// as they give signs of life (since `$since`), take such jobs, and are not drained.
macro_rules! may_try {
    ($worker:literal, $since:literal) => {
        concat!(
            "(NOT EXISTS (SELECT 1 FROM job_failures f WHERE f.job_id = jobs.id AND f.worker = ",
            $worker,
            ") OR NOT EXISTS (SELECT 1 FROM workers w WHERE w.seen_at >= ",
            $since,
            " AND w.drained = 0 AND w.kinds LIKE '% ' || jobs.kind || ' %' \
              AND NOT EXISTS (SELECT 1 FROM job_failures f WHERE f.job_id = jobs.id AND f.worker = w.name)))"
        )
    };
}

/// Is there a job of these kinds that `worker` could claim or reap now? A plain read, so that idle workers do not take
/// SQLite's write lock to find nothing.
pub async fn claimable(conn: &mut impl Connect, worker: &str, kinds: &[&str], now: Micros) -> Result<bool> {
    let kinds = json_list(kinds);
    let found = query!(
        fetch_optional,
        conn,
        (String,),
        sqlite
        concat!(
            "SELECT id FROM jobs WHERE kind IN (SELECT value FROM json_each($1)) \
             AND ((state = 'queued' AND run_at <= $2 AND ",
            may_try!("$3", "$4"),
            ") OR (state = 'running' AND lease_until <= $2)) LIMIT 1"
        ),
        postgres
        concat!(
            "SELECT id FROM jobs WHERE kind IN (SELECT jsonb_array_elements_text($1::jsonb)) \
             AND ((state = 'queued' AND run_at <= $2 AND ",
            may_try!("$3", "$4"),
            ") OR (state = 'running' AND lease_until <= $2)) LIMIT 1"
        ),
        &kinds,
        now.0,
        worker,
        now.plus(-SILENT_AFTER).0,
    )?;
    Ok(found.is_some())
}

/// Takes the best queued job among `kinds`: lowest priority number, then lowest turn, then oldest. Counts an attempt, raises the
/// fence, lets go of the dedupe key, and holds the job until `now + lease` microseconds. Call [`reap`] before it, so that
/// jobs of dead workers are among the queued ones. A job at which `worker` has failed goes to somebody else, if there is anybody.
pub async fn claim(
    tx: &mut Tx,
    worker: &str,
    kinds: &[&str],
    now: Micros,
    lease: i64,
) -> Result<Option<Claim>> {
    let kinds = json_list(kinds);
    query!(
        fetch_optional,
        tx,
        Claim,
        sqlite
        concat!(
            "UPDATE jobs SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, fence = fence + 1, \
                             dedupe = NULL, claimed_at = $3, updated_at = $3 \
             WHERE id = (SELECT id FROM jobs \
                         WHERE state = 'queued' AND run_at <= $3 AND kind IN (SELECT value FROM json_each($4)) AND ",
            may_try!("$1", "$5"),
            "            ORDER BY priority, turn, id LIMIT 1) \
             RETURNING id, kind, subject, payload, attempts, max_attempts, fence, lease_until"
        ),
        // The same, but two workers never wait for each other: each takes the first row that nobody has locked.
        postgres
        concat!(
            "UPDATE jobs SET state = 'running', worker = $1, lease_until = $2, attempts = attempts + 1, fence = fence + 1, \
                             dedupe = NULL, claimed_at = $3, updated_at = $3 \
             WHERE id = (SELECT id FROM jobs \
                         WHERE state = 'queued' AND run_at <= $3 \
                           AND kind IN (SELECT jsonb_array_elements_text($4::jsonb)) AND ",
            may_try!("$1", "$5"),
            "            ORDER BY priority, turn, id LIMIT 1 FOR UPDATE SKIP LOCKED) \
             RETURNING id, kind, subject, payload, attempts, max_attempts, fence, lease_until"
        ),
        worker,
        now.plus(lease).0,
        now.0,
        &kinds,
        now.plus(-SILENT_AFTER).0,
    )
}

/// Is somebody there who takes such jobs and has not failed at this one, its holder aside?
pub async fn has_another(conn: &mut impl Connect, claim: &Claim, now: Micros) -> Result<bool> {
    let (others,) = query!(
        fetch_one,
        conn,
        (i64,),
        "SELECT COUNT(*) FROM workers w JOIN jobs j ON j.id = $1 \
         WHERE w.seen_at >= $2 AND w.drained = 0 AND w.kinds LIKE '% ' || j.kind || ' %' AND w.name <> COALESCE(j.worker, '') \
           AND NOT EXISTS (SELECT 1 FROM job_failures f WHERE f.job_id = j.id AND f.worker = w.name)",
        &claim.id,
        now.plus(-SILENT_AFTER).0,
    )?;
    Ok(others > 0)
}

/// What a heartbeat learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The job is still ours, until then.
    Held { lease_until: Micros },
    /// Somebody cancelled it: stop, then [`let_go`].
    Cancelled,
    /// The lease ran out and the job went elsewhere: stop.
    Lost,
}

/// Extends the lease to `now + lease` microseconds.
pub async fn heartbeat(tx: &mut Tx, claim: &Claim, now: Micros, lease: i64) -> Result<Beat> {
    let lease_until = now.plus(lease);
    let held = execute!(
        tx,
        "UPDATE jobs SET lease_until = $1 WHERE id = $2 AND fence = $3 AND state = 'running'",
        lease_until.0,
        &claim.id,
        claim.fence,
    )?;
    if held == 1 {
        return Ok(Beat::Held { lease_until });
    }
    let cancelled = query!(
        fetch_optional,
        tx,
        (i64,),
        "SELECT fence FROM jobs WHERE id = $1 AND fence = $2 AND state = 'cancelled'",
        &claim.id,
        claim.fence,
    )?;
    Ok(if cancelled.is_some() { Beat::Cancelled } else { Beat::Lost })
}

/// Ends the job well, in the transaction that holds its result. [`Error::Stale`] when the job is no longer ours: then drop
/// the transaction, so that nothing of it stays.
pub async fn finish(tx: &mut Tx, claim: &Claim, now: Micros) -> Result<()> {
    fenced(execute!(
        tx,
        "UPDATE jobs SET state = 'done', worker = NULL, lease_until = 0, error = NULL, updated_at = $1 \
         WHERE id = $2 AND fence = $3 AND state = 'running'",
        now.0,
        &claim.id,
        claim.fence,
    )?)
}

/// Guards a transaction of a handler that goes on working after it: [`Error::Stale`] when the job is no longer ours, and
/// nobody can take it before the transaction ends.
pub async fn still_mine(tx: &mut Tx, claim: &Claim, now: Micros) -> Result<()> {
    fenced(execute!(
        tx,
        "UPDATE jobs SET updated_at = $1 WHERE id = $2 AND fence = $3 AND state = 'running'",
        now.0,
        &claim.id,
        claim.fence,
    )?)
}

/// What becomes of a job after a failed attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It runs again, not before then.
    Retry { run_at: Micros },
    /// No further attempt, until a person asks for one.
    Dead,
}

/// Ends an attempt badly: back to the queue after a pause that doubles with every failure, or dead when a retry cannot help
/// or the attempts are used up. `error` is kept as the reason, and so is who has failed.
pub async fn fail(tx: &mut Tx, claim: &Claim, error: &str, retryable: bool, now: Micros) -> Result<Outcome> {
    let outcome = if retryable && claim.attempt < claim.max_attempts {
        Outcome::Retry { run_at: now.plus(back_off(claim.attempt)) }
    } else {
        Outcome::Dead
    };
    let (state, run_at) = state_after(&outcome, now);
    execute!(
        tx,
        "INSERT INTO job_failures (job_id, worker) SELECT id, worker FROM jobs \
         WHERE id = $1 AND fence = $2 AND state = 'running' AND worker IS NOT NULL ON CONFLICT (job_id, worker) DO NOTHING",
        &claim.id,
        claim.fence,
    )?;
    fenced(execute!(
        tx,
        "UPDATE jobs SET state = $1, run_at = $2, worker = NULL, lease_until = 0, error = $3, updated_at = $4 \
         WHERE id = $5 AND fence = $6 AND state = 'running'",
        state.as_str(),
        run_at.0,
        error,
        now.0,
        &claim.id,
        claim.fence,
    )?)?;
    Ok(outcome)
}

/// Gives an unfinished job back without counting the attempt: the worker drains, or the job's time has not come (`delay`
/// microseconds from now).
pub async fn release(tx: &mut Tx, claim: &Claim, delay: i64, now: Micros) -> Result<()> {
    fenced(execute!(
        tx,
        "UPDATE jobs SET state = 'queued', run_at = $1, attempts = attempts - 1, worker = NULL, lease_until = 0, updated_at = $2 \
         WHERE id = $3 AND fence = $4 AND state = 'running'",
        now.plus(delay).0,
        now.0,
        &claim.id,
        claim.fence,
    )?)
}

/// Tells that the handler of a cancelled job has stopped; see [`settled`](super::settled). No error when the job went
/// elsewhere meanwhile.
pub async fn let_go(tx: &mut Tx, claim: &Claim) -> Result<()> {
    execute!(
        tx,
        "UPDATE jobs SET worker = NULL, lease_until = 0 WHERE id = $1 AND fence = $2 AND state = 'cancelled'",
        &claim.id,
        claim.fence,
    )?;
    Ok(())
}

/// Ends the leases that an earlier process of this name left behind, so that a restarted worker need not wait for them to run
/// out. Only for names that one process at a time has. The next [`reap`] counts them as deaths.
pub async fn renounce(tx: &mut Tx, worker: &str) -> Result<u64> {
    execute!(
        tx,
        "UPDATE jobs SET lease_until = 0 WHERE worker = $1 AND state IN ('running', 'cancelled')",
        worker,
    )
}

/// A job whose worker died, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaped {
    pub claim: Claim,
    pub reason: String,
    pub outcome: Outcome,
}

#[derive(sqlx::FromRow)]
struct Expired {
    #[sqlx(flatten)]
    claim: Claim,
    deaths: i64,
    worker: Option<String>,
    #[sqlx(try_from = "i64")]
    claimed_at: Micros,
}

/// Deaths of workers that one job may have at most: it may be what kills them.
pub const MOST_DEATHS: i64 = 12;

/// Puts jobs of these kinds whose lease ran out back into the queue. A death is no fault of the job, as a rule, and takes no
/// attempt from it; the first is retried at once, later ones rest a little, and after [`MOST_DEATHS`] the job is put away.
pub async fn reap(tx: &mut Tx, kinds: &[&str], now: Micros) -> Result<Vec<Reaped>> {
    let kinds = json_list(kinds);
    let expired = query!(
        fetch_all,
        tx,
        Expired,
        sqlite
        "SELECT id, kind, subject, payload, attempts, max_attempts, fence, lease_until, deaths, worker, claimed_at FROM jobs \
         WHERE state = 'running' AND lease_until <= $1 AND kind IN (SELECT value FROM json_each($2)) ORDER BY id LIMIT 100",
        // A row that is locked belongs to a holder that is just about to end it.
        postgres
        "SELECT id, kind, subject, payload, attempts, max_attempts, fence, lease_until, deaths, worker, claimed_at FROM jobs \
         WHERE state = 'running' AND lease_until <= $1 AND kind IN (SELECT jsonb_array_elements_text($2::jsonb)) ORDER BY id \
         LIMIT 100 FOR UPDATE SKIP LOCKED",
        now.0,
        &kinds,
    )?;
    let mut reaped = Vec::with_capacity(expired.len());
    for Expired { claim, deaths, worker, claimed_at } in expired {
        let deaths = deaths + 1;
        let reason = if deaths == 1 {
            "the worker died".to_owned()
        } else {
            format!("the worker died {deaths} times")
        };
        let outcome = if deaths >= MOST_DEATHS {
            Outcome::Dead
        } else {
            Outcome::Retry { run_at: now.plus(rest(deaths)) }
        };
        let (state, run_at) = state_after(&outcome, now);
        fenced(execute!(
            tx,
            "UPDATE jobs SET state = $1, run_at = $2, deaths = $3, attempts = attempts - 1, worker = NULL, lease_until = 0, \
                 error = $4, updated_at = $5 \
             WHERE id = $6 AND fence = $7 AND state = 'running'",
            state.as_str(),
            run_at.0,
            deaths,
            &reason,
            now.0,
            &claim.id,
            claim.fence,
        )?)?;
        let attempt = Attempt {
            id: attempts::new_id(),
            job_id: claim.id.clone(),
            kind: claim.kind.clone(),
            subject: claim.subject.clone(),
            worker: worker.unwrap_or_default(),
            outcome: "died".to_owned(),
            started_at: claimed_at,
            ended_at: now,
            cpu_ms: 0,
            error: Some(reason.clone()),
            has_log: 0,
        };
        attempts::insert(tx, &attempt).await?;
        reaped.push(Reaped { claim, reason, outcome });
    }
    Ok(reaped)
}

/// How long a job rests after so many deaths: not at all, then 1 s, 2 s, 4 s … at most half a minute.
fn rest(deaths: i64) -> i64 {
    match deaths {
        ..2 => 0,
        _ => (Micros::SECOND << (deaths - 2).min(20)).min(30 * Micros::SECOND),
    }
}

fn state_after(outcome: &Outcome, now: Micros) -> (State, Micros) {
    match outcome {
        Outcome::Retry { run_at } => (State::Queued, *run_at),
        Outcome::Dead => (State::Dead, now),
    }
}

fn fenced(rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(Error::Stale) }
}

fn json_list(items: &[&str]) -> String {
    serde_json::Value::from(items.to_vec()).to_string()
}
