//! The job runner: claims jobs from the store, runs their handlers, keeps their leases, and records how they ended.
//!
//! A worker has three lanes, so that quick jobs (a descriptor to write) never wait behind long ones (a chunk to encode), and
//! neither behind those that wait for other machines (a file to fetch). It may die at any moment: its leases run out and other workers take over, and what it wrote without a commit never happened.

mod handlers;
mod slot;
mod upkeep;

#[cfg(test)]
mod tests;

use std::{convert::Infallible, sync::Arc, time::Duration};

use backends::{
    bus::{Bus, Heard},
    clock::Clock,
};
use domain::{Micros, Topic};
use serde::{Deserialize, Serialize};
use store::{Store, jobs, workers};
use tokio::{sync::Notify, task::JoinSet, time};
use tokio_util::sync::CancellationToken;

use handlers::Lane;
pub use handlers::{Failure, Handlers, JobContext, JobError, Retry};

/// How this process works on jobs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Long jobs at a time; 0: one for each core.
    pub slots: usize,
    /// Quick jobs at a time, beside the long ones.
    pub light_slots: usize,
    /// Files fetched from elsewhere at a time, beside both.
    pub transfer_slots: usize,
    /// How long a job stays with a worker that gives no sign of life, in milliseconds.
    pub lease_ms: u64,
    /// How long a handler may take to obey when it is told to stop, in milliseconds; then it is dropped where it stands.
    pub grace_ms: u64,
    /// A name that no other running process has. A process that starts under the name of one that died takes its jobs back
    /// at once. Empty: a random one.
    pub name: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            slots: 0,
            light_slots: 4,
            transfer_slots: 4,
            lease_ms: 30_000,
            grace_ms: 10_000,
            name: String::new(),
        }
    }
}

impl Config {
    fn slots(&self) -> usize {
        if self.slots > 0 { self.slots } else { std::thread::available_parallelism().map_or(1, usize::from) }
    }

    fn lease(&self) -> i64 {
        i64::try_from(self.lease_ms).unwrap_or(i64::MAX / 1000).saturating_mul(1000)
    }
}

/// What the bus told: lanes look at once when jobs were enqueued, slots ask for their job when some were cancelled.
#[derive(Default)]
struct Told {
    heavy: Notify,
    light: Notify,
    transfer: Notify,
    cancelled: Notify,
}

/// How often an idle lane looks for work that nobody told of.
const POLL_MIN: Duration = Duration::from_millis(500);
const POLL_MAX: Duration = Duration::from_secs(2);
/// The same while the bus tells: jobs whose time comes, or whose worker died, are found so.
const POLL_TOLD: Duration = Duration::from_secs(5);

/// What a worker tells of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    pub version: String,
    pub cores: usize,
    pub memory_bytes: u64,
    /// Codecs that it can encode: `h264`, `aac`…
    pub codecs: Vec<String>,
    /// Encoders in hardware that it can use now: `h264_nvenc`, `hevc_nvenc:10`…
    pub encoders: Vec<String>,
}

/// Asked at every sign of life, since devices may fail.
pub type Telling = Arc<dyn Fn() -> About + Send + Sync>;

/// A worker, ready to [`run`](Worker::run).
pub struct Worker {
    shared: Arc<Shared>,
}

struct Shared {
    store: Store,
    clock: Clock,
    handlers: Handlers,
    config: Config,
    bus: Bus,
    told: Told,
    name: String,
    about: Telling,
}

impl Worker {
    pub fn new(store: Store, clock: Clock, handlers: Handlers, config: Config, bus: Bus) -> Self {
        Self::known(store, clock, handlers, config, bus, Arc::new(About::default))
    }

    /// A worker that operators know something about.
    pub fn known(
        store: Store,
        clock: Clock,
        handlers: Handlers,
        config: Config,
        bus: Bus,
        about: Telling,
    ) -> Self {
        let name =
            if config.name.is_empty() { uuid::Uuid::now_v7().to_string() } else { config.name.clone() };
        let told = Told::default();
        Self { shared: Arc::new(Shared { store, clock, handlers, config, bus, told, name, about }) }
    }

    /// Works until `shutdown`, then drains: handlers are told to stop, and jobs that they had not finished go back to the
    /// queue without counting the attempt.
    pub async fn run(self, shutdown: CancellationToken) {
        let shared = &self.shared;
        if !shared.config.name.is_empty() {
            shared.renounce().await;
        }
        // Titles are planned by what workers tell.
        upkeep::introduce(shared).await;
        let heavy = lane(shared, Lane::Heavy, shared.config.slots(), &shared.told.heavy, &shutdown);
        let light =
            lane(shared, Lane::Light, shared.config.light_slots.max(1), &shared.told.light, &shutdown);
        let transfer = lane(
            shared,
            Lane::Transfer,
            shared.config.transfer_slots.max(1),
            &shared.told.transfer,
            &shutdown,
        );
        tokio::select! {
            _ = async { tokio::join!(heavy, light, transfer) } => {}
            never = upkeep::run(shared) => { let _: Infallible = never; }
            never = shared.listen() => { let _: Infallible = never; }
        }
        upkeep::leave(shared).await;
    }
}

impl Shared {
    async fn listen(&self) -> Infallible {
        let mut jobs = self.bus.subscribe(Topic::Jobs).await;
        let mut cancelled = self.bus.subscribe(Topic::Cancelled).await;
        loop {
            tokio::select! {
                Heard::Message(_) | Heard::Gap = jobs.next() => {
                    self.told.heavy.notify_one();
                    self.told.light.notify_one();
                    self.told.transfer.notify_one();
                }
                Heard::Message(_) | Heard::Gap = cancelled.next() => self.told.cancelled.notify_waiters(),
            }
        }
    }

    async fn renounce(&self) {
        let renounced = async {
            let mut tx = self.store.begin().await?;
            let leases = jobs::renounce(&mut tx, &self.name).await?;
            tx.commit().await?;
            Ok::<_, store::Error>(leases)
        };
        match renounced.await {
            Ok(0) => {}
            Ok(leases) => tracing::info!(
                leases,
                worker = self.name,
                "took over from a process of the same name that died"
            ),
            Err(error) => tracing::warn!(%error, "leases of an earlier process stay until they run out"),
        }
    }

    /// The next job among `kinds`, after jobs of dead workers were put back.
    async fn claim(&self, lane: Lane, kinds: &[&str]) -> store::Result<Option<jobs::Claim>> {
        let now = self.clock.now();
        let mut reader = self.store.reader().await?;
        if !jobs::claimable(&mut reader, &self.name, kinds, now).await? {
            return Ok(None);
        }
        let (any, long) = workers::may_work(&mut reader, &self.name).await?;
        drop(reader);
        if !any || (lane == Lane::Heavy && !long) {
            return Ok(None);
        }
        self.reap(kinds, now).await?;
        let mut tx = self.store.begin().await?;
        let claim = jobs::claim(&mut tx, &self.name, kinds, now, self.config.lease()).await?;
        tx.commit().await?;
        Ok(claim)
    }

    async fn reap(&self, kinds: &[&str], now: Micros) -> store::Result<()> {
        let mut tx = self.store.begin().await?;
        let reaped = jobs::reap(&mut tx, kinds, now).await?;
        let failures: Vec<Failure> = reaped.into_iter().map(|reaped| Failure::death(reaped, now)).collect();
        let mut told = Ok(());
        for failure in &failures {
            tracing::warn!(job = failure.claim.id, kind = failure.claim.kind, outcome = ?failure.outcome, "{}", failure.message);
            metrics::counter!("kinora_job_attempts_total", "kind" => failure.claim.kind.clone(), "outcome" => "died").increment(1);
            if told.is_ok() {
                told = self.handlers.tell(&mut tx, failure).await;
            }
        }
        match told {
            Ok(()) => tx.commit().await,
            Err(error) if error.is_transient() => Err(error),
            // One title whose failure cannot be recorded must not keep the jobs of all others from being taken over.
            Err(error) => {
                tracing::error!(%error, "a failed job could not be reported to its title");
                drop(tx);
                let mut tx = self.store.begin().await?;
                jobs::reap(&mut tx, kinds, now).await?;
                tx.commit().await
            }
        }
    }
}

/// Runs jobs of `kinds`, up to `slots` at a time, until `shutdown`; returns when the last handler has ended.
async fn lane(shared: &Arc<Shared>, lane: Lane, slots: usize, wake: &Notify, shutdown: &CancellationToken) {
    let kinds = shared.handlers.kinds(lane);
    if kinds.is_empty() {
        return;
    }
    let mut running = JoinSet::new();
    let mut pause = POLL_MIN;
    while !shutdown.is_cancelled() {
        if running.len() < slots {
            match shared.claim(lane, &kinds).await {
                Ok(Some(claim)) => {
                    running.spawn(slot::run(shared.clone(), claim, shutdown.clone()));
                    pause = POLL_MIN;
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "no jobs can be claimed");
                    pause = POLL_MAX;
                }
            }
        }
        let free = running.len() < slots;
        tokio::select! {
            () = shutdown.cancelled() => {}
            Some(ended) = running.join_next() => {
                // A slot catches its handler's panics; one of its own is a bug that must not pass in silence.
                if let Err(error) = ended {
                    tracing::error!(%error, "a worker slot broke; its job returns when the lease runs out");
                }
                pause = POLL_MIN;
            }
            () = wake.notified(), if free => pause = POLL_MIN,
            () = time::sleep(pause), if free => {
                let longest = if shared.bus.reaches_others() { POLL_TOLD } else { POLL_MAX };
                pause = (pause * 2).min(longest);
            }
        }
    }
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a worker slot broke while draining");
        }
    }
}
