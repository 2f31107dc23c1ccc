//! Readers of fixed-width fields and of single bits, which fail at the end instead of panicking.

use crate::{Error, Result};

/// Big-endian fields of one box or descriptor, named in errors.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Fields<'a> {
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { rest: bytes, what }
    }

    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(Error::Truncated(self.what))?;
        self.rest = rest;
        Ok(head)
    }

    pub fn skip(&mut self, n: usize) -> Result<()> {
        self.take(n).map(drop)
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn i32(&mut self) -> Result<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let what = self.what;
        self.take(N)?.try_into().map_err(|_| Error::Truncated(what))
    }

    /// Version and flags of a full box (ISO/IEC 14496-12 §4.2).
    pub fn version_and_flags(&mut self) -> Result<(u8, u32)> {
        let word = self.u32()?;
        Ok(((word >> 24) as u8, word & 0x00ff_ffff))
    }
}

/// Bits, most significant first, with the Exp-Golomb codes of ISO/IEC 14496-10 §9.1.
#[derive(Debug, Clone)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    what: &'static str,
}

impl<'a> Bits<'a> {
    pub fn new(what: &'static str, bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, what }
    }

    pub fn bit(&mut self) -> Result<u32> {
        let byte = self.bytes.get(self.at / 8).ok_or(Error::Truncated(self.what))?;
        let bit = (byte >> (7 - self.at % 8)) & 1;
        self.at += 1;
        Ok(u32::from(bit))
    }

    pub fn flag(&mut self) -> Result<bool> {
        self.bit().map(|b| b == 1)
    }

    /// At most 32 bits.
    pub fn bits(&mut self, n: u32) -> Result<u32> {
        (0..n.min(32)).try_fold(0u32, |value, _| Ok((value << 1) | self.bit()?))
    }

    pub fn skip(&mut self, n: usize) -> Result<()> {
        let at = self.at.saturating_add(n);
        if at > self.bytes.len().saturating_mul(8) {
            return Err(Error::Truncated(self.what));
        }
        self.at = at;
        Ok(())
    }

    /// `ue(v)`.
    pub fn ue(&mut self) -> Result<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return Err(Error::Invalid(self.what, "an Exp-Golomb code is too long"));
            }
        }
        let tail = self.bits(zeros)?;
        Ok(((1u64 << zeros) - 1 + u64::from(tail)) as u32)
    }

    /// `se(v)`.
    pub fn se(&mut self) -> Result<i32> {
        let code = i64::from(self.ue()?);
        Ok(if code % 2 == 1 { (code + 1) / 2 } else { -(code / 2) } as i32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_golomb_codes_follow_the_standard() {
        // 1, 010, 011, 00100, 00101 (ISO/IEC 14496-10 table 9-2)
        let mut bits = Bits::new("test", &[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        assert_eq!((0..5).map(|_| bits.ue().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        let mut bits = Bits::new("test", &[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        assert_eq!((0..5).map(|_| bits.se().unwrap()).collect::<Vec<_>>(), [0, 1, -1, 2, -2]);
        assert!(Bits::new("test", &[0, 0, 0, 0, 0]).ue().is_err());
    }
}
