//! Extractors for bodies, queries and ids in paths whose failures are problems, with limits.

use std::{collections::HashMap, error::Error as _, str::FromStr, time::Duration};

use axum::{
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::Problem;

/// Largest JSON body that is read.
pub const MAX_JSON_BYTES: usize = 256 * 1024;
/// A JSON body must have arrived within this time.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// A JSON body, in and out. Asks for `Content-Type: application/json`, which a foreign form cannot send.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json =
            request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| {
                v.split(';').next().is_some_and(|v| v.trim().eq_ignore_ascii_case("application/json"))
            });
        if !is_json {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body must be JSON, sent as application/json.",
            ));
        }
        let bytes = whole(request.into_body(), MAX_JSON_BYTES).await?;
        serde_json::from_slice(&bytes).map(Json).map_err(|error| {
            Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                format!("The body cannot be used: {error}."),
            )
        })
    }
}

/// The whole of a small body: 413 when it is larger than `limit` bytes, 408 when it does not arrive in time.
pub async fn whole(body: axum::body::Body, limit: usize) -> Result<bytes::Bytes, Problem> {
    whole_within(body, limit, BODY_PATIENCE).await
}

async fn whole_within(
    body: axum::body::Body,
    limit: usize,
    patience: Duration,
) -> Result<bytes::Bytes, Problem> {
    let reading = axum::body::to_bytes(body, limit);
    match tokio::time::timeout(patience, reading).await {
        Err(_) => Err(Problem::request_timeout()),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if error.source().is_some_and(is_length_limit) => {
            Err(Problem::too_large(limit as u64))
        }
        Ok(Err(_)) => Err(Problem::bad_request("The request's body broke off.")),
    }
}

fn is_length_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<http_body_util::LengthLimitError>()
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The query string; what does not fit is a 422 with the reason.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|axum::extract::Query(value)| Self(value)).map_err(
            |error| {
                let words = format!("The query cannot be used: {}.", error.body_text());
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", words)
            },
        )
    }
}

/// The path's `{id}`. A text that is no id names nothing: 404.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

impl<T: FromStr, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(values) = Path::<HashMap<String, String>>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found())?;
        parse_id(values.get("id").map_or("", String::as_str)).map(Self)
    }
}

/// The path's `{name}`, which people chose. One with control characters names nothing: 404.
#[derive(Debug, Clone)]
pub struct Name(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(mut values) = Path::<HashMap<String, String>>::from_request_parts(parts, state)
            .await
            .map_err(|_| Problem::not_found())?;
        let name = values.remove("name").filter(|name| !name.contains(char::is_control));
        name.map(Self).ok_or_else(Problem::not_found)
    }
}

/// An id from a path; 404 when the text is none.
pub fn parse_id<T: FromStr>(text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Named {
        name: String,
    }

    async fn read(content_type: &str, body: impl Into<Body>) -> Result<Json<Named>, Problem> {
        let request = Request::builder().header("content-type", content_type).body(body.into()).unwrap();
        Json::from_request(request, &()).await
    }

    #[tokio::test]
    async fn a_body_is_json_of_the_right_shape_and_size() {
        assert_eq!(read("application/json; charset=utf-8", r#"{"name":"a"}"#).await.unwrap().0.name, "a");
        assert_eq!(read("text/plain", r#"{"name":"a"}"#).await.unwrap_err().status(), 415);
        let unknown = read("application/json", r#"{"nane":"a"}"#).await.unwrap_err();
        assert!(unknown.to_string().contains("unknown field `nane`, expected `name`"), "{unknown}");
        let long = format!(r#"{{"name":"{}"}}"#, "x".repeat(MAX_JSON_BYTES));
        assert_eq!(read("application/json", long).await.unwrap_err().status(), 413);
        let torn = futures::stream::iter([Ok("{"), Err(std::io::Error::other("gone"))]);
        let torn = read("application/json", Body::from_stream(torn)).await.unwrap_err();
        assert_eq!(torn.status(), 400, "{torn}");
    }

    #[tokio::test]
    async fn a_body_that_does_not_arrive_is_a_408() {
        let silent = Body::from_stream(futures::stream::pending::<Result<&str, std::io::Error>>());
        let problem = whole_within(silent, 100, Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(problem.status(), 408);
        assert_eq!(problem.into_response().headers()["connection"], "close");
    }
}
