//! What has to be done from time to time: the trash emptied, expired sessions and uploads forgotten.

use std::time::Duration;

use app::{App, catalog};
use domain::Micros;
use insights::Insights;
use store::{idempotency, library, tokens, videos, webhooks};
use tokio::time::{self, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::http::metrics;

const EVERY: Duration = Duration::from_secs(60);
const MEASURE_EVERY: Duration = Duration::from_secs(5);
/// Titles taken from the trash in one go.
const BATCH: u32 = 50;

/// Runs until `stop`. What fails is logged and tried again with the next round.
pub async fn run(app: App, uploads: vod::upload::Uploads, insights: Insights, stop: CancellationToken) {
    let mut ticks = time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = round(&app).await {
            tracing::warn!(%error, "maintenance of accounts and the trash failed; the next round tries again");
        }
        if let Err(error) = catalog::artwork::expire(&app).await {
            tracing::warn!(%error, "deleted pictures could not be removed; the next round tries again");
        }
        if let Err(error) = app.tidy_revocations().await {
            tracing::warn!(%error, "ended revocations could not be removed; the next round tries again");
        }
        if let Err(error) = app.warm_due().await {
            tracing::warn!(%error, "edges were not told what to bring near; the next round tries again");
        }
        if let Err(error) = app::control::sample(&app).await {
            tracing::warn!(%error, "the instance could not be measured; the next round tries again");
        }
        if let Err(error) = insights.expire().await {
            tracing::warn!(%error, "old figures of playbacks could not be removed; the next round tries again");
        }
        match vod::upload::expire(&uploads).await {
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "expired uploads could not be removed; the next round tries again")
            }
        }
    }
}

/// Keeps the metrics' memory bounded until `stop`.
pub async fn measure(stop: CancellationToken) {
    let mut ticks = time::interval(MEASURE_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => metrics::upkeep(),
        }
    }
}

async fn round(app: &App) -> app::Result<()> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    tokens::prune(&mut tx, now).await?;
    let forgotten = now.plus(-i64::from(app.config.history_days) * Micros::DAY);
    library::prune_changes(&mut tx, forgotten).await?;
    idempotency::prune(&mut tx, now).await?;
    let before = now.plus(-app::webhooks::KEEP);
    webhooks::prune(&mut tx, before, app::webhooks::KEEP_EACH).await?;
    tx.commit().await?;
    let before = now.plus(-i64::from(app.config.trash_days) * Micros::DAY);
    for id in videos::trashed_before(&mut app.store.reader().await?, before, BATCH).await? {
        let mut tx = app.store.begin().await?;
        catalog::routes::purge(&mut tx, id, now).await?;
        tx.commit().await?;
        tracing::info!(video = %id, "its time in the trash is over: deleting for good");
    }
    catalog::versions::tidy(app).await
}
