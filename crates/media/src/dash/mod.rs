//! The DASH manifest (ISO/IEC 23009-1, live profile) of a presentation.

mod channels;
mod live;
mod mpd;
mod sets;
mod xml;

pub use live::live_mpd;
pub use mpd::mpd;
