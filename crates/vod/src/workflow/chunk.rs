//! One chunk of video, all rungs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use domain::profile::VideoCodec;
use media::descriptor::Extent;
use store::{
    sources::{self, Source},
    units,
};
use tokio::time;

use super::{
    Work, Workflow, blob_error, failpoint, load,
    master::Master,
    unit::{self, Encoded, Part},
    units::ChunkJob,
};
use crate::{
    encode, guest,
    plan::VideoPlan,
    probe::SourceInfo,
    worker::{JobContext, JobError},
};

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let ChunkJob { presentation, index, codec, software } = job.payload()?;
    let Some(work) = load(&job.store, presentation).await? else { return Ok(()) };
    let name = work.plan.video.as_ref().map_or_else(String::new, |video| video.unit(index, codec));
    let step = unit::step_of(&work.plan, &name);
    let names = units::names(&mut job.store.reader().await?, presentation).await?;
    if names.contains(&name) {
        return Ok(());
    }
    let (before, total) = unit::progress(&work.plan, &names, step);
    let scratch = flow.scratch()?;
    let frames = AtomicU64::new(0);
    let wanted = Wanted { index, codec, software };
    let encode = encode(flow, job, &work, &wanted, scratch.path(), &frames);
    let mut encode = std::pin::pin!(encode);
    let mut tick = time::interval(Duration::from_secs(1));
    let made = loop {
        tokio::select! {
            made = &mut encode => break made?,
            _ = tick.tick() => {
                let done = (before + frames.load(Relaxed) as i64).min(total);
                job.progress(work.video(), step, done, total).await?;
            }
            // Dropping the work kills the guest.
            () = job.cancelled.cancelled() => return Err(JobError::Stopped),
        }
    };
    failpoint::reach("chunk-encoded");
    let folder = unit::folder(presentation, &name);
    let stored = tokio::select! {
        stored = store_all(flow, &folder, made) => stored,
        () = job.cancelled.cancelled() => Err(JobError::Stopped),
    };
    let result = match stored {
        Ok(result) => result,
        Err(error) => {
            flow.blobs.delete_prefix(&folder).await.map_err(blob_error)?;
            return Err(error);
        }
    };
    failpoint::reach("chunk-stored");
    unit::record(flow, job, &work, &name, &result, &folder, true).await?;
    failpoint::reach("chunk-recorded");
    Ok(())
}

/// What a job asks for.
struct Wanted {
    index: usize,
    codec: VideoCodec,
    /// No hardware may take part.
    software: bool,
}

async fn encode(
    flow: &Workflow,
    job: &JobContext,
    work: &Work,
    &Wanted { index, codec, software }: &Wanted,
    scratch: &std::path::Path,
    frames: &AtomicU64,
) -> Result<encode::Encoded, JobError> {
    let source = sources::get(&mut job.store.reader().await?, work.source()?).await?;
    let listed = super::probe::times(flow, &work.presentation, &work.plan).await?;
    let video =
        work.plan.video.as_ref().ok_or_else(|| JobError::fatal("This title has no picture.", index))?;
    let progress = |progress: crate::guest::Progress| frames.store(progress.frames, Relaxed);
    let mut plan = video.only(codec);
    if software {
        plan.hardware.retain(|other| *other != codec);
    }
    if let Some(part) = part(flow, &source, video, index).await? {
        let made = encode::chunk(&flow.tools, &plan, index, &listed, part.path(), scratch, progress).await;
        match made {
            Err(error) if !error.is_transient() => {
                tracing::warn!(chunk = index, %error, "the fetched parts of a source do not do: fetching all of it");
            }
            made => return made.map_err(failed),
        }
    }
    let master = flow.masters.open(&source).await?;
    encode::chunk(&flow.tools, &plan, index, &listed, master.path(), scratch, progress).await.map_err(failed)
}

/// A file with just what the chunk is decoded from, when the source lies in a storage service and tells what that is.
async fn part(
    flow: &Workflow,
    source: &Source,
    video: &VideoPlan,
    index: usize,
) -> Result<Option<Arc<Master>>, JobError> {
    let reach = video.chunks.get(index).map(|chunk| chunk.reach.as_slice()).unwrap_or_default();
    let info = source.info.as_deref().and_then(|info| serde_json::from_str::<SourceInfo>(info).ok());
    let Some(frame) = info.and_then(|info| info.frame).filter(|_| !reach.is_empty()) else { return Ok(None) };
    flow.masters.open_parts(source, &[&frame, reach].concat()).await
}

/// An encoder's failure in words. What this machine cannot do another one may: a file is called damaged when nobody is left to
/// try, or when too many have failed.
pub(super) fn failed(error: encode::Error) -> JobError {
    let full = match &error {
        encode::Error::Guest { source: guest::Error::NoRoom(_), .. } => true,
        encode::Error::Io(error) => error.kind() == std::io::ErrorKind::StorageFull,
        _ => false,
    };
    if full {
        JobError::retry("There is no room to work in.", error)
    } else if error.is_transient() {
        JobError::retry("Converting was interrupted.", error)
    } else if matches!(error, encode::Error::Gaps) {
        JobError::fatal("The Dolby sound of the file has gaps, so it cannot be taken over as it is.", error)
    } else {
        JobError::not_here(
            "The file could not be converted: too much of it is damaged. Export it once more and upload that.",
            error,
        )
    }
}

async fn store_all(flow: &Workflow, folder: &str, made: encode::Encoded) -> Result<Encoded, JobError> {
    let mut tracks = Vec::with_capacity(made.files.len());
    for file in made.files {
        let object = format!("{folder}/{}.cmfv", file.id);
        flow.blobs.put_file(&object, &file.path).await.map_err(blob_error)?;
        tracks.push(Part {
            id: file.id,
            head: file.head,
            extent: Extent { object, offset: 0, shift: 0, segments: file.segments },
        });
    }
    Ok(Encoded { tracks, by: made.by })
}
