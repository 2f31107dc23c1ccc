//! The edge: a delivery cache in front of origins, for whatever lies below `/media/`.
//!
//! It checks the token of every request, holds answers in memory and on disk as long as they are good, asks upstreams once
//! however many wait, and keeps serving what it holds while everything behind it is away.

mod bound;
mod config;
mod fetch;
mod flight;
mod freshness;
mod hours;
mod key;
mod lane;
mod measure;
mod object;
mod read;
mod reply;
mod revocations;
mod routes;
mod serve;
mod store;
mod tokens;
mod upstream;
mod warm;

use std::{
    collections::HashMap,
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::Router;
use backends::{
    blob::{self, Blobs, names},
    clock::Clock,
    playback_keys::Keys,
};
use domain::{Micros, PresentationId, edges::Report, revocation::Revocation};
use tokio::runtime::Handle;

pub use bound::Bound;
pub use config::{Clients, Config, Warming};
use flight::Flight;
use key::Key;
pub use lane::{LINGER, Lanes, Rewound, Visit, Visitors};
use measure::Measure;
use object::About;
use reply::Statuses;
use store::Store;
use tokens::Tokens;
use upstream::{Pool, PoolError, Upstream};
use uuid::Uuid;
use warm::Warmer;

/// How often what is held is told to Prometheus.
const TELL: Duration = Duration::from_secs(5);

/// The edge. Cheap to clone.
#[derive(Clone)]
pub struct Edge(Arc<Inner>);

struct Inner {
    config: Config,
    blobs: Blobs,
    clock: Clock,
    store: Store,
    tokens: Tokens,
    bound: Bound,
    statuses: Statuses,
    upstream: Upstream,
    /// Fetches under way, by what is fetched and how many edges the request has passed: a made-up number of those must not
    /// spoil the fetch of others.
    flights: Mutex<HashMap<(Key, u8), Arc<Flight>>>,
    measure: Measure,
    visitors: Visitors,
    warmer: Arc<Warmer>,
    id: Uuid,
    since: Micros,
    draining: AtomicBool,
    /// Where fetches run, whichever thread asks for them.
    runtime: Handle,
}

/// What keeps an edge from starting.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("edge.dir: {0}")]
    Directory(#[from] io::Error),
    #[error(transparent)]
    Upstreams(#[from] PoolError),
    #[error("edge.upstreams: name at least one, or run the origin in this process")]
    NoUpstream,
}

/// Starts an edge in front of `origin`, or without one of the upstreams that the configuration names. What its directory holds is
/// looked through first; mutable answers from before are asked for again. Keys of tokens are in `blobs`.
pub async fn start(
    config: Config,
    origin: Option<Router>,
    blobs: Blobs,
    clock: Clock,
    bound: Bound,
) -> Result<Edge, Error> {
    let upstream = match origin {
        Some(origin) => Upstream::Here(origin),
        None if config.upstreams.is_empty() => return Err(Error::NoUpstream),
        None => Upstream::Remote(Pool::new(&config.upstreams, config.pool())?),
    };
    let (dir, memory, disk) = (config.dir.clone(), config.memory_bytes, config.disk_bytes);
    let opening = tokio::task::spawn_blocking(move || Store::open(&dir, memory, disk));
    let store = opening.await.map_err(io::Error::other)??;
    store.distrust(clock.now());
    let keys = Keys::new(blobs.clone(), Duration::from_millis(config.key_refresh_ms));
    let warmer = Arc::new(Warmer::default());
    let edge = Edge(Arc::new(Inner {
        tokens: Tokens::new(keys, clock.clone()),
        bound,
        statuses: Statuses::new(&config.token()),
        visitors: Visitors::new(config.clients.connections_per_address),
        warmer: warmer.clone(),
        id: Uuid::now_v7(),
        since: clock.now(),
        draining: AtomicBool::new(false),
        config,
        blobs,
        clock,
        store,
        upstream,
        flights: Mutex::default(),
        measure: Measure::new(),
        runtime: Handle::current(),
    }));
    tokio::spawn(warm::run(Arc::downgrade(&edge.0), warmer));
    let telling = Arc::downgrade(&edge.0);
    tokio::spawn(async move {
        while let Some(inner) = telling.upgrade() {
            measure::tell(&inner.store);
            drop(inner);
            tokio::time::sleep(TELL).await;
        }
    });
    Ok(edge)
}

impl Edge {
    /// Everything below `/media/`.
    pub fn router(&self) -> Router {
        routes::router(self.clone())
    }

    /// Removes all that is held of a presentation; gives how many answers.
    pub async fn purge(&self, presentation: PresentationId) -> u64 {
        self.0.warmer.drop_all(presentation);
        self.remove(About::Presentation(presentation)).await
    }

    /// Removes all that its upstream has given this tag (`Cache-Tag`).
    pub async fn purge_tag(&self, tag: &str) -> u64 {
        self.remove(About::Tag(tag.into())).await
    }

    async fn remove(&self, about: About) -> u64 {
        // Those under way began before: they go to who waits, and are not kept.
        self.flights().retain(|(key, _), flight| {
            let spared = match &about {
                About::Presentation(id) => key.presentation != *id,
                // Which tags its answer has is not known before it ends.
                About::Tag(_) => false,
            };
            if !spared {
                flight.doom();
            }
            spared
        });
        let edge = self.clone();
        let purging = tokio::task::spawn_blocking(move || edge.0.store.purge(&about));
        let count = purging.await.unwrap_or_else(|error| {
            tracing::error!(%error, "purging failed");
            0
        });
        metrics::counter!("kinora_edge_purged_total").increment(count);
        count
    }

    /// Marks everything as stale that can change: some of what upstreams told may have been missed.
    pub fn distrust(&self) {
        self.0.store.distrust(self.0.clock.now());
    }

    /// Refuses playback tokens from now on.
    pub fn revoke(&self, revocation: Revocation) {
        self.0.tokens.revoked.revoke(revocation, self.0.clock.now());
    }

    /// Reads all revocations that the object store holds: messages about some may have been missed.
    pub async fn recall(&self) -> blob::Result<()> {
        for entry in self.0.blobs.list(&names::revocations()).await? {
            if let Some(revocation) = names::revocation_of(&entry.object) {
                self.revoke(revocation);
            }
        }
        Ok(())
    }

    /// How it stands.
    pub fn report(&self) -> Report {
        let inner = &self.0;
        let upstreams = match &inner.upstream {
            Upstream::Here(_) => Vec::new(),
            Upstream::Remote(pool) => pool.peers(),
        };
        let counts = inner.measure.counts();
        let [memory, disk] = inner.store.fill();
        Report {
            id: inner.id,
            name: inner.config.token(),
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: inner.since,
            at: inner.clock.now(),
            requests: counts.requests,
            bytes_out: counts.bytes_out,
            bytes_in: counts.bytes_in,
            fetches: counts.fetches,
            failures: counts.failures,
            memory,
            disk,
            fetching: self.flights().len() as u64,
            connections: inner.visitors.present(),
            revocations: inner.tokens.revoked.len() as u64,
            upstreams,
            warmings: inner.warmer.tell(),
            draining: inner.draining.load(Ordering::Relaxed),
        }
    }

    /// Leaves the files to the edge of a process that takes this one's place, and goes on serving what is in them.
    pub fn give(&self) -> io::Result<()> {
        self.0.store.give()
    }

    /// Nobody has taken this one's place. Without its files, if somebody else has them. Blocks for a moment.
    pub fn take_back(&self) -> io::Result<()> {
        self.0.store.take_back()
    }

    /// It takes no new connections from now on.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    fn flights(&self) -> MutexGuard<'_, HashMap<(Key, u8), Arc<Flight>>> {
        self.0.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
