//! `POST /api/v1/events/{id}/clips`: a title of its own out of an event, while it is live or afterwards.

use std::time::Duration;

use api::{Id, Json, Principal, Problem, ProblemBody};
use axum::{Router, extract::State, http::StatusCode, response::IntoResponse, routing::post};
use backends::blob;
use domain::{PresentationId, VideoId, Visibility, details::MAX_TITLE, event, text};
use media::{
    descriptor::Descriptor,
    excerpt::{self, Cut},
};
use serde::{Deserialize, Serialize};
use store::{
    clips::{self, Piece},
    events, presentations,
    videos::{NewVideo, Video},
};
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;

use crate::upload::{Error, Result, Uploads};

/// The shortest and the longest clip that can be asked for, milliseconds.
const SHORTEST: u64 = 1_000;
const LONGEST: u64 = 4 * 3_600_000;
/// What is sent now is told by a descriptor after so long at most; the end of a clip is waited for that long.
const PATIENCE: Duration = Duration::from_secs(15);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What is to become a clip.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClipBody {
    /// Where it begins, in milliseconds from the beginning of the event. It moves to the beginning of the segment that shows this.
    #[schema(example = 60_000)]
    pub from_ms: u64,
    /// Where it ends; it moves to the end of the segment that shows this. A clip is asked for with 1 second to 4 hours.
    #[schema(example = 90_000)]
    pub to_ms: u64,
    /// 1 to 200 characters on one line.
    pub title: String,
    /// Who may find and open it; private unless told.
    #[schema(value_type = Option<String>, example = "private")]
    pub visibility: Option<String>,
}

/// A clip that is being made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Clip {
    /// Of the new title.
    pub id: String,
    /// Where it really begins and ends, on the event's time line: at borders of segments, which last about two seconds.
    #[schema(example = 58_000)]
    pub from_ms: u64,
    #[schema(example = 90_000)]
    pub to_ms: u64,
}

/// The route of clips.
pub fn routes(uploads: Uploads) -> Router {
    Router::new().route("/api/v1/events/{id}/clips", post(clip)).with_state(uploads)
}

/// Cuts a clip out of an event: while it is live, out of all that was sent so far; afterwards out of its recording. It is a title
/// of its own with its own copy of the media, made without encoding anything, so that cuts lie at borders of segments. When the
/// end has only just been sent, the answer waits for it.
#[utoipa::path(post, path = "/api/v1/events/{id}/clips", tag = "live", params(("id" = String, Path)), request_body = ClipBody,
    responses((status = 201, body = Clip, description = "it is being made, and plays in a moment"),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody, description = "there is nothing of it to cut"),
        (status = 422, body = ProblemBody, description = "`errors` names every field that is wrong")))]
pub async fn clip(
    State(uploads): State<Uploads>,
    principal: Principal,
    Id(id): Id<VideoId>,
    Json(body): Json<ClipBody>,
) -> Result<impl IntoResponse> {
    let (row, of) = recorded(&uploads, id, &principal).await?;
    let title = text::filled_line(&body.title, MAX_TITLE)
        .map_err(|fault| Problem::invalid("title", format!("A title {fault}.")))?;
    let visibility = match body.visibility.as_deref() {
        None => Visibility::Private,
        Some(word) => {
            let known = word.parse::<Visibility>().ok().filter(|known| *known != Visibility::Scheduled);
            known.ok_or_else(|| Problem::invalid("visibility", "A clip is public, unlisted or private."))?
        }
    };
    let cut = cut(&uploads, of, row.is_live(), body.from_ms, body.to_ms).await?;
    let name = if row.title.is_empty() { "an event".to_owned() } else { format!("“{}”", row.title) };
    let new = NewVideo {
        id: VideoId::new(),
        owner: row.owner_id,
        title,
        description: format!("A clip of the live event {name}."),
        attribution: row.attribution.clone(),
        visibility,
    };
    let mut tx = uploads.store.begin().await?;
    let piece = Piece { of, segments: cut.segments };
    clips::insert(&mut tx, &new, id, &piece, uploads.clock.now()).await?;
    tx.commit().await?;
    let from = if row.is_live() { "live" } else { "recording" };
    metrics::counter!("kinora_clips_created_total", "from" => from).increment(1);
    let answer = Clip { id: new.id.to_string(), from_ms: cut.from_ms, to_ms: cut.to_ms };
    Ok((StatusCode::CREATED, Json(answer)))
}

/// The event's title, and what there is of the event.
async fn recorded(uploads: &Uploads, id: VideoId, principal: &Principal) -> Result<(Video, PresentationId)> {
    let mut reader = uploads.store.reader().await?;
    let row = crate::version::manage(&mut reader, id, principal).await?;
    let event = events::get(&mut reader, id).await?;
    let no = |words: &'static str| Err(Error::Problem(Problem::conflict(words)));
    if row.is_trashed() {
        return no("This event is in the trash. Restore it first.");
    }
    if event.state() == event::State::Upcoming {
        return no("This event has not begun.");
    }
    let Some(of) = row.presentation() else { return no("This event is over, and was not kept.") };
    if presentations::get(&mut reader, of).await?.source().is_some() {
        return no("The recording was replaced by an upload, which clips cannot be cut out of.");
    }
    Ok((row, of))
}

/// The segments of a clip. What was sent a moment ago is waited for.
async fn cut(uploads: &Uploads, of: PresentationId, live: bool, from_ms: u64, to_ms: u64) -> Result<Cut> {
    let wrong = |field, words: String| Error::Problem(Problem::invalid(field, words));
    match to_ms.checked_sub(from_ms) {
        None | Some(0) => return Err(wrong("to_ms", "A clip ends after it begins.".into())),
        Some(..SHORTEST) => return Err(wrong("to_ms", "A clip lasts at least one second.".into())),
        Some(LONGEST..) => return Err(wrong("to_ms", "A clip lasts at most four hours.".into())),
        Some(_) => {}
    }
    let began = Instant::now();
    loop {
        let descriptor = newest(uploads, of).await?;
        if let Some(cut) = excerpt::cut(&descriptor, from_ms, to_ms) {
            return Ok(cut);
        }
        let length = excerpt::length_ms(&descriptor);
        let coming = live && to_ms <= length + PATIENCE.as_millis() as u64 && !descriptor.complete;
        if !coming || began.elapsed() > PATIENCE {
            let so_far = if descriptor.complete { "" } else { " so far" };
            let words = format!("The event lasts {length} ms{so_far}.");
            return Err(wrong(if from_ms >= length { "from_ms" } else { "to_ms" }, words));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// What there is of what was sent live.
pub(crate) async fn newest(uploads: &Uploads, of: PresentationId) -> Result<Descriptor> {
    let (version, bytes) = uploads.blobs.newest_descriptor(of).await?.ok_or_else(Problem::not_found)?;
    let object = || blob::names::descriptor(of, version);
    serde_json::from_slice(&bytes).map_err(|error| Error::Blob(blob::Error::other(object(), error)))
}
