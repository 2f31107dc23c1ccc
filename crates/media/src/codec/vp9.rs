//! VP9: the configuration box `vpcC` (VP Codec ISO Media File Format Binding 1.0).

use super::Colour;
use crate::{
    Error, Result,
    bits::{Bits, Fields},
};

/// What `vpcC` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    pub profile: u8,
    /// Ten times the level.
    pub level: u8,
    pub bit_depth: u8,
    /// 0 and 1 are 4:2:0 with chroma samples between and on luma samples, 2 is 4:2:2, 3 is 4:4:4.
    pub subsampling: u8,
    pub colour: Colour,
}

impl Config {
    pub fn parse(vpcc: &[u8]) -> Result<Self> {
        let mut f = Fields::new("vpcC", vpcc);
        if f.version_and_flags()?.0 != 1 {
            return Err(Error::Invalid("vpcC", "unknown version"));
        }
        let (profile, level, packed) = (f.u8()?, f.u8()?, f.u8()?);
        let (primaries, transfer, matrix) = (f.u8()?, f.u8()?, f.u8()?);
        f.u16()?; // codecInitializationDataSize
        let (bit_depth, subsampling) = (packed >> 4, (packed >> 1) & 7);
        if profile > 3 || level > 99 || !matches!(bit_depth, 8 | 10 | 12) {
            return Err(Error::Invalid("vpcC", "profile, level or bit depth do not exist"));
        }
        let colour = Colour { primaries, transfer, matrix, full_range: packed & 1 == 1 };
        Ok(Self { profile, level, bit_depth, subsampling, colour })
    }

    /// `vp09.00.10.08`; with subsampling and colours where they are not the default.
    pub fn codec(&self) -> String {
        let Self { profile, level, bit_depth, subsampling, colour } = *self;
        let mut codec = format!("vp09.{profile:02}.{level:02}.{bit_depth:02}");
        if subsampling != 1 || !colour.goes_without_saying() {
            let Colour { primaries, transfer, matrix, full_range } = colour;
            let range = u8::from(full_range);
            codec.push_str(&format!(".{subsampling:02}.{primaries:02}.{transfer:02}.{matrix:02}.{range:02}"));
        }
        codec
    }
}

/// Width and height that a key frame tells (VP9 bitstream specification §6.2); `None` of other frames.
pub fn size_of_key_frame(frame: &[u8]) -> Result<Option<(u32, u32)>> {
    let mut b = Bits::new("VP9 frame", frame);
    if b.bits(2)? != 2 {
        return Err(Error::Invalid("VP9 frame", "no frame marker"));
    }
    let profile = b.bit()? | b.bit()? << 1;
    if profile == 3 {
        b.bit()?;
    }
    let shows_existing = b.flag()?;
    let is_key = !shows_existing && !b.flag()?;
    if !is_key {
        return Ok(None);
    }
    b.skip(2)?;
    if b.bits(24)? != 0x49_8342 {
        return Err(Error::Invalid("VP9 frame", "no sync code"));
    }
    if profile >= 2 {
        b.bit()?;
    }
    let is_rgb = b.bits(3)? == 7;
    b.skip(match (is_rgb, profile & 1) {
        (true, 1) | (false, 0) => 1,
        (false, _) => 4,
        (true, _) => 0,
    })?;
    Ok(Some((b.bits(16)? + 1, b.bits(16)? + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_frames_tell_their_size() {
        // Profile 0, 320 x 180, limited range.
        let frame = [0x82, 0x49, 0x83, 0x42, 0x00, 0x13, 0xf0, 0x0b, 0x30];
        assert_eq!(size_of_key_frame(&frame), Ok(Some((320, 180))));
        assert_eq!(size_of_key_frame(&[0x86, 0]), Ok(None));
        assert!(size_of_key_frame(&frame[..8]).is_err() && size_of_key_frame(&[0x42]).is_err());
    }

    #[test]
    fn codecs_strings_are_short_where_they_may_be() {
        let codec = |body: [u8; 12]| Config::parse(&body).map(|c| c.codec());
        let told = |packed, colours: [u8; 3]| {
            codec([1, 0, 0, 0, 2, 10, packed, colours[0], colours[1], colours[2], 0, 0]).unwrap()
        };
        assert_eq!(told(0xa2, [9, 16, 9]), "vp09.02.10.10.01.09.16.09.00");
        assert_eq!(told(0xa3, [1, 1, 1]), "vp09.02.10.10.01.01.01.01.01");
        assert_eq!(told(0x82, [1, 1, 1]), "vp09.02.10.08");
        assert_eq!(told(0x82, [2, 2, 2]), "vp09.02.10.08");
        assert!(codec([0; 12]).is_err());
        assert!(codec([1, 0, 0, 0, 0, 10, 0x92, 1, 1, 1, 0, 0]).is_err());
        assert!(Config::parse(&[1, 0, 0, 0, 0, 10, 0x82, 1, 1, 1, 0]).is_err());
    }
}
