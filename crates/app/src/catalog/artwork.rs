//! Artwork of a title, for those who manage it: upload, pick a moment, choose, describe, delete with undo.

use api::{Id, Json, Principal, Problem, ProblemBody, Query, Time, parse_id};
use axum::{
    extract::{Path, Request, State},
    http::StatusCode,
};
use backends::blob::names;
use domain::{
    Micros, VideoId,
    artwork::{Crop, Kind, MAX_ALT, MAX_BYTES, MAX_PICTURES, PREFIX, sniff},
};
use serde::{Deserialize, Serialize};
use store::{
    Tx,
    artwork::{self, NewPicture, Origin, Picture},
    jobs,
};
use utoipa::{IntoParams, ToSchema};

use crate::{App, Error, Result, title, view};

/// Deleted pictures can be restored for this long.
const UNDO: i64 = Micros::DAY;
/// What never became whole is forgotten after this.
const IDLE: i64 = 2 * Micros::DAY;
/// Pictures removed in one go.
const BATCH: u32 = 100;

/// A picture of a title.
#[derive(Debug, Serialize, ToSchema)]
pub struct StudioPicture {
    pub id: String,
    #[schema(value_type = ArtworkKindWord)]
    pub kind: Kind,
    /// How it came here.
    #[schema(value_type = ArtworkOriginWord)]
    pub origin: &'static str,
    #[schema(value_type = ArtworkStateWord)]
    pub state: &'static str,
    /// The title's picture of its kind.
    pub chosen: bool,
    /// Text that stands for it.
    pub alt: String,
    /// Where in the title it was taken; absent for uploads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// Size of its widest form, in pixels; 0 while it is being made.
    pub width: i64,
    pub height: i64,
    /// Without a size: add `?width=`. Absent while it is being made.
    #[schema(required = true)]
    pub url: Option<String>,
    /// A tiny picture as data URL, to be shown until the real one is there.
    #[schema(required = true)]
    pub blur: Option<String>,
    /// Why it could not be made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub created_at: Time,
}

/// poster (16:9, on cards), portrait (2:3) or banner (21:9, behind the title's name).
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum ArtworkKindWord {
    Poster,
    Portrait,
    Banner,
}

/// frame: found among the key frames; moment: picked by a person; upload.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum ArtworkOriginWord {
    Frame,
    Moment,
    Upload,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum ArtworkStateWord {
    Arriving,
    Making,
    Ready,
    Failed,
}

/// A rectangle of the upright picture in fractions of its sides. The largest part of it that has the kind's shape is used.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CropBody {
    #[schema(minimum = 0, maximum = 1)]
    pub x: f64,
    #[schema(minimum = 0, maximum = 1)]
    pub y: f64,
    #[schema(minimum = 0, maximum = 1)]
    pub width: f64,
    #[schema(minimum = 0, maximum = 1)]
    pub height: f64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UploadQuery {
    /// What it is for, which decides its shape.
    #[param(value_type = ArtworkKindWord)]
    pub kind: Kind,
    /// `x,y,width,height` in fractions of the upright picture's sides; the largest part of it that has the kind's shape is
    /// used. The whole picture unless told.
    #[param(example = "0.1,0,0.8,0.45")]
    pub crop: Option<String>,
    /// Text that stands for the picture.
    #[param(max_length = 300)]
    pub alt: Option<String>,
    /// Whether it becomes the title's picture of its kind when it is ready; `true` unless told.
    pub choose: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MomentBody {
    #[schema(value_type = ArtworkKindWord)]
    pub kind: Kind,
    /// The frame that is on the screen then.
    #[schema(minimum = 0)]
    pub at_ms: i64,
    pub crop: Option<CropBody>,
    /// Text that stands for the picture.
    #[schema(max_length = 300)]
    pub alt: Option<String>,
    /// Whether it becomes the title's picture of its kind when it is ready; `true` unless told.
    pub choose: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ArtworkBody {
    /// Text that stands for the picture.
    #[schema(max_length = 300)]
    pub alt: Option<String>,
    /// true: the title's picture of its kind from now on; false: no longer.
    pub chosen: Option<bool>,
}

/// All pictures of a title: frames that were found, best first, then what people made, latest first.
#[utoipa::path(get, path = "/api/v1/videos/{id}/artwork", tag = "artwork", params(("id" = String, Path)),
    responses((status = 200, body = Vec<StudioPicture>), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn list(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
) -> Result<Json<Vec<StudioPicture>>> {
    let mut reader = app.store.reader().await?;
    title::manage(&mut reader, id, &principal).await?;
    let pictures = artwork::list(&mut reader, id).await?;
    // After the pictures: one that is told to be ready is then told to be chosen, too.
    let row = store::videos::get(&mut reader, id).await?;
    Ok(Json(pictures.into_iter().map(|picture| artwork_view(picture, &row.artwork)).collect()))
}

/// Uploads a picture: the body is a JPEG, PNG, WebP or AVIF file of at most 20 MiB and 50 megapixels. It is turned
/// upright, cut, brought to sRGB and stored anew, without its metadata; the original is not kept.
#[utoipa::path(post, path = "/api/v1/videos/{id}/artwork", tag = "artwork", params(("id" = String, Path), UploadQuery),
    request_body(content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"), (Vec<u8> = "image/avif"))),
    responses((status = 202, body = StudioPicture, description = "being made"), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 409, body = ProblemBody), (status = 413, body = ProblemBody), (status = 415, body = ProblemBody),
        (status = 422, body = ProblemBody)))]
pub async fn upload(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<(StatusCode, Json<StudioPicture>)> {
    let crop = query.crop.as_deref().map_or(Ok(Crop::WHOLE), parse_crop)?;
    let alt = checked_alt(query.alt)?;
    // Before the body is read: whoever may not do this need not send it.
    title::manage(&mut app.store.reader().await?, id, &principal).await?;
    let bytes = axum::body::to_bytes(request.into_body(), MAX_BYTES)
        .await
        .map_err(|_| Problem::too_large(MAX_BYTES as u64))?;
    if sniff(bytes.get(..PREFIX).unwrap_or(&bytes)).is_none() {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "A picture is a JPEG, PNG, WebP or AVIF file.",
        )
        .into());
    }
    let new = NewPicture {
        id: uuid::Uuid::now_v7().to_string(),
        video: id,
        kind: query.kind,
        origin: Origin::Upload,
        state: artwork::State::Arriving,
        at_ms: 0,
        crop,
        alt,
        choose: query.choose.unwrap_or(true),
        presentation: None,
    };
    // The row first: an object without a row would be taken for what a dead attempt has left.
    let mut tx = app.store.begin().await?;
    begin(&mut tx, &new, app.clock.now()).await?;
    tx.commit().await?;
    app.blobs.put(&names::picture_upload(id, &new.id), bytes).await?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    if !artwork::arrived(&mut tx, id, &new.id, now).await? {
        return Err(Problem::conflict("The title was deleted meanwhile.").into());
    }
    let made = enqueue(&mut tx, &new, now).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(made)))
}

/// Makes a picture of a moment of the title.
#[utoipa::path(post, path = "/api/v1/videos/{id}/artwork/moments", tag = "artwork", params(("id" = String, Path)),
    request_body = MomentBody,
    responses((status = 202, body = StudioPicture, description = "being made"), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody),
        (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn pick(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
    Json(body): Json<MomentBody>,
) -> Result<(StatusCode, Json<StudioPicture>)> {
    let crop = body.crop.map_or(Ok(Crop::WHOLE), |CropBody { x, y, width, height }| {
        let crop = Crop { x, y, width, height };
        if crop.is_sound() { Ok(crop) } else { Err(bad_crop()) }
    })?;
    let (alt, now) = (checked_alt(body.alt)?, app.clock.now());
    let mut tx = app.store.begin().await?;
    let row = title::manage(&mut tx, id, &principal).await?;
    let Some(presentation) = row.presentation() else {
        return Err(
            Problem::conflict("This title has no pictures yet: its first part is still being made.").into()
        );
    };
    if body.at_ms < 0 || row.duration_ms.is_some_and(|duration| body.at_ms > duration) {
        return Err(Problem::invalid("at_ms", "The title has no such moment.").into());
    }
    let new = NewPicture {
        id: uuid::Uuid::now_v7().to_string(),
        video: id,
        kind: body.kind,
        origin: Origin::Moment,
        state: artwork::State::Making,
        at_ms: body.at_ms,
        crop,
        alt,
        choose: body.choose.unwrap_or(true),
        presentation: Some(presentation),
    };
    begin(&mut tx, &new, now).await?;
    let made = enqueue(&mut tx, &new, now).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(made)))
}

/// Chooses a picture or lets go of it, and changes the text that stands for it.
#[utoipa::path(patch, path = "/api/v1/videos/{id}/artwork/{picture_id}", tag = "artwork",
    params(("id" = String, Path), ("picture_id" = String, Path)), request_body = ArtworkBody,
    responses((status = 200, body = StudioPicture), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 415, body = ProblemBody), (status = 422, body = ProblemBody)))]
pub async fn edit(
    State(app): State<App>,
    principal: Principal,
    Path((id, picture)): Path<(String, String)>,
    Json(body): Json<ArtworkBody>,
) -> Result<Json<StudioPicture>> {
    let id: VideoId = parse_id(&id)?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let row = title::manage(&mut tx, id, &principal).await?;
    let found = present(&mut tx, id, &picture).await?;
    if let Some(alt) = body.alt {
        artwork::describe(&mut tx, &found, &checked_alt(Some(alt))?, now).await?;
    }
    let found = artwork::get(&mut tx, id, &picture).await?;
    match body.chosen {
        Some(true) => choose(&mut tx, &found, now).await?,
        Some(false) if row.artwork.has(&found.id) => artwork::unchoose(&mut tx, id, found.kind, now).await?,
        _ => {}
    }
    answer(tx, id, &picture).await
}

/// Deletes a picture. It can be restored for a day.
#[utoipa::path(delete, path = "/api/v1/videos/{id}/artwork/{picture_id}", tag = "artwork",
    params(("id" = String, Path), ("picture_id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn delete(
    State(app): State<App>,
    principal: Principal,
    Path((id, picture)): Path<(String, String)>,
) -> Result<StatusCode> {
    let id: VideoId = parse_id(&id)?;
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    let found = present(&mut tx, id, &picture).await?;
    artwork::delete(&mut tx, &found, app.clock.now()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Brings a deleted picture back; one that was chosen is chosen again.
#[utoipa::path(post, path = "/api/v1/videos/{id}/artwork/{picture_id}/restore", tag = "artwork",
    params(("id" = String, Path), ("picture_id" = String, Path)),
    responses((status = 200, body = StudioPicture), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody)))]
pub async fn restore(
    State(app): State<App>,
    principal: Principal,
    Path((id, picture)): Path<(String, String)>,
) -> Result<Json<StudioPicture>> {
    let id: VideoId = parse_id(&id)?;
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    let found = artwork::get(&mut tx, id, &picture).await?;
    if found.deleted_at.is_some() {
        artwork::restore(&mut tx, &found, app.clock.now()).await?;
    }
    answer(tx, id, &picture).await
}

/// A picture of this title that can be its poster.
pub(super) async fn poster(tx: &mut Tx, video: VideoId, id: &str) -> Result<Option<Picture>> {
    let found = match artwork::get(tx, video, id).await {
        Err(store::Error::NotFound) => None,
        other => Some(other?),
    };
    Ok(found.filter(|picture| {
        picture.kind == Kind::Poster && picture.state == artwork::State::Ready && picture.deleted_at.is_none()
    }))
}

/// Makes `picture` the title's own of its kind, in all its forms.
pub(super) async fn choose(tx: &mut Tx, picture: &Picture, now: Micros) -> Result<()> {
    if picture.state != artwork::State::Ready {
        return Err(Problem::conflict("This picture is not ready yet.").into());
    }
    artwork::choose(tx, picture, now).await?;
    // Frames have a few forms until they are chosen; for what is whole the job ends at once.
    queue(tx, picture.video_id, &picture.id, jobs::priority::URGENT, now).await
}

/// Enqueues the end of pictures that were deleted long enough ago, and of those that never became whole.
pub async fn expire(app: &App) -> Result<()> {
    let now = app.clock.now();
    let (deleted, idle) = (now.plus(-UNDO), now.plus(-IDLE));
    for picture in artwork::expired(&mut app.store.reader().await?, deleted, idle, BATCH).await? {
        let payload = payload(picture.video_id, &picture.id);
        let key = format!("forget:{}", picture.id);
        let mut tx = app.store.begin().await?;
        let job = jobs::NewJob::new("forget-picture", &picture.id, &payload).dedupe(&key).max_attempts(20);
        jobs::enqueue(&mut tx, &job, now).await?;
        tx.commit().await?;
    }
    Ok(())
}

fn payload(video: VideoId, picture: &str) -> String {
    serde_json::json!({ "video": video, "picture": picture }).to_string()
}

async fn queue(tx: &mut Tx, video: VideoId, picture: &str, priority: i64, now: Micros) -> Result<()> {
    let (payload, key) = (payload(video, picture), format!("artwork:{picture}"));
    let job = jobs::NewJob::new("artwork", picture, &payload).dedupe(&key).priority(priority).max_attempts(4);
    jobs::enqueue(tx, &job, now).await?;
    Ok(())
}

async fn begin(tx: &mut Tx, new: &NewPicture, now: Micros) -> Result<()> {
    if artwork::count_made(tx, new.video).await? >= MAX_PICTURES {
        let words = format!("A title has at most {MAX_PICTURES} pictures of your own. Delete some first.");
        return Err(Problem::conflict(words).into());
    }
    Ok(artwork::insert(tx, new, now).await?)
}

async fn enqueue(tx: &mut Tx, new: &NewPicture, now: Micros) -> Result<StudioPicture> {
    queue(tx, new.video, &new.id, jobs::priority::URGENT, now).await?;
    let picture = artwork::get(tx, new.video, &new.id).await?;
    Ok(artwork_view(picture, &artwork::Chosen::default()))
}

async fn present(tx: &mut Tx, video: VideoId, picture: &str) -> Result<Picture> {
    let found = artwork::get(tx, video, picture).await?;
    if found.deleted_at.is_some() { Err(Problem::not_found().into()) } else { Ok(found) }
}

async fn answer(mut tx: Tx, video: VideoId, picture: &str) -> Result<Json<StudioPicture>> {
    let row = store::videos::get(&mut tx, video).await?;
    let picture = artwork::get(&mut tx, video, picture).await?;
    tx.commit().await?;
    Ok(Json(artwork_view(picture, &row.artwork)))
}

fn artwork_view(picture: Picture, chosen: &artwork::Chosen) -> StudioPicture {
    let ready = picture.state == artwork::State::Ready;
    StudioPicture {
        kind: picture.kind,
        origin: picture.origin.word(),
        state: picture.state.word(),
        chosen: chosen.has(&picture.id),
        at_ms: (picture.origin != Origin::Upload).then_some(picture.at_ms),
        width: picture.width,
        height: picture.height,
        url: ready.then(|| view::artwork_url(&picture.video_id.to_string(), &picture.id)),
        blur: Some(picture.blur).filter(|blur| !blur.is_empty()),
        alt: picture.alt,
        error: picture.error,
        created_at: picture.created_at.into(),
        id: picture.id,
    }
}

fn checked_alt(alt: Option<String>) -> Result<String, Error> {
    let alt = alt.unwrap_or_default().trim().to_owned();
    if alt.chars().count() > MAX_ALT || alt.chars().any(char::is_control) {
        return Err(
            Problem::invalid("alt", "A picture's text has at most 300 characters on one line.").into()
        );
    }
    Ok(alt)
}

fn bad_crop() -> Problem {
    Problem::invalid("crop", "A crop is a rectangle within the picture, in fractions of its sides.")
}

/// `x,y,width,height`.
fn parse_crop(text: &str) -> Result<Crop, Problem> {
    let numbers: Vec<f64> = text
        .split(',')
        .take(5)
        .map(|n| n.trim().parse())
        .collect::<Result<_, _>>()
        .map_err(|_| bad_crop())?;
    let [x, y, width, height] = numbers.as_slice() else { return Err(bad_crop()) };
    let crop = Crop { x: *x, y: *y, width: *width, height: *height };
    if crop.is_sound() { Ok(crop) } else { Err(bad_crop()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_are_read_strictly() {
        assert_eq!(parse_crop("0,0.5, 1,0.25").unwrap(), Crop { x: 0.0, y: 0.5, width: 1.0, height: 0.25 });
        for bad in ["", "1", "0,0,1", "0,0,1,1,1", "0,0,x,1", "0,0,2,1", "0,0,NaN,1", "inf,0,1,1", "-1,0,1,1"]
        {
            assert!(parse_crop(bad).is_err(), "{bad}");
        }
        assert!(checked_alt(Some("a\nb".into())).is_err() && checked_alt(Some("x".repeat(301))).is_err());
        assert_eq!(checked_alt(Some(" A hare. ".into())).unwrap(), "A hare.");
    }
}
