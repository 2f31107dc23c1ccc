//! How many requests an account, or an address without one, may send to the API, and the headers that tell how it stands
//! (draft-ietf-httpapi-ratelimit-headers-10).

use std::time::Duration;

use api::{Client, Principal, Problem, RateLimit, Standing};
use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method},
    response::{IntoResponse, Response},
};
use backends::clock::Clock;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Two quotas: signed-in callers are counted by account, all others by address. Cheap to clone.
#[derive(Clone)]
pub struct Throttle {
    accounts: Option<RateLimit>,
    visitors: Option<RateLimit>,
    clock: Clock,
}

impl Throttle {
    /// Requests in a minute; 0 is no limit.
    pub fn new(accounts: u32, visitors: u32, clock: Clock) -> Self {
        let limit = |count: u32| (count > 0).then(|| RateLimit::new(count, Duration::from_secs(60) / count));
        Self { accounts: limit(accounts), visitors: limit(visitors), clock }
    }
}

/// Counts the request, refuses it when the quota is used up, and tells how it stands.
pub async fn limit<F: Future<Output = Response>>(
    throttle: &Throttle,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let caller = request.extensions().get::<Principal>();
    let (name, limit, key) = match caller {
        Some(principal) => ("account", &throttle.accounts, principal.user.to_string()),
        None => {
            let client = request.extensions().get::<Client>();
            ("address", &throttle.visitors, client.map(Client::key).unwrap_or_default())
        }
    };
    let Some(limit) = limit.as_ref().filter(|_| counts(&request)) else { return next(request).await };
    let standing = limit.spend(&key, throttle.clock.now()).await;
    let mut response = if standing.over.is_zero() {
        next(request).await
    } else {
        metrics::counter!("kinora_http_throttled_total", "by" => name).increment(1);
        Problem::too_many_requests(standing.over).into_response()
    };
    tell(&mut response, name, limit, standing);
    response
}

/// Pictures are many on a page and cost little; the bytes of an upload are limited in other ways.
fn counts(request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let is_picture = ["/poster/", "/artwork/", "/picture/"].iter().any(|part| route.contains(part));
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let moves_bytes = route.starts_with("/api/v1/uploads/") && request.method() != Method::POST;
    !(is_picture && is_read || moves_bytes)
}

fn tell(response: &mut Response, name: &str, limit: &RateLimit, standing: Standing) {
    let seconds = |time: Duration| time.as_millis().div_ceil(1000);
    let policy = format!("\"{name}\";q={};w={}", limit.burst(), seconds(limit.window()));
    let left = format!("\"{name}\";r={};t={}", standing.remaining, seconds(standing.full_in));
    for (header, value) in [(POLICY, policy), (LIMIT, left)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(header, value);
        }
    }
}
