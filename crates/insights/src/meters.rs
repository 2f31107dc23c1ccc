//! What Prometheus is told of beats. Labels are edges, of which there are few; titles are for the control page.

use metrics::{Counter, Histogram, counter, gauge, histogram};

use crate::{
    beat::{Beat, What},
    edges::{Edge, Edges},
    rollup::Cell,
};

/// Names of metrics begin so.
pub const STARTUP_SECONDS: &str = "kinora_qoe_startup_seconds";

/// Counters of all edges, looked up once.
#[derive(Default)]
pub struct Meters {
    edges: Vec<Option<OfEdge>>,
}

struct OfEdge {
    starts: Counter,
    start_failures: Counter,
    errors: Counter,
    playing: Counter,
    stalled: Counter,
    stalls: Counter,
    switches: Counter,
    dropped: Counter,
    bytes: Counter,
    kilobits: Counter,
    startup: Histogram,
    beats: [(&'static str, Counter); 4],
}

impl OfEdge {
    fn new(edge: &str) -> Self {
        let labels = [("edge", edge.to_owned())];
        let beats = ["start", "play", "error", "end"]
            .map(|kind| (kind, counter!("kinora_qoe_beats_total", "kind" => kind)));
        Self {
            starts: counter!("kinora_qoe_starts_total", &labels),
            start_failures: counter!("kinora_qoe_start_failures_total", &labels),
            errors: counter!("kinora_qoe_errors_total", &labels),
            playing: counter!("kinora_qoe_playing_milliseconds_total", &labels),
            stalled: counter!("kinora_qoe_stalled_milliseconds_total", &labels),
            stalls: counter!("kinora_qoe_stalls_total", &labels),
            switches: counter!("kinora_qoe_switches_total", &labels),
            dropped: counter!("kinora_qoe_dropped_frames_total", &labels),
            bytes: counter!("kinora_qoe_media_bytes_total", &labels),
            kilobits: counter!("kinora_qoe_played_kilobits_total", &labels),
            startup: histogram!(STARTUP_SECONDS, &labels),
            beats,
        }
    }
}

/// Counts from zero: alerts and dashboards find what they ask for before anybody has watched.
pub fn ready(edges: &Edges) {
    OfEdge::new(&edges.name(Edge::ORIGIN));
    counter!("kinora_qoe_log_failures_total").absolute(0);
    gauge!("kinora_qoe_playing_sessions").set(0.0);
    gauge!("kinora_qoe_log_bytes").set(0.0);
}

impl Meters {
    /// Counts a beat and what it adds.
    pub fn note(&mut self, edges: &Edges, edge: Edge, beat: &Beat, cell: &Cell) {
        let at = edge.index();
        if self.edges.len() <= at {
            self.edges.resize_with(at + 1, || None);
        }
        let meters = self.edges[at].get_or_insert_with(|| OfEdge::new(&edges.name(edge)));
        if let Some((_, counter)) = meters.beats.iter().find(|(kind, _)| *kind == beat.what.word()) {
            counter.increment(1);
        }
        let figures = &cell.figures;
        for (counter, value) in [
            (&meters.starts, figures.starts),
            (&meters.start_failures, figures.start_failures),
            (&meters.errors, figures.errors),
            (&meters.playing, figures.playing_ms),
            (&meters.stalled, figures.stalled_ms),
            (&meters.stalls, figures.stalls),
            (&meters.switches, figures.switches),
            (&meters.dropped, figures.dropped_frames),
            (&meters.bytes, figures.bytes),
            (&meters.kilobits, figures.kilobits),
        ] {
            if let Some(value) = u64::try_from(value).ok().filter(|value| *value > 0) {
                counter.increment(value);
            }
        }
        if let What::Start { startup_ms } = &beat.what
            && figures.starts > 0
        {
            meters.startup.record(f64::from(*startup_ms) / 1000.0);
        }
    }
}
