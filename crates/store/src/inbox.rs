//! Which consumer has handled which event: makes at-least-once delivery idempotent.

use domain::Micros;

use crate::{Result, Tx, db::execute};

/// True exactly once for each event and consumer. Call it in the transaction of the effect: when that rolls back, the event
/// counts as not handled.
pub async fn once(tx: &mut Tx, consumer: &str, event_id: &str, now: Micros) -> Result<bool> {
    let rows = execute!(
        tx,
        "INSERT INTO inbox (consumer, event_id, handled_at) VALUES ($1, $2, $3) ON CONFLICT (consumer, event_id) DO NOTHING",
        consumer,
        event_id,
        now.0,
    )?;
    Ok(rows == 1)
}

/// Forgets what was handled before `before`; must be older than any event that can still be delivered.
pub async fn prune(tx: &mut Tx, before: Micros) -> Result<u64> {
    execute!(tx, "DELETE FROM inbox WHERE handled_at < $1", before.0)
}
