//! The cache: what processes share for a while and can do without. So far places: among how many, and by whom, something is held
//! right now, such as the streams of an account.
//!
//! A place ends by itself unless it is renewed. Losing the cache loses who holds what, and nothing else.

mod here;
mod redis;

use std::sync::Arc;

use domain::Micros;
use serde::{Deserialize, Serialize};

/// How processes share what they keep for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A Redis or Valkey server, `redis://user:password@host:6379/0` (`rediss://` with TLS). Empty: this process keeps for
    /// itself.
    pub url: String,
    /// What all names begin with: instances that share a server need one each.
    pub prefix: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: String::new(), prefix: "kinora".into() }
    }
}

/// What goes wrong with a cache.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cache.url: `{0}` is not an address such as redis://127.0.0.1:6379")]
    Address(String),
    #[error("cache.prefix: `{0}` must be letters, digits, `-`, `_` and `.`")]
    Prefix(String),
    /// It may answer later.
    #[error("the cache: {0}")]
    Unavailable(String),
}

pub type Result<T> = std::result::Result<T, Error>;

/// A place that somebody holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Unique within its group.
    pub holder: String,
    /// What its holder said of it.
    pub note: String,
    /// It ends then, unless it is renewed.
    pub until: Micros,
}

/// What came of asking for a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    Yes,
    /// All places are held, by these, oldest end first.
    Full(Vec<Place>),
}

/// The cache. Cheap to clone.
#[derive(Clone)]
pub struct Cache(Arc<Kind>);

enum Kind {
    Here(here::Here),
    Redis(redis::Redis),
}

impl Cache {
    /// Sets the cache up. A server that cannot be reached shows when it is asked.
    pub fn open(config: &Config) -> Result<Self> {
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if config.prefix.is_empty() || !config.prefix.bytes().all(word) {
            return Err(Error::Prefix(config.prefix.clone()));
        }
        if config.url.is_empty() {
            return Ok(Self::in_process());
        }
        Ok(Self(Arc::new(Kind::Redis(redis::Redis::open(config)?))))
    }

    /// A cache that no other process shares.
    pub fn in_process() -> Self {
        Self(Arc::new(Kind::Here(here::Here::default())))
    }

    /// Takes one of the `limit` places of `group` until then; who has one already keeps it, and renews it. Times are the
    /// caller's.
    pub async fn take(&self, group: &str, place: &Place, limit: usize, now: Micros) -> Result<Taken> {
        match &*self.0 {
            Kind::Here(here) => Ok(here.take(group, place, limit, now)),
            Kind::Redis(redis) => redis.take(group, place, limit, now).await,
        }
    }

    /// Keeps a place for longer. `false`: it has ended, or was taken away.
    pub async fn renew(&self, group: &str, holder: &str, now: Micros, until: Micros) -> Result<bool> {
        match &*self.0 {
            Kind::Here(here) => Ok(here.renew(group, holder, now, until)),
            Kind::Redis(redis) => redis.renew(group, holder, now, until).await,
        }
    }

    /// Gives a place back, or takes it away from whoever holds it. `false`: nobody held it.
    pub async fn leave(&self, group: &str, holder: &str) -> Result<bool> {
        match &*self.0 {
            Kind::Here(here) => Ok(here.leave(group, holder)),
            Kind::Redis(redis) => redis.leave(group, holder).await,
        }
    }

    /// Who holds places of `group`, oldest end first.
    pub async fn places(&self, group: &str, now: Micros) -> Result<Vec<Place>> {
        match &*self.0 {
            Kind::Here(here) => Ok(here.places(group, now)),
            Kind::Redis(redis) => redis.places(group, now).await,
        }
    }

    /// Does the server answer?
    pub async fn ping(&self) -> Result<()> {
        match &*self.0 {
            Kind::Here(_) => Ok(()),
            Kind::Redis(redis) => redis.ping().await,
        }
    }

    /// Do other processes share it?
    pub fn is_shared(&self) -> bool {
        matches!(&*self.0, Kind::Redis(_))
    }
}
