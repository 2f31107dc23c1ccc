//! `POST /api/v1/videos/{id}/trim`: cuts parts out of a title without encoding it anew.

use api::{Id, Json, Principal, Problem, ProblemBody};
use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use domain::{PresentationId, VideoId};
use media::excerpt;
use serde::{Deserialize, Serialize};
use store::{
    clips::{self, Piece},
    jobs, presentations, sources, steps,
    versions::NewVersion,
    videos,
};
use utoipa::ToSchema;

use crate::{
    plan::trim::{Keep, Refused},
    upload::{Error, Result, Uploads},
    workflow::{Foreseen, foresee},
};

/// What is to stay of a title.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrimBody {
    /// In order, without overlaps. Ends count from the title's beginning as it plays now; they move to the nearest frame,
    /// and in what was sent live to where segments begin and end, so that nothing that is to stay is lost.
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

/// Cuts parts out of a title: the segments at the cuts are encoded again, all others stay as they are. Of what was sent live
/// only the beginning and the end can be cut away, at borders of segments. The title plays as it did until the cut version is
/// complete.
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
    let source = presentation.source();
    drop(reader);
    let (mut answer, piece) = match source {
        Some(_) => (title(&uploads, &presentation, &keep).await?, None),
        None => {
            let (answer, piece) = recording(&uploads, current, &keep).await?;
            (answer, Some(piece))
        }
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
    let filename = match source {
        Some(source) => sources::get(&mut tx, source).await.map(|source| source.filename).unwrap_or_default(),
        None => String::new(),
    };
    let list = serde_json::to_string(&keep).map_err(|e| store::Error::Corrupt(e.to_string()))?;
    let new = NewVersion {
        video: id,
        kind: "trimmed",
        state: "processing",
        source,
        filename: &filename,
        keep: &list,
        by: principal.user,
    };
    let version = crate::version::begin(&mut tx, &new, now).await?;
    for name in [steps::Name::Upload, steps::Name::Probe] {
        steps::set(&mut tx, id, name, steps::State::Done, 1, 1, "", now).await?;
    }
    if let Some(piece) = piece {
        for name in [steps::Name::Encode, steps::Name::Audio] {
            steps::set(&mut tx, id, name, steps::State::Done, 1, 1, "", now).await?;
        }
        clips::make(&mut tx, id, PresentationId(version.0), &piece, Some(version), now).await?;
    } else {
        let (subject, payload) =
            (id.to_string(), serde_json::json!({ "version": version, "presentation": current }).to_string());
        let job = jobs::NewJob::new("trim", &subject, &payload).priority(jobs::priority::URGENT);
        jobs::enqueue(&mut tx, &job, now).await?;
    }
    tx.commit().await?;
    answer.version_id = Some(version.to_string());
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

/// What the cut of a title that was made of a source would be.
async fn title(uploads: &Uploads, of: &presentations::Presentation, keep: &[Keep]) -> Result<Trimmed> {
    let cut = foresee(&uploads.blobs, of, keep).await.map_err(|error| match error {
        Foreseen::Refused(refused) => refuse(&refused),
        Foreseen::Blob(error) => Error::Blob(error),
    })?;
    let (segments, segments_encoded, encoded_ms) = cut.effort();
    Ok(Trimmed {
        version_id: None,
        duration_ms: cut.plan.duration_ms,
        keep: cut.keep.iter().map(|part| KeepBody { start_ms: part.start_ms, end_ms: part.end_ms }).collect(),
        segments,
        segments_encoded,
        encoded_ms,
    })
}

/// What the cut of a recording would be: a stretch of whole segments, as a clip is. Parts that are put together would carry the
/// distances between borders of sound and picture with them.
async fn recording(uploads: &Uploads, of: PresentationId, keep: &[Keep]) -> Result<(Trimmed, Piece)> {
    let [part] = keep else {
        let words = "Of a live event only the beginning and the end can be cut away: keep one part.";
        return Err(Problem::invalid("keep", words).into());
    };
    let descriptor = crate::clip::newest(uploads, of).await?;
    if part.start_ms >= part.end_ms {
        return Err(refuse(&Refused::Order));
    }
    let cut =
        excerpt::cut(&descriptor, part.start_ms, part.end_ms).ok_or_else(|| refuse(&Refused::Outside))?;
    let duration_ms = cut.to_ms - cut.from_ms;
    if duration_ms == excerpt::length_ms(&descriptor) {
        return Err(refuse(&Refused::Nothing));
    }
    let answer = Trimmed {
        version_id: None,
        duration_ms,
        keep: vec![KeepBody { start_ms: cut.from_ms, end_ms: cut.to_ms }],
        segments: cut.segments.len(),
        segments_encoded: 0,
        encoded_ms: 0,
    };
    Ok((answer, Piece { of, segments: cut.segments }))
}

fn refuse(refused: &Refused) -> Error {
    Problem::invalid("keep", refused.to_string()).into()
}
