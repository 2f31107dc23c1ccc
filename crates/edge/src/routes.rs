//! `/media/…` over whichever HTTP the listener speaks.

use api::{Problem, cors};
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::Response,
    routing::any,
};

use crate::{Edge, reply::Reply, serve::Ask};

pub fn router(edge: Edge) -> Router {
    Router::new().route("/media/", any(handle)).route("/media/{*path}", any(handle)).with_state(edge)
}

async fn handle(State(edge): State<Edge>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    match method {
        Method::GET | Method::HEAD => {
            let head_only = method == Method::HEAD;
            let ask = Ask { head_only, path: uri.path(), query: uri.query(), headers: &headers };
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
            reply.into()
        }
    }
}
