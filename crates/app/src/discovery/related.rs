//! "More like this".

use api::{Id, Json, Problem, ProblemBody, Query};
use axum::extract::State;
use domain::{VideoId, related::Traits};
use serde::Deserialize;
use store::{related, search, videos};
use utoipa::IntoParams;

use crate::{App, Asker, Result, personal::Personal, title, view::Video};

/// Candidates of each kind that are weighed.
const CANDIDATES: u32 = 60;
const MOST: u32 = 50;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RelatedQuery {
    /// Titles to tell, 1 to 50; 12 unless told.
    pub limit: Option<u32>,
}

/// Public titles that resemble one, most alike first: by genres, people, tags, words and channel. What the caller has watched
/// to its end comes last.
#[utoipa::path(get, path = "/api/v1/videos/{id}/related", tag = "discovery", params(("id" = String, Path), RelatedQuery),
    responses((status = 200, body = Vec<Video>), (status = 404, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn related(
    State(app): State<App>,
    asker: Asker,
    Id(id): Id<VideoId>,
    Query(query): Query<RelatedQuery>,
) -> Result<Json<Vec<Video>>> {
    let limit = query.limit.unwrap_or(12);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::invalid("limit", "A limit is 1 to 50.").into());
    }
    let viewer = asker.viewer;
    let mut reader = app.store.reader().await?;
    let of = title::open(&mut reader, id, &asker).await?;
    let candidates = related::candidates(&mut reader, &asker, &of, CANDIDATES).await?;
    let personal = Personal::of(&mut reader, viewer).await?;
    let weighed = candidates.into_iter().map(|row| (traits(&row), row)).collect();
    let ranked = domain::related::ranked(&traits(&of), weighed, limit as usize);
    let (seen, fresh): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|row| personal.has_finished(row.id));
    let rows = fresh.into_iter().chain(seen);
    Ok(Json(rows.map(|row| personal.dress(app.video(row, viewer))).collect()))
}

fn traits(row: &videos::Video) -> Traits {
    Traits {
        owner: row.owner_id.to_string(),
        genres: row.genres.0.iter().map(ToString::to_string).collect(),
        tags: row.tags.0.iter().cloned().collect(),
        people: row.cast.0.iter().map(|credit| &credit.name).chain(&row.directors.0).cloned().collect(),
        title: domain::related::words(&search::fold(&row.title)),
        text: domain::related::words(&search::fold(&row.description)),
    }
}
