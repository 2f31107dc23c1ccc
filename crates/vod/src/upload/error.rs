//! Why an upload request is refused, and the answer that says so.

use api::Problem;
use axum::{
    http::{HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use backends::blob;

/// Result of upload handlers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The client counts from another offset than we do; it is told ours.
    #[error("the upload stands at byte {0}")]
    Offset(u64),
    /// Somebody else writes to this upload right now.
    #[error("the upload is being written by another request")]
    Locked,
    /// The title was cancelled or deleted meanwhile.
    #[error("the title of this upload is gone")]
    Gone,
    /// The file is none that could ever become a title. The text says why.
    #[error("{0}")]
    NotMedia(String),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Blob(#[from] blob::Error),
}

impl Error {
    fn problem(self) -> Problem {
        match self {
            Self::Problem(problem) => problem,
            Self::Offset(offset) => Problem::new(
                StatusCode::CONFLICT,
                "wrong_offset",
                format!("This upload stands at byte {offset}. Ask for its offset and go on from there."),
            ),
            Self::Locked | Self::Store(store::Error::Stale) | Self::Blob(blob::Error::Busy(_)) => {
                Problem::new(
                    StatusCode::LOCKED,
                    "locked",
                    "Another request is writing to this upload. Try again shortly.",
                )
            }
            Self::Gone => Problem::new(
                StatusCode::GONE,
                "gone",
                "The title of this upload was cancelled or deleted, so the upload ended.",
            ),
            Self::NotMedia(words) => Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_media", words),
            Self::Store(store::Error::NotFound) => Problem::not_found(),
            Self::Store(error) if error.is_transient() => Problem::unavailable(error),
            Self::Store(error) => Problem::internal(error),
            Self::Blob(error) if error.is_transient() => Problem::unavailable(error),
            Self::Blob(error) => Problem::internal(error),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let offset = if let Self::Offset(offset) = self { Some(offset) } else { None };
        let mut response = self.problem().into_response();
        if let Some(offset) = offset {
            response
                .headers_mut()
                .insert(HeaderName::from_static("upload-offset"), HeaderValue::from(offset));
        }
        response
    }
}

/// 400 with the reason.
pub fn bad(words: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::Problem(Problem::bad_request(words))
}
