//! Making a clip of what an event sent, or another version of its recording: segments get a second life under names of its own.

use backends::blob::{self, names};
use domain::{PresentationId, VersionId};
use futures::{StreamExt, stream};
use media::{
    descriptor::{Descriptor, TrackKind},
    excerpt,
};
use serde::Deserialize;
use store::{presentations, steps, versions, videos};

use super::{Workflow, blob_error, enqueue_publish, json, stored};
use crate::worker::{JobContext, JobError};

/// Objects that are copied at a time.
const AT_A_TIME: usize = 16;
/// The version of a clip's first descriptor.
const FIRST: u64 = 1;

#[derive(Debug, Deserialize)]
struct Payload {
    /// The clip's.
    presentation: PresentationId,
    /// What it is cut out of.
    of: PresentationId,
    first: usize,
    end: usize,
    /// The version of the title that it becomes.
    version: Option<VersionId>,
}

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let Payload { presentation: id, of, first, end, version } = job.payload()?;
    let presentation = match presentations::get(&mut job.store.reader().await?, id).await {
        Err(store::Error::NotFound) => return Ok(()),
        other => other?,
    };
    let gone = |detail: &dyn std::fmt::Display| {
        JobError::fatal("The recording was deleted before this was made.", detail)
    };
    let event = stored::newest(flow, of).await?.ok_or_else(|| gone(&of))?;
    let (tracks, objects) = excerpt::tracks(&event, &(first..end), |n| names::live_segment(id, n as u64));
    let total = objects.len() as i64;
    let copies = objects.into_iter().map(|(from, to)| {
        let blobs = flow.blobs.clone();
        async move { blobs.copy(&from, &to).await }
    });
    let mut copies = stream::iter(copies).buffer_unordered(AT_A_TIME).enumerate();
    let copy = async {
        while let Some((n, copied)) = copies.next().await {
            match copied {
                Err(blob::Error::NotFound(object)) => return Err(gone(&object)),
                other => other.map_err(blob_error)?,
            }
            job.progress(presentation.video_id, steps::Name::Publish, n as i64 + 1, total).await?;
        }
        Ok::<_, JobError>(())
    };
    tokio::select! {
        copied = copy => copied?,
        () = job.cancelled.cancelled() => return Err(JobError::Stopped),
    }
    let mut descriptor = Descriptor {
        format: Descriptor::format_of(&tracks),
        presentation: id.to_string(),
        version: FIRST,
        complete: true,
        created_at: presentation.created_at,
        tracks,
        storyboard: None,
        ..event
    };
    descriptor.planned_duration_ms = excerpt::duration_ms(&descriptor);
    match flow.blobs.put_new(&names::descriptor(id, FIRST), json(&descriptor)?.into()).await {
        Ok(()) | Err(blob::Error::Exists(_)) => {}
        Err(error) => return Err(blob_error(error)),
    }
    let size = descriptor.tracks.iter().find_map(|track| match track.kind {
        TrackKind::Video { width, height, .. } => Some((i64::from(width), i64::from(height))),
        TrackKind::Audio { .. } => None,
    });
    let now = job.now();
    let mut tx = job.store.begin().await?;
    job.finish(&mut tx).await?;
    presentations::described(&mut tx, id, FIRST).await?;
    let length = i64::try_from(descriptor.planned_duration_ms).ok();
    match version {
        Some(version) => versions::describe(&mut tx, version, id, length, size, now).await?,
        None => videos::describe(&mut tx, presentation.video_id, length, size, now).await?,
    }
    enqueue_publish(&mut tx, &presentation, &job.clock).await?;
    tx.commit().await?;
    Ok(())
}
