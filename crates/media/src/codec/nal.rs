//! What H.264 and HEVC share: NAL units, and tables of their video usability information.

use super::Colour;
use crate::{Error, Result, bits::Bits};

/// Payload bytes of a NAL unit (ISO/IEC 14496-10 §7.4.1, ISO/IEC 23008-2 §7.4.2).
pub fn without_emulation_prevention(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for &byte in bytes {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
    out
}

/// The NAL units of a sample, whose lengths have `size` bytes (ISO/IEC 14496-15 §5.3.3).
pub struct Units<'a> {
    pub rest: &'a [u8],
    pub size: u8,
}

impl<'a> Iterator for Units<'a> {
    type Item = Result<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let all = std::mem::take(&mut self.rest);
        if all.is_empty() {
            return None;
        }
        let unit = || {
            let (length, rest) = all.split_at_checked(self.size.into())?;
            rest.split_at_checked(length.iter().fold(0, |n, byte| n << 8 | usize::from(*byte)))
        };
        let Some((unit, rest)) = unit() else { return Some(Err(Error::Truncated("NAL unit"))) };
        self.rest = rest;
        Some(Ok(unit))
    }
}

/// What the beginning of the VUI tells (both standards' annex E.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usability {
    pub sample_aspect: Option<(u16, u16)>,
    pub colour: Option<Colour>,
}

impl Usability {
    pub fn read(b: &mut Bits) -> Result<Self> {
        let mut sample_aspect = None;
        if b.flag()? {
            let idc = b.bits(8)?;
            sample_aspect = if idc == 255 {
                Some((b.bits(16)? as u16, b.bits(16)? as u16)).filter(|(w, h)| *w > 0 && *h > 0)
            } else {
                SAMPLE_ASPECTS.get(idc as usize).copied().flatten()
            };
        }
        if b.flag()? {
            b.bit()?;
        }
        let mut colour = None;
        if b.flag()? {
            b.bits(3)?;
            let full_range = b.flag()?;
            if b.flag()? {
                let (primaries, transfer, matrix) = (b.bits(8)? as u8, b.bits(8)? as u8, b.bits(8)? as u8);
                colour = Some(Colour { primaries, transfer, matrix, full_range });
            }
        }
        Ok(Self { sample_aspect, colour })
    }
}

/// Table E-1.
const SAMPLE_ASPECTS: [Option<(u16, u16)>; 17] = [
    None,
    Some((1, 1)),
    Some((12, 11)),
    Some((10, 11)),
    Some((16, 11)),
    Some((40, 33)),
    Some((24, 11)),
    Some((20, 11)),
    Some((32, 11)),
    Some((80, 33)),
    Some((18, 11)),
    Some((15, 11)),
    Some((64, 33)),
    Some((160, 99)),
    Some((4, 3)),
    Some((3, 2)),
    Some((2, 1)),
];
