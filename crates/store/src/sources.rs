//! Original files as their creators delivered them: an ordered list of immutable objects.

use domain::{Micros, SourceId, UserId, VideoId};
use serde::{Deserialize, Serialize};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
};

/// One stored object of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub object: String,
    /// Bytes.
    pub length: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Source {
    #[sqlx(try_from = "String")]
    pub id: SourceId,
    #[sqlx(try_from = "String")]
    pub owner_id: UserId,
    #[sqlx(try_from = "String")]
    pub video_id: VideoId,
    /// As the creator's machine calls it; for people only.
    pub filename: String,
    /// As declared, may be empty.
    pub content_type: String,
    pub size: i64,
    #[sqlx(try_from = "String")]
    pub parts: Parts,
    /// JSON, what the probe found.
    pub info: Option<String>,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
}

/// The objects of a source; the file is their bytes one after the other. Stored as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts(pub Vec<Part>);

impl TryFrom<String> for Parts {
    type Error = Error;

    fn try_from(json: String) -> Result<Self> {
        serde_json::from_str(&json).map(Self).map_err(|e| Error::Corrupt(format!("sources.parts: {e}")))
    }
}

#[derive(Debug, Clone)]
pub struct NewSource {
    pub id: SourceId,
    pub owner: UserId,
    pub video: VideoId,
    pub filename: String,
    pub content_type: String,
    pub parts: Vec<Part>,
}

pub async fn insert(tx: &mut Tx, new: &NewSource, now: Micros) -> Result<()> {
    let size: u64 = new.parts.iter().map(|part| part.length).sum();
    let size = i64::try_from(size).map_err(|_| Error::Corrupt("a source of more than 2^63 bytes".into()))?;
    let parts = serde_json::to_string(&new.parts).map_err(|e| Error::Corrupt(e.to_string()))?;
    execute!(
        tx,
        "INSERT INTO sources (id, owner_id, video_id, filename, content_type, size, parts, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.id.to_string(),
        new.owner.to_string(),
        new.video.to_string(),
        &new.filename,
        &new.content_type,
        size,
        parts,
        now.0,
    )?;
    Ok(())
}

/// [`Error::NotFound`] when there is none.
pub async fn get(conn: &mut impl Connect, id: SourceId) -> Result<Source> {
    query!(fetch_one, conn, Source, "SELECT * FROM sources WHERE id = $1", id.to_string())
}

/// All sources of a title, oldest first. Purging the title deletes the objects of each.
pub async fn of_video(conn: &mut impl Connect, video: VideoId) -> Result<Vec<Source>> {
    query!(
        fetch_all,
        conn,
        Source,
        "SELECT * FROM sources WHERE video_id = $1 ORDER BY id",
        video.to_string()
    )
}

/// Keeps what the probe found (JSON).
pub async fn set_info(tx: &mut Tx, id: SourceId, info: &str) -> Result<()> {
    match execute!(tx, "UPDATE sources SET info = $1 WHERE id = $2", info, id.to_string())? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// Removes the row. Stored objects are the caller's care.
pub async fn delete(tx: &mut Tx, id: SourceId) -> Result<()> {
    execute!(tx, "DELETE FROM sources WHERE id = $1", id.to_string()).map(|_| ())
}
