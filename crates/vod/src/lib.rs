//! From a file to a title: upload, probe, plan, encode, publish. ffmpeg does the decoding and encoding, in a cage.

pub mod guest;
