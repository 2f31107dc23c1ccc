//! What an operator sets.

use std::{path::PathBuf, time::Duration};

use domain::Network;
use serde::{Deserialize, Serialize};

use crate::{freshness::Rules, hours::Hours, upstream::Settings};

/// How much an edge keeps, where from, and what it lets clients do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What this edge calls itself: letters, digits, `-`, `_` and `.`. Empty: the name of its machine.
    pub name: String,
    /// Addresses of origins, or of edges nearer to them. Empty: the origin in this process.
    pub upstreams: Vec<String>,
    /// Addresses or networks of edges that ask this one, a shield: they have looked whether a playback that is for one country or
    /// program may go on.
    pub edges_in_front: Vec<Network>,
    /// Where files are kept. Empty: `edge` in the data directory.
    pub dir: PathBuf,
    /// Threads that serve connections; 0: as many as there are processors.
    pub threads: usize,
    /// Most bytes of small bodies (playlists, init segments) in memory.
    pub memory_bytes: u64,
    /// Most bytes of files, without what is being fetched.
    pub disk_bytes: u64,
    /// Largest body that is kept in memory.
    pub memory_object_bytes: u64,
    /// Largest body that is fetched.
    pub max_object_bytes: u64,
    /// Longest use of "there is nothing" (404, 410), seconds.
    pub negative_seconds: u32,
    /// How long something stale is used while it is asked for again, seconds, where its upstream says nothing of it.
    pub stale_while_revalidate_seconds: u32,
    /// How long something stale is used when no upstream answers, seconds, where its upstream says nothing of it.
    pub stale_if_error_seconds: u32,
    /// How long a client waits for an upstream, milliseconds, when something stale could be used.
    pub stale_after_ms: u32,
    /// How long connecting to an upstream may take, milliseconds.
    pub connect_ms: u32,
    /// How long an upstream's answer may take to begin, milliseconds; requests that wait for live segments included.
    pub head_ms: u32,
    /// Longest silence within an upstream's answer, milliseconds.
    pub idle_ms: u32,
    /// After this the next upstream is asked as well, milliseconds; 0: never.
    pub hedge_ms: u32,
    /// Failures in a row after which an upstream is left out.
    pub upstream_failures: u32,
    /// Most fetches at the same time.
    pub max_fetches: usize,
    /// Least time between two looks for new public keys, milliseconds.
    pub key_refresh_ms: u64,
    pub clients: Clients,
    pub warming: Warming,
}

/// Fetching before anybody asks.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Warming {
    /// Hours, UTC, in which it is done what waits for quiet hours: `["01:00-05:30"]`. None: all are quiet.
    pub hours: Vec<Hours>,
    /// Most bytes in a second that it takes from upstreams; 0: no limit.
    pub bytes_per_second: u64,
}

/// What clients may do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clients {
    /// Most connections of one address (an IPv6 /64); 0: no limit.
    pub connections_per_address: u32,
    /// How long a request's head may take, and how long a connection may stay without one, milliseconds.
    pub head_ms: u32,
    /// Longest time in which a client takes nothing of an answer, milliseconds.
    pub stall_ms: u32,
    /// Slowest taking of an answer, bytes in a second, looked at after the first ten seconds.
    pub min_bytes_per_second: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: String::new(),
            upstreams: Vec::new(),
            edges_in_front: Vec::new(),
            dir: PathBuf::new(),
            threads: 0,
            memory_bytes: 64 << 20,
            disk_bytes: 4 << 30,
            memory_object_bytes: 64 << 10,
            max_object_bytes: 256 << 20,
            negative_seconds: 2,
            stale_while_revalidate_seconds: 0,
            stale_if_error_seconds: 86_400,
            stale_after_ms: 1_000,
            connect_ms: 2_000,
            head_ms: 20_000,
            idle_ms: 15_000,
            hedge_ms: 500,
            upstream_failures: 3,
            max_fetches: 1_024,
            key_refresh_ms: 5_000,
            clients: Clients::default(),
            warming: Warming::default(),
        }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self { connections_per_address: 0, head_ms: 20_000, stall_ms: 20_000, min_bytes_per_second: 1_024 }
    }
}

impl Config {
    /// A token (RFC 8941 §3.3.4) of at most 64 characters.
    pub(crate) fn token(&self) -> String {
        let good = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name: String = self.name.chars().filter(good).take(64).collect();
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if starts { name } else { format!("kinora{}{name}", if name.is_empty() { "" } else { "-" }) }
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            negative_s: self.negative_seconds.into(),
            while_revalidate_s: self.stale_while_revalidate_seconds.into(),
            if_error_s: self.stale_if_error_seconds.into(),
        }
    }

    pub(crate) fn pool(&self) -> Settings {
        Settings {
            connect: milliseconds(self.connect_ms),
            idle: milliseconds(self.idle_ms),
            hedge: milliseconds(self.hedge_ms),
            failures: self.upstream_failures.max(1),
        }
    }
}

pub(crate) fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}
