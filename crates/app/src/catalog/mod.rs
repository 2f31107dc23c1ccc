//! The library: titles with their details and history, pictures, renditions, schedules, trash, live progress.

pub mod artwork;
pub mod bulk;
mod cache;
mod changes;
pub mod duplicates;
pub mod edit;
pub mod events;
pub mod log;
pub mod pictures;
mod renditions;
pub mod routes;
pub mod schedule;
pub mod studio;
mod together;
mod trash;
pub mod versions;
pub mod workflow;

pub use cache::Answers;
pub use changes::{Changes, watch};
pub(crate) use together::Together;
pub(crate) use trash::put as put_in_trash;
