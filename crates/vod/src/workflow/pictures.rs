//! Posters and the storyboard, from the key frames of what was encoded.

use backends::blob::names;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{Micros, PresentationId, VideoId};
use media::descriptor::{Extent, Storyboard, Track};
use serde::{Deserialize, Serialize};
use store::{steps, units, videos};

use super::{
    Work, Workflow, blob_error, chunk, descriptor::assemble, enqueue_publish, failpoint, json, load,
};
use crate::{
    encode::{self, Frames, TILE_COLUMNS, TILE_ROWS},
    worker::{JobContext, JobError},
};

/// The name of the unit that pictures are.
pub(super) const UNIT: &str = "pictures";

/// Candidates for the poster.
const POSTERS: usize = 6;

#[derive(Debug, Deserialize)]
pub(super) struct Payload {
    pub presentation: PresentationId,
}

/// The unit's result.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Pictured {
    #[serde(default)]
    pub storyboard: Option<Storyboard>,
}

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let Payload { presentation } = job.payload()?;
    let Some(work) = load(&job.store, presentation).await? else { return Ok(()) };
    let units = units::list(&mut job.store.reader().await?, presentation).await?;
    if units.iter().any(|unit| unit.name == UNIT) {
        return Ok(());
    }
    let Some(assembled) = assemble(&work, &units, 0)? else { return Ok(()) };
    let tracks: Vec<&Track> = assembled.descriptor.tracks.iter().filter(|track| track.is_video()).collect();
    let (Some(best), Some(smallest)) = (tracks.first(), tracks.last()) else { return Ok(()) };
    let scratch = flow.scratch()?;
    let make = async {
        let (storyboard, scores) = storyboard(flow, &work, smallest, scratch.path()).await?;
        failpoint::reach("storyboard-stored");
        let posters = posters(flow, work.video(), best, &scores, &storyboard, scratch.path()).await?;
        Ok::<_, JobError>((storyboard, posters))
    };
    let (storyboard, posters) = tokio::select! {
        made = make => made?,
        () = job.cancelled.cancelled() => return Err(JobError::Stopped),
    };
    failpoint::reach("pictures-stored");
    let recorded = record(job, &work, storyboard, &posters).await;
    // Another attempt was first, or the job is not ours any more. An unclear commit keeps its objects.
    if let Ok(false) | Err(JobError::Stopped) = recorded {
        for poster in &posters {
            for width in poster.widths() {
                flow.blobs
                    .delete(&names::picture(work.video(), &poster.id, width))
                    .await
                    .map_err(blob_error)?;
            }
        }
    }
    recorded?;
    flow.wake.wake();
    Ok(())
}

/// A stored poster.
struct Poster {
    id: String,
    at_ms: u64,
    size: (u32, u32),
    score: f64,
}

impl Poster {
    fn widths(&self) -> impl Iterator<Item = u32> {
        encode::POSTER_WIDTHS.into_iter()
    }
}

/// A key frame: its segment and its number there.
#[derive(Clone, Copy)]
struct KeyFrame<'a> {
    extent: &'a Extent,
    offset: u64,
    bytes: u32,
    k: usize,
    /// Ticks.
    at: u64,
}

fn key_frames(track: &Track) -> Vec<KeyFrame<'_>> {
    let mut start = 0;
    let mut keys = Vec::new();
    for (extent, offset, segment) in track.segments() {
        let own = segment.sync.iter().enumerate();
        keys.extend(own.map(|(k, sync)| KeyFrame {
            extent,
            offset,
            bytes: segment.bytes,
            k,
            at: start + u64::from(sync.at),
        }));
        start += u64::from(segment.duration);
    }
    keys
}

/// For each tile the last key frame at or before its time.
fn tiles<'a>(keys: &[KeyFrame<'a>], interval_ms: u32, duration_ms: u64, timescale: u32) -> Vec<KeyFrame<'a>> {
    let count = duration_ms.div_ceil(u64::from(interval_ms)).max(1);
    let tile = |n: u64| {
        // A tenth of a second of grace: GOPs of 29.97 frames per second end a little late.
        let at = (n * u64::from(interval_ms) + 100) * u64::from(timescale) / 1000;
        keys.get(keys.partition_point(|key| key.at <= at).saturating_sub(1)).copied()
    };
    (0..count).filter_map(tile).collect()
}

async fn fetch(flow: &Workflow, wanted: &[KeyFrame<'_>]) -> Result<Frames, JobError> {
    let mut frames = Frames::default();
    let mut last: Option<(&str, u64, bytes::Bytes)> = None;
    for key in wanted {
        let segment = match &last {
            Some((object, offset, bytes)) if *object == key.extent.object && *offset == key.offset => {
                bytes.clone()
            }
            _ => {
                let range = key.offset..key.offset + u64::from(key.bytes);
                flow.blobs.range(&key.extent.object, range).await.map_err(blob_error)?
            }
        };
        frames.push(&segment, key.k).map_err(chunk::failed)?;
        last = Some((&key.extent.object, key.offset, segment));
    }
    Ok(frames)
}

async fn film(
    flow: &Workflow,
    track: &Track,
    wanted: &[KeyFrame<'_>],
    path: &std::path::Path,
) -> Result<(), JobError> {
    let init = STANDARD.decode(&track.init).map_err(|e| JobError::fatal("A stored record is damaged.", e))?;
    let frames = fetch(flow, wanted).await?;
    encode::frame_file(frames, &init, track.timescale, path).await.map_err(chunk::failed)
}

/// Stores the sheets; gives the storyboard and how telling each tile is.
async fn storyboard(
    flow: &Workflow,
    work: &Work,
    track: &Track,
    scratch: &std::path::Path,
) -> Result<(Storyboard, Vec<f64>), JobError> {
    let duration = work.plan.duration_ms;
    let interval_ms = encode::interval_ms(duration);
    let wanted = tiles(&key_frames(track), interval_ms, duration, track.timescale);
    let tiles = wanted.len() as u32;
    let path = scratch.join("tiles.mp4");
    film(flow, track, &wanted, &path).await?;
    let size = size(track);
    let tile = encode::tile_size(size.0, size.1);
    let sheets = encode::sheets(&flow.tools, &path, tiles, tile, scratch).await.map_err(chunk::failed)?;
    let mut stored = Vec::new();
    for (n, file) in (0..).zip(&sheets.files) {
        let object = names::storyboard(work.id(), n);
        let bytes = flow.blobs.put_file(&object, file).await.map_err(blob_error)?;
        stored.push((object, bytes));
    }
    let storyboard = Storyboard {
        tile_width: tile.0,
        tile_height: tile.1,
        columns: TILE_COLUMNS,
        rows: TILE_ROWS,
        interval_ms,
        tiles,
        sheets: stored,
    };
    Ok((storyboard, sheets.scores))
}

fn size(track: &Track) -> (u32, u32) {
    match track.kind {
        media::descriptor::TrackKind::Video { width, height, .. } => (width, height),
        media::descriptor::TrackKind::Audio { .. } => (2, 2),
    }
}

/// Stores the most telling pictures of the best rung in their widths.
async fn posters(
    flow: &Workflow,
    video: VideoId,
    track: &Track,
    scores: &[f64],
    storyboard: &Storyboard,
    scratch: &std::path::Path,
) -> Result<Vec<Poster>, JobError> {
    let keys = key_frames(track);
    let chosen = encode::choose(scores, POSTERS);
    let at_ms = |tile: usize| tile as u64 * u64::from(storyboard.interval_ms);
    let wanted: Vec<KeyFrame<'_>> = chosen
        .iter()
        .filter_map(|tile| {
            let all = tiles(&keys, storyboard.interval_ms, at_ms(*tile) + 1, track.timescale);
            all.last().copied()
        })
        .collect();
    let path = scratch.join("posters.mp4");
    film(flow, track, &wanted, &path).await?;
    let files = encode::posters(&flow.tools, &path, wanted.len(), scratch).await.map_err(chunk::failed)?;
    let mut posters = Vec::new();
    for (tile, widths) in chosen.iter().zip(files) {
        let id = uuid::Uuid::now_v7().to_string();
        for (width, file) in widths {
            flow.blobs.put_file(&names::picture(video, &id, width), &file).await.map_err(blob_error)?;
        }
        let score = scores.get(*tile).copied().unwrap_or(0.0);
        posters.push(Poster { id, at_ms: at_ms(*tile), size: size(track), score });
    }
    Ok(posters)
}

/// Says whether these are the title's pictures now.
async fn record(
    job: &JobContext,
    work: &Work,
    storyboard: Storyboard,
    posters: &[Poster],
) -> Result<bool, JobError> {
    let (video, now): (_, Micros) = (work.video(), job.now());
    let mut tx = job.store.begin().await?;
    job.finish(&mut tx).await?;
    let result = json(&Pictured { storyboard: Some(storyboard) })?;
    if !units::insert(&mut tx, work.id(), UNIT, &result, now).await? {
        // The job ends when what it stored is gone again.
        return Ok(false);
    }
    for (position, poster) in (0..).zip(posters) {
        let row = videos::Poster {
            id: poster.id.clone(),
            at_ms: poster.at_ms as i64,
            width: i64::from(poster.size.0),
            height: i64::from(poster.size.1),
        };
        let widest = encode::POSTER_WIDTHS.into_iter().max().unwrap_or(1280);
        let object = names::picture(video, &poster.id, widest);
        videos::insert_poster(&mut tx, video, &row, position, &object, now).await?;
    }
    if let Some(best) = posters.iter().max_by(|a, b| a.score.total_cmp(&b.score)) {
        videos::default_poster(&mut tx, video, &best.id, now).await?;
    }
    let count = posters.len() as i64;
    steps::set(&mut tx, video, steps::Name::Pictures, steps::State::Done, count, count, "", now).await?;
    enqueue_publish(&mut tx, &work.presentation, &job.clock).await?;
    tx.commit().await?;
    Ok(true)
}
