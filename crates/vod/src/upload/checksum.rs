//! `Upload-Checksum` (§ Checksum): the hash of one request's body, checked before any of it counts.

use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::STANDARD};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use super::{
    error::{Result, bad},
    headers,
};

/// What `Tus-Checksum-Algorithm` tells.
pub const ALGORITHMS: &str = "sha1,sha256";

/// The hash that a body must have, and the hash so far.
pub struct Checksum {
    hasher: Hasher,
    expected: Vec<u8>,
}

enum Hasher {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// Reads `Upload-Checksum: algorithm base64`.
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>> {
        let Some(value) = headers::text(headers, "upload-checksum")? else { return Ok(None) };
        let (algorithm, hash) =
            value.split_once(' ').ok_or_else(|| bad("Upload-Checksum is an algorithm and a base64 hash."))?;
        let hasher = match algorithm {
            "sha1" => Hasher::Sha1(Sha1::new()),
            "sha256" => Hasher::Sha256(Sha256::new()),
            _ => return Err(bad(format!("Upload-Checksum: this server checks {ALGORITHMS}."))),
        };
        let expected =
            STANDARD.decode(hash.trim()).map_err(|_| bad("Upload-Checksum: the hash is not base64."))?;
        let length = match hasher {
            Hasher::Sha1(_) => 20,
            Hasher::Sha256(_) => 32,
        };
        if expected.len() != length {
            return Err(bad(format!("Upload-Checksum: a {algorithm} hash has {length} bytes.")));
        }
        Ok(Some(Self { hasher, expected }))
    }

    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.hasher {
            Hasher::Sha1(hasher) => hasher.update(bytes),
            Hasher::Sha256(hasher) => hasher.update(bytes),
        }
    }

    pub fn matches(self) -> bool {
        match self.hasher {
            Hasher::Sha1(hasher) => hasher.finalize()[..] == self.expected[..],
            Hasher::Sha256(hasher) => hasher.finalize()[..] == self.expected[..],
        }
    }
}
