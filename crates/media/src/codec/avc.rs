//! H.264 headers: the decoder configuration record `avcC` (ISO/IEC 14496-15 §5.3.3) and the sequence parameter set.

use super::{
    Colour,
    nal::{Usability, beginning, extended, without_emulation_prevention},
};
use crate::{
    Error, Result,
    bits::{Bits, Fields},
};

/// Kinds of NAL units (ISO/IEC 14496-10 table 7-1).
pub const SEI: u8 = 6;
pub const SPS: u8 = 7;
pub const PPS: u8 = 8;
pub const DELIMITER: u8 = 9;
pub const FILLER: u8 = 12;

/// What `avcC` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub profile: u8,
    pub compatibility: u8,
    pub level: u8,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// NAL units, the first of each is the one in use.
    pub sps: Vec<Vec<u8>>,
    pub pps: Vec<Vec<u8>>,
}

/// What a sequence parameter set says about the picture (ISO/IEC 14496-10 §7.3.2.1.1, Annex E).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sps {
    pub profile: u8,
    pub compatibility: u8,
    pub level: u8,
    /// Cropped size in samples.
    pub width: u32,
    pub height: u32,
    pub chroma_format: u32,
    pub bit_depth: u32,
    pub chroma_bit_depth: u32,
    /// `false` when fields may be coded.
    pub frames_only: bool,
    /// Sample aspect ratio, when told.
    pub sample_aspect: Option<(u16, u16)>,
    pub colour: Option<Colour>,
}

impl Config {
    pub fn parse(avcc: &[u8]) -> Result<Self> {
        let mut f = Fields::new("avcC", avcc);
        if f.u8()? != 1 {
            return Err(Error::Invalid("avcC", "unknown version"));
        }
        let (profile, compatibility, level) = (f.u8()?, f.u8()?, f.u8()?);
        let length_size = (f.u8()? & 3) + 1;
        let sps_count = f.u8()? & 31;
        let sps = nal_units(&mut f, sps_count)?;
        let pps_count = f.u8()?;
        let pps = nal_units(&mut f, pps_count)?;
        Ok(Self { profile, compatibility, level, length_size, sps, pps })
    }

    /// Of parameter sets that were found in a stream, for samples whose lengths have four bytes.
    pub fn of_sets(sps: Vec<Vec<u8>>, pps: Vec<Vec<u8>>) -> Result<Self> {
        let missing = || Error::Invalid("avcC", "a parameter set is missing");
        let first = Sps::parse(sps.first().ok_or_else(missing)?)?;
        pps.first().ok_or_else(missing)?;
        let Sps { profile, compatibility, level, .. } = first;
        Ok(Self { profile, compatibility, level, length_size: 4, sps, pps })
    }

    /// Body of an `avcC` box. An error when there are more sets than it can hold.
    pub fn to_avcc(&self) -> Result<Vec<u8>> {
        let mut out =
            vec![1, self.profile, self.compatibility, self.level, 0xfc | (self.length_size - 1) & 3];
        for (sets, most, bits) in [(&self.sps, 31, 0xe0), (&self.pps, 255, 0)] {
            let count = u8::try_from(sets.len()).ok().filter(|count| *count <= most);
            out.push(bits | count.ok_or(Error::TooLarge("number of parameter sets", most.into()))?);
            for set in sets {
                let length =
                    u16::try_from(set.len()).map_err(|_| Error::TooLarge("parameter set", 65_535))?;
                out.extend(length.to_be_bytes());
                out.extend_from_slice(set);
            }
        }
        if !matches!(self.profile, 66 | 77 | 88) {
            let sps = self.sps()?;
            let depth = |bits: u32| 0xf8 | (bits.saturating_sub(8) as u8 & 7);
            let chroma = 0xfc | (sps.chroma_format as u8 & 3);
            out.extend([chroma, depth(sps.bit_depth), depth(sps.chroma_bit_depth), 0]);
        }
        Ok(out)
    }

    /// RFC 6381 §3.3: the sample entry's name, and profile, constraint flags and level in hexadecimal.
    pub fn codec(&self, entry: &str) -> String {
        format!("{entry}.{:02x}{:02x}{:02x}", self.profile, self.compatibility, self.level)
    }

    /// Whether a parameter set lies here.
    pub fn holds(&self, unit: &[u8]) -> bool {
        self.sps.iter().chain(&self.pps).any(|known| known == unit)
    }

    /// The first sequence parameter set.
    pub fn sps(&self) -> Result<Sps> {
        Sps::parse(self.sps.first().ok_or(Error::Invalid("avcC", "no sequence parameter set"))?)
    }
}

/// The number that a parameter set has among those of its kind; `None` of other units.
pub fn set_id(unit: &[u8]) -> Option<u32> {
    let payload = beginning(unit, 1);
    let mut b = Bits::new("parameter set", &payload);
    match unit.first()? & 31 {
        SPS => b.skip(24).ok()?,
        PPS => {}
        _ => return None,
    }
    b.ue().ok()
}

/// May decoding begin with this unit's picture? It is an IDR picture, or `recovers` says that a message before it has promised as much
/// and it refers to no other.
pub fn is_entry(unit: &[u8], recovers: bool) -> bool {
    match unit.first().map(|first| first & 31) {
        Some(5) => true,
        Some(1) if recovers => {
            let payload = beginning(unit, 1);
            let mut b = Bits::new("slice", &payload);
            // slice_type (§7.4.3): all slices of an intra picture, or this one.
            b.ue().and_then(|_| b.ue()).is_ok_and(|kind| kind % 5 == 2)
        }
        _ => false,
    }
}

/// Does an SEI unit promise that decoding may begin at once (recovery point, annex D.2.8)?
pub fn is_recovery_point(unit: &[u8]) -> bool {
    if unit.first().is_none_or(|first| first & 31 != SEI) {
        return false;
    }
    let payload = without_emulation_prevention(&unit[1..]);
    let mut f = Fields::new("SEI", &payload);
    while f.rest().len() > 1 {
        match message(&mut f) {
            Ok((6, body)) => return Bits::new("recovery point", body).ue().is_ok_and(|frames| frames == 0),
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    false
}

/// Kind and body of the next message of an SEI unit (§7.3.2.3.1).
fn message<'a>(f: &mut Fields<'a>) -> Result<(u32, &'a [u8])> {
    let (kind, size) = (extended(f)?, extended(f)?);
    Ok((kind, f.take(size as usize)?))
}

fn nal_units(f: &mut Fields, count: u8) -> Result<Vec<Vec<u8>>> {
    (0..count)
        .map(|_| {
            let len = f.u16()?;
            f.take(usize::from(len)).map(<[u8]>::to_vec)
        })
        .collect()
}

impl Sps {
    /// From a NAL unit with its header byte and its emulation prevention bytes.
    pub fn parse(nal: &[u8]) -> Result<Self> {
        if nal.first().is_none_or(|b| b & 31 != 7) {
            return Err(Error::Invalid("SPS", "not a sequence parameter set"));
        }
        let payload = without_emulation_prevention(&nal[1..]);
        let mut b = Bits::new("SPS", &payload);
        let (profile, compatibility, level) = (b.bits(8)? as u8, b.bits(8)? as u8, b.bits(8)? as u8);
        b.ue()?; // seq_parameter_set_id
        let (mut chroma_format, mut bit_depth, mut chroma_bit_depth, mut separate_planes) = (1, 8, 8, false);
        if [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135].contains(&profile) {
            chroma_format = b.ue()?;
            if chroma_format == 3 {
                separate_planes = b.flag()?;
            }
            bit_depth = b.ue()?.saturating_add(8);
            chroma_bit_depth = b.ue()?.saturating_add(8);
            b.bit()?;
            if b.flag()? {
                for list in 0..if chroma_format == 3 { 12 } else { 8 } {
                    if b.flag()? {
                        skip_scaling_list(&mut b, if list < 6 { 16 } else { 64 })?;
                    }
                }
            }
        }
        skip_order_count(&mut b)?;
        b.ue()?; // max_num_ref_frames
        b.bit()?;
        let width_mbs = u64::from(b.ue()?) + 1;
        let height_units = u64::from(b.ue()?) + 1;
        let frames_only = b.flag()?;
        let field_factor = if frames_only { 1 } else { 2 };
        if !frames_only {
            b.bit()?;
        }
        b.bit()?;
        let crop = if b.flag()? { [b.ue()?, b.ue()?, b.ue()?, b.ue()?] } else { [0; 4] };
        let planes = if separate_planes { 0 } else { chroma_format };
        let (unit_x, unit_y) = match planes {
            1 => (2, 2 * field_factor),
            2 => (2, field_factor),
            _ => (1, field_factor),
        };
        let cropped = |full: u64, a: u32, b: u32, unit: u64| {
            let cut = (u64::from(a) + u64::from(b)) * unit;
            full.checked_sub(cut).filter(|s| (1..=16_384).contains(s)).map(|s| s as u32)
        };
        let bad_size = Error::Invalid("SPS", "impossible picture size");
        let width = cropped(width_mbs * 16, crop[0], crop[1], unit_x).ok_or(bad_size.clone())?;
        let height = cropped(height_units * 16 * field_factor, crop[2], crop[3], unit_y).ok_or(bad_size)?;
        let Usability { sample_aspect, colour } =
            if b.flag()? { Usability::read(&mut b)? } else { Usability::default() };
        Ok(Self {
            profile,
            compatibility,
            level,
            width,
            height,
            chroma_format,
            bit_depth,
            chroma_bit_depth,
            frames_only,
            sample_aspect,
            colour,
        })
    }
}

fn skip_scaling_list(b: &mut Bits, size: u32) -> Result<()> {
    let (mut last, mut next) = (8i64, 8i64);
    for _ in 0..size {
        if next != 0 {
            next = (last + i64::from(b.se()?)).rem_euclid(256);
        }
        if next != 0 {
            last = next;
        }
    }
    Ok(())
}

fn skip_order_count(b: &mut Bits) -> Result<()> {
    b.ue()?; // log2_max_frame_num_minus4
    match b.ue()? {
        0 => drop(b.ue()?),
        1 => {
            b.bit()?;
            b.se()?;
            b.se()?;
            let cycle = b.ue()?;
            if cycle > 255 {
                return Err(Error::Invalid("SPS", "the order count cycle is too long"));
            }
            for _ in 0..cycle {
                b.se()?;
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_refused() {
        assert!(Sps::parse(&[]).is_err());
        assert!(Sps::parse(&[0x67]).is_err());
        assert!(Config::parse(&[1, 100, 0, 31, 0xff, 0xe1, 0, 9, 0x67]).is_err());
    }
}
