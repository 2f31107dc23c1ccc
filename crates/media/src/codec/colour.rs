//! Colour description by the code points of ISO/IEC 23091-2.

use crate::{Result, bits::Fields, descriptor::Range};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    pub primaries: u8,
    pub transfer: u8,
    pub matrix: u8,
    pub full_range: bool,
}

impl Colour {
    /// 2 in every field: the bitstream does not tell.
    pub const UNSPECIFIED: Self = Self { primaries: 2, transfer: 2, matrix: 2, full_range: false };

    /// From the body of a `colr` box; `None` when it is not of the kind `nclx` (ISO/IEC 14496-12 §12.1.5).
    pub fn from_colr(body: &[u8]) -> Result<Option<Self>> {
        let mut f = Fields::new("colr", body);
        if &f.array::<4>()? != b"nclx" {
            return Ok(None);
        }
        // Code points above 255 do not exist.
        let (primaries, transfer, matrix) = (f.u16()? as u8, f.u16()? as u8, f.u16()? as u8);
        Ok(Some(Self { primaries, transfer, matrix, full_range: f.u8()? & 0x80 != 0 }))
    }

    /// PQ is SMPTE ST 2084 (16), HLG ARIB STD-B67 (18); all else is standard.
    pub fn range(self) -> Range {
        match self.transfer {
            16 => Range::Pq,
            18 => Range::Hlg,
            _ => Range::Sdr,
        }
    }

    /// Whether players that are told nothing assume the same: BT.709 within the limited range. What the bitstream leaves
    /// open is taken for that as well.
    pub(super) fn goes_without_saying(self) -> bool {
        let Self { primaries, transfer, matrix, full_range } = self;
        matches!((primaries, transfer, matrix), (1, 1, 1) | (2, 2, 2)) && !full_range
    }

    /// `Some` unless every field is unspecified.
    pub(super) fn told(self) -> Option<Self> {
        let Self { primaries, transfer, matrix, .. } = self;
        ((primaries, transfer, matrix) != (2, 2, 2)).then_some(self)
    }
}
