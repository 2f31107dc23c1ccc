//! What a handler can fail with, and which problem the caller is told.

use api::Problem;
use axum::response::{IntoResponse, Response};
use backends::blob;

/// Result of handlers and services.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Blob(#[from] blob::Error),
    /// Something that cannot happen while the program is right.
    #[error("{0}")]
    Internal(String),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Problem(problem) => problem,
            Error::Store(store::Error::NotFound) | Error::Blob(blob::Error::NotFound(_)) => Self::not_found(),
            Error::Store(store::Error::Stale) => Self::precondition_failed(),
            Error::Store(store::Error::Conflict(_)) => Self::conflict("This exists already."),
            Error::Store(error) if error.is_transient() => Self::unavailable(error),
            Error::Store(error) => Self::internal(error),
            Error::Blob(error) if error.is_transient() => Self::unavailable(error),
            Error::Blob(error) => Self::internal(error),
            Error::Internal(words) => Self::internal(words),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
