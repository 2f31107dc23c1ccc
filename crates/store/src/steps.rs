//! Live progress of a title's workflow, as people see it.

use domain::{Micros, VideoId};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
};

/// The steps of the workflow in the order that people see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    Upload,
    Probe,
    Encode,
    Audio,
    Pictures,
    Publish,
    /// Further codecs, added to a title that can be watched.
    Formats,
}

impl Name {
    pub const ALL: [Self; 7] =
        [Self::Upload, Self::Probe, Self::Encode, Self::Audio, Self::Pictures, Self::Publish, Self::Formats];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Probe => "probe",
            Self::Encode => "encode",
            Self::Audio => "audio",
            Self::Pictures => "pictures",
            Self::Publish => "publish",
            Self::Formats => "formats",
        }
    }
}

impl TryFrom<String> for Name {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|name| name.as_str() == text);
        known.ok_or_else(|| Error::Corrupt(format!("step name {text:?}")))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    Waiting,
    Running,
    Done,
    Failed,
    Cancelled,
}

impl State {
    const ALL: [Self; 5] = [Self::Waiting, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl TryFrom<String> for State {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|state| state.as_str() == text);
        known.ok_or_else(|| Error::Corrupt(format!("step state {text:?}")))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Step {
    #[sqlx(try_from = "String")]
    pub video_id: VideoId,
    #[sqlx(try_from = "String")]
    pub name: Name,
    #[sqlx(try_from = "String")]
    pub state: State,
    /// Units of work done, of `total`; what a unit is depends on the step (bytes, chunks, pictures).
    pub done: i64,
    /// 0: not known yet.
    pub total: i64,
    /// A sentence for people, mostly empty.
    pub message: String,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
}

/// Writes a step as it is now.
#[allow(clippy::too_many_arguments)]
pub async fn set(
    tx: &mut Tx,
    video: VideoId,
    name: Name,
    state: State,
    done: i64,
    total: i64,
    message: &str,
    now: Micros,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO steps (video_id, name, position, state, done, total, message, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (video_id, name) DO UPDATE SET state = excluded.state, done = excluded.done, total = excluded.total, \
             message = excluded.message, updated_at = excluded.updated_at",
        video.to_string(),
        name.as_str(),
        name as i64,
        state.as_str(),
        done,
        total,
        message,
        now.0,
    )?;
    Ok(())
}

/// Adds to what a step has done, for workers that finish units of it side by side; the last unit of a known total ends it.
/// Call it in the transaction that records the unit, so that a unit counts once.
pub async fn add_done(tx: &mut Tx, video: VideoId, name: Name, units: i64, now: Micros) -> Result<()> {
    let rows = execute!(
        tx,
        "UPDATE steps SET done = done + $1, updated_at = $2, \
             state = CASE WHEN total > 0 AND done + $1 >= total THEN 'done' ELSE 'running' END \
         WHERE video_id = $3 AND name = $4",
        units,
        now.0,
        video.to_string(),
        name.as_str(),
    )?;
    if rows == 1 { Ok(()) } else { Err(Error::NotFound) }
}

/// Puts every unfinished step of a video into `state` (failed or cancelled), with a sentence that says why.
pub async fn end_unfinished(
    tx: &mut Tx,
    video: VideoId,
    state: State,
    message: &str,
    now: Micros,
) -> Result<u64> {
    execute!(
        tx,
        "UPDATE steps SET state = $1, message = $2, updated_at = $3 \
         WHERE video_id = $4 AND state IN ('waiting', 'running')",
        state.as_str(),
        message,
        now.0,
        video.to_string(),
    )
}

/// The steps of one video, in order.
pub async fn list(conn: &mut impl Connect, video: VideoId) -> Result<Vec<Step>> {
    query!(
        fetch_all,
        conn,
        Step,
        "SELECT video_id, name, state, done, total, message, updated_at FROM steps WHERE video_id = $1 ORDER BY position",
        video.to_string(),
    )
}

/// The steps of several videos, by video and in order.
pub async fn list_many(conn: &mut impl Connect, videos: &[VideoId]) -> Result<Vec<Step>> {
    changed_since(conn, videos, Micros(i64::MIN)).await
}

/// The steps of several videos that changed after `since`, by video and in order.
pub async fn changed_since(conn: &mut impl Connect, videos: &[VideoId], since: Micros) -> Result<Vec<Step>> {
    let ids = serde_json::Value::from(videos.iter().map(ToString::to_string).collect::<Vec<_>>()).to_string();
    query!(
        fetch_all,
        conn,
        Step,
        sqlite
        "SELECT video_id, name, state, done, total, message, updated_at FROM steps \
         WHERE video_id IN (SELECT value FROM json_each($1)) AND updated_at > $2 ORDER BY video_id, position",
        postgres
        "SELECT video_id, name, state, done, total, message, updated_at FROM steps \
         WHERE video_id IN (SELECT jsonb_array_elements_text($1::jsonb)) AND updated_at > $2 ORDER BY video_id, position",
        &ids,
        since.0,
    )
}
