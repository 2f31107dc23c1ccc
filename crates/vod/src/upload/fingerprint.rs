//! The SHA-256 of a file while it arrives in order, kept across requests and restarts beside the offset.

use sha2::{
    Digest, Sha256,
    digest::common::hazmat::{SerializableState, SerializedState},
};

/// A hash under way.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    hasher: Sha256,
    /// Bytes hashed.
    at: u64,
}

impl Fingerprint {
    pub fn new() -> Self {
        Self { hasher: Sha256::new(), at: 0 }
    }

    /// The hash of the first `at` bytes, to be gone on with; `None` when what was kept is of other bytes.
    pub fn resume(kept: Option<&str>, at: u64) -> Option<Self> {
        if at == 0 {
            return Some(Self::new());
        }
        let (count, state) = kept?.split_once(':')?;
        if count.parse() != Ok(at) {
            return None;
        }
        let bytes = hex::decode(state).ok()?;
        let state = SerializedState::<Sha256>::try_from(bytes.as_slice()).ok()?;
        Some(Self { hasher: Sha256::deserialize(&state).ok()?, at })
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.at += bytes.len() as u64;
    }

    /// What [`Fingerprint::resume`] goes on with.
    pub fn keep(&self) -> String {
        format!("{}:{}", self.at, hex::encode(self.hasher.serialize()))
    }

    /// Of a whole file of `length` bytes, hex.
    pub fn whole(self, length: u64) -> Option<String> {
        (self.at == length).then(|| hex::encode(self.hasher.finalize()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_goes_on_where_it_stood() {
        let file: Vec<u8> = (0..100_003_u32).map(|i| (i * 7 % 251) as u8).collect();
        let whole = hex::encode(Sha256::digest(&file));
        for cut in [1, 63, 64, 65, 4096, 100_002] {
            let mut first = Fingerprint::resume(None, 0).unwrap();
            first.update(&file[..cut]);
            let kept = first.keep();
            assert!(kept.len() < 300);
            let mut second = Fingerprint::resume(Some(&kept), cut as u64).unwrap();
            second.update(&file[cut..]);
            assert_eq!(second.whole(file.len() as u64), Some(whole.clone()));
            assert!(Fingerprint::resume(Some(&kept), cut as u64 + 1).is_none());
        }
        for bad in ["", "5", "5:", "5:zz", "5:00", "x:00"] {
            assert!(Fingerprint::resume(Some(bad), 5).is_none(), "{bad}");
        }
        assert!(Fingerprint::resume(None, 5).is_none());
        assert_eq!(Fingerprint::new().whole(1), None);
    }
}
