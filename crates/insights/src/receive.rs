//! `POST /api/v1/beats`: takes beats from whoever holds a playback session.

use std::time::Duration;

use api::{Json, Problem, ProblemBody};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::playback_token::Refused;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    Insights,
    beat::{self, MAX_BODY_BYTES},
    intake::Fault,
    record::Record,
};

/// When whoever was refused for a passing reason may come back.
const COME_BACK: Duration = Duration::from_secs(10);

/// The beats of one playback session, oldest first; 1 to 500.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({ "v": 1, "token": "eyJwIjoi….c2lnbmF0dXJl", "beats": [
    { "seq": 0, "age_ms": 10012, "kind": "start", "startup_ms": 412 },
    { "seq": 1, "age_ms": 8, "kind": "play", "edge": "edge-1", "playing_ms": 9600, "stalled_ms": 400, "stalls": 1,
      "bitrate_bps": 5200000, "bytes": 6240000, "dropped_frames": 0, "buffer_ms": 18250, "height": 1080, "switches": 1 },
    { "seq": 2, "age_ms": 0, "kind": "error", "code": "PLAY-1001-503", "fatal": true, "started": true },
    { "seq": 3, "age_ms": 0, "kind": "end" }] }))]
pub struct Beats {
    /// The version of this format: 1.
    #[schema(minimum = 1, maximum = 1)]
    pub v: u64,
    /// The token of the playback's media URLs, the part behind `/media/`. It tells session and title, and may have expired some
    /// hours ago.
    pub token: String,
    pub beats: Vec<BeatBody>,
}

/// What happened in a playback.
#[expect(dead_code, reason = "tells the format to the API's document; bodies are read by `beat`")]
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BeatKind {
    Start,
    Play,
    Error,
    End,
}

/// One message. `start` has `startup_ms`; `play` has `playing_ms`, `stalled_ms` and may have the fields that follow them; `error`
/// has `code`, `fatal` and `started`; `end` has nothing more.
#[derive(Debug, Serialize, ToSchema)]
pub struct BeatBody {
    /// Counts up from 0 in each session. A beat that is sent again keeps its number, and counts once.
    #[schema(minimum = 0, maximum = 4_000_000)]
    pub seq: u32,
    /// How long ago this was when it is sent; clocks of players are not believed.
    #[schema(required = false, minimum = 0, default = 0)]
    pub age_ms: u64,
    pub kind: BeatKind,
    /// The cache nearest to the viewer, as `Cache-Status` (RFC 9211) of media calls it. Left out: the origin.
    #[schema(pattern = "^[a-z0-9._-]{0,64}$")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge: Option<String>,
    /// From the click to the first frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup_ms: Option<u64>,
    /// Time with a moving picture since the `play` before, at most two minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub playing_ms: Option<u64>,
    /// Time in which the viewer waited for media after the first frame, seeks not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalled_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stalls: Option<u64>,
    /// Of the rendition that plays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bitrate_bps: Option<u64>,
    /// Media bytes fetched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropped_frames: Option<u64>,
    /// What is buffered ahead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub buffer_ms: Option<u64>,
    /// Short side of the picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Changes of rendition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switches: Option<u64>,
    #[schema(pattern = "^[A-Za-z0-9._-]{1,64}$", example = "PLAY-1001-503")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The playback ended by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fatal: Option<bool>,
    /// There had been a first frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<bool>,
}

/// What was taken. It is on the disk.
#[derive(Debug, Serialize, ToSchema)]
pub struct BeatsTaken {
    #[schema(example = 4)]
    pub accepted: usize,
    /// Beats that had come before.
    #[schema(example = 0)]
    pub repeated: usize,
}

/// Takes beats of a playback. They are durable when this answers, and a beat that is sent again counts once.
///
/// Anybody who holds a playback may send, without an account: the token in the body says which it is. The body is JSON, also when
/// it is sent as `text/plain` (by `navigator.sendBeacon`, or from another site without a preflight), and 256 KiB at most.
#[utoipa::path(post, path = "/api/v1/beats", tag = "quality",
    request_body(content((Beats = "application/json"), (String = "text/plain"))),
    responses((status = 200, body = BeatsTaken), (status = 403, body = ProblemBody, description = "no token of ours"),
        (status = 413, body = ProblemBody), (status = 415, body = ProblemBody), (status = 422, body = ProblemBody),
        (status = 429, body = ProblemBody), (status = 503, body = ProblemBody, description = "not taken; send it again")))]
pub async fn send(State(insights): State<Insights>, headers: HeaderMap, body: Body) -> Response {
    let mut response = match take(&insights, &headers, body).await {
        Ok(taken) => Json(taken).into_response(),
        Err(problem) => {
            metrics::counter!("kinora_qoe_refused_requests_total", "code" => problem.code()).increment(1);
            problem.into_response()
        }
    };
    open_to_all(response.headers_mut());
    response
}

/// Players on other sites may send, too: no cookie takes part.
pub async fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    open_to_all(headers);
    let fixed = HeaderValue::from_static;
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, fixed("POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, fixed("content-type"));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, fixed("86400"));
    response
}

fn open_to_all(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let policy = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(policy, HeaderValue::from_static("cross-origin"));
}

async fn take(insights: &Insights, headers: &HeaderMap, body: Body) -> Result<BeatsTaken, Problem> {
    if !is_text(headers) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Beats are JSON, sent as application/json or text/plain.",
        ));
    }
    let bytes = api::body::whole(body, MAX_BODY_BYTES).await?;
    let body = beat::read(&bytes)
        .map_err(|refused| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", refused.to_string()))?;
    let received = insights.clock.now();
    let claims = insights.tokens.check(&body.token, received).map_err(|refused| {
        let words = match refused {
            Refused::Expired => "The token of this playback expired long ago.",
            Refused::Malformed | Refused::BadSignature | Refused::AnotherTitle => {
                "`token` is not the token of a playback of this instance: the part of its media URLs behind `/media/`."
            }
        };
        Problem::new(StatusCode::FORBIDDEN, "token_refused", words)
    })?;
    let (session, presentation) = (claims.session, claims.presentation);
    let record = Record { received, session, presentation, beats: body.beats };
    match insights.intake.take(record).await {
        Ok(taken) => Ok(BeatsTaken { accepted: taken.accepted, repeated: taken.repeated }),
        Err(Fault::Excess(_)) => Err(Problem::too_many_requests(COME_BACK)),
        Err(fault) => Err(Problem::unavailable(fault).after(COME_BACK)),
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") || kind.eq_ignore_ascii_case("text/plain")
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    use super::*;

    #[test]
    fn the_documented_example_is_taken() {
        let schema = serde_json::to_value(Beats::schema()).unwrap();
        let body = beat::read(schema["example"].to_string().as_bytes()).unwrap();
        let words: Vec<_> = body.beats.iter().map(|beat| beat.what.word()).collect();
        assert_eq!(words, ["start", "play", "error", "end"]);
    }

    #[test]
    fn a_full_body_fits() {
        let beat = serde_json::json!({ "seq": 3_999_999, "age_ms": 3_599_999, "kind": "play", "edge": "e".repeat(64),
            "playing_ms": 119_999, "stalled_ms": 119_999, "stalls": 9999, "bitrate_bps": 99_999_999, "bytes": 999_999_999,
            "dropped_frames": 9999, "buffer_ms": 999_999, "height": 2160, "switches": 9999 });
        assert!(beat.to_string().len() * beat::MAX_BEATS < MAX_BODY_BYTES);
    }
}
