//! Versions of a title: what played under its address, plays, or is being made to.
//!
//! ```text
//! uploading ──▶ processing ──▶ ready (plays) ──▶ ready (superseded) ──▶ purging ──▶ no row
//!     └──────┬──────┘              ▲                    │
//!            ▼                     └──── go back ───────┘
//!    failed, cancelled
//! ```
//!
//! The title keeps playing what it played until a new version is complete. A title with one encoding has no rows: the first
//! is written when a second one begins.

use domain::{Micros, PresentationId, SourceId, UserId, VersionId, VideoId};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
    jobs, sources, videos,
};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Version {
    #[sqlx(try_from = "String")]
    pub id: VersionId,
    #[sqlx(try_from = "String")]
    pub video_id: VideoId,
    /// 1, 2, 3 … of its title.
    pub number: i64,
    /// original | replaced | trimmed
    pub kind: String,
    /// uploading | processing | ready | failed | cancelled | purging
    pub state: String,
    /// Why it failed, in words for the creator.
    pub error: Option<String>,
    pub source_id: Option<String>,
    pub presentation_id: Option<String>,
    pub filename: String,
    /// JSON [[start_ms, end_ms]] of a trimmed one, on the time line of the version before.
    pub keep: String,
    pub duration_ms: Option<i64>,
    pub width: Option<i64>,
    pub height: Option<i64>,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
    /// Plays no longer since.
    pub superseded_at: Option<i64>,
}

impl Version {
    pub fn source(&self) -> Option<SourceId> {
        self.source_id.as_deref().and_then(|id| id.parse().ok())
    }

    pub fn presentation(&self) -> Option<PresentationId> {
        self.presentation_id.as_deref().and_then(|id| id.parse().ok())
    }

    /// Is it still being made?
    pub fn is_pending(&self) -> bool {
        matches!(self.state.as_str(), "uploading" | "processing")
    }
}

/// A version that begins.
#[derive(Debug, Clone)]
pub struct NewVersion<'a> {
    pub video: VideoId,
    /// replaced | trimmed
    pub kind: &'a str,
    /// uploading | processing
    pub state: &'a str,
    pub source: Option<SourceId>,
    pub filename: &'a str,
    /// JSON [[start_ms, end_ms]].
    pub keep: &'a str,
    pub by: UserId,
}

/// Begins a version of a title that plays. [`Error::Conflict`] when another one is being made.
pub async fn begin(tx: &mut Tx, new: &NewVersion<'_>, now: Micros) -> Result<VersionId> {
    // Two that begin at once take turns.
    execute!(&mut *tx, "UPDATE videos SET updated_at = $1 WHERE id = $2", now.0, new.video.to_string())?;
    let rows = of_video(tx, new.video).await?;
    if rows.iter().any(Version::is_pending) {
        return Err(Error::Conflict("a version in the making".into()));
    }
    let mut number = rows.iter().map(|row| row.number).max().unwrap_or(0);
    if rows.is_empty() {
        original(tx, new.video, now).await?;
        number = 1;
    }
    let id = VersionId::new();
    execute!(
        tx,
        "INSERT INTO versions (id, video_id, number, kind, state, source_id, filename, keep, created_by, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        id.to_string(),
        new.video.to_string(),
        number + 1,
        new.kind,
        new.state,
        new.source.map(|source| source.to_string()),
        new.filename,
        new.keep,
        new.by.to_string(),
        now.0,
    )?;
    Ok(id)
}

/// Writes down what a title has played so far.
async fn original(tx: &mut Tx, video: VideoId, now: Micros) -> Result<()> {
    let row = videos::get(tx, video).await?;
    let filename = match row.source() {
        Some(source) => match sources::get(tx, source).await {
            Ok(source) => source.filename,
            Err(Error::NotFound) => String::new(),
            Err(error) => return Err(error),
        },
        None => String::new(),
    };
    execute!(
        tx,
        "INSERT INTO versions (id, video_id, number, kind, state, source_id, presentation_id, filename, keep, duration_ms, \
             width, height, created_by, created_at, updated_at) \
         VALUES ($1, $2, 1, 'original', 'ready', $3, $4, $5, '[]', $6, $7, $8, $9, $10, $11)",
        VersionId::new().to_string(),
        video.to_string(),
        row.source_id,
        row.presentation_id,
        filename,
        row.duration_ms,
        row.width,
        row.height,
        row.owner_id.to_string(),
        row.created_at.0,
        now.0,
    )
    .map(|_| ())
}

pub async fn get(conn: &mut impl Connect, id: VersionId) -> Result<Version> {
    query!(fetch_one, conn, Version, "SELECT * FROM versions WHERE id = $1", id.to_string())
}

/// All versions of a title, newest first.
pub async fn of_video(conn: &mut impl Connect, video: VideoId) -> Result<Vec<Version>> {
    query!(
        fetch_all,
        conn,
        Version,
        "SELECT * FROM versions WHERE video_id = $1 ORDER BY number DESC",
        video.to_string()
    )
}

/// The version of a title that is being made.
pub async fn pending(conn: &mut impl Connect, video: VideoId) -> Result<Option<Version>> {
    query!(
        fetch_optional,
        conn,
        Version,
        "SELECT * FROM versions WHERE video_id = $1 AND state IN ('uploading', 'processing')",
        video.to_string(),
    )
}

/// The version that plays `presentation`, when its title has versions.
pub async fn of_presentation(
    conn: &mut impl Connect,
    presentation: PresentationId,
) -> Result<Option<Version>> {
    query!(
        fetch_optional,
        conn,
        Version,
        "SELECT * FROM versions WHERE presentation_id = $1",
        presentation.to_string(),
    )
}

/// Its source is whole. [`Error::NotFound`] when it was cancelled or its title is gone.
pub async fn processing(tx: &mut Tx, id: VersionId, source: SourceId, now: Micros) -> Result<()> {
    one(execute!(
        tx,
        "UPDATE versions SET state = 'processing', source_id = $1, updated_at = $2 WHERE id = $3 AND state = 'uploading'",
        source.to_string(),
        now.0,
        id.to_string(),
    )?)
}

/// What it will be: its presentation, duration and display size.
pub async fn describe(
    tx: &mut Tx,
    id: VersionId,
    presentation: PresentationId,
    duration_ms: Option<i64>,
    size: Option<(i64, i64)>,
    now: Micros,
) -> Result<()> {
    one(execute!(
        tx,
        "UPDATE versions SET presentation_id = $1, duration_ms = $2, width = $3, height = $4, updated_at = $5 WHERE id = $6",
        presentation.to_string(),
        duration_ms,
        size.map(|(width, _)| width),
        size.map(|(_, height)| height),
        now.0,
        id.to_string(),
    )?)
}

/// The title plays this version from now on, and no longer the one that it played. [`Error::Stale`] when it is neither
/// complete nor about to be, or is being purged.
pub async fn take_over(tx: &mut Tx, id: VersionId, now: Micros) -> Result<()> {
    let version = get(tx, id).await?;
    execute!(
        &mut *tx,
        "UPDATE versions SET superseded_at = $1, updated_at = $1 WHERE video_id = $2 AND state = 'ready' AND superseded_at IS NULL \
             AND id <> $3",
        now.0,
        version.video_id.to_string(),
        id.to_string(),
    )?;
    let done = execute!(
        &mut *tx,
        "UPDATE versions SET state = 'ready', superseded_at = NULL, error = NULL, updated_at = $1 \
         WHERE id = $2 AND state IN ('processing', 'ready') AND presentation_id IS NOT NULL",
        now.0,
        id.to_string(),
    )?;
    if done == 0 {
        return Err(Error::Stale);
    }
    one(execute!(
        tx,
        "UPDATE videos SET presentation_id = $1, source_id = $2, duration_ms = $3, width = $4, height = $5, \
             revision = revision + 1, updated_at = $6 WHERE id = $7",
        version.presentation_id,
        version.source_id,
        version.duration_ms,
        version.width,
        version.height,
        now.0,
        version.video_id.to_string(),
    )?)
}

/// It ends unfinished: `state` is failed or cancelled. Says whether it was being made. What it has stored is to be purged.
pub async fn end(tx: &mut Tx, id: VersionId, state: &str, error: Option<&str>, now: Micros) -> Result<bool> {
    let done = execute!(
        &mut *tx,
        "UPDATE versions SET state = $1, error = $2, updated_at = $3 WHERE id = $4 AND state IN ('uploading', 'processing')",
        state,
        error,
        now.0,
        id.to_string(),
    )?;
    if done == 1 {
        discard(tx, id, now).await?;
    }
    Ok(done == 1)
}

/// Asks for the stored objects of a version to be removed, as far as no other version plays them.
pub async fn discard(tx: &mut Tx, id: VersionId, now: Micros) -> Result<()> {
    execute!(&mut *tx, "UPDATE versions SET updated_at = $1 WHERE id = $2", now.0, id.to_string())?;
    // A subject of its own: cancelling the work on a title must not keep its leftovers.
    let (subject, key) = (format!("version:{id}"), format!("discard:{id}"));
    let payload = serde_json::json!({ "version": id }).to_string();
    let job = jobs::NewJob::new("discard", &subject, &payload).dedupe(&key).max_attempts(20);
    jobs::enqueue(tx, &job, now).await.map(|_| ())
}

/// A presentation that its title plays no longer and nobody can go back to.
#[derive(Debug, Clone, Copy)]
pub struct Purged {
    pub video: VideoId,
    pub presentation: PresentationId,
    pub duration_ms: i64,
    pub by: UserId,
}

/// Writes down a version that is only there to be removed: the caller asks for that.
pub(crate) async fn insert_purged(tx: &mut Tx, gone: &Purged, now: Micros) -> Result<VersionId> {
    let id = VersionId::new();
    execute!(
        tx,
        "INSERT INTO versions (id, video_id, number, kind, state, presentation_id, filename, keep, duration_ms, superseded_at, \
             created_by, created_at, updated_at) \
         VALUES ($1, $2, (SELECT COALESCE(MAX(number), 0) + 1 FROM versions WHERE video_id = $2), 'original', 'purging', $3, '', \
             '[]', $4, $5, $6, $5, $5)",
        id.to_string(),
        gone.video.to_string(),
        gone.presentation.to_string(),
        gone.duration_ms,
        now.0,
        gone.by.to_string(),
    )?;
    Ok(id)
}

/// A removal that has not ended after this is asked for again.
const STUCK: i64 = 10 * Micros::MINUTE;

/// Versions whose stored objects may go: superseded ones that were kept for `keep` and whose last playback has ended
/// (their duration and `margin` ago), and unfinished ones that stored something. Times in microseconds.
pub async fn due(
    conn: &mut impl Connect,
    now: Micros,
    keep: i64,
    margin: i64,
    limit: u32,
) -> Result<Vec<Version>> {
    query!(
        fetch_all,
        conn,
        Version,
        "SELECT * FROM versions \
         WHERE (state IN ('failed', 'cancelled') AND (source_id IS NOT NULL OR presentation_id IS NOT NULL) AND updated_at <= $1) \
            OR (superseded_at + COALESCE(duration_ms, 0) * 1000 <= $2 \
                AND ((state = 'purging' AND updated_at <= $1) OR (state = 'ready' AND superseded_at <= $3))) \
         ORDER BY updated_at, id LIMIT $4",
        now.plus(-STUCK).0,
        now.plus(-margin).0,
        now.plus(-keep).0,
        i64::from(limit),
    )
}

/// Nobody can go back to it any more. False when it plays, or again does.
pub async fn purging(tx: &mut Tx, id: VersionId, now: Micros) -> Result<bool> {
    let done = execute!(
        tx,
        "UPDATE versions SET state = 'purging', updated_at = $1 \
         WHERE id = $2 AND state IN ('ready', 'purging') AND superseded_at IS NOT NULL",
        now.0,
        id.to_string(),
    )?;
    Ok(done == 1)
}

/// Its objects are gone. One that never played stays in the history, for its words.
pub async fn purged(tx: &mut Tx, id: VersionId) -> Result<()> {
    execute!(
        &mut *tx,
        "UPDATE versions SET source_id = NULL, presentation_id = NULL WHERE id = $1 AND state IN ('failed', 'cancelled')",
        id.to_string(),
    )?;
    execute!(tx, "DELETE FROM versions WHERE id = $1 AND state = 'purging'", id.to_string()).map(|_| ())
}

/// Is this source what some version, or the title itself, was made of?
pub async fn uses_source(conn: &mut impl Connect, video: VideoId, source: SourceId) -> Result<bool> {
    let (count,) = query!(
        fetch_one,
        conn,
        (i64,),
        "SELECT (SELECT COUNT(*) FROM versions WHERE video_id = $1 AND source_id = $2) \
              + (SELECT COUNT(*) FROM videos WHERE id = $1 AND source_id = $2)",
        video.to_string(),
        source.to_string(),
    )?;
    Ok(count > 0)
}

fn one(rows: u64) -> Result<()> {
    if rows == 0 { Err(Error::NotFound) } else { Ok(()) }
}
