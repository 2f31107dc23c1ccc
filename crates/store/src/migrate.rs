//! Schema migrations: numbered, forward only, run at start under a lock, refusing a newer schema.

use crate::{
    Connect, Error, Result, Store, Tx,
    db::{Connection, execute, query},
};

/// Every migration, oldest first; the position + 1 is its number. Never edit one that was released.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_house.sql"),
    include_str!("../migrations/0002_library.sql"),
    include_str!("../migrations/0003_source.sql"),
    include_str!("../migrations/0004_pictures.sql"),
    include_str!("../migrations/0005_integration.sql"),
    include_str!("../migrations/0006_operations.sql"),
    include_str!("../migrations/0007_watching.sql"),
    include_str!("../migrations/0008_farm.sql"),
    include_str!("../migrations/0009_failures.sql"),
    include_str!("../migrations/0010_viewing.sql"),
    include_str!("../migrations/0011_quality.sql"),
    include_str!("../migrations/0012_edges.sql"),
    include_str!("../migrations/0013_events.sql"),
];

/// Brings the schema to this program's version, all in one transaction.
pub(crate) async fn run(store: &Store) -> Result<()> {
    let mut tx = store.begin().await?;
    lock(&mut tx).await?;
    execute!(&mut tx, "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")?;
    let found = query!(fetch_optional, &mut tx, (i64,), "SELECT version FROM schema_version")?;
    let current = found.map_or(0, |(version,)| version);
    let known = MIGRATIONS.len() as i64;
    if current > known {
        return Err(Error::Setup(format!(
            "the database has schema version {current}, this Kinora knows {known}: start the newer Kinora, or restore a \
             backup made before the upgrade"
        )));
    }
    for (at, sql) in MIGRATIONS.iter().enumerate().skip(current as usize) {
        run_script(&mut tx, sql).await?;
        tracing::info!(version = at + 1, "database schema migrated");
    }
    if found.is_none() {
        execute!(&mut tx, "INSERT INTO schema_version (version) VALUES ($1)", known)?;
    } else if current < known {
        execute!(&mut tx, "UPDATE schema_version SET version = $1", known)?;
    }
    tx.commit().await
}

/// Two processes may start at once. SQLite's `BEGIN IMMEDIATE` already serialises them.
async fn lock(tx: &mut Tx) -> Result<()> {
    if let Connection::Postgres(conn) = tx.connection() {
        sqlx::query("SELECT pg_advisory_xact_lock(7305311)").execute(conn).await?;
    }
    Ok(())
}

async fn run_script(tx: &mut Tx, sql: &'static str) -> Result<()> {
    match tx.connection() {
        Connection::Sqlite(conn) => sqlx::raw_sql(sql).execute(conn).await.map(|_| ())?,
        Connection::Postgres(conn) => sqlx::raw_sql(sql).execute(conn).await.map(|_| ())?,
    }
    Ok(())
}
