//! The library: titles with their details, pictures, renditions, trash and live progress.

mod changes;
pub mod duplicates;
pub mod edit;
pub mod events;
pub mod pictures;
mod renditions;
pub mod routes;
pub mod studio;
pub mod versions;
pub mod workflow;

pub use changes::{Changes, watch};
