//! Migrations: two processes at once, a newer schema, a second start.

use std::str::FromStr;

use sqlx::{Connection, Executor};
use store::{Error, Store};
use testkit::Database;
use tokio::task::JoinSet;

on_both_engines!(
    processes_that_start_at_once_migrate_once,
    a_newer_schema_is_refused,
    a_second_start_keeps_the_data
);

/// Runs a statement behind the store's back.
async fn raw(database: &Database, sql: &'static str) {
    if database.url.starts_with("sqlite:") {
        let options = sqlx::sqlite::SqliteConnectOptions::from_str(&database.url).unwrap();
        let mut conn = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        conn.execute(sql).await.unwrap();
        conn.close().await.unwrap();
    } else {
        let mut conn = sqlx::PgConnection::connect(&database.url).await.unwrap();
        conn.execute(sql).await.unwrap();
        conn.close().await.unwrap();
    }
}

async fn processes_that_start_at_once_migrate_once(database: Database) {
    let mut starts = JoinSet::new();
    for _ in 0..6 {
        let config = database.config();
        starts.spawn(async move { Store::connect(&config).await });
    }
    for started in starts.join_all().await {
        started.unwrap().close().await;
    }
    // A second row would mean that two of them migrated.
    raw(&database, "CREATE UNIQUE INDEX one_version ON schema_version (version)").await;
    database.store().await.unwrap();
}

async fn a_newer_schema_is_refused(database: Database) {
    database.store().await.unwrap().close().await;
    raw(&database, "UPDATE schema_version SET version = 1000000").await;
    match database.store().await {
        Err(Error::Setup(text)) => assert!(text.contains("1000000") && text.contains("newer"), "{text}"),
        other => panic!("{other:?}"),
    }
}

async fn a_second_start_keeps_the_data(database: Database) {
    let store = database.store().await.unwrap();
    crate::commit!(store, |tx| store::secrets::get_or_create(tx, "key", "value", domain::Micros(1)));
    store.close().await;
    let store = database.store().await.unwrap();
    let value = store::secrets::get(&mut store.reader().await.unwrap(), "key").await.unwrap();
    assert_eq!(value.as_deref(), Some("value"));
}

#[tokio::test]
async fn an_address_of_no_engine_is_refused_in_words() {
    for url in ["", "mysql://x/y", "kinora.db"] {
        let config = store::Config { url: url.into(), ..store::Config::default() };
        match Store::connect(&config).await {
            Err(Error::Setup(text)) => assert!(text.contains("sqlite:"), "{text}"),
            other => panic!("{url}: {other:?}"),
        }
    }
}
