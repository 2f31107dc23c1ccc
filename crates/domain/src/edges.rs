//! What edges and operators tell each other over the bus.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Micros, PresentationId};

/// How often an edge tells how it stands, microseconds.
pub const REPORT_EVERY: i64 = 2 * Micros::SECOND;

/// How an edge stands. Counts are since its start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Of the process: another one at each start.
    pub id: Uuid,
    /// As it calls itself in `Cache-Status`.
    pub name: String,
    pub version: String,
    pub started_at: Micros,
    pub at: Micros,
    /// Requests by what became of them: `hit`, `miss`, …
    pub requests: Vec<(String, u64)>,
    pub bytes_out: u64,
    /// From upstreams.
    pub bytes_in: u64,
    /// Questions to upstreams, and those that brought nothing.
    pub fetches: u64,
    pub failures: u64,
    pub memory: Fill,
    pub disk: Fill,
    /// Fetches under way.
    pub fetching: u64,
    /// Connections of viewers that are open.
    pub connections: u64,
    pub revocations: u64,
    /// Empty when the origin is in its own process.
    pub upstreams: Vec<Upstream>,
    pub warmings: Vec<Warming>,
    /// It ends what it has begun and takes no new connections.
    pub draining: bool,
}

/// What a part of a cache holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    pub objects: u64,
    pub bytes: u64,
    /// Most bytes that it may hold.
    pub room: u64,
    pub evicted: u64,
}

/// Whom an edge asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    pub address: String,
    /// Does it answer?
    pub up: bool,
}

/// Bring a presentation nearer to viewers, with a token that is good for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warm {
    pub presentation: PresentationId,
    pub token: String,
    pub part: Part,
    /// Wait for the hours that the edge has for this.
    pub in_quiet_hours: bool,
    /// The title, for people.
    pub title: String,
}

/// How much of a presentation is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Manifests, pictures for seeking, and of each rendition the first half minute.
    Start,
    All,
}

/// How a warm-up goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warming {
    pub presentation: PresentationId,
    pub title: String,
    pub state: WarmingState,
    /// Answers fetched or found held, and how many there are to be.
    pub done: u64,
    pub total: u64,
    pub failed: u64,
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WarmingState {
    /// For its turn, or for the quiet hours.
    Waiting,
    Running,
    Done,
}

impl Part {
    pub const ALL: [Self; 2] = [Self::Start, Self::All];

    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::All => "all",
        }
    }
}

impl Report {
    /// Requests that ended so.
    pub fn count(&self, result: &str) -> u64 {
        self.requests.iter().filter(|(of, _)| of == result).map(|(_, count)| count).sum()
    }
}
