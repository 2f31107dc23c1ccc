//! Webhooks, what is to be delivered to them, and what came of it.

use domain::{Micros, UserId, WebhookId};
use uuid::Uuid;

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
};

#[derive(Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Webhook {
    #[sqlx(try_from = "String")]
    pub id: WebhookId,
    #[sqlx(try_from = "String")]
    pub user_id: UserId,
    pub url: String,
    pub description: String,
    /// Space separated; empty: all.
    pub events: String,
    /// Everybody's titles; otherwise the owner's.
    pub all_titles: bool,
    pub secret: String,
    /// Signs beside `secret` until `old_secret_until`.
    pub old_secret: Option<String>,
    #[sqlx(try_from = "i64")]
    pub old_secret_until: Micros,
    /// No delivery has succeeded since.
    pub failing_since: Option<i64>,
    pub disabled_at: Option<i64>,
    pub disabled_reason: Option<String>,
    /// Grows with every edit.
    pub revision: i64,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Webhook {
    /// Does it want to be told of events of this type?
    pub fn wants(&self, event: &str) -> bool {
        self.events.is_empty() || self.events.split(' ').any(|wanted| wanted == event)
    }
}

/// What its owner says of a webhook.
#[derive(Debug, Clone)]
pub struct Settings {
    pub url: String,
    pub description: String,
    pub events: String,
    pub all_titles: bool,
}

/// An event on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Delivery {
    /// What receivers recognise a repeated message by.
    pub id: String,
    #[sqlx(try_from = "String")]
    pub webhook_id: WebhookId,
    pub event: String,
    pub subject: String,
    /// JSON, sent as it stands.
    pub payload: String,
    #[sqlx(try_from = "String")]
    pub state: State,
    /// Tries of this round.
    pub attempts: i64,
    /// Tries in all.
    pub tries: i64,
    /// Grows with every replay.
    pub round: i64,
    pub next_at: Option<i64>,
    /// Of the last answer.
    pub status: Option<i64>,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Pending,
    Delivered,
    Failed,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl TryFrom<String> for State {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        match text.as_str() {
            "pending" => Ok(Self::Pending),
            "delivered" => Ok(Self::Delivered),
            "failed" => Ok(Self::Failed),
            _ => Err(Error::Corrupt(format!("delivery state {text:?}"))),
        }
    }
}

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Attempt {
    pub number: i64,
    #[sqlx(try_from = "i64")]
    pub at: Micros,
    pub duration_ms: i64,
    pub status: Option<i64>,
    pub error: Option<String>,
    /// The beginning of the answer's body.
    pub answer: String,
}

pub async fn insert(
    tx: &mut Tx,
    id: WebhookId,
    user: UserId,
    settings: &Settings,
    secret: &str,
    now: Micros,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO webhooks (id, user_id, url, description, events, all_titles, secret, old_secret_until, revision, \
                               created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 1, $8, $8)",
        id.to_string(),
        user.to_string(),
        &settings.url,
        &settings.description,
        &settings.events,
        settings.all_titles,
        secret,
        now.0,
    )?;
    Ok(())
}

pub async fn get(conn: &mut impl Connect, id: WebhookId) -> Result<Webhook> {
    query!(fetch_one, conn, Webhook, "SELECT * FROM webhooks WHERE id = $1", id.to_string())
}

/// Latest first, behind the id of the last one seen; those of `owner`, or everybody's.
pub async fn list(
    conn: &mut impl Connect,
    owner: Option<UserId>,
    after: Option<WebhookId>,
    limit: u32,
) -> Result<Vec<Webhook>> {
    let after = after.map_or_else(|| crate::videos::LAST_ID.to_owned(), |id| id.to_string());
    match owner {
        Some(owner) => query!(
            fetch_all,
            conn,
            Webhook,
            "SELECT * FROM webhooks WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
            owner.to_string(),
            after,
            i64::from(limit),
        ),
        None => query!(
            fetch_all,
            conn,
            Webhook,
            "SELECT * FROM webhooks WHERE id < $1 ORDER BY id DESC LIMIT $2",
            after,
            i64::from(limit),
        ),
    }
}

pub async fn count(conn: &mut impl Connect, owner: UserId) -> Result<i64> {
    let (count,) = query!(
        fetch_one,
        conn,
        (i64,),
        "SELECT COUNT(*) FROM webhooks WHERE user_id = $1",
        owner.to_string()
    )?;
    Ok(count)
}

/// Those that are told of what happens to a title of `owner`: its own, and those of administrators for everybody's titles.
pub async fn listening(conn: &mut impl Connect, owner: UserId) -> Result<Vec<Webhook>> {
    query!(
        fetch_all,
        conn,
        Webhook,
        "SELECT w.* FROM webhooks w JOIN users u ON u.id = w.user_id \
         WHERE w.disabled_at IS NULL AND u.disabled_at IS NULL \
           AND ((w.user_id = $1 AND NOT w.all_titles AND u.role <> 'viewer') OR (w.all_titles AND u.role = 'admin')) \
         ORDER BY w.id",
        owner.to_string(),
    )
}

/// Writes the settings; `enabled` switches it on again, or off.
pub async fn edit(
    tx: &mut Tx,
    id: WebhookId,
    settings: &Settings,
    enabled: Option<bool>,
    now: Micros,
) -> Result<Webhook> {
    let old = get(tx, id).await?;
    let (disabled_at, reason, failing) = match enabled {
        Some(true) => (None, None, None),
        Some(false) => (old.disabled_at.or(Some(now.0)), None, old.failing_since),
        None => (old.disabled_at, old.disabled_reason, old.failing_since),
    };
    execute!(
        &mut *tx,
        "UPDATE webhooks SET url = $1, description = $2, events = $3, all_titles = $4, disabled_at = $5, \
             disabled_reason = $6, failing_since = $7, revision = revision + 1, updated_at = $8 WHERE id = $9",
        &settings.url,
        &settings.description,
        &settings.events,
        settings.all_titles,
        disabled_at,
        reason,
        failing,
        now.0,
        id.to_string(),
    )?;
    get(tx, id).await
}

/// Makes `secret` the one that signs; the one before signs beside it until `old_until`.
pub async fn rotate(
    tx: &mut Tx,
    id: WebhookId,
    secret: &str,
    old_until: Micros,
    now: Micros,
) -> Result<Webhook> {
    execute!(
        &mut *tx,
        "UPDATE webhooks SET old_secret = secret, old_secret_until = $1, secret = $2, revision = revision + 1, \
             updated_at = $3 WHERE id = $4",
        old_until.0,
        secret,
        now.0,
        id.to_string(),
    )?;
    get(tx, id).await
}

pub async fn delete(tx: &mut Tx, id: WebhookId) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM webhooks WHERE id = $1", id.to_string())? == 1)
}

/// Switches it off, with words for its owner.
pub async fn disable(tx: &mut Tx, id: WebhookId, reason: &str, now: Micros) -> Result<()> {
    execute!(
        tx,
        "UPDATE webhooks SET disabled_at = $1, disabled_reason = $2, updated_at = $1 WHERE id = $3 AND disabled_at IS NULL",
        now.0,
        reason,
        id.to_string(),
    )
    .map(|_| ())
}

/// Notes that a delivery failed (the first since one succeeded counts), or that one succeeded.
pub async fn note(tx: &mut Tx, id: WebhookId, failed: bool, now: Micros) -> Result<()> {
    execute!(
        tx,
        "UPDATE webhooks SET failing_since = CASE WHEN $1 THEN COALESCE(failing_since, $2) ELSE NULL END WHERE id = $3",
        failed,
        now.0,
        id.to_string(),
    )
    .map(|_| ())
}

/// Puts an event on its way. Gives the id of the delivery.
pub async fn insert_delivery(
    tx: &mut Tx,
    webhook: WebhookId,
    event: &str,
    subject: &str,
    payload: &str,
    now: Micros,
) -> Result<String> {
    let id = format!("msg_{}", Uuid::now_v7().simple());
    execute!(
        tx,
        "INSERT INTO webhook_deliveries (id, webhook_id, event, subject, payload, state, attempts, tries, round, next_at, \
                                         created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, 'pending', 0, 0, 1, $6, $6, $6)",
        &id,
        webhook.to_string(),
        event,
        subject,
        payload,
        now.0,
    )?;
    Ok(id)
}

/// One delivery of `webhook`.
pub async fn delivery(conn: &mut impl Connect, webhook: WebhookId, id: &str) -> Result<Delivery> {
    query!(
        fetch_one,
        conn,
        Delivery,
        "SELECT * FROM webhook_deliveries WHERE webhook_id = $1 AND id = $2",
        webhook.to_string(),
        id,
    )
}

/// Latest first, behind the id of the last one seen.
pub async fn deliveries(
    conn: &mut impl Connect,
    webhook: WebhookId,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<Delivery>> {
    query!(
        fetch_all,
        conn,
        Delivery,
        // A tilde sorts behind every id.
        "SELECT * FROM webhook_deliveries WHERE webhook_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        webhook.to_string(),
        after.unwrap_or("~"),
        i64::from(limit),
    )
}

/// Ids of what was to be delivered since `since` and is not under way, oldest first.
pub async fn since(
    conn: &mut impl Connect,
    webhook: WebhookId,
    since: Micros,
    limit: u32,
) -> Result<Vec<String>> {
    let rows = query!(
        fetch_all,
        conn,
        (String,),
        "SELECT id FROM webhook_deliveries WHERE webhook_id = $1 AND created_at >= $2 AND state <> 'pending' \
         ORDER BY id LIMIT $3",
        webhook.to_string(),
        since.0,
        i64::from(limit),
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Begins a new round of tries. `None` when the delivery is under way already.
pub async fn replay(tx: &mut Tx, webhook: WebhookId, id: &str, now: Micros) -> Result<Option<Delivery>> {
    let done = execute!(
        &mut *tx,
        "UPDATE webhook_deliveries SET state = 'pending', attempts = 0, round = round + 1, next_at = $1, updated_at = $1 \
         WHERE webhook_id = $2 AND id = $3 AND state <> 'pending'",
        now.0,
        webhook.to_string(),
        id,
    )?;
    if done == 1 { delivery(tx, webhook, id).await.map(Some) } else { Ok(None) }
}

/// Writes what came of a try, and how the delivery stands after it.
pub async fn record(
    tx: &mut Tx,
    of: &Delivery,
    attempt: &Attempt,
    state: State,
    next_at: Option<Micros>,
    now: Micros,
) -> Result<()> {
    execute!(
        &mut *tx,
        "INSERT INTO webhook_attempts (delivery_id, number, at, duration_ms, status, error, answer) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (delivery_id, number) DO NOTHING",
        &of.id,
        attempt.number,
        attempt.at.0,
        attempt.duration_ms,
        attempt.status,
        attempt.error.as_deref(),
        &attempt.answer,
    )?;
    execute!(
        tx,
        "UPDATE webhook_deliveries SET state = $1, attempts = attempts + 1, tries = tries + 1, next_at = $2, status = $3, \
             updated_at = $4 WHERE id = $5 AND round = $6",
        state.word(),
        next_at.map(|at| at.0),
        attempt.status,
        now.0,
        &of.id,
        of.round,
    )
    .map(|_| ())
}

/// Gives a delivery up without another try.
pub async fn give_up(tx: &mut Tx, id: &str, now: Micros) -> Result<()> {
    execute!(
        tx,
        "UPDATE webhook_deliveries SET state = 'failed', next_at = NULL, updated_at = $1 WHERE id = $2 AND state = 'pending'",
        now.0,
        id,
    )
    .map(|_| ())
}

/// The tries of a delivery, latest first.
pub async fn attempts(conn: &mut impl Connect, delivery: &str, limit: u32) -> Result<Vec<Attempt>> {
    query!(
        fetch_all,
        conn,
        Attempt,
        "SELECT number, at, duration_ms, status, error, answer FROM webhook_attempts WHERE delivery_id = $1 \
         ORDER BY number DESC LIMIT $2",
        delivery,
        i64::from(limit),
    )
}

/// Forgets deliveries made before `before`, and of each webhook all but the latest `keep`; those under way stay.
pub async fn prune(tx: &mut Tx, before: Micros, keep: u32) -> Result<u64> {
    let old = execute!(
        &mut *tx,
        "DELETE FROM webhook_deliveries WHERE created_at < $1 AND state <> 'pending'",
        before.0,
    )?;
    let many = execute!(
        tx,
        "DELETE FROM webhook_deliveries WHERE state <> 'pending' AND id IN (SELECT id FROM \
             (SELECT id, ROW_NUMBER() OVER (PARTITION BY webhook_id ORDER BY id DESC) AS place FROM webhook_deliveries) AS placed \
             WHERE place > $1)",
        i64::from(keep),
    )?;
    Ok(old + many)
}
