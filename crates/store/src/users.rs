//! People with an account.

use domain::{Micros, Role, UserId};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
    search,
};

#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    #[sqlx(try_from = "String")]
    pub id: UserId,
    /// Lower case.
    pub email: String,
    pub name: String,
    /// argon2id, PHC string format.
    pub password_hash: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// `None`: the instance's default.
    pub quota_bytes: Option<i64>,
    pub disabled_at: Option<i64>,
    /// Grows with every edit.
    pub revision: i64,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("id", &self.id).field("role", &self.role).finish_non_exhaustive()
    }
}

/// An account to be made.
#[derive(Clone)]
pub struct NewUser {
    pub id: UserId,
    /// Lower case.
    pub email: String,
    pub name: String,
    pub password_hash: String,
    pub role: Role,
}

/// Changes to an account; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub name: Option<String>,
    pub role: Option<Role>,
    /// `Some(None)`: back to the instance's default.
    pub quota_bytes: Option<Option<i64>>,
    pub disabled: Option<bool>,
}

/// [`Error::Conflict`] when the address is taken.
pub async fn insert(tx: &mut Tx, new: &NewUser, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO users (id, email, name, password_hash, role, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
        new.id.to_string(),
        &new.email,
        &new.name,
        &new.password_hash,
        new.role.word(),
        now.0,
    )?;
    Ok(())
}

/// Stands for the password of an account that the command line made and nobody has claimed: nothing matches it.
pub const UNCLAIMED: &str = "!";

/// Makes the first account that people sign in to, also against others doing so at once. Says whether it did. An
/// administrator whom the command line made before, for what it brought into the library, becomes this account.
pub async fn insert_first(tx: &mut Tx, new: &NewUser, now: Micros) -> Result<bool> {
    if let crate::db::Connection::Postgres(conn) = tx.connection() {
        // SQLite holds its only write lock already.
        sqlx::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    }
    if any(tx).await? {
        return Ok(false);
    }
    let Some(unclaimed) = first_admin(tx).await? else {
        insert(tx, new, now).await?;
        return Ok(true);
    };
    execute!(
        &mut *tx,
        "UPDATE users SET email = $1, name = $2, password_hash = $3, updated_at = $4 WHERE id = $5",
        &new.email,
        &new.name,
        &new.password_hash,
        now.0,
        unclaimed.id.to_string(),
    )?;
    search::refold_owner(tx, unclaimed.id, &new.name).await?;
    Ok(true)
}

/// Is there any account that somebody can sign in to?
pub async fn any(conn: &mut impl Connect) -> Result<bool> {
    let row = query!(
        fetch_optional,
        conn,
        (String,),
        "SELECT id FROM users WHERE password_hash <> $1 LIMIT 1",
        UNCLAIMED
    )?;
    Ok(row.is_some())
}

pub async fn get(conn: &mut impl Connect, id: UserId) -> Result<User> {
    query!(fetch_one, conn, User, "SELECT * FROM users WHERE id = $1", id.to_string())
}

/// By the lower-case address.
pub async fn by_email(conn: &mut impl Connect, email: &str) -> Result<Option<User>> {
    query!(fetch_optional, conn, User, "SELECT * FROM users WHERE email = $1", email)
}

/// The administrator who has been here longest and may sign in.
pub async fn first_admin(conn: &mut impl Connect) -> Result<Option<User>> {
    query!(
        fetch_optional,
        conn,
        User,
        "SELECT * FROM users WHERE role = 'admin' AND disabled_at IS NULL ORDER BY id LIMIT 1"
    )
}

/// Accounts whose name or address contains `part`, latest first, after the id of the last one seen. Only letters of ASCII
/// are found in either case.
pub async fn list(
    conn: &mut impl Connect,
    part: &str,
    after: Option<UserId>,
    limit: u32,
) -> Result<Vec<User>> {
    let escaped = part.to_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    query!(
        fetch_all,
        conn,
        User,
        "SELECT * FROM users WHERE id < $1 AND (email LIKE $2 ESCAPE '\\' OR LOWER(name) LIKE $2 ESCAPE '\\')
         ORDER BY id DESC LIMIT $3",
        after.map_or_else(|| crate::videos::LAST_ID.to_owned(), |id| id.to_string()),
        format!("%{escaped}%"),
        i64::from(limit),
    )
}

/// Applies `change`. [`Error::Conflict`] when it would leave no administrator who may sign in.
pub async fn edit(tx: &mut Tx, id: UserId, change: &Edit, now: Micros) -> Result<User> {
    if let crate::db::Connection::Postgres(conn) = tx.connection() {
        // Two administrators demoting each other at once must not both succeed.
        sqlx::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE").execute(conn).await?;
    }
    let old = get(tx, id).await?;
    let name = change.name.as_ref().unwrap_or(&old.name);
    let disabled_at = match change.disabled {
        Some(true) => old.disabled_at.or(Some(now.0)),
        Some(false) => None,
        None => old.disabled_at,
    };
    execute!(
        &mut *tx,
        "UPDATE users SET name = $1, role = $2, quota_bytes = $3, disabled_at = $4, updated_at = $5, \
         revision = revision + 1 WHERE id = $6",
        name,
        change.role.unwrap_or(old.role).word(),
        change.quota_bytes.unwrap_or(old.quota_bytes),
        disabled_at,
        now.0,
        id.to_string(),
    )?;
    if first_admin(tx).await?.is_none() {
        return Err(Error::Conflict("the last administrator".into()));
    }
    if *name != old.name {
        search::refold_owner(tx, id, name).await?;
    }
    get(tx, id).await
}

pub async fn set_password(tx: &mut Tx, id: UserId, password_hash: &str, now: Micros) -> Result<()> {
    let done = execute!(
        tx,
        "UPDATE users SET password_hash = $1, updated_at = $2 WHERE id = $3",
        password_hash,
        now.0,
        id.to_string(),
    )?;
    if done == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Bytes of originals that count against the account's quota: whole ones, and what open uploads have announced.
pub async fn used_bytes(conn: &mut impl Connect, id: UserId) -> Result<i64> {
    let (bytes,) = query!(
        fetch_one,
        conn,
        (i64,),
        "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM (
             SELECT size AS bytes FROM sources WHERE owner_id = $1
             UNION ALL SELECT length FROM uploads WHERE owner_id = $1 AND state = 'open' AND kind <> 'final'
         ) AS used",
        id.to_string(),
    )?;
    Ok(bytes)
}
