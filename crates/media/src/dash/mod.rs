//! The DASH manifest (ISO/IEC 23009-1, live profile) of a presentation.

mod channels;
mod mpd;
mod sets;
mod time;
mod xml;

pub use mpd::mpd;
