//! `POST /api/v1/videos/{id}/trim`: cuts parts out of a title without encoding it anew.

use api::{Id, Json, Principal, Problem, ProblemBody};
use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use domain::VideoId;
use serde::{Deserialize, Serialize};
use store::{jobs, presentations, steps, versions::NewVersion, videos};
use utoipa::ToSchema;

use crate::{
    plan::trim::Keep,
    upload::{Error, Result, Uploads},
    workflow::{Foreseen, foresee},
};

const SENT_LIVE: &str = "What was sent live cannot be cut yet: there is no original to cut.";

/// What is to stay of a title.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrimBody {
    /// In order, without overlaps. Ends count from the title's beginning as it plays now; they move to the nearest frame.
    pub keep: Vec<KeepBody>,
    /// Only tell what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// A part of the title, milliseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepBody {
    pub start_ms: u64,
    pub end_ms: u64,
}

/// What is done, or would be.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trimmed {
    /// The version that is being made; `null` after a dry run.
    #[schema(required = true)]
    pub version_id: Option<String>,
    /// What the title will last.
    pub duration_ms: u64,
    /// What stays, to the frame.
    pub keep: Vec<KeepBody>,
    /// Segments of each rung.
    pub segments: usize,
    /// Those of them that are encoded again, because a cut goes through them, and what they last.
    pub segments_encoded: usize,
    pub encoded_ms: u64,
}

/// The route of cuts.
pub fn routes(uploads: Uploads) -> Router {
    Router::new().route("/api/v1/videos/{id}/trim", post(trim)).with_state(uploads)
}

/// Cuts parts out of a title: the segments at the cuts are encoded again, all others stay as they are. The title plays as it
/// did until the cut version is complete.
#[utoipa::path(post, path = "/api/v1/videos/{id}/trim", tag = "versions", params(("id" = String, Path)), request_body = TrimBody,
    responses((status = 200, body = Trimmed, description = "of a dry run"), (status = 202, body = Trimmed),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn trim(
    State(uploads): State<Uploads>,
    principal: Principal,
    Id(id): Id<VideoId>,
    Json(body): Json<TrimBody>,
) -> Result<impl IntoResponse> {
    let keep: Vec<Keep> =
        body.keep.iter().map(|part| Keep { start_ms: part.start_ms, end_ms: part.end_ms }).collect();
    let mut reader = uploads.store.reader().await?;
    let row = crate::version::manage(&mut reader, id, &principal).await?;
    crate::version::changeable(&row)?;
    let current = row.presentation().ok_or_else(Problem::not_found)?;
    let presentation = presentations::get(&mut reader, current).await?;
    let source = presentation.source().ok_or_else(|| Problem::conflict(SENT_LIVE))?;
    drop(reader);
    let cut = foresee(&uploads.blobs, &presentation, &keep).await.map_err(|error| match error {
        Foreseen::Refused(refused) => Error::Problem(Problem::invalid("keep", refused.to_string())),
        Foreseen::Blob(error) => Error::Blob(error),
    })?;
    let (segments, segments_encoded, encoded_ms) = cut.effort();
    let mut answer = Trimmed {
        version_id: None,
        duration_ms: cut.plan.duration_ms,
        keep: cut.keep.iter().map(|part| KeepBody { start_ms: part.start_ms, end_ms: part.end_ms }).collect(),
        segments,
        segments_encoded,
        encoded_ms,
    };
    if body.dry_run {
        return Ok((StatusCode::OK, Json(answer)));
    }
    let now = uploads.clock.now();
    let mut tx = uploads.store.begin().await?;
    // It may have been replaced since it was looked at.
    let row = videos::get(&mut tx, id).await?;
    crate::version::changeable(&row)?;
    if row.presentation() != Some(current) {
        return Err(Problem::conflict("This title was changed meanwhile. Look at it again.").into());
    }
    let filename =
        store::sources::get(&mut tx, source).await.map(|source| source.filename).unwrap_or_default();
    let list = serde_json::to_string(&keep).map_err(|e| store::Error::Corrupt(e.to_string()))?;
    let new = NewVersion {
        video: id,
        kind: "trimmed",
        state: "processing",
        source: Some(source),
        filename: &filename,
        keep: &list,
        by: principal.user,
    };
    let version = crate::version::begin(&mut tx, &new, now).await?;
    for name in [steps::Name::Upload, steps::Name::Probe] {
        steps::set(&mut tx, id, name, steps::State::Done, 1, 1, "", now).await?;
    }
    let (subject, payload) =
        (id.to_string(), serde_json::json!({ "version": version, "presentation": current }).to_string());
    let job = jobs::NewJob::new("trim", &subject, &payload).priority(jobs::priority::URGENT);
    jobs::enqueue(&mut tx, &job, now).await?;
    tx.commit().await?;
    answer.version_id = Some(version.to_string());
    Ok((StatusCode::ACCEPTED, Json(answer)))
}
