//! Requests that name an idempotency key, and what they were answered: the same request again gets the same answer.

use domain::{Micros, UserId};

use crate::{
    Connect, Result, Tx,
    db::{execute, query},
};

/// A request that names a key.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub user: UserId,
    pub key_sha256: &'a str,
    pub head_sha256: &'a str,
    /// Names this very attempt.
    pub holder: &'a str,
}

/// What is kept under a key that somebody used before.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Kept {
    pub head_sha256: String,
    /// `None`: the request was answered without reading all of its body.
    pub body_sha256: Option<String>,
    /// `None`: the first request is still at work.
    pub answer: Option<String>,
    #[sqlx(try_from = "i64")]
    pub lease_until: Micros,
}

/// Takes the key until `lease_until`; `None` when it was free. A request that died leaves its key to the next one when its
/// lease is over.
pub async fn begin(
    tx: &mut Tx,
    request: &Request<'_>,
    lease_until: Micros,
    now: Micros,
) -> Result<Option<Kept>> {
    let taken = execute!(
        &mut *tx,
        "INSERT INTO idempotency_keys (user_id, key_sha256, head_sha256, holder, lease_until, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $5) \
         ON CONFLICT (user_id, key_sha256) DO UPDATE SET head_sha256 = excluded.head_sha256, holder = excluded.holder, \
             body_sha256 = NULL, answer = NULL, lease_until = excluded.lease_until, expires_at = excluded.expires_at \
         WHERE idempotency_keys.expires_at <= $6",
        request.user.to_string(),
        request.key_sha256,
        request.head_sha256,
        request.holder,
        lease_until.0,
        now.0,
    )?;
    if taken == 1 {
        return Ok(None);
    }
    query!(
        fetch_one,
        tx,
        Kept,
        "SELECT head_sha256, body_sha256, answer, lease_until FROM idempotency_keys WHERE user_id = $1 AND key_sha256 = $2",
        request.user.to_string(),
        request.key_sha256,
    )
    .map(Some)
}

/// Keeps the answer until `expires_at`. Does nothing when another request has taken over.
pub async fn finish(
    tx: &mut Tx,
    request: &Request<'_>,
    body_sha256: Option<&str>,
    answer: &str,
    expires_at: Micros,
) -> Result<()> {
    execute!(
        tx,
        "UPDATE idempotency_keys SET body_sha256 = $1, answer = $2, expires_at = $3 \
         WHERE user_id = $4 AND key_sha256 = $5 AND holder = $6",
        body_sha256,
        answer,
        expires_at.0,
        request.user.to_string(),
        request.key_sha256,
        request.holder,
    )
    .map(|_| ())
}

/// Frees the key: the request had no effect.
pub async fn abandon(tx: &mut Tx, request: &Request<'_>) -> Result<()> {
    execute!(
        tx,
        "DELETE FROM idempotency_keys WHERE user_id = $1 AND key_sha256 = $2 AND holder = $3 AND answer IS NULL",
        request.user.to_string(),
        request.key_sha256,
        request.holder,
    )
    .map(|_| ())
}

/// Forgets what expired before `now`.
pub async fn prune(tx: &mut Tx, now: Micros) -> Result<u64> {
    execute!(tx, "DELETE FROM idempotency_keys WHERE expires_at <= $1", now.0)
}

/// How many keys are held, for tests and metrics.
pub async fn count(conn: &mut impl Connect) -> Result<i64> {
    let (count,) = query!(fetch_one, conn, (i64,), "SELECT COUNT(*) FROM idempotency_keys")?;
    Ok(count)
}
