//! All SQL of Kinora, one file per aggregate, on SQLite and PostgreSQL with one statement text.
//!
//! Every write happens in a [`Tx`]; functions take `&mut Tx` (or any [`Connect`] when they only read), so that a business
//! change, its jobs and its events commit together.

pub mod db;
mod error;
mod migrate;

pub use db::{Config, Connect, Engine, Reader, Store, Tx};
pub use error::{Error, Result};
