//! Uploads through their HTTP face, on SQLite with a local directory and again on PostgreSQL with S3.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod app;
mod joining;
mod lifetime;
mod protocol;
mod writers;

/// Makes two tests of each case: one for each pair of engines.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod embedded { $(#[tokio::test(flavor = "multi_thread")] async fn $case() {
            super::$case(crate::app::App::embedded().await).await
        })+ }
        mod cluster { $(#[tokio::test(flavor = "multi_thread")] async fn $case() {
            super::$case(crate::app::App::cluster().await).await
        })+ }
    };
}
pub(crate) use on_both;
