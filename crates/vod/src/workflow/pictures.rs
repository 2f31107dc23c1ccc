//! Candidates for the poster and the storyboard, from the key frames of what was encoded.

use backends::blob::names;
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    Micros, PresentationId, VideoId,
    artwork::{Format, Kind, Variant},
};
use media::descriptor::{Extent, Storyboard, Track};
use serde::{Deserialize, Serialize};
use store::{artwork, jobs, presentations::Presentation, steps, units};

use super::{
    Workflow, artwork as forms, blob_error, chunk, enqueue_publish, failpoint, json, stored::Stored,
};
use crate::{
    encode::{
        self, Frames, TILE_COLUMNS, TILE_ROWS,
        score::{self, Candidate, Look},
    },
    worker::{JobContext, JobError},
};

/// The name of the unit that pictures are.
pub(super) const UNIT: &str = "pictures";

/// Candidates for the poster that people are shown.
const POSTERS: usize = 8;
/// Tiles that are looked at again, and closer.
const SHORTLIST: usize = 3 * POSTERS;

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
    let Some(stored) = Stored::load(flow, &job.store, presentation).await? else { return Ok(()) };
    let units = units::list(&mut job.store.reader().await?, presentation).await?;
    if units.iter().any(|unit| unit.name == UNIT) {
        return Ok(());
    }
    let Some(assembled) = stored.assemble(&units, 0)? else { return Ok(()) };
    let mut tracks: Vec<&Track> =
        assembled.descriptor.tracks.iter().filter(|track| track.is_video()).collect();
    // The first codec's are in standard range and quick to decode.
    let first = tracks.first().and_then(|track| track.family());
    tracks.retain(|track| track.family() == first);
    let (Some(best), Some(smallest)) = (tracks.first(), tracks.last()) else { return Ok(()) };
    let scratch = flow.scratch()?;
    let make = async {
        let duration_ms = assembled.descriptor.planned_duration_ms;
        let (storyboard, looks) =
            storyboard(flow, presentation, duration_ms, smallest, scratch.path()).await?;
        failpoint::reach("storyboard-stored");
        let film = Film { best, smallest, duration_ms, interval_ms: storyboard.interval_ms };
        let chosen: Vec<usize> =
            film.choose(flow, &looks, scratch.path()).await?.iter().map(|chosen| chosen.index).collect();
        let posters = posters(flow, stored.video(), best, &film.keys(best, &chosen), scratch.path()).await?;
        Ok::<_, JobError>((storyboard, posters))
    };
    let (storyboard, posters) = tokio::select! {
        made = make => made?,
        () = job.cancelled.cancelled() => return Err(JobError::Stopped),
    };
    failpoint::reach("pictures-stored");
    let recorded = record(job, stored.presentation(), storyboard, &posters).await;
    // Another attempt was first, or the job is not ours any more. An unclear commit keeps its objects.
    if let Ok(false) | Err(JobError::Stopped) = recorded {
        for poster in &posters {
            forget(flow, stored.video(), &poster.id, &poster.variants).await?;
        }
    }
    recorded?;
    Ok(())
}

/// Removes what is stored of a picture.
pub(super) async fn forget(
    flow: &Workflow,
    video: VideoId,
    picture: &str,
    variants: &[Variant],
) -> Result<(), JobError> {
    for variant in variants {
        let object = names::picture_in(video, picture, variant.width, variant.format);
        flow.blobs.delete(&object).await.map_err(blob_error)?;
    }
    Ok(())
}

/// A key frame: its segment and its number there.
#[derive(Clone, Copy)]
pub(super) struct KeyFrame<'a> {
    extent: &'a Extent,
    offset: u64,
    bytes: u32,
    k: usize,
    /// Ticks.
    at: u64,
}

pub(super) fn key_frames(track: &Track) -> Vec<KeyFrame<'_>> {
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

/// Fetches key frames, each with the frames after it up to `run` together. Says how many there are of each.
async fn fetch(
    flow: &Workflow,
    wanted: &[KeyFrame<'_>],
    run: usize,
) -> Result<(Frames, Vec<usize>), JobError> {
    let (mut frames, mut counts) = (Frames::default(), Vec::new());
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
        if run > 1 {
            counts.push(frames.push_run(&segment, key.k, run).map_err(chunk::failed)?);
        } else {
            frames.push(&segment, key.k).map_err(chunk::failed)?;
            counts.push(1);
        }
        last = Some((&key.extent.object, key.offset, segment));
    }
    Ok((frames, counts))
}

/// Writes a film of key frames, or of runs; gives the number of frames of each.
async fn film(
    flow: &Workflow,
    track: &Track,
    wanted: &[KeyFrame<'_>],
    run: usize,
    path: &std::path::Path,
) -> Result<Vec<usize>, JobError> {
    let init = STANDARD.decode(&track.init).map_err(|e| JobError::fatal("A stored record is damaged.", e))?;
    let (frames, counts) = fetch(flow, wanted, run).await?;
    encode::frame_file(frames, &init, track.timescale, path).await.map_err(chunk::failed)?;
    Ok(counts)
}

/// Stores the sheets; gives the storyboard and what is seen of each tile.
async fn storyboard(
    flow: &Workflow,
    presentation: PresentationId,
    duration: u64,
    track: &Track,
    scratch: &std::path::Path,
) -> Result<(Storyboard, Vec<Look>), JobError> {
    let interval_ms = encode::interval_ms(duration);
    let wanted = tiles(&key_frames(track), interval_ms, duration, track.timescale);
    let tiles = wanted.len() as u32;
    let path = scratch.join("tiles.mp4");
    film(flow, track, &wanted, 1, &path).await?;
    let size = size(track);
    let tile = encode::tile_size(size.0, size.1);
    let sheets = encode::sheets(&flow.tools, &path, tiles, tile, scratch).await.map_err(chunk::failed)?;
    let mut stored = Vec::new();
    for (n, file) in (0..).zip(&sheets.files) {
        let object = names::storyboard(presentation, n);
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
    Ok((storyboard, sheets.looks))
}

fn size(track: &Track) -> (u32, u32) {
    match track.kind {
        media::descriptor::TrackKind::Video { width, height, .. } => (width, height),
        media::descriptor::TrackKind::Audio { .. } => (2, 2),
    }
}

/// The title that posters are chosen from.
struct Film<'a> {
    best: &'a Track,
    smallest: &'a Track,
    duration_ms: u64,
    interval_ms: u32,
}

impl Film<'_> {
    /// The key frames of `track` at some tiles.
    fn keys<'t>(&self, track: &'t Track, wanted: &[usize]) -> Vec<KeyFrame<'t>> {
        let all = tiles(&key_frames(track), self.interval_ms, self.duration_ms, track.timescale);
        wanted.iter().filter_map(|tile| all.get(*tile).copied()).collect()
    }

    /// Picks candidates, best first: from all tiles a shortlist by what was seen of them, from that by a closer look.
    async fn choose(
        &self,
        flow: &Workflow,
        looks: &[Look],
        scratch: &std::path::Path,
    ) -> Result<Vec<Candidate>, JobError> {
        let all: Vec<usize> = (0..looks.len()).collect();
        let times =
            self.keys(self.best, &all).into_iter().map(|key| key.at * 1000 / u64::from(self.best.timescale));
        let candidates: Vec<Candidate> = (0..)
            .zip(looks.iter().zip(times))
            .map(|(index, (look, at_ms))| {
                let merit = look.merit * score::place(at_ms, self.duration_ms);
                Candidate { index, at_ms, merit, hash: look.hash }
            })
            .collect();
        let mut short = score::choose(&candidates, self.duration_ms, SHORTLIST);
        short.sort_by_key(|candidate| candidate.index);
        let wanted: Vec<usize> = short.iter().map(|candidate| candidate.index).collect();

        let path = scratch.join("shortlist.mp4");
        film(flow, self.best, &self.keys(self.best, &wanted), 1, &path).await?;
        let sharp = encode::sharpness(&flow.tools, &path, scratch).await.map_err(chunk::failed)?;
        let path = scratch.join("runs.mp4");
        let runs = film(flow, self.smallest, &self.keys(self.smallest, &wanted), encode::RUN, &path).await?;
        let unrest = encode::unrests(&flow.tools, &path, &runs, scratch).await.map_err(chunk::failed)?;
        let typical = score::median(&sharp);
        for (candidate, (sharp, unrest)) in short.iter_mut().zip(sharp.iter().zip(&unrest)) {
            candidate.merit *= score::closer(*sharp, typical, *unrest);
        }
        Ok(score::choose(&short, self.duration_ms, POSTERS))
    }
}

/// Stores pictures of key frames of a track.
pub(super) async fn posters(
    flow: &Workflow,
    video: VideoId,
    track: &Track,
    wanted: &[KeyFrame<'_>],
    scratch: &std::path::Path,
) -> Result<Vec<artwork::Frame>, JobError> {
    let path = scratch.join("posters.mp4");
    film(flow, track, wanted, 1, &path).await?;
    let (width, height) = size(track);
    let files =
        encode::posters(&flow.tools, &path, wanted.len(), width, scratch).await.map_err(chunk::failed)?;
    let widest = width.min(Kind::Poster.max_width());
    let size = (widest, (height * widest + width / 2) / width.max(1));
    let mut posters = Vec::new();
    for (key, made) in wanted.iter().zip(files) {
        let id = uuid::Uuid::now_v7().to_string();
        let mut variants = Vec::new();
        for (width, file) in made.widths {
            flow.blobs.put_file(&names::picture(video, &id, width), &file).await.map_err(blob_error)?;
            variants.push(Variant { format: Format::Jpeg, width });
        }
        let at_ms = i64::try_from(key.at * 1000 / u64::from(track.timescale)).unwrap_or(i64::MAX);
        posters.push(artwork::Frame { id, at_ms, size, variants, blur: made.blur });
    }
    Ok(posters)
}

/// Says whether these are the title's pictures now. `posters` come best first.
async fn record(
    job: &JobContext,
    of: &Presentation,
    storyboard: Storyboard,
    posters: &[artwork::Frame],
) -> Result<bool, JobError> {
    let (video, now): (_, Micros) = (of.video_id, job.now());
    let mut tx = job.store.begin().await?;
    job.finish(&mut tx).await?;
    let result = json(&Pictured { storyboard: Some(storyboard) })?;
    if !units::insert(&mut tx, of.id, UNIT, &result, now).await? {
        // The job ends when what it stored is gone again.
        return Ok(false);
    }
    for (position, poster) in (0..).zip(posters) {
        artwork::insert_frame(&mut tx, video, of.id, poster, position, now).await?;
    }
    if let Some(best) = posters.first() {
        let taken = artwork::propose(&mut tx, video, &best.id, now).await?;
        // Frames of an earlier version of the title, or of it while it was live, but for one that somebody chose.
        for old in artwork::unchosen_frames(&mut tx, video).await? {
            if posters.iter().all(|poster| poster.id != old) {
                artwork::remove(&mut tx, video, &old).await?;
            }
        }
        if taken {
            forms::enqueue(&mut tx, video, &best.id, jobs::priority::NORMAL, now).await?;
        }
    }
    let count = posters.len() as i64;
    steps::set(&mut tx, video, steps::Name::Pictures, steps::State::Done, count, count, "", now).await?;
    enqueue_publish(&mut tx, of, &job.clock).await?;
    tx.commit().await?;
    Ok(true)
}
