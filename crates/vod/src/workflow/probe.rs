//! Looking at the source, planning the title, and handing out its work.

use bytes::Bytes;
use domain::{Micros, SourceId};
use serde::Deserialize;
use store::{Connect, presentations, presentations::Presentation, sources, steps, versions, videos};

use super::{Workflow, blob_error, failpoint, json, parse, units};
use crate::{
    hardware,
    plan::{self, Plan, Times},
    probe::{self, Index, Refusal, SourceInfo},
    worker::{About, JobContext, JobError},
};

/// A worker that gave no sign of life for so long is not counted on, microseconds.
const SILENT_AFTER: i64 = 60 * Micros::SECOND;

#[derive(Debug, Deserialize)]
struct Payload {
    source: SourceId,
}

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let Payload { source } = job.payload()?;
    let video = job.video()?;
    let source = match sources::get(&mut job.store.reader().await?, source).await {
        Err(store::Error::NotFound) => return Ok(()),
        other => other?,
    };
    let mut tx = job.store.begin().await?;
    job.still_mine(&mut tx).await?;
    let presentation = presentations::of_source(&mut tx, video, source.id, job.now()).await?;
    steps::set(&mut tx, video, steps::Name::Probe, steps::State::Running, 0, 1, "", job.now()).await?;
    tx.commit().await?;
    failpoint::reach("probe-started");

    // A retry goes on with the plan that there is.
    let (plan, info) = match (&presentation.plan, &source.info) {
        (Some(plan), Some(info)) => (parse(plan)?, parse::<SourceInfo>(info)?),
        _ => {
            let master = flow.masters.open(&source).await?;
            let look = probe::probe(&flow.tools, master.path(), &flow.limits);
            let (info, index) = tokio::select! {
                found = look => found.map_err(refused)?,
                () = job.cancelled.cancelled() => return Err(JobError::Stopped),
            };
            let mut reader = job.store.reader().await?;
            let profile = flow.profile(&mut reader).await?;
            let workers = workers(&mut reader, job.now()).await?;
            drop(reader);
            let mut plan = plan::plan(&info, &index, &profile).map_err(|refusal| refused(refusal.into()))?;
            if let Some(video) = &mut plan.video {
                video.hardware = hardware::planned(&profile, &workers);
            }
            keep_times(flow, &presentation, &plan, &index).await?;
            (plan, info)
        }
    };
    failpoint::reach("probe-planned");
    hand_out(job, &presentation, source.id, &plan, &info).await?;
    Ok(())
}

/// What the workers that are there tell of themselves.
async fn workers(conn: &mut impl Connect, now: Micros) -> Result<Vec<About>, JobError> {
    let rows = store::workers::list(conn).await?;
    let there = rows.iter().filter(|row| row.drained == 0 && now.0 - row.seen_at.0 <= SILENT_AFTER);
    Ok(there.filter_map(|row| serde_json::from_str(&row.about).ok()).collect())
}

fn refused(error: probe::Error) -> JobError {
    match error {
        probe::Error::Refused(refusal) => JobError::fatal(refusal.to_string(), refusal.detail()),
        // A guest that crashed, or thought for too long, will do so again.
        probe::Error::Guest(error) if !error.is_transient() => {
            JobError::fatal(Refusal::Damaged(String::new()).to_string(), error)
        }
        other => JobError::retry("The file could not be examined.", other),
    }
}

/// Where the list of frame times is kept when the plan has one.
pub(super) fn times_object(presentation: &Presentation) -> String {
    backends::blob::names::unit(presentation.id, "times")
}

async fn keep_times(flow: &Workflow, to: &Presentation, plan: &Plan, index: &Index) -> Result<(), JobError> {
    let Some(video) = plan.video.as_ref().filter(|video| video.times == Times::Listed) else { return Ok(()) };
    let times = plan::listed_times(video, index);
    let bytes: Vec<u8> = times.iter().flat_map(|time| time.to_le_bytes()).collect();
    flow.blobs.put(&times_object(to), Bytes::from(bytes)).await.map_err(blob_error)
}

/// Reads that list; empty when the plan needs none.
pub(super) async fn times(flow: &Workflow, of: &Presentation, plan: &Plan) -> Result<Vec<u64>, JobError> {
    if plan.video.as_ref().is_none_or(|video| video.times != Times::Listed) {
        return Ok(Vec::new());
    }
    let bytes = flow.blobs.get(&times_object(of)).await.map_err(blob_error)?;
    Ok(bytes.as_chunks::<8>().0.iter().map(|time| u64::from_le_bytes(*time)).collect())
}

/// One transaction: the plan, the steps that people see, and every job that is not done yet.
async fn hand_out(
    job: &JobContext,
    presentation: &Presentation,
    source: SourceId,
    plan: &Plan,
    info: &SourceInfo,
) -> Result<(), JobError> {
    let (video, now) = (presentation.video_id, job.now());
    let mut tx = job.store.begin().await?;
    job.finish(&mut tx).await?;
    if presentation.plan.is_none() {
        sources::set_info(&mut tx, source, &json(info)?).await?;
        presentations::set_plan(&mut tx, presentation.id, &json(plan)?, now).await?;
    }
    let size = info.video.as_ref().map(|v| (i64::from(v.display_width), i64::from(v.display_height)));
    let duration = i64::try_from(plan.duration_ms).ok();
    match versions::pending(&mut tx, video).await? {
        // The title is as it was until this version plays.
        Some(version) if version.source() == Some(source) => {
            versions::describe(&mut tx, version.id, presentation.id, duration, size, now).await?;
        }
        _ => videos::describe(&mut tx, video, duration, size, now).await?,
    }
    let notice = info.ending.map_or_else(String::new, |ending| ending.words());
    steps::set(&mut tx, video, steps::Name::Probe, steps::State::Done, 1, 1, &notice, now).await?;
    let pictures = if plan.video.is_some() { steps::State::Waiting } else { steps::State::Done };
    steps::set(&mut tx, video, steps::Name::Pictures, pictures, 0, 0, "", now).await?;
    steps::set(&mut tx, video, steps::Name::Publish, steps::State::Waiting, 0, 0, "", now).await?;
    units::hand_out(&mut tx, presentation, plan, now).await?;
    super::enqueue_publish(&mut tx, presentation, &job.clock).await?;
    tx.commit().await?;
    Ok(())
}
