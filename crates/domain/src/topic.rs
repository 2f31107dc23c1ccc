//! What processes tell each other over the bus.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{PresentationId, revocation::Revocation};

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
    /// What a presentation was made of is gone: [`Gone`].
    Gone,
    /// Playback tokens were revoked: [`Revocation`].
    Revoked,
}

/// Of [`Topic::Gone`]: nothing of this presentation may be delivered any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    pub presentation: PresentationId,
}

impl Topic {
    pub const ALL: [Self; 6] =
        [Self::Jobs, Self::Cancelled, Self::Titles, Self::Events, Self::Gone, Self::Revoked];

    pub fn word(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Cancelled => "cancelled",
            Self::Titles => "titles",
            Self::Events => "events",
            Self::Gone => "gone",
            Self::Revoked => "revoked",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_back() {
        let gone = Gone { presentation: PresentationId::new() };
        assert_eq!(Gone::from_bytes(&gone.to_bytes()), Some(gone));
        let revoked = Revocation::Session { session: uuid::Uuid::now_v7(), until: 7 };
        assert_eq!(Revocation::from_bytes(&revoked.to_bytes()), Some(revoked));
        assert_eq!(Gone::from_bytes(b"{}"), None);
    }
}
