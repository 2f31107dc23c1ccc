//! The own history: write a position, list, forget, continue.

use api::{Cursor, Json, Page, Principal, Problem, ProblemBody, Query, page, parse_id};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use domain::{Scope, VideoId};
use serde::Deserialize;
use store::positions::{self, Watched, Which};
use utoipa::{IntoParams, ToSchema};

use crate::{App, Asker, Result, personal::Personal, title, view::Video};

/// Longest query, in characters.
const MAX_QUERY: usize = 200;

/// Longest title that is believed: 30 days.
const MAX_MS: i64 = 30 * 24 * 3_600_000;
/// Titles on the row of those to continue.
const CONTINUE: u32 = 20;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Words, all of which must occur in title, channel name or description; without any, everything.
    #[serde(default)]
    pub q: String,
    /// Rows on the page, 1 to 100; 24 unless told.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PositionBody {
    pub position_ms: i64,
    pub duration_ms: i64,
}

/// Has someone who stopped at `position` seen all but the end? The last 5 %, at most the last three minutes, are credits.
fn is_finished(position: i64, duration: i64) -> bool {
    duration > 0 && duration - position <= (duration / 20).min(180_000)
}

/// Remembers where the caller is.
#[utoipa::path(put, path = "/api/v1/me/history/{video_id}", tag = "history", params(("video_id" = String, Path)),
    request_body = PositionBody,
    responses((status = 204), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn put(
    State(app): State<App>,
    principal: Principal,
    asker: Asker,
    Path(video): Path<String>,
    Json(body): Json<PositionBody>,
) -> Result<StatusCode> {
    principal.require_scope(Scope::Read)?;
    let video: VideoId = parse_id(&video)?;
    if !(0..=MAX_MS).contains(&body.position_ms) || !(0..=MAX_MS).contains(&body.duration_ms) {
        return Err(Problem::invalid("position_ms", "Times are milliseconds from 0 to 30 days.").into());
    }
    let position = body.position_ms.min(body.duration_ms);
    let finished = is_finished(position, body.duration_ms);
    let mut tx = app.store.begin().await?;
    title::open(&mut tx, video, &asker).await?;
    positions::put(&mut tx, principal.user, video, position, body.duration_ms, finished, app.clock.now())
        .await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the caller watched, latest first.
#[utoipa::path(get, path = "/api/v1/me/history", tag = "history", params(HistoryQuery),
    responses((status = 200, body = Page<Video>), (status = 401, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    principal: Principal,
    asker: Asker,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<Page<Video>>> {
    principal.require_scope(Scope::Read)?;
    if query.q.chars().count() > MAX_QUERY {
        return Err(Problem::invalid("q", "A search has at most 200 characters.").into());
    }
    let cursor = Cursor { limit: query.limit, cursor: query.cursor };
    let (limit, after) = (cursor.limit()?, cursor.after()?);
    let viewer = principal.viewer();
    let mut reader = app.store.reader().await?;
    let which = Which { unfinished: false, words: &query.q };
    let rows = positions::list(&mut reader, viewer, &asker, which, after, limit + 1).await?;
    let personal = Personal::of(&mut reader, Some(viewer)).await?;
    let key = |row: &Watched| (row.position.watched_at, row.video.id);
    Ok(Json(page::page(rows, limit, key, |row| {
        personal.dress(app.video(row.video, Some(viewer)).with_progress(Some(&row.position)))
    })))
}

/// Forgets one title of the history.
#[utoipa::path(delete, path = "/api/v1/me/history/{video_id}", tag = "history", params(("video_id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody)))]
pub async fn forget(
    State(app): State<App>,
    principal: Principal,
    Path(video): Path<String>,
) -> Result<StatusCode> {
    principal.require_scope(Scope::Read)?;
    let mut tx = app.store.begin().await?;
    positions::delete(&mut tx, principal.user, parse_id(&video)?).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Forgets the whole history.
#[utoipa::path(delete, path = "/api/v1/me/history", tag = "history",
    responses((status = 204), (status = 401, body = ProblemBody)))]
pub async fn clear(State(app): State<App>, principal: Principal) -> Result<StatusCode> {
    principal.require_scope(Scope::Read)?;
    let mut tx = app.store.begin().await?;
    positions::clear(&mut tx, principal.user).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Titles that the caller began and did not finish, latest first.
#[utoipa::path(get, path = "/api/v1/me/continue", tag = "history",
    responses((status = 200, body = Vec<Video>), (status = 401, body = ProblemBody)))]
pub async fn unfinished(
    State(app): State<App>,
    principal: Principal,
    asker: Asker,
) -> Result<Json<Vec<Video>>> {
    principal.require_scope(Scope::Read)?;
    let viewer = principal.viewer();
    let mut reader = app.store.reader().await?;
    let which = Which { unfinished: true, words: "" };
    let rows = positions::list(&mut reader, viewer, &asker, which, None, CONTINUE).await?;
    let view = |row: Watched| app.video(row.video, Some(viewer)).with_progress(Some(&row.position));
    Ok(Json(rows.into_iter().map(view).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_need_not_be_watched() {
        assert!(!is_finished(0, 0));
        assert!(is_finished(96_000, 100_000) && !is_finished(94_000, 100_000));
        assert!(is_finished(7_200_000 - 170_000, 7_200_000) && !is_finished(7_200_000 - 190_000, 7_200_000));
    }
}
