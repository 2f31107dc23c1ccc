//! The origin: manifests, segments and pictures of presentations, made on request out of stored bytes.
//!
//! All it needs is in the object store (descriptors, tracks, the public keys of playback tokens) and in the token that
//! each URL carries. No database stands behind it: delivery goes on while the database is away.

mod body;
mod manifest;
mod path;
mod presentation;
mod routes;

use std::{sync::Arc, time::Duration};

use axum::{http::HeaderMap, response::Response};
use backends::{blob::Blobs, clock::Clock, playback_keys::Keys};
use domain::{PresentationId, playback_token::Claims};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// How much an origin keeps in memory, and for how long.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Most bytes of descriptors kept in memory.
    pub descriptor_cache_bytes: u64,
    /// Most bytes of ready-made manifests kept in memory.
    pub manifest_cache_bytes: u64,
    /// How old the descriptor of a growing presentation may be, milliseconds.
    pub growing_max_age_ms: u64,
    /// How old the descriptor of a complete presentation may be, milliseconds: later renditions appear after that.
    pub complete_max_age_ms: u64,
    /// Least time between two looks for new public keys, milliseconds.
    pub key_refresh_ms: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            descriptor_cache_bytes: 64 << 20,
            manifest_cache_bytes: 32 << 20,
            growing_max_age_ms: 1_000,
            complete_max_age_ms: 60_000,
            key_refresh_ms: 5_000,
        }
    }
}

/// A request for something of an event, whose token is good.
#[derive(Debug, Clone)]
pub struct Asked {
    pub presentation: PresentationId,
    /// The whole path, with its token.
    pub path: String,
    /// The path within the presentation: `v720p/playlist.m3u8`.
    pub rest: String,
    pub query: Option<String>,
    /// The largest short side of pictures that the token allows.
    pub max_height: Option<u32>,
}

/// Who answers for events that go on.
pub trait Live: Send + Sync {
    /// `None` when it is no event that goes on in this process.
    fn here(&self, asked: Asked, headers: HeaderMap) -> BoxFuture<'_, Option<Response>>;

    /// The same for other processes. Asked for presentations that grow; `None`: what is stored is the answer.
    fn elsewhere(&self, asked: Asked, headers: HeaderMap) -> BoxFuture<'_, Option<Response>>;
}

/// The origin. Cheap to clone.
#[derive(Clone)]
pub struct Origin(Arc<Inner>);

struct Inner {
    blobs: Blobs,
    clock: Clock,
    keys: Keys,
    presentations: presentation::Cache,
    manifests: manifest::Cache,
    live: Option<Arc<dyn Live>>,
    /// Tokens whose signature was found right. Expiry is looked at each time.
    tokens: moka::future::Cache<String, Claims>,
}

/// Most tokens remembered. Each is a few hundred bytes.
const TOKENS: u64 = 20_000;

impl Origin {
    /// `live` is who knows the events that go on.
    pub fn new(config: Config, blobs: Blobs, clock: Clock, live: Option<Arc<dyn Live>>) -> Self {
        let keys = Keys::new(blobs.clone(), Duration::from_millis(config.key_refresh_ms));
        let presentations = presentation::Cache::new(&config, blobs.clone());
        let manifests = manifest::Cache::new(config.manifest_cache_bytes);
        let tokens = moka::future::Cache::new(TOKENS);
        Self(Arc::new(Inner { blobs, clock, keys, presentations, manifests, live, tokens }))
    }

    /// What is known of a presentation is over.
    pub async fn forget(&self, presentation: PresentationId) {
        self.0.presentations.forget(presentation).await;
    }

    /// Everything below `/media/`.
    pub fn router(&self) -> axum::Router {
        routes::router(self.clone())
    }
}
