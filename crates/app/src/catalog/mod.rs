//! The library: titles with their details, pictures, renditions, trash and live progress.

pub mod artwork;
mod changes;
pub mod edit;
pub mod events;
pub mod pictures;
mod renditions;
pub mod routes;
pub mod studio;
pub mod workflow;

pub use changes::{Changes, watch};
