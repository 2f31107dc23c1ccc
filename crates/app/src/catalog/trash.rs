//! The way into the trash and out of it, as single edits and bulk edits take it.

use api::Problem;
use domain::{Micros, UserId, VideoId};
use serde_json::Value;
use store::{Connect, Tx, jobs, library, videos};

use crate::{App, Result, announce};

/// Moves a title to the trash; one that lies there already stays as it is. 409 while it is sent live.
pub(crate) async fn put(
    app: &App,
    tx: &mut Tx,
    row: &videos::Video,
    by: UserId,
    now: Micros,
) -> Result<videos::Video> {
    if !row.is_trashed() {
        app.refuse_live(tx, row).await?;
        videos::trash(tx, row.id, now).await?;
        note(tx, row, by, true, now).await?;
        let trashed = videos::get(tx, row.id).await?;
        announce::deleted(tx, &trashed, false, now).await?;
        return Ok(trashed);
    }
    Ok(videos::get(tx, row.id).await?)
}

/// Takes a title out of the trash; one that is not there stays as it is. 409 once it is being deleted for good.
pub(super) async fn take_out(
    tx: &mut Tx,
    row: &videos::Video,
    by: UserId,
    now: Micros,
) -> Result<videos::Video> {
    if is_being_purged(tx, row.id).await? {
        return Err(Problem::conflict("This title is being deleted for good.").into());
    }
    if row.is_trashed() {
        videos::restore(tx, row.id, now).await?;
        note(tx, row, by, false, now).await?;
        announce::restored(tx, row, now).await?;
    }
    Ok(videos::get(tx, row.id).await?)
}

async fn note(tx: &mut Tx, row: &videos::Video, by: UserId, trashed: bool, now: Micros) -> Result<()> {
    let (old, new) = (Value::Bool(!trashed), Value::Bool(trashed));
    library::insert_change(tx, row.id, Some(by), "trashed", &old, &new, row.revision + 1, now).await?;
    Ok(())
}

async fn is_being_purged(conn: &mut impl Connect, id: VideoId) -> Result<bool> {
    let jobs = jobs::list(conn, &id.to_string()).await?;
    Ok(jobs.iter().any(|job| job.kind == "purge" && !matches!(job.state, jobs::State::Cancelled)))
}
