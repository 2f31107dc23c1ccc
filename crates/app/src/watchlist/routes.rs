//! The own list: put on, take off, show.

use api::{Cursor, Json, Page, Principal, Problem, ProblemBody, Query, page, parse_id};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use domain::{Scope, VideoId};
use store::watchlist::{self, Listed};

use crate::{App, Asker, Result, personal::Personal, title, view::Video};

/// The caller's list, latest added first.
#[utoipa::path(get, path = "/api/v1/me/watchlist", tag = "watchlist", params(Cursor),
    responses((status = 200, body = Page<Video>), (status = 401, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    principal: Principal,
    asker: Asker,
    Query(cursor): Query<Cursor>,
) -> Result<Json<Page<Video>>> {
    principal.require_scope(Scope::Read)?;
    let (limit, after) = (cursor.limit()?, cursor.after()?);
    let viewer = principal.viewer();
    let mut reader = app.store.reader().await?;
    let rows = watchlist::list(&mut reader, viewer, &asker, after, limit + 1).await?;
    let personal = Personal::of(&mut reader, Some(viewer)).await?;
    let key = |row: &Listed| (row.added_at, row.video.id);
    Ok(Json(page::page(rows, limit, key, |row| personal.dress(app.video(row.video, Some(viewer))))))
}

/// Puts a title on the caller's list.
#[utoipa::path(put, path = "/api/v1/me/watchlist/{video_id}", tag = "watchlist",
    params(("video_id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "the list is full")))]
pub async fn put(
    State(app): State<App>,
    principal: Principal,
    asker: Asker,
    Path(video): Path<String>,
) -> Result<StatusCode> {
    principal.require_scope(Scope::Read)?;
    let video: VideoId = parse_id(&video)?;
    let mut tx = app.store.begin().await?;
    title::open(&mut tx, video, &asker).await?;
    if !watchlist::put(&mut tx, principal.user, video, app.clock.now()).await? {
        return Err(Problem::conflict("Your list is full. Take something off it first.").into());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a title off the caller's list.
#[utoipa::path(delete, path = "/api/v1/me/watchlist/{video_id}", tag = "watchlist",
    params(("video_id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn delete(
    State(app): State<App>,
    principal: Principal,
    Path(video): Path<String>,
) -> Result<StatusCode> {
    principal.require_scope(Scope::Read)?;
    let mut tx = app.store.begin().await?;
    watchlist::delete(&mut tx, principal.user, parse_id(&video)?).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}
