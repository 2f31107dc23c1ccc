//! Conformance lint: reads HLS and DASH presentations as strictly as their standards are written.
//!
//! Bytes in, findings out. [`check`] walks a whole presentation through a [`Source`], which the caller provides (HTTP, files,
//! memory); single rules can be had from the modules below. Rules are listed in [`rules::all`], each with the standard and
//! the section it comes from; `docs/lint.md` is that list.
//!
//! The lint shares no code with the writers in `cmaf`, `hls` and `dash`, and has a box reader, codec strings and a playlist
//! and XML reader of its own. Shared with the rest of the crate are `bits` (field readers) and `avc::Sps` (picture sizes).

pub mod dash;
pub mod hls;
pub mod http;
pub mod language;
pub mod loaded;
pub mod mp4;
pub mod number;
pub mod rules;

mod check;
mod image;
mod report;
mod source;

pub use check::{Options, check};
use image::size as image_size;
pub use report::{Finding, Place, Report, Severity};
pub use rules::{Rule, Standard};
pub use source::{Answer, Failure, Source, Want};
