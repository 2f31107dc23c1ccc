//! Where people stopped watching.

use domain::{Audience, Micros, Role, UserId, VideoId, Viewer};

use crate::{
    Connect, Result, Tx,
    db::{execute, query},
    library::country_pattern,
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

/// What `viewer` watched, latest first, after the key `(watched_at, video)` of the last one seen. Leaves out what they may
/// not open then and there. `unfinished`: only what was begun and not finished.
pub async fn list(
    conn: &mut impl Connect,
    viewer: Viewer,
    audience: &Audience,
    unfinished: bool,
    after: Option<(i64, VideoId)>,
    limit: u32,
) -> Result<Vec<Watched>> {
    let (at, id) = after.map_or((i64::MAX, LAST_ID.to_owned()), |(at, id)| (at, id.to_string()));
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
             ORDER BY w.updated_at DESC, w.video_id DESC LIMIT $6"
        ),
        viewer.user.to_string(),
        viewer.role == Role::Admin,
        unfinished,
        at,
        id,
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
    )
}
