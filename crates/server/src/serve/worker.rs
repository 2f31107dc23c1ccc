//! The worker role: a place to work that no other process uses, and the job runner on it.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail};
use app::{
    App,
    catalog::schedule,
    playback::narrowed,
    webhooks::{self, Courier},
};
use backends::bus::Bus;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vod::{
    encoders::Encoders,
    import::Imports,
    worker::{About, JobContext, JobError, Telling, Worker},
    workflow::Workflow,
};

use super::{Ended, supervise};
use crate::config::Config;

/// Worker processes that may share one `encoding.work_dir`.
const MAX_NEIGHBOURS: usize = 64;

pub(super) fn start(
    config: &Config,
    app: &App,
    bus: &Bus,
    tasks: &mut JoinSet<Ended>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let (lock, place) = claim_place(&config.encoding.work_dir)?;
    let mut encoding = config.encoding.clone();
    encoding.work_dir.clone_from(&place);
    let mut settings = config.worker.clone();
    if settings.name.is_empty() {
        // The lock makes the place ours alone: who starts here takes the jobs of one that died here back at once.
        settings.name = format!("{}:{}", crate::machine::identity(), place.display());
    }
    let uploads = super::uploads(config, app, stop);
    let imports = Imports::new(config.import.clone(), uploads).context("the configuration of imports")?;
    let courier = Courier::new(app.clone(), &config.webhooks).context("webhooks")?;
    let (told, heard, stopped) = (app.clone(), bus.clone(), stop.clone());
    supervise(tasks, "webhooks", async move {
        webhooks::dispatch(told, heard, stopped).await;
        Ok(())
    });
    let (app, ending, bus, stop) = (app.clone(), app.clone(), bus.clone(), stop.clone());
    supervise(tasks, "worker", async move {
        // Trying encoders takes a while, in which everything else may begin.
        let opened = tokio::select! {
            opened = Workflow::open(&encoding, app.blobs.clone()) => {
                opened.context("encoding.work_dir")?.telling(bus.clone())
            }
            () = stop.cancelled() => return Ok(()),
        };
        let handlers = imports
            .handlers(opened.handlers())
            .light(schedule::JOB, go_public)
            .light(narrowed::JOB, move |job| end_playbacks(ending.clone(), job))
            .light(webhooks::KIND, move |job| deliver(courier.clone(), job));
        let about = about(opened.encoders().clone());
        let worker = Worker::known(app.store.clone(), app.clock.clone(), handlers, settings, bus, about);
        worker.run(stop).await;
        drop(lock);
        Ok(())
    });
    Ok(())
}

/// What the worker tells of itself, now and later.
fn about(encoders: Encoders) -> Telling {
    Arc::new(move || About {
        version: env!("CARGO_PKG_VERSION").into(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes: crate::machine::memory_bytes(),
        codecs: encoders.words().into_iter().map(str::to_owned).collect(),
        encoders: encoders.hardware().words(),
    })
}

/// Fewer people may watch a title than before.
async fn end_playbacks(app: App, job: JobContext) -> Result<(), JobError> {
    let done = app.end_playbacks(job.payload()?).await;
    done.map_err(|error| JobError::retry("Running playbacks could not be ended.", error))?;
    let mut tx = job.store.begin().await?;
    job.finish(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// A scheduled title's time has come.
async fn go_public(job: JobContext) -> Result<(), JobError> {
    let schedule::Payload { video } = job.payload()?;
    let mut tx = job.store.begin().await?;
    // The title before the job, in the order in which an edit locks them.
    schedule::go_public(&mut tx, video, job.now()).await?;
    job.finish(&mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// Runs one job of the courier.
async fn deliver(courier: Courier, job: JobContext) -> Result<(), JobError> {
    let finish = async |tx: &mut store::Tx| job.finish(tx).await;
    match courier.run(&job.claim.subject, &job.claim.payload, finish).await {
        Ok(()) => Ok(()),
        Err(app::Error::Store(error)) => Err(error.into()),
        Err(error) => Err(JobError::retry("A message could not be delivered.", error)),
    }
}

/// A folder under `work_dir` that no other running process works in; it is ours while the lock is held.
fn claim_place(work_dir: &Path) -> anyhow::Result<(File, PathBuf)> {
    for number in 0..MAX_NEIGHBOURS {
        let place = work_dir.join(number.to_string());
        fs::create_dir_all(&place).with_context(|| format!("{} (encoding.work_dir)", place.display()))?;
        let place = fs::canonicalize(place)?;
        let lock = File::create(place.join("lock"))?;
        match lock.try_lock() {
            Ok(()) => return Ok((lock, place)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error).context("locking encoding.work_dir"),
        }
    }
    bail!("{MAX_NEIGHBOURS} worker processes already share {}", work_dir.display())
}
