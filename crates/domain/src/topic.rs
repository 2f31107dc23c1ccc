//! What processes tell each other over the bus.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    PresentationId,
    edges::{Report, Warm},
    live,
    revocation::Revocation,
};

/// A thing that somebody may be waiting for. A message on a topic is a hint: what it is about is durable already, and whoever
/// missed it finds it by looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Jobs were put into the queue.
    Jobs,
    /// Jobs were cancelled, running ones perhaps among them.
    Cancelled,
    /// Titles or their progress changed.
    Titles,
    /// Events were appended to the outbox.
    Events,
    /// Something may not be delivered any more as it was: [`Gone`].
    Gone,
    /// Playback tokens were revoked: [`Revocation`].
    Revoked,
    /// How edges stand: [`Report`].
    Edges,
    /// Edges are to fetch something before anybody asks for it: [`Warm`].
    Warm,
    /// How live events go: [`live::Report`].
    Live,
    /// What somebody wants of a live event: [`live::Order`].
    LiveOrder,
}

/// Of [`Topic::Gone`]: what caches must not deliver any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gone {
    /// All of a presentation.
    Presentation(PresentationId),
    /// All that its origin gave this tag (`Cache-Tag`).
    Tag(String),
}

impl Topic {
    pub const ALL: [Self; 10] = [
        Self::Jobs,
        Self::Cancelled,
        Self::Titles,
        Self::Events,
        Self::Gone,
        Self::Revoked,
        Self::Edges,
        Self::Warm,
        Self::Live,
        Self::LiveOrder,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Cancelled => "cancelled",
            Self::Titles => "titles",
            Self::Events => "events",
            Self::Gone => "gone",
            Self::Revoked => "revoked",
            Self::Edges => "edges",
            Self::Warm => "warm",
            Self::Live => "live",
            Self::LiveOrder => "live-order",
        }
    }
}

/// A message as it is told.
pub trait Message: Serialize + DeserializeOwned {
    const TOPIC: Topic;

    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// `None` when it is none: another version may say more than we understand.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl Message for Gone {
    const TOPIC: Topic = Topic::Gone;
}

impl Message for Revocation {
    const TOPIC: Topic = Topic::Revoked;
}

impl Message for Report {
    const TOPIC: Topic = Topic::Edges;
}

impl Message for Warm {
    const TOPIC: Topic = Topic::Warm;
}

impl Message for live::Report {
    const TOPIC: Topic = Topic::Live;
}

impl Message for live::Order {
    const TOPIC: Topic = Topic::LiveOrder;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_back() {
        let presentation = PresentationId::new();
        for gone in [Gone::Presentation(presentation), Gone::Tag("manifests".into())] {
            assert_eq!(Gone::from_bytes(&gone.to_bytes()), Some(gone));
        }
        let told = format!("{{\"presentation\":\"{presentation}\"}}");
        assert_eq!(Gone::from_bytes(told.as_bytes()), Some(Gone::Presentation(presentation)));
        let revoked = Revocation::Session { session: uuid::Uuid::now_v7(), until: 7 };
        assert_eq!(Revocation::from_bytes(&revoked.to_bytes()), Some(revoked));
        assert_eq!(Gone::from_bytes(b"{}"), None);
    }
}
