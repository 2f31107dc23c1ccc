//! What every handler of the application is given, and the application's own configuration.

use std::sync::Arc;

use backends::{blob::Blobs, bus::Bus, cache::Cache, clock::Clock, geo::Geo};
use domain::Micros;
use serde::{Deserialize, Serialize};
use store::Store;

use crate::{Result, accounts, catalog, control, events, live, playback};

/// Configuration of the application's features.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What this instance is called.
    pub name: String,
    /// Address under which people reach this instance, such as `https://video.example.org`. Makes links absolute; without
    /// it they are relative.
    pub public_url: Option<String>,
    /// Days that a session lives without being used.
    pub session_days: u32,
    /// Days that a deleted title stays in the trash.
    pub trash_days: u32,
    /// Days that the history of a title's changes is kept.
    pub history_days: u32,
    /// Days that a version which a title no longer plays can be gone back to.
    pub version_days: u32,
    /// Addresses of edges that viewers are sent to, such as `https://edge-1.example.org`, in the order in which they are tried.
    /// Empty: media come from where the page does.
    pub edges: Vec<String>,
    /// Playback addresses count only in the program (`User-Agent`) that asked for them.
    pub bind_playback_to_browser: bool,
    /// Streams of one account that may play at once; 0: no limit.
    pub streams_per_account: u32,
    /// Devices on which one account may be watched; 0: no limit.
    pub devices_per_account: u32,
    /// Days for which a device counts after a playback was last begun on it.
    pub device_days: u32,
    /// Password hashes that may be computed at once; each takes 19 MiB. 0: as many as there are cores.
    pub password_hashers: usize,
    /// Event streams that one account may hold open at once; one address of visitors four times as many.
    pub event_streams: u32,
    /// How often it is looked whether the caller of an open event stream is still signed in, in seconds.
    pub event_stream_check_seconds: u32,
    /// Where encoders of live events send to.
    pub live: events::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "Kinora".into(),
            public_url: None,
            session_days: 30,
            trash_days: 30,
            history_days: 730,
            version_days: 30,
            edges: Vec::new(),
            bind_playback_to_browser: false,
            streams_per_account: 0,
            devices_per_account: 0,
            device_days: 30,
            password_hashers: 0,
            event_streams: 24,
            event_stream_check_seconds: 20,
            live: events::Config::default(),
        }
    }
}

/// What is configured for other components and clients are told.
#[derive(Debug, Clone)]
pub struct Limits {
    pub max_upload_bytes: u64,
    pub upload_chunk_bytes: u64,
    /// Rungs of titles while no encoding profile is chosen.
    pub ladder: Vec<domain::ladder::Rung>,
    /// Where this instance listens for encoders.
    pub ingest: events::Ports,
}

/// What operators are told of this process.
#[derive(Debug)]
pub struct Control {
    pub places: control::Places,
    pub traffic: Arc<control::Traffic>,
    /// Edges, as they tell of themselves.
    pub fleet: control::Fleet,
    /// When the process started.
    pub since: Micros,
}

/// What the application runs on.
#[derive(Clone)]
pub struct Engines {
    pub store: Store,
    pub blobs: Blobs,
    pub bus: Bus,
    pub cache: Cache,
    pub clock: Clock,
    /// Tells where callers are.
    pub geo: Geo,
}

/// The application. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    pub store: Store,
    pub blobs: Blobs,
    pub bus: Bus,
    pub cache: Cache,
    pub clock: Clock,
    pub geo: Geo,
    pub config: Config,
    pub limits: Limits,
    pub(crate) passwords: accounts::Passwords,
    pub(crate) sign_in: accounts::SignInLimits,
    pub(crate) minter: domain::playback_token::Minter,
    pub control: Control,
    /// Titles that changed, for live views.
    pub changes: catalog::Changes,
    pub(crate) answers: catalog::Answers,
    pub(crate) together: catalog::Together,
    pub(crate) open: live::Open,
    /// How live events go.
    pub reports: events::Reports,
    /// Opens live events to encoders.
    pub stream_keys: domain::event::StreamKeys,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// Makes the application: readies the key of playback tokens and publishes its public half for origins.
    pub async fn start(
        config: Config,
        limits: Limits,
        engines: Engines,
        places: control::Places,
    ) -> Result<Self> {
        let Engines { store, blobs, bus, cache, clock, geo } = engines;
        playback::check_edges(&config.edges)?;
        config.live.check()?;
        let minter = playback::ready_key(&store, &blobs, &clock).await?;
        let stream_keys = events::ready_keys(&store, &clock).await?;
        let passwords = accounts::Passwords::start(config.password_hashers).await?;
        Ok(Self(Arc::new(Inner {
            control: Control {
                places,
                traffic: Arc::default(),
                fleet: control::Fleet::default(),
                since: clock.now(),
            },
            changes: catalog::Changes::new(),
            answers: catalog::Answers::new(),
            together: catalog::Together::default(),
            open: live::Open::default(),
            reports: events::Reports::default(),
            stream_keys,
            sign_in: accounts::SignInLimits::new(),
            passwords,
            minter,
            store,
            blobs,
            bus,
            cache,
            clock,
            geo,
            config,
            limits,
        })))
    }

    /// Checks the playback tokens that this instance mints.
    pub fn token_checker(&self) -> domain::playback_token::Checker {
        domain::playback_token::Checker::new([self.minter.public_key()])
    }

    /// What links to this instance begin with: its configured address, or the one that the request was sent to.
    pub fn base(&self, client: api::Client, headers: &axum::http::HeaderMap) -> Option<String> {
        let host = headers.get(axum::http::header::HOST).and_then(|host| host.to_str().ok());
        let own = self.config.public_url.as_deref().map(|url| url.trim_end_matches('/').to_owned());
        own.or_else(|| client.origin(host))
    }

    /// `path` as a link: absolute when the instance knows its address.
    pub fn link(&self, path: &str) -> String {
        let base = self.config.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
        format!("{base}{path}")
    }
}
