//! What H.264 and HEVC share: NAL units, and tables of their video usability information.

use super::Colour;
use crate::{
    Error, Result,
    bits::{Bits, Fields},
};

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

/// A number of an SEI message: 255 for each byte of 255, and the first other one (§7.3.2.3.1 of H.264, §7.3.5 of HEVC).
pub fn extended(f: &mut Fields) -> Result<u32> {
    let mut value = 0;
    loop {
        let byte = f.u8()?;
        value = u32::saturating_add(value, byte.into());
        if byte != 255 {
            return Ok(value);
        }
    }
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

/// The NAL units of a byte stream, without the start codes and zeros between them (annex B of both standards).
pub struct ByteStream<'a> {
    /// From the first byte of the next unit on.
    rest: Option<&'a [u8]>,
}

impl<'a> ByteStream<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: start_code(bytes).map(|at| &bytes[at + 3..]) }
    }
}

impl<'a> Iterator for ByteStream<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let bytes = self.rest?;
            let end = start_code(bytes);
            self.rest = end.map(|at| &bytes[at + 3..]);
            let unit = &bytes[..end.unwrap_or(bytes.len())];
            // No unit ends with a zero byte.
            let length = unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            if length > 0 {
                return Some(&unit[..length]);
            }
        }
    }
}

/// Where the next three bytes of a start code lie.
fn start_code(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some([zero, second, third]) = bytes.get(at..at + 3) {
        match (zero, second, third) {
            (0, 0, 1) => return Some(at),
            (.., 2..) => at += 3,
            _ => at += 1,
        }
    }
    None
}

/// The beginning of a unit's payload, for reading its first fields.
pub fn beginning(unit: &[u8], header: usize) -> Vec<u8> {
    let unit = unit.get(header..).unwrap_or_default();
    without_emulation_prevention(&unit[..unit.len().min(64)])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_stream_is_cut_at_its_start_codes() {
        let cut = |bytes: &[u8]| ByteStream::new(bytes).map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(
            cut(&[0, 0, 0, 1, 9, 16, 0, 0, 1, 7, 0, 5, 0, 0, 0, 1, 8]),
            [vec![9, 16], vec![7, 0, 5], vec![8]]
        );
        assert_eq!(cut(&[5, 5, 0, 0, 1, 6, 0, 0]), [vec![6]], "what comes before and after");
        assert_eq!(cut(&[0, 0, 1, 0, 0, 1, 0, 0, 0, 1]), [[0u8; 0]; 0], "empty units");
        assert!(cut(&[]).is_empty() && cut(&[0, 0]).is_empty() && cut(&[1, 2, 3]).is_empty());
    }
}
