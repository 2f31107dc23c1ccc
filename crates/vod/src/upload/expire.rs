//! Forgetting unfinished uploads whose time has passed (§ Expiration), and finished ones that nobody asks about any more.

use store::uploads;

use super::{
    Uploads, complete,
    error::{Error, Result},
};

const BATCH: u32 = 100;

/// How many uploads were forgotten, and how many are left for the next time since something failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    pub removed: u64,
    pub failed: u64,
}

/// Removes every upload past its time, with its stored bytes and its never-started title. To be run every few minutes, on
/// any number of replicas.
pub async fn expire(uploads: &Uploads) -> Result<Expired> {
    let mut count = Expired::default();
    loop {
        let now = uploads.clock.now();
        let batch = uploads::expired(&mut uploads.store.reader().await?, now, BATCH).await?;
        let mut removed = 0;
        for upload in &batch {
            match complete::remove(uploads, upload).await {
                Ok(()) | Err(Error::Store(store::Error::NotFound)) => removed += 1,
                // Somebody else is at it.
                Err(Error::Locked | Error::Store(store::Error::Stale)) => {}
                Err(error) => {
                    count.failed += 1;
                    tracing::warn!(%error, upload = %upload.id, "an expired upload could not be removed yet");
                }
            }
        }
        count.removed += removed;
        if removed == 0 || batch.len() < BATCH as usize {
            return Ok(count);
        }
    }
}
