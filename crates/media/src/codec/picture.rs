//! Moving pictures as a sample entry describes them (ISO/IEC 14496-12 §12.1.3).

use bytes::Bytes;

use super::{Colour, Hdr, Light, Mastering, av1, avc, hevc, nal::Units, vp9};
use crate::{
    Error, Result,
    bits::Fields,
    descriptor::Range,
    mp4::{Boxes, FourCc},
};

/// Formats whose configuration is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Avc,
    Hevc,
    Vp9,
    Av1,
}

/// What a configuration box says, with the headers of the bitstream that lie in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// RFC 6381 codecs string.
    pub codec: String,
    /// Cropped size in samples.
    pub size: Option<(u32, u32)>,
    /// Sample aspect ratio.
    pub aspect: Option<(u32, u32)>,
    pub colour: Option<Colour>,
    pub hdr: Hdr,
    /// Bytes of the length before each NAL unit, for formats that have them.
    pub length_size: Option<u8>,
    /// A sequence header lies in the box, or the format needs none there.
    pub has_sequence: bool,
}

impl Format {
    pub fn of(entry: FourCc) -> Option<Self> {
        Some(match &entry {
            b"avc1" | b"avc2" | b"avc3" | b"avc4" => Self::Avc,
            b"hvc1" | b"hev1" => Self::Hevc,
            b"vp09" => Self::Vp9,
            b"av01" => Self::Av1,
            _ => return None,
        })
    }

    /// The box that holds the configuration.
    pub fn config_box(self) -> &'static FourCc {
        match self {
            Self::Avc => b"avcC",
            Self::Hevc => b"hvcC",
            Self::Vp9 => b"vpcC",
            Self::Av1 => b"av1C",
        }
    }

    /// Reads the body of the configuration box; `entry` is the sample entry's name.
    pub fn facts(self, entry: &str, config: &[u8]) -> Result<Facts> {
        let wide = |(h, v): (u16, u16)| (u32::from(h), u32::from(v));
        Ok(match self {
            Self::Avc => {
                let config = avc::Config::parse(config)?;
                let sps = config.sps.first().map(|nal| avc::Sps::parse(nal)).transpose()?;
                if sps.as_ref().is_some_and(|s| (s.profile, s.level) != (config.profile, config.level)) {
                    return Err(Error::Invalid(
                        "avcC",
                        "profile or level are not those of its parameter set",
                    ));
                }
                Facts {
                    codec: config.codec(entry),
                    size: sps.as_ref().map(|s| (s.width, s.height)),
                    aspect: sps.as_ref().and_then(|s| s.sample_aspect).map(wide),
                    colour: sps.as_ref().and_then(|s| s.colour),
                    hdr: Hdr::default(),
                    length_size: Some(config.length_size),
                    has_sequence: sps.is_some(),
                }
            }
            Self::Hevc => {
                let config = hevc::Config::parse(config)?;
                let sps = config.sps()?;
                Facts {
                    codec: config.codec(entry),
                    size: sps.as_ref().map(|s| (s.width, s.height)),
                    aspect: sps.as_ref().and_then(|s| s.sample_aspect).map(wide),
                    colour: sps.as_ref().and_then(|s| s.colour),
                    hdr: config.hdr(),
                    length_size: Some(config.length_size()),
                    has_sequence: sps.is_some(),
                }
            }
            Self::Vp9 => {
                let config = vp9::Config::parse(config)?;
                let colour = config.colour.told();
                Facts { codec: config.codec(), colour, has_sequence: true, ..Facts::default() }
            }
            Self::Av1 => {
                let config = av1::Config::parse(config)?;
                Facts {
                    codec: config.codec(),
                    size: config.sequence.map(|s| (s.width, s.height)),
                    colour: config.sequence.and_then(|s| s.colour.told()),
                    hdr: config.hdr,
                    has_sequence: true,
                    ..Facts::default()
                }
            }
        })
    }
}

/// A sample entry of moving pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub format: Format,
    /// The body of the configuration box.
    pub config: Bytes,
    /// Cropped size in samples.
    pub width: u32,
    pub height: u32,
    /// Sample aspect ratio.
    pub aspect: Option<(u32, u32)>,
    pub colour: Option<Colour>,
    pub hdr: Hdr,
}

impl Picture {
    /// From the boxes `inside` a sample entry that tells a size of `(width, height)`. The bitstream's own headers are
    /// believed before the boxes beside them; `None` for formats that are not read.
    pub fn read(entry: FourCc, (width, height): (u32, u32), inside: &[u8]) -> Result<Option<(Self, Facts)>> {
        let Some(format) = Format::of(entry) else { return Ok(None) };
        let missing = "a sample entry has no configuration of its codec";
        let config = Boxes::new(inside).need(format.config_box(), missing)?;
        let facts = format.facts(&String::from_utf8_lossy(&entry), config)?;
        let (mut aspect, mut colour, mut hdr) = (None, None, Hdr::default());
        for found in Boxes::new(inside) {
            let (kind, body) = found?;
            match &kind {
                b"pasp" => {
                    let mut f = Fields::new("pasp", body);
                    aspect = Some((f.u32()?, f.u32()?)).filter(|(h, v)| *h > 0 && *v > 0);
                }
                b"colr" => colour = Colour::from_colr(body)?.and_then(Colour::told).or(colour),
                b"mdcv" => hdr.mastering = Some(Mastering::from_mdcv(body)?),
                b"clli" => hdr.light = Some(Light::from_clli(body)?),
                b"SmDm" => hdr.mastering = Some(Mastering::from_fixed(body.get(4..).unwrap_or_default())?),
                b"CoLL" => hdr.light = Some(Light::from_clli(body.get(4..).unwrap_or_default())?),
                _ => {}
            }
        }
        let (width, height) = facts.size.unwrap_or((width, height));
        let picture = Self {
            format,
            config: Bytes::copy_from_slice(config),
            width,
            height,
            aspect: facts.aspect.or(aspect),
            colour: facts.colour.or(colour),
            hdr: facts.hdr.or(hdr),
        };
        Ok(Some((picture, facts)))
    }

    /// The dynamic range that the colours tell.
    pub fn range(&self) -> Range {
        self.colour.map_or(Range::Sdr, Colour::range)
    }

    /// A sample without the parameter sets in it, which encoders may repeat: tracks of `avc1` and `hvc1` have them in the
    /// header alone (ISO/IEC 14496-15 §5.3, §8.3). An error when one is not that of the header. Samples without any are not
    /// copied.
    pub fn without_parameter_sets(&self, sample: &Bytes) -> Result<Bytes> {
        let is_set = |unit: &[u8]| match (self.format, unit.first()) {
            (Format::Avc, Some(first)) => matches!(first & 31, 7 | 8),
            (Format::Hevc, Some(first)) => matches!((first >> 1) & 63, 32..=34),
            _ => false,
        };
        let size = match self.format {
            Format::Avc => self.config.get(4),
            Format::Hevc => self.config.get(21),
            Format::Vp9 | Format::Av1 => return Ok(sample.clone()),
        };
        let size = (size.ok_or(Error::Truncated("sample entry"))? & 3) + 1;
        let units: Vec<&[u8]> = Units { rest: sample, size }.collect::<Result<_>>()?;
        let sets: Vec<&[u8]> = units.iter().copied().filter(|unit| is_set(unit)).collect();
        if sets.is_empty() {
            return Ok(sample.clone());
        }
        let known = match self.format {
            Format::Avc => {
                let config = avc::Config::parse(&self.config)?;
                sets.iter().all(|set| config.holds(set))
            }
            _ => {
                let config = hevc::Config::parse(&self.config)?;
                sets.iter().all(|set| config.holds(set))
            }
        };
        if !known {
            return Err(Error::Invalid("sample", "its parameter sets are not those of the header"));
        }
        let mut out = Vec::with_capacity(sample.len());
        for unit in units.into_iter().filter(|unit| !is_set(unit)) {
            let length = (unit.len() as u32).to_be_bytes();
            out.extend_from_slice(&length[4 - usize::from(size)..]);
            out.extend_from_slice(unit);
        }
        Ok(out.into())
    }

    /// Static metadata in a sample.
    pub fn hdr_of_sample(&self, sample: &[u8]) -> Result<Hdr> {
        Ok(match self.format {
            Format::Hevc => hevc::Config::parse(&self.config)?.hdr_of_sample(sample),
            Format::Av1 => av1::hdr(sample),
            Format::Avc | Format::Vp9 => Hdr::default(),
        })
    }
}
