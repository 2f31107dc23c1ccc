//! The worker role: a place to work that no other process uses, and the job runner on it.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use app::App;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vod::{
    import::Imports,
    worker::{Wake, Worker},
    workflow::Workflow,
};

use super::{Ended, supervise};
use crate::config::Config;

/// Worker processes that may share one `encoding.work_dir`.
const MAX_NEIGHBOURS: usize = 64;

pub(super) fn start(
    config: &Config,
    app: &App,
    wake: Wake,
    tasks: &mut JoinSet<Ended>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let (lock, place) = claim_place(&config.encoding.work_dir)?;
    let mut encoding = config.encoding.clone();
    encoding.work_dir.clone_from(&place);
    let workflow = Workflow::open(&encoding, app.blobs.clone(), wake.clone()).context("encoding.work_dir")?;
    let mut settings = config.worker.clone();
    if settings.name.is_empty() {
        // The lock makes the place ours alone: who starts here takes the jobs of one that died here back at once.
        settings.name = format!("{}:{}", crate::machine::identity(), place.display());
    }
    let uploads = super::uploads(config, app, &wake, stop);
    let imports = Imports::new(config.import.clone(), uploads).context("the configuration of imports")?;
    let handlers = imports.handlers(workflow.handlers());
    let worker = Worker::new(app.store.clone(), app.clock.clone(), handlers, settings, wake);
    let stop = stop.clone();
    supervise(tasks, "worker", async move {
        worker.run(stop).await;
        drop(lock);
        Ok(())
    });
    Ok(())
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
