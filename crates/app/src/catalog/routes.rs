//! Titles: list, read, edit, trash, restore, delete.

use api::{Cursor, Id, Json, MaybePrincipal, Page, Principal, Problem, ProblemBody, Query, etag, page};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{VideoId, Viewer, Visibility};
use serde::Deserialize;
use store::{
    Connect, jobs, positions, steps,
    videos::{self, Edit},
};
use utoipa::{IntoParams, ToSchema};

use super::renditions::{self, Rendition};
use crate::{
    App, Result, title,
    view::{Video, VisibilityWord},
};

const MAX_TITLE: usize = 200;
const MAX_DESCRIPTION: usize = 10_000;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// `newest`, which is also what happens without it.
    pub sort: Option<String>,
    /// Rows on the page, 1 to 100; 24 unless told.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VideoBody {
    pub title: Option<String>,
    pub description: Option<String>,
    /// Credit line shown under the title.
    pub attribution: Option<String>,
    #[schema(value_type = Option<VisibilityWord>)]
    pub visibility: Option<Visibility>,
    /// One of the title's posters.
    pub poster_id: Option<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeleteQuery {
    /// Delete for good at once instead of moving to the trash.
    #[serde(default)]
    pub permanent: bool,
}

/// Public titles that can be played, newest first.
#[utoipa::path(get, path = "/api/v1/videos", tag = "videos", params(ListQuery),
    responses((status = 200, body = Page<Video>), (status = 422, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    caller: MaybePrincipal,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Video>>> {
    if query.sort.as_deref().is_some_and(|sort| sort != "newest") {
        return Err(Problem::invalid("sort", "Titles can be sorted by `newest`.").into());
    }
    let cursor = Cursor { limit: query.limit, cursor: query.cursor };
    let (limit, after) = (cursor.limit()?, cursor.after()?);
    let rows = videos::list_public(&mut app.store.reader().await?, after, limit + 1).await?;
    let viewer = caller.viewer();
    let key = |row: &videos::Video| (row.published_at.unwrap_or_default(), row.id);
    Ok(Json(page::page(rows, limit, key, |row| app.video(row, viewer))))
}

/// One title.
#[utoipa::path(get, path = "/api/v1/videos/{id}", tag = "videos", params(("id" = String, Path)),
    responses((status = 200, body = Video), (status = 404, body = ProblemBody)))]
pub async fn get(State(app): State<App>, caller: MaybePrincipal, Id(id): Id<VideoId>) -> Result<Response> {
    let mut reader = app.store.reader().await?;
    let row = title::open(&mut reader, id, caller.viewer()).await?;
    let position = match caller.viewer() {
        Some(viewer) => positions::get(&mut reader, viewer.user, id).await?,
        None => None,
    };
    let video = app.video_with_steps(&mut reader, row, caller.viewer()).await?;
    Ok(tagged(video.with_progress(position.as_ref())))
}

/// Changes a title's details. With `If-Match` only the revision that it names.
#[utoipa::path(patch, path = "/api/v1/videos/{id}", tag = "videos", params(("id" = String, Path),
    ("If-Match" = Option<String>, Header, description = "the ETag of the revision that the change is based on")),
    request_body = VideoBody,
    responses((status = 200, body = Video), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 412, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn edit(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
    headers: HeaderMap,
    Json(body): Json<VideoBody>,
) -> Result<Response> {
    let expected = etag::if_match(&headers)?;
    let mut change = check(body)?;
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    if let Some(poster) = &change.poster_id
        && !videos::posters(&mut tx, id).await?.iter().any(|p| p.id == *poster)
    {
        return Err(Problem::invalid("poster_id", "This is not a poster of this title.").into());
    }
    change.title = change.title.map(|title| title.trim().to_owned());
    let row = videos::edit(&mut tx, id, expected, &change, app.clock.now()).await?;
    let video = app.video_with_steps(&mut tx, row, Some(principal.viewer())).await?;
    tx.commit().await?;
    Ok(tagged(video))
}

/// Moves a title to the trash, from where it can be restored for 30 days; or deletes it for good.
#[utoipa::path(delete, path = "/api/v1/videos/{id}", tag = "videos", params(("id" = String, Path), DeleteQuery),
    responses((status = 200, body = Video, description = "in the trash"), (status = 204, description = "gone for good"),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody)))]
pub async fn delete(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
    Query(query): Query<DeleteQuery>,
) -> Result<Response> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    videos::trash(&mut tx, id, now).await?;
    if query.permanent {
        purge(&mut tx, id, now).await?;
        tx.commit().await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let row = videos::get(&mut tx, id).await?;
    let video = app.video_with_steps(&mut tx, row, Some(principal.viewer())).await?;
    tx.commit().await?;
    Ok(tagged(video))
}

/// Takes a title out of the trash.
#[utoipa::path(post, path = "/api/v1/videos/{id}/restore", tag = "videos", params(("id" = String, Path)),
    responses((status = 200, body = Video), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn restore(State(app): State<App>, principal: Principal, Id(id): Id<VideoId>) -> Result<Response> {
    let mut tx = app.store.begin().await?;
    let row = title::manage(&mut tx, id, &principal).await?;
    if is_being_purged(&mut tx, id).await? {
        return Err(Problem::conflict("This title is being deleted for good.").into());
    }
    if row.is_trashed() {
        videos::restore(&mut tx, id, app.clock.now()).await?;
    }
    let row = videos::get(&mut tx, id).await?;
    let video = app.video_with_steps(&mut tx, row, Some(principal.viewer())).await?;
    tx.commit().await?;
    Ok(tagged(video))
}

/// What a title was encoded to.
#[utoipa::path(get, path = "/api/v1/videos/{id}/renditions", tag = "videos", params(("id" = String, Path)),
    responses((status = 200, body = Vec<Rendition>), (status = 404, body = ProblemBody)))]
pub async fn renditions(
    State(app): State<App>,
    caller: MaybePrincipal,
    Id(id): Id<VideoId>,
) -> Result<Json<Vec<Rendition>>> {
    let row = title::open(&mut app.store.reader().await?, id, caller.viewer()).await?;
    match row.presentation() {
        Some(presentation) => Ok(Json(renditions::read(&app.blobs, presentation).await?)),
        None => Ok(Json(Vec::new())),
    }
}

impl App {
    /// The title with its workflow's steps where `viewer` may manage it.
    pub(crate) async fn video_with_steps(
        &self,
        conn: &mut impl Connect,
        row: videos::Video,
        viewer: Option<Viewer>,
    ) -> Result<Video> {
        let manages = title::may_manage(&row, viewer);
        let id = row.id;
        let video = self.video(row, viewer);
        Ok(if manages { video.with_steps(steps::list(conn, id).await?) } else { video })
    }
}

/// Enqueues the end of a title: its rows and all its blobs, as soon as nothing works on it any more.
pub async fn purge(tx: &mut store::Tx, id: VideoId, now: domain::Micros) -> Result<()> {
    let subject = id.to_string();
    let payload = serde_json::json!({ "video": subject }).to_string();
    let key = format!("purge:{subject}");
    jobs::cancel_by_subject(tx, &subject, now).await?;
    jobs::enqueue(tx, &jobs::NewJob::new("purge", &subject, &payload).dedupe(&key).max_attempts(20), now)
        .await?;
    Ok(())
}

async fn is_being_purged(conn: &mut impl Connect, id: VideoId) -> Result<bool> {
    let jobs = jobs::list(conn, &id.to_string()).await?;
    Ok(jobs.iter().any(|job| job.kind == "purge" && !matches!(job.state, jobs::State::Cancelled)))
}

fn check(body: VideoBody) -> Result<Edit, Problem> {
    let title = body.title.as_deref().map(str::trim);
    if title.is_some_and(|t| t.is_empty() || t.chars().count() > MAX_TITLE || t.chars().any(char::is_control))
    {
        return Err(Problem::invalid("title", "A title has 1 to 200 characters on one line."));
    }
    if body.description.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        return Err(Problem::invalid("description", "A description has at most 10 000 characters."));
    }
    if body.attribution.as_ref().is_some_and(|text| text.chars().count() > MAX_TITLE) {
        return Err(Problem::invalid("attribution", "A credit line has at most 200 characters."));
    }
    Ok(Edit {
        title: body.title,
        description: body.description,
        attribution: body.attribution,
        visibility: body.visibility,
        poster_id: body.poster_id,
    })
}

fn tagged(video: Video) -> Response {
    ([(header::ETAG, etag::of_revision(video.revision))], Json(video)).into_response()
}
