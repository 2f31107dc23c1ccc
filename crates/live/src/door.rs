//! Who may publish: what a session asks before it takes in any media, and tells afterwards. The server implements it.

use std::{fmt, net::SocketAddr, sync::Arc};

use domain::event::Slot;

use crate::{Feed, Limits};

/// Decides over publishers.
pub trait Door: Send + Sync + 'static {
    /// May this publisher come in? Nothing of its media has been read yet.
    fn admit(&self, knock: Knock) -> impl Future<Output = Result<Admission, Refusal>> + Send;

    /// It is in: tracks will appear in the feed.
    fn opened(&self, admission: &Admission, feed: Feed) -> impl Future<Output = ()> + Send;

    /// It is out again. The feed has ended before, and nobody else gets the place until this returns. Not told when the process ends first.
    fn closed(&self, admission: &Admission, ended: &Ended) -> impl Future<Output = ()> + Send;
}

/// What a publisher says of itself.
#[derive(Debug, Clone)]
pub struct Knock {
    pub protocol: Protocol,
    /// RTMP: the path of the server's address. Empty for SRT.
    pub app: String,
    pub key: Key,
    pub peer: SocketAddr,
    /// The connection is encrypted: RTMP within TLS, SRT with a passphrase. SRT tells the key in the clear all the same.
    pub encrypted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    Rtmp,
    Srt,
}

impl Protocol {
    pub fn word(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Srt => "srt",
        }
    }
}

/// A stream key. Never in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What a key opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    pub event: Arc<str>,
    pub slot: Slot,
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// No event has this key. All such publishers get the same words after the same time.
    UnknownKey,
    /// The key is right, but this is not the time; in words for the person at the encoder.
    NotNow(String),
    /// It cannot be decided: something of ours is away.
    Unavailable,
}

/// How a publisher's session ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    #[error("the publisher ended the stream")]
    Finished,
    #[error("the connection was lost")]
    Lost,
    #[error("nothing came for {0} s")]
    Silent(u64),
    #[error("it took too long to say what it wants")]
    Slow,
    #[error("it was not let in: {0}")]
    Refused(&'static str),
    /// It does not speak the protocol.
    #[error("{0}")]
    Broken(String),
    /// It sends what it may not, or what nobody can use; in words for the person at the encoder.
    #[error("{0}")]
    Unfit(String),
    #[error("another publisher with the same key took its place")]
    Replaced,
    /// By whoever holds the feed, with these words.
    #[error("{0}")]
    Dismissed(String),
    #[error("the server stops")]
    Stopped,
}

impl Ended {
    /// For metrics.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Lost => "lost",
            Self::Silent(_) => "silent",
            Self::Slow => "slow",
            Self::Refused(_) => "refused",
            Self::Broken(_) => "broken",
            Self::Unfit(_) => "unfit",
            Self::Replaced => "replaced",
            Self::Dismissed(_) => "dismissed",
            Self::Stopped => "stopped",
        }
    }
}
