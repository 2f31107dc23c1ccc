//! Processes that work on jobs, by their signs of life.

use domain::Micros;

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
    settings,
};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Worker {
    pub name: String,
    /// Long jobs at a time.
    pub slots: i64,
    /// JSON: `version`, `cores`, `memory_bytes`, `codecs`, `encoders`.
    pub about: String,
    /// 1: an operator lets it take no more jobs.
    pub drained: i64,
    #[sqlx(try_from = "i64")]
    pub started_at: Micros,
    #[sqlx(try_from = "i64")]
    pub seen_at: Micros,
}

/// What a worker tells with each sign of life.
#[derive(Debug, Clone, Copy)]
pub struct Sign<'a> {
    pub name: &'a str,
    /// Long jobs at a time.
    pub slots: i64,
    /// JSON, see [`Worker::about`].
    pub about: &'a str,
    /// Kinds of jobs that it takes.
    pub kinds: &'a [&'a str],
    pub started_at: Micros,
}

/// A sign of life, the first of which registers the worker.
pub async fn beat(tx: &mut Tx, sign: &Sign<'_>, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO workers (name, slots, about, kinds, started_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, about = excluded.about, kinds = excluded.kinds, \
             started_at = excluded.started_at, seen_at = excluded.seen_at",
        sign.name,
        sign.slots,
        sign.about,
        format!(" {} ", sign.kinds.join(" ")),
        sign.started_at.0,
        now.0,
    )?;
    Ok(())
}

/// Lets a worker end what it is at and take no more jobs, or take them again. [`Error::NotFound`] when there is none of that
/// name.
pub async fn drain(tx: &mut Tx, name: &str, drained: bool) -> Result<()> {
    match execute!(tx, "UPDATE workers SET drained = $1 WHERE name = $2", i64::from(drained), name)? {
        1 => Ok(()),
        _ => Err(Error::NotFound),
    }
}

/// May this worker take jobs, long ones among them? `(any, long)`.
pub async fn may_work(conn: &mut impl Connect, name: &str) -> Result<(bool, bool)> {
    let row = query!(fetch_optional, conn, (i64,), "SELECT drained FROM workers WHERE name = $1", name)?;
    let any = row.is_none_or(|(drained,)| drained == 0);
    Ok((any, any && !settings::is_farm_paused(conn).await?))
}

/// The worker ends in order, or is known to be gone.
pub async fn leave(tx: &mut Tx, name: &str) -> Result<u64> {
    execute!(tx, "DELETE FROM workers WHERE name = $1", name)
}

/// All that did not leave, by name.
pub async fn list(conn: &mut impl Connect) -> Result<Vec<Worker>> {
    query!(
        fetch_all,
        conn,
        Worker,
        "SELECT name, slots, about, drained, started_at, seen_at FROM workers ORDER BY name LIMIT 1000"
    )
}

/// Forgets workers that were silent since `before`.
pub async fn prune(tx: &mut Tx, before: Micros) -> Result<u64> {
    execute!(tx, "DELETE FROM workers WHERE seen_at < $1", before.0)
}
