//! What the edges of this instance have told, as it comes over the bus.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{Micros, edges::Report};
use uuid::Uuid;

/// Nothing heard for so long: an edge is silent, microseconds.
pub const SILENT_AFTER: i64 = 8 * Micros::SECOND;
/// A silent edge is shown for so long.
const SHOWN: i64 = 30 * 60 * Micros::SECOND;
/// One that said that it ends is not missed.
const SHOWN_DRAINED: i64 = 20 * Micros::SECOND;
/// Points of a trend, and the time between two.
const POINTS: usize = 60;
const EVERY: i64 = 10 * Micros::SECOND;
/// Most edges that are remembered.
const MOST: usize = 1_000;

/// Every edge that was heard of.
#[derive(Debug, Default)]
pub struct Fleet(Mutex<HashMap<Uuid, Heard>>);

/// One edge.
#[derive(Debug, Clone)]
pub struct Heard {
    pub report: Report,
    /// By the clock of this process.
    pub seen_at: Micros,
    /// Since the report before.
    pub now: Pace,
    /// Points of the last ten minutes.
    pub trend: VecDeque<Pace>,
    /// What the trend's next point counts from.
    mark: Report,
}

/// What an edge did between two reports.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Pace {
    pub at: Micros,
    pub requests_per_second: f64,
    /// Of the requests that it could have answered from what it holds; `None` without any.
    pub hit_ratio: Option<f64>,
    pub out_bits_per_second: f64,
    pub in_bits_per_second: f64,
}

impl Fleet {
    pub fn hear(&self, report: Report, now: Micros) {
        let mut edges = self.edges();
        edges.retain(|_, heard| now.0 - heard.seen_at.0 < heard.shown());
        if edges.len() >= MOST && !edges.contains_key(&report.id) {
            return;
        }
        match edges.get_mut(&report.id) {
            Some(heard) => heard.hear(report, now),
            None => {
                edges.insert(report.id, Heard::new(report, now));
            }
        }
    }

    /// By name.
    pub fn list(&self, now: Micros) -> Vec<Heard> {
        let edges = self.edges();
        let shown = edges.values().filter(|heard| now.0 - heard.seen_at.0 < heard.shown());
        let mut list: Vec<Heard> = shown.cloned().collect();
        list.sort_by(|a, b| {
            (&a.report.name, a.report.started_at).cmp(&(&b.report.name, b.report.started_at))
        });
        list
    }

    fn edges(&self) -> MutexGuard<'_, HashMap<Uuid, Heard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    fn new(report: Report, now: Micros) -> Self {
        let (mark, pace) = (report.clone(), Pace { at: report.at, ..Pace::default() });
        Self { report, seen_at: now, now: pace, trend: VecDeque::new(), mark }
    }

    fn hear(&mut self, report: Report, now: Micros) {
        if report.at <= self.report.at {
            return;
        }
        self.now = pace(&self.report, &report);
        if report.at.0 - self.mark.at.0 >= EVERY {
            self.trend.push_back(pace(&self.mark, &report));
            if self.trend.len() > POINTS {
                self.trend.pop_front();
            }
            self.mark = report.clone();
        }
        (self.report, self.seen_at) = (report, now);
    }

    fn shown(&self) -> i64 {
        if self.report.draining { SHOWN_DRAINED } else { SHOWN }
    }
}

/// Requests that found what they asked for, and all that could have.
fn found(report: &Report) -> (u64, u64) {
    let hits = report.count("hit") + report.count("stale") + report.count("negative");
    let others = ["expired", "miss", "coalesced"].iter().map(|word| report.count(word)).sum::<u64>();
    (hits, hits + others)
}

fn pace(before: &Report, after: &Report) -> Pace {
    let seconds = ((after.at.0 - before.at.0) as f64 / Micros::SECOND as f64).max(0.001);
    let all = |report: &Report| report.requests.iter().map(|(_, count)| count).sum::<u64>();
    let rate = |before: u64, after: u64| after.saturating_sub(before) as f64 / seconds;
    let ((hits_before, asked_before), (hits, asked)) = (found(before), found(after));
    let asked = asked.saturating_sub(asked_before);
    Pace {
        at: after.at,
        requests_per_second: rate(all(before), all(after)),
        hit_ratio: (asked > 0).then(|| hits.saturating_sub(hits_before) as f64 / asked as f64),
        out_bits_per_second: 8.0 * rate(before.bytes_out, after.bytes_out),
        in_bits_per_second: 8.0 * rate(before.bytes_in, after.bytes_in),
    }
}

#[cfg(test)]
mod tests {
    use domain::edges::Fill;

    use super::*;

    fn report(id: Uuid, second: i64, hits: u64, misses: u64, out: u64) -> Report {
        Report {
            id,
            name: "edge-1".into(),
            version: "1".into(),
            started_at: Micros(0),
            at: Micros(second * Micros::SECOND),
            requests: vec![("hit".into(), hits), ("miss".into(), misses)],
            bytes_out: out,
            bytes_in: 0,
            fetches: 0,
            failures: 0,
            memory: Fill::default(),
            disk: Fill::default(),
            fetching: 0,
            connections: 0,
            revocations: 0,
            upstreams: Vec::new(),
            warmings: Vec::new(),
            draining: false,
        }
    }

    #[test]
    fn paces_are_differences_and_silence_is_noticed() {
        let (fleet, id) = (Fleet::default(), Uuid::now_v7());
        let at = |second: i64| Micros(second * Micros::SECOND);
        fleet.hear(report(id, 0, 0, 0, 0), at(0));
        assert_eq!(fleet.list(at(0))[0].now.hit_ratio, None);
        for second in 1..=24 {
            let n = second as u64;
            fleet.hear(report(id, second, 9 * n, n, 1_000_000 * n), at(second));
        }
        // Late, and from before.
        fleet.hear(report(id, 3, 0, 0, 0), at(25));
        let [heard] = &fleet.list(at(25))[..] else { panic!("one edge") };
        assert_eq!(heard.now.requests_per_second, 10.0);
        assert_eq!(heard.now.hit_ratio, Some(0.9));
        assert_eq!(heard.now.out_bits_per_second, 8e6);
        assert_eq!((heard.trend.len(), heard.seen_at), (2, at(24)));
        assert_eq!(fleet.list(at(24 + 30 * 60)).len(), 0);
        let other = Uuid::now_v7();
        fleet.hear(Report { draining: true, ..report(other, 30, 0, 0, 0) }, at(30));
        assert_eq!(fleet.list(at(31)).len(), 2);
        assert_eq!(fleet.list(at(60)).len(), 1);
    }
}
