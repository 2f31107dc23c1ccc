//! Units of encoding work and what came of them. Written once; one that does not go with its neighbours is taken back.

use domain::{Micros, PresentationId};

use crate::{
    Connect, Result, Tx,
    db::{execute, query},
};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Unit {
    /// `v:0`, `a0:3`, `pictures`.
    pub name: String,
    /// JSON.
    pub result: String,
}

/// Records a unit. Says whether it was the first to: a later result of the same unit is not needed.
pub async fn insert(tx: &mut Tx, id: PresentationId, name: &str, result: &str, now: Micros) -> Result<bool> {
    let rows = execute!(
        tx,
        "INSERT INTO units (presentation_id, name, result, created_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (presentation_id, name) DO NOTHING",
        id.to_string(),
        name,
        result,
        now.0,
    )?;
    Ok(rows == 1)
}

/// Takes a unit back that is recorded with this very result. Says whether it was.
pub async fn give_up(tx: &mut Tx, id: PresentationId, name: &str, result: &str) -> Result<bool> {
    let rows = execute!(
        tx,
        "DELETE FROM units WHERE presentation_id = $1 AND name = $2 AND result = $3",
        id.to_string(),
        name,
        result,
    )?;
    Ok(rows == 1)
}

/// Names of all units that are in.
pub async fn names(conn: &mut impl Connect, id: PresentationId) -> Result<Vec<String>> {
    let rows = query!(
        fetch_all,
        conn,
        (String,),
        "SELECT name FROM units WHERE presentation_id = $1",
        id.to_string()
    )?;
    Ok(rows.into_iter().map(|(name,)| name).collect())
}

/// All units that are in.
pub async fn list(conn: &mut impl Connect, id: PresentationId) -> Result<Vec<Unit>> {
    query!(fetch_all, conn, Unit, "SELECT name, result FROM units WHERE presentation_id = $1", id.to_string())
}

/// Has the presentation a storyboard?
pub async fn has_storyboard(conn: &mut impl Connect, id: PresentationId) -> Result<bool> {
    let (count,) = query!(
        fetch_one,
        conn,
        (i64,),
        "SELECT COUNT(*) FROM units WHERE presentation_id = $1 AND name = 'pictures' AND result <> '{}'",
        id.to_string()
    )?;
    Ok(count > 0)
}
