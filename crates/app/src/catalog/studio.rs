//! The studio's list of titles.

use api::{Cursor, Json, Page, Principal, Problem, ProblemBody, Query, page};
use axum::extract::State;
use domain::{Role, Scope, Visibility};
use serde::Deserialize;
use store::{
    steps,
    studio::{self, Filter, Sort},
};
use utoipa::IntoParams;

use crate::{App, Result, view::Video};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StudioQuery {
    /// Only titles in this state: uploading, processing, ready, failed or cancelled.
    pub state: Option<String>,
    /// Only titles with this visibility: public, unlisted, private or scheduled.
    pub visibility: Option<String>,
    /// Only titles in which all of these words occur, at most 4 words.
    pub q: Option<String>,
    /// `newest` (as without it), `oldest`, `changed` or `title`.
    pub sort: Option<String>,
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

/// Longest text that is searched for, in characters.
const MAX_TEXT: usize = 200;

/// The titles that the caller owns, in whatever state, with their steps; latest first.
#[utoipa::path(get, path = "/api/v1/studio/videos", tag = "studio", params(StudioQuery),
    responses((status = 200, body = Page<Video>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    principal: Principal,
    Query(query): Query<StudioQuery>,
) -> Result<Json<Page<Video>>> {
    principal.require_scope(Scope::Read)?;
    if query.all {
        principal.require_role(Role::Admin)?;
    }
    let (filter, sort) = (query.filter(&principal)?, query.sort()?);
    let cursor = Cursor { limit: query.limit, cursor: query.cursor };
    let (limit, after) = (cursor.limit()?, cursor.after()?);
    let mut reader = app.store.reader().await?;
    let rows = studio::list(&mut reader, &filter, sort, after, limit + 1).await?;
    let ids: Vec<_> = rows.iter().map(|row| row.video.id).collect();
    let steps = steps::list_many(&mut reader, &ids).await?;
    let viewer = Some(principal.viewer());
    let view = |row: studio::Row| {
        let own: Vec<_> = steps.iter().filter(|step| step.video_id == row.video.id).cloned().collect();
        app.video(row.video, viewer).with_steps(own)
    };
    Ok(Json(page::page(rows, limit, studio::Row::key, view)))
}

impl StudioQuery {
    fn filter(&self, principal: &Principal) -> Result<Filter, Problem> {
        let state = self.state.as_deref().map(str::parse).transpose();
        let visibility = self.visibility.as_deref().map(str::parse::<Visibility>).transpose();
        let text = self.q.clone().unwrap_or_default();
        if text.chars().count() > MAX_TEXT {
            return Err(Problem::invalid("q", "A search has at most 200 characters."));
        }
        Ok(Filter {
            owner: (!self.all).then_some(principal.user),
            state: state.map_err(|words: String| Problem::invalid("state", words))?,
            visibility: visibility.map_err(|error| Problem::invalid("visibility", error.to_string()))?,
            text,
            trash: self.trash,
        })
    }

    fn sort(&self) -> Result<Sort, Problem> {
        match self.sort.as_deref() {
            None | Some("newest") => Ok(Sort::Newest),
            Some("oldest") => Ok(Sort::Oldest),
            Some("changed") => Ok(Sort::Changed),
            Some("title") => Ok(Sort::Title),
            Some(_) => {
                Err(Problem::invalid("sort", "Titles can be sorted by newest, oldest, changed or title."))
            }
        }
    }
}
