//! From a request to the disk: one thread takes what all requests bring, writes it in one go, and answers them when it is
//! durable.
//!
//! The thread alone writes the log, so what it decides (which beats are new, which are too many) has the order of the log, and
//! is decided the same way when the log is read again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Micros;
use tokio::sync::{mpsc, oneshot};

use crate::{
    edges::Edges,
    log::{Log, Position},
    meters::Meters,
    record::Record,
    rollup::Rollup,
    session::{Before, Excess, Sessions},
};

/// Requests that may wait for the disk. More are refused: something is wrong with it.
const MOST_WAITING: usize = 8192;
/// Requests that one commit takes together.
const MOST_AT_ONCE: usize = 2048;

/// What a request is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Beats that are now in the log.
    pub accepted: usize,
    /// Beats that were in it already.
    pub repeated: usize,
}

/// Why nothing was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Excess(#[from] Excess),
    #[error("too many requests wait for the log of beats")]
    Full,
    #[error("the log of beats could not be written: {0}")]
    Disk(String),
    #[error("the log of beats is closed")]
    Closed,
}

/// Everything that follows from the log up to `end`.
#[derive(Default)]
pub struct State {
    pub sessions: Sessions,
    pub rollup: Rollup,
    pub edges: Edges,
    pub meters: Meters,
    pub end: Position,
}

impl State {
    /// Adds a record that is in the log.
    pub fn add(&mut self, record: &Record) {
        self.rollup.add(record, &mut self.sessions, &mut self.edges, Some(&mut self.meters));
    }

    /// Knows again what an earlier process took: its sessions, and from `stored` on its sums.
    pub fn recall(&mut self, behind: Position, mut record: Record, stored: Position) {
        // Refused it was not: it is in the log.
        let _ = self.sessions.admit(&mut record);
        // Of what is stored the sessions are needed, not the sums.
        let mut known = Rollup::default();
        let sums = if behind > stored { &mut self.rollup } else { &mut known };
        sums.add(&record, &mut self.sessions, &mut self.edges, None);
        self.end = self.end.max(behind);
    }
}

/// Where requests hand in what they bring.
#[derive(Clone)]
pub struct Intake(mpsc::Sender<Waiting>);

struct Waiting {
    record: Record,
    reply: oneshot::Sender<Result<Taken, Fault>>,
}

pub fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Intake {
    /// Starts the thread. It ends when no intake is left.
    pub fn start(log: Log, state: Arc<Mutex<State>>) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        std::thread::Builder::new().name("beats".into()).spawn(move || run(log, &state, receiver))?;
        Ok(Self(sender))
    }

    /// Answers when the record is on the disk, or is known not to be.
    pub async fn take(&self, record: Record) -> Result<Taken, Fault> {
        let (reply, answer) = oneshot::channel();
        self.0.try_send(Waiting { record, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Fault::Full,
            mpsc::error::TrySendError::Closed(_) => Fault::Closed,
        })?;
        answer.await.unwrap_or(Err(Fault::Closed))
    }
}

fn run(mut log: Log, state: &Mutex<State>, mut receiver: mpsc::Receiver<Waiting>) {
    let seconds = metrics::histogram!("kinora_qoe_log_commit_seconds");
    let failures = metrics::counter!("kinora_qoe_log_failures_total");
    while let Some(first) = receiver.blocking_recv() {
        let mut group = vec![first];
        while group.len() < MOST_AT_ONCE
            && let Ok(more) = receiver.try_recv()
        {
            group.push(more);
        }
        let began = std::time::Instant::now();
        let (mut records, replies): (Vec<_>, Vec<_>) =
            group.into_iter().map(|waiting| (waiting.record, waiting.reply)).unzip();
        let verdicts = commit(&mut log, state, &mut records);
        seconds.record(began.elapsed().as_secs_f64());
        if let Some(Err(Fault::Disk(error))) = verdicts.iter().find(|v| matches!(v, Err(Fault::Disk(_)))) {
            failures.increment(1);
            tracing::error!(%error, requests = verdicts.len(), "beats could not be written down");
        }
        for (reply, verdict) in replies.into_iter().zip(verdicts) {
            // Whoever has hung up sends it again, and is told then.
            let _ = reply.send(verdict);
        }
    }
}

/// Writes what is new of the records, all or none of it.
fn commit(log: &mut Log, state: &Mutex<State>, records: &mut [Record]) -> Vec<Result<Taken, Fault>> {
    let mut undo: Vec<Before> = Vec::new();
    let mut verdicts = Vec::with_capacity(records.len());
    let mut now = locked(state);
    for record in records.iter_mut() {
        verdicts.push(match now.sessions.admit(record) {
            Ok((repeated, before)) => {
                undo.push(before);
                if !record.beats.is_empty() {
                    log.append(record);
                }
                Ok(Taken { accepted: record.beats.len(), repeated })
            }
            Err(excess) => Err(Fault::Excess(excess)),
        });
    }
    // Others read the state meanwhile.
    drop(now);
    let committed = log.commit();
    let mut now = locked(state);
    match committed {
        Ok(end) => {
            for (record, _) in records.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_ok()) {
                now.add(record);
            }
            now.end = end;
        }
        Err(error) => {
            while let Some(before) = undo.pop() {
                now.sessions.undo(before);
            }
            let fault = Fault::Disk(error.to_string());
            for verdict in verdicts.iter_mut().filter(|verdict| verdict.is_ok()) {
                *verdict = Err(fault.clone());
            }
        }
    }
    verdicts
}

/// Reads the log again from where sums are not stored, and of what went before as much as sessions may still repeat.
pub fn recall(dir: &std::path::Path, stored: Position, now: Micros) -> std::io::Result<State> {
    let mut state = State::default();
    let recent = std::time::SystemTime::now()
        - std::time::Duration::from_micros(crate::session::FORGET.unsigned_abs());
    for segment in crate::log::segments(dir)? {
        let needed = segment.number >= stored.segment || segment.modified >= recent;
        if needed {
            crate::log::read(&segment, |behind, record| state.recall(behind, record, stored))?;
        }
    }
    state.sessions.forget(now);
    Ok(state)
}

#[cfg(test)]
mod tests {
    use domain::PresentationId;
    use uuid::Uuid;

    use super::*;
    use crate::beat::{Beat, Play, What};

    fn record(session: Uuid, seqs: &[u32]) -> Record {
        let what = |seq: u32| match seq {
            0 => What::Start { startup_ms: 300 },
            _ => What::Play(Play { playing_ms: 1000, bitrate_bps: 1_000_000, ..Play::default() }),
        };
        let beats = seqs.iter().map(|seq| Beat { seq: *seq, age_ms: 0, edge: "".into(), what: what(*seq) });
        let presentation = PresentationId(Uuid::nil());
        Record {
            received: backends::clock::Clock::system().now(),
            session,
            presentation,
            beats: beats.collect(),
        }
    }

    fn sums(state: &mut State) -> (i64, i64) {
        let cells = state.rollup.take();
        let of = |figure: fn(&store::quality::Figures) -> i64| {
            cells.values().map(|cell| figure(&cell.figures)).sum()
        };
        (of(|figures| figures.starts), of(|figures| figures.playing_ms))
    }

    #[test]
    fn what_was_taken_is_recalled_exactly_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), 300).unwrap();
        let state = Mutex::new(State::default());
        let (a, b) = (Uuid::now_v7(), Uuid::now_v7());
        let taken =
            commit(&mut log, &state, &mut [record(a, &[0, 1, 2]), record(b, &[0]), record(a, &[1, 2, 3])]);
        let told: Vec<_> =
            taken.into_iter().map(|one| one.unwrap()).map(|one| (one.accepted, one.repeated)).collect();
        assert_eq!(told, [(3, 0), (1, 0), (1, 2)]);
        let stored = locked(&state).end;
        commit(&mut log, &state, &mut [record(b, &[1]), record(a, &[4, 5])]);
        assert_eq!(sums(&mut locked(&state)), (2, 6000));
        drop(log);
        let now = Micros(0);
        let mut all = recall(dir.path(), Position::default(), now).unwrap();
        assert_eq!(sums(&mut all), (2, 6000));
        let rest = Mutex::new(recall(dir.path(), stored, now).unwrap());
        assert_eq!(sums(&mut locked(&rest)), (0, 3000));
        // Sent once more after the restart, also the start: nothing of it counts again.
        let mut log = Log::open(dir.path(), 300).unwrap();
        let taken = commit(&mut log, &rest, &mut [record(a, &[0, 1, 2, 3, 4, 5, 6]), record(b, &[0, 1])]);
        let accepted: Vec<_> = taken.into_iter().map(|one| one.unwrap().accepted).collect();
        assert_eq!(accepted, [1, 0]);
        assert_eq!(sums(&mut locked(&rest)), (0, 1000));
    }

    #[test]
    fn what_cannot_be_written_is_neither_acknowledged_nor_taken_for_seen() {
        let dir = tempfile::tempdir().unwrap();
        let lost = dir.path().join("lost");
        std::fs::create_dir(&lost).unwrap();
        let mut log = Log::open(&lost, 1 << 20).unwrap();
        std::fs::remove_dir(&lost).unwrap();
        let state = Mutex::new(State::default());
        let a = Uuid::now_v7();
        let verdicts = commit(&mut log, &state, &mut [record(a, &[0]), record(a, &[0, 1])]);
        assert!(verdicts.iter().all(|verdict| matches!(verdict, Err(Fault::Disk(_)))), "{verdicts:?}");
        assert_eq!(sums(&mut locked(&state)), (0, 0));
        std::fs::create_dir(&lost).unwrap();
        let verdicts = commit(&mut log, &state, &mut [record(a, &[0, 1])]);
        assert_eq!(verdicts, [Ok(Taken { accepted: 2, repeated: 0 })]);
    }
}
