//! What an operator wants to see of the whole instance, across aggregates. Reads only.

use domain::{Micros, VideoId};

use crate::{
    Connect, Result,
    db::query,
    videos::{LAST_ID, State},
};

/// A job at work, or one that nobody works on any more.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Job {
    pub id: String,
    pub kind: String,
    /// What it is about: a video's id.
    pub subject: String,
    /// The title of that video, when there is one.
    pub title: Option<String>,
    pub attempts: i64,
    pub max_attempts: i64,
    pub worker: Option<String>,
    pub error: Option<String>,
    /// The latest attempt whose log is kept, see [`crate::attempts::log`].
    pub log: Option<String>,
    /// The last claim; 0 before the first.
    #[sqlx(try_from = "i64")]
    pub claimed_at: Micros,
    #[sqlx(try_from = "i64")]
    pub lease_until: Micros,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
}

/// `SELECT` of [`Job`] with what follows.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT j.id, j.kind, j.subject, v.title, j.attempts, j.max_attempts, j.worker, j.error, \
             (SELECT MAX(l.attempt_id) FROM attempt_logs l JOIN attempts a ON a.id = l.attempt_id WHERE a.job_id = j.id) AS log, \
             j.claimed_at, j.lease_until, j.updated_at FROM jobs j LEFT JOIN videos v ON v.id = j.subject ",
            $rest
        )
    };
}

/// Jobs at work, longest first, at most `limit`.
pub async fn running(conn: &mut impl Connect, limit: u32) -> Result<Vec<Job>> {
    query!(
        fetch_all,
        conn,
        Job,
        select!("WHERE j.state = 'running' ORDER BY j.claimed_at, j.id LIMIT $1"),
        i64::from(limit),
    )
}

/// Dead jobs, latest first, after the id of the last one seen.
pub async fn dead(conn: &mut impl Connect, after: Option<&str>, limit: u32) -> Result<Vec<Job>> {
    query!(
        fetch_all,
        conn,
        Job,
        select!("WHERE j.state = 'dead' AND j.id < $1 ORDER BY j.id DESC LIMIT $2"),
        after.unwrap_or(LAST_ID),
        i64::from(limit),
    )
}

/// A title that could not be made, outside the trash.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Failure {
    #[sqlx(try_from = "String")]
    pub id: VideoId,
    pub title: String,
    pub error: Option<String>,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
}

/// Failed titles, latest first, at most `limit`.
pub async fn failures(conn: &mut impl Connect, limit: u32) -> Result<Vec<Failure>> {
    query!(
        fetch_all,
        conn,
        Failure,
        "SELECT id, title, error, updated_at FROM videos WHERE state = 'failed' AND deleted_at IS NULL \
         ORDER BY updated_at DESC, id DESC LIMIT $1",
        i64::from(limit),
    )
}

/// An upload that is not whole yet.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Upload {
    pub id: String,
    pub video_id: Option<String>,
    pub title: Option<String>,
    pub owner: String,
    pub received: i64,
    pub length: i64,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
}

/// Uploads in progress, latest sign of life first, at most `limit`.
pub async fn uploads(conn: &mut impl Connect, limit: u32) -> Result<Vec<Upload>> {
    query!(
        fetch_all,
        conn,
        Upload,
        "SELECT u.id, u.video_id, v.title, o.name AS owner, u.received, u.length, u.updated_at \
         FROM uploads u JOIN users o ON o.id = u.owner_id LEFT JOIN videos v ON v.id = u.video_id \
         WHERE u.state = 'open' AND u.kind <> 'final' ORDER BY u.updated_at DESC, u.id DESC LIMIT $1",
        i64::from(limit),
    )
}

/// How many uploads are in progress.
pub async fn open_uploads(conn: &mut impl Connect) -> Result<i64> {
    let (open,) = query!(
        fetch_one,
        conn,
        (i64,),
        "SELECT COUNT(*) FROM uploads WHERE state = 'open' AND kind <> 'final'"
    )?;
    Ok(open)
}

#[derive(sqlx::FromRow)]
struct InState {
    #[sqlx(try_from = "String")]
    state: State,
    trashed: i64,
    titles: i64,
}

/// How many titles there are in each state, and in the trash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Titles {
    pub by_state: Vec<(State, i64)>,
    pub trashed: i64,
}

pub async fn titles(conn: &mut impl Connect) -> Result<Titles> {
    let rows = query!(
        fetch_all,
        conn,
        InState,
        "SELECT state, trashed, COUNT(*) AS titles \
         FROM (SELECT state, CAST(CASE WHEN deleted_at IS NULL THEN 0 ELSE 1 END AS BIGINT) AS trashed FROM videos) AS v \
         GROUP BY state, trashed ORDER BY state",
    )?;
    let mut titles = Titles::default();
    for row in rows {
        if row.trashed == 1 {
            titles.trashed += row.titles;
        } else {
            titles.by_state.push((row.state, row.titles));
        }
    }
    Ok(titles)
}

/// Bytes that the database takes.
pub async fn database_bytes(conn: &mut impl Connect) -> Result<i64> {
    let (bytes,) = query!(
        fetch_one,
        conn,
        (i64,),
        sqlite
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        postgres
        "SELECT pg_database_size(current_database())",
    )?;
    Ok(bytes)
}
