//! All SQL of Kinora, one file per aggregate, on SQLite and PostgreSQL with one statement text.
//!
//! Every write happens in a [`Tx`]; functions take `&mut Tx` (or any [`Connect`] when they only read), so that a business
//! change, its jobs and its events commit together.

pub mod artwork;
pub mod attempts;
pub mod clips;
pub mod db;
pub mod duplicates;
mod error;
pub mod events;
pub mod farm;
pub mod idempotency;
pub mod imports;
pub mod inbox;
pub mod jobs;
pub mod library;
mod migrate;
mod noticed;
pub mod outbox;
pub mod overview;
pub mod positions;
pub mod presentations;
pub mod profiles;
pub mod quality;
mod reader;
pub mod related;
pub mod search;
pub mod secrets;
pub mod settings;
pub mod sharing;
pub mod sources;
pub mod steps;
pub mod studio;
pub mod tokens;
pub mod units;
pub mod uploads;
pub mod users;
pub mod versions;
pub mod videos;
pub mod warmings;
pub mod watchlist;
pub mod webhooks;
pub mod workers;

pub use db::{Config, Connect, Engine, Reader, Store, Tx};
pub use error::{Error, Result};
