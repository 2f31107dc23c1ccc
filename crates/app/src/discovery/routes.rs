//! The home page.

use api::Json;
use axum::extract::State;
use domain::{Audience, Viewer, vocabulary::Genre};
use serde::Serialize;
use store::{
    Reader, events, library, positions,
    videos::{self, Filter},
    watchlist,
};
use utoipa::ToSchema;

use crate::{App, Asker, Result, personal::Personal, view::Video};

/// Titles in a row.
const ROW: u32 = 20;
/// Most rows of genres.
const GENRE_ROWS: usize = 6;
/// A genre with fewer titles is no row yet: they are among the new ones anyway.
const GENRE_TITLES: i64 = 2;

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
    /// live, continue, list, upcoming, new, mine, or `genre:` and the id of a genre.
    #[schema(example = "new")]
    pub id: String,
    #[schema(example = "New")]
    pub title: String,
    pub items: Vec<Video>,
}

impl Row {
    fn new(id: impl Into<String>, title: &str, items: Vec<Video>) -> Self {
        Self { id: id.into(), title: title.into(), items }
    }
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
    let live = events::live_for(&mut reader, &asker, ROW).await?;
    rows.push(Row::new("live", "Live now", app.with_events(&mut reader, live, view).await?));
    if let Some(viewer) = viewer {
        let begun = unfinished(&mut reader, viewer, &asker).await?;
        rows.push(Row::new("continue", "Continue watching", begun.map(view).collect()));
        let listed = listed(&mut reader, viewer, &asker).await?;
        rows.push(Row::new("list", "My list", listed.map(view).collect()));
    }
    let upcoming = events::announced_for(&mut reader, &asker, ROW).await?;
    rows.push(Row::new("upcoming", "Coming up live", app.with_events(&mut reader, upcoming, view).await?));
    rows.push(Row::new("new", "New", newest.into_iter().map(view).collect()));
    for (genre, titles) in genres(&mut reader, &asker).await? {
        rows.push(Row::new(format!("genre:{genre}"), genre.name(), titles.into_iter().map(view).collect()));
    }
    if let Some(viewer) = viewer {
        let own = mine(&mut reader, viewer).await?;
        rows.push(Row::new("mine", "My uploads", own.map(view).collect()));
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

/// The genres with most titles, with their newest.
async fn genres(reader: &mut Reader, audience: &Audience) -> Result<Vec<(Genre, Vec<videos::Video>)>> {
    let mut rows = Vec::new();
    let used = library::genres_in_use(reader, audience).await?;
    for tally in used.iter().filter(|tally| tally.titles >= GENRE_TITLES).take(GENRE_ROWS) {
        let Ok(genre) = tally.word.parse::<Genre>() else { continue };
        rows.push((genre, videos::list_genre(reader, audience, genre.word(), ROW).await?));
    }
    Ok(rows)
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
