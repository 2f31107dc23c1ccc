//! A picture of an event while it is live, taken anew now and then: what its card shows.

use std::time::Duration;

use domain::{PresentationId, VideoId};
use store::{artwork, artwork::Origin, videos};

use super::{
    Workflow,
    pictures::{self, KeyFrame},
    stored,
};
use crate::worker::{JobContext, JobError};

/// A job's kind.
pub(super) const KIND: &str = "glimpse";
/// From one picture to the next.
const EVERY: Duration = Duration::from_secs(60);
/// Frames that stay: pages that were made a while ago show an earlier one.
const KEPT: usize = 3;

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let pictures::Payload { presentation } = job.payload()?;
    let video = job.video()?;
    let row = match videos::get(&mut job.store.reader().await?, video).await {
        Err(store::Error::NotFound) => return Ok(()),
        other => other?,
    };
    // The recording gets pictures of its own.
    if !row.is_live() || row.presentation() != Some(presentation) {
        return Ok(());
    }
    if row.artwork.poster.as_ref().is_none_or(|poster| poster.auto) {
        let take = take(flow, job, video, presentation);
        let taken = tokio::select! {
            taken = take => taken,
            () = job.cancelled.cancelled() => return Err(JobError::Stopped),
        };
        match taken {
            Ok(()) => {}
            Err(JobError::Stopped) => return Err(JobError::Stopped),
            // The next one may do better.
            Err(error) => tracing::warn!(%video, %error, "no picture of a live event"),
        }
    }
    Err(JobError::Later(EVERY))
}

/// Makes the newest key frame of the best rendition the poster.
async fn take(
    flow: &Workflow,
    job: &JobContext,
    video: VideoId,
    presentation: PresentationId,
) -> Result<(), JobError> {
    let descriptor = stored::newest(flow, presentation).await?;
    let tracks = descriptor.iter().flat_map(|descriptor| &descriptor.tracks);
    let Some(best) = tracks.into_iter().find(|track| track.is_video()) else { return Ok(()) };
    let newest: Vec<KeyFrame<'_>> = pictures::key_frames(best).pop().into_iter().collect();
    let scratch = flow.scratch()?;
    let taken = pictures::posters(flow, video, best, &newest, scratch.path()).await?;
    let now = job.now();
    let mut tx = job.store.begin().await?;
    job.still_mine(&mut tx).await?;
    for frame in &taken {
        artwork::insert_frame(&mut tx, video, presentation, frame, 0, now).await?;
        artwork::propose(&mut tx, video, &frame.id, now).await?;
    }
    let mut frames = artwork::list(&mut tx, video).await?;
    frames.retain(|picture| picture.origin == Origin::Frame);
    let old = frames.split_off(frames.len().min(KEPT));
    for picture in &old {
        artwork::remove(&mut tx, video, &picture.id).await?;
    }
    tx.commit().await?;
    for picture in &old {
        pictures::forget(flow, video, &picture.id, &picture.variants.0).await?;
    }
    Ok(())
}
