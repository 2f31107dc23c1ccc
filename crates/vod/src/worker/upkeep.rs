//! What a worker does beside its jobs: counts the queue for the metrics, and forgets what is long over.

use std::{convert::Infallible, time::Duration};

use domain::Micros;
use store::{
    Store, attempts, inbox, jobs, outbox,
    workers::{self, Sign},
};
use tokio::time;

use super::Shared;

const COUNT_EVERY: Duration = Duration::from_secs(10);
/// In counts.
const PRUNE_EVERY: u32 = 60;
const KEEP_ENDED: i64 = 3 * Micros::DAY;
/// Until then a person can retry them.
const KEEP_DEAD: i64 = 90 * Micros::DAY;
const KEEP_EVENTS: i64 = 7 * Micros::DAY;
/// Longer than events, which it guards.
const KEEP_HANDLED: i64 = 30 * Micros::DAY;
/// Workers that ended without saying so.
const KEEP_SILENT: i64 = Micros::DAY;
const PRUNE_BATCH: u32 = 1000;

pub(super) async fn run(shared: &Shared) -> Infallible {
    let Shared { store, clock, .. } = shared;
    let started_at = clock.now();
    let mut ticks = time::interval(COUNT_EVERY);
    ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
    let mut shown = Vec::new();
    let mut round = 0_u32;
    loop {
        ticks.tick().await;
        if let Err(error) = beat(shared, started_at).await {
            tracing::warn!(%error, "the worker's sign of life could not be written");
        }
        if let Err(error) = count(store, clock.now(), &mut shown).await {
            tracing::warn!(%error, "the job queue cannot be counted");
        }
        if round.is_multiple_of(PRUNE_EVERY)
            && let Err(error) = prune(store, clock.now()).await
        {
            tracing::warn!(%error, "old jobs and events cannot be pruned");
        }
        round = round.wrapping_add(1);
    }
}

/// The first sign of life.
pub(super) async fn introduce(shared: &Shared) {
    if let Err(error) = beat(shared, shared.clock.now()).await {
        tracing::warn!(%error, "the worker could not tell of itself");
    }
}

/// A sign of life for those who look at the instance; leases have their own.
async fn beat(shared: &Shared, started_at: Micros) -> store::Result<()> {
    let mut tx = shared.store.begin().await?;
    let slots = shared.config.slots() as i64;
    let about = serde_json::to_string(&(shared.about)()).unwrap_or_default();
    let kinds = shared.handlers.all_kinds();
    let sign = Sign { name: &shared.name, slots, about: &about, kinds: &kinds, started_at };
    workers::beat(&mut tx, &sign, shared.clock.now()).await?;
    tx.commit().await
}

/// The worker ends in order.
pub(super) async fn leave(shared: &Shared) {
    let left = async {
        let mut tx = shared.store.begin().await?;
        workers::leave(&mut tx, &shared.name).await?;
        tx.commit().await
    };
    if let Err(error) = left.await {
        tracing::debug!(%error, "the worker's end could not be written; it will be seen as silent");
    }
}

/// Shows the whole queue, not this worker's part. `shown` are the series of last time, which fall to 0 when they are gone.
async fn count(store: &Store, now: Micros, shown: &mut Vec<(String, &'static str)>) -> store::Result<()> {
    let counts = jobs::stats(&mut store.reader().await?).await?;
    for (kind, state) in shown.drain(..) {
        if !counts.iter().any(|count| count.kind == kind && count.state.as_str() == state) {
            metrics::gauge!("kinora_jobs", "kind" => kind, "state" => state).set(0.0);
        }
    }
    let mut waiting = 0;
    for count in counts {
        let state = count.state.as_str();
        metrics::gauge!("kinora_jobs", "kind" => count.kind.clone(), "state" => state).set(count.jobs as f64);
        if count.state == jobs::State::Queued {
            waiting = waiting.max(now.0.saturating_sub(count.oldest.0));
        }
        shown.push((count.kind, state));
    }
    metrics::gauge!("kinora_jobs_oldest_wait_seconds").set(waiting as f64 / Micros::SECOND as f64);
    Ok(())
}

async fn prune(store: &Store, now: Micros) -> store::Result<()> {
    loop {
        let mut tx = store.begin().await?;
        let pruned = jobs::prune(&mut tx, now.plus(-KEEP_ENDED), now.plus(-KEEP_DEAD), PRUNE_BATCH).await?;
        tx.commit().await?;
        if pruned < u64::from(PRUNE_BATCH) {
            break;
        }
    }
    let mut tx = store.begin().await?;
    workers::prune(&mut tx, now.plus(-KEEP_SILENT)).await?;
    attempts::prune(&mut tx, now.plus(-KEEP_DEAD), PRUNE_BATCH).await?;
    outbox::prune(&mut tx, now.plus(-KEEP_EVENTS)).await?;
    inbox::prune(&mut tx, now.plus(-KEEP_HANDLED)).await?;
    tx.commit().await
}
