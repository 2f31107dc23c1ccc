//! Browser sessions and API tokens. The secret itself is never here, only its SHA-256.

use domain::{Micros, Role, TokenId, UserId};

use crate::{
    Connect, Result, Tx,
    db::{execute, query},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Session,
    Api,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Api => "api",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Token {
    #[sqlx(try_from = "String")]
    pub id: TokenId,
    #[sqlx(try_from = "String")]
    pub user_id: UserId,
    /// What its owner calls it; the browser for a session.
    pub name: String,
    /// Space separated; empty for a session.
    pub scopes: String,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
    #[sqlx(try_from = "i64")]
    pub last_used_at: Micros,
    #[sqlx(try_from = "i64")]
    pub expires_at: Micros,
    /// When a playback was last begun with it, to the hour.
    pub played_at: Option<i64>,
}

/// A token that is good now, with its owner's role.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Bearer {
    #[sqlx(flatten)]
    pub token: Token,
    #[sqlx(try_from = "String")]
    pub role: Role,
}

#[derive(Debug, Clone)]
pub struct NewToken {
    pub id: TokenId,
    pub user: UserId,
    pub kind: Kind,
    pub secret_sha256: String,
    pub name: String,
    pub scopes: String,
    pub expires_at: Micros,
}

pub async fn insert(tx: &mut Tx, new: &NewToken, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO tokens (id, user_id, kind, secret_sha256, name, scopes, created_at, last_used_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)",
        new.id.to_string(),
        new.user.to_string(),
        new.kind.word(),
        &new.secret_sha256,
        &new.name,
        &new.scopes,
        now.0,
        new.expires_at.0,
    )?;
    Ok(())
}

/// The token with this secret, if it has not expired and its owner is not disabled.
pub async fn good(
    conn: &mut impl Connect,
    kind: Kind,
    secret_sha256: &str,
    now: Micros,
) -> Result<Option<Bearer>> {
    query!(
        fetch_optional,
        conn,
        Bearer,
        "SELECT t.id, t.user_id, t.name, t.scopes, t.created_at, t.last_used_at, t.expires_at, t.played_at, u.role
         FROM tokens t JOIN users u ON u.id = t.user_id
         WHERE t.secret_sha256 = $1 AND t.kind = $2 AND t.expires_at > $3 AND u.disabled_at IS NULL",
        secret_sha256,
        kind.word(),
        now.0,
    )
}

/// The owner's role, as long as the token is good: not revoked, not expired, its owner not disabled.
pub async fn role(conn: &mut impl Connect, id: TokenId, now: Micros) -> Result<Option<Role>> {
    let row = query!(
        fetch_optional,
        conn,
        (String,),
        "SELECT u.role FROM tokens t JOIN users u ON u.id = t.user_id
         WHERE t.id = $1 AND t.expires_at > $2 AND u.disabled_at IS NULL",
        id.to_string(),
        now.0,
    )?;
    Ok(row.and_then(|(role,)| role.parse().ok()))
}

/// Notes a use, and moves the expiry of a session.
pub async fn touch(tx: &mut Tx, id: TokenId, expires_at: Micros, now: Micros) -> Result<()> {
    execute!(
        tx,
        "UPDATE tokens SET last_used_at = $1, expires_at = $2 WHERE id = $3",
        now.0,
        expires_at.0,
        id.to_string(),
    )
    .map(|_| ())
}

/// A person's tokens that have not expired, latest first.
pub async fn list(conn: &mut impl Connect, user: UserId, kind: Kind, now: Micros) -> Result<Vec<Token>> {
    query!(
        fetch_all,
        conn,
        Token,
        "SELECT id, user_id, name, scopes, created_at, last_used_at, expires_at, played_at FROM tokens
         WHERE user_id = $1 AND kind = $2 AND expires_at > $3 ORDER BY id DESC LIMIT 200",
        user.to_string(),
        kind.word(),
        now.0,
    )
}

/// What its owner calls a token; the browser for a session.
pub async fn name(conn: &mut impl Connect, id: TokenId) -> Result<Option<String>> {
    let row =
        query!(fetch_optional, conn, (String,), "SELECT name FROM tokens WHERE id = $1", id.to_string())?;
    Ok(row.map(|(name,)| name))
}

/// Notes that a playback was begun.
pub async fn note_played(tx: &mut Tx, id: TokenId, now: Micros) -> Result<()> {
    execute!(tx, "UPDATE tokens SET played_at = $1 WHERE id = $2", now.0, id.to_string()).map(|_| ())
}

/// When each of a person's devices last began a playback, those that did since `since`, latest first.
pub async fn playing(
    conn: &mut impl Connect,
    user: UserId,
    since: Micros,
    now: Micros,
) -> Result<Vec<(TokenId, Micros)>> {
    let rows = query!(
        fetch_all,
        conn,
        (String, i64),
        "SELECT id, played_at FROM tokens WHERE user_id = $1 AND played_at >= $2 AND expires_at > $3
         ORDER BY played_at DESC, id DESC LIMIT 200",
        user.to_string(),
        since.0,
        now.0,
    )?;
    Ok(rows.into_iter().filter_map(|(id, at)| Some((id.parse().ok()?, Micros(at)))).collect())
}

/// Revokes one token of `user`. Says whether there was one.
pub async fn delete(tx: &mut Tx, user: UserId, kind: Kind, id: TokenId) -> Result<bool> {
    let done = execute!(
        tx,
        "DELETE FROM tokens WHERE id = $1 AND user_id = $2 AND kind = $3",
        id.to_string(),
        user.to_string(),
        kind.word(),
    )?;
    Ok(done == 1)
}

/// Revokes all sessions of `user` but `keep`.
pub async fn delete_sessions(tx: &mut Tx, user: UserId, keep: Option<TokenId>) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM tokens WHERE user_id = $1 AND kind = 'session' AND id <> $2",
        user.to_string(),
        keep.map_or_else(String::new, |id| id.to_string()),
    )
}

/// Revokes everything that `user` could sign in or call with.
pub async fn delete_all(tx: &mut Tx, user: UserId) -> Result<u64> {
    execute!(tx, "DELETE FROM tokens WHERE user_id = $1", user.to_string())
}

/// Removes what expired before `now`.
pub async fn prune(tx: &mut Tx, now: Micros) -> Result<u64> {
    execute!(tx, "DELETE FROM tokens WHERE expires_at <= $1", now.0)
}
