//! Connections for reading, kept between uses.
//!
//! The pool asks a connection whether it still stands each time one is given back, by a round trip and a task of its own: for a
//! read of one row that is as much again as the read. So connections for reading go around it, for as long as nothing fails and
//! they are not idle for long; then the pool has them back, and asks.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{Postgres, Sqlite, pool::PoolConnection};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::db::{Connect, Connection};

/// A connection that was idle for so long may have gone: it goes back to the pool, and is asked before it is used again.
pub(crate) const IDLE: Duration = Duration::from_secs(1);

/// How long is waited for a connection.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Failures of connections in this process. None is kept over one: which of them it was is not told.
static FAILURES: AtomicU64 = AtomicU64::new(0);

/// A connection failed.
pub(crate) fn failed() {
    FAILURES.fetch_add(1, Ordering::Relaxed);
}

/// A connection for reading outside a transaction.
pub struct Reader {
    connection: Option<Pooled>,
    failures: u64,
    kept: Arc<Kept>,
    // Given back last.
    _permit: OwnedSemaphorePermit,
}

pub(crate) enum Pooled {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// The connections for reading.
pub(crate) struct Kept {
    /// One for each: who waits for a connection waits here and not in the pool, which those kept never reach.
    permits: Arc<Semaphore>,
    /// `None`: no more are kept.
    idle: Mutex<Option<Vec<Idle>>>,
}

struct Idle {
    connection: Pooled,
    since: Instant,
    failures: u64,
}

impl Kept {
    /// At most so many at a time.
    pub fn of(connections: u32) -> Arc<Self> {
        let permits = Arc::new(Semaphore::new(connections.max(1) as usize));
        Arc::new(Self { permits, idle: Mutex::new(Some(Vec::new())) })
    }

    /// The connection that was used last, if it may be used again; or else one that `acquire` brings.
    pub async fn reader<F>(self: &Arc<Self>, acquire: impl FnOnce() -> F) -> Result<Reader, sqlx::Error>
    where
        F: Future<Output = Result<Pooled, sqlx::Error>>,
    {
        let permit = tokio::time::timeout(PATIENCE, self.permits.clone().acquire_owned());
        let permit = permit.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let permit = permit.map_err(|_| sqlx::Error::PoolClosed)?;
        let failures = FAILURES.load(Ordering::Relaxed);
        let connection = match self.take(failures) {
            Some(connection) => connection,
            None => acquire().await?,
        };
        Ok(Reader { connection: Some(connection), failures, kept: self.clone(), _permit: permit })
    }

    fn take(&self, failures: u64) -> Option<Pooled> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let stack = idle.as_mut()?;
        // The first is idle longest. What is dropped here goes back to the pool.
        let old =
            stack.iter().take_while(|one| one.failures != failures || one.since.elapsed() > IDLE).count();
        let old: Vec<_> = stack.drain(..old).collect();
        let last = stack.pop();
        drop(idle);
        drop(old);
        last.map(|one| one.connection)
    }

    /// Gives everything back to the pool, now and from now on.
    pub fn close(&self) {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(idle);
    }

    fn put(&self, connection: Pooled, failures: u64) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.as_mut() {
            Some(stack) if failures == FAILURES.load(Ordering::Relaxed) => {
                stack.push(Idle { connection, since: Instant::now(), failures });
            }
            _ => {
                drop(idle);
                drop(connection);
            }
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // The pool takes nothing back once the runtime has ended; the connections end here.
        let idle = self.idle.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        for one in idle.into_iter().flatten() {
            match one.connection {
                Pooled::Sqlite(connection) => drop(connection.leak()),
                Pooled::Postgres(connection) => drop(connection.leak()),
            }
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.kept.put(connection, self.failures);
        }
    }
}

impl Connect for Reader {
    fn connection(&mut self) -> Connection<'_> {
        match self.connection.as_mut() {
            Some(Pooled::Sqlite(connection)) => Connection::Sqlite(connection),
            Some(Pooled::Postgres(connection)) => Connection::Postgres(connection),
            None => unreachable!("taken only when dropped"),
        }
    }
}
