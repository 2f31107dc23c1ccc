//! Getting at a source: in place when the store is a local directory, else fetched once for all jobs of its title.

use std::{
    collections::VecDeque,
    io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use backends::blob::Blobs;
use domain::SourceId;
use futures::TryStreamExt;
use store::sources::Source;
use tokio::{
    fs,
    io::{AsyncSeekExt, AsyncWriteExt},
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

fn full(error: io::Error) -> JobError {
    JobError::retry("There is no room for the source to work on.", error)
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

    /// The source as a file in which only `parts` (`(from, to)` in bytes) are filled in; holes read as zeros. `None` when the
    /// whole one is at hand, or the parts are so much of it that fetching it once for all jobs is better.
    pub(super) async fn open_parts(
        &self,
        source: &Source,
        parts: &[(u64, u64)],
    ) -> Result<Option<Arc<Master>>, JobError> {
        let wanted: u64 = parts.iter().map(|(from, to)| to.saturating_sub(*from)).sum();
        let at_hand = {
            let kept = self.kept.lock().await;
            kept.iter().any(|(id, cell)| *id == source.id && cell.get().is_some())
        };
        let local = matches!(source.parts.0.as_slice(), [part]
            if self.blobs.local_file(&part.object).await.map_err(blob_error)?.is_some());
        if at_hand || local || wanted > source.size.unsigned_abs() / 2 {
            return Ok(None);
        }
        let path = self.dir.join(format!("{}-{}", source.id, uuid::Uuid::now_v7().simple()));
        let master = Arc::new(Master { path: path.clone(), fetched: Some(wanted) });
        let mut file = fs::File::create(&path).await.map_err(full)?;
        file.set_len(source.size.unsigned_abs()).await.map_err(full)?;
        let mut begins = 0;
        for part in &source.parts.0 {
            let ends = begins + part.length;
            for (from, to) in parts {
                let (from, to) = ((*from).max(begins), (*to).min(ends));
                if from < to {
                    file.seek(io::SeekFrom::Start(from)).await.map_err(full)?;
                    self.copy(&part.object, Some(from - begins..to - begins), &mut file).await?;
                }
            }
            begins = ends;
        }
        file.flush().await.map_err(full)?;
        Ok(Some(master))
    }

    async fn copy(&self, object: &str, range: Option<Range<u64>>, to: &mut fs::File) -> Result<(), JobError> {
        let mut stream = self.blobs.stream(object, range).await.map_err(blob_error)?;
        while let Some(piece) = stream.try_next().await.map_err(blob_error)? {
            metrics::counter!("kinora_source_fetched_bytes_total").increment(piece.len() as u64);
            to.write_all(&piece).await.map_err(full)?;
        }
        Ok(())
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
        let mut file = fs::File::create(&path).await.map_err(full)?;
        for part in &source.parts.0 {
            self.copy(&part.object, None, &mut file).await?;
        }
        file.flush().await.map_err(full)?;
        Ok(master)
    }
}
