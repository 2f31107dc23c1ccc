//! The encoding farm: how it goes, pausing it, draining workers, and whose turn it is.

use std::collections::{BTreeMap, HashMap};

use api::{Id, Json, Name, Principal, Problem, ProblemBody, Query};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Micros, Role, VideoId};
use serde::Deserialize;
use store::{attempts, farm as rows, jobs::priority, settings, videos, workers};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    farm_view::{
        Cost, Farm, JobAttempt, Prioritised, PriorityWord, Throughput, WaitingTitle, WorkerThroughput,
    },
    overview::{about, working},
    view::Worker,
};
use crate::{App, Result};

const MOST_ATTEMPTS: u32 = 5000;
const MOST_WAITING: u32 = 50;
const MOST_COSTS: usize = 20;
const HOUR: i64 = 3600 * Micros::SECOND;

/// What time is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// How many hours back, 1 to 24.
    #[param(minimum = 1, maximum = 24, default = 1)]
    pub hours: Option<i64>,
}

/// The farm: workers, attempts for a time chart, throughput, what waits, and the titles that took the most.
#[utoipa::path(get, path = "/api/v1/control/farm", tag = "farm", params(Window),
    responses((status = 200, body = Farm), (status = 403, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn get(
    State(app): State<App>,
    principal: Principal,
    Query(window): Query<Window>,
) -> Result<Json<Farm>> {
    principal.require_role(Role::Admin)?;
    let hours = window.hours.unwrap_or(1);
    if !(1..=24).contains(&hours) {
        return Err(Problem::invalid("hours", "Ask for 1 to 24 hours.").into());
    }
    let now = app.clock.now();
    let since = now.plus(-hours * HOUR);
    let mut reader = app.store.reader().await?;
    let paused = settings::is_farm_paused(&mut reader).await?;
    let workers = working(&mut reader, now).await?;
    let waiting = rows::waiting(&mut reader, now, MOST_WAITING).await?;
    let done = rows::throughput(&mut reader, since).await?;
    let mut list = attempts::recent(&mut reader, since, MOST_ATTEMPTS + 1).await?;
    // One row for each title that an attempt was about, unless there were more than attempts are shown.
    let costs = attempts::costliest(&mut reader, since, MOST_ATTEMPTS).await?;
    drop(reader);

    let attempts_left_out = list.len() > MOST_ATTEMPTS as usize;
    list.truncate(MOST_ATTEMPTS as usize);
    let titles: HashMap<&str, &String> = costs
        .iter()
        .filter_map(|cost| cost.title.as_ref().map(|title| (cost.subject.as_str(), title)))
        .collect();
    let list = list.into_iter().map(|row| attempt(row, &titles)).collect();
    Ok(Json(Farm {
        at: now.into(),
        since: since.into(),
        paused,
        throughput: throughput(done, &workers, since, now),
        workers,
        waiting: waiting.into_iter().map(waiting_title).collect(),
        attempts: list,
        attempts_left_out,
        costliest: costs.into_iter().take(MOST_COSTS).map(cost).collect(),
    }))
}

fn attempt(row: attempts::Attempt, titles: &HashMap<&str, &String>) -> JobAttempt {
    JobAttempt {
        video: about(&row.subject, titles.get(row.subject.as_str()).map(|title| (*title).clone())),
        id: row.id,
        has_log: row.has_log != 0,
        job_id: row.job_id,
        kind: row.kind,
        worker: row.worker,
        outcome: row.outcome,
        started_at: row.started_at.into(),
        ended_at: row.ended_at.into(),
        cpu_ms: row.cpu_ms,
        error: row.error,
    }
}

/// Jobs of these kinds take a slot of their worker.
fn takes_slot(kind: &str) -> bool {
    ["probe", "chunk", "audio", "pictures"].contains(&kind.split('-').next().unwrap_or_default())
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// What ended, and what is at work.
fn throughput(ended: Vec<rows::Throughput>, workers: &[Worker], since: Micros, now: Micros) -> Throughput {
    let mut by_worker: BTreeMap<String, rows::Throughput> =
        ended.into_iter().map(|row| (row.worker.clone(), row)).collect();
    for worker in workers {
        let name = worker.name.clone();
        let none = || rows::Throughput { worker: name.clone(), done: 0, failed: 0, cpu_ms: 0, busy: 0 };
        let row = by_worker.entry(name.clone()).or_insert_with(none);
        let running = worker.jobs.iter().filter(|job| takes_slot(&job.kind));
        row.busy += running.map(|job| now.0 - job.since.0.0.max(since.0)).sum::<i64>();
    }
    let slots =
        |name: &str| workers.iter().find(|worker| worker.name == name).map_or(0, |worker| worker.slots);
    let share = |busy: i64, slots: i64| {
        (slots > 0).then(|| (busy as f64 / (slots * (now.0 - since.0)) as f64).clamp(0.0, 1.0))
    };
    let sum = |of: fn(&rows::Throughput) -> i64| by_worker.values().map(of).sum::<i64>();
    let present = by_worker.values().filter(|row| slots(&row.worker) > 0);
    let busy_of_present = present.map(|row| row.busy).sum::<i64>();
    Throughput {
        done: sum(|row| row.done),
        failed: sum(|row| row.failed),
        cpu_seconds: seconds(sum(|row| row.cpu_ms) * 1000),
        busy_seconds: seconds(sum(|row| row.busy)),
        busy_share: share(busy_of_present, workers.iter().map(|worker| worker.slots).sum()),
        workers: by_worker
            .values()
            .map(|row| WorkerThroughput {
                worker: row.worker.clone(),
                done: row.done,
                failed: row.failed,
                cpu_seconds: seconds(row.cpu_ms * 1000),
                busy_seconds: seconds(row.busy),
                busy_share: share(row.busy, slots(&row.worker)),
            })
            .collect(),
    }
}

fn waiting_title(row: rows::Waiting) -> WaitingTitle {
    WaitingTitle {
        video: super::view::About { id: row.id.to_string(), title: row.title },
        jobs: row.jobs,
        priority: match (row.first_priority, row.last_priority) {
            (_, priority::URGENT) => "first",
            (priority::IDLE.., _) => "later",
            _ => "normal",
        },
        since: row.since.into(),
    }
}

fn cost(row: attempts::Cost) -> Cost {
    let minutes = row.duration_ms.filter(|duration| *duration > 0).map(|duration| duration as f64 / 60_000.0);
    let cpu_seconds = seconds(row.cpu_ms * 1000);
    Cost {
        video: about(&row.subject, row.title),
        attempts: row.attempts,
        wasted: row.wasted,
        cpu_seconds,
        busy_seconds: seconds(row.busy),
        cpu_seconds_per_minute: minutes.map(|minutes| cpu_seconds / minutes),
    }
}

/// What decoders and encoders said in an attempt that failed, with what they were asked to do: the last 64 KiB of it. Kept for
/// the latest 50 such attempts of a title, until the title is deleted for good.
#[utoipa::path(get, path = "/api/v1/control/attempts/{id}/log", tag = "farm", params(("id" = String, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn log(State(app): State<App>, principal: Principal, Id(id): Id<Uuid>) -> Result<Response> {
    principal.require_role(Role::Admin)?;
    let log = attempts::log(&mut app.store.reader().await?, &id.to_string()).await?;
    let log = log.ok_or(store::Error::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((headers, log).into_response())
}

/// Lets all workers end what they are at and begin no more long jobs. Nothing is lost; uploads are taken as ever.
#[utoipa::path(post, path = "/api/v1/control/farm/pause", tag = "farm",
    responses((status = 204), (status = 403, body = ProblemBody)))]
pub async fn pause(State(app): State<App>, principal: Principal) -> Result<StatusCode> {
    set_paused(&app, &principal, true).await
}

/// Lets workers begin long jobs again.
#[utoipa::path(post, path = "/api/v1/control/farm/resume", tag = "farm",
    responses((status = 204), (status = 403, body = ProblemBody)))]
pub async fn resume(State(app): State<App>, principal: Principal) -> Result<StatusCode> {
    set_paused(&app, &principal, false).await
}

async fn set_paused(app: &App, principal: &Principal, paused: bool) -> Result<StatusCode> {
    principal.require_role(Role::Admin)?;
    let mut tx = app.store.begin().await?;
    settings::pause_farm(&mut tx, paused, app.clock.now()).await?;
    tx.commit().await?;
    tracing::info!(paused, by = %principal.user, "the farm is paused or resumed");
    Ok(StatusCode::NO_CONTENT)
}

/// Lets one worker end what it is at and take no more jobs, before its machine is stopped.
#[utoipa::path(post, path = "/api/v1/control/workers/{name}/drain", tag = "farm",
    params(("name" = String, Path, description = "The worker's name, percent-encoded.", example = "farm-1")),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn drain(State(app): State<App>, principal: Principal, Name(name): Name) -> Result<StatusCode> {
    set_drained(&app, &principal, &name, true).await
}

/// Lets a drained worker take jobs again.
#[utoipa::path(post, path = "/api/v1/control/workers/{name}/resume", tag = "farm",
    params(("name" = String, Path, description = "The worker's name, percent-encoded.", example = "farm-1")),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn undrain(State(app): State<App>, principal: Principal, Name(name): Name) -> Result<StatusCode> {
    set_drained(&app, &principal, &name, false).await
}

async fn set_drained(app: &App, principal: &Principal, name: &str, drained: bool) -> Result<StatusCode> {
    principal.require_role(Role::Admin)?;
    let mut tx = app.store.begin().await?;
    workers::drain(&mut tx, name, drained).await?;
    tx.commit().await?;
    tracing::info!(worker = name, drained, by = %principal.user, "a worker is drained or resumed");
    Ok(StatusCode::NO_CONTENT)
}

/// A title's new place in the queue.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriorityBody {
    #[schema(value_type = PriorityWord)]
    pub priority: String,
}

/// Gives a title's waiting jobs their turn before all others, by turns with others, or after them. Jobs at work go on.
#[utoipa::path(post, path = "/api/v1/control/titles/{id}/priority", tag = "farm", params(("id" = String, Path)),
    request_body = PriorityBody,
    responses((status = 200, body = Prioritised), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn prioritise(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
    Json(body): Json<PriorityBody>,
) -> Result<Json<Prioritised>> {
    principal.require_role(Role::Admin)?;
    let priority = match body.priority.as_str() {
        "first" => priority::URGENT,
        "normal" => priority::NORMAL,
        "later" => priority::IDLE,
        _ => return Err(Problem::invalid("priority", "The priority is first, normal or later.").into()),
    };
    let mut tx = app.store.begin().await?;
    videos::get(&mut tx, id).await?;
    let jobs = store::jobs::prioritise(&mut tx, &id.to_string(), priority, app.clock.now()).await?;
    tx.commit().await?;
    tracing::info!(title = %id, priority = body.priority, jobs, by = %principal.user, "a title has another turn");
    Ok(Json(Prioritised { jobs }))
}
