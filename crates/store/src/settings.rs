//! What operators set while the instance runs.

use domain::Micros;

use crate::{
    Connect, Result, Tx,
    db::{execute, query},
};

const PAUSED: &str = "farm.paused";

/// No worker takes a long job.
pub async fn is_farm_paused(conn: &mut impl Connect) -> Result<bool> {
    let row = query!(fetch_optional, conn, (String,), "SELECT value FROM settings WHERE name = $1", PAUSED)?;
    Ok(row.is_some_and(|(value,)| value == "true"))
}

/// Lets workers end what they are at and take no more long jobs, or take them again.
pub async fn pause_farm(tx: &mut Tx, paused: bool, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO settings (name, value, updated_at) VALUES ($1, $2, $3) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
        PAUSED,
        paused.to_string(),
        now.0,
    )?;
    Ok(())
}
