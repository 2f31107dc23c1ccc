//! What people mean to watch.

use std::collections::HashSet;

use domain::{Audience, Micros, Role, UserId, VideoId, Viewer};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
    library::country_pattern,
    videos::{LAST_ID, Video, playing},
};

/// Most titles on one list. Whole lists of ids are read to mark titles, so they must stay small.
pub const MOST: i64 = 500;

/// A title on a list.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Listed {
    #[sqlx(flatten)]
    pub video: Video,
    pub added_at: i64,
}

/// Puts a title on the list; one that is there keeps its place. False when the list is full.
pub async fn put(tx: &mut Tx, user: UserId, video: VideoId, now: Micros) -> Result<bool> {
    let (others,) = query!(
        fetch_one,
        &mut *tx,
        (i64,),
        "SELECT COUNT(*) FROM watchlist WHERE user_id = $1 AND video_id <> $2",
        user.to_string(),
        video.to_string(),
    )?;
    if others >= MOST {
        return Ok(false);
    }
    execute!(
        tx,
        "INSERT INTO watchlist (user_id, video_id, added_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, video_id) DO NOTHING",
        user.to_string(),
        video.to_string(),
        now.0,
    )?;
    Ok(true)
}

/// Takes a title off the list; nothing happens when it is not there.
pub async fn delete(tx: &mut Tx, user: UserId, video: VideoId) -> Result<()> {
    execute!(
        tx,
        "DELETE FROM watchlist WHERE user_id = $1 AND video_id = $2",
        user.to_string(),
        video.to_string()
    )
    .map(|_| ())
}

/// Is the title on the list?
pub async fn has(conn: &mut impl Connect, user: UserId, video: VideoId) -> Result<bool> {
    let found = query!(
        fetch_optional,
        conn,
        (i64,),
        "SELECT added_at FROM watchlist WHERE user_id = $1 AND video_id = $2",
        user.to_string(),
        video.to_string(),
    )?;
    Ok(found.is_some())
}

/// Every title on the list of `user`.
pub async fn ids(conn: &mut impl Connect, user: UserId) -> Result<HashSet<VideoId>> {
    let rows = query!(
        fetch_all,
        conn,
        (String,),
        "SELECT video_id FROM watchlist WHERE user_id = $1 LIMIT $2",
        user.to_string(),
        MOST,
    )?;
    rows.into_iter()
        .map(|(id,)| id.parse().map_err(|_| Error::Corrupt(format!("watchlist.video_id {id}"))))
        .collect()
}

/// The list of `viewer`, latest added first, after the key `(added_at, video)` of the last one seen. Leaves out what they may
/// not open then and there.
pub async fn list(
    conn: &mut impl Connect,
    viewer: Viewer,
    audience: &Audience,
    after: Option<(i64, VideoId)>,
    limit: u32,
) -> Result<Vec<Listed>> {
    let (at, id) = after.map_or((i64::MAX, LAST_ID.to_owned()), |(at, id)| (at, id.to_string()));
    query!(
        fetch_all,
        conn,
        Listed,
        concat!(
            "SELECT v.*, u.name AS owner_name, w.added_at
             FROM watchlist w JOIN videos v ON v.id = w.video_id JOIN users u ON u.id = v.owner_id
             WHERE w.user_id = $1 AND v.deleted_at IS NULL AND v.state = 'ready'
               AND (v.owner_id = $1 OR $2 OR (v.visibility IN ('public', 'unlisted') AND ",
            playing!("$6", "$7"),
            "))
               AND (w.added_at, w.video_id) < ($3, $4)
             ORDER BY w.added_at DESC, w.video_id DESC LIMIT $5"
        ),
        viewer.user.to_string(),
        viewer.role == Role::Admin,
        at,
        id,
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
    )
}
