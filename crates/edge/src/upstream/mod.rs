//! Where answers come from: the origin of this process, or origins and shields elsewhere.

mod health;
mod pool;

use std::{pin::Pin, time::Duration};

use axum::{Router, body::Body};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use tower::ServiceExt;

pub use pool::{Pool, PoolError, Settings};

use crate::flight::Broken;

/// Through how many edges a request may go.
pub const MAX_HOPS: u8 = 8;
/// RFC 8586: how many edges a request has passed.
const LOOP: HeaderName = HeaderName::from_static("cdn-loop");

/// What keeps an answer from coming.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("no upstream could be reached")]
    Unreachable,
    #[error("no upstream answered in time")]
    Late,
    #[error("the upstream broke off")]
    Broken,
    #[error("the upstream's answer cannot be used")]
    Unusable,
}

/// One question. Everything that an upstream hears is here.
#[derive(Debug, Clone)]
pub struct Question {
    /// Path and query.
    pub address: String,
    /// Names the bytes whoever asks for them: what decides which upstream is asked.
    pub place: String,
    pub gzip: bool,
    pub known: Option<HeaderValue>,
    pub hops: u8,
    /// A second upstream may be asked when the first is slow.
    pub may_hedge: bool,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Pin<Box<dyn Stream<Item = Result<Bytes, Broken>> + Send>>,
}

/// Cheap to clone.
#[derive(Clone)]
pub enum Upstream {
    Here(Router),
    Remote(Pool),
}

impl Upstream {
    /// Waits for the head of an answer, at most for `patience`.
    pub async fn ask(&self, question: &Question, patience: Duration) -> Result<Answer, Failure> {
        let asking = async {
            match self {
                Self::Here(router) => here(router.clone(), question).await,
                Self::Remote(pool) => pool.ask(question).await,
            }
        };
        tokio::time::timeout(patience, asking).await.unwrap_or(Err(Failure::Late))
    }
}

impl Question {
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(4);
        if self.gzip {
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(tag) = &self.known {
            headers.insert(header::IF_NONE_MATCH, tag.clone());
        }
        if let Ok(value) = HeaderValue::try_from(format!("kinora; hops={}", self.hops.saturating_add(1))) {
            headers.insert(LOOP, value);
        }
        headers
    }
}

/// How many edges this request has passed. What a client makes up harms its own requests only.
pub fn hops(headers: &HeaderMap) -> u8 {
    let told = headers.get(LOOP).and_then(|value| value.to_str().ok());
    told.and_then(|text| text.strip_prefix("kinora; hops=")?.parse().ok()).unwrap_or(0)
}

async fn here(router: Router, question: &Question) -> Result<Answer, Failure> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = question.address.parse().map_err(|_| Failure::Unusable)?;
    *request.headers_mut() = question.headers();
    let Ok(response) = router.oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = body.into_data_stream().map_err(|error| {
        tracing::warn!(%error, "an answer of the origin broke off");
        Broken
    });
    Ok(Answer { status: parts.status, headers: parts.headers, body: body.boxed() })
}
