//! Configuration, roles and wiring of the `kinora` program. A library as well, so that tests run the real thing in process.

pub mod cli;
pub mod config;
pub mod handover;
pub mod http;
mod logs;
mod machine;
mod maintenance;
pub mod openapi;
mod private;
pub mod router;
pub mod serve;
