//! Cutting a title: a new presentation out of stored segments, with jobs for the few that must be encoded again.

use backends::blob::names;
use bytes::Bytes;
use domain::{PresentationId, VersionId};
use media::{
    cmaf,
    descriptor::{Extent, Segment},
    iframe::moof_size,
    mp4::{Sample, parse_moof},
};
use serde::Deserialize;
use store::{presentations, sources, steps, units, units::Unit, versions};

use super::{
    Work, Workflow, blob_error, enqueue_publish, failpoint, json, load, parse, probe,
    unit::{self, Encoded, Part},
};
use crate::{
    encode::audio_segments,
    plan::{
        self, AudioPlan, Plan, Times, added_unit, audio_unit,
        trim::{Cut, Keep, Picture, Reused, Sound},
        video_unit,
    },
    worker::{JobContext, JobError},
};

#[derive(Debug, Deserialize)]
struct Payload {
    version: VersionId,
    /// What is cut.
    presentation: PresentationId,
}

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let Payload { version, presentation } = job.payload()?;
    let Some(work) = load(&job.store, presentation).await? else { return Ok(()) };
    let mut reader = job.store.reader().await?;
    let version = match versions::get(&mut reader, version).await {
        Err(store::Error::NotFound) => return Ok(()),
        other => other?,
    };
    if version.state != "processing" || version.presentation_id.is_some() {
        return Ok(());
    }
    let old = units::list(&mut reader, presentation).await?;
    drop(reader);
    let listed = probe::times(flow, &work.presentation, &work.plan).await?;
    let keep: Vec<Keep> = parse(&version.keep)?;
    let plan = without_unfinished(&work.plan, &old);
    let cut = plan::trim::trim(&plan, &listed, &keep)
        .map_err(|refused| JobError::fatal(refused.to_string(), "cut"))?;
    // Another attempt makes the same presentation again.
    let id = PresentationId(version.id.0);
    let made = tokio::select! {
        made = reuse(flow, &work, &cut, &old, id) => made?,
        () = job.cancelled.cancelled() => return Err(JobError::Stopped),
    };
    if !cut.times.is_empty() {
        let bytes: Vec<u8> = cut.times.iter().flat_map(|time| time.to_le_bytes()).collect();
        flow.blobs.put(&names::unit(id, "times"), Bytes::from(bytes)).await.map_err(blob_error)?;
    }
    failpoint::reach("trim-stored");
    record(job, &work, &version, id, &cut, made).await?;
    Ok(())
}

/// One transaction: the presentation, its plan, the units that are there already, and a job for each that is not.
async fn record(
    job: &JobContext,
    work: &Work,
    version: &versions::Version,
    id: PresentationId,
    cut: &Cut,
    made: Vec<(String, Encoded)>,
) -> Result<(), JobError> {
    let (video, now) = (work.video(), job.now());
    let mut tx = job.store.begin().await?;
    job.finish(&mut tx).await?;
    presentations::insert(&mut tx, id, video, work.source()?, now).await?;
    presentations::set_plan(&mut tx, id, &json(&cut.plan)?, now).await?;
    for (name, result) in &made {
        units::insert(&mut tx, id, name, &json(result)?, now).await?;
    }
    let size = (version.width.zip(version.height)).or(described(&mut tx, work).await?);
    versions::describe(&mut tx, version.id, id, i64::try_from(cut.plan.duration_ms).ok(), size, now).await?;
    let pictures = if cut.plan.video.is_some() { steps::State::Waiting } else { steps::State::Done };
    steps::set(&mut tx, video, steps::Name::Pictures, pictures, 0, 0, "", now).await?;
    steps::set(&mut tx, video, steps::Name::Publish, steps::State::Waiting, 0, 0, "", now).await?;
    let presentation = presentations::get(&mut tx, id).await?;
    super::units::hand_out(&mut tx, &presentation, &cut.plan, now).await?;
    enqueue_publish(&mut tx, &presentation, &job.clock).await?;
    tx.commit().await?;
    metrics::counter!("kinora_trim_segments_total", "made" => "encoded").increment(cut.effort().1 as u64);
    metrics::counter!("kinora_trim_segments_total", "made" => "kept")
        .increment((cut.effort().0 - cut.effort().1) as u64);
    Ok(())
}

/// Display size as the title has it.
async fn described(tx: &mut store::Tx, work: &Work) -> Result<Option<(i64, i64)>, JobError> {
    let row = store::videos::get(tx, work.video()).await?;
    let info = match sources::get(tx, work.source()?).await {
        Ok(source) => source.info,
        Err(store::Error::NotFound) => None,
        Err(error) => return Err(error.into()),
    };
    let info = info.and_then(|info| serde_json::from_str::<crate::probe::SourceInfo>(&info).ok());
    let told = info.and_then(|info| info.video);
    Ok(told
        .map(|video| (i64::from(video.display_width), i64::from(video.display_height)))
        .or(row.width.zip(row.height)))
}

/// A cut makes no sound anew, so forms of it that are added to titles stay only when all of them are there.
fn without_unfinished(plan: &Plan, old: &[Unit]) -> Plan {
    let mut plan = plan.clone();
    let missing = |(track, audio): (usize, &AudioPlan)| {
        audio.is_extra() && audio.units(track).any(|name| !is_in(old, &name))
    };
    if plan.audio.iter().enumerate().any(missing) {
        plan.audio.retain(|audio| !audio.is_extra());
    }
    plan
}

/// The units that need no encoder.
async fn reuse(
    flow: &Workflow,
    work: &Work,
    cut: &Cut,
    old: &[Unit],
    id: PresentationId,
) -> Result<Vec<(String, Encoded)>, JobError> {
    let mut made = Vec::new();
    if let Some(video) = &cut.plan.video {
        for (index, picture) in cut.pictures.iter().enumerate() {
            let Picture::Reused(reused) = picture else { continue };
            made.push((video_unit(index), moved(old, reused)?));
            for codec in video.codecs().into_iter().skip(1) {
                let unit = added_unit(&reused.unit, codec);
                // What was not made yet is made of the cut.
                if is_in(old, &unit) {
                    let reused = Reused { unit, ..reused.clone() };
                    made.push((video.unit(index, codec), moved(old, &reused)?));
                }
            }
        }
    }
    for (track, sounds) in cut.sounds.iter().enumerate() {
        let (before, after) = (&work.plan.audio[track], &cut.plan.audio[track]);
        // Sound is encoded in one go: what is not whole yet is left out (`without_unfinished`).
        for (n, sound) in sounds.iter().enumerate() {
            let name = audio_unit(track, n);
            let result = match sound {
                Sound::Reused(reused) => moved(old, reused)?,
                Sound::Frames { unit, segment, frames } => {
                    let last = after.frames_before(n + 1) == after.frames();
                    let samples = last.then_some(after.samples);
                    let (at, frame) = (after.frames_before(n) * after.frame(), after.frame());
                    let piece = Piece { at, frame, frames: frames.clone(), samples };
                    rewrite(flow, before, found(old, unit)?, *segment, &piece, &unit::folder(id, &name))
                        .await?
                }
            };
            made.push((name, result));
        }
    }
    Ok(made)
}

fn is_in(old: &[Unit], name: &str) -> bool {
    old.iter().any(|unit| unit.name == name)
}

fn found(old: &[Unit], name: &str) -> Result<Encoded, JobError> {
    let unit = old.iter().find(|unit| unit.name == name);
    parse(&unit.ok_or_else(|| JobError::fatal("This title is not complete.", name))?.result)
}

/// The part of an old unit that stays, at its new place on the time line.
fn moved(old: &[Unit], reused: &Reused) -> Result<Encoded, JobError> {
    let mut result = found(old, &reused.unit)?;
    for part in &mut result.tracks {
        let range = reused.segments.clone();
        let short = || JobError::fatal("A stored record is damaged.", &reused.unit);
        let before = part.extent.segments.get(..range.start).ok_or_else(short)?;
        let bytes: u64 = before.iter().map(|segment| u64::from(segment.bytes)).sum();
        let segments = part.extent.segments.get(range).ok_or_else(short)?.to_vec();
        part.extent = Extent {
            object: part.extent.object.clone(),
            offset: part.extent.offset + bytes,
            shift: part.extent.shift + reused.shift,
            segments,
        };
    }
    Ok(result)
}

/// Some frames of a stored segment of sound.
struct Piece {
    /// Decode time of the first, ticks.
    at: u64,
    /// Samples of each.
    frame: u64,
    frames: std::ops::Range<u64>,
    /// Samples of the finished track, when it ends with this piece.
    samples: Option<u64>,
}

/// Writes a segment of some coded frames of a stored one. No sound is decoded.
async fn rewrite(
    flow: &Workflow,
    audio: &AudioPlan,
    unit: Encoded,
    segment: usize,
    piece: &Piece,
    folder: &str,
) -> Result<Encoded, JobError> {
    let damaged = |error: &dyn std::fmt::Display| JobError::fatal("A stored record is damaged.", error);
    let mut tracks = Vec::new();
    for part in unit.tracks {
        let (offset, stored) = place(&part.extent, segment).ok_or_else(|| damaged(&"segment"))?;
        let range = offset..offset + u64::from(stored.bytes);
        let bytes = flow.blobs.range(&part.extent.object, range).await.map_err(blob_error)?;
        let samples = frames(&bytes, piece).map_err(|error| damaged(&error))?;
        let mut out = Vec::new();
        let made = cmaf::segment(1, piece.at, &samples, audio_segments(audio.codec))
            .map_err(|error| damaged(&error))?;
        made.write_to(&mut out);
        let object = format!("{folder}/{}.cmfa", audio.id);
        flow.blobs.put(&object, out.into()).await.map_err(blob_error)?;
        let extent = Extent { object, offset: 0, shift: 0, segments: vec![made.index] };
        tracks.push(Part { id: part.id, head: part.head, extent });
    }
    Ok(Encoded { tracks, by: None })
}

fn place(extent: &Extent, n: usize) -> Option<(u64, &Segment)> {
    let before: u64 = extent.segments.get(..n)?.iter().map(|segment| u64::from(segment.bytes)).sum();
    Some((extent.offset + before, extent.segments.get(n)?))
}

fn frames(segment: &Bytes, piece: &Piece) -> media::Result<Vec<Sample>> {
    let size = moof_size(segment)?.ok_or(media::Error::Truncated("moof"))?;
    let moof = segment.get(8..size).ok_or(media::Error::Truncated("moof"))?;
    let (_, tracks) = parse_moof(moof, 0, size as u64, None)?;
    let all = tracks.first().map(|track| track.samples.as_slice()).unwrap_or_default();
    let wanted = usize::try_from(piece.frames.start).unwrap_or(usize::MAX)
        ..usize::try_from(piece.frames.end).unwrap_or(usize::MAX);
    let wanted = all.get(wanted).ok_or(media::Error::Truncated("a segment of sound"))?;
    let mut dts = piece.at;
    wanted
        .iter()
        .map(|sample| {
            let (from, to) = (sample.range.start as usize, sample.range.end as usize);
            if from > to || to > segment.len() {
                return Err(media::Error::Truncated("a segment of sound"));
            }
            let lasts =
                piece.samples.map_or(piece.frame, |all| piece.frame.min(all.saturating_sub(dts)).max(1));
            let made = Sample {
                dts,
                cts_offset: 0,
                duration: lasts as u32,
                is_sync: true,
                data: segment.slice(from..to),
            };
            dts += piece.frame;
            Ok(made)
        })
        .collect()
}

/// The cut of a title as it stands, for whoever asks before it is made.
pub async fn foresee(
    blobs: &backends::blob::Blobs,
    presentation: &presentations::Presentation,
    keep: &[Keep],
) -> Result<Cut, Foreseen> {
    let plan = presentation.plan.as_deref().and_then(|plan| serde_json::from_str::<Plan>(plan).ok());
    let plan = plan.ok_or(plan::trim::Refused::Unfit)?;
    let listed = match &plan.video {
        Some(video) if video.times == Times::Listed => {
            let bytes = blobs.get(&probe::times_object(presentation)).await?;
            bytes.as_chunks::<8>().0.iter().map(|time| u64::from_le_bytes(*time)).collect()
        }
        _ => Vec::new(),
    };
    Ok(plan::trim::trim(&plan, &listed, keep)?)
}

/// Why a cut cannot be foreseen.
#[derive(Debug, thiserror::Error)]
pub enum Foreseen {
    #[error(transparent)]
    Refused(#[from] plan::trim::Refused),
    #[error(transparent)]
    Blob(#[from] backends::blob::Error),
}
