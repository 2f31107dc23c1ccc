//! Does a caller know the passphrase? Asked before anybody is told of it, so that who does not know it learns nothing about keys.
//!
//! Key material as it comes in the handshake: draft-sharabayko-srt-01 §3.2.2, §6.1.

use std::num::NonZeroU32;

use aws_lc_rs::{
    key_wrap::{AES_128, AES_256, AesKek, KeyWrap},
    pbkdf2,
};
use sapflow_srt::{
    crypto::{CryptoConfig, KeySize},
    packet::{Control, Extension, HandshakeKind, Packet},
};

/// Before the salt, and before the wrapped keys.
const HEADER: usize = 16;
const SALTED: usize = HEADER + 16;
const ITERATIONS: NonZeroU32 = NonZeroU32::new(2048).expect("not zero");

/// A port's passphrase.
#[derive(Clone)]
pub struct Secret {
    passphrase: String,
    /// For callers that do not choose.
    usual: KeySize,
}

impl Secret {
    /// `None` when the passphrase is too short or too long, or there are no keys of so many bits.
    pub fn new(passphrase: &str, bits: u16) -> Option<Self> {
        let usual = match bits {
            128 => KeySize::Aes128,
            256 => KeySize::Aes256,
            _ => return None,
        };
        let secret = Self { passphrase: passphrase.to_owned(), usual };
        secret.config(usual).map(|_| secret)
    }

    pub fn usual(&self) -> Option<CryptoConfig> {
        self.config(self.usual)
    }

    /// What a caller with this key material is served with; `None` when it does not know the passphrase.
    pub fn admit(&self, material: &[u8]) -> Option<CryptoConfig> {
        let (size, algorithm) = match material.get(HEADER - 1)? {
            4 => (KeySize::Aes128, &AES_128),
            8 => (KeySize::Aes256, &AES_256),
            _ => return None,
        };
        let length = if size == KeySize::Aes128 { 16 } else { 32 };
        let (salt, wrapped) = (material.get(HEADER..SALTED)?, material.get(SALTED..)?);
        let mut key = [0; 32];
        let key = &mut key[..length];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, ITERATIONS, &salt[8..], self.passphrase.as_bytes(), key);
        let mut keys = [0; 64];
        AesKek::new(algorithm, key).ok()?.unwrap(wrapped, &mut keys).ok()?;
        self.config(size)
    }

    fn config(&self, size: KeySize) -> Option<CryptoConfig> {
        CryptoConfig::new(self.passphrase.clone().into_bytes(), size).ok()
    }
}

/// The key material in a datagram, if it ends a handshake.
pub fn material(datagram: &[u8]) -> Option<Vec<u8>> {
    // Of control packets, handshakes have type 0.
    if !datagram.starts_with(&[0x80, 0]) {
        return None;
    }
    let Ok(Packet::Control(packet)) = Packet::parse(datagram) else { return None };
    let Control::Handshake(handshake) = packet.body else { return None };
    if handshake.kind != HandshakeKind::Conclusion {
        return None;
    }
    handshake.extensions.into_iter().find_map(|extension| match extension {
        Extension::KmReq(material) => Some(material),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Material as a caller makes it.
    fn example(size: u8) -> Vec<u8> {
        let length = usize::from(size) * 4;
        let mut key = vec![0; length];
        let salt = [7; 16];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, ITERATIONS, &salt[8..], b"correct horse", &mut key);
        let algorithm = if size == 4 { &AES_128 } else { &AES_256 };
        let mut wrapped = [0; 64];
        let kek = AesKek::new(algorithm, &key).unwrap();
        let wrapped = kek.wrap(&vec![9; length], &mut wrapped).unwrap();
        let mut material = vec![0x12, 0x20, 0x29, 1, 0, 0, 0, 0, 2, 0, 2, 0, 0, 0, 4, size];
        material.extend_from_slice(&salt);
        material.extend_from_slice(wrapped);
        material
    }

    #[test]
    fn only_the_passphrase_opens() {
        let (right, wrong) =
            (Secret::new("correct horse", 128).unwrap(), Secret::new("incorrect horse", 128).unwrap());
        for size in [4, 8] {
            let material = example(size);
            assert!(right.admit(&material).is_some() && wrong.admit(&material).is_none(), "{size}");
            for cut in 0..material.len() {
                assert!(right.admit(&material[..cut]).is_none(), "{cut}");
            }
        }
        let mut odd = example(4);
        odd[15] = 6;
        assert!(right.admit(&odd).is_none(), "192 bits");
        assert!(right.admit(&[9; 200]).is_none());
    }

    #[test]
    fn passphrases_have_a_length() {
        assert!(Secret::new("too short", 128).is_none() && Secret::new(&"x".repeat(80), 128).is_none());
        assert!(Secret::new("long enough", 192).is_none() && Secret::new("long enough", 256).is_some());
    }
}
