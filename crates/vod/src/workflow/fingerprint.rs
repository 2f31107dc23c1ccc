//! The SHA-256 of a source whose bytes did not come in order: read once more, when nothing else is to be done.

use domain::SourceId;
use futures::TryStreamExt;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use store::{duplicates, sources};

use super::{Workflow, blob_error};
use crate::worker::{JobContext, JobError};

#[derive(Debug, Deserialize)]
struct Payload {
    source: SourceId,
}

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let Payload { source } = job.payload()?;
    let source = match sources::get(&mut job.store.reader().await?, source).await {
        Err(store::Error::NotFound) => return Ok(()),
        other => other?,
    };
    let mut hasher = Sha256::new();
    for part in &source.parts.0 {
        let mut pieces = flow.blobs.stream(&part.object, None).await.map_err(blob_error)?;
        while let Some(piece) = pieces.try_next().await.map_err(blob_error)? {
            if job.cancelled.is_cancelled() {
                return Err(JobError::Stopped);
            }
            hasher.update(&piece);
            tokio::task::yield_now().await;
        }
    }
    let mut tx = job.store.begin().await?;
    job.finish(&mut tx).await?;
    duplicates::recognise(&mut tx, source.id, &hex::encode(hasher.finalize()), job.now()).await?;
    tx.commit().await?;
    Ok(())
}
