//! From a file to a title: upload or import, probe, plan, encode, publish. ffmpeg does the decoding and encoding, in a cage.

pub mod clip;
pub mod encode;
pub mod encoders;
pub mod guest;
pub mod hardware;
pub mod import;
pub mod picture;
pub mod plan;
pub mod probe;
pub mod tools;
pub mod trim;
pub mod upload;
mod version;
pub mod worker;
pub mod workflow;

#[cfg(test)]
mod testing;
