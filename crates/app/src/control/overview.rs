//! The state of the instance on one page.

use std::collections::BTreeMap;

use api::{Json, Principal, ProblemBody};
use axum::extract::State;
use domain::{Micros, Role};
use store::{Reader, jobs, overview as rows, videos, workers};

use super::{
    SILENT_AFTER,
    view::{
        About, Disk, Failure, Minute, OpenUpload, Overview, Queue, Requests, RunningJob, Storage, Titles,
        Worker,
    },
};
use crate::{App, Result};

/// Jobs at work that are shown.
const MOST_RUNNING: u32 = 200;
const MOST_FAILURES: u32 = 10;
const MOST_UPLOADS: u32 = 20;

/// The state of the instance: queue, workers, disks, failures, uploads, errors.
#[utoipa::path(get, path = "/api/v1/control/overview", tag = "control",
    responses((status = 200, body = Overview), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn overview(State(app): State<App>, principal: Principal) -> Result<Json<Overview>> {
    principal.require_role(Role::Admin)?;
    let now = app.clock.now();
    let mut reader = app.store.reader().await?;
    let queue = queue(jobs::stats(&mut reader).await?, now);
    let workers = working(&mut reader, now).await?;
    let database_bytes = rows::database_bytes(&mut reader).await?;
    let failures = rows::failures(&mut reader, MOST_FAILURES).await?;
    let uploads = rows::uploads(&mut reader, MOST_UPLOADS).await?;
    let open_uploads = rows::open_uploads(&mut reader).await?;
    let titles = titles(&rows::titles(&mut reader).await?);
    drop(reader);
    let disks = app.control.places.spaces().await;
    let disk = |(place, space): (super::Place, backends::disk::Space)| Disk {
        place: place.word(),
        free_bytes: space.free,
        total_bytes: space.total,
    };
    let totals = app.control.traffic.totals();
    Ok(Json(Overview {
        at: now.into(),
        version: env!("CARGO_PKG_VERSION"),
        queue,
        workers,
        storage: Storage {
            disks: disks.into_iter().map(disk).collect(),
            database: match app.store.engine() {
                store::Engine::Sqlite => "sqlite",
                store::Engine::Postgres => "postgres",
            },
            database_bytes,
        },
        failures: failures.into_iter().map(failure).collect(),
        uploads: uploads.into_iter().map(upload).collect(),
        open_uploads,
        titles,
        requests: Requests {
            since: app.control.since.into(),
            total: totals.requests,
            client_errors: totals.client_errors,
            server_errors: totals.server_errors,
            slow: totals.slow,
        },
        trends: app.control.traffic.samples().into_iter().map(minute).collect(),
    }))
}

/// By kind, those first for which people wait longest.
fn queue(counts: Vec<jobs::Count>, now: Micros) -> Vec<Queue> {
    let mut by_kind: BTreeMap<String, Queue> = BTreeMap::new();
    for count in counts {
        let empty =
            || Queue { kind: count.kind.clone(), queued: 0, running: 0, dead: 0, oldest_wait_seconds: 0 };
        let queue = by_kind.entry(count.kind.clone()).or_insert_with(empty);
        match count.state {
            jobs::State::Queued => {
                queue.queued = count.jobs;
                queue.oldest_wait_seconds = (now.0.saturating_sub(count.oldest.0) / Micros::SECOND).max(0);
            }
            jobs::State::Running => queue.running = count.jobs,
            jobs::State::Dead => queue.dead = count.jobs,
            jobs::State::Done | jobs::State::Cancelled => {}
        }
    }
    let mut queues: Vec<Queue> = by_kind.into_values().collect();
    queues.sort_by_key(|queue| std::cmp::Reverse((queue.oldest_wait_seconds, queue.queued, queue.running)));
    queues
}

/// Workers with their jobs. A job whose worker never told of itself makes one that is silent.
pub(super) async fn working(reader: &mut Reader, now: Micros) -> Result<Vec<Worker>> {
    let mut workers: Vec<Worker> =
        workers::list(reader).await?.into_iter().map(|row| worker(row, now)).collect();
    for row in rows::running(reader, MOST_RUNNING).await? {
        let name = row.worker.clone().unwrap_or_default();
        let (since, lease_until) = (row.claimed_at, row.lease_until);
        let job = RunningJob {
            video: about(&row.subject, row.title),
            id: row.id,
            kind: row.kind,
            attempt: row.attempts,
            since: since.into(),
            lease_seconds: (lease_until.0 - now.0) / Micros::SECOND,
        };
        match workers.iter_mut().find(|worker| worker.name == name) {
            Some(worker) => worker.jobs.push(job),
            None => {
                let about = String::new();
                let row =
                    workers::Worker { name, slots: 0, about, drained: 0, started_at: since, seen_at: since };
                workers.push(Worker { silent: true, jobs: vec![job], ..worker(row, now) });
            }
        }
    }
    Ok(workers)
}

fn worker(row: workers::Worker, now: Micros) -> Worker {
    Worker {
        name: row.name,
        slots: row.slots,
        started_at: row.started_at.into(),
        seen_at: row.seen_at.into(),
        silent: now.0 - row.seen_at.0 > SILENT_AFTER,
        drained: row.drained != 0,
        machine: serde_json::from_str(&row.about).unwrap_or_default(),
        jobs: Vec::new(),
    }
}

/// The title that a job is about, when it is still there.
pub(super) fn about(subject: &str, title: Option<String>) -> Option<About> {
    title.map(|title| About { id: subject.to_owned(), title })
}

fn failure(row: rows::Failure) -> Failure {
    Failure {
        video: About { id: row.id.to_string(), title: row.title },
        message: row.error.unwrap_or_default(),
        at: row.updated_at.into(),
    }
}

fn upload(row: rows::Upload) -> OpenUpload {
    OpenUpload {
        id: row.id,
        video: row.video_id.zip(row.title).map(|(id, title)| About { id, title }),
        owner: row.owner,
        received: row.received,
        length: row.length,
        updated_at: row.updated_at.into(),
    }
}

fn titles(rows: &rows::Titles) -> Titles {
    let mut titles = Titles { trashed: rows.trashed, ..Titles::default() };
    for (state, number) in &rows.by_state {
        match state {
            videos::State::Uploading => titles.uploading = *number,
            videos::State::Processing => titles.processing = *number,
            videos::State::Ready => titles.ready = *number,
            videos::State::Failed => titles.failed = *number,
            videos::State::Cancelled => titles.cancelled = *number,
            videos::State::Upcoming => titles.upcoming = *number,
            videos::State::Ended => titles.ended = *number,
        }
    }
    titles
}

fn minute(sample: super::Sample) -> Minute {
    Minute {
        at: sample.at.into(),
        requests: sample.requests,
        server_errors: sample.server_errors,
        queued: sample.queued,
        running: sample.running,
    }
}
