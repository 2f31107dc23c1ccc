//! Quality of experience, rolled up by minute, edge, title and node. Sums only: rows of several nodes add up.

use domain::{Micros, PresentationId, VideoId};

use crate::{
    Connect, Result, Tx,
    db::{execute, query},
};

/// Sums of what players told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Figures {
    pub starts: i64,
    pub start_failures: i64,
    pub errors: i64,
    pub playing_ms: i64,
    pub stalled_ms: i64,
    pub stalls: i64,
    pub switches: i64,
    pub dropped_frames: i64,
    pub bytes: i64,
    /// Playing time of which the media bitrate is known, and that bitrate times the time.
    pub rated_ms: i64,
    pub kilobits: i64,
}

impl Figures {
    pub fn add(&mut self, other: &Self) {
        let add = |into: &mut i64, more: i64| *into = into.saturating_add(more);
        add(&mut self.starts, other.starts);
        add(&mut self.start_failures, other.start_failures);
        add(&mut self.errors, other.errors);
        add(&mut self.playing_ms, other.playing_ms);
        add(&mut self.stalled_ms, other.stalled_ms);
        add(&mut self.stalls, other.stalls);
        add(&mut self.switches, other.switches);
        add(&mut self.dropped_frames, other.dropped_frames);
        add(&mut self.bytes, other.bytes);
        add(&mut self.rated_ms, other.rated_ms);
        add(&mut self.kilobits, other.kilobits);
    }
}

/// Which row is meant, of the node that writes it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub minute: Micros,
    pub edge: &'a str,
    /// Empty when it is not known.
    pub video: &'a str,
    pub node: &'a str,
}

/// Adds to the row of a minute.
pub async fn add(tx: &mut Tx, place: Place<'_>, more: &Figures) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO quality_minutes AS q (minute, edge, video_id, node, starts, start_failures, errors, playing_ms, stalled_ms, \
             stalls, switches, dropped_frames, bytes, rated_ms, kilobits) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         ON CONFLICT (minute, edge, video_id, node) DO UPDATE SET starts = q.starts + excluded.starts, \
             start_failures = q.start_failures + excluded.start_failures, errors = q.errors + excluded.errors, \
             playing_ms = q.playing_ms + excluded.playing_ms, stalled_ms = q.stalled_ms + excluded.stalled_ms, \
             stalls = q.stalls + excluded.stalls, switches = q.switches + excluded.switches, \
             dropped_frames = q.dropped_frames + excluded.dropped_frames, bytes = q.bytes + excluded.bytes, \
             rated_ms = q.rated_ms + excluded.rated_ms, kilobits = q.kilobits + excluded.kilobits",
        place.minute.0,
        place.edge,
        place.video,
        place.node,
        more.starts,
        more.start_failures,
        more.errors,
        more.playing_ms,
        more.stalled_ms,
        more.stalls,
        more.switches,
        more.dropped_frames,
        more.bytes,
        more.rated_ms,
        more.kilobits,
    )?;
    Ok(())
}

/// Adds starts that took as long as `bucket` says.
pub async fn add_starts(tx: &mut Tx, place: Place<'_>, bucket: i64, starts: i64) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO quality_starts AS q (minute, edge, video_id, node, bucket, starts) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (minute, edge, video_id, node, bucket) DO UPDATE SET starts = q.starts + excluded.starts",
        place.minute.0,
        place.edge,
        place.video,
        place.node,
        bucket,
        starts,
    )?;
    Ok(())
}

/// Forgets who played at a node.
pub async fn clear_now(tx: &mut Tx, node: &str) -> Result<()> {
    execute!(tx, "DELETE FROM quality_now WHERE node = $1", node)?;
    Ok(())
}

/// Sessions that play a title now. The row must not be there, see [`clear_now`].
pub async fn set_now(tx: &mut Tx, place: Place<'_>, sessions: i64, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO quality_now (node, edge, video_id, sessions, at) VALUES ($1, $2, $3, $4, $5)",
        place.node,
        place.edge,
        place.video,
        sessions,
        now.0,
    )?;
    Ok(())
}

/// How far a node's log is rolled up: segment and byte.
pub async fn position(conn: &mut impl Connect, node: &str) -> Result<Option<(i64, i64)>> {
    query!(fetch_optional, conn, (i64, i64), "SELECT segment, byte FROM quality_logs WHERE node = $1", node)
}

/// Notes how far a node's log is rolled up.
pub async fn set_position(tx: &mut Tx, node: &str, segment: i64, byte: i64, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO quality_logs (node, segment, byte, updated_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (node) DO UPDATE SET segment = excluded.segment, byte = excluded.byte, updated_at = excluded.updated_at",
        node,
        segment,
        byte,
        now.0,
    )?;
    Ok(())
}

/// The title of a presentation, playing or past.
pub async fn video_of(conn: &mut impl Connect, presentation: PresentationId) -> Result<Option<VideoId>> {
    let row = query!(
        fetch_optional,
        conn,
        (String,),
        "SELECT video_id FROM presentations WHERE id = $1 UNION SELECT id FROM videos WHERE presentation_id = $1 LIMIT 1",
        presentation.to_string(),
    )?;
    Ok(row.and_then(|(id,)| id.parse().ok()))
}

/// Sums under a name: of an edge, a title or a time.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Sum {
    pub name: String,
    #[sqlx(flatten)]
    pub figures: Figures,
}

/// Starts in a bucket under a name.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Starts {
    pub name: String,
    pub bucket: i64,
    pub starts: i64,
}

/// What sums are told by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Edge,
    Title,
    /// Steps of so many microseconds; names are their beginnings.
    Time(i64),
}

/// The columns of [`Figures`] summed up, by the expression `$by`, most watched first.
macro_rules! sums {
    ($by:literal) => {
        concat!(
            "SELECT ",
            $by,
            " AS name, CAST(SUM(starts) AS BIGINT) AS starts, CAST(SUM(start_failures) AS BIGINT) AS start_failures, \
             CAST(SUM(errors) AS BIGINT) AS errors, CAST(SUM(playing_ms) AS BIGINT) AS playing_ms, \
             CAST(SUM(stalled_ms) AS BIGINT) AS stalled_ms, CAST(SUM(stalls) AS BIGINT) AS stalls, \
             CAST(SUM(switches) AS BIGINT) AS switches, CAST(SUM(dropped_frames) AS BIGINT) AS dropped_frames, \
             CAST(SUM(bytes) AS BIGINT) AS bytes, CAST(SUM(rated_ms) AS BIGINT) AS rated_ms, \
             CAST(SUM(kilobits) AS BIGINT) AS kilobits \
             FROM quality_minutes WHERE minute >= $1 AND $2 > 0 GROUP BY 1 \
             ORDER BY SUM(playing_ms + stalled_ms) DESC, SUM(starts + start_failures) DESC, 1 LIMIT $3"
        )
    };
}

macro_rules! starts {
    ($by:literal) => {
        concat!(
            "SELECT ",
            $by,
            " AS name, bucket, CAST(SUM(starts) AS BIGINT) AS starts FROM quality_starts \
             WHERE minute >= $1 AND $2 > 0 GROUP BY 1, bucket"
        )
    };
}

/// Sums since the minute `since`, the most watched `limit` of them.
pub async fn sums(conn: &mut impl Connect, by: By, since: Micros, limit: u32) -> Result<Vec<Sum>> {
    let limit = i64::from(limit);
    match by {
        By::Edge => query!(fetch_all, conn, Sum, sums!("edge"), since.0, 1_i64, limit),
        By::Title => query!(fetch_all, conn, Sum, sums!("video_id"), since.0, 1_i64, limit),
        By::Time(step) => {
            query!(fetch_all, conn, Sum, sums!("CAST(minute - minute % $2 AS TEXT)"), since.0, step, limit)
        }
    }
}

/// Starts since the minute `since` by their times.
pub async fn starts(conn: &mut impl Connect, by: By, since: Micros) -> Result<Vec<Starts>> {
    match by {
        By::Edge => query!(fetch_all, conn, Starts, starts!("edge"), since.0, 1_i64),
        By::Title => query!(fetch_all, conn, Starts, starts!("video_id"), since.0, 1_i64),
        By::Time(step) => {
            query!(fetch_all, conn, Starts, starts!("CAST(minute - minute % $2 AS TEXT)"), since.0, step)
        }
    }
}

/// Who plays now, by edge and title, as far as nodes said since `since`.
pub async fn now(conn: &mut impl Connect, since: Micros) -> Result<Vec<(String, String, i64)>> {
    query!(
        fetch_all,
        conn,
        (String, String, i64),
        "SELECT edge, video_id, CAST(SUM(sessions) AS BIGINT) FROM quality_now WHERE at >= $1 GROUP BY edge, video_id",
        since.0,
    )
}

/// What a title is called.
pub async fn title(conn: &mut impl Connect, video: &str) -> Result<Option<String>> {
    let row = query!(fetch_optional, conn, (String,), "SELECT title FROM videos WHERE id = $1", video)?;
    Ok(row.map(|(title,)| title))
}

/// Forgets minutes before `before`, and nodes that were silent since.
pub async fn prune(tx: &mut Tx, before: Micros) -> Result<()> {
    execute!(&mut *tx, "DELETE FROM quality_minutes WHERE minute < $1", before.0)?;
    execute!(&mut *tx, "DELETE FROM quality_starts WHERE minute < $1", before.0)?;
    execute!(&mut *tx, "DELETE FROM quality_now WHERE at < $1", before.0)?;
    Ok(())
}
