//! The blob façade: everything that is stored as an object (masters, tracks, descriptors, pictures), on a local
//! directory or on an S3-compatible service.
//!
//! Objects are immutable once they are written, apart from the few that [`Blobs::put`] replaces as a whole. Every write
//! is atomic (a reader sees all of it or nothing) and durable when the call returns.

mod error;
mod local;
mod local_upload;
pub mod names;
mod s3;
mod s3_upload;
mod staged;

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use domain::Micros;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};

pub use error::{Error, Result};
pub use staged::{Appender, Staged, part_size};

/// Where objects are stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `file:DIR` or `s3://bucket` or `s3://bucket/prefix`.
    pub url: String,
    pub s3: S3,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: "file:blobs".into(), s3: S3::default() }
    }
}

/// How to reach an S3-compatible service. Keys left out come from the instance's role (AWS metadata service).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct S3 {
    /// Address of the service; left out: AWS in `region`.
    pub endpoint: Option<String>,
    pub region: String,
    pub access_key_id: Option<String>,
    /// Never written out again, neither by `Debug` nor by serialisation.
    #[serde(skip_serializing)]
    pub secret_access_key: Option<String>,
    /// Allow `http:` endpoints: for services on this machine or in a private network.
    pub allow_http: bool,
}

impl Default for S3 {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: "us-east-1".into(),
            access_key_id: None,
            secret_access_key: None,
            allow_http: false,
        }
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &self.secret_access_key.as_ref().map(|_| "…"))
            .field("allow_http", &self.allow_http)
            .finish()
    }
}

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
pub struct Blobs(Engine);

#[derive(Debug, Clone)]
enum Engine {
    Local(local::Local),
    S3(s3::S3Store),
}

/// Runs the same call on whichever engine is configured.
macro_rules! on {
    ($self:expr, $engine:ident => $call:expr) => {
        match &$self.0 {
            Engine::Local($engine) => $call,
            Engine::S3($engine) => $call,
        }
    };
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
        } else if let Some(rest) = config.url.strip_prefix("s3://") {
            Engine::S3(s3::S3Store::open(rest, &config.s3)?)
        } else {
            return Err(Error::other(&config.url, "blob.url must start with file: or s3://"));
        };
        Ok(Self(engine))
    }

    /// Stores a whole object, replacing what was there.
    pub async fn put(&self, object: &str, bytes: Bytes) -> Result<()> {
        names::check(object)?;
        on!(self, engine => engine.put(object, bytes).await)
    }

    /// Stores a whole object unless one of that name is there: then [`Error::Exists`].
    pub async fn put_new(&self, object: &str, bytes: Bytes) -> Result<()> {
        names::check(object)?;
        on!(self, engine => engine.put_new(object, bytes).await)
    }

    /// Stores a local file as an object and gives its size. The file may be gone afterwards: a store on the same file
    /// system takes it over by renaming it.
    pub async fn put_file(&self, object: &str, path: &Path) -> Result<u64> {
        names::check(object)?;
        on!(self, engine => engine.put_file(object, path).await)
    }

    /// A whole object. Only for those known to be small.
    pub async fn get(&self, object: &str) -> Result<Bytes> {
        names::check(object)?;
        on!(self, engine => engine.get(object).await)
    }

    /// The bytes of `range`, which must lie within the object.
    pub async fn range(&self, object: &str, range: Range<u64>) -> Result<Bytes> {
        names::check(object)?;
        if range.start >= range.end {
            return Ok(Bytes::new());
        }
        let wanted = range.end - range.start;
        let bytes = on!(self, engine => engine.range(object, range.clone()).await)?;
        if bytes.len() as u64 != wanted {
            return Err(out_of_range(object, &range));
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
        on!(self, engine => engine.stream(object, range).await)
    }

    pub async fn head(&self, object: &str) -> Result<Meta> {
        names::check(object)?;
        on!(self, engine => engine.head(object).await)
    }

    /// All objects below the folder `prefix`, by name. Unfinished objects are not listed.
    pub async fn list(&self, prefix: &str) -> Result<Vec<Entry>> {
        let folder = names::check_prefix(prefix)?;
        let mut found = on!(self, engine => engine.list(folder).await)?;
        found.sort_unstable_by(|a, b| a.object.cmp(&b.object));
        Ok(found)
    }

    /// Removes an object; one that is missing is fine.
    pub async fn delete(&self, object: &str) -> Result<()> {
        names::check(object)?;
        on!(self, engine => engine.delete(object).await)
    }

    /// Removes all objects below the folder `prefix` and gives their number.
    pub async fn delete_prefix(&self, prefix: &str) -> Result<u64> {
        let folder = names::check_prefix(prefix)?;
        if folder.is_empty() {
            return Err(Error::other("", "will not delete the whole store"));
        }
        on!(self, engine => engine.delete_prefix(folder).await)
    }

    /// Where the object lies as a file, when the store is a local directory. The file may not exist.
    pub fn local_path(&self, object: &str) -> Option<PathBuf> {
        names::check(object).ok()?;
        match &self.0 {
            Engine::Local(local) => Some(local.path(object)),
            Engine::S3(_) => None,
        }
    }
}

fn out_of_range(object: &str, range: &Range<u64>) -> Error {
    Error::other(object, format!("bytes {}..{} are not within the object", range.start, range.end))
}
