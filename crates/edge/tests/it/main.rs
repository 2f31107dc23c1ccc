//! The edge in front of an upstream that does what a test tells it to.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bound;
mod caching;
mod entry;
mod flights;
mod held;
mod lane;
mod pool;
mod ranges;
mod warm;
mod world;
