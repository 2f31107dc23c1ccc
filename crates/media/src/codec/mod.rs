//! Codecs: what their configuration boxes and headers say, and the codecs strings that follow from them.

pub mod av1;
pub mod avc;
mod colour;
pub mod dolby;
mod family;
mod hdr;
pub mod hevc;
pub mod nal;
pub mod opus;
mod picture;
mod sound;
pub mod vp9;

pub use colour::Colour;
pub use family::{Codecs, Family};
pub use hdr::{Hdr, Light, Mastering};
pub use picture::{Facts, Format, Picture, nal_units_fit, with_lengths};
pub use sound::Sound;
