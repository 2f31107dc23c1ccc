//! What is told to Prometheus.

use metrics::{counter, gauge};

use crate::{Ended, Protocol};

pub fn connected(protocol: Protocol) {
    gauge!("kinora_live_connections", "protocol" => protocol.word()).increment(1);
}

pub fn disconnected(protocol: Protocol) {
    gauge!("kinora_live_connections", "protocol" => protocol.word()).decrement(1);
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
