//! `/metrics`: everything that the process measures, in Prometheus' text format.
//!
//! Open to this machine and private networks, as long as no proxy passed the request on; to others with an API token of the
//! scope `admin`.

use std::sync::OnceLock;

use api::{Client, Problem, address::is_private};
use app::App;
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::layers::is_forwarded;

const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// The process has one recorder, however many servers a test starts in it.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts measuring. Nothing is measured when another recorder was installed before.
pub fn install() {
    RECORDER.get_or_init(|| {
        let handle = PrometheusBuilder::new().set_buckets(&SECONDS).ok()?.install_recorder().ok()?;
        metrics::gauge!("kinora_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Some(handle)
    });
}

/// Keeps memory bounded; call it every few seconds.
pub fn upkeep() {
    if let Some(Some(handle)) = RECORDER.get() {
        handle.run_upkeep();
    }
}

/// `GET /metrics`.
pub async fn page(
    State(app): State<Option<App>>,
    client: Client,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let is_near = is_private(client.address) && !client.address.is_unspecified() && !is_forwarded(&headers);
    if !is_near {
        let app = app.ok_or_else(|| Problem::forbidden("Metrics are open to private networks only."))?;
        app::accounts::metrics_principal(&app, &headers).await?;
    }
    let text = RECORDER.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
