//! The blob façade: everything that is stored as an object (masters, tracks, descriptors, pictures), on a local
//! directory or in a storage service (S3-compatible, Google Cloud Storage, Azure).
//!
//! Objects are immutable once they are written, apart from the few that [`Blobs::put`] replaces as a whole. Every write
//! is atomic (a reader sees all of it or nothing) and durable when the call returns. With a key configured, objects are
//! encrypted before they reach the directory or the service (see `sealed`); callers do not notice, apart from
//! [`Blobs::local_path`] and [`Blobs::local_file`].

mod config;
mod engine;
mod error;
mod local;
mod local_upload;
pub mod names;
mod sealed;
mod service;
mod staged;

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use domain::{Micros, PresentationId};
use futures::stream::BoxStream;

use engine::Engine;
use sealed::Vault;
pub(crate) use service::Service;

pub use config::{Azure, Config, Gcs, S3, Secret};
pub use error::{Error, Result};
pub use sealed::key_id;
pub use staged::{Appender, Staged, part_size};

/// What is known of an object without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    pub size: u64,
}

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub object: String,
    pub size: u64,
    pub modified: Micros,
}

/// The object store. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs {
    engine: Engine,
    /// Set when any key is configured.
    vault: Option<Vault>,
}

impl Blobs {
    /// Opens the configured store. A local directory is created when it is missing; a service is not contacted yet.
    pub fn open(config: &Config) -> Result<Self> {
        let engine = if let Some(dir) = config.url.strip_prefix("file:") {
            let dir = dir.strip_prefix("//").unwrap_or(dir);
            if dir.is_empty() {
                return Err(Error::other(
                    &config.url,
                    "blob.url lacks a directory, for example file:data/blobs",
                ));
            }
            Engine::Local(local::Local::open(Path::new(dir))?)
        } else if let Some(service) = Service::open(config)? {
            Engine::Service(service)
        } else {
            return Err(Error::other(&config.url, "blob.url must start with file:, s3://, gs:// or az://"));
        };
        Ok(Self { engine, vault: Vault::open(config)? })
    }

    /// The vault, when new objects are to be encrypted.
    fn sealing(&self) -> Option<&Vault> {
        self.vault.as_ref().filter(|vault| vault.seals())
    }

    /// What is remembered of the object is outdated.
    fn changed(&self, object: &str) {
        if let Some(vault) = &self.vault {
            vault.forget(object);
        }
    }

    /// Stores a whole object, replacing what was there.
    pub async fn put(&self, object: &str, bytes: Bytes) -> Result<()> {
        names::check(object)?;
        let bytes = match self.sealing() {
            None => bytes,
            Some(vault) => vault.seal(object, bytes).await?,
        };
        let put = self.engine.put(object, bytes).await;
        self.changed(object);
        put
    }

    /// Stores a whole object unless one of that name is there: then [`Error::Exists`].
    pub async fn put_new(&self, object: &str, bytes: Bytes) -> Result<()> {
        names::check(object)?;
        let bytes = match self.sealing() {
            None => bytes,
            Some(vault) => vault.seal(object, bytes).await?,
        };
        self.engine.put_new(object, bytes).await
    }

    /// Stores a local file as an object and gives its size. The file may be gone afterwards: a store on the same file
    /// system takes it over by renaming it, unless it encrypts.
    pub async fn put_file(&self, object: &str, path: &Path) -> Result<u64> {
        names::check(object)?;
        let put = match self.sealing() {
            None => self.engine.put_file(object, path).await,
            Some(vault) => vault.put_file(&self.engine, object, path).await,
        };
        self.changed(object);
        put
    }

    /// A whole object. Only for those known to be small.
    pub async fn get(&self, object: &str) -> Result<Bytes> {
        names::check(object)?;
        let bytes = self.engine.get(object).await?;
        match &self.vault {
            None => sealed::refuse(object, &bytes).map(|()| bytes),
            Some(vault) => vault.unseal(object, bytes).await,
        }
    }

    /// The bytes of `range`, which must lie within the object.
    pub async fn range(&self, object: &str, range: Range<u64>) -> Result<Bytes> {
        names::check(object)?;
        if range.start >= range.end {
            return Ok(Bytes::new());
        }
        if let Some(vault) = &self.vault {
            return vault.range(&self.engine, object, range).await;
        }
        // Bytes from within an encrypted object look like any others. A look at its beginning costs next to nothing on a
        // local directory, but a request in a service.
        if let (1.., Engine::Local(local)) = (range.start, &self.engine) {
            let (bytes, head) = local.range_and_head(object, range.clone(), sealed::TELLS).await?;
            sealed::refuse(object, &head)?;
            return if bytes.len() as u64 == range.end - range.start {
                Ok(bytes)
            } else {
                Err(out_of_range(object, &range))
            };
        }
        let from = range.start;
        let bytes = self.engine.range(object, range).await?;
        if from == 0 {
            sealed::refuse(object, &bytes)?;
        }
        Ok(bytes)
    }

    /// The object's bytes, or those of `range`, which must lie within it, piece by piece.
    pub async fn stream(
        &self,
        object: &str,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        names::check(object)?;
        if let Some(vault) = &self.vault {
            return vault.stream(&self.engine, object, range).await;
        }
        let whole = range.as_ref().is_none_or(|range| range.start == 0);
        if let (false, Engine::Local(local)) = (whole, &self.engine) {
            let (_, head) = local.range_and_head(object, 0..0, sealed::TELLS).await?;
            sealed::refuse(object, &head)?;
        }
        let pieces = self.engine.stream(object, range).await?;
        Ok(if whole { sealed::refuse_stream(object, pieces) } else { pieces })
    }

    pub async fn head(&self, object: &str) -> Result<Meta> {
        names::check(object)?;
        match &self.vault {
            None => self.engine.head(object).await,
            Some(vault) => vault.head(&self.engine, object).await,
        }
    }

    /// All objects below the folder `prefix`, by name. Unfinished objects are not listed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let folder = names::check_prefix(prefix)?;
        let mut found = self.engine.list(folder).await?;
        if let Some(vault) = &self.vault {
            found = vault.measure(&self.engine, found).await?;
        }
        found.sort_unstable_by(|a, b| a.object.cmp(&b.object));
        Ok(found)
    }

    /// Stores the bytes of `from`, which is small, under a name that nothing else has. A directory gives the file a second name, a service
    /// copies on its own side; what may be encrypted goes through here, since each object's key is bound to its name.
    pub async fn copy(&self, from: &str, to: &str) -> Result<()> {
        names::check(from)?;
        names::check(to)?;
        if self.vault.is_some() {
            return self.put(to, self.get(from).await?).await;
        }
        self.engine.copy(from, to).await
    }

    /// The newest descriptor of a presentation, with its version; `None` when there is none.
    pub async fn newest_descriptor(&self, id: PresentationId) -> Result<Option<(u64, Bytes)>> {
        let mut pruned = false;
        loop {
            let listed = self.list(&names::descriptors(id)).await?.into_iter();
            let versions =
                listed.filter_map(|entry| Some((names::descriptor_version(&entry.object)?, entry.object)));
            let Some((version, object)) = versions.max() else { return Ok(None) };
            match self.get(&object).await {
                // Between listing and reading: a newer one is there, or the presentation is gone.
                Err(Error::NotFound(_)) if !pruned => pruned = true,
                other => return other.map(|bytes| Some((version, bytes))),
            }
        }
    }

    /// Removes an object; one that is missing is fine.
    pub async fn delete(&self, object: &str) -> Result<()> {
        names::check(object)?;
        self.changed(object);
        self.engine.delete(object).await
    }

    /// Removes all objects below the folder `prefix` and gives their number.
    pub async fn delete_prefix(&self, prefix: &str) -> Result<u64> {
        let folder = names::check_prefix(prefix)?;
        if folder.is_empty() {
            return Err(Error::other("", "will not delete the whole store"));
        }
        self.engine.delete_prefix(folder).await
    }

    /// The directory that everything lies in, when the store is one.
    pub fn directory(&self) -> Option<&Path> {
        match &self.engine {
            Engine::Local(local) => Some(local.root()),
            Engine::Service(_) => None,
        }
    }

    /// Where the object lies as a file that holds its bytes, when the store is a local directory without encryption. The
    /// file may not exist.
    pub fn local_path(&self, object: &str) -> Option<PathBuf> {
        names::check(object).ok()?;
        match (&self.engine, &self.vault) {
            (Engine::Local(local), None) => Some(local.path(object)),
            _ => None,
        }
    }

    /// The same for an object that is there, for programs that open it in place. An encrypted object, whose key is therefore
    /// missing, is an error that names the key.
    pub async fn local_file(&self, object: &str) -> Result<Option<PathBuf>> {
        let (Some(path), Engine::Local(local)) = (self.local_path(object), &self.engine) else {
            return Ok(None);
        };
        let (_, head) = local.range_and_head(object, 0..0, sealed::TELLS).await?;
        sealed::refuse(object, &head)?;
        Ok(Some(path))
    }
}

fn out_of_range(object: &str, range: &Range<u64>) -> Error {
    Error::other(object, format!("bytes {}..{} are not within the object", range.start, range.end))
}
