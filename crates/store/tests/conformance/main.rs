//! One suite for every engine: each test runs on SQLite and again on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

/// Makes a module `sqlite` and a module `postgres` with the named tests, functions that take a fresh [`testkit::Database`].
macro_rules! on_both_engines {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(testkit::sqlite().unwrap()).await;
            })*
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                super::$test(testkit::postgres().await.unwrap()).await;
            })*
        }
    };
}

mod events;
mod integration;
mod jobs;
mod leases;
mod live;
mod quality;
mod schema;
mod steps;
mod titles;

/// Runs statements in a transaction of their own and commits.
macro_rules! commit {
    ($store:expr, |$tx:ident| $work:expr) => {{
        let mut held = $store.begin().await.unwrap();
        let $tx = &mut held;
        let value = $work.await.unwrap();
        held.commit().await.unwrap();
        value
    }};
}

pub(crate) use commit;
