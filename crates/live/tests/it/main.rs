//! Publishers that nobody here wrote, and hostile ones, against a listener.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod client;
mod faults;
mod house;
mod ladder;
mod limits;
mod probe;
mod publish;
mod soak;
mod srt;
mod srt_client;
mod srt_faults;
