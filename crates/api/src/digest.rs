//! Names of bytes: what entity tags are made of.

use sha2::{Digest, Sha256};

/// 128 bits of SHA-256 over the parts, in hexadecimal.
pub fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
