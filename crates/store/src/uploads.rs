//! Resumable uploads: what has arrived of each, and who may write to it now.
//!
//! A writer holds a lease named by a text that it made up for itself, its fence: every write of a holder names it, so that
//! one whose lease went to somebody else can change nothing any more.

use domain::{Micros, UploadId, UserId, VersionId, VideoId};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
};

/// What an upload is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A whole file.
    Single,
    /// A piece of a file, to be joined with others.
    Partial,
    /// The joined file; has no bytes of its own.
    Final,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Partial => "partial",
            Self::Final => "final",
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let known = [Self::Single, Self::Partial, Self::Final].into_iter().find(|kind| kind.word() == text);
        known.ok_or_else(|| Error::Corrupt(format!("upload kind {text:?}")))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Upload {
    #[sqlx(try_from = "String")]
    pub id: UploadId,
    #[sqlx(try_from = "String")]
    pub owner_id: UserId,
    /// `None` for pieces.
    pub video_id: Option<String>,
    /// The version that it is to become; `None` for a new title.
    pub version_id: Option<String>,
    #[sqlx(try_from = "String")]
    pub kind: Kind,
    /// `open` or `complete`.
    pub state: String,
    pub length: i64,
    /// Durable bytes.
    pub received: i64,
    /// The client's `Upload-Metadata` header, verbatim.
    pub metadata: String,
    /// JSON, the object store's own state of the unfinished object.
    pub staging: String,
    /// JSON, ids of the pieces of a final upload, in order.
    pub parts: String,
    /// The hash of the durable bytes, to be gone on with.
    pub hash_state: Option<String>,
    pub lease_holder: Option<String>,
    #[sqlx(try_from = "i64")]
    pub lease_until: Micros,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
    #[sqlx(try_from = "i64")]
    pub expires_at: Micros,
}

impl Upload {
    pub fn video(&self) -> Option<VideoId> {
        self.video_id.as_deref().and_then(|id| id.parse().ok())
    }

    pub fn version(&self) -> Option<VersionId> {
        self.version_id.as_deref().and_then(|id| id.parse().ok())
    }

    pub fn is_complete(&self) -> bool {
        self.state == "complete"
    }
}

#[derive(Debug, Clone)]
pub struct NewUpload {
    pub id: UploadId,
    pub owner: UserId,
    pub video: Option<VideoId>,
    pub version: Option<VersionId>,
    pub kind: Kind,
    pub length: u64,
    pub metadata: String,
    pub staging: String,
    /// JSON, ids of the pieces.
    pub parts: String,
    pub expires_at: Micros,
}

/// Begins an upload without any bytes yet.
pub async fn insert(tx: &mut Tx, new: &NewUpload, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO uploads (id, owner_id, video_id, kind, state, length, received, metadata, staging, parts, lease_until, \
             created_at, updated_at, expires_at, version_id) \
         VALUES ($1, $2, $3, $4, 'open', $5, 0, $6, $7, $8, 0, $9, $9, $10, $11)",
        new.id.to_string(),
        new.owner.to_string(),
        new.video.map(|video| video.to_string()),
        new.kind.word(),
        bytes(new.length)?,
        &new.metadata,
        &new.staging,
        &new.parts,
        now.0,
        new.expires_at.0,
        new.version.map(|version| version.to_string()),
    )?;
    Ok(())
}

/// [`Error::NotFound`] also when it belongs to somebody else.
pub async fn get(conn: &mut impl Connect, owner: UserId, id: UploadId) -> Result<Upload> {
    query!(
        fetch_one,
        conn,
        Upload,
        "SELECT * FROM uploads WHERE id = $1 AND owner_id = $2",
        id.to_string(),
        owner.to_string(),
    )
}

/// Unfinished uploads of one person, newest first; pieces of joined files are not listed.
pub async fn unfinished(conn: &mut impl Connect, owner: UserId, limit: u32) -> Result<Vec<Upload>> {
    query!(
        fetch_all,
        conn,
        Upload,
        "SELECT * FROM uploads WHERE owner_id = $1 AND state = 'open' AND kind = 'single' ORDER BY id DESC LIMIT $2",
        owner.to_string(),
        i64::from(limit),
    )
}

/// Makes the owner's other new uploads wait for this transaction, so that two cannot share the same rest of a quota. Gives
/// the owner's own quota, if one is set.
pub async fn lock_quota(tx: &mut Tx, owner: UserId) -> Result<Option<i64>> {
    let (quota,) = query!(
        fetch_one,
        tx,
        (Option<i64>,),
        "UPDATE users SET updated_at = updated_at WHERE id = $1 RETURNING quota_bytes",
        owner.to_string(),
    )?;
    Ok(quota)
}

/// Bytes that one person's sources take, and that their unfinished uploads will take.
pub async fn held_bytes(conn: &mut impl Connect, owner: UserId) -> Result<i64> {
    let (sum,) = query!(
        fetch_one,
        conn,
        (i64,),
        "SELECT CAST(COALESCE((SELECT SUM(size) FROM sources WHERE owner_id = $1), 0) \
                   + COALESCE((SELECT SUM(length) FROM uploads \
                               WHERE owner_id = $1 AND (state = 'open' OR kind = 'partial')), 0) AS BIGINT)",
        owner.to_string(),
    )?;
    Ok(sum)
}

/// Takes the right to write until `until`. Says whether nobody else had it.
pub async fn lease(tx: &mut Tx, id: UploadId, holder: &str, until: Micros, now: Micros) -> Result<bool> {
    let taken = execute!(
        tx,
        "UPDATE uploads SET lease_holder = $1, lease_until = $2 \
         WHERE id = $3 AND state = 'open' AND (lease_holder IS NULL OR lease_until <= $4)",
        holder,
        until.0,
        id.to_string(),
        now.0,
    )?;
    Ok(taken == 1)
}

/// What a holder notes at a checkpoint.
#[derive(Debug, Clone)]
pub struct Checkpoint<'a> {
    pub received: u64,
    /// The hash of those bytes, to be gone on with.
    pub hash_state: Option<&'a str>,
    pub staging: &'a str,
    pub lease_until: Micros,
    pub expires_at: Micros,
}

/// Notes what is durable and extends the lease. [`Error::Stale`] when the lease is somebody else's.
pub async fn checkpoint(
    tx: &mut Tx,
    id: UploadId,
    holder: &str,
    now: Micros,
    at: &Checkpoint<'_>,
) -> Result<()> {
    held(execute!(
        tx,
        "UPDATE uploads SET received = $1, staging = $2, lease_until = $3, expires_at = $4, updated_at = $5, hash_state = $8 \
         WHERE id = $6 AND lease_holder = $7 AND state = 'open'",
        bytes(at.received)?,
        at.staging,
        at.lease_until.0,
        at.expires_at.0,
        now.0,
        id.to_string(),
        holder,
        at.hash_state,
    )?)
}

/// Gives the lease back. No error when it was somebody else's by then.
pub async fn release(tx: &mut Tx, id: UploadId, holder: &str) -> Result<()> {
    execute!(
        tx,
        "UPDATE uploads SET lease_holder = NULL, lease_until = 0 WHERE id = $1 AND lease_holder = $2",
        id.to_string(),
        holder,
    )?;
    Ok(())
}

/// All bytes are there. The row stays until `expires_at`, so that the client can still ask. [`Error::Stale`] when the
/// lease is somebody else's.
pub async fn complete(
    tx: &mut Tx,
    id: UploadId,
    holder: &str,
    expires_at: Micros,
    now: Micros,
) -> Result<()> {
    held(execute!(
        tx,
        "UPDATE uploads SET state = 'complete', received = length, lease_holder = NULL, lease_until = 0, expires_at = $1, \
             updated_at = $2 \
         WHERE id = $3 AND lease_holder = $4 AND state = 'open'",
        expires_at.0,
        now.0,
        id.to_string(),
        holder,
    )?)
}

/// Takes a finished piece away for joining. [`Error::NotFound`] when there is no such piece of this owner, also when
/// another joined file took it before.
pub async fn take_piece(tx: &mut Tx, owner: UserId, id: UploadId) -> Result<Upload> {
    query!(
        fetch_one,
        tx,
        Upload,
        "DELETE FROM uploads WHERE id = $1 AND owner_id = $2 AND kind = 'partial' AND state = 'complete' RETURNING *",
        id.to_string(),
        owner.to_string(),
    )
}

/// The joined file of exactly these pieces (JSON, as it was inserted), when it was made before.
pub async fn joined(conn: &mut impl Connect, owner: UserId, parts: &str) -> Result<Option<Upload>> {
    query!(
        fetch_optional,
        conn,
        Upload,
        "SELECT * FROM uploads WHERE owner_id = $1 AND state = 'complete' AND kind = 'final' AND parts = $2",
        owner.to_string(),
        parts,
    )
}

/// Removes the row. [`Error::Stale`] when somebody holds it other than `holder`.
pub async fn delete(tx: &mut Tx, id: UploadId, holder: &str) -> Result<()> {
    held(execute!(tx, "DELETE FROM uploads WHERE id = $1 AND lease_holder = $2", id.to_string(), holder)?)
}

/// Takes the right to remove an upload, finished or not, unless a writer is at work.
pub async fn lease_to_remove(
    tx: &mut Tx,
    id: UploadId,
    holder: &str,
    until: Micros,
    now: Micros,
) -> Result<bool> {
    let taken = execute!(
        tx,
        "UPDATE uploads SET lease_holder = $1, lease_until = $2 \
         WHERE id = $3 AND (lease_holder IS NULL OR lease_until <= $4)",
        holder,
        until.0,
        id.to_string(),
        now.0,
    )?;
    Ok(taken == 1)
}

/// Uploads past their time, and unfinished ones whose title or version was cancelled or is no more, that nobody writes to; oldest
/// first.
pub async fn expired(conn: &mut impl Connect, now: Micros, limit: u32) -> Result<Vec<Upload>> {
    query!(
        fetch_all,
        conn,
        Upload,
        "SELECT * FROM uploads \
         WHERE (expires_at <= $1 \
                OR (state = 'open' AND video_id IS NOT NULL AND version_id IS NULL AND NOT EXISTS \
                   (SELECT 1 FROM videos v WHERE v.id = uploads.video_id AND v.state = 'uploading')) \
                OR (state = 'open' AND version_id IS NOT NULL AND NOT EXISTS \
                   (SELECT 1 FROM versions r WHERE r.id = uploads.version_id AND r.state = 'uploading'))) \
           AND (lease_holder IS NULL OR lease_until <= $1) \
         ORDER BY expires_at, id LIMIT $2",
        now.0,
        i64::from(limit),
    )
}

/// The unfinished upload of a title, when one is under way.
pub async fn of_video(conn: &mut impl Connect, video: VideoId) -> Result<Option<Upload>> {
    query!(
        fetch_optional,
        conn,
        Upload,
        "SELECT * FROM uploads WHERE video_id = $1 AND state = 'open'",
        video.to_string(),
    )
}

fn bytes(count: u64) -> Result<i64> {
    i64::try_from(count).map_err(|_| Error::Corrupt("a length of more than 2^63 bytes".into()))
}

fn held(rows: u64) -> Result<()> {
    if rows == 1 { Ok(()) } else { Err(Error::Stale) }
}
