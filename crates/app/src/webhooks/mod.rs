//! Webhooks: other people's programs are told what happens to titles, as Standard Webhooks 1.0 describes.
//!
//! What happens is written to the outbox in the transaction of the change. [`dispatch`] turns each event into one delivery for
//! each webhook that wants it, [`Courier`] delivers: signed, to public addresses only, tried again for three days.

mod body;
mod courier;
pub mod deliveries;
mod dispatch;
pub mod routes;
mod sign;
mod view;

use domain::{Micros, Network};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use courier::{Courier, KIND};
pub use dispatch::run as dispatch;

/// How events are delivered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Networks (`10.0.0.0/8`) that may be told of events although they are not public.
    pub allow_networks: Vec<Network>,
    /// How long an address may take to answer, in seconds.
    pub timeout_seconds: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { allow_networks: Vec::new(), timeout_seconds: 15 }
    }
}

/// Deliveries are kept that long,
pub const KEEP: i64 = 30 * Micros::DAY;
/// and so many of each webhook.
pub const KEEP_EACH: u32 = 1000;

/// Webhooks that one account may have.
const MAX_WEBHOOKS: i64 = 20;
/// How long an old secret signs beside the new one.
const ROTATION: i64 = 24 * 3600 * Micros::SECOND;

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum EventType {
    /// The title can be played; better renditions may still come.
    #[serde(rename = "title.playable")]
    Playable,
    /// All renditions are there.
    #[serde(rename = "title.ready")]
    Ready,
    /// The title could not be made; `error` says why.
    #[serde(rename = "title.failed")]
    Failed,
    /// Everybody can find it from now on.
    #[serde(rename = "title.published")]
    Published,
    /// Somebody changed its details.
    #[serde(rename = "title.edited")]
    Edited,
    /// It went to the trash, or (`permanent`) is gone.
    #[serde(rename = "title.deleted")]
    Deleted,
    /// It came back from the trash.
    #[serde(rename = "title.restored")]
    Restored,
    /// A live event has begun.
    #[serde(rename = "event.started")]
    EventStarted,
    /// A live event is over; `kept` says whether it is a title from now on.
    #[serde(rename = "event.ended")]
    EventEnded,
    /// Sent by the button.
    #[serde(rename = "webhook.test")]
    Test,
}

impl EventType {
    pub const ALL: [Self; 10] = [
        Self::Playable,
        Self::Ready,
        Self::Failed,
        Self::Published,
        Self::Edited,
        Self::Deleted,
        Self::Restored,
        Self::EventStarted,
        Self::EventEnded,
        Self::Test,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Playable => "title.playable",
            Self::Ready => "title.ready",
            Self::Failed => "title.failed",
            Self::Published => "title.published",
            Self::Edited => "title.edited",
            Self::Deleted => "title.deleted",
            Self::Restored => "title.restored",
            Self::EventStarted => "event.started",
            Self::EventEnded => "event.ended",
            Self::Test => "webhook.test",
        }
    }

    /// The type of events that the outbox calls `topic`.
    fn of_topic(topic: &str) -> Option<Self> {
        match topic {
            "title.complete" => Some(Self::Ready),
            "webhook.test" => None,
            topic => Self::ALL.into_iter().find(|event| event.word() == topic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_one_word() {
        for event in EventType::ALL {
            assert_eq!(serde_json::to_value(event).unwrap(), event.word());
        }
        assert_eq!(EventType::of_topic("title.complete"), Some(EventType::Ready));
        assert_eq!(EventType::of_topic("title.failed"), Some(EventType::Failed));
        assert_eq!(EventType::of_topic("job.done"), None);
    }
}
