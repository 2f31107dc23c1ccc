//! Writing the next descriptor, and telling the title what can be played.

use std::{collections::HashSet, time::Duration};

use backends::blob::{self, names};
use domain::PresentationId;
use serde::Deserialize;
use store::{artwork, jobs, outbox, presentations, steps, units, versions, videos};

use super::{Workflow, blob_error, descriptor::Assembled, failpoint, json, stored::Stored, units::remake};
use crate::worker::{JobContext, JobError};

/// How long to wait for those who are still at work before looking for what they left.
const TIDY_LATER: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize)]
struct Payload {
    presentation: PresentationId,
}

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let Payload { presentation: id } = job.payload()?;
    let Some(stored) = Stored::load(flow, &job.store, id).await? else { return Ok(()) };
    // Number and contents in one transaction: a greater number never knows less.
    let mut tx = job.store.begin().await?;
    job.still_mine(&mut tx).await?;
    let version = presentations::next_version(&mut tx, id, job.now()).await?;
    let units = units::list(&mut tx, id).await?;
    let Some(assembled) = stored.assemble(&units, version)? else { return Ok(()) };
    if let (Stored::Planned(work), false) = (&stored, assembled.unfit.is_empty()) {
        let unfit = assembled.unfit.len();
        tracing::warn!(presentation = %id, unfit, "software makes again what hardware made otherwise");
        remake(&mut tx, &work.presentation, &work.plan, &assembled.unfit, job.now()).await?;
    }
    tx.commit().await?;

    let object = names::descriptor(id, version);
    match flow.blobs.put_new(&object, json(&assembled.descriptor)?.into()).await {
        // An earlier attempt of this very number; numbers are given once, so it is the same.
        Ok(()) | Err(blob::Error::Exists(_)) => {}
        Err(error) => return Err(blob_error(error)),
    }
    failpoint::reach("publish-stored");
    tell(job, stored.presentation(), &assembled).await?;
    failpoint::reach("publish-recorded");
    if assembled.encoded && assembled.pictured {
        tidy(flow, job, &assembled, id, version).await?;
    }
    Ok(())
}

async fn tell(
    job: &JobContext,
    of: &presentations::Presentation,
    assembled: &Assembled,
) -> Result<(), JobError> {
    let (video, now) = (of.video_id, job.now());
    let complete = assembled.encoded && assembled.pictured;
    let mut tx = job.store.begin().await?;
    job.still_mine(&mut tx).await?;
    let before = videos::get(&mut tx, video).await?;
    let version = versions::of_presentation(&mut tx, of.id).await?;
    let replaces = version.as_ref().filter(|version| version.is_pending()).map(|version| version.id);
    match (&version, replaces) {
        // The title goes on with what it plays until the new version is complete: that can be watched to its end.
        (_, Some(version)) if complete => versions::take_over(&mut tx, version, now).await?,
        (_, Some(_)) => {}
        (Some(version), None) if version.superseded_at.is_some() || version.state != "ready" => {}
        _ => videos::playable(&mut tx, video, of.id, complete, now).await?,
    }
    presentations::published(&mut tx, of.id, complete, now).await?;
    let state = if complete { steps::State::Done } else { steps::State::Running };
    let (done, total) = (i64::from(complete) + 1, 2);
    steps::set(&mut tx, video, steps::Name::Publish, state, done, total, "", now).await?;
    let subject = video.to_string();
    if assembled.encoded && !assembled.pictured && !at_work_on_pictures(&mut tx, &subject).await? {
        let payload = serde_json::json!({ "presentation": of.id }).to_string();
        let key = format!("pictures:{}", of.id);
        let new = jobs::NewJob::new("pictures", &subject, &payload).dedupe(&key).max_attempts(3);
        jobs::enqueue(&mut tx, &new, now).await?;
    }
    let payload = serde_json::json!({ "presentation": of.id, "complete": complete }).to_string();
    if before.published_at.is_none() {
        outbox::append(&mut tx, "title.playable", &subject, &payload, now).await?;
        if before.visibility.is_listed() && !before.is_trashed() {
            outbox::append(&mut tx, "title.published", &subject, &payload, now).await?;
        }
    }
    if complete && replaces.is_some() {
        outbox::append(&mut tx, "title.replaced", &subject, &payload, now).await?;
    }
    if complete && !before.complete {
        outbox::append(&mut tx, "title.complete", &subject, &payload, now).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// A claimed job has let go of its key: another one would make the same pictures beside it.
async fn at_work_on_pictures(tx: &mut store::Tx, subject: &str) -> store::Result<bool> {
    let jobs = jobs::list(tx, subject).await?;
    Ok(jobs.iter().any(|job| job.kind == "pictures" && job.state == jobs::State::Running))
}

/// Removes older descriptors and what attempts that died have left.
async fn tidy(
    flow: &Workflow,
    job: &JobContext,
    assembled: &Assembled,
    id: PresentationId,
    version: u64,
) -> Result<(), JobError> {
    let used: HashSet<&str> = assembled
        .descriptor
        .tracks
        .iter()
        .flat_map(|track| &track.extents)
        .map(|extent| extent.object.as_str())
        .collect();
    let settled =
        jobs::settled(&mut job.store.reader().await?, &job.claim.subject, &job.claim.id, job.now()).await?;
    for entry in flow.blobs.list(&names::presentation(id)).await.map_err(blob_error)? {
        let stale = names::descriptor_version(&entry.object).is_some_and(|old| old < version);
        let media = entry.object.ends_with(".cmfv") || entry.object.ends_with(".cmfa");
        // Units that are still to come in may be stored already.
        let orphan = assembled.whole && settled && media && !used.contains(entry.object.as_str());
        if stale || orphan {
            flow.blobs.delete(&entry.object).await.map_err(blob_error)?;
        }
    }
    if settled {
        tidy_pictures(flow, job).await
    } else if assembled.whole {
        // Somebody is still at work on what is there already, and may leave something behind.
        Err(JobError::Later(TIDY_LATER))
    } else {
        Ok(())
    }
}

/// Removes pictures that no row names.
async fn tidy_pictures(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let video = job.video()?;
    let stored = flow.blobs.list(&names::pictures(video)).await.map_err(blob_error)?;
    let known = artwork::ids(&mut job.store.reader().await?, video).await?;
    for entry in stored {
        let file = entry.object.rsplit('/').next().unwrap_or_default();
        let id = file.rsplit_once('-').map_or(file, |(id, _width)| id);
        if known.iter().all(|known| known != id) {
            flow.blobs.delete(&entry.object).await.map_err(blob_error)?;
        }
    }
    Ok(())
}
