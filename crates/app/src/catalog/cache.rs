//! Answers about public titles as visitors get them, kept until the title changes.
//!
//! A change made by this process ends what was kept at once ([`store::Store::title_writes`]); one made by another process ends
//! it as soon as [`super::watch`] finds it. While nobody watches, nothing kept is used.

use std::{
    collections::HashMap,
    mem,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::HeaderValue;
use bytes::Bytes;
use domain::VideoId;

/// Most bytes that one generation keeps.
const CAPACITY: usize = 32 << 20;
/// What an answer takes besides its bytes, about.
const OVERHEAD: usize = 300;
/// How long a generation is the young one. Names of owners that another process changed are old for twice as long at most.
const YOUTH: Duration = Duration::from_secs(30);
/// Nothing kept is used when the database was not asked for changes for so long.
const WATCHED: Duration = Duration::from_millis(800);

/// The answers.
pub struct Answers {
    kept: RwLock<Generations>,
    /// Grows with every change found by watching.
    found: AtomicU64,
    /// When the database was last asked for changes: microseconds after `made`, 0 for never.
    watched_at: AtomicU64,
    made: Instant,
}

/// What was kept lately, and what was before that: when the young are too many or too old they become the old, and the old go. A
/// read changes nothing, so that readers do not wait for each other.
struct Generations {
    young: HashMap<VideoId, Arc<Answer>>,
    old: HashMap<VideoId, Arc<Answer>>,
    /// Of the young.
    bytes: usize,
    since: Instant,
}

/// One answer, ready to be sent.
#[derive(Debug)]
pub struct Answer {
    pub body: Bytes,
    pub etag: HeaderValue,
    /// [`store::Store::title_writes`] before the title was read.
    writes: u64,
}

/// What is remembered from before a title is read until its answer is kept.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    writes: u64,
    found: u64,
}

impl Answers {
    pub(crate) fn new() -> Self {
        Self {
            kept: RwLock::new(Generations::new()),
            found: AtomicU64::new(0),
            watched_at: AtomicU64::new(0),
            made: Instant::now(),
        }
    }

    /// The answer about a title, if it is still true. `writes` is the store's present number.
    pub fn get(&self, id: VideoId, writes: u64, now: Instant) -> Option<Arc<Answer>> {
        let watched_at = self.watched_at.load(Ordering::SeqCst);
        let watched_at = (watched_at > 0).then(|| self.made + Duration::from_micros(watched_at))?;
        let is_watched = now.saturating_duration_since(watched_at) < WATCHED;
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let answer = kept.young.get(&id).or_else(|| kept.old.get(&id))?;
        (is_watched && answer.writes == writes).then(|| answer.clone())
    }

    /// To be called before the title is read.
    pub fn reading(&self, writes: u64) -> Reading {
        Reading { writes, found: self.found.load(Ordering::SeqCst) }
    }

    /// Keeps an answer, unless some title was found changed since `reading`.
    pub fn keep(&self, id: VideoId, body: Bytes, etag: HeaderValue, reading: Reading) -> Arc<Answer> {
        let answer = Arc::new(Answer { body, etag, writes: reading.writes });
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: a change is either counted by now, or ends what is kept here.
        if self.found.load(Ordering::SeqCst) == reading.found {
            kept.put(id, answer.clone());
        }
        answer
    }

    /// The database was asked at `now`, and told of these changes.
    pub(super) fn watched(&self, changed: &[VideoId], now: Instant) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if !changed.is_empty() {
            self.found.fetch_add(1, Ordering::SeqCst);
        }
        for id in changed {
            kept.young.remove(id);
            kept.old.remove(id);
        }
        kept.age(now);
        let watched_at = now.saturating_duration_since(self.made).as_micros();
        self.watched_at.store(u64::try_from(watched_at).unwrap_or(u64::MAX).max(1), Ordering::SeqCst);
    }

    /// Is anything kept that changes could make untrue?
    pub(super) fn is_empty(&self) -> bool {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.young.is_empty() && kept.old.is_empty()
    }
}

impl Generations {
    fn new() -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), bytes: 0, since: Instant::now() }
    }

    fn put(&mut self, id: VideoId, answer: Arc<Answer>) {
        self.bytes += answer.body.len() + OVERHEAD;
        self.young.insert(id, answer);
        if self.bytes > CAPACITY {
            self.turn(Instant::now());
        }
    }

    fn age(&mut self, now: Instant) {
        if now.saturating_duration_since(self.since) >= YOUTH {
            self.turn(now);
        }
    }

    fn turn(&mut self, now: Instant) {
        self.old = mem::take(&mut self.young);
        (self.bytes, self.since) = (0, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keep(answers: &Answers, id: VideoId, reading: Reading) {
        answers.keep(id, Bytes::from_static(b"{}"), HeaderValue::from_static("\"r1\""), reading);
    }

    #[test]
    fn answers_are_true_while_someone_watches_and_nothing_changed() {
        let (answers, id) = (Answers::new(), VideoId::new());
        let after = |millis| answers.made + Duration::from_millis(millis);
        let is_kept = |writes, at| answers.get(id, writes, at).is_some();
        keep(&answers, id, answers.reading(1));
        assert!(!is_kept(1, after(1)), "nobody watches yet");
        answers.watched(&[], after(5000));
        assert!(is_kept(1, after(5500)));
        assert!(!is_kept(2, after(5500)), "this process changed a title");
        assert!(!is_kept(1, after(5800)), "nobody watches any more");
        answers.watched(&[VideoId::new()], after(6000));
        assert!(is_kept(1, after(6000)), "another title changed");
        answers.watched(&[id], after(6300));
        assert!(!is_kept(1, after(6300)));
    }

    #[test]
    fn an_answer_lives_for_two_generations() {
        let (answers, id) = (Answers::new(), VideoId::new());
        keep(&answers, id, answers.reading(1));
        let made = answers.made;
        for (turns, is_kept) in [(0, true), (1, true), (2, false)] {
            let now = made + (YOUTH + Duration::from_secs(1)) * turns;
            answers.watched(&[], now);
            assert_eq!(answers.get(id, 1, now).is_some(), is_kept, "{turns}");
        }
        assert!(answers.is_empty());
        let large = Bytes::from(vec![b' '; CAPACITY / 2]);
        let ids = [VideoId::new(), VideoId::new(), VideoId::new(), VideoId::new(), VideoId::new()];
        for id in ids {
            answers.keep(id, large.clone(), HeaderValue::from_static("\"r1\""), answers.reading(1));
        }
        let now = made + (YOUTH + Duration::from_secs(1)) * 2;
        assert_eq!(ids.map(|id| answers.get(id, 1, now).is_some()), [false, false, true, true, true]);
    }

    #[test]
    fn what_was_read_before_a_change_was_found_is_not_kept() {
        let (answers, id) = (Answers::new(), VideoId::new());
        let reading = answers.reading(1);
        answers.watched(&[id], answers.made);
        keep(&answers, id, reading);
        assert!(answers.get(id, 1, answers.made).is_none());
    }
}
