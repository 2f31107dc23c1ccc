//! What is told to Prometheus.

use metrics::{counter, gauge};

use crate::{Ended, Protocol};

/// One connection, which counts itself out.
pub struct Connected(Protocol);

impl Connected {
    pub fn new(protocol: Protocol) -> Self {
        gauge!("kinora_live_connections", "protocol" => protocol.word()).increment(1);
        Self(protocol)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        gauge!("kinora_live_connections", "protocol" => self.0.word()).decrement(1);
    }
}

/// What became of an SRT connection's packets: those that were missing at first, came again, or never came.
pub fn packets(missing: u64, again: u64, lost: u64) {
    for (what, count) in [("missing", missing), ("again", again), ("lost", lost)] {
        counter!("kinora_live_srt_packets_total", "what" => what).increment(count);
    }
}

/// There were as many connections as there may be.
pub fn turned_away(protocol: Protocol) {
    counter!("kinora_live_turned_away_total", "protocol" => protocol.word()).increment(1);
}

pub fn publishing(protocol: Protocol, by: f64) {
    gauge!("kinora_live_publishers", "protocol" => protocol.word()).increment(by);
}

pub fn received(protocol: Protocol, bytes: usize) {
    counter!("kinora_live_received_bytes_total", "protocol" => protocol.word()).increment(bytes as u64);
}

pub fn ended(protocol: Protocol, ended: &Ended) {
    counter!("kinora_live_sessions_total", "protocol" => protocol.word(), "ended" => ended.word())
        .increment(1);
}
