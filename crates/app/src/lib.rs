//! The features of Kinora that people meet over HTTP, one folder each. They never import one another: what two of them
//! need (who may open a title, how it looks in JSON) stands beside the folders.

pub mod accounts;
pub mod announce;
pub mod asker;
mod broadcast;
pub mod catalog;
pub mod control;
pub mod discovery;
mod error;
pub mod events;
pub mod history;
pub mod idempotency;
pub mod live;
mod personal;
pub mod playback;
pub mod sharing;
pub mod state;
pub mod title;
pub mod view;
pub mod watchlist;
pub mod webhooks;

pub use asker::Asker;
pub use error::{Error, Result};
pub use state::{App, Config};
