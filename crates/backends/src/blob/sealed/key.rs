//! The keys: key-encryption keys from the configuration, and one data key for each object, wrapped in its header.
//!
//! Header, 96 bytes: magic (16), version (1), log2 of the block size (1), two zero bytes, key id (8: the first bytes of
//! SHA-256 of the key-encryption key), length of the object in bytes (8, big-endian), nonce (12), wrapped data key (32 + 16).
//! The key is wrapped by AES-256-GCM; the additional data are the header up to the nonce, and the object's name.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest, rand,
};
use bytes::BytesMut;

use super::layout::{self, HEADER, NONCE, TAG};
use crate::blob::{Error, Result};

const MAGIC: [u8; 16] = *b"\x89Kinora sealed\r\n";
const VERSION: u8 = 1;
/// Header bytes before the nonce.
const OPEN: usize = 36;
/// A beginning that agrees with the magic in so many bytes is a damaged header, not an object that was never encrypted.
const ALIKE: usize = 12;

/// Does an object with this beginning claim to be encrypted?
pub fn is_sealed(beginning: &[u8]) -> bool {
    beginning.iter().zip(MAGIC).filter(|(a, b)| **a == *b).count() >= ALIKE
}

/// A key-encryption key.
pub struct Kek {
    pub id: [u8; 8],
    key: LessSafeKey,
}

impl Kek {
    /// From 64 hexadecimal digits. The error says which setting is wrong, and never shows it.
    pub fn parse(text: &str, setting: &str) -> Result<Self> {
        let mut bytes = [0; 32];
        let wrong = || Error::other(setting, "a key must be 64 hexadecimal digits (32 bytes)");
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| wrong())?;
        let mut id = [0; 8];
        id.copy_from_slice(&digest::digest(&digest::SHA256, &bytes).as_ref()[..8]);
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| wrong())?;
        Ok(Self { id, key: LessSafeKey::new(key) })
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kek({})", hex::encode(self.id))
    }
}

/// One object's data key, with its header.
pub struct ObjectKey {
    pub header: [u8; HEADER],
    /// Bytes of the object.
    pub length: u64,
    key: LessSafeKey,
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObjectKey").field("length", &self.length).finish_non_exhaustive()
    }
}

impl ObjectKey {
    /// A fresh key for an object of `length` bytes.
    pub fn new(kek: &Kek, object: &str, length: u64) -> Result<Self> {
        let mut data = [0; 32];
        random(object, &mut data)?;
        let mut header = [0; HEADER];
        header[..16].copy_from_slice(&MAGIC);
        header[16] = VERSION;
        header[17] = layout::BLOCK.trailing_zeros() as u8;
        header[20..28].copy_from_slice(&kek.id);
        header[28..OPEN].copy_from_slice(&length.to_be_bytes());
        let mut nonce = [0; NONCE];
        random(object, &mut nonce)?;
        let (open, rest) = header.split_at_mut(OPEN);
        rest[..NONCE].copy_from_slice(&nonce);
        let (wrapped, tag) = rest[NONCE..].split_at_mut(32);
        wrapped.copy_from_slice(&data);
        let aad = Aad::from([open, object.as_bytes()].concat());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let made = kek.key.seal_in_place_separate_tag(nonce, aad, wrapped);
        tag.copy_from_slice(made.map_err(|_| failed(object))?.as_ref());
        Ok(Self { header, length, key: data_key(object, &data)? })
    }

    /// From the header that `stored` begins with.
    pub fn open(keys: &[Kek], object: &str, stored: &[u8]) -> Result<Self> {
        let header: [u8; HEADER] = stored
            .get(..HEADER)
            .and_then(|header| header.try_into().ok())
            .ok_or_else(|| damaged(object, "its header is cut off"))?;
        if header[..16] != MAGIC {
            return Err(damaged(object, "its header has changed"));
        }
        if header[16] != VERSION || u32::from(header[17]) != layout::BLOCK.trailing_zeros() {
            return Err(Error::other(
                object,
                "is encrypted in a way that this version of Kinora does not know",
            ));
        }
        let id = &header[20..28];
        let kek = keys.iter().find(|kek| kek.id == id).ok_or_else(|| unknown_key(object, id))?;
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&header[OPEN..OPEN + NONCE]);
        let mut data = [0; 32];
        data.copy_from_slice(&header[OPEN + NONCE..HEADER - TAG]);
        let aad = Aad::from([&header[..OPEN], object.as_bytes()].concat());
        let nonce = Nonce::assume_unique_for_key(nonce);
        kek.key
            .open_in_place_separate_tag(nonce, aad, &header[HEADER - TAG..], &mut data)
            .map_err(|_| damaged(object, "its header does not belong to it, or has changed"))?;
        let mut length = [0; 8];
        length.copy_from_slice(&header[28..OPEN]);
        Ok(Self { header, length: u64::from_be_bytes(length), key: data_key(object, &data)? })
    }

    /// Appends block number `block`, whose bytes are `plain`, in its stored form.
    pub fn seal(&self, object: &str, block: u64, plain: &[u8], out: &mut BytesMut) -> Result<()> {
        let mut nonce = [0; NONCE];
        random(object, &mut nonce)?;
        #[cfg(test)]
        super::witness::note(&self.header, &nonce);
        out.extend_from_slice(&nonce);
        let from = out.len();
        out.extend_from_slice(plain);
        let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(block.to_be_bytes()));
        let tag = self.key.seal_in_place_separate_tag(nonce, aad, &mut out[from..]);
        out.extend_from_slice(tag.map_err(|_| failed(object))?.as_ref());
        Ok(())
    }

    /// The bytes of whole blocks, the first of which is `block`, from their stored form.
    pub fn unseal(&self, object: &str, mut block: u64, mut stored: &[u8]) -> Result<Vec<u8>> {
        let mut plain = Vec::with_capacity(stored.len());
        while !stored.is_empty() {
            let held = layout::held(block, self.length);
            if held == 0 {
                return Err(damaged(object, "it is longer than it was"));
            }
            let Some((one, rest)) = stored.split_at_checked(NONCE + held + TAG) else {
                return Err(damaged(object, "it is shorter than it was"));
            };
            let mut nonce = [0; NONCE];
            nonce.copy_from_slice(&one[..NONCE]);
            let (text, tag) = one[NONCE..].split_at(held);
            let from = plain.len();
            plain.resize(from + held, 0);
            let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(block.to_be_bytes()));
            self.key
                .open_separate_gather(nonce, aad, text, tag, &mut plain[from..])
                .map_err(|_| damaged(object, &format!("block {block} has changed")))?;
            (block, stored) = (block + 1, rest);
        }
        Ok(plain)
    }
}

fn data_key(object: &str, data: &[u8; 32]) -> Result<LessSafeKey> {
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, data).map_err(|_| failed(object))?))
}

fn random(object: &str, bytes: &mut [u8]) -> Result<()> {
    rand::fill(bytes).map_err(|_| Error::unavailable(object, "the system gives no random bytes"))
}

fn failed(object: &str) -> Error {
    Error::other(object, "encryption failed")
}

pub fn damaged(object: &str, how: &str) -> Error {
    Error::other(object, format!("the stored object is damaged: {how}"))
}

/// The error for an object whose key is not configured.
pub fn unknown_key(object: &str, id: &[u8]) -> Error {
    Error::other(
        object,
        format!(
            "the stored object is encrypted with the key {}, which is configured neither as blob.encryption_key nor \
             in blob.encryption_old_keys",
            hex::encode(id)
        ),
    )
}

/// The id of the key that a stored object names, when its header is all there.
pub fn named_id(stored: &[u8]) -> &[u8] {
    stored.get(20..28).unwrap_or_default()
}
