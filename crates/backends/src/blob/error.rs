//! What can go wrong in the object store, and whether a retry helps.

use std::io;

/// Result of every blob function.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("no stored object `{0}`")]
    NotFound(String),
    #[error("the stored object `{0}` is there already")]
    Exists(String),
    /// Someone else is writing to this unfinished object. A retry helps once they have stopped.
    #[error("the unfinished object `{0}` is being written by someone else")]
    Busy(String),
    /// The store does not answer, or not now. A retry helps.
    #[error("the object store is unavailable ({object}): {reason}")]
    Unavailable { object: String, reason: String },
    /// A retry of the same call will not help.
    #[error("the object store refused ({object}): {reason}")]
    Other { object: String, reason: String },
}

impl Error {
    /// Would the same call possibly succeed later?
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Busy(_))
    }

    pub fn other(object: impl Into<String>, reason: impl ToString) -> Self {
        Self::Other { object: object.into(), reason: reason.to_string() }
    }

    pub(super) fn unavailable(object: impl Into<String>, reason: impl ToString) -> Self {
        Self::Unavailable { object: object.into(), reason: reason.to_string() }
    }

    /// From the local file system. A full disk is something that an operator can mend: a retry helps.
    pub(super) fn io(object: &str, error: &io::Error) -> Self {
        use io::ErrorKind as K;
        match error.kind() {
            K::NotFound | K::NotADirectory | K::IsADirectory => Self::NotFound(object.into()),
            K::AlreadyExists => Self::Exists(object.into()),
            K::PermissionDenied | K::ReadOnlyFilesystem | K::InvalidFilename | K::InvalidInput => {
                Self::other(object, error)
            }
            _ => Self::unavailable(object, error),
        }
    }

    /// From a storage service.
    pub(crate) fn service(object: &str, error: &object_store::Error) -> Self {
        use object_store::Error as E;
        match error {
            E::NotFound { .. } => Self::NotFound(object.into()),
            E::AlreadyExists { .. } | E::Precondition { .. } => Self::Exists(object.into()),
            E::PermissionDenied { .. }
            | E::Unauthenticated { .. }
            | E::InvalidPath { .. }
            | E::NotSupported { .. }
            | E::NotImplemented { .. }
            | E::UnknownConfigurationKey { .. } => Self::other(object, error),
            _ => Self::unavailable(object, error),
        }
    }
}
