//! What tests of every crate share: private servers, throw-away databases and buckets, a clock moved by hand, media made on
//! the fly.

mod cable;
mod geo;
pub mod media;
mod nats;
mod postgres;
mod redis;
mod s3;
mod server;

pub use backends::clock::Clock;
pub use cable::Cable;
pub use geo::country_database;
pub use nats::nats;
pub use postgres::{Database, postgres, sqlite};
pub use redis::redis;
pub use s3::{Bucket, s3};

/// A clock for tests: stands still at a round time in 2026 until [`Clock::advance`] moves it.
pub fn fake_clock() -> Clock {
    Clock::manual(domain::Micros(1_767_225_600 * domain::Micros::SECOND))
}

/// Where fixtures are kept between runs.
fn cache_dir() -> std::path::PathBuf {
    let from =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(std::path::PathBuf::from);
    from("KINORA_CACHE")
        .or_else(|| from("XDG_CACHE_HOME").map(|dir| dir.join("kinora")))
        .or_else(|| from("HOME").map(|dir| dir.join(".cache/kinora")))
        .unwrap_or_else(|| std::env::temp_dir().join("kinora"))
}
