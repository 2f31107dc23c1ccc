//! The end of a title: all its blobs, then its rows.

use std::{collections::BTreeSet, time::Duration};

use backends::blob::names;
use domain::Gone;
use store::{attempts, duplicates, jobs, presentations, sources, videos};

use super::{Workflow, blob_error, discard, failpoint};
use crate::worker::{JobContext, JobError};

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let video = job.video()?;
    let mut reader = job.store.reader().await?;
    // Cancelled jobs may still be storing something.
    if !jobs::settled(&mut reader, &job.claim.subject, &job.claim.id, job.now()).await? {
        return Err(JobError::Later(Duration::from_secs(1)));
    }
    let presentations = presentations::of_video(&mut reader, video).await?;
    let sources = sources::of_video(&mut reader, video).await?;
    // A cut title refers to objects of presentations that are gone.
    let mut elsewhere = BTreeSet::new();
    for presentation in &presentations {
        elsewhere.extend(discard::objects_of(&mut reader, presentation.id).await?);
    }
    drop(reader);
    let mut prefixes = vec![names::pictures(video)];
    prefixes.extend(presentations.iter().map(|presentation| names::presentation(presentation.id)));
    prefixes.extend(sources.iter().map(|source| names::masters(source.id)));
    for prefix in prefixes {
        flow.blobs.delete_prefix(&prefix).await.map_err(blob_error)?;
        failpoint::reach("purge-prefix");
    }
    // A source may also consist of parts that lie elsewhere.
    for part in sources.iter().flat_map(|source| &source.parts.0) {
        flow.blobs.delete(&part.object).await.map_err(blob_error)?;
    }
    for object in &elsewhere {
        flow.blobs.delete(object).await.map_err(blob_error)?;
    }
    let mut tx = job.store.begin().await?;
    job.finish(&mut tx).await?;
    duplicates::forget(&mut tx, video, job.now()).await?;
    attempts::forget_logs(&mut tx, &job.claim.subject).await?;
    videos::delete(&mut tx, video).await?;
    tx.commit().await?;
    for presentation in &presentations {
        flow.bus.tell(&Gone::Presentation(presentation.id));
    }
    Ok(())
}
