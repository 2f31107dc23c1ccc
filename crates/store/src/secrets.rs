//! Secrets that the instance makes for itself once and every process shares.

use domain::Micros;

use crate::{
    Connect, Result, Tx,
    db::{execute, query},
};

/// The secret of that name; `candidate` becomes it when there is none. Of processes that start at once, all get the same.
pub async fn get_or_create(tx: &mut Tx, name: &str, candidate: &str, now: Micros) -> Result<String> {
    execute!(
        tx,
        "INSERT INTO secrets (name, value, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
        name,
        candidate,
        now.0,
    )?;
    let (value,) = query!(fetch_one, tx, (String,), "SELECT value FROM secrets WHERE name = $1", name)?;
    Ok(value)
}

/// The secret of that name, if there is one.
pub async fn get(conn: &mut impl Connect, name: &str) -> Result<Option<String>> {
    let row = query!(fetch_optional, conn, (String,), "SELECT value FROM secrets WHERE name = $1", name)?;
    Ok(row.map(|(value,)| value))
}
