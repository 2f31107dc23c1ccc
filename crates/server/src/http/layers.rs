//! What wraps every request: its id, its log line and metrics, security headers, a time limit, a net under panics.

use std::{borrow::Cow, panic::AssertUnwindSafe, sync::Arc, time::Instant};

use api::Problem;
use app::control::Traffic;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use super::{meters::Meters, pack};

/// For answers that are no pages.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Who may put a page into theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framed {
    Nowhere,
    /// The page that other sites may frame.
    Everywhere,
}

/// What a page may load: scripts from here only; media from here and from `edges`; `blob:` is for the player's media sources
/// and worker.
pub fn page_policy(framed: Framed, edges: &[String]) -> HeaderValue {
    // `app.edges` are addresses (checked at start); of each the origin counts.
    let origins: String =
        edges.iter().filter_map(|edge| origin(edge)).map(|edge| format!(" {edge}")).collect();
    let (form, ancestors) = match framed {
        Framed::Nowhere => ("'self'", "'none'"),
        Framed::Everywhere => ("'none'", "*"),
    };
    let text = format!(
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:{origins}; \
         media-src 'self' blob:{origins}; worker-src 'self' blob:; font-src 'self'; connect-src 'self'{origins}; \
         object-src 'none'; base-uri 'self'; form-action {form}; frame-ancestors {ancestors}"
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(DATA_POLICY))
}

fn origin(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?.as_str()))
}

/// What the outermost layer knows.
pub struct Around {
    pub traffic: Arc<Traffic>,
    pub proxies: api::address::Config,
    pub meters: Meters,
    /// What pages may load.
    pub page_policy: HeaderValue,
}

/// The outermost layer, and the only one around all routes: finds out who the client is, gives the request an id, logs and
/// measures it, catches panics, and adds the headers that every answer has. Each layer is copied with all those inside it for
/// every request: what can be a function of one is not a layer of its own.
pub async fn observe(State(around): State<Arc<Around>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let client = api::address::fill(&around.proxies, &mut request);
    let id = Uuid::now_v7().simple().to_string();
    let method = request.method().clone();
    let is_api = request.uri().path().starts_with("/api/");
    let span = tracing::info_span!("request", id, %method, path = %redacted(request.uri().path()));
    let route = request.extensions().get::<MatchedPath>().cloned();
    let brings_much = brings_much(&request);
    let takes_gzip = api::accept::takes_coding(request.headers(), "gzip");
    let response = caught(next.run(request)).instrument(span.clone()).await;
    let mut response = pack::packed(takes_gzip, response).await;
    let status = response.status();
    let took = started.elapsed();
    around.traffic.note(status.as_u16(), took);
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    around.meters.note(route, &method, status, took);
    span.in_scope(|| {
        let millis = took.as_millis() as u64;
        let client = tracing::field::display(client.address);
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), millis, client, "answered");
        } else {
            tracing::debug!(status = status.as_u16(), millis, client, "answered");
        }
    });
    secure(response.headers_mut(), client.https, &around.page_policy);
    if is_api {
        // What the API answers must not be kept by caches unless a handler says so.
        response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    if brings_much && (status.is_client_error() || status.is_server_error()) {
        // A refused body may not have been read, and then the connection ends: say so, or the client's next request is lost.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Has this HTTP/1 request a body that may still be on its way when the answer is ready?
fn brings_much(request: &Request) -> bool {
    const LITTLE: u64 = 4096;
    let headers = request.headers();
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    request.version() < Version::HTTP_2
        && (length.is_some_and(|length| length > LITTLE) || headers.contains_key(header::TRANSFER_ENCODING))
}

async fn caught(answer: impl Future<Output = Response>) -> Response {
    match AssertUnwindSafe(answer).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => {
            let words = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let words = words.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            Problem::internal(format!("a handler panicked: {words}")).into_response()
        }
    }
}

/// A path as it may be logged: what follows `/media/` is a signed token that opens a title.
pub fn redacted(path: &str) -> Cow<'_, str> {
    match path.strip_prefix("/media/") {
        Some(rest) => format!("/media/…/{}", rest.split_once('/').map_or("", |(_, rest)| rest)).into(),
        None => path.into(),
    }
}

/// Headers that every answer has unless it brings its own; few of them say anything to readers of JSON.
fn secure(headers: &mut HeaderMap, https: bool, page_policy: &HeaderValue) {
    headers.reserve(8);
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    if https {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if is_json {
        default(header::CONTENT_SECURITY_POLICY, DATA_POLICY);
        return;
    }
    default(header::REFERRER_POLICY, "strict-origin-when-cross-origin");
    default(
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=()",
    );
    default(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert_with(|| page_policy.clone());
}

/// The answer where there is no route.
pub async fn nothing() -> Problem {
    Problem::not_found()
}

/// The answer where a route does not know the method.
pub async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "This address does not know that method.",
    )
}

/// Was the request passed on by a proxy?
pub fn is_forwarded(headers: &HeaderMap) -> bool {
    const TELLTALES: [&str; 6] =
        ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];
    TELLTALES.iter().any(|name| headers.contains_key(*name))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn media_tokens_are_not_logged() {
        assert_eq!(redacted("/media/abc.def/0191/main.m3u8"), "/media/…/0191/main.m3u8");
        assert_eq!(redacted("/media/abc.def"), "/media/…/");
        assert_eq!(redacted("/api/v1/videos"), "/api/v1/videos");
    }

    #[test]
    fn only_bodies_that_may_be_unread_end_the_connection() {
        let request = |name, value: &str| Request::builder().header(name, value).body(Body::empty()).unwrap();
        assert!(brings_much(&request(header::CONTENT_LENGTH, "5000")));
        assert!(brings_much(&request(header::TRANSFER_ENCODING, "chunked")));
        assert!(!brings_much(&request(header::CONTENT_LENGTH, "300")));
        let mut second = request(header::CONTENT_LENGTH, "5000");
        *second.version_mut() = Version::HTTP_2;
        assert!(!brings_much(&second));
    }

    #[tokio::test]
    async fn a_panic_becomes_a_problem() {
        let response = caught(async { panic!("boom") }).await;
        assert_eq!(response.status(), 500);
    }
}
