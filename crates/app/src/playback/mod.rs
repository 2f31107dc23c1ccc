//! The start of a playback: rights are checked once, here; what follows is carried by a signed token in the media URLs.

mod devices;
mod key;
pub mod narrowed;
pub mod routes;
mod streams;

pub use key::ready as ready_key;
