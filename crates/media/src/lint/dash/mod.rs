//! DASH manifests (ISO/IEC 23009-1), read strictly.

pub mod addressing;
mod attributes;
pub mod manifest;
pub mod reload;
mod sets;
pub mod truth;
pub mod xml;

pub use attributes::{place, range};
pub use manifest::{Manifest, read};
pub use sets::{Representation, Set};

/// Whether bytes look like a manifest at all.
pub fn is_manifest(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(4096)];
    start.windows(4).any(|w| w == b"<MPD" || w == b":MPD")
}
