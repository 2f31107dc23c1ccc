//! What players tell of their playbacks, and what becomes of it: beats are taken durably, summed up by minute, edge and title,
//! and shown to operators as the quality of experience.
//!
//! A beat's way: [`beat`] reads the body, [`receive`] checks its token, [`intake`] writes it to the [`log`] and answers, [`rollup`]
//! sums it up, [`flush`] stores the sums, [`quality`] reads them.

pub mod beat;
mod edges;
mod error;
mod flush;
pub mod histogram;
mod home;
mod intake;
pub mod log;
mod meters;
mod quality;
mod receive;
pub mod record;
mod rollup;
mod session;
mod tokens;
mod view;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use backends::clock::Clock;
use domain::{Micros, playback_token::Checker};
use serde::{Deserialize, Serialize};
use store::Store;
use tokio_util::sync::CancellationToken;

pub use error::{Error, Result};
use intake::{Intake, State};
pub use meters::STARTUP_SECONDS;

pub mod routes {
    //! The handlers, for the router.
    pub use super::{
        quality::{__path_quality, quality},
        receive::{__path_send, preflight, send},
    };
}

/// A segment of the log is closed at about this size.
const SEGMENT_BYTES: u64 = 64 << 20;

/// What operators may set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Hours that beats are kept in the log after they were summed up.
    pub log_hours: u32,
    /// Most bytes of summed up beats in the log; beyond that the oldest go earlier.
    pub log_max_bytes: u64,
    /// Days that the sums of each minute are kept.
    pub keep_days: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { log_hours: 24, log_max_bytes: 4 << 30, keep_days: 30 }
    }
}

/// Receives beats and tells of them. Cheap to clone.
#[derive(Clone)]
pub struct Insights(Arc<Inner>);

pub struct Inner {
    config: Config,
    /// Of this process's log.
    dir: PathBuf,
    /// Whose rows are written: this log's name.
    node: String,
    store: Store,
    clock: Clock,
    tokens: tokens::Tokens,
    intake: Intake,
    state: Arc<Mutex<State>>,
    storing: tokio::sync::Mutex<flush::Storing>,
    _home: home::Home,
}

impl std::ops::Deref for Insights {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Insights {
    /// Opens the log below `dir`, reads again what of it is not summed up, and begins to take beats.
    pub async fn start(
        config: Config,
        dir: &Path,
        store: Store,
        clock: Clock,
        checker: Checker,
    ) -> Result<Self> {
        let below = dir.to_owned();
        let home = spawn(move || home::claim(&below)).await?;
        let (dir, node) = (home.dir.clone(), home.node.clone());
        let row = store::quality::position(&mut store.reader().await?, &node).await?;
        let (segment, byte) = row.unwrap_or_default();
        let stored = log::Position { segment: segment.unsigned_abs(), byte: byte.unsigned_abs() };
        let (from, now) = (dir.clone(), clock.now());
        let (log, mut state) = spawn(move || {
            let log = log::Log::open(&from, SEGMENT_BYTES)?;
            Ok((log, intake::recall(&from, stored, now)?))
        })
        .await?;
        state.end = state.end.max(stored);
        meters::ready(&state.edges);
        let state = Arc::new(Mutex::new(state));
        let intake = Intake::start(log, state.clone())?;
        let tokens = tokens::Tokens::new(checker);
        let storing = flush::Storing::from(stored).into();
        let inner = Inner { config, dir, node, store, clock, tokens, intake, state, storing, _home: home };
        Ok(Self(Arc::new(inner)))
    }

    /// Stores the sums every few seconds until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        flush::run(self, stop).await;
    }

    /// Stores what came last. To be called when no more requests come: this machine may not start again.
    pub async fn finish(&self) {
        flush::finish(self).await;
    }

    /// Forgets minutes that are older than is wished. To be called from time to time.
    pub async fn expire(&self) -> store::Result<()> {
        let before = self.clock.now().plus(-i64::from(self.config.keep_days) * Micros::DAY);
        let mut tx = self.store.begin().await?;
        store::quality::prune(&mut tx, before).await?;
        tx.commit().await
    }
}

async fn spawn<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|died| Error::Internal(died.to_string()))??)
}
