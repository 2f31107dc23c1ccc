//! What an edge counts: for Prometheus and for an operator's page.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use metrics::{Counter, Histogram, counter, gauge, histogram};

use crate::{reply::How, store::Store};

/// Handles are looked up once: requests are many.
pub struct Measure {
    requests: [Both; How::ALL.len()],
    bytes_out: Both,
    bytes_in: Both,
    fetches: Both,
    failures: Both,
    seconds: Histogram,
}

/// The same number for two readers.
struct Both {
    here: AtomicU64,
    told: Counter,
}

/// What was counted.
pub struct Counts {
    /// Requests by what became of them.
    pub requests: Vec<(String, u64)>,
    pub bytes_out: u64,
    /// From upstreams.
    pub bytes_in: u64,
    /// Questions to upstreams.
    pub fetches: u64,
    pub failures: u64,
}

impl Both {
    fn new(told: Counter) -> Self {
        Self { here: AtomicU64::new(0), told }
    }

    fn add(&self, count: u64) {
        self.here.fetch_add(count, Ordering::Relaxed);
        self.told.increment(count);
    }

    fn get(&self) -> u64 {
        self.here.load(Ordering::Relaxed)
    }
}

impl Measure {
    pub fn new() -> Self {
        Self {
            requests: How::ALL
                .map(|how| Both::new(counter!("kinora_edge_requests_total", "result" => how.word()))),
            bytes_out: Both::new(counter!("kinora_edge_bytes_total")),
            bytes_in: Both::new(counter!("kinora_edge_upstream_bytes_total")),
            fetches: Both::new(counter!("kinora_edge_fetches_total")),
            failures: Both::new(counter!("kinora_edge_fetch_failures_total")),
            seconds: histogram!("kinora_edge_seconds"),
        }
    }

    /// A request whose answer begins.
    pub fn answered(&self, how: How, bytes: u64, took: Duration) {
        self.requests[how as usize].add(1);
        self.bytes_out.add(bytes);
        self.seconds.record(took.as_secs_f64());
    }

    pub fn received(&self, bytes: u64) {
        self.bytes_in.add(bytes);
    }

    pub fn fetched(&self) {
        self.fetches.add(1);
    }

    pub fn failed(&self) {
        self.failures.add(1);
    }

    pub fn counts(&self) -> Counts {
        Counts {
            requests: How::ALL.map(|how| (how.word().into(), self.requests[how as usize].get())).to_vec(),
            bytes_out: self.bytes_out.get(),
            bytes_in: self.bytes_in.get(),
            fetches: self.fetches.get(),
            failures: self.failures.get(),
        }
    }
}

/// What is held, for Prometheus.
pub fn tell(store: &Store) {
    for (tier, fill) in ["memory", "disk"].into_iter().zip(store.fill()) {
        gauge!("kinora_edge_store_bytes", "tier" => tier).set(fill.bytes as f64);
        gauge!("kinora_edge_store_objects", "tier" => tier).set(fill.objects as f64);
        counter!("kinora_edge_evictions_total", "tier" => tier).absolute(fill.evicted);
    }
}
