//! AV1: the configuration box `av1C` (AV1 Codec ISO Media File Format Binding §2.3), the sequence header and HDR metadata in
//! OBUs (AV1 bitstream specification §5.3, §5.5, §5.8).

use super::{Colour, Hdr, Light, Mastering};
use crate::{Error, Result, bits::Bits};

const SEQUENCE_HEADER: u8 = 1;
const METADATA: u8 = 5;

/// What `av1C` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub profile: u8,
    /// `seq_level_idx`: 8 is level 4.0.
    pub level: u8,
    pub high_tier: bool,
    pub bit_depth: u8,
    /// The sequence header, where it lies here.
    pub sequence: Option<Sequence>,
    /// Static metadata of the OBUs that lie here.
    pub hdr: Hdr,
}

/// What a sequence header says about the pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    pub profile: u8,
    pub width: u32,
    pub height: u32,
    pub bit_depth: u8,
    pub monochrome: bool,
    /// Horizontally and vertically halved chroma.
    pub subsampling: (bool, bool),
    /// 0 unknown, 1 between two luma samples of a column, 2 on the upper left one.
    pub chroma_position: u8,
    pub colour: Colour,
}

impl Config {
    pub fn parse(av1c: &[u8]) -> Result<Self> {
        let mut b = Bits::new("av1C", av1c);
        if b.bits(8)? != 0x81 {
            return Err(Error::Invalid("av1C", "unknown version"));
        }
        let (profile, level, high_tier) = (b.bits(3)? as u8, b.bits(5)? as u8, b.flag()?);
        let bit_depth = match (b.flag()?, b.flag()?) {
            (true, true) => 12,
            (true, false) => 10,
            _ => 8,
        };
        b.skip(12)?;
        let obus = av1c.get(4..).unwrap_or_default();
        let mut sequence = None;
        for obu in Obus(obus) {
            let (kind, body) = obu?;
            if kind == SEQUENCE_HEADER {
                sequence = Some(Sequence::parse(body)?);
            }
        }
        if sequence.is_some_and(|s| (s.profile, s.bit_depth) != (profile, bit_depth)) {
            return Err(Error::Invalid("av1C", "profile or bit depth are not those of its sequence header"));
        }
        Ok(Self { profile, level, high_tier, bit_depth, sequence, hdr: hdr(obus) })
    }

    /// `av01.0.04M.08`; with subsampling and colours where they are not the default (binding, §5).
    pub fn codec(&self) -> String {
        let Self { profile, level, bit_depth, .. } = *self;
        let tier = if self.high_tier { 'H' } else { 'M' };
        let mut codec = format!("av01.{profile}.{level:02}{tier}.{bit_depth:02}");
        let Some(sequence) = self.sequence else { return codec };
        let (x, y) = (u8::from(sequence.subsampling.0), u8::from(sequence.subsampling.1));
        let position = if (x, y) == (1, 1) { sequence.chroma_position } else { 0 };
        let plain = (x, y, position, sequence.monochrome) == (1, 1, 0, false);
        if !plain || !sequence.colour.goes_without_saying() {
            let Colour { primaries, transfer, matrix, full_range } = sequence.colour;
            let (mono, range) = (u8::from(sequence.monochrome), u8::from(full_range));
            codec.push_str(&format!(
                ".{mono}.{x}{y}{position}.{primaries:02}.{transfer:02}.{matrix:02}.{range}"
            ));
        }
        codec
    }
}

/// Static metadata of the OBUs in a sample; what cannot be read is passed over.
pub fn hdr(obus: &[u8]) -> Hdr {
    let mut hdr = Hdr::default();
    for (_, body) in Obus(obus).map_while(Result::ok).filter(|(kind, _)| *kind == METADATA) {
        match body.split_first() {
            Some((1, body)) => hdr.light = hdr.light.or(Light::from_clli(body).ok()),
            Some((2, body)) => hdr.mastering = hdr.mastering.or(Mastering::from_fixed(body).ok()),
            _ => {}
        }
    }
    hdr
}

/// Kinds and payloads of OBUs that lie back to back (§5.3).
struct Obus<'a>(&'a [u8]);

impl<'a> Iterator for Obus<'a> {
    type Item = Result<(u8, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        let (head, rest) = std::mem::take(&mut self.0).split_first()?;
        let obu = || {
            let after = rest.get(usize::from(head & 4 != 0)..)?;
            // Only the last one may leave its size out.
            let (size, after) = if head & 2 == 0 { (after.len(), after) } else { leb128(after)? };
            after.split_at_checked(size)
        };
        let Some((body, rest)) = obu() else { return Some(Err(Error::Truncated("OBU"))) };
        self.0 = rest;
        Some(Ok(((head >> 3) & 15, body)))
    }
}

/// §4.10.5; no more than four bytes are read.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (n, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * n);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[n + 1..]));
        }
    }
    None
}

impl Sequence {
    /// From the payload of a sequence header OBU (§5.5.1).
    pub fn parse(body: &[u8]) -> Result<Self> {
        let mut b = Bits::new("AV1 sequence header", body);
        let profile = b.bits(3)? as u8;
        b.bit()?;
        let reduced = b.flag()?;
        if reduced {
            b.skip(5)?;
        } else {
            skip_operating_points(&mut b)?;
        }
        let (width_bits, height_bits) = (b.bits(4)? + 1, b.bits(4)? + 1);
        let (width, height) = (b.bits(width_bits)? + 1, b.bits(height_bits)? + 1);
        if !reduced && b.flag()? {
            b.skip(7)?;
        }
        b.skip(3)?;
        if !reduced {
            skip_tools(&mut b)?;
        }
        b.skip(3)?;
        Self { width, height, ..colours(&mut b, profile)? }.sound()
    }

    fn sound(self) -> Result<Self> {
        if self.profile > 2 {
            return Err(Error::Invalid("AV1 sequence header", "the profile does not exist"));
        }
        Ok(self)
    }
}

fn skip_operating_points(b: &mut Bits) -> Result<()> {
    let mut delay_bits = None;
    if b.flag()? {
        b.skip(64)?;
        if b.flag()? {
            b.ue()?;
        }
        if b.flag()? {
            delay_bits = Some(b.bits(5)? as usize + 1);
            b.skip(42)?;
        }
    }
    let display_delays = b.flag()?;
    for _ in 0..=b.bits(5)? {
        b.skip(12)?;
        if b.bits(5)? > 7 {
            b.bit()?;
        }
        if let Some(bits) = delay_bits
            && b.flag()?
        {
            b.skip(2 * bits + 1)?;
        }
        if display_delays && b.flag()? {
            b.skip(4)?;
        }
    }
    Ok(())
}

fn skip_tools(b: &mut Bits) -> Result<()> {
    b.skip(4)?;
    let order_hint = b.flag()?;
    if order_hint {
        b.skip(2)?;
    }
    let screen_content = b.flag()? || b.flag()?;
    if screen_content && !b.flag()? {
        b.bit()?;
    }
    b.skip(if order_hint { 3 } else { 0 })
}

/// `color_config` (§5.5.2). The size is left for the caller.
fn colours(b: &mut Bits, profile: u8) -> Result<Sequence> {
    let high = b.flag()?;
    let bit_depth = match high {
        true if profile == 2 && b.flag()? => 12,
        true => 10,
        false => 8,
    };
    let monochrome = profile != 1 && b.flag()?;
    let mut colour = Colour::UNSPECIFIED;
    if b.flag()? {
        (colour.primaries, colour.transfer, colour.matrix) =
            (b.bits(8)? as u8, b.bits(8)? as u8, b.bits(8)? as u8);
    }
    let (mut subsampling, mut chroma_position) = ((true, true), 0);
    if monochrome {
        colour.full_range = b.flag()?;
    } else if (colour.primaries, colour.transfer, colour.matrix) == (1, 13, 0) {
        // sRGB.
        (colour.full_range, subsampling) = (true, (false, false));
    } else {
        colour.full_range = b.flag()?;
        subsampling = match profile {
            0 => (true, true),
            1 => (false, false),
            _ if bit_depth == 12 => {
                let horizontal = b.flag()?;
                (horizontal, horizontal && b.flag()?)
            }
            _ => (true, false),
        };
        if subsampling == (true, true) {
            chroma_position = b.bits(2)? as u8;
        }
    }
    let (width, height) = (0, 0);
    Ok(Sequence { profile, width, height, bit_depth, monochrome, subsampling, chroma_position, colour })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SVT-AV1: 192x108, 10 bits, BT.2020 PQ.
    const HDR: [u8; 19] = [
        0x81, 0x00, 0x4c, 0x00, 0x0a, 0x0d, 0x00, 0x00, 0x00, 0x03, 0xb5, 0xfe, 0xb0, 0x0b, 0xe1, 0x42, 0x44,
        0x02, 0x41,
    ];
    const PLAIN: [u8; 16] =
        [0x81, 0x00, 0x0c, 0x00, 0x0a, 0x0a, 0x00, 0x00, 0x00, 0x03, 0xb5, 0xfe, 0xb0, 0x0b, 0xe0, 0x01];

    #[test]
    fn a_configuration_tells_codec_and_pictures() {
        let config = Config::parse(&HDR).unwrap();
        let sequence = config.sequence.unwrap();
        assert_eq!((sequence.width, sequence.height, sequence.bit_depth), (192, 108, 10));
        let colour = Colour { primaries: 9, transfer: 16, matrix: 9, full_range: false };
        assert_eq!(sequence.colour, colour);
        assert_eq!(config.codec(), "av01.0.00M.10.0.110.09.16.09.0");
        let config = Config::parse(&PLAIN).unwrap();
        assert_eq!((config.codec().as_str(), config.sequence.unwrap().width), ("av01.0.00M.08", 192));
        assert_eq!(Config::parse(&PLAIN[..4]).unwrap().sequence, None);
    }

    #[test]
    fn cut_configurations_are_refused() {
        for n in (0..4).chain(5..HDR.len()) {
            assert!(Config::parse(&HDR[..n]).is_err(), "{n}");
        }
        // An 8-bit record around a 10-bit sequence header.
        let mut other = HDR;
        other[2] = 0x0c;
        assert!(Config::parse(&other).is_err());
    }

    #[test]
    fn metadata_obus_are_found() {
        let obu = |body: &[u8]| [&[0x2a, body.len() as u8][..], body].concat();
        let light = obu(&[1, 3, 0xe8, 1, 0x90, 0x80]);
        let found = hdr(&[&obu(&[9]), &light[..]].concat());
        assert_eq!(found.light, Some(Light { max: 1000, average: 400 }));
        assert_eq!(hdr(&light[..4]), Hdr::default());
    }
}
