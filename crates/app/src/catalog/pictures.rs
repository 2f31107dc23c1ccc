//! Posters: the candidates of a title, and the pictures themselves.

use api::{Id, Json, Problem, ProblemBody, parse_id};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use backends::blob::names;
use domain::VideoId;
use serde::Serialize;
use store::videos;
use utoipa::ToSchema;

use crate::{App, Asker, Result, title, view};

/// The widths that pictures are stored in.
const WIDTHS: [u32; 3] = [320, 640, 1280];

/// A candidate for a title's poster.
#[derive(Debug, Serialize, ToSchema)]
pub struct Poster {
    pub id: String,
    /// Where in the title it was taken.
    pub at_ms: i64,
    /// 640 pixels wide; the same address ends with `320.jpg` and `1280.jpg` for the other sizes.
    pub url: String,
    pub chosen: bool,
}

/// The pictures that a title's poster can be chosen from.
#[utoipa::path(get, path = "/api/v1/videos/{id}/posters", tag = "pictures", params(("id" = String, Path)),
    responses((status = 200, body = Vec<Poster>), (status = 404, body = ProblemBody)))]
pub async fn list(State(app): State<App>, asker: Asker, Id(id): Id<VideoId>) -> Result<Json<Vec<Poster>>> {
    let mut reader = app.store.reader().await?;
    let row = title::open(&mut reader, id, &asker).await?;
    let rows = videos::posters(&mut reader, id).await?;
    let subject = id.to_string();
    let view = |poster: videos::Poster| Poster {
        url: view::picture_url(&subject, &poster.id, 640),
        chosen: row.poster_id.as_deref() == Some(poster.id.as_str()),
        at_ms: poster.at_ms,
        id: poster.id,
    };
    Ok(Json(rows.into_iter().map(view).collect()))
}

/// A poster as JPEG, for whoever may open the title.
#[utoipa::path(get, path = "/api/v1/videos/{id}/poster/{picture_id}/{size}", tag = "pictures",
    params(("id" = String, Path), ("picture_id" = String, Path),
        ("size" = String, Path, description = "320.jpg, 640.jpg or 1280.jpg")),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), (status = 304), (status = 404, body = ProblemBody)))]
pub async fn picture(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    Path((id, picture, size)): Path<(String, String, String)>,
) -> Result<Response> {
    let id: VideoId = parse_id(&id)?;
    let width = size.strip_suffix(".jpg").and_then(|width| WIDTHS.iter().find(|w| w.to_string() == width));
    let width = *width.ok_or_else(Problem::not_found)?;
    let mut reader = app.store.reader().await?;
    let row = title::open(&mut reader, id, &asker).await?;
    // Only pictures that the title has: the name goes into an object name.
    if !videos::posters(&mut reader, id).await?.iter().any(|poster| poster.id == picture) {
        return Err(Problem::not_found().into());
    }
    drop(reader);
    let tag = format!("\"{picture}-{width}\"");
    // A shared cache must not keep what can become private, nor for longer than a change of mind may take.
    let cache = if title::is_for_everybody(&row) {
        "public, max-age=3600, stale-while-revalidate=86400, immutable"
    } else {
        "private, max-age=3600, immutable"
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|k| k.trim() == tag)) {
        let headers = [(header::ETAG, tag), (header::CACHE_CONTROL, cache.to_owned())];
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let bytes = app.blobs.get(&names::picture(id, &picture, width)).await?;
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg".to_owned()),
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::ETAG, tag),
        (header::VARY, "Cookie, Authorization".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}
