//! Presentations: one encoding of one source, with its plan and the numbers of its descriptors.

use domain::{Micros, PresentationId, SourceId, VideoId};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Presentation {
    #[sqlx(try_from = "String")]
    pub id: PresentationId,
    #[sqlx(try_from = "String")]
    pub video_id: VideoId,
    /// `None`: it was sent live.
    pub source_id: Option<String>,
    /// building | growing | complete
    pub state: String,
    /// JSON, once the source was probed.
    pub plan: Option<String>,
    /// The last descriptor version handed out; 0 before the first.
    pub version: i64,
    pub created_at: i64,
}

impl Presentation {
    pub fn source(&self) -> Option<SourceId> {
        self.source_id.as_deref().and_then(|id| id.parse().ok())
    }
}

/// The presentation of a source, made when there is none yet.
pub async fn of_source(tx: &mut Tx, video: VideoId, source: SourceId, now: Micros) -> Result<Presentation> {
    let found = query!(
        fetch_optional,
        &mut *tx,
        Presentation,
        "SELECT id, video_id, source_id, state, plan, version, created_at FROM presentations \
         WHERE video_id = $1 AND source_id = $2 ORDER BY id LIMIT 1",
        video.to_string(),
        source.to_string(),
    )?;
    if let Some(found) = found {
        return Ok(found);
    }
    let id = PresentationId::new();
    execute!(
        &mut *tx,
        "INSERT INTO presentations (id, video_id, source_id, state, version, created_at, updated_at) \
         VALUES ($1, $2, $3, 'building', 0, $4, $4)",
        id.to_string(),
        video.to_string(),
        source.to_string(),
        now.0,
    )?;
    get(tx, id).await
}

/// Makes a presentation with an id of the caller's. One that is there stays as it is.
pub async fn insert(
    tx: &mut Tx,
    id: PresentationId,
    video: VideoId,
    source: SourceId,
    now: Micros,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO presentations (id, video_id, source_id, state, version, created_at, updated_at) \
         VALUES ($1, $2, $3, 'building', 0, $4, $4) ON CONFLICT (id) DO NOTHING",
        id.to_string(),
        video.to_string(),
        source.to_string(),
        now.0,
    )
    .map(|_| ())
}

/// Makes a presentation without a source, which grows from now on. One that is there stays as it is.
pub async fn insert_live(tx: &mut Tx, id: PresentationId, video: VideoId, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO presentations (id, video_id, state, version, created_at, updated_at) \
         VALUES ($1, $2, 'growing', 0, $3, $3) ON CONFLICT (id) DO NOTHING",
        id.to_string(),
        video.to_string(),
        now.0,
    )
    .map(|_| ())
}

/// Removes a presentation and its units. Stored objects are the caller's care.
pub async fn delete(tx: &mut Tx, id: PresentationId) -> Result<()> {
    execute!(tx, "DELETE FROM presentations WHERE id = $1", id.to_string()).map(|_| ())
}

pub async fn get(conn: &mut impl Connect, id: PresentationId) -> Result<Presentation> {
    query!(
        fetch_one,
        conn,
        Presentation,
        "SELECT id, video_id, source_id, state, plan, version, created_at FROM presentations WHERE id = $1",
        id.to_string(),
    )
}

/// All presentations of a title, oldest first.
pub async fn of_video(conn: &mut impl Connect, video: VideoId) -> Result<Vec<Presentation>> {
    query!(
        fetch_all,
        conn,
        Presentation,
        "SELECT id, video_id, source_id, state, plan, version, created_at FROM presentations \
         WHERE video_id = $1 ORDER BY id",
        video.to_string(),
    )
}

/// Fixes the plan. A plan is written once: [`Error::Stale`] when there is one.
pub async fn set_plan(tx: &mut Tx, id: PresentationId, plan: &str, now: Micros) -> Result<()> {
    let done = execute!(
        tx,
        "UPDATE presentations SET plan = $1, updated_at = $2 WHERE id = $3 AND plan IS NULL",
        plan,
        now.0,
        id.to_string(),
    )?;
    if done == 1 { Ok(()) } else { Err(Error::Stale) }
}

/// Hands out the next descriptor version. The row stays locked until the transaction ends, so that a descriptor with a
/// greater number never knows less than one with a smaller.
pub async fn next_version(tx: &mut Tx, id: PresentationId, now: Micros) -> Result<u64> {
    let (version,) = query!(
        fetch_one,
        tx,
        (i64,),
        "UPDATE presentations SET version = version + 1, updated_at = $1 WHERE id = $2 RETURNING version",
        now.0,
        id.to_string(),
    )?;
    u64::try_from(version).map_err(|_| Error::Corrupt(format!("presentations.version {version}")))
}

/// Notes the number of a descriptor that was written by who hands out numbers of its own: a live node.
pub async fn described(tx: &mut Tx, id: PresentationId, version: u64) -> Result<()> {
    let version = i64::try_from(version).unwrap_or(i64::MAX);
    execute!(
        tx,
        "UPDATE presentations SET version = $1 WHERE id = $2 AND version < $1",
        version,
        id.to_string()
    )
    .map(|_| ())
}

/// Makes others that add units wait for this transaction, so that each sees what was added before it.
pub async fn lock(tx: &mut Tx, id: PresentationId) -> Result<()> {
    execute!(tx, "UPDATE presentations SET updated_at = updated_at WHERE id = $1", id.to_string())?;
    Ok(())
}

/// Notes that it can be played, or that nothing will be added any more. Never goes back.
pub async fn published(tx: &mut Tx, id: PresentationId, complete: bool, now: Micros) -> Result<()> {
    execute!(
        tx,
        "UPDATE presentations SET state = $1, updated_at = $2 WHERE id = $3 AND state <> 'complete'",
        if complete { "complete" } else { "growing" },
        now.0,
        id.to_string(),
    )?;
    Ok(())
}
