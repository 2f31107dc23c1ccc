//! What a unit of work leaves behind, and recording it.

use domain::PresentationId;
use media::descriptor::Extent;
use serde::{Deserialize, Serialize};
use store::{presentations, steps, units};

use super::{Work, Workflow, blob_error, enqueue_publish, json};
use crate::{
    encode::TrackHead,
    hardware::Backend,
    plan::Plan,
    worker::{JobContext, JobError},
};

/// The result of an encoding unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Encoded {
    pub tracks: Vec<Part>,
    /// The kind of hardware that took part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Backend>,
}

/// What a unit adds to one track.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Part {
    pub id: String,
    #[serde(flatten)]
    pub head: TrackHead,
    pub extent: Extent,
}

/// A folder of objects that no other attempt writes to.
pub(super) fn folder(id: PresentationId, unit: &str) -> String {
    let unit = format!("{}-{}", unit.replace(':', "."), uuid::Uuid::now_v7().simple());
    backends::blob::names::unit(id, &unit)
}

/// Units of `plan` done so far in one of the encoding steps, as `(done, total)`: frames of the picture in the first codec, or
/// in all others; stretches of sound.
pub(super) fn progress(plan: &Plan, names: &[String], step: steps::Name) -> (i64, i64) {
    let has = |name: &String| names.iter().any(|known| known == name);
    let mut counts = (0, 0);
    let mut count = |name: String, weight: u64| {
        counts.1 += weight as i64;
        counts.0 += if has(&name) { weight as i64 } else { 0 };
    };
    let added = step == steps::Name::Formats;
    let sound = plan.audio.iter().enumerate().filter(|(_, audio)| audio.is_extra() == added);
    let frames = plan.video.iter().flat_map(|video| {
        let wanted = video.codecs().into_iter().enumerate().filter(move |(n, _)| (*n > 0) == added);
        wanted.flat_map(move |(_, codec)| {
            let chunks = video.chunks.iter().enumerate();
            chunks.map(move |(index, chunk)| (video.unit(index, codec), chunk.frames()))
        })
    });
    if step != steps::Name::Encode {
        sound.flat_map(|(track, audio)| audio.units(track)).for_each(|name| count(name, 1));
    }
    if step != steps::Name::Audio {
        frames.for_each(|(name, frames)| count(name, frames));
    }
    counts
}

/// The step that a unit belongs to.
pub(super) fn step_of(plan: &Plan, name: &str) -> steps::Name {
    if plan.extras().iter().flatten().any(|extra| extra == name) {
        steps::Name::Formats
    } else if name.starts_with('a') {
        steps::Name::Audio
    } else {
        steps::Name::Encode
    }
}

/// Records a unit, shows progress and asks for a new descriptor. With `last` it also ends the job. Whatever was stored in
/// `folder` is removed when it is not needed.
pub(super) async fn record(
    flow: &Workflow,
    job: &JobContext,
    work: &Work,
    name: &str,
    result: &Encoded,
    folder: &str,
    last: bool,
) -> Result<(), JobError> {
    let recorded = commit(job, work, name, result, last).await;
    match &recorded {
        // Another attempt was first, or the job is not ours any more. An unclear commit keeps its objects.
        Ok(false) | Err(JobError::Stopped) => {
            flow.blobs.delete_prefix(folder).await.map_err(blob_error)?;
        }
        Ok(true) | Err(_) => {}
    }
    recorded.map(|_| ())
}

async fn commit(
    job: &JobContext,
    work: &Work,
    name: &str,
    result: &Encoded,
    last: bool,
) -> Result<bool, JobError> {
    let (id, now) = (work.id(), job.now());
    let mut tx = job.store.begin().await?;
    if last {
        job.finish(&mut tx).await?;
    } else {
        job.still_mine(&mut tx).await?;
    }
    // Two chunks that end at the same moment would each count without the other.
    presentations::lock(&mut tx, id).await?;
    let fresh = units::insert(&mut tx, id, name, &json(result)?, now).await?;
    let step = step_of(&work.plan, name);
    let (done, total) = progress(&work.plan, &units::names(&mut tx, id).await?, step);
    let state = if done == total { steps::State::Done } else { steps::State::Running };
    steps::set(&mut tx, work.video(), step, state, done, total, "", now).await?;
    enqueue_publish(&mut tx, &work.presentation, &job.clock).await?;
    tx.commit().await?;
    Ok(fresh)
}
