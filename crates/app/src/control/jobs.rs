//! Jobs that were given up: look at them, try again, or put them away.

use api::{Cursor, Id, Json, Page, Principal, Problem, ProblemBody, Query, page};
use axum::{extract::State, http::StatusCode};
use domain::Role;
use store::{Tx, jobs, overview, videos};
use uuid::Uuid;

use super::{overview::about, view::DeadJob};
use crate::{App, Result, title};

/// Jobs that were given up, latest first.
#[utoipa::path(get, path = "/api/v1/control/jobs", tag = "control", params(Cursor),
    responses((status = 200, body = Page<DeadJob>), (status = 403, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    principal: Principal,
    Query(cursor): Query<Cursor>,
) -> Result<Json<Page<DeadJob>>> {
    principal.require_role(Role::Admin)?;
    let limit = cursor.limit()?;
    let after: Option<String> = cursor.after()?;
    let rows = overview::dead(&mut app.store.reader().await?, after.as_deref(), limit + 1).await?;
    let view = |row: overview::Job| DeadJob {
        video: about(&row.subject, row.title),
        id: row.id,
        kind: row.kind,
        attempts: row.attempts,
        error: row.error.unwrap_or_default(),
        log: row.log,
        at: row.updated_at.into(),
    };
    Ok(Json(page::page(rows, limit, |row| row.id.clone(), view)))
}

/// Tries again: a title that the job brought down begins anew from its original, any other job gets new attempts.
#[utoipa::path(post, path = "/api/v1/control/jobs/{id}/retry", tag = "control", params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn retry(State(app): State<App>, principal: Principal, Id(id): Id<Uuid>) -> Result<StatusCode> {
    principal.require_role(Role::Admin)?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let job = given_up(&mut tx, id).await?;
    let failed = match job.subject.parse() {
        Ok(video) => videos::get(&mut tx, video).await.ok().filter(|row| row.state == videos::State::Failed),
        Err(_) => None,
    };
    match failed {
        Some(row) if title::begin_again(&mut tx, &row, now).await? => {
            jobs::discard_dead(&mut tx, &job.subject, now).await?;
        }
        _ => jobs::revive(&mut tx, &job.id, now).await?,
    }
    tx.commit().await?;
    tracing::info!(job = job.id, kind = job.kind, by = %principal.user, "a job that was given up begins again");
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a job away. The title that it was about stays as it is.
#[utoipa::path(delete, path = "/api/v1/control/jobs/{id}", tag = "control", params(("id" = String, Path)),
    responses((status = 204), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn discard(State(app): State<App>, principal: Principal, Id(id): Id<Uuid>) -> Result<StatusCode> {
    principal.require_role(Role::Admin)?;
    let mut tx = app.store.begin().await?;
    let job = given_up(&mut tx, id).await?;
    jobs::discard(&mut tx, &job.id, app.clock.now()).await?;
    tx.commit().await?;
    tracing::info!(job = job.id, kind = job.kind, by = %principal.user, "a job that was given up is put away");
    Ok(StatusCode::NO_CONTENT)
}

async fn given_up(tx: &mut Tx, id: Uuid) -> Result<jobs::Job> {
    let job = jobs::find(tx, &id.to_string()).await?;
    if job.state == jobs::State::Dead {
        Ok(job)
    } else {
        Err(Problem::conflict("Only jobs that were given up can be tried again or put away.").into())
    }
}
