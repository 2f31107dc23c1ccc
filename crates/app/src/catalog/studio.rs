//! The studio's list of titles.

use api::{Cursor, Json, Page, Principal, Problem, ProblemBody, Query, page};
use axum::extract::State;
use domain::{Role, Scope};
use serde::Deserialize;
use store::{
    steps,
    videos::{self, Filter},
};
use utoipa::IntoParams;

use crate::{App, Result, view::Video};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StudioQuery {
    /// Only titles in this state: uploading, processing, ready, failed or cancelled.
    pub state: Option<String>,
    /// The trash instead of the library.
    #[serde(default)]
    pub trash: bool,
    /// Everybody's titles; for administrators.
    #[serde(default)]
    pub all: bool,
    /// Rows on the page, 1 to 100; 24 unless told.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// The titles that the caller owns, in whatever state, with their steps; latest first.
#[utoipa::path(get, path = "/api/v1/studio/videos", tag = "studio", params(StudioQuery),
    responses((status = 200, body = Page<Video>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    principal: Principal,
    Query(query): Query<StudioQuery>,
) -> Result<Json<Page<Video>>> {
    principal.require_scope(Scope::Read)?;
    if query.all {
        principal.require_role(Role::Admin)?;
    }
    let state = query.state.as_deref().map(str::parse).transpose();
    let state = state.map_err(|words: String| Problem::invalid("state", words))?;
    let filter = Filter { owner: (!query.all).then_some(principal.user), state, trash: query.trash };
    let cursor = Cursor { limit: query.limit, cursor: query.cursor };
    let (limit, after) = (cursor.limit()?, cursor.after()?);
    let mut reader = app.store.reader().await?;
    let rows = videos::list_managed(&mut reader, filter, after, limit + 1).await?;
    let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
    let steps = steps::list_many(&mut reader, &ids).await?;
    let viewer = Some(principal.viewer());
    let view = |row: videos::Video| {
        let own: Vec<_> = steps.iter().filter(|step| step.video_id == row.id).cloned().collect();
        app.video(row, viewer).with_steps(own)
    };
    Ok(Json(page::page(rows, limit, |row| row.id, view)))
}
