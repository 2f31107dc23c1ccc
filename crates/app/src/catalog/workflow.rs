//! Cancelling and retrying the work on a title.

use api::{Id, Json, Principal, Problem, ProblemBody};
use axum::extract::State;
use domain::VideoId;
use store::{jobs, steps, versions, videos};

use crate::{App, Result, title, view::Video};

/// Stops the work on a title, or on its next version.
#[utoipa::path(post, path = "/api/v1/videos/{id}/cancel", tag = "videos", params(("id" = String, Path)),
    responses((status = 200, body = Video), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn cancel(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
) -> Result<Json<Video>> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    let pending = versions::pending(&mut tx, id).await?;
    if let Some(version) = pending {
        // The title plays on as it did.
        versions::end(&mut tx, version.id, "cancelled", None, now).await?;
    } else if !videos::cancelled(&mut tx, id, now).await? {
        return Err(Problem::conflict("There is no work on this title to stop.").into());
    }
    jobs::cancel_by_subject(&mut tx, &id.to_string(), now).await?;
    steps::end_unfinished(&mut tx, id, steps::State::Cancelled, "", now).await?;
    let row = videos::get(&mut tx, id).await?;
    let video = app.video_with_steps(&mut tx, row, Some(principal.viewer())).await?;
    tx.commit().await?;
    Ok(Json(video))
}

/// Begins the work on a failed or cancelled title anew, from its original or from the link that it was to be fetched from.
#[utoipa::path(post, path = "/api/v1/videos/{id}/retry", tag = "videos", params(("id" = String, Path)),
    responses((status = 200, body = Video), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody)))]
pub async fn retry(State(app): State<App>, principal: Principal, Id(id): Id<VideoId>) -> Result<Json<Video>> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let row = title::manage(&mut tx, id, &principal).await?;
    if !title::begin_again(&mut tx, &row, now).await? {
        return Err(Problem::conflict(
            "Only failed and cancelled titles with a whole upload or a link can be retried.",
        )
        .into());
    }
    let row = videos::get(&mut tx, id).await?;
    let video = app.video_with_steps(&mut tx, row, Some(principal.viewer())).await?;
    tx.commit().await?;
    Ok(Json(video))
}
