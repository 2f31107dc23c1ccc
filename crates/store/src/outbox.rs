//! Events written in the transaction of the change that they announce, read in the order of commits.
//!
//! Appending takes a lock until the transaction ends, so that positions become visible in order and a consumer that reads
//! behind its cursor misses none. Append last in a transaction, and keep it short.

use domain::Micros;
use uuid::Uuid;

use crate::{
    Connect, Result, Tx,
    db::{Connection, execute, query},
};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Event {
    /// 1, 2, 3 … in the order of commits.
    pub position: i64,
    pub id: String,
    pub topic: String,
    /// What it is about, usually a video id.
    pub subject: String,
    /// JSON.
    pub payload: String,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
}

/// Appends an event and gives its id, the one that consumers note in their inbox.
pub async fn append(tx: &mut Tx, topic: &str, subject: &str, payload: &str, now: Micros) -> Result<String> {
    // SQLite has one writer anyway.
    if let Connection::Postgres(conn) = tx.connection() {
        sqlx::query("SELECT pg_advisory_xact_lock(7305312)").execute(conn).await?;
    }
    let id = Uuid::now_v7().to_string();
    execute!(
        tx,
        "INSERT INTO outbox (position, id, topic, subject, payload, created_at) \
         VALUES ((SELECT COALESCE(MAX(position), 0) + 1 FROM outbox), $1, $2, $3, $4, $5)",
        &id,
        topic,
        subject,
        payload,
        now.0,
    )?;
    Ok(id)
}

/// Up to `limit` events behind position `after`, oldest first.
pub async fn read(conn: &mut impl Connect, after: i64, limit: u32) -> Result<Vec<Event>> {
    query!(
        fetch_all,
        conn,
        Event,
        "SELECT position, id, topic, subject, payload, created_at FROM outbox WHERE position > $1 ORDER BY position LIMIT $2",
        after,
        i64::from(limit),
    )
}

/// How far `consumer` has read; 0 for a new one.
pub async fn cursor(conn: &mut impl Connect, consumer: &str) -> Result<i64> {
    let row = query!(
        fetch_optional,
        conn,
        (i64,),
        "SELECT position FROM outbox_cursors WHERE consumer = $1",
        consumer
    )?;
    Ok(row.map_or(0, |(position,)| position))
}

/// Notes that `consumer` has handled everything up to `position`. Never goes back.
pub async fn advance(tx: &mut Tx, consumer: &str, position: i64) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO outbox_cursors (consumer, position) VALUES ($1, $2) \
         ON CONFLICT (consumer) DO UPDATE SET position = excluded.position WHERE outbox_cursors.position < excluded.position",
        consumer,
        position,
    )?;
    Ok(())
}

/// Deletes events older than `before` that every known consumer has handled. The newest event always stays: it carries the
/// position that the next one counts from.
pub async fn prune(tx: &mut Tx, before: Micros) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM outbox WHERE created_at < $1 AND position < (SELECT MAX(position) FROM outbox) \
             AND NOT EXISTS (SELECT 1 FROM outbox_cursors c WHERE c.position < outbox.position)",
        before.0,
    )
}
