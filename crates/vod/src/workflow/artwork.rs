//! Making a picture in all its forms: from an upload, or from a moment of the title.

use std::path::Path;

use backends::blob::{self, names};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    Micros, VideoId,
    artwork::{Format, Kind, MIN_WIDTH, Rect, Variant},
};
use media::descriptor::Track;
use serde::{Deserialize, Serialize};
use store::{
    Tx,
    artwork::{self, Origin, Picture, State},
    jobs, units, videos,
};

use super::{Workflow, blob_error, chunk, failpoint, stored::Stored};
use crate::{
    encode::artwork as encoding,
    picture::{self, Refusal},
    worker::{JobContext, JobError},
};

/// A job's kind.
pub(super) const KIND: &str = "artwork";

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Payload {
    pub video: VideoId,
    pub picture: String,
}

/// Enqueues the making of a picture. The job is about the picture and not about its title, so that work on the title can
/// be cancelled and retried without it.
pub(super) async fn enqueue(
    tx: &mut Tx,
    video: VideoId,
    picture: &str,
    priority: i64,
    now: Micros,
) -> store::Result<()> {
    let payload = serde_json::json!({ "video": video, "picture": picture }).to_string();
    let key = format!("{KIND}:{picture}");
    let job = jobs::NewJob::new(KIND, picture, &payload).dedupe(&key).priority(priority).max_attempts(4);
    jobs::enqueue(tx, &job, now).await.map(|_| ())
}

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let Payload { video, picture: id } = job.payload()?;
    let picture = match artwork::get(&mut job.store.reader().await?, video, &id).await {
        Ok(picture) => picture,
        // It was deleted meanwhile: an attempt that died may have left something.
        Err(store::Error::NotFound) => return sweep(flow, video, &id).await,
        Err(error) => return Err(error.into()),
    };
    if picture.state == State::Failed || picture.variants.0.iter().any(|v| v.format == Format::Avif) {
        return Ok(());
    }
    let scratch = flow.scratch()?;
    let make = async {
        let raw = match picture.origin {
            Origin::Upload => from_upload(flow, &picture, scratch.path()).await?,
            Origin::Frame | Origin::Moment => from_title(flow, job, &picture, scratch.path()).await?,
        };
        let Some(raw) = raw else { return Ok(None) };
        let size = (raw.width, raw.height);
        let forms = encoding::encode(&flow.tools, raw, scratch.path()).await.map_err(chunk::failed)?;
        let mut variants = Vec::new();
        for (variant, file) in &forms.files {
            let object = names::picture_in(video, &id, variant.width, variant.format);
            flow.blobs.put_file(&object, file).await.map_err(blob_error)?;
            variants.push(*variant);
        }
        // Sizes that only the candidate had stay known, so that nothing is left without a name.
        let old = picture
            .variants
            .0
            .iter()
            .filter(|old| !variants.contains(old))
            .copied()
            .collect::<Vec<Variant>>();
        variants.extend(old);
        Ok::<_, JobError>(Some(artwork::Made { size, variants, blur: forms.blur }))
    };
    let made = tokio::select! {
        made = make => made?,
        () = job.cancelled.cancelled() => return Err(JobError::Stopped),
    };
    // What it was to be taken from is gone: a frame keeps the forms that it has.
    let Some(made) = made else { return Ok(()) };
    failpoint::reach("artwork-stored");
    let mut tx = job.store.begin().await?;
    job.still_mine(&mut tx).await?;
    let wanted = match artwork::made(&mut tx, video, &id, &made, job.now()).await {
        Err(store::Error::NotFound) => false,
        other => other?,
    };
    tx.commit().await?;
    metrics::counter!("kinora_artwork_made_total", "kind" => picture.kind.word(), "origin" => picture.origin.word())
        .increment(1);
    if wanted { drop_upload(flow, video, &id).await } else { sweep(flow, video, &id).await }
}

/// An upload's bytes are never served, and not needed when its forms are there.
async fn drop_upload(flow: &Workflow, video: VideoId, id: &str) -> Result<(), JobError> {
    flow.blobs.delete(&names::picture_upload(video, id)).await.map_err(blob_error)
}

/// Removes everything that was stored of a picture.
async fn sweep(flow: &Workflow, video: VideoId, id: &str) -> Result<(), JobError> {
    let folder = names::pictures(video);
    for entry in flow.blobs.list(&folder).await.map_err(blob_error)? {
        let file = entry.object.rsplit('/').next().unwrap_or_default();
        if file.rsplit_once('-').is_some_and(|(own, _)| own == id) {
            flow.blobs.delete(&entry.object).await.map_err(blob_error)?;
        }
    }
    Ok(())
}

/// The end of a picture: its row, then its objects. Another picture of the title is not touched.
pub(super) async fn forget(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let Payload { video, picture } = job.payload()?;
    let mut tx = job.store.begin().await?;
    job.still_mine(&mut tx).await?;
    match artwork::get(&mut tx, video, &picture).await {
        Ok(row) if row.deleted_at.is_none() && !matches!(row.state, State::Arriving | State::Failed) => {
            // Restored in the last moment.
            return Ok(());
        }
        Ok(_) => artwork::remove(&mut tx, video, &picture).await?,
        Err(store::Error::NotFound) => {}
        Err(error) => return Err(error.into()),
    }
    tx.commit().await?;
    sweep(flow, video, &picture).await
}

fn refused(refusal: Refusal) -> JobError {
    JobError::fatal(refusal.to_string(), "refused")
}

async fn from_upload(
    flow: &Workflow,
    picture: &Picture,
    scratch: &Path,
) -> Result<Option<encoding::Raw>, JobError> {
    let object = names::picture_upload(picture.video_id, &picture.id);
    let bytes = match flow.blobs.get(&object).await {
        Err(blob::Error::NotFound(_)) => {
            return Err(JobError::fatal("The picture was lost. Upload it again.", object));
        }
        other => other.map_err(blob_error)?,
    };
    let file = scratch.join("upload");
    tokio::fs::write(&file, &bytes)
        .await
        .map_err(|error| JobError::retry("There is no room to work in.", error))?;
    // A panic of a parser is a damaged picture, too.
    let header = tokio::task::spawn_blocking(move || picture::header(&bytes)).await;
    let header = header.unwrap_or(Err(Refusal::Damaged)).map_err(refused)?;
    let crop = picture
        .crop()
        .pixels(header.size(), picture.kind.ratio())
        .ok_or_else(|| refused(Refusal::TooSmall))?;
    if crop.width < MIN_WIDTH {
        return Err(refused(Refusal::TooSmall));
    }
    let checked = header.size_check();
    let filters =
        [checked.as_str(), header.upright()].into_iter().filter(|f| !f.is_empty()).collect::<Vec<_>>();
    let filters = filters.join(",");
    let input = encoding::Input { file: &file, demuxer: header.demuxer, filters: &filters };
    let decoded = encoding::decode(&flow.tools, &input, crop, picture.kind.max_width(), scratch).await;
    let mut raw = decoded.map_err(|error| match error.is_transient() {
        true => chunk::failed(error),
        false if header.demuxer == "mov" => JobError::fatal(Refusal::UnusualAvif.to_string(), error),
        false => JobError::fatal(Refusal::Damaged.to_string(), error),
    })?;
    let convert = move || {
        picture::colour::to_srgb(&mut raw.rgba, &header.colours);
        picture::colour::flatten(&mut raw.rgba);
        raw
    };
    let raw = tokio::task::spawn_blocking(convert).await;
    raw.map(Some).map_err(|error| JobError::fatal(Refusal::Damaged.to_string(), error))
}

/// A frame of the title, from the best rung. `None` when what a candidate was taken from is no more.
async fn from_title(
    flow: &Workflow,
    job: &JobContext,
    picture: &Picture,
    scratch: &Path,
) -> Result<Option<encoding::Raw>, JobError> {
    let gone = || match picture.origin {
        Origin::Frame => Ok(None),
        _ => Err(JobError::fatal("The title has no such moment any more.", picture.at_ms)),
    };
    let presentation = match picture.presentation() {
        Some(presentation) => Some(presentation),
        None => videos::get(&mut job.store.reader().await?, picture.video_id).await?.presentation(),
    };
    let Some(presentation) = presentation else { return gone() };
    let Some(stored) = Stored::load(flow, &job.store, presentation).await? else { return gone() };
    let units = units::list(&mut job.store.reader().await?, presentation).await?;
    let Some(assembled) = stored.assemble(&units, 0)? else { return gone() };
    let Some(track) = assembled.descriptor.tracks.iter().find(|track| track.is_video()) else {
        return gone();
    };
    let file = scratch.join("moment.mp4");
    let Some(at_s) = moment(flow, track, picture.at_ms, &file).await? else { return gone() };
    let media::descriptor::TrackKind::Video { width, height, .. } = track.kind else { return gone() };
    let crop = match (picture.origin, picture.kind) {
        // Candidates keep the title's own shape.
        (Origin::Frame, Kind::Poster) => Some(Rect { x: 0, y: 0, width, height }),
        _ => picture.crop().pixels((width, height), picture.kind.ratio()),
    };
    let crop =
        crop.ok_or_else(|| JobError::fatal("The chosen part of this moment is too small.", picture.at_ms))?;
    let filters = format!("select=gte(t\\,{at_s:.6})");
    let input = encoding::Input { file: &file, demuxer: "mov", filters: &filters };
    let raw = encoding::decode(&flow.tools, &input, crop, picture.kind.max_width(), scratch).await;
    raw.map(Some).map_err(chunk::failed)
}

/// Writes the segment that shows `at_ms` to `file`. Gives the time to wait for in it, in seconds: a little before the
/// frame that is on the screen then.
async fn moment(flow: &Workflow, track: &Track, at_ms: i64, file: &Path) -> Result<Option<f64>, JobError> {
    let timescale = u64::from(track.timescale.max(1));
    let frame = match track.kind {
        media::descriptor::TrackKind::Video { frame_rate: (num, den), .. } => {
            timescale * u64::from(den) / u64::from(num.max(1))
        }
        media::descriptor::TrackKind::Audio { .. } => 0,
    };
    // Not behind the last frame.
    let last = track.duration().saturating_sub(frame);
    let at = (u64::try_from(at_ms).unwrap_or(0).saturating_mul(timescale) / 1000).min(last);
    let mut start = 0;
    for (extent, offset, segment) in track.segments() {
        let end = start + u64::from(segment.duration);
        if at < end {
            let range = offset..offset + u64::from(segment.bytes);
            let bytes = flow.blobs.range(&extent.object, range).await.map_err(blob_error)?;
            let init = STANDARD
                .decode(&track.init)
                .map_err(|e| JobError::fatal("A stored record is damaged.", e))?;
            let whole = [init.as_slice(), &bytes].concat();
            tokio::fs::write(file, whole)
                .await
                .map_err(|e| JobError::retry("There is no room to work in.", e))?;
            // A frame is on the screen until the next one: half a frame earlier is nearer to it than to the one before.
            let wait = at.saturating_sub(frame / 2).max(start);
            return Ok(Some(wait as f64 / timescale as f64 - 0.001));
        }
        start = end;
    }
    Ok(None)
}
