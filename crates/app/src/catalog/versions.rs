//! The versions of a title: what it played, plays, or is about to.

use api::{Id, Json, Principal, Problem, ProblemBody, Time, parse_id};
use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use domain::{Micros, VersionId, VideoId};
use serde::Serialize;
use store::{outbox, sources, versions, videos};
use utoipa::ToSchema;

use crate::{App, Result, title, view::Video};

/// One version of a title.
#[derive(Debug, Serialize, ToSchema)]
pub struct Version {
    /// `null` for the only version of a title that never had another.
    #[schema(required = true)]
    pub id: Option<String>,
    /// 1, 2, 3 … of the title.
    pub number: i64,
    /// original, replaced or trimmed.
    pub kind: String,
    /// uploading, processing, ready, failed or cancelled.
    pub state: String,
    /// What the title plays.
    pub current: bool,
    /// Why it failed.
    #[schema(required = true)]
    pub error: Option<String>,
    pub filename: String,
    /// Bytes of the original file.
    #[schema(required = true)]
    pub size: Option<i64>,
    #[schema(required = true)]
    pub duration_ms: Option<i64>,
    #[schema(required = true)]
    pub width: Option<i64>,
    #[schema(required = true)]
    pub height: Option<i64>,
    pub created_at: Time,
    /// Until then the title can go back to it.
    #[schema(required = true)]
    pub kept_until: Option<Time>,
}

/// All versions of a title, newest first. Only for those who may manage it.
#[utoipa::path(get, path = "/api/v1/videos/{id}/versions", tag = "versions", params(("id" = String, Path)),
    responses((status = 200, body = Vec<Version>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
) -> Result<Json<Vec<Version>>> {
    let mut reader = app.store.reader().await?;
    let row = title::manage(&mut reader, id, &principal).await?;
    let sources = sources::of_video(&mut reader, id).await?;
    let size = |source: Option<&str>| {
        sources.iter().find(|own| source == Some(own.id.to_string().as_str())).map(|own| own.size)
    };
    let rows = versions::of_video(&mut reader, id).await?;
    if rows.is_empty() {
        let source = row.source_id.as_deref();
        let filename = sources.iter().find(|own| Some(own.id.to_string().as_str()) == source);
        return Ok(Json(vec![Version {
            id: None,
            number: 1,
            kind: "original".into(),
            state: row.state.word().into(),
            current: row.presentation_id.is_some(),
            error: row.error.clone(),
            filename: filename.map(|own| own.filename.clone()).unwrap_or_default(),
            size: size(source),
            duration_ms: row.duration_ms,
            width: row.width,
            height: row.height,
            created_at: row.created_at.into(),
            kept_until: None,
        }]));
    }
    let shown = rows.into_iter().filter(|version| version.state != "purging").map(|version| Version {
        current: version.presentation_id.is_some() && version.presentation_id == row.presentation_id,
        kept_until: kept_until(&app, &version).map(Time),
        size: size(version.source_id.as_deref()),
        id: Some(version.id.to_string()),
        number: version.number,
        kind: version.kind,
        state: version.state,
        error: version.error,
        filename: version.filename,
        duration_ms: version.duration_ms,
        width: version.width,
        height: version.height,
        created_at: version.created_at.into(),
    });
    Ok(Json(shown.collect()))
}

/// A superseded version is kept for some days, and as long as anybody may still be watching it.
fn kept_until(app: &App, version: &versions::Version) -> Option<Micros> {
    let since = Micros(version.superseded_at.filter(|_| version.state == "ready")?);
    let watched = version.duration_ms.unwrap_or_default().saturating_mul(1000) + title::VERSION_MARGIN;
    Some(since.plus(watched.max(i64::from(app.config.version_days) * Micros::DAY)))
}

/// The title goes back to an earlier version, which is still kept.
#[utoipa::path(post, path = "/api/v1/videos/{id}/versions/{version_id}/restore", tag = "versions",
    params(("id" = String, Path), ("version_id" = String, Path)),
    responses((status = 200, body = Video), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn restore(
    State(app): State<App>,
    principal: Principal,
    Path((id, version)): Path<(String, String)>,
) -> Result<Json<Video>> {
    let (id, version): (VideoId, VersionId) = (parse_id(&id)?, parse_id(&version)?);
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let row = title::manage(&mut tx, id, &principal).await?;
    let version = own(&mut tx, id, version).await?;
    if row.is_trashed() {
        return Err(Problem::conflict("This title is in the trash. Restore it first.").into());
    }
    if versions::pending(&mut tx, id).await?.is_some() {
        let words = "Another version of this title is being made. Wait for it, or cancel it first.";
        return Err(Problem::conflict(words).into());
    }
    if version.state != "ready" {
        return Err(Problem::conflict("This version is not kept any more.").into());
    }
    if version.superseded_at.is_some() {
        versions::take_over(&mut tx, version.id, now).await?;
        let payload =
            serde_json::json!({ "presentation": version.presentation_id, "complete": true }).to_string();
        outbox::append(&mut tx, "title.replaced", &id.to_string(), &payload, now).await?;
    }
    let row = videos::get(&mut tx, id).await?;
    let video = app.video_with_steps(&mut tx, row, Some(principal.viewer())).await?;
    tx.commit().await?;
    Ok(Json(video))
}

/// An earlier version is kept no longer. Whoever is watching it may do so to its end.
#[utoipa::path(delete, path = "/api/v1/videos/{id}/versions/{version_id}", tag = "versions",
    params(("id" = String, Path), ("version_id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody)))]
pub async fn delete(
    State(app): State<App>,
    principal: Principal,
    Path((id, version)): Path<(String, String)>,
) -> Result<StatusCode> {
    let (id, version): (VideoId, VersionId) = (parse_id(&id)?, parse_id(&version)?);
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    let version = own(&mut tx, id, version).await?;
    if !versions::purging(&mut tx, version.id, app.clock.now()).await? {
        return Err(Problem::conflict("Only versions that the title no longer plays can be deleted.").into());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn own(tx: &mut store::Tx, id: VideoId, version: VersionId) -> Result<versions::Version> {
    let version = versions::get(tx, version).await?;
    if version.video_id == id && version.state != "purging" {
        Ok(version)
    } else {
        Err(Problem::not_found().into())
    }
}

/// Asks for the objects of versions to be removed that are not kept any more. To be run every few minutes.
pub async fn tidy(app: &App) -> Result<()> {
    const BATCH: u32 = 100;
    let (now, keep) = (app.clock.now(), i64::from(app.config.version_days) * Micros::DAY);
    let due = versions::due(&mut app.store.reader().await?, now, keep, title::VERSION_MARGIN, BATCH).await?;
    for version in due {
        let mut tx = app.store.begin().await?;
        let unfinished = matches!(version.state.as_str(), "failed" | "cancelled");
        if unfinished || versions::purging(&mut tx, version.id, now).await? {
            versions::discard(&mut tx, version.id, now).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}
