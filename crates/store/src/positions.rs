//! Where people stopped watching.

use std::collections::HashMap;

use domain::{Audience, Micros, Role, UserId, VideoId, Viewer};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
    library::country_pattern,
    search,
    videos::{LAST_ID, Video, playing},
};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Position {
    pub position_ms: i64,
    pub watched_duration_ms: i64,
    pub finished: bool,
    pub watched_at: i64,
}

/// A title in someone's history.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Watched {
    #[sqlx(flatten)]
    pub video: Video,
    #[sqlx(flatten)]
    pub position: Position,
}

/// Which part of a history is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Which<'a> {
    /// Only what was begun and not finished.
    pub unfinished: bool,
    /// Only titles in which each of these words occurs; the first eight count.
    pub words: &'a str,
}

/// Remembers a position; the latest word wins.
pub async fn put(
    tx: &mut Tx,
    user: UserId,
    video: VideoId,
    position_ms: i64,
    duration_ms: i64,
    finished: bool,
    now: Micros,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO watch_positions (user_id, video_id, position_ms, duration_ms, finished, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (user_id, video_id) DO UPDATE SET position_ms = excluded.position_ms,
             duration_ms = excluded.duration_ms, finished = excluded.finished, updated_at = excluded.updated_at",
        user.to_string(),
        video.to_string(),
        position_ms,
        duration_ms,
        finished,
        now.0,
    )
    .map(|_| ())
}

pub async fn get(conn: &mut impl Connect, user: UserId, video: VideoId) -> Result<Option<Position>> {
    query!(
        fetch_optional,
        conn,
        Position,
        "SELECT position_ms, duration_ms AS watched_duration_ms, finished, updated_at AS watched_at
         FROM watch_positions WHERE user_id = $1 AND video_id = $2",
        user.to_string(),
        video.to_string(),
    )
}

/// Forgets one title of a history.
pub async fn delete(tx: &mut Tx, user: UserId, video: VideoId) -> Result<()> {
    execute!(
        tx,
        "DELETE FROM watch_positions WHERE user_id = $1 AND video_id = $2",
        user.to_string(),
        video.to_string(),
    )
    .map(|_| ())
}

/// Forgets a whole history.
pub async fn clear(tx: &mut Tx, user: UserId) -> Result<()> {
    execute!(tx, "DELETE FROM watch_positions WHERE user_id = $1", user.to_string()).map(|_| ())
}

/// Positions in the titles that `user` watched last.
pub async fn latest(conn: &mut impl Connect, user: UserId, limit: u32) -> Result<HashMap<VideoId, Position>> {
    let rows = query!(
        fetch_all,
        conn,
        (String, i64, i64, bool, i64),
        "SELECT video_id, position_ms, duration_ms, finished, updated_at FROM watch_positions WHERE user_id = $1
         ORDER BY updated_at DESC LIMIT $2",
        user.to_string(),
        i64::from(limit),
    )?;
    rows.into_iter()
        .map(|(id, position_ms, watched_duration_ms, finished, watched_at)| {
            let id = id.parse().map_err(|_| Error::Corrupt(format!("watch_positions.video_id {id}")))?;
            Ok((id, Position { position_ms, watched_duration_ms, finished, watched_at }))
        })
        .collect()
}

/// What `viewer` watched, latest first, after the key `(watched_at, video)` of the last one seen. Leaves out what they may
/// not open then and there.
pub async fn list(
    conn: &mut impl Connect,
    viewer: Viewer,
    audience: &Audience,
    which: Which<'_>,
    after: Option<(i64, VideoId)>,
    limit: u32,
) -> Result<Vec<Watched>> {
    let (at, id) = after.map_or((i64::MAX, LAST_ID.to_owned()), |(at, id)| (at, id.to_string()));
    let [p0, p1, p2, p3, p4, p5, p6, p7] = search::patterns(which.words);
    query!(
        fetch_all,
        conn,
        Watched,
        concat!(
            "SELECT v.*, u.name AS owner_name, w.position_ms, w.duration_ms AS watched_duration_ms, w.finished,
                 w.updated_at AS watched_at
             FROM watch_positions w JOIN videos v ON v.id = w.video_id JOIN users u ON u.id = v.owner_id
             WHERE w.user_id = $1 AND v.deleted_at IS NULL AND v.state = 'ready'
               AND (v.owner_id = $1 OR $2 OR (v.visibility IN ('public', 'unlisted') AND ",
            playing!("$7", "$8"),
            "))
               AND (NOT $3 OR (NOT w.finished AND w.position_ms > 0))
               AND (w.updated_at, w.video_id) < ($4, $5)
               AND v.search_text LIKE $9 AND v.search_text LIKE $10 AND v.search_text LIKE $11
               AND v.search_text LIKE $12 AND v.search_text LIKE $13 AND v.search_text LIKE $14
               AND v.search_text LIKE $15 AND v.search_text LIKE $16
             ORDER BY w.updated_at DESC, w.video_id DESC LIMIT $6"
        ),
        viewer.user.to_string(),
        viewer.role == Role::Admin,
        which.unfinished,
        at,
        id,
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
        p0,
        p1,
        p2,
        p3,
        p4,
        p5,
        p6,
        p7,
    )
}
