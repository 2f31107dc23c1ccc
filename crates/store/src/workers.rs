//! Processes that work on jobs, by their signs of life.

use domain::Micros;

use crate::{
    Connect, Result, Tx,
    db::{execute, query},
};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Worker {
    pub name: String,
    /// Long jobs at a time.
    pub slots: i64,
    #[sqlx(try_from = "i64")]
    pub started_at: Micros,
    #[sqlx(try_from = "i64")]
    pub seen_at: Micros,
}

/// A sign of life, the first of which registers the worker.
pub async fn beat(tx: &mut Tx, name: &str, slots: i64, started_at: Micros, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO workers (name, slots, started_at, seen_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name) DO UPDATE SET slots = excluded.slots, started_at = excluded.started_at, seen_at = excluded.seen_at",
        name,
        slots,
        started_at.0,
        now.0,
    )?;
    Ok(())
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
        "SELECT name, slots, started_at, seen_at FROM workers ORDER BY name LIMIT 1000"
    )
}

/// Forgets workers that were silent since `before`.
pub async fn prune(tx: &mut Tx, before: Micros) -> Result<u64> {
    execute!(tx, "DELETE FROM workers WHERE seen_at < $1", before.0)
}
