//! `/metrics`: everything that the process measures, in Prometheus' text format.
//!
//! Open to the networks of `metrics.allow` (this machine, unless told otherwise), as long as no proxy passed the request on; to
//! others with `metrics.token`, or with an API token of the scope `admin`.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, OnceLock},
};

use api::{Client, Problem, address::Network};
use app::App;
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use backends::blob::Secret;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::layers::is_forwarded;

const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// From a click to the first frame, with the alert's 3 s among them.
const STARTUP_SECONDS: [f64; 13] = [0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0];

/// The process has one recorder, however many servers a test starts in it.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Starts measuring. Nothing is measured when another recorder was installed before.
pub fn install() {
    RECORDER.get_or_init(|| {
        let handle = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .and_then(|builder| {
                let startup = Matcher::Full(insights::STARTUP_SECONDS.into());
                builder.set_buckets_for_metric(startup, &STARTUP_SECONDS)
            })
            .ok()?
            .install_recorder()
            .ok()?;
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

/// Who may read the metrics.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What Prometheus sends as bearer token.
    #[serde(skip_serializing)]
    pub token: Option<Secret>,
    /// Addresses or networks that need no token, unless a proxy passed their request on.
    pub allow: Vec<Network>,
}

impl Default for Config {
    fn default() -> Self {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        Self { token: None, allow: loopback.map(Network::from).to_vec() }
    }
}

/// What decides about a request.
#[derive(Clone)]
pub struct Gate {
    pub app: Option<App>,
    pub config: Arc<Config>,
}

impl Gate {
    async fn admit(&self, client: Client, headers: &HeaderMap) -> Result<(), Problem> {
        // Through a proxy, everyone has its address; one that does not say so must not pass on /metrics.
        let direct = !is_forwarded(headers);
        if direct && self.config.allow.iter().any(|network| network.contains(client.address)) {
            return Ok(());
        }
        if let (Some(token), Some(sent)) = (&self.config.token, bearer(headers))
            && token.expose().as_bytes().ct_eq(sent.as_bytes()).into()
        {
            return Ok(());
        }
        let app = self.app.as_ref().ok_or_else(|| Problem::forbidden("Metrics need their token."))?;
        Ok(app::accounts::metrics_principal(app, headers).await?)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// `GET /metrics`.
pub async fn page(State(gate): State<Gate>, client: Client, headers: HeaderMap) -> Result<Response, Problem> {
    gate.admit(client, &headers).await?;
    let text = RECORDER.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
