//! The one shape of every error answer: problem details (RFC 9457) with a stable `code` for programs.

use std::{borrow::Cow, fmt, time::Duration};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::playback_token::Refused;
use serde::Serialize;

use crate::Time;

/// An error answer. Says what is wrong in words that a person can act on, and never how we are built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: Cow<'static, str>,
    field: Option<&'static str>,
    retry_after: Option<Duration>,
    more: Option<Box<More>>,
}

/// What only some problems tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct More {
    errors: Vec<FieldError>,
    available_from: Option<Time>,
    available_until: Option<Time>,
    revision: Option<i64>,
}

/// A field that does not hold what it must.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    pub field: &'static str,
    /// What is wrong with it, in words.
    pub detail: String,
}

/// Problem details (RFC 9457 §3) as they are sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ProblemBody {
    /// `about:blank`: the status code says it all, `code` names the case.
    #[serde(rename = "type")]
    #[schema(rename = "type")]
    pub kind: &'static str,
    /// The status code's own phrase.
    pub title: String,
    pub status: u16,
    /// What went wrong and what to do, in words.
    pub detail: String,
    /// Stable word for programs: `not_found`, `invalid`, `too_many_requests`…
    pub code: &'static str,
    /// The field that is meant, when one is; the first when there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// Every field that does not hold what it must.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
    /// With `not_yet_available`: when the title can be played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_from: Option<Time>,
    /// With `no_longer_available`: when it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub available_until: Option<Time>,
    /// With `changed_meanwhile`: the revision that is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Expired => Self::new(
                StatusCode::UNAUTHORIZED,
                "token_expired",
                "This playback token has expired. Ask for playback again to get a new one.",
            ),
            Refused::AnotherTitle => Self::new(
                StatusCode::FORBIDDEN,
                "token_for_another_title",
                "This token was given for another title.",
            ),
            Refused::Malformed | Refused::BadSignature => {
                Self::new(StatusCode::FORBIDDEN, "token_invalid", "This playback token is not one of ours.")
            }
        }
    }
}

impl Problem {
    /// Any status. The named constructors below are the usual way.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, detail: detail.into(), field: None, retry_after: None, more: None }
    }

    /// 404. Also for what exists but must not be known to exist.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here, or it is not yours to see.")
    }

    /// 401: nobody is signed in, or the session or token is no longer good.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Sign in first, or send a valid API token.")
    }

    /// 403: known, but not allowed. `words` say which right is missing.
    pub fn forbidden(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", words)
    }

    /// 409: the request does not fit the present state.
    pub fn conflict(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", words)
    }

    /// 422: `field` does not hold what it must.
    pub fn invalid(field: &'static str, words: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", words) }
    }

    /// 422: several fields, one message for each. An empty list is a bug of the caller, told as a fault of the body.
    pub fn invalid_fields(errors: Vec<FieldError>) -> Self {
        let mut problem = match errors.as_slice() {
            [] => return Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The body cannot be used."),
            [one] => Self::invalid(one.field, one.detail.clone()),
            [first, rest @ ..] => {
                Self::invalid(first.field, format!("{} And {} more to mend.", first.detail, rest.len()))
            }
        };
        problem.more = Some(Box::new(More { errors, ..More::default() }));
        problem
    }

    /// 403: the title plays from `from` on.
    pub fn not_yet_available(from: Time) -> Self {
        let words = "This title cannot be watched yet. It comes at the time given in `available_from`.";
        let more = More { available_from: Some(from), ..More::default() };
        Self { more: Some(Box::new(more)), ..Self::new(StatusCode::FORBIDDEN, "not_yet_available", words) }
    }

    /// 403: the title played until `until`.
    pub fn no_longer_available(until: Time) -> Self {
        let words = "This title can no longer be watched: its time here is over.";
        let more = More { available_until: Some(until), ..More::default() };
        Self { more: Some(Box::new(more)), ..Self::new(StatusCode::FORBIDDEN, "no_longer_available", words) }
    }

    /// 403: the title plays elsewhere.
    pub fn not_in_your_country() -> Self {
        let words = "This title is not available in your country.";
        Self::new(StatusCode::FORBIDDEN, "not_available_in_country", words)
    }

    /// 400: the request cannot be read.
    pub fn bad_request(words: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", words)
    }

    /// 412: `If-Match` names a revision that is not the present one.
    pub fn precondition_failed() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "changed_meanwhile",
            "This was changed by someone else meanwhile. Load it again and repeat your change.",
        )
    }

    /// 412 that tells the revision that is there now, also as the `ETag` of the answer.
    pub fn changed_to(revision: i64) -> Self {
        let more = More { revision: Some(revision), ..More::default() };
        Self { more: Some(Box::new(more)), ..Self::precondition_failed() }
    }

    /// 406: the caller takes nothing that we can make.
    pub fn not_acceptable() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "not_acceptable",
            "Answers are application/json (pictures and event streams have types of their own); `Accept` allows none of it.",
        )
    }

    /// 408: the body did not arrive in time.
    pub fn request_timeout() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            "The request's body took too long to arrive. Send it again.",
        )
    }

    /// 413: larger than `limit_bytes`.
    pub fn too_large(limit_bytes: u64) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("The request is larger than the {limit_bytes} bytes allowed here."),
        )
    }

    /// 429 with `Retry-After`.
    pub fn too_many_requests(retry_after: Duration) -> Self {
        let seconds = retry_after.as_secs().max(1);
        Self {
            retry_after: Some(Duration::from_secs(seconds)),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                format!("Too many attempts. Try again in {seconds} s."),
            )
        }
    }

    /// 503 with `Retry-After`: a passing fault of something that we need. Logs the cause.
    pub fn unavailable(cause: impl fmt::Display) -> Self {
        tracing::warn!(%cause, "a request met a passing fault");
        Self {
            retry_after: Some(Duration::from_secs(2)),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Something that is needed does not answer just now. Try again shortly.",
            )
        }
    }

    /// 500. Logs the cause and tells nothing of it.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side; it was logged.",
        )
    }

    /// The same with `Retry-After`, in whole seconds and at least one.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(Duration::from_secs(wait.as_secs().max(1))), ..self }
    }

    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The words for people.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub fn code(&self) -> &'static str {
        self.code
    }

    /// As it is sent.
    pub fn body(&self) -> ProblemBody {
        let more = self.more.as_deref().cloned().unwrap_or_default();
        let only = self.field.map(|field| FieldError { field, detail: self.detail.clone().into_owned() });
        ProblemBody {
            kind: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone().into_owned(),
            code: self.code,
            field: self.field,
            errors: if more.errors.is_empty() { only.into_iter().collect() } else { more.errors },
            available_from: more.available_from,
            available_until: more.available_until,
            revision: more.revision,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        if let Some(revision) = self.more.as_ref().and_then(|more| more.revision) {
            headers.insert(header::ETAG, crate::etag::of_revision(revision));
        }
        if self.status == StatusCode::REQUEST_TIMEOUT {
            // RFC 9110 §15.5.9: the rest of the body is not waited for.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_sent_as_rfc_9457_says() {
        let response = Problem::too_many_requests(Duration::from_millis(2500)).into_response();
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        assert_eq!(response.headers()["retry-after"], "2");
        let json = serde_json::to_value(Problem::invalid("title", "too long").body()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"type": "about:blank", "title": "Unprocessable Entity", "status": 422,
                "detail": "too long", "code": "invalid", "field": "title",
                "errors": [{"field": "title", "detail": "too long"}]})
        );
    }

    #[test]
    fn every_wrong_field_is_told() {
        let error = |field, detail: &str| FieldError { field, detail: detail.into() };
        let problem = Problem::invalid_fields(vec![error("title", "Too long."), error("tags", "Too many.")]);
        let json = serde_json::to_value(problem.body()).unwrap();
        assert_eq!(
            (&json["field"], &json["detail"]),
            (&"title".into(), &"Too long. And 1 more to mend.".into())
        );
        assert_eq!(json["errors"][1], serde_json::json!({"field": "tags", "detail": "Too many."}));
    }

    #[test]
    fn an_internal_problem_tells_nothing_of_its_cause() {
        let problem = Problem::internal("password=hunter2");
        assert!(!format!("{:?}", problem.body()).contains("hunter2"));
    }
}
