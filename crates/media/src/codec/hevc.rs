//! HEVC headers: the decoder configuration record `hvcC` (ISO/IEC 14496-15 §8.3.3), and what manifests and headers need
//! out of its parameter sets and SEI messages (ISO/IEC 23008-2).

use super::{
    Colour, Hdr, Light, Mastering,
    nal::{Units, Usability, beginning, extended, without_emulation_prevention},
};
use crate::{
    Error, Result,
    bits::{Bits, Fields},
};

/// Kinds of NAL units (ISO/IEC 23008-2 table 7-1).
pub const VPS: u8 = 32;
pub const SPS: u8 = 33;
pub const PPS: u8 = 34;
pub const DELIMITER: u8 = 35;
pub const FILLER: u8 = 38;
const PREFIX_SEI: u8 = 39;
/// `user_data_unregistered`: the encoder's name and all its options, which no player needs.
const USER_DATA: u32 = 5;
const MASTERING_DISPLAY: u32 = 137;
const CONTENT_LIGHT: u32 = 144;

/// What `hvcC` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Everything before the parameter sets, as found.
    fixed: [u8; 22],
    /// Kind of NAL units, and the units, with their headers.
    arrays: Vec<(u8, Vec<Vec<u8>>)>,
}

/// What a sequence parameter set says about the picture (§7.3.2.2, annex E).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sps {
    /// Cropped size in samples.
    pub width: u32,
    pub height: u32,
    pub chroma_format: u32,
    pub bit_depth: u32,
    pub chroma_bit_depth: u32,
    /// Temporal layers, and whether each frame may be the last one before a switch to a higher one.
    pub layers: u8,
    pub nested: bool,
    pub sample_aspect: Option<(u16, u16)>,
    pub colour: Option<Colour>,
}

impl Config {
    pub fn parse(hvcc: &[u8]) -> Result<Self> {
        let mut f = Fields::new("hvcC", hvcc);
        let fixed: [u8; 22] = f.array()?;
        if fixed[0] != 1 {
            return Err(Error::Invalid("hvcC", "unknown version"));
        }
        let mut arrays = Vec::new();
        for _ in 0..f.u8()? {
            let kind = f.u8()? & 63;
            let mut units = Vec::new();
            for _ in 0..f.u16()? {
                let length = f.u16()?;
                units.push(f.take(usize::from(length))?.to_vec());
            }
            arrays.push((kind, units));
        }
        Ok(Self { fixed, arrays })
    }

    /// Of parameter sets that were found in a stream, for samples whose lengths have four bytes.
    pub fn of_sets(vps: Vec<Vec<u8>>, sps: Vec<Vec<u8>>, pps: Vec<Vec<u8>>) -> Result<Self> {
        let arrays = vec![(VPS, vps), (SPS, sps), (PPS, pps)];
        if arrays.iter().any(|(_, units)| units.is_empty()) {
            return Err(Error::Invalid("hvcC", "a parameter set is missing"));
        }
        let unit = &arrays[1].1[0];
        let sps = Sps::parse(unit)?;
        // general_profile_space to general_level_idc lie in the parameter set as they do here (§8.3.3.1).
        let payload = beginning(unit, 2);
        let profile = payload.get(1..13).ok_or(Error::Truncated("SPS"))?;
        let depth = |bits: u32| 0xf8 | (bits.saturating_sub(8) as u8 & 7);
        let mut fixed = [0; 22];
        fixed[0] = 1;
        fixed[1..13].copy_from_slice(profile);
        // Nothing is said of segmentation, parallelism and frame rate.
        fixed[13..19].copy_from_slice(&[
            0xf0,
            0,
            0xfc,
            0xfc | (sps.chroma_format as u8 & 3),
            depth(sps.bit_depth),
            depth(sps.chroma_bit_depth),
        ]);
        fixed[21] = (sps.layers & 7) << 3 | u8::from(sps.nested) << 2 | 3;
        Ok(Self { fixed, arrays })
    }

    /// Body of an `hvcC` box for a track whose parameter sets lie here alone (`hvc1`). Messages that say nothing about the
    /// pictures are left out.
    pub fn to_hvcc(&self) -> Vec<u8> {
        let arrays = self.arrays.iter().map(|(kind, units)| {
            let wanted = |unit: &&Vec<u8>| {
                *kind != PREFIX_SEI || messages(unit).is_ok_and(|m| m.iter().any(|(k, _)| *k != USER_DATA))
            };
            (*kind, units.iter().filter(wanted).collect::<Vec<_>>())
        });
        let arrays: Vec<_> = arrays.filter(|(_, units)| !units.is_empty()).collect();
        let mut out = self.fixed.to_vec();
        out.push(arrays.len() as u8);
        for (kind, units) in arrays {
            // All units of the kind are here, which is not said of messages: samples have their own.
            out.push(if kind == PREFIX_SEI { kind } else { 0x80 | kind });
            out.extend((units.len() as u16).to_be_bytes());
            for unit in units {
                out.extend((unit.len() as u16).to_be_bytes());
                out.extend_from_slice(unit);
            }
        }
        out
    }

    /// ISO/IEC 14496-15 annex E.3, after the sample entry's name: `hvc1.2.4.L153.90`.
    pub fn codec(&self, entry: &str) -> String {
        let [_, profile, c0, c1, c2, c3, ..] = self.fixed;
        let (constraints, level) = (&self.fixed[6..12], self.fixed[12]);
        let letter = ["", "A", "B", "C"][usize::from(profile >> 6)];
        let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
        let compatibility = u32::from_be_bytes([c0, c1, c2, c3]).reverse_bits();
        let mut codec = format!("{entry}.{letter}{}.{compatibility:X}.{tier}{level}", profile & 31);
        let used = constraints.iter().rposition(|b| *b != 0).map_or(0, |n| n + 1);
        for byte in &constraints[..used] {
            codec.push_str(&format!(".{byte:X}"));
        }
        codec
    }

    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub fn length_size(&self) -> u8 {
        (self.fixed[21] & 3) + 1
    }

    /// The first sequence parameter set; `None` when samples hold them (`hev1`).
    pub fn sps(&self) -> Result<Option<Sps>> {
        self.units(SPS).next().map(|unit| Sps::parse(unit)).transpose()
    }

    /// Static metadata of the SEI messages that lie here.
    pub fn hdr(&self) -> Hdr {
        self.units(PREFIX_SEI).map(|unit| hdr_of(unit)).fold(Hdr::default(), Hdr::or)
    }

    /// Static metadata of the SEI messages in a sample.
    pub fn hdr_of_sample(&self, sample: &[u8]) -> Hdr {
        let units = Units { rest: sample, size: self.length_size() }.map_while(Result::ok);
        let is_message = |unit: &&[u8]| unit.first().is_some_and(|first| (first >> 1) & 63 == PREFIX_SEI);
        units.filter(is_message).map(hdr_of).fold(Hdr::default(), Hdr::or)
    }

    /// Whether a parameter set lies here.
    pub fn holds(&self, unit: &[u8]) -> bool {
        self.arrays.iter().any(|(_, units)| units.iter().any(|known| known == unit))
    }

    fn units(&self, kind: u8) -> impl Iterator<Item = &Vec<u8>> {
        self.arrays.iter().filter(move |(k, _)| *k == kind).flat_map(|(_, units)| units)
    }
}

/// Kind of a unit.
pub fn kind(unit: &[u8]) -> Option<u8> {
    unit.first().map(|first| first >> 1 & 63)
}

/// The number that a parameter set has among those of its kind; `None` of other units.
pub fn set_id(unit: &[u8]) -> Option<u32> {
    let payload = match kind(unit)? {
        SPS => without_emulation_prevention(unit.get(2..)?),
        VPS | PPS => beginning(unit, 2),
        _ => return None,
    };
    let mut b = Bits::new("parameter set", &payload);
    match kind(unit)? {
        VPS => b.bits(4).ok(),
        SPS => {
            b.skip(4).ok()?;
            let sub_layers = b.bits(3).ok()?;
            b.skip(1).ok()?;
            skip_profile_tier_level(&mut b, sub_layers).ok()?;
            b.ue().ok()
        }
        _ => b.ue().ok(),
    }
}

/// May decoding begin with this unit's picture (IRAP, table 7-1)?
pub fn is_entry(unit: &[u8]) -> bool {
    kind(unit).is_some_and(|kind| (16..=23).contains(&kind))
}

fn hdr_of(sei: &[u8]) -> Hdr {
    let mut hdr = Hdr::default();
    for (kind, body) in messages(sei).unwrap_or_default() {
        match kind {
            MASTERING_DISPLAY => hdr.mastering = Mastering::from_mdcv(&body).ok(),
            CONTENT_LIGHT => hdr.light = Light::from_clli(&body).ok(),
            _ => {}
        }
    }
    hdr
}

/// Kinds and payloads of the messages in an SEI NAL unit (§7.3.5).
fn messages(unit: &[u8]) -> Result<Vec<(u32, Vec<u8>)>> {
    let payload = without_emulation_prevention(unit.get(2..).unwrap_or_default());
    let mut f = Fields::new("SEI", &payload);
    let mut out = Vec::new();
    // One byte is left for the trailing bits.
    while f.rest().len() > 1 {
        let (kind, size) = (extended(&mut f)?, extended(&mut f)?);
        out.push((kind, f.take(size as usize)?.to_vec()));
    }
    Ok(out)
}

impl Sps {
    /// From a NAL unit with its header and its emulation prevention bytes.
    pub fn parse(nal: &[u8]) -> Result<Self> {
        if nal.first().is_none_or(|b| (b >> 1) & 63 != SPS) {
            return Err(Error::Invalid("SPS", "not a sequence parameter set"));
        }
        let payload = without_emulation_prevention(nal.get(2..).unwrap_or_default());
        let mut b = Bits::new("SPS", &payload);
        b.skip(4)?;
        let sub_layers = b.bits(3)?;
        let nested = b.flag()?;
        skip_profile_tier_level(&mut b, sub_layers)?;
        b.ue()?; // sps_seq_parameter_set_id
        let chroma_format = b.ue()?;
        if chroma_format == 3 {
            b.bit()?;
        }
        let (width, height) = (b.ue()?, b.ue()?);
        let crop = if b.flag()? { [b.ue()?, b.ue()?, b.ue()?, b.ue()?] } else { [0; 4] };
        let bit_depth = b.ue()?.saturating_add(8);
        let chroma_bit_depth = b.ue()?.saturating_add(8);
        let order_bits = b.ue()?.saturating_add(4);
        if order_bits > 16 {
            return Err(Error::Invalid("SPS", "the order count is too long"));
        }
        let first = if b.flag()? { 0 } else { sub_layers };
        for _ in first..=sub_layers {
            skip_codes(&mut b, 3)?;
        }
        skip_codes(&mut b, 6)?;
        if b.flag()? && b.flag()? {
            skip_scaling_lists(&mut b)?;
        }
        b.skip(2)?;
        if b.flag()? {
            b.skip(8)?;
            skip_codes(&mut b, 2)?;
            b.bit()?;
        }
        skip_reference_sets(&mut b)?;
        if b.flag()? {
            let pictures = b.ue()?;
            if pictures > 32 {
                return Err(Error::Invalid("SPS", "too many long-term pictures"));
            }
            b.skip(pictures as usize * (order_bits as usize + 1))?;
        }
        b.skip(2)?;
        let Usability { sample_aspect, colour } =
            if b.flag()? { Usability::read(&mut b)? } else { Usability::default() };
        let (unit_x, unit_y) = match chroma_format {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let cropped = |full: u32, before: u32, after: u32, unit: u64| {
            let cut = (u64::from(before) + u64::from(after)) * unit;
            let left = u64::from(full).checked_sub(cut).filter(|s| (1..=16_888).contains(s));
            left.map(|s| s as u32).ok_or(Error::Invalid("SPS", "impossible picture size"))
        };
        Ok(Self {
            width: cropped(width, crop[0], crop[1], unit_x)?,
            height: cropped(height, crop[2], crop[3], unit_y)?,
            chroma_format,
            bit_depth,
            chroma_bit_depth,
            layers: sub_layers as u8 + 1,
            nested,
            sample_aspect,
            colour,
        })
    }
}

fn skip_codes(b: &mut Bits, n: usize) -> Result<()> {
    (0..n).try_for_each(|_| b.ue().map(drop))
}

/// §7.3.3.
fn skip_profile_tier_level(b: &mut Bits, sub_layers: u32) -> Result<()> {
    b.skip(96)?;
    let mut told = Vec::new();
    for _ in 0..sub_layers {
        told.push((b.flag()?, b.flag()?));
    }
    if sub_layers > 0 {
        b.skip(2 * (8 - sub_layers as usize))?;
    }
    for (profile, level) in told {
        b.skip(if profile { 88 } else { 0 } + if level { 8 } else { 0 })?;
    }
    Ok(())
}

/// §7.3.4.
fn skip_scaling_lists(b: &mut Bits) -> Result<()> {
    for size in 0..4 {
        for _ in 0..if size == 3 { 2 } else { 6 } {
            if !b.flag()? {
                b.ue()?;
                continue;
            }
            let coefficients = 64.min(1 << (4 + (size << 1)));
            skip_codes(b, coefficients + usize::from(size > 1))?;
        }
    }
    Ok(())
}

/// §7.3.7.
fn skip_reference_sets(b: &mut Bits) -> Result<()> {
    const MANY: Error = Error::Invalid("SPS", "too many reference pictures");
    let sets = b.ue()?;
    if sets > 64 {
        return Err(MANY);
    }
    let mut pictures = 0u32;
    for set in 0..sets {
        if set > 0 && b.flag()? {
            b.bit()?;
            b.ue()?;
            let mut kept = 0;
            for _ in 0..=pictures {
                // Used, or at least kept.
                kept += u32::from(b.flag()? || b.flag()?);
            }
            pictures = kept;
        } else {
            let (before, after) = (b.ue()?, b.ue()?);
            if before > 16 || after > 16 {
                return Err(MANY);
            }
            pictures = before + after;
            for _ in 0..pictures {
                b.ue()?;
                b.bit()?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x265: 192x108, Main 10, BT.2020 PQ, limited range.
    const SPS: &str =
        "42010102200000030090000003000003001ea0182071f6d965654a4c2f016a12201208000003000800000300c840";
    const MDCV: &str = "4e01891833c286c41d4c0bb884d03e803d13404200989680000003003280";
    const CLL: &str = "4e01900403e8019080";

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|n| u8::from_str_radix(&text[n..n + 2], 16).unwrap()).collect()
    }

    fn hvcc() -> Vec<u8> {
        let mut out = hex("0102200000009000000000001ef000fcfdfafa00000f02");
        for (kind, units) in [(0xa1, vec![SPS]), (0xa7, vec![CLL, MDCV, "4e010502616280"])] {
            out.push(kind);
            out.extend((units.len() as u16).to_be_bytes());
            for unit in units.into_iter().map(hex) {
                out.extend((unit.len() as u16).to_be_bytes());
                out.extend(unit);
            }
        }
        out
    }

    #[test]
    fn a_record_tells_codec_picture_and_metadata() {
        let config = Config::parse(&hvcc()).unwrap();
        assert_eq!((config.codec("hvc1").as_str(), config.length_size()), ("hvc1.2.4.L30.90", 4));
        let sps = config.sps().unwrap().unwrap();
        assert_eq!((sps.width, sps.height, sps.bit_depth, sps.chroma_format), (192, 108, 10, 1));
        assert_eq!(sps.sample_aspect, Some((1, 1)));
        let colour = Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false };
        assert_eq!(sps.colour, Some(colour));
        let hdr = config.hdr();
        assert_eq!(hdr.light, Some(Light { max: 1000, average: 400 }));
        let mastering = hdr.mastering.unwrap();
        assert_eq!((mastering.max_luminance, mastering.min_luminance), (10_000_000, 50));
        assert_eq!(mastering.primaries[2], (34_000, 16_000));

        // Written again, it lacks the encoder's words about itself.
        let again = Config::parse(&config.to_hvcc()).unwrap();
        assert_eq!(again.hdr(), hdr);
        assert_eq!(again.units(PREFIX_SEI).count(), 2);
        assert_eq!(again.to_hvcc(), config.to_hvcc());

        let unit = hex(CLL);
        let sample = [&[0, 0, 0, unit.len() as u8][..], &unit].concat();
        assert_eq!(config.hdr_of_sample(&sample), Hdr { light: hdr.light, mastering: None });
        assert_eq!(config.hdr_of_sample(&sample[..6]), Hdr::default());
    }

    #[test]
    fn cut_records_are_refused() {
        let whole = hvcc();
        for n in 0..whole.len() {
            assert!(Config::parse(&whole[..n]).is_err(), "{n}");
        }
        let sps = hex(SPS);
        for n in 0..30 {
            assert!(Sps::parse(&sps[..n]).is_err(), "{n}");
        }
    }
}
