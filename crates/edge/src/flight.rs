//! A fetch under way: one for each key, however many wait for it. The body goes to all of them while it arrives, each at its
//! own place; what has been written to the file is read back from there, so that slow readers hold no memory.

use std::{
    collections::VecDeque,
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use tokio::sync::watch;

use crate::{
    object::{Head, Object},
    read::read_at,
    upstream::Failure,
};

/// Most bytes that a reader gets at once.
const PIECE: u64 = 256 << 10;

/// The answer broke off: what came of it is not the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the upstream broke off")]
pub struct Broken;

/// What became of asking.
#[derive(Clone)]
pub enum Outcome {
    /// An answer, whose body arrives.
    Head(Arc<Head>),
    /// What was held is still the present one.
    Revalidated(Arc<Object>),
    /// Nobody could be asked: what was held must do.
    Stale(Arc<Object>),
    Failed(Failure),
}

/// What is known of a fetch so far.
#[derive(Default)]
struct State {
    outcome: Option<Outcome>,
    /// What is not in the file, from `base` on.
    pieces: VecDeque<Bytes>,
    base: u64,
    received: u64,
    file: Option<Arc<File>>,
    end: Option<Result<(), Broken>>,
}

/// The side that fetches. Dropping it before its end breaks the body.
pub struct Flight {
    state: watch::Sender<State>,
    /// Whose token the upstream sees.
    pub token: Box<str>,
    /// Purged meanwhile: whoever waits gets it, but it is not kept.
    doomed: AtomicBool,
}

/// A waiter's place in the body.
pub struct Reader {
    state: watch::Receiver<State>,
    at: u64,
    until: u64,
}

impl Flight {
    pub fn new(token: &str) -> Self {
        Self { state: watch::Sender::default(), token: token.into(), doomed: AtomicBool::new(false) }
    }

    pub fn doom(&self) {
        self.doomed.store(true, Ordering::SeqCst);
    }

    pub fn is_doomed(&self) -> bool {
        self.doomed.load(Ordering::SeqCst)
    }

    /// From the body's beginning.
    pub fn reader(&self) -> Reader {
        Reader { state: self.state.subscribe(), at: 0, until: u64::MAX }
    }

    pub fn decide(&self, outcome: Outcome) {
        self.state.send_modify(|state| state.outcome = Some(outcome));
    }

    pub fn append(&self, piece: Bytes) {
        self.state.send_modify(|state| {
            state.received += piece.len() as u64;
            state.pieces.push_back(piece);
        });
    }

    /// What has not been written.
    pub fn unwritten(&self) -> Vec<Bytes> {
        self.state.borrow().pieces.iter().cloned().collect()
    }

    /// The oldest `count` pieces are in the file now.
    pub fn written(&self, file: &Arc<File>, count: usize) {
        self.state.send_modify(|state| {
            state.file.get_or_insert_with(|| file.clone());
            let gone: u64 = state.pieces.drain(..count.min(state.pieces.len())).map(|p| p.len() as u64).sum();
            state.base += gone;
        });
    }

    pub fn received(&self) -> u64 {
        self.state.borrow().received
    }

    pub fn finish(&self) {
        self.state.send_modify(|state| state.end = Some(Ok(())));
    }

    /// Does nothing after the end.
    pub fn break_off(&self, failure: Failure) {
        self.state.send_modify(|state| {
            state.outcome.get_or_insert(Outcome::Failed(failure));
            state.end.get_or_insert(Err(Broken));
        });
    }
}

impl Reader {
    /// Waits until it is known what became of asking.
    pub async fn outcome(&mut self) -> Outcome {
        match self.state.wait_for(|state| state.outcome.is_some()).await {
            Ok(state) => state.outcome.clone().unwrap_or(Outcome::Failed(Failure::Broken)),
            Err(_) => Outcome::Failed(Failure::Broken),
        }
    }

    /// Waits until nothing more comes.
    pub async fn landed(&mut self) {
        let over = |state: &State| {
            state.end.is_some() || state.outcome.as_ref().is_some_and(|how| !matches!(how, Outcome::Head(_)))
        };
        // Dropped is over, too.
        let _ = self.state.wait_for(over).await;
    }

    /// Only these bytes.
    pub fn limit(&mut self, range: std::ops::Range<u64>) {
        (self.at, self.until) = (range.start, range.end);
    }

    /// The next bytes; `None` at the end. Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<Bytes, Broken>> {
        loop {
            match self.look() {
                Look::Bytes(bytes) => {
                    self.at += bytes.len() as u64;
                    return Some(Ok(bytes));
                }
                Look::File(file, length) => {
                    let read = read_at(&file, self.at, length).await;
                    return Some(match read {
                        Ok(bytes) if !bytes.is_empty() => {
                            self.at += bytes.len() as u64;
                            Ok(bytes)
                        }
                        other => Err(self.fault(other.err())),
                    });
                }
                Look::End => return None,
                Look::Broken => return Some(Err(Broken)),
                Look::Wait => {
                    if self.state.changed().await.is_err() {
                        return Some(Err(Broken));
                    }
                }
            }
        }
    }

    fn fault(&self, error: Option<io::Error>) -> Broken {
        tracing::warn!(?error, at = self.at, "a body that is being written cannot be read back");
        Broken
    }

    fn look(&mut self) -> Look {
        if self.at >= self.until {
            return Look::End;
        }
        let left = (self.until - self.at).min(PIECE);
        let state = self.state.borrow_and_update();
        if self.at < state.base {
            return match &state.file {
                Some(file) => Look::File(file.clone(), left.min(state.base - self.at) as usize),
                None => Look::Broken,
            };
        }
        let mut begins = state.base;
        for piece in &state.pieces {
            let ends = begins + piece.len() as u64;
            if self.at < ends {
                let from = (self.at - begins) as usize;
                let most = (piece.len() - from).min(left as usize);
                return Look::Bytes(piece.slice(from..from + most));
            }
            begins = ends;
        }
        match state.end {
            None => Look::Wait,
            // Fewer than were promised.
            Some(Ok(())) if self.until != u64::MAX => Look::Broken,
            Some(Ok(())) => Look::End,
            Some(Err(_)) => Look::Broken,
        }
    }
}

enum Look {
    Bytes(Bytes),
    File(Arc<File>, usize),
    End,
    Broken,
    Wait,
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(reader: &mut Reader) -> Result<Vec<u8>, Broken> {
        let mut out = Vec::new();
        while let Some(bytes) = reader.next().await {
            out.extend_from_slice(&bytes?);
        }
        Ok(out)
    }

    #[tokio::test]
    async fn every_reader_gets_all_from_memory_and_file() {
        let flight = Flight::new("t");
        let mut early = flight.reader();
        let reading = tokio::spawn(async move { all(&mut early).await });
        flight.append(Bytes::from_static(b"abc"));
        flight.append(Bytes::from_static(b"def"));
        tokio::task::yield_now().await;
        let file = tempfile::tempfile().unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, b"abc", 0).unwrap();
        flight.written(&Arc::new(file), 1);
        assert_eq!(flight.unwritten(), ["def"]);
        let mut late = flight.reader();
        let mut part = flight.reader();
        part.limit(2..4);
        flight.append(Bytes::from_static(b"g"));
        flight.finish();
        assert_eq!(reading.await.unwrap().unwrap(), b"abcdefg");
        assert_eq!(all(&mut late).await.unwrap(), b"abcdefg");
        assert_eq!(all(&mut part).await.unwrap(), b"cd");
        let mut too_much = flight.reader();
        too_much.limit(5..9);
        assert_eq!(all(&mut too_much).await, Err(Broken));
    }

    #[tokio::test]
    async fn a_flight_that_breaks_or_is_dropped_is_broken_for_all() {
        let flight = Flight::new("t");
        let (mut one, mut two) = (flight.reader(), flight.reader());
        flight.append(Bytes::from_static(b"abc"));
        flight.break_off(Failure::Broken);
        assert_eq!(all(&mut one).await, Err(Broken));
        drop(flight);
        assert_eq!(all(&mut two).await, Err(Broken));
        let flight = Flight::new("t");
        let mut three = flight.reader();
        drop(flight);
        assert!(matches!(three.outcome().await, Outcome::Failed(_)));
    }
}
