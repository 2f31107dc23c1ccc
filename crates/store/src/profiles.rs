//! Encoding profiles that operators have made.

use domain::Micros;

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Profile {
    pub name: String,
    /// JSON, `domain::profile::Profile`.
    pub body: String,
    /// Titles are made with it.
    #[sqlx(try_from = "i64")]
    pub standard: Flag,
    pub revision: i64,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
}

/// 0 or 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

impl From<i64> for Flag {
    fn from(value: i64) -> Self {
        Self(value != 0)
    }
}

/// All of them, by name.
pub async fn list(conn: &mut impl Connect) -> Result<Vec<Profile>> {
    query!(
        fetch_all,
        conn,
        Profile,
        "SELECT name, body, standard, revision, updated_at FROM profiles ORDER BY name LIMIT 100",
    )
}

/// The one that titles are made with, if any was chosen.
pub async fn standard(conn: &mut impl Connect) -> Result<Option<Profile>> {
    query!(
        fetch_optional,
        conn,
        Profile,
        "SELECT name, body, standard, revision, updated_at FROM profiles WHERE standard = 1",
    )
}

/// Makes a profile, or changes the one of that name that still has `revision`. [`Error::Stale`] when it has another one;
/// 0 for one that is to be new.
pub async fn put(tx: &mut Tx, name: &str, body: &str, revision: i64, now: Micros) -> Result<()> {
    let rows = if revision == 0 {
        execute!(
            tx,
            "INSERT INTO profiles (name, body, standard, revision, updated_at) VALUES ($1, $2, 0, 1, $3) \
             ON CONFLICT (name) DO NOTHING",
            name,
            body,
            now.0,
        )?
    } else {
        execute!(
            tx,
            "UPDATE profiles SET body = $1, revision = revision + 1, updated_at = $2 WHERE name = $3 AND revision = $4",
            body,
            now.0,
            name,
            revision,
        )?
    };
    if rows == 1 { Ok(()) } else { Err(Error::Stale) }
}

/// Lets titles be made with that profile from now on; with what the configuration says when `name` is `None`.
pub async fn choose(tx: &mut Tx, name: Option<&str>) -> Result<()> {
    execute!(tx, "UPDATE profiles SET standard = 0 WHERE standard = 1")?;
    let Some(name) = name else { return Ok(()) };
    match execute!(tx, "UPDATE profiles SET standard = 1 WHERE name = $1", name)? {
        1 => Ok(()),
        _ => Err(Error::NotFound),
    }
}

/// [`Error::NotFound`] when there is none of that name.
pub async fn delete(tx: &mut Tx, name: &str) -> Result<()> {
    match execute!(tx, "DELETE FROM profiles WHERE name = $1", name)? {
        1 => Ok(()),
        _ => Err(Error::NotFound),
    }
}
