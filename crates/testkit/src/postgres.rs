//! Throw-away databases: each caller gets a fresh, empty one.

use std::process::Command;

use anyhow::{Context, Result, anyhow, ensure};
use tokio::{sync::OnceCell, task::spawn_blocking};
use uuid::Uuid;

/// A fresh database; removed when dropped.
pub struct Database {
    pub url: String,
    drop: Option<Dropping>,
    _dir: Option<tempfile::TempDir>,
}

struct Dropping {
    server: String,
    name: String,
}

impl Database {
    /// Configuration for [`store::Store::connect`], with few connections since tests run side by side.
    pub fn config(&self) -> store::Config {
        store::Config { url: self.url.clone(), max_connections: 8 }
    }

    /// Connects and migrates.
    pub async fn store(&self) -> store::Result<store::Store> {
        store::Store::connect(&self.config()).await
    }
}

/// A fresh PostgreSQL database on the server that `KINORA_TEST_POSTGRES` names, or on a private one of this test process.
pub async fn postgres() -> Result<Database> {
    static SERVER: OnceCell<String> = OnceCell::const_new();
    let server = SERVER
        .get_or_try_init(|| async {
            spawn_blocking(|| crate::server::address("KINORA_TEST_POSTGRES", "postgres")).await?
        })
        .await?;
    let name = format!("kinora_{}", Uuid::now_v7().simple());
    let url = with_database(server, &name)?;
    let dropping = Dropping { server: server.clone(), name: name.clone() };
    spawn_blocking(move || psql(server, &format!("CREATE DATABASE {name}"))).await??;
    Ok(Database { url, drop: Some(dropping), _dir: None })
}

/// Runs one statement outside a transaction, by PostgreSQL's own client: SQL in Rust lives in `store` alone.
fn psql(url: &str, sql: &str) -> Result<()> {
    let done = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--command", sql, url])
        .output()
        .context("run psql")?;
    ensure!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}

/// A fresh SQLite database in a temporary directory.
pub fn sqlite() -> Result<Database> {
    let dir = tempfile::tempdir()?;
    let url = format!("sqlite:{}", dir.path().join("kinora.db").display());
    Ok(Database { url, drop: None, _dir: Some(dir) })
}

/// `address` with another database name: `postgres://user@host/NAME?options`.
fn with_database(address: &str, name: &str) -> Result<String> {
    let (base, options) =
        address.split_once('?').map_or((address, None), |(base, options)| (base, Some(options)));
    let (scheme, rest) =
        base.split_once("://").ok_or_else(|| anyhow!("{address} is not a PostgreSQL address"))?;
    let authority = rest.split('/').next().unwrap_or(rest);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    Ok(format!("{scheme}://{authority}/{name}{options}"))
}

impl Drop for Database {
    fn drop(&mut self) {
        let Some(Dropping { server, name }) = self.drop.take() else { return };
        // A server that is gone already took the database with it.
        let _ = psql(&server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_the_database_changes() {
        let cases = [
            ("postgres://u@localhost/postgres?host=/tmp/x", "postgres://u@localhost/n?host=/tmp/x"),
            ("postgres://u:p@127.0.0.1:5433/postgres", "postgres://u:p@127.0.0.1:5433/n"),
            ("postgres://u@h", "postgres://u@h/n"),
        ];
        for (address, expected) in cases {
            assert_eq!(with_database(address, "n").unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn each_caller_has_an_empty_database_that_goes_with_it() {
        let (first, second) = (postgres().await.unwrap(), postgres().await.unwrap());
        assert_ne!(first.url, second.url);
        psql(&first.url, "CREATE TABLE t (a INT)").unwrap();
        psql(&first.url, "SELECT * FROM t").unwrap();
        assert!(psql(&second.url, "SELECT * FROM t").is_err(), "the two share tables");
        let url = first.url.clone();
        drop(first);
        assert!(psql(&url, "SELECT 1").is_err(), "the database outlived its handle");
    }
}
