//! Identifiers: UUIDv7 made by the application, so that new rows sort by time on every engine.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not one of our ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind} id")]
pub struct InvalidId {
    pub kind: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id; ids made later sort later.
            #[allow(clippy::new_without_default)]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0.as_hyphenated(), f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Accepts only the canonical lower-case hyphenated form, so that an id has one spelling in URLs and caches.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let id = Uuid::parse_str(text).map_err(|_| InvalidId { kind: $kind })?;
                if id.as_hyphenated().to_string() == text { Ok(Self(id)) } else { Err(InvalidId { kind: $kind }) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }
    };
}

id!(/** A person with an account. */ UserId, "user");
id!(/** A title of the library. */ VideoId, "video");
id!(/** An original file as its creator delivered it. */ SourceId, "source");
id!(/** A resumable upload (tus). */ UploadId, "upload");
id!(/** One encoding of one source: what a player plays. A replaced source gets a new one. */ PresentationId, "presentation");
id!(/** A version of a title: what played, plays, or is being made to play. */ VersionId, "version");
id!(/** A session or API token row. Never the secret itself. */ TokenId, "token");
id!(/** An address that is told of events. */ WebhookId, "webhook");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_spelling() {
        let id = VideoId::new();
        assert_eq!(id.to_string().parse::<VideoId>(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<VideoId>().is_err());
        assert!(id.0.simple().to_string().parse::<VideoId>().is_err());
        assert!("../../etc/passwd".parse::<VideoId>().is_err());
    }

    #[test]
    fn later_ids_sort_later() {
        let ids: Vec<_> = (0..100).map(|_| VideoId::new()).collect();
        assert!(ids.is_sorted());
    }
}
