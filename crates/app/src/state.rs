//! What every handler of the application is given, and the application's own configuration.

use std::sync::Arc;

use backends::{blob::Blobs, clock::Clock};
use serde::{Deserialize, Serialize};
use store::Store;

use crate::{Result, accounts, catalog, playback};

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
    /// Days that a version which a title no longer plays can be gone back to.
    pub version_days: u32,
    /// Password hashes that may be computed at once; each takes 19 MiB. 0: as many as there are cores.
    pub password_hashers: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "Kinora".into(),
            public_url: None,
            session_days: 30,
            trash_days: 30,
            version_days: 30,
            password_hashers: 0,
        }
    }
}

/// Numbers of other components that clients are told.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub max_upload_bytes: u64,
    pub upload_chunk_bytes: u64,
}

/// The application. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

pub struct Inner {
    pub store: Store,
    pub blobs: Blobs,
    pub clock: Clock,
    pub config: Config,
    pub limits: Limits,
    pub(crate) passwords: accounts::Passwords,
    pub(crate) sign_in: accounts::SignInLimits,
    pub(crate) minter: domain::playback_token::Minter,
    /// Titles that changed, for live views.
    pub changes: catalog::Changes,
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
        store: Store,
        blobs: Blobs,
        clock: Clock,
    ) -> Result<Self> {
        let minter = playback::ready_key(&store, &blobs, &clock).await?;
        let passwords = accounts::Passwords::start(config.password_hashers).await?;
        Ok(Self(Arc::new(Inner {
            changes: catalog::Changes::new(),
            sign_in: accounts::SignInLimits::new(),
            passwords,
            minter,
            store,
            blobs,
            clock,
            config,
            limits,
        })))
    }

    /// `path` as a link: absolute when the instance knows its address.
    pub fn link(&self, path: &str) -> String {
        let base = self.config.public_url.as_deref().unwrap_or_default().trim_end_matches('/');
        format!("{base}{path}")
    }
}
