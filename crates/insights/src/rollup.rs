//! Sums of beats by minute, edge and presentation, in memory until they are stored. Pure.

use std::collections::HashMap;

use domain::{Micros, PresentationId};
use store::quality::Figures;
use uuid::Uuid;

use crate::{
    beat::{Beat, What},
    edges::{Edge, Edges},
    histogram::{Histogram, bucket},
    meters::Meters,
    record::Record,
    session::{Session, Sessions},
};

/// Sums that are kept apart between two stores. Reached only while the database is away for long: from there on titles and edges
/// of a minute are one.
const MOST: usize = 100_000;

/// What sums are kept apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The minute's beginning.
    pub minute: Micros,
    pub edge: Edge,
    pub presentation: PresentationId,
}

/// Sums of one key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cell {
    pub figures: Figures,
    pub starts: Histogram,
}

impl Cell {
    pub fn merge(&mut self, other: &Self) {
        self.figures.add(&other.figures);
        self.starts.merge(&other.starts);
    }
}

/// Sums that are not stored yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rollup {
    cells: HashMap<Key, Cell>,
}

/// When a beat was, by the server's clock.
fn time_of(record: &Record, beat: &Beat) -> Micros {
    record.received.plus(-i64::from(beat.age_ms) * 1000)
}

/// The minute that an instant lies in.
pub fn minute(at: Micros) -> Micros {
    Micros(at.0 - at.0.rem_euclid(Micros::MINUTE))
}

impl Rollup {
    /// Adds a record whose beats all count. What an earlier process has counted already is no business of `meters`.
    pub fn add(
        &mut self,
        record: &Record,
        sessions: &mut Sessions,
        edges: &mut Edges,
        mut meters: Option<&mut Meters>,
    ) {
        for beat in &record.beats {
            let (at, edge) = (time_of(record, beat), edges.of(&beat.edge));
            let session = sessions.of(record);
            let cell = count(beat, session);
            session.note(&beat.what, edge, at);
            if let Some(meters) = &mut meters {
                meters.note(edges, edge, beat, &cell);
            }
            self.merge(Key { minute: minute(at), edge, presentation: record.presentation }, &cell);
        }
    }

    pub fn merge(&mut self, key: Key, cell: &Cell) {
        let coarse = Key { minute: key.minute, edge: Edge::OTHER, presentation: PresentationId(Uuid::nil()) };
        let key = if self.cells.len() < MOST || self.cells.contains_key(&key) { key } else { coarse };
        self.cells.entry(key).or_default().merge(cell);
    }

    /// Everything, to be stored; nothing remains.
    pub fn take(&mut self) -> HashMap<Key, Cell> {
        std::mem::take(&mut self.cells)
    }
}

/// What one beat adds. A session starts once, and fails to start once.
fn count(beat: &Beat, session: &mut Session) -> Cell {
    let mut cell = Cell::default();
    let figures = &mut cell.figures;
    match &beat.what {
        What::Start { startup_ms } if !session.started => {
            session.started = true;
            figures.starts = 1;
            cell.starts.add(bucket(*startup_ms), 1);
        }
        What::Play(play) => {
            figures.playing_ms = play.playing_ms.into();
            figures.stalled_ms = play.stalled_ms.into();
            figures.stalls = play.stalls.into();
            figures.switches = play.switches.into();
            figures.dropped_frames = play.dropped_frames.into();
            figures.bytes = i64::try_from(play.bytes).unwrap_or(i64::MAX);
            if play.bitrate_bps > 0 {
                figures.rated_ms = play.playing_ms.into();
                figures.kilobits = i64::from(play.bitrate_bps) * i64::from(play.playing_ms) / 1_000_000;
            }
        }
        What::Error { fatal, started, .. } => {
            figures.errors = 1;
            if *fatal && !started && !session.started && !session.failed {
                session.failed = true;
                figures.start_failures = 1;
            }
        }
        What::Start { .. } | What::End => {}
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beat::Play;

    const AT: Micros = Micros(100 * Micros::MINUTE + 5 * Micros::SECOND);

    fn record(beats: Vec<Beat>) -> Record {
        Record { received: AT, session: Uuid::now_v7(), presentation: PresentationId::new(), beats }
    }

    fn beat(seq: u32, age_ms: u32, edge: &str, what: What) -> Beat {
        Beat { seq, age_ms, edge: edge.into(), what }
    }

    fn rolled(records: &[Record]) -> HashMap<Key, Cell> {
        let (mut rollup, mut sessions) = (Rollup::default(), Sessions::default());
        let mut edges = Edges::default();
        for record in records {
            rollup.add(record, &mut sessions, &mut edges, None);
        }
        rollup.take()
    }

    #[test]
    fn beats_are_summed_by_minute_edge_and_title() {
        let play =
            Play { playing_ms: 9000, stalled_ms: 1000, stalls: 1, bitrate_bps: 4_000_000, ..Play::default() };
        let one = record(vec![
            beat(0, 20_000, "", What::Start { startup_ms: 420 }),
            beat(1, 10_000, "", What::Play(play)),
            beat(2, 0, "", What::Play(play)),
            beat(3, 0, "edge-1", What::Play(Play { bitrate_bps: 0, ..play })),
            beat(4, 0, "edge-1", What::End),
        ]);
        let cells = rolled(std::slice::from_ref(&one));
        assert_eq!(cells.len(), 3);
        let (now, before) = (Micros(100 * Micros::MINUTE), Micros(99 * Micros::MINUTE));
        let of = |minute, edge| &cells[&Key { minute, edge, presentation: one.presentation }];
        let earlier = of(before, Edge::ORIGIN);
        assert_eq!((earlier.figures.starts, earlier.figures.playing_ms), (1, 9000));
        assert_eq!(earlier.starts.percentile_ms(1.0), Some(500));
        let later = of(now, Edge::ORIGIN).figures;
        assert_eq!((later.playing_ms, later.stalled_ms, later.stalls, later.rated_ms), (9000, 1000, 1, 9000));
        assert_eq!(later.kilobits, 36_000);
        let edge = cells.iter().find(|(key, _)| key.edge > Edge::OTHER).unwrap().1;
        assert_eq!((edge.figures.playing_ms, edge.figures.rated_ms), (9000, 0));
    }

    #[test]
    fn a_session_starts_once_and_fails_once() {
        let failure = |seq| beat(seq, 0, "", What::Error { code: "X".into(), fatal: true, started: false });
        let start = |seq| beat(seq, 0, "", What::Start { startup_ms: 100 });
        let sum = |beats| {
            let cells = rolled(&[record(beats)]);
            let figures = cells.values().next().unwrap().figures;
            (figures.starts, figures.start_failures, figures.errors)
        };
        assert_eq!(sum(vec![failure(0), failure(1)]), (0, 1, 2));
        assert_eq!(sum(vec![failure(0), start(1), start(2)]), (1, 1, 1));
        assert_eq!(sum(vec![start(0), failure(1)]), (1, 0, 1));
    }

    #[test]
    fn what_could_not_be_stored_is_merged_back() {
        let play = What::Play(Play { playing_ms: 1000, ..Play::default() });
        let (a, b) = (record(vec![beat(0, 0, "", play.clone())]), record(vec![beat(0, 0, "", play)]));
        let mut rollup = Rollup::default();
        for part in [rolled(std::slice::from_ref(&a)), rolled(&[a.clone(), b.clone()])] {
            for (key, cell) in &part {
                rollup.merge(*key, cell);
            }
        }
        let cells = rollup.take();
        let of = |record: &Record| {
            let key = Key { minute: minute(AT), edge: Edge::ORIGIN, presentation: record.presentation };
            cells[&key].figures.playing_ms
        };
        assert_eq!((of(&a), of(&b)), (2000, 1000));
        assert!(rollup.take().is_empty());
    }
}
