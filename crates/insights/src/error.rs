//! What can go wrong, and which problem the caller is told.

use api::Problem;
use axum::response::{IntoResponse, Response};

/// Result of handlers and of the start.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Problem(#[from] Problem),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error("the log of beats: {0}")]
    Log(#[from] std::io::Error),
    /// Something that cannot happen while the program is right.
    #[error("{0}")]
    Internal(String),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Problem(problem) => problem,
            Error::Store(error) if error.is_transient() => Self::unavailable(error),
            other => Self::internal(other),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
