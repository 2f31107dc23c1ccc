//! Import from a link: a worker fetches the file, and what it fetched goes the way of an upload.
//!
//! The bytes are staged as those of an upload are, so that a fetch goes on after a lost connection or a restart where the
//! server there can tell that the file is still the same (`Range` with `If-Range`, RFC 9110 §13.1.5, §14.2); else it begins
//! anew. Links into the private network are refused (see [`backends::outbound`]); buckets are those that the operator named.

mod fetch;
mod job;
mod link;
mod pace;
mod routes;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use backends::{
    blob::S3,
    bucket::Bucket,
    outbound::{self, Lookup, Outbound, Policy, Timing},
};
use domain::{Network, Role};
use serde::{Deserialize, Serialize};

use crate::{
    upload::Uploads,
    worker::{Handlers, JobContext},
};

pub use routes::{__path_create, Imported, NewImport, create, routes};

/// What operators may set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// May creators import at all?
    pub enabled: bool,
    /// Networks that may be fetched from although they are not public, such as `10.2.0.0/16`.
    pub allow_networks: Vec<Network>,
    /// Ports that may be asked. Empty: any.
    pub ports: Vec<u16>,
    /// Redirects that are followed.
    pub max_redirects: u32,
    /// Seconds without a byte after which a server is given up.
    pub silence_s: u64,
    /// A server that sends slower than this over [`Config::speed_window_s`] is given up.
    pub min_bytes_per_second: u64,
    /// Seconds over which its speed is measured.
    pub speed_window_s: u64,
    /// Broken connections in a row that are borne before the job rests.
    pub retries: u32,
    /// Pause after a broken connection, milliseconds; doubled with each further one.
    pub retry_pause_ms: u64,
    /// Imports that one person may have under way or waiting.
    pub per_person: u32,
    /// Buckets that `s3://NAME/KEY` links reach, by the name that links call them.
    pub buckets: BTreeMap<String, BucketConfig>,
}

/// A bucket to import from.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BucketConfig {
    /// What the service calls it; left out: as links do.
    pub bucket: Option<String>,
    /// Only keys that begin with this can be imported.
    pub prefix: String,
    /// Who may: everybody with this role or a higher one.
    pub role: Role,
    pub s3: S3,
}

impl Default for BucketConfig {
    fn default() -> Self {
        Self { bucket: None, prefix: String::new(), role: Role::Creator, s3: S3::default() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: true,
            allow_networks: Vec::new(),
            ports: vec![80, 443, 8080, 8443],
            max_redirects: 5,
            silence_s: 30,
            min_bytes_per_second: 10_000,
            speed_window_s: 60,
            retries: 5,
            retry_pause_ms: 1_000,
            per_person: 50,
            buckets: BTreeMap::new(),
        }
    }
}

/// The import service. Cheap to clone.
#[derive(Clone)]
pub struct Imports(Arc<Inner>);

pub struct Inner {
    pub uploads: Uploads,
    pub config: Config,
    outbound: Outbound,
    buckets: BTreeMap<String, Bucket>,
}

impl std::ops::Deref for Imports {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Imports {
    pub fn new(config: Config, uploads: Uploads) -> outbound::Result<Self> {
        Self::with_lookup(config, uploads, outbound::system_lookup())
    }

    /// With a resolver of one's own.
    pub fn with_lookup(config: Config, uploads: Uploads, lookup: Lookup) -> outbound::Result<Self> {
        let policy = Policy { allow: config.allow_networks.clone(), ports: config.ports.clone() };
        let timing = Timing { silence: Duration::from_secs(config.silence_s.max(1)), ..Timing::default() };
        let outbound = Outbound::with_lookup(policy, timing, lookup)?;
        let open = |(name, at): (&String, &BucketConfig)| {
            let bucket = Bucket::open(at.bucket.as_ref().unwrap_or(name), &at.s3)
                .map_err(|error| outbound::Error::Network(format!("import.buckets.{name}: {error}")))?;
            Ok((name.clone(), bucket))
        };
        let buckets = config.buckets.iter().map(open).collect::<outbound::Result<_>>()?;
        Ok(Self(Arc::new(Inner { uploads, config, outbound, buckets })))
    }

    /// Adds the handler of import jobs.
    #[must_use]
    pub fn handlers(&self, handlers: Handlers) -> Handlers {
        let imports = self.clone();
        handlers.transfer("import", move |job: JobContext| {
            let imports = imports.clone();
            async move { job::run(&imports, &job).await }
        })
    }
}
