//! Who may see and do what: roles, token scopes and a title's visibility.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::UserId;

/// A word that is not one of an enumeration's values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is not one of {expected}")]
pub struct UnknownWord {
    pub word: String,
    pub expected: &'static str,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $expected:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable word used in storage, the API and the command line.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { word: text.chars().take(40).collect(), expected: $expected }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = UnknownWord;

            fn try_from(text: String) -> Result<Self, UnknownWord> {
                text.parse()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What an account may do. Ordered: each role may do all that the ones before it may.
    Role, "viewer, creator, admin" {
        Viewer = "viewer",
        Creator = "creator",
        Admin = "admin",
    }
}

words! {
    /// What an API token may be used for. A token never exceeds its owner's role.
    Scope, "read, upload, manage, admin" {
        /// Read the library and play what the owner may play.
        Read = "read",
        /// Create and continue uploads.
        Upload = "upload",
        /// Edit and delete the owner's titles.
        Manage = "manage",
        /// Everything an administrator may do.
        Admin = "admin",
    }
}

words! {
    /// Who can find and open a title.
    Visibility, "public, unlisted, private" {
        /// Everyone; listed and searchable.
        Public = "public",
        /// Everyone who has the link; never listed, never found.
        Unlisted = "unlisted",
        /// Its owner and administrators.
        Private = "private",
    }
}

/// Whoever is asking, reduced to what the rules need. `None` is a visitor without an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewer {
    pub user: UserId,
    pub role: Role,
}

impl Visibility {
    /// May `viewer` open a title of `owner` with this visibility, knowing its address?
    pub fn may_open(self, owner: UserId, viewer: Option<Viewer>) -> bool {
        match self {
            Self::Public | Self::Unlisted => true,
            Self::Private => viewer.is_some_and(|v| v.may_manage(owner)),
        }
    }

    /// May the title appear in lists and search results shown to everybody?
    pub fn is_listed(self) -> bool {
        self == Self::Public
    }
}

impl Viewer {
    /// May this person edit, delete and inspect a title of `owner`?
    pub fn may_manage(self, owner: UserId) -> bool {
        self.role == Role::Admin || self.user == owner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_titles_open_for_owner_and_admin_only() {
        let (owner, other) = (UserId::new(), UserId::new());
        let viewer = |user, role| Some(Viewer { user, role });
        assert!(Visibility::Private.may_open(owner, viewer(owner, Role::Viewer)));
        assert!(Visibility::Private.may_open(owner, viewer(other, Role::Admin)));
        assert!(!Visibility::Private.may_open(owner, viewer(other, Role::Creator)));
        assert!(!Visibility::Private.may_open(owner, None));
        assert!(Visibility::Unlisted.may_open(owner, None));
        assert!(!Visibility::Unlisted.is_listed());
    }

    #[test]
    fn words_round_trip() {
        for role in Role::ALL {
            assert_eq!(role.word().parse(), Ok(*role));
        }
        assert!("root".parse::<Role>().is_err());
        assert!(Role::Admin > Role::Creator && Role::Creator > Role::Viewer);
    }
}
