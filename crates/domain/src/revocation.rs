//! Playback tokens that count no longer, before their time is over.
//!
//! Each revocation is a short text, the same as a message on the bus and as the name of an object that edges find after they have
//! missed messages: `session.{session}.{until}` or `title.{presentation}.{before}.{until}`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Micros, PresentationId, playback_token::Claims};

/// What no longer counts. It may be forgotten at `until`, in seconds since the Unix epoch: no token that it is about lives longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Revocation {
    /// Tokens of one playback session.
    Session { session: Uuid, until: i64 },
    /// Tokens for a presentation that were given before a time, in milliseconds since the Unix epoch: who may watch has changed.
    Title { presentation: PresentationId, before: i64, until: i64 },
}

/// A text that is no revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a revocation")]
pub struct NotOne;

impl Revocation {
    pub fn until(&self) -> i64 {
        match *self {
            Self::Session { until, .. } | Self::Title { until, .. } => until,
        }
    }

    pub fn covers(&self, claims: &Claims) -> bool {
        match *self {
            Self::Session { session, .. } => claims.session == session,
            Self::Title { presentation, before, .. } => {
                claims.presentation == presentation && begun(claims.session) < before
            }
        }
    }
}

/// A new playback session, which tells when it was begun.
pub fn session(now: Micros) -> Uuid {
    let (seconds, rest) = (now.0.div_euclid(Micros::SECOND), now.0.rem_euclid(Micros::SECOND));
    let nanos = u32::try_from(rest * 1000).unwrap_or(0);
    let at = uuid::Timestamp::from_unix(uuid::NoContext, u64::try_from(seconds).unwrap_or(0), nanos);
    Uuid::new_v7(at)
}

/// When a playback session was begun, in milliseconds since the Unix epoch (RFC 9562 §5.7).
pub fn begun(session: Uuid) -> i64 {
    i64::try_from(session.as_u128() >> 80).unwrap_or(0)
}

impl fmt::Display for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session { session, until } => write!(f, "session.{session}.{until}"),
            Self::Title { presentation, before, until } => write!(f, "title.{presentation}.{before}.{until}"),
        }
    }
}

impl From<Revocation> for String {
    fn from(revocation: Revocation) -> Self {
        revocation.to_string()
    }
}

impl TryFrom<String> for Revocation {
    type Error = NotOne;

    fn try_from(text: String) -> Result<Self, NotOne> {
        text.parse()
    }
}

impl FromStr for Revocation {
    type Err = NotOne;

    fn from_str(text: &str) -> Result<Self, NotOne> {
        let words: Vec<&str> = text.splitn(5, '.').collect();
        let number = |text: &str| text.parse::<i64>().map_err(|_| NotOne);
        match words[..] {
            ["session", session, until] => {
                Ok(Self::Session { session: session.parse().map_err(|_| NotOne)?, until: number(until)? })
            }
            ["title", presentation, before, until] => Ok(Self::Title {
                presentation: presentation.parse().map_err(|_| NotOne)?,
                before: number(before)?,
                until: number(until)?,
            }),
            _ => Err(NotOne),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_800_000_000_123_456);

    fn claims(session: Uuid, presentation: PresentationId) -> Claims {
        Claims::new(presentation, 0, session)
    }

    #[test]
    fn texts_are_read_back() {
        let session = Revocation::Session { session: Uuid::now_v7(), until: 77 };
        let title = Revocation::Title { presentation: PresentationId::new(), before: 5, until: 99 };
        for one in [session, title] {
            assert_eq!(one.to_string().parse(), Ok(one));
        }
        for bad in ["", "session", "session.x.7", "session.1", "title.a.b.c", "titles.1.2.3"] {
            assert_eq!(bad.parse::<Revocation>(), Err(NotOne), "{bad}");
        }
        assert_eq!(format!("{title}.5").parse::<Revocation>(), Err(NotOne));
    }

    #[test]
    fn a_session_is_revoked_alone() {
        let (one, other, presentation) = (session(NOW), session(NOW), PresentationId::new());
        let revocation = Revocation::Session { session: one, until: 0 };
        assert!(revocation.covers(&claims(one, presentation)));
        assert!(!revocation.covers(&claims(other, presentation)));
    }

    #[test]
    fn a_title_is_revoked_for_sessions_begun_before() {
        let (presentation, other) = (PresentationId::new(), PresentationId::new());
        let revocation = Revocation::Title { presentation, before: NOW.0 / 1000, until: 0 };
        let (before, then) = (session(Micros(NOW.0 - 1000)), session(NOW));
        assert!(revocation.covers(&claims(before, presentation)));
        assert!(!revocation.covers(&claims(before, other)));
        assert!(!revocation.covers(&claims(then, presentation)));
    }
}
