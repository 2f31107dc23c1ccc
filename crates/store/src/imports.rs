//! Links that workers fetch, each to become a title's source.

use domain::{Micros, UploadId, UserId, VersionId, VideoId};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Import {
    /// Also that of the upload and the source that come of it.
    #[sqlx(try_from = "String")]
    pub id: UploadId,
    #[sqlx(try_from = "String")]
    pub owner_id: UserId,
    #[sqlx(try_from = "String")]
    pub video_id: VideoId,
    pub version_id: Option<String>,
    /// May hold secrets in its query: not for logs.
    pub url: String,
    /// What tells whether the file there is still the same; may be empty.
    pub validator: String,
    /// As an `Upload-Metadata` header.
    pub metadata: String,
    /// `open` or `done`.
    pub state: String,
}

impl Import {
    pub fn version(&self) -> Option<VersionId> {
        self.version_id.as_deref().and_then(|id| id.parse().ok())
    }
}

#[derive(Debug, Clone)]
pub struct NewImport {
    pub id: UploadId,
    pub owner: UserId,
    pub video: VideoId,
    pub version: Option<VersionId>,
    pub url: String,
    pub metadata: String,
}

pub async fn insert(tx: &mut Tx, new: &NewImport, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO imports (id, owner_id, video_id, version_id, url, validator, metadata, state, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, '', $6, 'open', $7, $7)",
        new.id.to_string(),
        new.owner.to_string(),
        new.video.to_string(),
        new.version.map(|version| version.to_string()),
        &new.url,
        &new.metadata,
        now.0,
    )
    .map(|_| ())
}

/// [`Error::NotFound`] when its title is gone.
pub async fn get(conn: &mut impl Connect, id: UploadId) -> Result<Import> {
    query!(fetch_one, conn, Import, "SELECT * FROM imports WHERE id = $1", id.to_string())
}

/// The import that a title waits for, or would go on with.
pub async fn open_of(conn: &mut impl Connect, video: VideoId) -> Result<Option<Import>> {
    query!(
        fetch_optional,
        conn,
        Import,
        "SELECT * FROM imports WHERE video_id = $1 AND state = 'open' ORDER BY id DESC LIMIT 1",
        video.to_string(),
    )
}

/// How many of a person's imports are under way, on titles that wait for them.
pub async fn under_way(conn: &mut impl Connect, owner: UserId) -> Result<i64> {
    let (count,) = query!(
        fetch_one,
        conn,
        (i64,),
        "SELECT COUNT(*) FROM jobs j JOIN imports i ON i.video_id = j.subject \
         WHERE i.owner_id = $1 AND i.state = 'open' AND j.kind = 'import' AND j.state IN ('queued', 'running')",
        owner.to_string(),
    )?;
    Ok(count)
}

/// Notes what tells whether the file there is still the same.
pub async fn set_validator(tx: &mut Tx, id: UploadId, validator: &str, now: Micros) -> Result<()> {
    let done = execute!(
        tx,
        "UPDATE imports SET validator = $1, updated_at = $2 WHERE id = $3",
        validator,
        now.0,
        id.to_string(),
    )?;
    if done == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// It was fetched. `shown` is what is kept of its address.
pub async fn done(tx: &mut Tx, id: UploadId, shown: &str, now: Micros) -> Result<()> {
    execute!(
        tx,
        "UPDATE imports SET state = 'done', url = $1, updated_at = $2 WHERE id = $3",
        shown,
        now.0,
        id.to_string(),
    )
    .map(|_| ())
}
