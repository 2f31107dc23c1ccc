//! What operators see of the instance, and what they can do about it.

pub mod edges;
pub mod farm;
mod farm_view;
mod fleet;
mod jobs;
mod overview;
mod places;
mod profile_view;
pub mod profiles;
mod traffic;
mod view;

pub mod routes {
    //! The handlers, for the router.
    pub use super::{
        jobs::{__path_discard, __path_list, __path_retry, discard, list, retry},
        overview::{__path_overview, overview},
    };
}
pub use fleet::Fleet;
pub use places::{Place, Places};
pub use traffic::{Sample, Traffic};

use crate::{App, Result};

/// A worker that gave no sign of life for so long counts as gone, in microseconds.
pub const SILENT_AFTER: i64 = 60 * domain::Micros::SECOND;

/// Takes a sample for the trends, and sets the gauges that no worker sets. To be called once a minute.
pub async fn sample(app: &App) -> Result<()> {
    let now = app.clock.now();
    let mut reader = app.store.reader().await?;
    let counts = store::jobs::stats(&mut reader).await?;
    let jobs = |state| counts.iter().filter(|count| count.state == state).map(|count| count.jobs).sum();
    app.control.traffic.sample(now, jobs(store::jobs::State::Queued), jobs(store::jobs::State::Running));

    let paused = store::settings::is_farm_paused(&mut reader).await?;
    metrics::gauge!("kinora_farm_paused").set(if paused { 1.0 } else { 0.0 });
    let workers = store::workers::list(&mut reader).await?;
    let silent = workers.iter().filter(|worker| now.0 - worker.seen_at.0 > SILENT_AFTER).count();
    metrics::gauge!("kinora_workers", "state" => "alive").set((workers.len() - silent) as f64);
    metrics::gauge!("kinora_workers", "state" => "silent").set(silent as f64);
    metrics::gauge!("kinora_uploads_open").set(store::overview::open_uploads(&mut reader).await? as f64);
    metrics::gauge!("kinora_database_bytes").set(store::overview::database_bytes(&mut reader).await? as f64);
    let titles = store::overview::titles(&mut reader).await?;
    for state in store::videos::State::ALL {
        let titles = titles.by_state.iter().find(|(of, _)| of == state).map_or(0, |(_, titles)| *titles);
        metrics::gauge!("kinora_titles", "state" => state.word()).set(titles as f64);
    }
    let events = store::events::counts(&mut reader).await?;
    for state in domain::event::State::ALL {
        let count = events.iter().find(|(of, _)| of == state).map_or(0, |(_, count)| *count);
        metrics::gauge!("kinora_live_events", "state" => state.word()).set(count as f64);
    }
    drop(reader);
    for (what, space) in app.control.places.spaces().await {
        metrics::gauge!("kinora_disk_free_bytes", "place" => what.word()).set(space.free as f64);
        metrics::gauge!("kinora_disk_total_bytes", "place" => what.word()).set(space.total as f64);
    }
    Ok(())
}
