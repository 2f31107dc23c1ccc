//! The signed token in every media URL: what its bearer may fetch, until when.
//!
//! Form: `base64url(claims as JSON) "." base64url(Ed25519 signature over the first part)`, without padding
//! (RFC 4648 §5, RFC 8032). Origins and edges verify it with the public key alone and cannot mint one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Country, Micros, PresentationId};

/// Longest token that is looked at.
const MAX_LEN: usize = 1024;

/// What a token grants. Only `max_height` may change a byte of an answer, so only it takes part in the cache key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    /// Presentation that may be fetched.
    #[serde(rename = "p")]
    pub presentation: PresentationId,
    /// Expiry, seconds since the Unix epoch.
    #[serde(rename = "e")]
    pub expires: i64,
    /// Playback session, for beats and revocation.
    #[serde(rename = "s")]
    pub session: uuid::Uuid,
    /// Rungs above this short side are not shown.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub max_height: Option<u32>,
    /// It counts only in the country where it was given: its title is not for everywhere.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// It counts only for the program that it was given to: a [`browser_mark`].
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
}

/// Why a token was refused. Malformed or with a wrong signature it was never ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the token is malformed")]
    Malformed,
    #[error("the token's signature is wrong")]
    BadSignature,
    #[error("the token has expired")]
    Expired,
    #[error("the token is for another title")]
    AnotherTitle,
}

/// Bytes of a hash that a mark keeps.
const MARK: usize = 9;

/// What tells one program from another, of its `User-Agent`.
pub fn browser_mark(user_agent: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(user_agent)[..MARK])
}

impl Claims {
    /// For whoever has it, until it expires.
    pub fn new(presentation: PresentationId, expires: i64, session: uuid::Uuid) -> Self {
        Self { presentation, expires, session, max_height: None, country: None, browser: None }
    }

    /// Does it depend on who shows it?
    pub fn is_bound(&self) -> bool {
        self.country.is_some() || self.browser.is_some()
    }

    /// Do they let their bearer fetch something of `presentation` at `now`?
    pub fn permit(&self, presentation: PresentationId, now: Micros) -> Result<(), Refused> {
        if self.expires <= now.seconds() {
            return Err(Refused::Expired);
        }
        if self.presentation == presentation { Ok(()) } else { Err(Refused::AnotherTitle) }
    }
}

/// Mints tokens. Held by the API role only.
#[derive(Clone)]
pub struct Minter(SigningKey);

/// Checks tokens, with one or more public keys (several while a key is being rotated).
#[derive(Debug, Clone, Default)]
pub struct Checker(Vec<VerifyingKey>);

impl Minter {
    /// From a 32-byte secret seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The 32-byte public key that checks this minter's tokens.
    pub fn public_key(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    pub fn mint(&self, claims: &Claims) -> String {
        let json = serde_json::to_vec(claims).unwrap_or_default();
        let body = URL_SAFE_NO_PAD.encode(json);
        let signature = self.0.sign(body.as_bytes());
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

impl Checker {
    /// From 32-byte public keys; one that is not a curve point is ignored.
    pub fn new(keys: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self(keys.into_iter().filter_map(|k| VerifyingKey::from_bytes(&k).ok()).collect())
    }

    /// The claims of a genuine token that has not expired at `now`.
    pub fn check(&self, token: &str, now: Micros) -> Result<Claims, Refused> {
        if token.len() > MAX_LEN {
            return Err(Refused::Malformed);
        }
        let (body, signature) = token.split_once('.').ok_or(Refused::Malformed)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refused::Malformed)?;
        let signature = Signature::from_slice(&signature).map_err(|_| Refused::Malformed)?;
        if !self.0.iter().any(|key| key.verify(body.as_bytes(), &signature).is_ok()) {
            return Err(Refused::BadSignature);
        }
        let json = URL_SAFE_NO_PAD.decode(body).map_err(|_| Refused::Malformed)?;
        let claims: Claims = serde_json::from_slice(&json).map_err(|_| Refused::Malformed)?;
        if claims.expires <= now.seconds() { Err(Refused::Expired) } else { Ok(claims) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        let all = Claims::new(PresentationId::new(), 1000, uuid::Uuid::now_v7());
        Claims {
            max_height: Some(720),
            country: "DE".parse().ok(),
            browser: Some(browser_mark("Mozilla/5.0")),
            ..all
        }
    }

    const BEFORE: Micros = Micros(999 * Micros::SECOND);

    #[test]
    fn a_genuine_token_is_read_back() {
        let minter = Minter::from_seed(&[7; 32]);
        let checker = Checker::new([[1; 32], minter.public_key()]);
        let claims = claims();
        assert_eq!(checker.check(&minter.mint(&claims), BEFORE), Ok(claims));
    }

    #[test]
    fn altered_foreign_and_expired_tokens_are_refused() {
        let minter = Minter::from_seed(&[7; 32]);
        let checker = Checker::new([minter.public_key()]);
        let token = minter.mint(&claims());
        assert_eq!(checker.check(&token, Micros(1000 * Micros::SECOND)), Err(Refused::Expired));
        let foreign = Minter::from_seed(&[8; 32]).mint(&claims());
        assert_eq!(checker.check(&foreign, BEFORE), Err(Refused::BadSignature));
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(checker.check(&altered, BEFORE).is_err(), "position {at}");
        }
        assert_eq!(checker.check("", BEFORE), Err(Refused::Malformed));
        assert_eq!(checker.check(&"a.".repeat(4000), BEFORE), Err(Refused::Malformed));
    }
}
