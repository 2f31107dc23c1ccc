//! Starts the roles of a process, watches over their tasks, and stops them in order.

mod delivery;
mod listening;
mod live;
mod worker;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context, bail};
use app::{
    App,
    control::{Place, Places},
    state::Engines,
};

use backends::{blob::Blobs, bus::Bus, cache::Cache, clock::Clock, geo::Geo};
use edge::Lanes;
use insights::Insights;
use store::Store;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vod::{import::Imports, upload::Uploads};

use self::listening::Listening;
use crate::{
    config::{Config, Role},
    handover::{self, Taken},
    http::{self, health::Health, throttle::Throttle},
    machine, maintenance, private,
    router::{self, Faces},
};

/// A running process.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it listens to TLS, and to QUIC on the same port.
    pub tls_address: Option<SocketAddr>,
    pub blobs: Blobs,
    draining: Draining,
    tasks: JoinSet<Ended>,
    store: Option<Store>,
    insights: Option<Insights>,
}

/// What the end of a process begins with.
#[derive(Clone)]
struct Draining {
    health: Health,
    app: Option<App>,
    stop: CancellationToken,
}

/// Which task ended, and how.
type Ended = (&'static str, anyhow::Result<()>);

/// Starts everything that `config` asks for. Gives back when requests are accepted.
pub async fn start(config: Config, clock: Clock) -> anyhow::Result<Server> {
    start_after(None, config, clock).await
}

/// The same in the place of a process that is still there. It goes when requests are accepted here.
pub async fn start_after(taken: Option<Taken>, mut config: Config, clock: Clock) -> anyhow::Result<Server> {
    live::settle(&mut config);
    http::metrics::install();
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    private::directory(&config.data_dir)
        .with_context(|| format!("the data directory {}", config.data_dir.display()))?;
    let blobs = Blobs::open(&config.blob).context("blob")?;
    let store = if config.needs_store() { Some(open_store(&config, &mut tasks, &stop).await?) } else { None };
    let health = Health {
        store: store.clone(),
        blobs: blobs.clone(),
        roles: Arc::new(
            config.roles.iter().map(|role| (role.word(), AtomicBool::new(false))).collect::<BTreeMap<_, _>>(),
        ),
        draining: Arc::new(AtomicBool::new(false)),
    };
    let mut faces = Faces::new(health.clone(), config.http.trusted_proxies.clone(), config.metrics.clone());
    let bus = Bus::open(&config.bus).await?;
    let (mut the_app, mut events) = (None, None);
    if let Some(store) = &store {
        store.announce(bus.announcer());
        let cache = Cache::open(&config.cache)?;
        let app = start_app(&config, store, &blobs, &bus, cache.clone(), &clock).await?;
        if config.roles.contains(&Role::Api) {
            let insights = start_insights(&config, &app, &mut tasks, &stop).await?;
            faces.insights = Some(insights.clone());
            start_api(&config, &app, &bus, insights, &mut faces, &mut tasks, &stop)?;
        }
        if config.roles.contains(&Role::Worker) {
            worker::start(&config, &app, &bus, &mut tasks, &stop)?;
        }
        if config.roles.contains(&Role::Live) {
            events = Some(live::start(&config, &app, (&bus, &cache), &mut tasks, &stop).await?);
        }
        the_app = Some(app);
    }
    let engines = (&blobs, &clock, &bus);
    let edge = delivery::start(&config, engines, events, &mut faces, &mut tasks, &stop).await?;
    let lanes = edge.as_ref().map(|edge| Lanes::start(edge, &stop)).transpose()?;
    let insights = faces.insights.clone();
    let draining = Draining { health: health.clone(), app: the_app.clone(), stop: stop.clone() };
    let listening = Listening { config: &config, router: router::router(faces), lanes, taken, draining };
    let (address, tls_address) = listening.start(edge, &mut tasks).await?;
    let measuring = maintenance::measure(stop.clone());
    supervise(&mut tasks, "metrics", async move {
        measuring.await;
        Ok(())
    });
    for running in health.roles.values() {
        running.store(true, Ordering::Relaxed);
    }
    let draining = Draining { health, app: the_app, stop };
    Ok(Server { address, tls_address, blobs, draining, tasks, store, insights })
}

/// The application on an opened store, as the API and the command line use it.
pub async fn start_app(
    config: &Config,
    store: &Store,
    blobs: &Blobs,
    bus: &Bus,
    cache: Cache,
    clock: &Clock,
) -> anyhow::Result<App> {
    let limits = app::state::Limits {
        max_upload_bytes: config.upload.max_bytes,
        upload_chunk_bytes: config.upload.chunk_bytes,
        ladder: config.encoding.ladder.clone(),
        ingest: live::ports(config),
    };
    let geo = config.geo.clone();
    let geo = tokio::task::spawn_blocking(move || Geo::open(&geo)).await??;
    let (store, blobs, bus, clock) = (store.clone(), blobs.clone(), bus.clone(), clock.clone());
    let places = places(config, &blobs);
    let engines = Engines { store, blobs, bus, cache, clock, geo };
    Ok(App::start(config.app.clone(), limits, engines, places).await?)
}

/// The directories of this machine that can become full.
fn places(config: &Config, blobs: &Blobs) -> Places {
    let mut places = Vec::new();
    if let Some(dir) = blobs.directory() {
        places.push((Place::Objects, dir.to_owned()));
    }
    if let Some(dir) = config.sqlite_path().and_then(Path::parent) {
        let here = dir.as_os_str().is_empty();
        places.push((Place::Database, if here { ".".into() } else { dir.to_owned() }));
    }
    if config.roles.contains(&Role::Worker) {
        places.push((Place::Work, config.encoding.work_dir.clone()));
    }
    Places(places)
}

async fn open_store(
    config: &Config,
    tasks: &mut JoinSet<Ended>,
    stop: &CancellationToken,
) -> anyhow::Result<Store> {
    if let Some(path) = config.sqlite_path() {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            private::directory(parent).with_context(|| format!("{}", parent.display()))?;
        }
        private::file(path).with_context(|| format!("{}", path.display()))?;
        let claim = machine::claim(path)?;
        let stop = stop.clone();
        supervise(tasks, "machine", async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(machine::BEAT) => {}
                }
                let claim = claim.clone();
                if let Err(error) = tokio::task::spawn_blocking(move || claim.beat()).await? {
                    tracing::warn!(%error, "the claim on the database could not be renewed");
                }
            }
        });
    }
    Ok(Store::connect(&config.database).await?)
}

fn start_api(
    config: &Config,
    app: &App,
    bus: &Bus,
    insights: Insights,
    faces: &mut Faces,
    tasks: &mut JoinSet<Ended>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let uploads = uploads(config, app, stop);
    faces.app = Some(app.clone());
    let (accounts, visitors) =
        (config.http.account_requests_per_minute, config.http.visitor_requests_per_minute);
    faces.throttle = Some(Throttle::new(accounts, visitors, app.clock.clone()));
    faces.uploads = Some(uploads.clone());
    faces.imports =
        Some(Imports::new(config.import.clone(), uploads.clone()).context("the configuration of imports")?);
    let (watching, heard, stopped) = (app.clone(), bus.clone(), stop.clone());
    supervise(tasks, "live views", async move {
        app::catalog::watch(watching, heard, stopped).await;
        Ok(())
    });
    let (told, heard, stopped) = (app.clone(), bus.clone(), stop.clone());
    supervise(tasks, "news of edges", async move {
        app::control::edges::listen(told, heard, stopped).await;
        Ok(())
    });
    let (told, heard, stopped) = (app.clone(), bus.clone(), stop.clone());
    supervise(tasks, "news of live events", async move {
        app::events::listen(told, heard, stopped).await;
        Ok(())
    });
    let (maintained, stopped) = (app.clone(), stop.clone());
    supervise(tasks, "maintenance", async move {
        maintenance::run(maintained, uploads, insights, stopped).await;
        Ok(())
    });
    Ok(())
}

/// What takes beats, and stores what they sum up to.
async fn start_insights(
    config: &Config,
    app: &App,
    tasks: &mut JoinSet<Ended>,
    stop: &CancellationToken,
) -> anyhow::Result<Insights> {
    let dir = config.data_dir.join("beats");
    let (store, clock) = (app.store.clone(), app.clock.clone());
    let insights = Insights::start(config.insights.clone(), &dir, store, clock, app.token_checker()).await?;
    let (storing, stopped) = (insights.clone(), stop.clone());
    supervise(tasks, "figures of playbacks", async move {
        storing.run(stopped).await;
        Ok(())
    });
    Ok(insights)
}

/// What takes files in, for the API and for workers that fetch.
fn uploads(config: &Config, app: &App, stop: &CancellationToken) -> Uploads {
    let (store, blobs, clock) = (app.store.clone(), app.blobs.clone(), app.clock.clone());
    Uploads::new(config.upload.clone(), store, blobs, clock, stop.clone())
}

/// Adds a task whose end before `stop` ends the process.
fn supervise(
    tasks: &mut JoinSet<Ended>,
    name: &'static str,
    task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
) {
    tasks.spawn(async move { (name, task.await) });
}

impl Server {
    /// In processes with the role `api` or `worker`.
    pub fn app(&self) -> Option<&App> {
        self.draining.app.as_ref()
    }

    /// Asks the process to stop: no new connections, requests under way may finish, jobs go back to the queue.
    pub fn stop(&self) {
        self.draining.begin();
    }

    /// Waits for the end. An error when a task ended that should not have.
    pub async fn wait(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        while let Some(ended) = self.tasks.join_next().await {
            let failure = match ended {
                Ok((_, Ok(()))) if self.draining.stop.is_cancelled() => continue,
                Ok((name, Ok(()))) => format!("the task `{name}` ended by itself"),
                Ok((name, Err(error))) => format!("the task `{name}` failed: {error:#}"),
                Err(error) => format!("a task died: {error}"),
            };
            tracing::error!("{failure}; stopping");
            if outcome.is_ok() {
                outcome = Err(anyhow::anyhow!(failure));
            }
            self.draining.begin();
        }
        if let Some(insights) = &self.insights {
            insights.finish().await;
        }
        if let Some(store) = &self.store {
            store.close().await;
        }
        outcome
    }

    /// Waits for the end, or for SIGTERM or Ctrl-C, which begin it.
    pub async fn run(self) -> anyhow::Result<()> {
        let draining = self.draining.clone();
        let signals = tokio::spawn(async move {
            match signal().await {
                Ok(name) => {
                    tracing::info!("{name}: finishing requests, giving jobs back");
                    draining.begin();
                }
                Err(error) => tracing::error!(%error, "signals cannot be received"),
            }
        });
        let outcome = self.wait().await;
        signals.abort();
        outcome
    }
}

impl Draining {
    fn begin(&self) {
        self.health.draining.store(true, Ordering::Relaxed);
        if let Some(app) = &self.app {
            app.changes.close();
        }
        self.stop.cancel();
    }
}

async fn signal() -> anyhow::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hangup = signal(SignalKind::hangup())?;
    loop {
        tokio::select! {
            _ = terminate.recv() => return Ok("SIGTERM"),
            _ = interrupt.recv() => return Ok("interrupt"),
            heard = hangup.recv() => match heard {
                Some(()) => handover::beget(),
                None => bail!("the signal streams ended"),
            },
        }
    }
}
