//! The two engines behind one [`Store`]: pools, transactions, and the macros that run one statement text on either.

use std::{str::FromStr, sync::Arc, time::Duration};

use domain::Topic;
use serde::{Deserialize, Serialize};
use sqlx::{
    Connection as _, PgConnection, PgPool, Postgres, Sqlite, SqliteConnection, SqlitePool, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

pub use crate::reader::Reader;
use crate::{
    Error, Result, migrate,
    noticed::{Noticed, Written},
    reader::{IDLE, Kept, PATIENCE, Pooled},
};

/// How to reach the database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// `sqlite:PATH` (embedded) or `postgres://user@host/database`.
    pub url: String,
    /// Most connections that this process keeps (PostgreSQL) or most parallel readers (SQLite).
    pub max_connections: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { url: "sqlite:kinora.db".into(), max_connections: 16 }
    }
}

/// Which database runs underneath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pools: Pools,
    kept: Arc<Kept>,
    written: Arc<Written>,
}

#[derive(Debug, Clone)]
enum Pools {
    /// One writer, so that writers queue in the pool and not on SQLite's lock; many readers, which WAL never blocks.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// A transaction. Rolls back when dropped without [`Tx::commit`].
pub struct Tx {
    open: Open,
    noticed: Noticed,
}

enum Open {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// The engine's own connection inside a [`Tx`] or [`Reader`].
pub enum Connection<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

/// Anything that statements can run on.
pub trait Connect: Send {
    fn connection(&mut self) -> Connection<'_>;

    /// The connection that `sql` will run on.
    fn running(&mut self, _sql: &str) -> Connection<'_> {
        self.connection()
    }
}

impl Connect for Tx {
    fn connection(&mut self) -> Connection<'_> {
        match &mut self.open {
            Open::Sqlite(tx) => Connection::Sqlite(tx),
            Open::Postgres(tx) => Connection::Postgres(tx),
        }
    }

    fn running(&mut self, sql: &str) -> Connection<'_> {
        self.noticed.statement(sql);
        self.connection()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("pools", &self.pools).finish_non_exhaustive()
    }
}

impl Tx {
    pub async fn commit(self) -> Result<()> {
        let Self { open, noticed } = self;
        let committed = match open {
            Open::Sqlite(tx) => tx.commit().await,
            Open::Postgres(tx) => tx.commit().await,
        };
        // Also when it is not clear whether it was committed.
        drop(noticed);
        Ok(committed?)
    }
}

impl Store {
    /// Connects, migrates the schema, and refuses a schema newer than this program.
    pub async fn connect(config: &Config) -> Result<Self> {
        let pools = match config.url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => sqlite(config).await?,
            Some("postgres" | "postgresql") => postgres(config).await?,
            _ => {
                return Err(Error::Setup(
                    "database.url must start with sqlite: or postgres://, for example sqlite:data/kinora.db"
                        .into(),
                ));
            }
        };
        let kept = Kept::of(match &pools {
            Pools::Sqlite { .. } => config.max_connections,
            // The others are for transactions.
            Pools::Postgres(_) => config.max_connections.max(2) - config.max_connections.max(4) / 4,
        });
        let store = Self { pools, kept, written: Arc::default() };
        migrate::run(&store).await?;
        Ok(store)
    }

    pub fn engine(&self) -> Engine {
        match self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    /// Starts a transaction that may write. On SQLite it holds the one write lock from here on: keep it short.
    pub async fn begin(&self) -> Result<Tx> {
        let open = match &self.pools {
            Pools::Sqlite { writer, .. } => Open::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::Postgres(pool) => Open::Postgres(pool.begin().await?),
        };
        Ok(Tx { open, noticed: Noticed::by(self.written.clone()) })
    }

    /// A connection for reads that see everything committed so far.
    pub async fn reader(&self) -> Result<Reader> {
        let acquire = async || {
            Ok(match &self.pools {
                Pools::Sqlite { readers, .. } => Pooled::Sqlite(readers.acquire().await?),
                Pools::Postgres(pool) => Pooled::Postgres(pool.acquire().await?),
            })
        };
        Ok(self.kept.reader(acquire).await?)
    }

    /// Grows with every transaction of this process that changed what titles show, as soon as the change can be read. What was
    /// read from the database stays true while this number stays, as far as this process goes.
    pub fn title_writes(&self) -> u64 {
        self.written.titles()
    }

    /// From now on `tell` is called after each transaction of this process, once for everything in it that others may be
    /// waiting for. It must not wait. The first one given counts.
    pub fn announce(&self, tell: impl Fn(Topic) + Send + Sync + 'static) {
        self.written.announce(Box::new(tell));
    }

    /// Closes all connections, after those in use were given back.
    pub async fn close(&self) {
        self.kept.close();
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

async fn sqlite(config: &Config) -> Result<Pools> {
    let options = SqliteConnectOptions::from_str(&config.url)
        .map_err(|e| Error::Setup(format!("database.url: {e}")))?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // Committed means on the disk: acknowledged upload offsets must survive a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(20))
        .pragma("cache_size", "-16000")
        .statement_cache_capacity(256);
    // A file does not go away as a server does: nothing to ask a connection before it is used.
    let pool = SqlitePoolOptions::new().acquire_timeout(PATIENCE).test_before_acquire(false);
    let writer = open_sqlite(pool.clone().max_connections(1), options.clone()).await?;
    let readers =
        open_sqlite(pool.max_connections(config.max_connections.max(1)), options.pragma("query_only", "ON"))
            .await?;
    Ok(Pools::Sqlite { writer, readers })
}

/// Opens a pool with its first connection. While another process turns a new file to WAL, SQLite answers "locked" at once,
/// whatever the busy timeout: hence the patience.
async fn open_sqlite(pool: SqlitePoolOptions, options: SqliteConnectOptions) -> Result<SqlitePool> {
    let patience = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        match pool.clone().connect_with(options.clone()).await.map_err(Error::from) {
            Err(error) if error.is_transient() && tokio::time::Instant::now() < patience => {}
            opened => return opened,
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

async fn postgres(config: &Config) -> Result<Pools> {
    let options = PgConnectOptions::from_str(&config.url)
        .map_err(|e| Error::Setup(format!("database.url: {e}")))?
        .application_name("kinora")
        .statement_cache_capacity(256);
    let pool = PgPoolOptions::new()
        .max_connections(config.max_connections.max(2))
        .acquire_timeout(PATIENCE)
        // Asked when it was given back: once is enough while it is young.
        .test_before_acquire(false)
        .before_acquire(|conn, meta| {
            Box::pin(async move { Ok(meta.idle_for < IDLE || conn.ping().await.is_ok()) })
        })
        .connect_with(options)
        .await?;
    Ok(Pools::Postgres(pool))
}

/// Runs one statement on either engine and gives the number of affected rows:
/// `execute!(tx, "UPDATE t SET a = $1 WHERE id = $2", a, id)`.
macro_rules! execute {
    ($conn:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        match $crate::db::Connect::running($conn, $sql) {
            $crate::db::Connection::Sqlite(c) => {
                sqlx::query($sql)$(.bind($arg))*.execute(c).await.map(|done| done.rows_affected())
            }
            $crate::db::Connection::Postgres(c) => {
                sqlx::query($sql)$(.bind($arg))*.execute(c).await.map(|done| done.rows_affected())
            }
        }
        .map_err($crate::Error::from)
    };
}

/// Runs a query and reads rows as `$row`, a `FromRow` struct or tuple; the fetch method comes first:
/// `query!(fetch_all, reader, (String, i64), "SELECT name, n FROM t WHERE owner_id = $1", owner)`.
///
/// The few statements that must differ are given side by side, with the same arguments:
/// `query!(fetch_all, reader, Row, sqlite "SELECT …", postgres "SELECT … FOR UPDATE SKIP LOCKED", owner)`.
macro_rules! query {
    ($fetch:ident, $conn:expr, $row:ty, sqlite $sqlite:expr, postgres $postgres:expr $(, $arg:expr)* $(,)?) => {
        match $crate::db::Connect::running($conn, $sqlite) {
            $crate::db::Connection::Sqlite(c) => {
                sqlx::query_as::<sqlx::Sqlite, $row>($sqlite)$(.bind($arg))*.$fetch(c).await
            }
            $crate::db::Connection::Postgres(c) => {
                sqlx::query_as::<sqlx::Postgres, $row>($postgres)$(.bind($arg))*.$fetch(c).await
            }
        }
        .map_err($crate::Error::from)
    };
    ($fetch:ident, $conn:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        match $crate::db::Connect::running($conn, $sql) {
            $crate::db::Connection::Sqlite(c) => {
                sqlx::query_as::<sqlx::Sqlite, $row>($sql)$(.bind($arg))*.$fetch(c).await
            }
            $crate::db::Connection::Postgres(c) => {
                sqlx::query_as::<sqlx::Postgres, $row>($sql)$(.bind($arg))*.$fetch(c).await
            }
        }
        .map_err($crate::Error::from)
    };
}

pub(crate) use {execute, query};
