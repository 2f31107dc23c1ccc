//! Public keys of playback tokens, from the object store: all that origins and edges need to know who may fetch.

use std::{
    sync::RwLock,
    time::{Duration, Instant},
};

use domain::{
    Micros,
    playback_token::{Checker, Claims, Refused},
};
use serde::Deserialize;

use crate::blob::{self, Blobs, names};

/// Most keys that are read: several exist only while one is being rotated.
const MAX_KEYS: usize = 64;
/// Largest key object.
const MAX_BYTES: u64 = 4096;

/// The keys that are known.
pub struct Keys {
    blobs: Blobs,
    least: Duration,
    checker: RwLock<Checker>,
    /// When the keys were last looked for; held while looking, so that concurrent requests look once.
    looked: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Deserialize)]
struct PublicKey {
    alg: String,
    public_key: String,
}

impl Keys {
    /// Knows none until a token is checked; `least` is the least time between two looks.
    pub fn new(blobs: Blobs, least: Duration) -> Self {
        Self { blobs, least, checker: RwLock::new(Checker::default()), looked: tokio::sync::Mutex::new(None) }
    }

    /// The claims of a token that is one of ours and good at `now`. Keys are looked for again when a signature is not known.
    pub async fn check(&self, token: &str, now: Micros) -> blob::Result<Result<Claims, Refused>> {
        let asked = Instant::now();
        let checked = self.checker().check(token, now);
        if checked != Err(Refused::BadSignature) {
            return Ok(checked);
        }
        self.refresh(asked).await?;
        Ok(self.checker().check(token, now))
    }

    /// Checks tokens with the keys known by now.
    fn checker(&self) -> Checker {
        self.checker.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Looks for keys again, unless that was done a moment ago. `asked` is when the caller found the known keys
    /// wanting: a look that began later serves it as well.
    async fn refresh(&self, asked: Instant) -> blob::Result<()> {
        let mut looked = self.looked.lock().await;
        if looked.is_some_and(|at| at >= asked || at.elapsed() < self.least) {
            return Ok(());
        }
        let began = Instant::now();
        let checker = self.read().await?;
        *self.checker.write().unwrap_or_else(std::sync::PoisonError::into_inner) = checker;
        *looked = Some(began);
        Ok(())
    }

    async fn read(&self) -> blob::Result<Checker> {
        let mut keys = Vec::new();
        let entries = self.blobs.list(&names::playback_keys()).await?;
        for entry in entries.iter().filter(|e| e.size <= MAX_BYTES).take(MAX_KEYS) {
            match parse(&self.blobs.get(&entry.object).await?) {
                Some(key) => keys.push(key),
                None => tracing::warn!(object = entry.object, "not a public key of playback tokens"),
            }
        }
        Ok(Checker::new(keys))
    }
}

fn parse(bytes: &[u8]) -> Option<[u8; 32]> {
    let key: PublicKey = serde_json::from_slice(bytes).ok()?;
    let text = key.public_key.as_bytes();
    if key.alg != "Ed25519" || text.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (byte, pair) in out.iter_mut().zip(text.chunks(2)) {
        let digit = |b: u8| char::from(b).to_digit(16);
        *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ed25519_keys_in_hexadecimal_are_taken() {
        let json =
            |alg: &str, key: &str| format!("{{\"alg\":\"{alg}\",\"public_key\":\"{key}\"}}").into_bytes();
        assert_eq!(parse(&json("Ed25519", &"0a".repeat(32))), Some([10; 32]));
        assert_eq!(parse(&json("Ed25519", &"0a".repeat(31))), None);
        assert_eq!(parse(&json("Ed25519", &"0x".repeat(32))), None);
        assert_eq!(parse(&json("RS256", &"0a".repeat(32))), None);
        assert_eq!(parse(b"{}"), None);
    }
}
