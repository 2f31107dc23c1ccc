//! The origin over HTTP, judged by ffmpeg, ffprobe and independent playlist readers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod access;
#[path = "../../../media/tests/support/mod.rs"]
mod clips;
mod conformance;
mod delivery;
mod judges;
mod world;
