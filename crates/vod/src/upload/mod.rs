//! Resumable upload by the tus protocol, version 1.0.0 (<https://tus.io/protocols/resumable-upload>): core, creation,
//! creation-with-upload, termination, checksum, expiration, concatenation.
//!
//! An offset that a client is told is durable: bytes are synced (or stored by the object store) first, then noted in the
//! database, then acknowledged. One PATCH at a time writes to an upload; it holds a lease that names its fence.
//!
//! Memory for each upload under way: at most 1 MiB on a local directory and one part in a storage service (8 MiB for files up
//! to 75 GB, 11 MiB for 100 GB, see [`backends::blob::part_size`]), plus what the connection buffers. A body is read no
//! faster than it is stored.

pub(crate) mod accept;
mod checksum;
mod complete;
mod concat;
mod create;
mod error;
mod expire;
mod fingerprint;
mod headers;
pub(crate) mod metadata;
mod mine;
mod receive;
mod routes;
mod session;

use std::{sync::Arc, time::Duration};

use backends::{blob::Blobs, clock::Clock};
use serde::{Deserialize, Serialize};
use store::Store;
use tokio_util::sync::CancellationToken;

pub(crate) use create::{check_quota, gigabytes, target};
pub(crate) use error::{Error, Result};
pub use expire::{Expired, expire};
pub use mine::{__path_mine, UnfinishedUpload, mine};
pub(crate) use receive::{settle_head, take};
pub(crate) use routes::may_upload;
pub use routes::routes;
pub(crate) use session::{Session, wanted};

/// Where uploads live on every server.
pub const PATH: &str = "/api/v1/uploads";

/// What operators may set.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Largest file that is accepted.
    pub max_bytes: u64,
    /// Bytes that one person's originals may take together, unless their account says otherwise. Left out: no limit.
    pub quota_bytes: Option<u64>,
    /// Body size that clients are advised to send files in.
    pub chunk_bytes: u64,
    /// Hours after its last byte that an unfinished upload is forgotten.
    pub expire_hours: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_bytes: 1 << 40, quota_bytes: None, chunk_bytes: 64 << 20, expire_hours: 7 * 24 }
    }
}

/// How long to wait for what. Tests shorten it.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// A body without new bytes for so long ends the request.
    pub silence: Duration,
    /// A body without new bytes for so long lets another writer in, should one come.
    pub suspend: Duration,
    /// A lease that is not renewed for so long (its process died) is free. Renewed after a third of it.
    pub lease: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(60),
            suspend: Duration::from_secs(5),
            lease: Duration::from_secs(15),
        }
    }
}

/// The upload service. Cheap to clone.
#[derive(Clone)]
pub struct Uploads(Arc<Inner>);

pub struct Inner {
    pub store: Store,
    pub blobs: Blobs,
    pub clock: Clock,
    pub config: Config,
    pub timing: Timing,
    /// When cancelled, bodies under way are cut off after their bytes were made durable.
    pub stop: CancellationToken,
}

impl std::ops::Deref for Uploads {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl Uploads {
    pub fn new(config: Config, store: Store, blobs: Blobs, clock: Clock, stop: CancellationToken) -> Self {
        Self::with_timing(config, Timing::default(), store, blobs, clock, stop)
    }

    pub fn with_timing(
        config: Config,
        timing: Timing,
        store: Store,
        blobs: Blobs,
        clock: Clock,
        stop: CancellationToken,
    ) -> Self {
        Self(Arc::new(Inner { store, blobs, clock, config, timing, stop }))
    }

    /// When an upload that got a byte now is forgotten.
    pub(crate) fn expiry(&self) -> domain::Micros {
        self.clock.now().plus(i64::from(self.config.expire_hours) * domain::Micros::HOUR)
    }

    /// When a lease taken now ends.
    fn lease_until(&self) -> domain::Micros {
        self.clock.now().plus(i64::try_from(self.timing.lease.as_micros()).unwrap_or(i64::MAX))
    }
}
