//! Home and search.

use api::{Cursor, Json, Page, Problem, ProblemBody, Query, page};
use axum::extract::State;
use domain::{Audience, Viewer};
use serde::{Deserialize, Serialize};
use store::{
    Reader, positions,
    search::{self, Hit},
    videos::{self, Filter},
    watchlist,
};
use utoipa::{IntoParams, ToSchema};

use crate::{App, Asker, Result, personal::Personal, view::Video};

/// Titles in a row.
const ROW: u32 = 20;
/// Longest query, in characters.
const MAX_QUERY: usize = 200;

/// The home page.
#[derive(Debug, Serialize, ToSchema)]
pub struct Home {
    #[schema(required = true)]
    pub hero: Option<Video>,
    /// In the order in which they are shown; none of them is empty.
    pub rows: Vec<Row>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Row {
    /// continue, list, new or mine.
    #[schema(example = "new")]
    pub id: &'static str,
    #[schema(example = "New")]
    pub title: &'static str,
    pub items: Vec<Video>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words, all of which must occur in title, channel name or description.
    #[serde(default)]
    pub q: String,
    /// Rows on the page, 1 to 100; 24 unless told.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// What the home page shows to the caller.
#[utoipa::path(get, path = "/api/v1/home", tag = "discovery", responses((status = 200, body = Home)))]
pub async fn home(State(app): State<App>, asker: Asker) -> Result<Json<Home>> {
    let viewer = asker.viewer;
    let mut reader = app.store.reader().await?;
    let personal = Personal::of(&mut reader, viewer).await?;
    let view = |row: videos::Video| personal.dress(app.video(row, viewer));
    let newest = videos::list_public(&mut reader, &asker, None, ROW).await?;
    let hero = newest.iter().find(|row| row.poster_id.is_some()).or(newest.first()).cloned();
    let mut rows = Vec::new();
    if let Some(viewer) = viewer {
        let begun = unfinished(&mut reader, viewer, &asker).await?;
        rows.push(Row { id: "continue", title: "Continue watching", items: begun.map(view).collect() });
        let listed = listed(&mut reader, viewer, &asker).await?;
        rows.push(Row { id: "list", title: "My list", items: listed.map(view).collect() });
    }
    rows.push(Row { id: "new", title: "New", items: newest.into_iter().map(view).collect() });
    if let Some(viewer) = viewer {
        let own = mine(&mut reader, viewer).await?;
        rows.push(Row { id: "mine", title: "My uploads", items: own.map(view).collect() });
    }
    rows.retain(|row| !row.items.is_empty());
    Ok(Json(Home { hero: hero.map(view), rows }))
}

async fn unfinished(
    reader: &mut Reader,
    viewer: Viewer,
    audience: &Audience,
) -> Result<impl Iterator<Item = videos::Video> + use<>> {
    let which = positions::Which { unfinished: true, words: "" };
    let rows = positions::list(reader, viewer, audience, which, None, ROW).await?;
    Ok(rows.into_iter().map(|row| row.video))
}

async fn listed(
    reader: &mut Reader,
    viewer: Viewer,
    audience: &Audience,
) -> Result<impl Iterator<Item = videos::Video> + use<>> {
    let rows = watchlist::list(reader, viewer, audience, None, ROW).await?;
    Ok(rows.into_iter().map(|row| row.video))
}

async fn mine(reader: &mut Reader, viewer: Viewer) -> Result<impl Iterator<Item = videos::Video> + use<>> {
    let filter = Filter { owner: Some(viewer.user), state: Some(videos::State::Ready), trash: false };
    Ok(videos::list_managed(reader, filter, None, ROW).await?.into_iter())
}

/// Public titles in which every word occurs, best first.
#[utoipa::path(get, path = "/api/v1/search", tag = "discovery", params(SearchQuery),
    responses((status = 200, body = Page<Video>), (status = 422, body = ProblemBody)))]
pub async fn search(
    State(app): State<App>,
    asker: Asker,
    Query(query): Query<SearchQuery>,
) -> Result<Json<Page<Video>>> {
    if query.q.chars().count() > MAX_QUERY {
        return Err(Problem::invalid("q", "A search has at most 200 characters.").into());
    }
    let cursor = Cursor { limit: query.limit, cursor: query.cursor };
    let (limit, after) = (cursor.limit()?, cursor.after()?);
    let viewer = asker.viewer;
    let mut reader = app.store.reader().await?;
    let hits = search::find(&mut reader, &asker, &query.q, after, limit + 1).await?;
    let personal = Personal::of(&mut reader, viewer).await?;
    let key = |hit: &Hit| (hit.fit, hit.video.published_at.unwrap_or_default(), hit.video.id);
    Ok(Json(page::page(hits, limit, key, |hit| personal.dress(app.video(hit.video, viewer)))))
}
