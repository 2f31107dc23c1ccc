//! Serving pictures, and the frames that a poster can be chosen from.

use api::{Id, Json, Problem, ProblemBody, Query, parse_id};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use backends::blob::names;
use domain::{
    VideoId,
    artwork::{Format, WIDTHS, pick},
};
use serde::{Deserialize, Serialize};
use store::{artwork, artwork::Origin};
use utoipa::{IntoParams, ToSchema};

use crate::{App, Asker, Result, title, view};

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

/// The frames that a title's poster can be chosen from, best first.
#[utoipa::path(get, path = "/api/v1/videos/{id}/posters", tag = "pictures", params(("id" = String, Path)),
    responses((status = 200, body = Vec<Poster>), (status = 404, body = ProblemBody)))]
pub async fn list(State(app): State<App>, asker: Asker, Id(id): Id<VideoId>) -> Result<Json<Vec<Poster>>> {
    let mut reader = app.store.reader().await?;
    let row = title::open(&mut reader, id, &asker).await?;
    let rows = artwork::frames(&mut reader, id).await?;
    let subject = id.to_string();
    let view = |frame: artwork::Picture| Poster {
        url: view::picture_url(&subject, &frame.id, 640),
        chosen: row.artwork.has(&frame.id),
        at_ms: frame.at_ms,
        id: frame.id,
    };
    Ok(Json(rows.into_iter().map(view).collect()))
}

/// A picture as JPEG, for whoever may open the title. It is as wide as asked for, or the next stored width.
#[utoipa::path(get, path = "/api/v1/videos/{id}/poster/{picture_id}/{size}", tag = "pictures",
    params(("id" = String, Path), ("picture_id" = String, Path),
        ("size" = String, Path, description = "160.jpg, 320.jpg, 640.jpg, 1280.jpg or 1920.jpg")),
    responses((status = 200, body = Vec<u8>, content_type = "image/jpeg"), (status = 304), (status = 404, body = ProblemBody)))]
pub async fn picture(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    Path((id, picture, size)): Path<(String, String, String)>,
) -> Result<Response> {
    let width = size.strip_suffix(".jpg").and_then(|width| WIDTHS.iter().find(|w| w.to_string() == width));
    let wanted = Wanted { width: *width.ok_or_else(Problem::not_found)?, formats: &[Format::Jpeg] };
    serve(&app, &asker, &headers, parse_id(&id)?, &picture, &wanted).await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SizeQuery {
    /// Pixels that the picture will take; the next stored width is served: 160, 320, 640, 1280, 1920, as far as the
    /// original goes. 640 unless told.
    #[param(minimum = 1, maximum = 10_000)]
    pub width: Option<u32>,
}

/// A picture in the best format that `Accept` names: AVIF, WebP, or JPEG for everybody else. For whoever may open the
/// title; a picture that is not chosen is shown to those who may manage it.
#[utoipa::path(get, path = "/api/v1/videos/{id}/artwork/{picture_id}", tag = "pictures",
    params(("id" = String, Path), ("picture_id" = String, Path), SizeQuery,
        ("Accept" = Option<String>, Header, description = "image/avif and image/webp are sent to those who name them")),
    responses((status = 200, content((Vec<u8> = "image/avif"), (Vec<u8> = "image/webp"), (Vec<u8> = "image/jpeg"))),
        (status = 304), (status = 400, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn show(
    State(app): State<App>,
    asker: Asker,
    headers: HeaderMap,
    Path((id, picture)): Path<(String, String)>,
    Query(query): Query<SizeQuery>,
) -> Result<Response> {
    let width = query.width.unwrap_or(640);
    if !(1..=10_000).contains(&width) {
        return Err(Problem::invalid("width", "A width is 1 to 10000 pixels.").into());
    }
    let accept: Vec<&str> = headers.get_all(header::ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    let wanted = Wanted { width, formats: &Format::accepted(&accept.join(",")) };
    serve(&app, &asker, &headers, parse_id(&id)?, &picture, &wanted).await
}

/// What of a picture to send.
struct Wanted<'a> {
    width: u32,
    /// Best first.
    formats: &'a [Format],
}

async fn serve(
    app: &App,
    asker: &Asker,
    headers: &HeaderMap,
    id: VideoId,
    picture: &str,
    wanted: &Wanted<'_>,
) -> Result<Response> {
    let mut reader = app.store.reader().await?;
    let row = title::open(&mut reader, id, asker).await?;
    // Only pictures that the title has: the name goes into an object name.
    let found = artwork::get(&mut reader, id, picture).await?;
    drop(reader);
    let manages = title::may_manage(&row, asker.viewer);
    let chosen = row.artwork.has(&found.id);
    // Frames of a title are no secret to those who may watch it; drafts of its artwork are.
    let shown = found.deleted_at.is_none() && (chosen || found.origin == Origin::Frame);
    if !shown && !manages {
        return Err(Problem::not_found().into());
    }
    let variant = pick(&found.variants.0, wanted.formats, wanted.width).ok_or_else(Problem::not_found)?;
    let tag = format!("\"{}-{}.{}\"", found.id, variant.width, variant.format.extension());
    // A shared cache must not keep what can become private, nor for longer than a change of mind may take.
    let cache = if shown && title::is_for_everybody(&row) {
        "public, max-age=3600, stale-while-revalidate=86400, immutable"
    } else {
        "private, max-age=3600, immutable"
    };
    let common = [
        (header::CACHE_CONTROL, cache.to_owned()),
        (header::ETAG, tag.clone()),
        (header::VARY, "Accept, Cookie, Authorization".to_owned()),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|k| k.trim() == tag)) {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let bytes = app.blobs.get(&names::picture_in(id, &found.id, variant.width, variant.format)).await?;
    let kind = [(header::CONTENT_TYPE, variant.format.media_type())];
    Ok((common, kind, bytes).into_response())
}
