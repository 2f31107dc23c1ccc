//! How webhooks and their deliveries look in JSON.

use api::Time;
use domain::Micros;
use serde::Serialize;
use serde_json::Value;
use store::webhooks;
use utoipa::ToSchema;

use super::EventType;

/// An address that is told of events. Its secret is told once, when it is made.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhook {
    pub id: String,
    pub owner_id: String,
    #[schema(example = "https://example.org/hooks/kinora")]
    pub url: String,
    pub description: String,
    /// What it is told of; empty: everything.
    #[schema(value_type = Vec<EventType>)]
    pub events: Vec<String>,
    /// Everybody's titles, for administrators; otherwise the owner's.
    pub all_titles: bool,
    pub enabled: bool,
    /// Why it was switched off, where we did that.
    #[schema(required = true)]
    pub disabled_reason: Option<String>,
    /// No message has arrived since.
    #[schema(required = true)]
    pub failing_since: Option<Time>,
    /// Until then an old secret signs, too.
    #[schema(required = true)]
    pub old_secret_until: Option<Time>,
    /// Grows with every edit; the ETag is `"r{revision}"`.
    pub revision: i64,
    pub created_at: Time,
    pub updated_at: Time,
}

/// A webhook with the secret that signs its messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// `whsec_…`: keep it, it is not shown again.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: String,
    #[serde(flatten)]
    pub about: Webhook,
}

/// A message for one webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct Delivery {
    /// `webhook-id`: the same for every try and every replay.
    #[schema(example = "msg_019303f07a4e7bb0a1c20d7f3b5c9e11")]
    pub id: String,
    #[schema(value_type = EventType)]
    pub event: String,
    /// What it is about: a title.
    pub subject_id: String,
    #[schema(value_type = DeliveryState)]
    pub state: &'static str,
    /// Tries so far.
    pub attempts: i64,
    /// Status of the last answer; `null` where there was none.
    #[schema(required = true, example = 200)]
    pub status: Option<i64>,
    /// When it is tried next.
    #[schema(required = true)]
    pub next_at: Option<Time>,
    pub created_at: Time,
    pub updated_at: Time,
}

/// A message with what was sent, and what came of each try.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryDetails {
    #[serde(flatten)]
    pub about: Delivery,
    /// The body that was sent.
    #[schema(value_type = Object)]
    pub payload: Value,
    /// Latest first; at most the last fifty.
    pub log: Vec<Attempt>,
}

/// One try.
#[derive(Debug, Serialize, ToSchema)]
pub struct Attempt {
    pub number: i64,
    pub at: Time,
    pub duration_ms: i64,
    /// `null`: there was no answer.
    #[schema(required = true, example = 200)]
    pub status: Option<i64>,
    /// Why there was no answer.
    #[schema(required = true)]
    pub error: Option<String>,
    /// The first kilobyte of the answer's body.
    #[schema(example = "OK")]
    pub answer: String,
}

/// Where a message stands.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum DeliveryState {
    Pending,
    Delivered,
    Failed,
}

impl Webhook {
    pub(super) fn new(row: webhooks::Webhook, now: Micros) -> Self {
        let rotating = row.old_secret.is_some() && now < row.old_secret_until;
        Self {
            id: row.id.to_string(),
            owner_id: row.user_id.to_string(),
            url: row.url,
            description: row.description,
            events: row.events.split_whitespace().map(str::to_owned).collect(),
            all_titles: row.all_titles,
            enabled: row.disabled_at.is_none(),
            disabled_reason: row.disabled_reason,
            failing_since: row.failing_since.map(|at| Time(Micros(at))),
            old_secret_until: rotating.then_some(Time(row.old_secret_until)),
            revision: row.revision,
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

impl From<webhooks::Delivery> for Delivery {
    fn from(row: webhooks::Delivery) -> Self {
        Self {
            id: row.id,
            event: row.event,
            subject_id: row.subject,
            state: row.state.word(),
            attempts: row.tries,
            status: row.status,
            next_at: row.next_at.map(|at| Time(Micros(at))),
            created_at: row.created_at.into(),
            updated_at: row.updated_at.into(),
        }
    }
}

impl From<webhooks::Attempt> for Attempt {
    fn from(row: webhooks::Attempt) -> Self {
        Self {
            number: row.number,
            at: row.at.into(),
            duration_ms: row.duration_ms,
            status: row.status,
            error: row.error,
            answer: row.answer,
        }
    }
}
