//! Fetching: one question to the upstreams for all who wait, its answer handed on while it comes, and kept when it may be.

use std::{io, sync::Arc};

use api::Problem;
use bytes::Bytes;
use domain::Micros;
use futures::{FutureExt, StreamExt};
use http::{HeaderValue, StatusCode};

use crate::{
    Edge,
    config::milliseconds,
    flight::{Flight, Outcome},
    freshness::Freshness,
    key::Key,
    object::{Head, Object},
    store::Draft,
    upstream::{Answer, Failure, Question},
};

/// Bytes that are gathered, when they are there, before they are written.
const GATHERED: u64 = 512 << 10;
/// Most bytes that are held in memory when they cannot be written.
const MAX_UNWRITTEN: u64 = 8 << 20;
/// Small bodies that are good for less are not written down.
const WORTH_WRITING_S: u64 = 30;
/// How long something stale is used without waiting after upstreams failed.
const EXCUSE_S: i64 = 5;

/// How a request came to a flight.
pub enum Boarding {
    First(Arc<Flight>),
    Joined(Arc<Flight>),
    /// Something else is held by now.
    Missed,
}

/// The fetching side of a flight. When it is dropped, the flight is over.
struct Pilot {
    edge: Edge,
    key: Key,
    hops: u8,
    flight: Arc<Flight>,
    /// What is held, and stale.
    old: Option<Arc<Object>>,
}

/// A body on its way to the disk.
#[derive(Default)]
struct Tape {
    draft: Option<Draft>,
    failed: bool,
}

impl Edge {
    /// Joins the fetch of this key, or begins it: then it goes on whatever becomes of the client.
    pub fn board(
        &self,
        key: &Key,
        token: &str,
        hops: u8,
        held: Option<&Arc<Object>>,
    ) -> Result<Boarding, Problem> {
        let place = (key.clone(), hops);
        let mut flights = self.flights();
        if let Some(flight) = flights.get(&place) {
            return Ok(Boarding::Joined(flight.clone()));
        }
        // A flight puts what it brought into the store before it leaves the list.
        let now_held = self.0.store.get(key);
        if now_held.as_ref().map(Arc::as_ptr) != held.map(Arc::as_ptr) {
            return Ok(Boarding::Missed);
        }
        if flights.len() >= self.0.config.max_fetches {
            return Err(Problem::unavailable("too many fetches at the same time"));
        }
        let flight = Arc::new(Flight::new(token));
        flights.insert(place, flight.clone());
        drop(flights);
        let old = held.cloned();
        let pilot = Pilot { edge: self.clone(), key: key.clone(), hops, flight: flight.clone(), old };
        self.0.runtime.spawn(pilot.fly());
        Ok(Boarding::First(flight))
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        self.leave();
        self.flight.break_off(Failure::Broken);
    }
}

impl Pilot {
    /// Nobody joins any more.
    fn leave(&self) {
        let place = (self.key.clone(), self.hops);
        let mut flights = self.edge.flights();
        if flights.get(&place).is_some_and(|flight| Arc::ptr_eq(flight, &self.flight)) {
            flights.remove(&place);
        }
    }

    /// All has come, and is put away.
    fn finish(&self) {
        self.leave();
        self.flight.finish();
    }

    async fn fly(self) {
        let known =
            self.old.as_ref().and_then(|old| old.head.etag()).and_then(|tag| HeaderValue::try_from(tag).ok());
        let question = Question {
            address: self.key.address(&self.flight.token),
            place: self.key.address(""),
            gzip: self.key.gzip(),
            known,
            hops: self.hops,
            may_hedge: !self.key.may_block(),
        };
        let inner = &self.edge.0;
        inner.measure.fetched();
        let asked = inner.clock.now();
        let answer = inner.upstream.ask(&question, milliseconds(inner.config.head_ms)).await;
        let answered = inner.clock.now();
        match answer {
            Ok(answer) if answer.status == StatusCode::NOT_MODIFIED => {
                self.revalidated(&answer, asked, answered);
            }
            Ok(answer) if answer.status.is_server_error() && self.excused(answered) => {}
            Ok(answer) => self.land(answer, asked, answered).await,
            Err(failure) => {
                inner.measure.failed();
                if !self.excused(answered) {
                    self.flight.break_off(failure);
                }
            }
        }
    }

    fn revalidated(&self, answer: &Answer, asked: Micros, answered: Micros) {
        let inner = &self.edge.0;
        let head = Head::of(StatusCode::OK, &answer.headers, answered);
        let (Some(old), Some(head)) = (&self.old, head) else {
            return self.flight.break_off(Failure::Unusable);
        };
        let refreshed = old.head.refreshed(&head);
        let rules = inner.config.rules();
        let Some(freshness) = Freshness::of(old.head.status, &refreshed.headers, asked, answered, rules)
        else {
            return self.flight.break_off(Failure::Unusable);
        };
        if !self.flight.is_doomed() {
            inner.store.refresh(&self.key, &head, freshness);
        }
        let newer = Arc::new(old.with(refreshed, freshness));
        self.leave();
        self.flight.decide(Outcome::Revalidated(newer));
        self.finish();
    }

    /// Upstreams fail: is there something stale that will do?
    fn excused(&self, now: Micros) -> bool {
        let inner = &self.edge.0;
        let Some(old) = self.old.as_ref().filter(|old| old.freshness.may_cover_errors(now)) else {
            return false;
        };
        let excused = old.freshness.excused(now.plus(EXCUSE_S * Micros::SECOND));
        inner.store.refresh(&self.key, &old.head, excused);
        self.leave();
        self.flight.decide(Outcome::Stale(Arc::new(old.with(old.head.clone(), excused))));
        self.finish();
        true
    }

    async fn land(self, answer: Answer, asked: Micros, answered: Micros) {
        let inner = &self.edge.0;
        let most = inner.config.max_object_bytes;
        let status = answer.status;
        let usable = status == StatusCode::OK || status.is_client_error() || status.is_server_error();
        let head = Head::of(answer.status, &answer.headers, answered)
            .filter(|head| usable && head.length.is_none_or(|length| length <= most));
        let Some(head) = head else {
            inner.measure.failed();
            tracing::warn!(status = answer.status.as_u16(), "an upstream's answer cannot be used");
            return self.flight.break_off(Failure::Unusable);
        };
        let freshness = Freshness::of(head.status, &answer.headers, asked, answered, inner.config.rules());
        let (length, head) = (head.length, Arc::new(head));
        self.flight.decide(Outcome::Head(head.clone()));
        let Some(tape) = self.take_in(answer, length).await else {
            inner.measure.failed();
            return self.flight.break_off(Failure::Broken);
        };
        match (freshness, tape.draft) {
            (Some(freshness), Some(draft)) if !tape.failed => {
                self.keep_file(draft, Head::clone(&head), freshness).await;
                self.finish();
            }
            (Some(freshness), None) if !tape.failed => {
                let body = Bytes::from(self.flight.unwritten().concat());
                let kept =
                    inner.store.keep_memory(self.key.clone(), Head::clone(&head), freshness, body.clone());
                forget_doomed(&self.edge, &self.flight, &kept);
                self.finish();
                if kept.head.status == StatusCode::OK && freshness.lasts(WORTH_WRITING_S) {
                    self.write_small(kept, body).await;
                }
            }
            _ => self.finish(),
        }
    }

    /// Hands the body on as it comes, and writes it down when it is not small. `None` when it broke off.
    async fn take_in(&self, mut answer: Answer, length: Option<u64>) -> Option<Tape> {
        let config = &self.edge.0.config;
        let small = config.memory_object_bytes;
        let idle = milliseconds(config.idle_ms);
        let mut tape = Tape::default();
        loop {
            let mut next = tokio::time::timeout(idle, answer.body.next()).await.ok()?;
            let mut gathered = 0;
            let ended = loop {
                match next {
                    None => break true,
                    Some(Err(_)) => return None,
                    Some(Ok(piece)) if piece.is_empty() => {}
                    Some(Ok(piece)) => {
                        gathered += piece.len() as u64;
                        self.edge.0.measure.received(piece.len() as u64);
                        self.flight.append(piece);
                    }
                }
                if gathered >= GATHERED {
                    break false;
                }
                match answer.body.next().now_or_never() {
                    Some(more) => next = more,
                    None => break false,
                }
            };
            let received = self.flight.received();
            if received > config.max_object_bytes || length.is_some_and(|length| received > length) {
                return None;
            }
            if received > small && !self.write(&mut tape).await {
                return None;
            }
            if ended {
                return length.is_none_or(|length| length == received).then_some(tape);
            }
        }
    }

    /// Writes what has come. `false` when it cannot, and too much waits in memory.
    async fn write(&self, tape: &mut Tape) -> bool {
        let pieces = self.flight.unwritten();
        if tape.failed {
            return pieces.iter().map(|piece| piece.len() as u64).sum::<u64>() <= MAX_UNWRITTEN;
        }
        if pieces.is_empty() {
            return true;
        }
        let count = pieces.len();
        let (edge, draft) = (self.edge.clone(), tape.draft.take());
        let writing = tokio::task::spawn_blocking(move || {
            let mut draft = match draft {
                Some(draft) => draft,
                None => edge.0.store.draft()?,
            };
            pieces.iter().try_for_each(|piece| draft.append(piece))?;
            Ok::<_, io::Error>(draft)
        });
        match writing.await.map_err(io::Error::other).flatten() {
            Ok(draft) => {
                self.flight.written(&draft.file, count);
                tape.draft = Some(draft);
            }
            Err(error) => {
                tracing::error!(%error, "a body cannot be written to the cache, and is not kept");
                tape.failed = true;
            }
        }
        true
    }

    async fn keep_file(&self, draft: Draft, head: Head, freshness: Freshness) {
        if !self.edge.0.store.keeps_files() {
            return;
        }
        let (edge, key, flight) = (self.edge.clone(), self.key.clone(), self.flight.clone());
        self.put_away(move || {
            let kept = edge.0.store.keep_file(draft, key, head, freshness, edge.0.clock.now())?;
            forget_doomed(&edge, &flight, &kept);
            Ok(())
        })
        .await;
    }

    async fn write_small(&self, kept: Arc<Object>, body: Bytes) {
        if !self.edge.0.store.keeps_files() {
            return;
        }
        let (edge, flight) = (self.edge.clone(), self.flight.clone());
        self.put_away(move || {
            let filed = edge.0.store.keep_small_file(&kept, &body, edge.0.clock.now())?;
            forget_doomed(&edge, &flight, &filed);
            Ok(())
        })
        .await;
    }

    async fn put_away(&self, work: impl FnOnce() -> io::Result<()> + Send + 'static) {
        let working = tokio::task::spawn_blocking(work);
        if let Err(error) = working.await.map_err(io::Error::other).flatten() {
            tracing::error!(%error, "a body could not be kept");
        }
    }
}

/// A purge that came while the body was put away has not seen it.
fn forget_doomed(edge: &Edge, flight: &Flight, kept: &Arc<Object>) {
    if flight.is_doomed() {
        edge.0.store.forget(kept);
    }
}
