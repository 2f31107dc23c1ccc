//! One job in one slot: its handler, its heartbeat, its end.

use std::{sync::Arc, time::Duration};

use domain::Micros;
use store::{
    attempts::{self, Attempt},
    jobs::{self, Beat, Claim, Outcome},
};
use tokio::{
    task::{AbortHandle, JoinHandle},
    time::{self, Instant, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    handlers::{Failure, JobContext, JobError, Retry},
};
use crate::guest::Meter;

/// Why a handler was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Cancelled,
    Lost,
    Drain,
}

/// Aborts the task when dropped, so that a handler never outlives its slot.
struct Leash(AbortHandle);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) async fn run(shared: Arc<Shared>, claim: Claim, shutdown: CancellationToken) {
    let (started, started_at) = (Instant::now(), shared.clock.now());
    metrics::gauge!("kinora_jobs_here", "kind" => claim.kind.clone()).increment(1);
    tracing::debug!(
        job = claim.id,
        kind = claim.kind,
        subject = claim.subject,
        attempt = claim.attempt,
        "job starts"
    );
    let cancelled = CancellationToken::new();
    let job = JobContext {
        store: shared.store.clone(),
        clock: shared.clock.clone(),
        claim: claim.clone(),
        cancelled: cancelled.clone(),
        last_progress: std::sync::Mutex::default(),
    };
    // A task of its own, so that its panic ends the attempt and not the worker.
    let (meter, work) = (Meter::default(), shared.handlers.call(job));
    let handler = tokio::spawn({
        let meter = meter.clone();
        async move { meter.counts(work).await }
    });
    let _leash = Leash(handler.abort_handle());
    let (result, stop) = attend(&shared, &claim, handler, &cancelled, &shutdown).await;
    let error = match &result {
        Err(JobError::Failed { message, detail, .. }) => Some(format!("{message} ({detail})")),
        _ => None,
    };
    let outcome = end(&shared, &claim, result, stop).await;
    if shared.handlers.is_heavy(&claim.kind) || error.is_some() {
        keep(&shared, &claim, outcome, started_at, &meter, error).await;
    }
    metrics::gauge!("kinora_jobs_here", "kind" => claim.kind.clone()).decrement(1);
    metrics::counter!("kinora_job_attempts_total", "kind" => claim.kind.clone(), "outcome" => outcome)
        .increment(1);
    metrics::histogram!("kinora_job_seconds", "kind" => claim.kind.clone(), "outcome" => outcome)
        .record(started.elapsed().as_secs_f64());
}

/// Keeps the attempt for charts and costs, which a lost one does no harm to, and what its programs said if it failed.
async fn keep(
    shared: &Shared,
    claim: &Claim,
    outcome: &str,
    started_at: Micros,
    meter: &Meter,
    error: Option<String>,
) {
    let cpu = meter.cpu();
    let log = error.as_ref().map(|_| meter.log()).filter(|log| !log.is_empty());
    let attempt = Attempt {
        id: attempts::new_id(),
        job_id: claim.id.clone(),
        kind: claim.kind.clone(),
        subject: claim.subject.clone(),
        worker: shared.name.clone(),
        outcome: outcome.to_owned(),
        started_at,
        ended_at: shared.clock.now(),
        cpu_ms: cpu.as_millis() as i64,
        error,
        has_log: i64::from(log.is_some()),
    };
    metrics::counter!("kinora_guest_cpu_milliseconds_total", "kind" => claim.kind.clone())
        .increment(cpu.as_millis() as u64);
    let kept = async {
        let mut tx = shared.store.begin().await?;
        attempts::insert(&mut tx, &attempt).await?;
        if let Some(log) = &log {
            attempts::keep_log(&mut tx, &attempt, log).await?;
        }
        tx.commit().await
    };
    if let Err(error) = kept.await {
        tracing::warn!(%error, "an attempt could not be kept for the charts");
    }
}

/// Waits for the handler and keeps the lease meanwhile. Tells the handler to stop when the job was cancelled or lost or the
/// worker drains, and drops it when it does not obey in time.
async fn attend(
    shared: &Shared,
    claim: &Claim,
    mut handler: JoinHandle<Result<(), JobError>>,
    cancelled: &CancellationToken,
    shutdown: &CancellationToken,
) -> (Result<(), JobError>, Option<Stop>) {
    let every = Duration::from_millis((shared.config.lease_ms / 3).max(10));
    let mut beats = time::interval_at(Instant::now() + every, every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut lease_until = claim.lease_until;
    let mut stop: Option<Stop> = None;
    let patience = time::sleep(Duration::ZERO);
    tokio::pin!(patience);
    loop {
        let reason = tokio::select! {
            ended = &mut handler => {
                let result = match ended {
                    Ok(result) => result,
                    Err(error) if error.is_panic() => Err(JobError::panic(&*error.into_panic())),
                    Err(_) => Err(JobError::Stopped),
                };
                return (result, stop);
            }
            () = &mut patience, if stop.is_some() => {
                tracing::warn!(job = claim.id, kind = claim.kind, "the handler did not stop in time and is dropped");
                handler.abort();
                // Resolves as soon as the task was dropped; whatever it was to say is void.
                let _ = handler.await;
                return (Err(JobError::Stopped), stop);
            }
            () = shutdown.cancelled(), if stop.is_none() => Stop::Drain,
            _ = beats.tick(), if stop != Some(Stop::Lost) && stop != Some(Stop::Cancelled) => {
                match beat(shared, claim, &mut lease_until).await {
                    Some(reason) => reason,
                    None => continue,
                }
            }
            () = shared.told.cancelled.notified(), if stop.is_none() => {
                match beat(shared, claim, &mut lease_until).await {
                    Some(reason) => reason,
                    None => continue,
                }
            }
        };
        if stop.is_none() {
            patience.as_mut().reset(Instant::now() + Duration::from_millis(shared.config.grace_ms));
        }
        stop = Some(reason);
        cancelled.cancel();
    }
}

/// One heartbeat; tells why to stop, if so.
async fn beat(shared: &Shared, claim: &Claim, lease_until: &mut Micros) -> Option<Stop> {
    let beat = async {
        let mut tx = shared.store.begin().await?;
        let beat = jobs::heartbeat(&mut tx, claim, shared.clock.now(), shared.config.lease()).await?;
        tx.commit().await?;
        Ok::<_, store::Error>(beat)
    };
    match beat.await {
        Ok(Beat::Held { lease_until: until }) => {
            *lease_until = until;
            None
        }
        Ok(Beat::Cancelled) => Some(Stop::Cancelled),
        // Also when the handler has just ended the job itself: then it returns before it could notice.
        Ok(Beat::Lost) => Some(Stop::Lost),
        Err(error) => {
            tracing::warn!(job = claim.id, %error, "no heartbeat");
            // Without the database nobody can tell us; but when the lease is over, somebody else may have the job.
            (shared.clock.now() >= *lease_until).then_some(Stop::Lost)
        }
    }
}

/// Records how the attempt ended and names it for the metrics.
async fn end(
    shared: &Shared,
    claim: &Claim,
    result: Result<(), JobError>,
    stop: Option<Stop>,
) -> &'static str {
    let mut pause = Duration::from_millis(100);
    for _ in 0..5 {
        match record(shared, claim, &result, stop).await {
            Ok(outcome) => return outcome,
            // Somebody else has the job, or it was cancelled in its last moment.
            Err(store::Error::Stale) => {
                let gone = let_go(shared, claim).await;
                if gone.is_ok() {
                    return "lost";
                }
            }
            Err(error) => {
                tracing::warn!(job = claim.id, kind = claim.kind, %error, "the end of a job cannot be recorded")
            }
        }
        time::sleep(pause).await;
        pause *= 3;
    }
    tracing::error!(job = claim.id, kind = claim.kind, "given up: the job returns when its lease runs out");
    "unrecorded"
}

async fn record(
    shared: &Shared,
    claim: &Claim,
    result: &Result<(), JobError>,
    stop: Option<Stop>,
) -> store::Result<&'static str> {
    let now = shared.clock.now();
    match (result, stop) {
        // Whatever a handler says, the one that finished in its own transaction has finished.
        _ if ended_by_handler(shared, claim).await? => Ok("done"),
        (_, Some(Stop::Cancelled)) => let_go(shared, claim).await.map(|()| "cancelled"),
        (_, Some(Stop::Lost)) => Ok("lost"),
        (Ok(()), _) => {
            let mut tx = shared.store.begin().await?;
            jobs::finish(&mut tx, claim, now).await?;
            tx.commit().await?;
            Ok("done")
        }
        // A guest that was killed by the drain may look like a failure to its handler.
        (Err(JobError::Stopped), _) | (Err(JobError::Failed { .. }), Some(Stop::Drain)) => {
            let mut tx = shared.store.begin().await?;
            jobs::release(&mut tx, claim, 0, now).await?;
            tx.commit().await?;
            Ok("released")
        }
        (Err(JobError::Later(pause)), _) => {
            let pause = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
            let mut tx = shared.store.begin().await?;
            jobs::release(&mut tx, claim, pause, now).await?;
            tx.commit().await?;
            Ok("later")
        }
        (Err(JobError::Failed { retry, message, detail }), _) => {
            fail(shared, claim, *retry, message, detail, now).await
        }
    }
}

async fn ended_by_handler(shared: &Shared, claim: &Claim) -> store::Result<bool> {
    match jobs::find(&mut shared.store.reader().await?, &claim.id).await {
        Ok(job) => Ok(job.state == jobs::State::Done && job.fence == claim.fence),
        Err(store::Error::NotFound) => Ok(true),
        Err(error) => Err(error),
    }
}

async fn let_go(shared: &Shared, claim: &Claim) -> store::Result<()> {
    let mut tx = shared.store.begin().await?;
    jobs::let_go(&mut tx, claim).await?;
    tx.commit().await
}

/// Records the failure and tells the title, in one transaction.
async fn fail(
    shared: &Shared,
    claim: &Claim,
    retry: Retry,
    message: &str,
    detail: &str,
    now: Micros,
) -> store::Result<&'static str> {
    let reason = format!("{message} ({detail})");
    let mut tx = shared.store.begin().await?;
    let retryable = match retry {
        Retry::Yes => true,
        Retry::Elsewhere => jobs::has_another(&mut tx, claim, now).await?,
        Retry::No => false,
    };
    let outcome = jobs::fail(&mut tx, claim, &reason, retryable, now).await?;
    let failure = Failure {
        claim: claim.clone(),
        message: message.to_owned(),
        detail: detail.to_owned(),
        outcome,
        now,
    };
    tracing::warn!(
        job = claim.id, kind = claim.kind, subject = claim.subject, attempt = claim.attempt, outcome = ?failure.outcome,
        "job failed: {reason}"
    );
    match shared.handlers.tell(&mut tx, &failure).await {
        Ok(()) => tx.commit().await?,
        Err(error) if error.is_transient() => return Err(error),
        // Better a dead job whose title does not say so than one that comes back for ever.
        Err(error) => {
            tracing::error!(job = claim.id, %error, "a failed job could not be reported to its title");
            drop(tx);
            let mut tx = shared.store.begin().await?;
            jobs::fail(&mut tx, claim, &reason, retryable, now).await?;
            tx.commit().await?;
        }
    }
    Ok(if failure.outcome == Outcome::Dead { "dead" } else { "retry" })
}
