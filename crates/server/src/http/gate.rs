//! What a request to the API passes before a handler sees it: does it take what we make, who is it, may they send one more, was
//! it sent before? One layer for all of that: each costs every request a copy of what lies inside it.

use std::{sync::Arc, time::Duration};

use api::Problem;
use app::{App, accounts, idempotency};
use axum::{
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::throttle::{self, Throttle};

/// How long a handler of the API may take until its answer begins.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same where a picture is received first, which may come over a slow line.
const PATIENCE_WITH_PICTURES: Duration = Duration::from_secs(600);

/// What the gate knows.
pub struct Gate {
    pub app: App,
    pub throttle: Throttle,
}

/// The layer around handlers that answer in JSON.
pub async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    enter(&gate, request, |request| answer(request, next)).await
}

/// The layer around all others: readers and other sites take what they get, bodies of uploads may take as long as they move.
pub async fn pass_any(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    enter(&gate, request, |request| next.run(request)).await
}

async fn enter<F>(gate: &Gate, request: Request, next: impl FnOnce(Request) -> F + Send + 'static) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    let Gate { app, throttle } = gate;
    accounts::authenticate(app, request, |request| {
        throttle::limit(throttle, request, |request| idempotency::remember(app, request, next))
    })
    .await
}

/// Refuses callers who take nothing that the API makes, and gives up on a handler that does not begin its answer in time.
async fn answer(request: Request, next: Next) -> Response {
    if !api::accept::takes_ours(request.headers()) {
        return Problem::not_acceptable().into_response();
    }
    let brings_picture = request.method() == Method::POST && request.uri().path().ends_with("/artwork");
    let patience = if brings_picture { PATIENCE_WITH_PICTURES } else { PATIENCE };
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("a handler took too long").into_response(),
    }
}
