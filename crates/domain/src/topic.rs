//! What processes tell each other over the bus.

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
    /// Playback tokens were revoked: the message is a [`crate::revocation::Revocation`].
    Revoked,
}

impl Topic {
    pub const ALL: [Self; 5] = [Self::Jobs, Self::Cancelled, Self::Titles, Self::Events, Self::Revoked];

    pub fn word(self) -> &'static str {
        match self {
            Self::Jobs => "jobs",
            Self::Cancelled => "cancelled",
            Self::Titles => "titles",
            Self::Events => "events",
            Self::Revoked => "revoked",
        }
    }
}
