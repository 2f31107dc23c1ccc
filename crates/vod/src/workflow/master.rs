//! Getting at a source: in place when the store is a local directory, else fetched once for all jobs of its title.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::Arc,
};

use backends::blob::Blobs;
use domain::SourceId;
use futures::TryStreamExt;
use store::sources::Source;
use tokio::{
    fs,
    io::AsyncWriteExt,
    sync::{Mutex, OnceCell},
};

use super::blob_error;
use crate::worker::JobError;

/// A source as a local file. A fetched one is deleted when nobody holds it any more.
pub(super) struct Master {
    path: PathBuf,
    fetched: Option<u64>,
}

impl Master {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        if self.fetched.is_some() {
            // Left-overs go when the worker starts again.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

type Cell = Arc<OnceCell<Arc<Master>>>;

pub(super) struct Masters {
    blobs: Blobs,
    dir: PathBuf,
    /// Most bytes of fetched sources that are kept between jobs.
    most: u64,
    /// Least recently used first.
    kept: Mutex<VecDeque<(SourceId, Cell)>>,
}

impl Masters {
    pub(super) fn new(blobs: Blobs, dir: PathBuf, most: u64) -> std::io::Result<Self> {
        std::fs::create_dir_all(&dir)?;
        Ok(Self { blobs, dir, most, kept: Mutex::default() })
    }

    /// The source as a file; several jobs that ask at once wait for one fetch.
    pub(super) async fn open(&self, source: &Source) -> Result<Arc<Master>, JobError> {
        if let [part] = source.parts.0.as_slice()
            && let Some(path) = self.blobs.local_file(&part.object).await.map_err(blob_error)?
        {
            return Ok(Arc::new(Master { path, fetched: None }));
        }
        let cell = self.cell(source).await;
        cell.get_or_try_init(|| self.fetch(source)).await.cloned()
    }

    /// The place of a source in the cache, most recently used; older ones go when there is no room.
    async fn cell(&self, source: &Source) -> Cell {
        let mut kept = self.kept.lock().await;
        let found = kept.iter().position(|(id, _)| *id == source.id).and_then(|at| kept.remove(at));
        let cell = found.map_or_else(Cell::default, |(_, cell)| cell);
        kept.push_back((source.id, cell.clone()));
        let size = |cell: &Cell| cell.get().and_then(|master| master.fetched).unwrap_or(0);
        let mut sum = kept.iter().map(|(_, cell)| size(cell)).sum::<u64>();
        if cell.get().is_none() {
            sum += source.size.unsigned_abs();
        }
        while sum > self.most && kept.len() > 1 {
            let Some((_, oldest)) = kept.pop_front() else { break };
            sum = sum.saturating_sub(size(&oldest));
        }
        cell
    }

    async fn fetch(&self, source: &Source) -> Result<Arc<Master>, JobError> {
        let path = self.dir.join(format!("{}-{}", source.id, uuid::Uuid::now_v7().simple()));
        // Dropped, and the file with it, when fetching fails or is stopped.
        let master = Arc::new(Master { path: path.clone(), fetched: Some(source.size.unsigned_abs()) });
        let full = |error| JobError::retry("There is no room for the source to work on.", error);
        let mut file = fs::File::create(&path).await.map_err(full)?;
        for part in &source.parts.0 {
            let mut stream = self.blobs.stream(&part.object, None).await.map_err(blob_error)?;
            while let Some(piece) = stream.try_next().await.map_err(blob_error)? {
                file.write_all(&piece).await.map_err(full)?;
            }
        }
        file.flush().await.map_err(full)?;
        Ok(master)
    }
}
