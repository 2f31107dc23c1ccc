//! The live core: what publishers send becomes tracks of frames in rings, whatever protocol brought them.
//!
//! A protocol's session asks the [`Door`] whether a publisher may come in, and then writes into a [`Feed`]. Everything else reads
//! from there.

mod advice;
mod config;
mod crowd;
mod door;
pub mod event;
pub mod faces;
mod feed;
pub mod ladder;
mod measure;
mod meter;
pub mod pack;
pub mod programme;
pub mod record;
pub mod ring;
pub mod rtmp;
mod session;
mod slots;
pub mod srt;
mod timeline;

pub use advice::Advice;
pub use config::{Config, Limits, Passphrase, Rtmp, Srt, SrtPort, Windows};
pub use domain::event::Slot;
pub use door::{Admission, Door, Ended, Key, Knock, Protocol, Refusal};
pub use feed::{Feed, FeedWriter, Track, feed};
pub use media::frame::{Kind, TrackId};
pub use meter::{Snapshot, TrackSnapshot};
pub use slots::Slots;
