//! Opaque secrets of sessions and API tokens.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// What every API token begins with, so that leaked ones can be found by scanners.
pub(super) const API_PREFIX: &str = "kin_";

/// 256 fresh random bits as text.
pub(super) fn fresh() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

/// What is stored of a secret. A fast hash is enough: there is nothing to guess in 256 random bits.
pub(super) fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

/// Has the text a form that we could have handed out?
pub(super) fn is_plausible(secret: &str) -> bool {
    let body = secret.strip_prefix(API_PREFIX).unwrap_or(secret);
    body.len() == 43 && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_fresh_and_only_their_hash_is_kept() {
        let (one, two) = (fresh(), fresh());
        assert_ne!(one, two);
        assert!(is_plausible(&one) && is_plausible(&format!("kin_{one}")));
        assert!(!is_plausible("") && !is_plausible(&format!("{one}x")));
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
