//! What transactions of this process wrote that others may be waiting for. Seen where statements run, so that no caller can
//! forget to tell.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use domain::Topic;

/// How statements begin that somebody may be waiting for.
const TELLING: [(Topic, &str); 12] = [
    (Topic::Jobs, "INSERT INTO jobs"),
    (Topic::Jobs, "UPDATE jobs SET state = 'queued'"),
    // Those who did not take jobs may do so again.
    (Topic::Jobs, "INSERT INTO settings"),
    (Topic::Jobs, "UPDATE workers SET drained"),
    (Topic::Cancelled, "UPDATE jobs SET state = 'cancelled'"),
    (Topic::Titles, "INSERT INTO videos"),
    (Topic::Titles, "UPDATE videos"),
    (Topic::Titles, "DELETE FROM videos"),
    (Topic::Titles, "UPDATE users"),
    (Topic::Titles, "INSERT INTO steps"),
    (Topic::Titles, "UPDATE steps"),
    (Topic::Events, "INSERT INTO outbox"),
];
/// Those after which a title shows something else. New ones were shown by nobody.
const TITLES: [&str; 3] = ["UPDATE videos", "DELETE FROM videos", "UPDATE users"];

type Tell = Box<dyn Fn(Topic) + Send + Sync>;

/// What was written so far, and who is told.
#[derive(Default)]
pub(crate) struct Written {
    titles: AtomicU64,
    tell: OnceLock<Tell>,
}

/// What one transaction writes. Counts and is told when it is dropped, after the transaction ended whichever way.
pub(crate) struct Noticed {
    written: Arc<Written>,
    titles: bool,
    topics: [bool; Topic::ALL.len()],
}

impl Written {
    /// See [`Store::title_writes`](crate::Store::title_writes).
    pub(crate) fn titles(&self) -> u64 {
        self.titles.load(Ordering::SeqCst)
    }

    pub(crate) fn announce(&self, tell: Tell) {
        let _ = self.tell.set(tell);
    }
}

impl Noticed {
    pub(crate) fn by(written: Arc<Written>) -> Self {
        Self { written, titles: false, topics: [false; Topic::ALL.len()] }
    }

    pub(crate) fn statement(&mut self, sql: &str) {
        let sql = sql.trim_start();
        self.titles |= TITLES.iter().any(|start| sql.starts_with(start));
        for (topic, _) in TELLING.iter().filter(|(_, start)| sql.starts_with(start)) {
            self.topics[*topic as usize] = true;
        }
    }
}

impl Drop for Noticed {
    fn drop(&mut self) {
        if self.titles {
            self.written.titles.fetch_add(1, Ordering::SeqCst);
        }
        if let Some(tell) = self.written.tell.get() {
            Topic::ALL.into_iter().filter(|topic| self.topics[*topic as usize]).for_each(tell);
        }
    }
}
