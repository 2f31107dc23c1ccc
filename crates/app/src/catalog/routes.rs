//! Titles: list, read, trash, restore, delete.

use std::time::Instant;

use api::{Cursor, Id, Json, Page, Principal, Problem, ProblemBody, Query, etag, page};
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{VideoId, Viewer};
use serde::Deserialize;
use store::{Connect, jobs, positions, steps, videos, watchlist};
use utoipa::IntoParams;

use super::{
    cache::{Answer, Reading},
    renditions::{self, Rendition},
    trash,
};
use crate::{App, Asker, Result, announce, personal::Personal, title, view::Video};

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
    asker: Asker,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Video>>> {
    if query.sort.as_deref().is_some_and(|sort| sort != "newest") {
        return Err(Problem::invalid("sort", "Titles can be sorted by `newest`.").into());
    }
    let cursor = Cursor { limit: query.limit, cursor: query.cursor };
    let (limit, after) = (cursor.limit()?, cursor.after()?);
    let viewer = asker.viewer;
    let mut reader = app.store.reader().await?;
    let rows = videos::list_public(&mut reader, &asker, after, limit + 1).await?;
    let personal = Personal::of(&mut reader, viewer).await?;
    let key = |row: &videos::Video| (row.published_at.unwrap_or_default(), row.id);
    Ok(Json(page::page(rows, limit, key, |row| personal.dress(app.video(row, viewer)))))
}

/// One title.
#[utoipa::path(get, path = "/api/v1/videos/{id}", tag = "videos", params(("id" = String, Path)),
    responses((status = 200, body = Video), (status = 403, body = ProblemBody,
        description = "not now (`not_yet_available`, `no_longer_available`) or not there (`not_available_in_country`)"),
        (status = 404, body = ProblemBody)))]
pub async fn get(State(app): State<App>, asker: Asker, Id(id): Id<VideoId>) -> Result<Response> {
    let writes = app.store.title_writes();
    if asker.viewer.is_none()
        && let Some(answer) = app.answers.get(id, writes, Instant::now())
    {
        metrics::counter!("kinora_title_answers_total", "from" => "memory").increment(1);
        return Ok(ready_made(&answer));
    }
    metrics::counter!("kinora_title_answers_total", "from" => "database").increment(1);
    // Aside: what comes from memory is not as large as what is read.
    Box::pin(read(&app, &asker, id, app.answers.reading(writes))).await
}

async fn read(app: &App, asker: &Asker, id: VideoId, reading: Reading) -> Result<Response> {
    let row = title::opened(app.title(id).await?, asker)?;
    let Some(viewer) = asker.viewer else {
        // What changes by the second is not kept.
        let is_kept = title::is_for_everybody(&row) && !row.is_live();
        let event =
            if row.is_event { app.event_of(&mut app.store.reader().await?, &row).await? } else { None };
        let video = Video { event, ..app.video(row, None) };
        return if is_kept {
            let body = serde_json::to_vec(&video).map_err(Problem::internal)?;
            let etag = etag::of_revision(video.revision);
            Ok(ready_made(&app.answers.keep(id, body.into(), etag, reading)))
        } else {
            Ok(tagged(video))
        };
    };
    let mut reader = app.store.reader().await?;
    let position = positions::get(&mut reader, viewer.user, id).await?;
    let in_watchlist = Some(watchlist::has(&mut reader, viewer.user, id).await?);
    let video = app.video_with_steps(&mut reader, row, Some(viewer)).await?;
    Ok(tagged(Video { in_watchlist, ..video.with_progress(position.as_ref()) }))
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
    let row = title::manage(&mut tx, id, &principal).await?;
    let row = trash::put(&app, &mut tx, &row, principal.user, now).await?;
    if query.permanent {
        purge(&mut tx, id, now).await?;
        announce::deleted(&mut tx, &row, true, now).await?;
        tx.commit().await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
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
    let row = trash::take_out(&mut tx, &row, principal.user, app.clock.now()).await?;
    let video = app.video_with_steps(&mut tx, row, Some(principal.viewer())).await?;
    tx.commit().await?;
    Ok(tagged(video))
}

/// What a title was encoded to.
#[utoipa::path(get, path = "/api/v1/videos/{id}/renditions", tag = "videos", params(("id" = String, Path)),
    responses((status = 200, body = Vec<Rendition>), (status = 404, body = ProblemBody)))]
pub async fn renditions(
    State(app): State<App>,
    asker: Asker,
    Id(id): Id<VideoId>,
) -> Result<Json<Vec<Rendition>>> {
    let row = title::open(&mut app.store.reader().await?, id, &asker).await?;
    match row.presentation() {
        Some(presentation) => Ok(Json(renditions::read(&app.blobs, presentation).await?)),
        None => Ok(Json(Vec::new())),
    }
}

impl App {
    /// The title with its event, and with its workflow's steps where `viewer` may manage it.
    pub(crate) async fn video_with_steps(
        &self,
        conn: &mut impl Connect,
        row: videos::Video,
        viewer: Option<Viewer>,
    ) -> Result<Video> {
        let manages = title::may_manage(&row, viewer);
        let id = row.id;
        let event = self.event_of(conn, &row).await?;
        let video = Video { event, ..self.video(row, viewer) };
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

fn ready_made(answer: &Answer) -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json), (header::ETAG, answer.etag.clone())], answer.body.clone()).into_response()
}

pub(super) fn tagged(video: Video) -> Response {
    ([(header::ETAG, etag::of_revision(video.revision))], Json(video)).into_response()
}
