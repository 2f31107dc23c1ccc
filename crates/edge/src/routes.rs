//! `/media/…` over whichever HTTP the listener speaks.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use api::{Problem, cors};
use axum::{
    Extension, Router,
    extract::{ConnectInfo, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{any, get},
};

use crate::{
    Edge,
    reply::{How, Reply},
    serve::Ask,
};

const ORIGINAL: HeaderName = HeaderName::from_static("x-original-uri");
const KEY: HeaderName = HeaderName::from_static("x-kinora-key");
/// How long another cache may take a check for granted.
const CHECKED: &str = "private, max-age=5";

pub fn router(edge: Edge) -> Router {
    Router::new()
        .route("/media/", any(handle))
        .route("/media/{*path}", any(handle))
        .route("/edge/check", get(check))
        .with_state(edge)
}

/// For another cache in our place: may the request that it was sent be answered, and what is the same as its answer? The address is in
/// `X-Original-URI`. Says 204 with `X-Kinora-Key`, or 401 or 403 and nothing else.
async fn check(
    State(edge): State<Edge>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
) -> Response {
    let address = headers.get(&ORIGINAL).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (path, query) = match address.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (address, None),
    };
    let ask = Ask { head_only: true, path, query, headers: &headers, peer: at(peer) };
    match edge.check(ask).await {
        Ok(key) => {
            let mut response = StatusCode::NO_CONTENT.into_response();
            let told = HeaderValue::try_from(key.text()).unwrap_or(HeaderValue::from_static(""));
            response.headers_mut().insert(KEY, told);
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(CHECKED));
            response
        }
        Err(problem) => {
            // Caches in our place pass this on to pages of any origin.
            let mut response = problem.into_response();
            cors::allow(response.headers_mut());
            response
        }
    }
}

fn at(peer: Option<Extension<ConnectInfo<SocketAddr>>>) -> IpAddr {
    peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Extension(ConnectInfo(peer))| peer.ip())
}

async fn handle(
    State(edge): State<Edge>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let peer = at(peer);
    match method {
        Method::GET | Method::HEAD => {
            let head_only = method == Method::HEAD;
            let ask = Ask { head_only, path: uri.path(), query: uri.query(), headers: &headers, peer };
            edge.answer(ask).await.into()
        }
        Method::OPTIONS => {
            let mut response = cors::preflight();
            cors::allow(response.headers_mut());
            response
        }
        _ => {
            let words = "Media can only be read: use GET or HEAD.";
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", words);
            let mut reply = Reply::problem(problem);
            reply.headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
            edge.sign(reply, How::Refused).into()
        }
    }
}
