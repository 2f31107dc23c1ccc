//! The same file uploaded twice by the same person: the later title says so until its owner has decided.

use api::{Id, Principal, ProblemBody};
use axum::{extract::State, http::StatusCode};
use domain::VideoId;
use store::duplicates;

use crate::{App, Result, title};

/// Keeps a title although it was made of the same file as an earlier one: it is no longer told to be a duplicate.
#[utoipa::path(delete, path = "/api/v1/videos/{id}/duplicate", tag = "versions", operation_id = "keep_duplicate",
    params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn keep(State(app): State<App>, principal: Principal, Id(id): Id<VideoId>) -> Result<StatusCode> {
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    duplicates::keep(&mut tx, id, app.clock.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
