//! The same bytes sent twice by the same person. What others have sent never counts.

use domain::{Micros, SourceId, VideoId};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
    jobs, sources, uploads,
};

/// Notes the SHA-256 (hex) of a source. When its owner had sent the same bytes before, a title made of it is told to be a
/// duplicate of the earlier one.
pub async fn recognise(tx: &mut Tx, source: SourceId, sha256: &str, now: Micros) -> Result<()> {
    let source = sources::get(tx, source).await?;
    // Of two that end at the same moment, the later sees the earlier.
    uploads::lock_quota(tx, source.owner_id).await?;
    execute!(&mut *tx, "UPDATE sources SET sha256 = $1 WHERE id = $2", sha256, source.id.to_string())?;
    let earlier = query!(
        fetch_optional,
        &mut *tx,
        (String,),
        "SELECT s.video_id FROM sources s JOIN videos v ON v.id = s.video_id \
         WHERE s.owner_id = $1 AND s.sha256 = $2 AND s.video_id <> $3 AND v.owner_id = $1 AND v.state NOT IN ('failed', 'cancelled') \
         ORDER BY s.created_at, s.id LIMIT 1",
        source.owner_id.to_string(),
        sha256,
        source.video_id.to_string(),
    )?;
    let Some((earlier,)) = earlier else { return Ok(()) };
    // Only of a title that has just begun: the next version of one may well be another's file.
    execute!(
        tx,
        "UPDATE videos SET duplicate_of = $1, revision = revision + 1, updated_at = $2 \
         WHERE id = $3 AND owner_id = $4 AND source_id = $5 AND NOT EXISTS (SELECT 1 FROM versions r WHERE r.video_id = videos.id)",
        earlier,
        now.0,
        source.video_id.to_string(),
        source.owner_id.to_string(),
        source.id.to_string(),
    )
    .map(|_| ())
}

/// The bytes did not come in order: a worker reads them once more.
pub async fn look_later(tx: &mut Tx, video: VideoId, source: SourceId, now: Micros) -> Result<()> {
    let (subject, payload) = (video.to_string(), serde_json::json!({ "source": source }).to_string());
    let job = jobs::NewJob::new("fingerprint", &subject, &payload).priority(jobs::priority::IDLE);
    jobs::enqueue(tx, &job, now).await.map(|_| ())
}

/// The owner wants both. Says whether there was a notice.
pub async fn keep(tx: &mut Tx, video: VideoId, now: Micros) -> Result<bool> {
    let done = execute!(
        tx,
        "UPDATE videos SET duplicate_of = NULL, revision = revision + 1, updated_at = $1 WHERE id = $2 AND duplicate_of IS NOT NULL",
        now.0,
        video.to_string(),
    )?;
    Ok(done == 1)
}

/// A title is gone: none is its duplicate any more.
pub async fn forget(tx: &mut Tx, video: VideoId, now: Micros) -> Result<()> {
    execute!(
        tx,
        "UPDATE videos SET duplicate_of = NULL, updated_at = $1 WHERE duplicate_of = $2",
        now.0,
        video.to_string(),
    )
    .map(|_| ())
}

/// The SHA-256 of a source, hex, once it is known.
pub async fn sha256(conn: &mut impl Connect, source: SourceId) -> Result<Option<String>> {
    let found = query!(
        fetch_optional,
        conn,
        (Option<String>,),
        "SELECT sha256 FROM sources WHERE id = $1",
        source.to_string(),
    )?;
    found.map(|(sha256,)| sha256).ok_or(Error::NotFound)
}
