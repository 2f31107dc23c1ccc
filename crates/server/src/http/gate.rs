//! What a request to the API passes before a handler sees it: who is it, may they send one more, was it sent before?

use std::sync::Arc;

use app::{App, accounts, idempotency};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};

use super::throttle::{self, Throttle};

/// What the gate knows.
pub struct Gate {
    pub app: App,
    pub throttle: Throttle,
}

/// The layer around the API.
pub async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let Gate { app, throttle } = &*gate;
    accounts::authenticate(app, request, |request| {
        throttle::limit(throttle, request, |request| idempotency::remember(app, request, next))
    })
    .await
}
