//! Titles that edges are to fetch before anybody asks: when, and how much of them.

use domain::{Micros, VideoId};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
};

/// Most that there may be.
pub const MOST: i64 = 500;

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Warming {
    pub id: String,
    #[sqlx(try_from = "String")]
    pub video_id: VideoId,
    pub title: String,
    /// `start` or `all`.
    pub part: String,
    /// 1: each edge waits for its own quiet hours.
    pub in_quiet_hours: i64,
    /// 1: again a day later.
    pub every_day: i64,
    pub next_at: Option<i64>,
    pub last_at: Option<i64>,
}

/// One to be.
#[derive(Debug, Clone, Copy)]
pub struct New<'a> {
    pub id: &'a str,
    pub video: VideoId,
    pub part: &'a str,
    pub in_quiet_hours: bool,
    pub every_day: bool,
    pub at: Micros,
}

/// Adds one. False when there are [`MOST`] already.
pub async fn insert(tx: &mut Tx, new: New<'_>, now: Micros) -> Result<bool> {
    let (count,) = query!(fetch_one, &mut *tx, (i64,), "SELECT COUNT(*) FROM warmings")?;
    if count >= MOST {
        return Ok(false);
    }
    execute!(
        tx,
        "INSERT INTO warmings (id, video_id, part, in_quiet_hours, every_day, next_at, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        new.id,
        new.video.to_string(),
        new.part,
        i64::from(new.in_quiet_hours),
        i64::from(new.every_day),
        new.at.0,
        now.0,
    )?;
    Ok(true)
}

/// Those to come by their time, then those that were, latest first.
pub async fn list(conn: &mut impl Connect) -> Result<Vec<Warming>> {
    query!(
        fetch_all,
        conn,
        Warming,
        "SELECT w.id, w.video_id, v.title, w.part, w.in_quiet_hours, w.every_day, w.next_at, w.last_at \
         FROM warmings w JOIN videos v ON v.id = w.video_id \
         ORDER BY CASE WHEN w.next_at IS NULL THEN 1 ELSE 0 END, w.next_at, w.last_at DESC, w.id",
    )
}

/// Those whose time has come.
pub async fn due(conn: &mut impl Connect, now: Micros) -> Result<Vec<Warming>> {
    query!(
        fetch_all,
        conn,
        Warming,
        "SELECT w.id, w.video_id, v.title, w.part, w.in_quiet_hours, w.every_day, w.next_at, w.last_at \
         FROM warmings w JOIN videos v ON v.id = w.video_id WHERE w.next_at <= $1 ORDER BY w.next_at LIMIT 100",
        now.0,
    )
}

/// Notes that one was told to edges. False when somebody else has done that.
pub async fn done(tx: &mut Tx, warming: &Warming, next: Option<Micros>, now: Micros) -> Result<bool> {
    let changed = execute!(
        tx,
        "UPDATE warmings SET next_at = $1, last_at = $2 WHERE id = $3 AND next_at = $4",
        next.map(|at| at.0),
        now.0,
        &warming.id,
        warming.next_at,
    )?;
    Ok(changed == 1)
}

/// Removes one. [`Error::NotFound`] when there is none.
pub async fn delete(tx: &mut Tx, id: &str) -> Result<()> {
    match execute!(tx, "DELETE FROM warmings WHERE id = $1", id)? {
        1 => Ok(()),
        _ => Err(Error::NotFound),
    }
}

/// Forgets those that were done before `before` and will not be again.
pub async fn prune(tx: &mut Tx, before: Micros) -> Result<u64> {
    execute!(tx, "DELETE FROM warmings WHERE next_at IS NULL AND last_at < $1", before.0)
}
