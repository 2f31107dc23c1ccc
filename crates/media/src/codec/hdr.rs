//! HDR10 static metadata: the mastering display (SMPTE ST 2086) and the content light level (CTA-861.3).

use crate::{Result, bits::Fields};

/// What is known of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hdr {
    pub mastering: Option<Mastering>,
    pub light: Option<Light>,
}

impl Hdr {
    /// Fills in what is missing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { mastering: self.mastering.or(other.mastering), light: self.light.or(other.light) }
    }
}

/// Mastering display colour volume, in the units of `mdcv` (ISO/IEC 14496-12 §12.1.6) and of the SEI message of HEVC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mastering {
    /// x and y of green, blue, red, in steps of 0.00002.
    pub primaries: [(u16, u16); 3],
    pub white: (u16, u16),
    /// Steps of 0.0001 cd/m².
    pub max_luminance: u32,
    pub min_luminance: u32,
}

/// Content light level as in `clli`, cd/m².
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Light {
    /// MaxCLL.
    pub max: u16,
    /// MaxFALL.
    pub average: u16,
}

impl Mastering {
    /// From the body of `mdcv`, which is that of the SEI message as well (ISO/IEC 23008-2 §D.2.28).
    pub fn from_mdcv(body: &[u8]) -> Result<Self> {
        let mut f = Fields::new("mdcv", body);
        let mut point = || Ok((f.u16()?, f.u16()?));
        let primaries = [point()?, point()?, point()?];
        let white = point()?;
        Ok(Self { primaries, white, max_luminance: f.u32()?, min_luminance: f.u32()? })
    }

    pub fn to_mdcv(self) -> Vec<u8> {
        let Self { primaries: [green, blue, red], white, .. } = self;
        let mut out = points([green, blue, red, white]);
        out.extend(self.max_luminance.to_be_bytes());
        out.extend(self.min_luminance.to_be_bytes());
        out
    }

    /// From fixed-point fields: red, green, blue and white in 0.16, luminance in 24.8 and 18.14 bits, as in metadata OBUs
    /// of AV1 (§5.8.4) and, after version and flags, in `SmDm` of VP9.
    pub fn from_fixed(body: &[u8]) -> Result<Self> {
        let mut f = Fields::new("mastering display", body);
        let step = |value: u16| scale(value.into(), 50_000, 1 << 16) as u16;
        let mut point = || Ok((step(f.u16()?), step(f.u16()?)));
        let [red, green, blue, white] = [point()?, point()?, point()?, point()?];
        Ok(Self {
            primaries: [green, blue, red],
            white,
            max_luminance: scale(f.u32()?, 10_000, 1 << 8),
            min_luminance: scale(f.u32()?, 10_000, 1 << 14),
        })
    }

    pub fn to_fixed(self) -> Vec<u8> {
        let Self { primaries: [green, blue, red], white, .. } = self;
        let fixed = |value: u16| scale(value.into(), 1 << 16, 50_000).min(0xffff) as u16;
        let mut out = points([red, green, blue, white].map(|(x, y)| (fixed(x), fixed(y))));
        out.extend(scale(self.max_luminance, 1 << 8, 10_000).to_be_bytes());
        out.extend(scale(self.min_luminance, 1 << 14, 10_000).to_be_bytes());
        out
    }
}

impl Light {
    /// From the body of `clli` (ISO/IEC 14496-12 §12.1.7), which the SEI message of HEVC and the OBU of AV1 share.
    pub fn from_clli(body: &[u8]) -> Result<Self> {
        let mut f = Fields::new("clli", body);
        Ok(Self { max: f.u16()?, average: f.u16()? })
    }

    pub fn to_clli(self) -> Vec<u8> {
        points([(self.max, self.average)])
    }
}

fn points<const N: usize>(list: [(u16, u16); N]) -> Vec<u8> {
    list.iter().flat_map(|(x, y)| [x.to_be_bytes(), y.to_be_bytes()]).flatten().collect()
}

/// `value · to / from`, rounded.
fn scale(value: u32, to: u64, from: u64) -> u32 {
    u32::try_from((u64::from(value) * to + from / 2) / from).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_go_there_and_back() {
        let mastering = Mastering {
            primaries: [(13_250, 34_500), (7_500, 3_000), (34_000, 16_000)],
            white: (15_635, 16_450),
            max_luminance: 10_000_000,
            min_luminance: 50,
        };
        assert_eq!(Mastering::from_mdcv(&mastering.to_mdcv()), Ok(mastering));
        assert_eq!(Mastering::from_fixed(&mastering.to_fixed()), Ok(mastering));
        let light = Light { max: 1000, average: 400 };
        assert_eq!(Light::from_clli(&light.to_clli()), Ok(light));
        assert!(Mastering::from_mdcv(&[0; 23]).is_err() && Light::from_clli(&[0; 3]).is_err());
    }
}
