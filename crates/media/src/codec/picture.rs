//! Moving pictures as a sample entry describes them (ISO/IEC 14496-12 §12.1.3).

use bytes::Bytes;

use super::{
    Colour, Hdr, Light, Mastering, av1,
    avc::{self, DELIMITER, PPS, SPS},
    hevc,
    nal::Units,
    vp9,
};
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
    /// Parameter sets may lie in the samples as well (`avc3`, `hev1`).
    pub in_band: bool,
}

impl Picture {
    /// What a configuration tells, of a picture with this cropped size.
    pub fn new(format: Format, config: &[u8], (width, height): (u32, u32), facts: Facts) -> Self {
        let config = Bytes::copy_from_slice(config);
        let Facts { aspect, colour, hdr, .. } = facts;
        Self { format, config, width, height, aspect, colour, hdr, in_band: false }
    }

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
            in_band: matches!(&entry, b"avc3" | b"avc4" | b"hev1"),
        };
        Ok(Some((picture, facts)))
    }

    /// The dynamic range that the colours tell.
    pub fn range(&self) -> Range {
        self.colour.map_or(Range::Sdr, Colour::range)
    }

    /// The same for a track whose samples may come from several encoders, each with parameter sets of its own (`avc3`).
    /// Constraint flags are promises about all of them, and none is made. `None` for formats other than H.264.
    pub fn with_sets_in_band(&self) -> Option<Self> {
        let mut config = self.config.to_vec();
        match (self.format, config.get_mut(2)) {
            (Format::Avc, Some(constraints)) => *constraints = 0,
            _ => return None,
        }
        Some(Self { config: config.into(), in_band: true, ..self.clone() })
    }

    /// A sample as a track of this kind holds it: without the parameter sets in it, which encoders may repeat (`avc1` and
    /// `hvc1` have them in the header alone, ISO/IEC 14496-15 §5.3, §8.3), or with them before every key frame (`avc3`). An
    /// error when one is not that of a header that has them all. Samples that are so already are not copied.
    pub fn stored(&self, sample: &Bytes, is_sync: bool) -> Result<Bytes> {
        let size = match self.format {
            Format::Avc => self.config.get(4),
            Format::Hevc => self.config.get(21),
            Format::Vp9 | Format::Av1 => return Ok(sample.clone()),
        };
        let size = (size.ok_or(Error::Truncated("sample entry"))? & 3) + 1;
        let units: Vec<&[u8]> = Units { rest: sample, size }.collect::<Result<_>>()?;
        match (self.in_band, self.format) {
            (false, _) => self.without_sets(sample, &units, size),
            (true, Format::Avc) if is_sync => self.with_sets(sample, &units, size),
            (true, _) => Ok(sample.clone()),
        }
    }

    fn is_set(&self, unit: &[u8]) -> bool {
        match (self.format, unit.first()) {
            (Format::Avc, Some(first)) => matches!(first & 31, SPS | PPS),
            (Format::Hevc, Some(first)) => matches!((first >> 1) & 63, 32..=34),
            _ => false,
        }
    }

    fn without_sets(&self, sample: &Bytes, units: &[&[u8]], size: u8) -> Result<Bytes> {
        let (sets, rest): (Vec<&[u8]>, Vec<&[u8]>) = units.iter().partition(|unit| self.is_set(unit));
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
        Ok(joined(&rest, size))
    }

    /// Puts the header's sets where they belong: after the access unit delimiter, before everything else. A key frame that has
    /// both kinds keeps its own.
    fn with_sets(&self, sample: &Bytes, units: &[&[u8]], size: u8) -> Result<Bytes> {
        let has = |kind: u8| units.iter().any(|unit| unit.first().is_some_and(|first| first & 31 == kind));
        if has(SPS) && has(PPS) {
            return Ok(sample.clone());
        }
        let config = avc::Config::parse(&self.config)?;
        let (first, rest) = match units.split_first() {
            Some((first, rest)) if first.first().is_some_and(|byte| byte & 31 == DELIMITER) => {
                (Some(*first), rest)
            }
            _ => (None, units),
        };
        let sets = config.sps.iter().chain(&config.pps).map(Vec::as_slice);
        let rest = rest.iter().copied().filter(|unit| !self.is_set(unit));
        let all: Vec<&[u8]> = first.into_iter().chain(sets).chain(rest).collect();
        Ok(joined(&all, size))
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

/// Do the units that a sample says it has fill it? True of formats that have none.
pub fn nal_units_fit(picture: &Picture, sample: &[u8]) -> bool {
    let size = match picture.format {
        Format::Avc => picture.config.get(4),
        Format::Hevc => picture.config.get(21),
        Format::Vp9 | Format::Av1 => return true,
    };
    size.is_some_and(|size| Units { rest: sample, size: (size & 3) + 1 }.all(|unit| unit.is_ok()))
}

/// Four-byte lengths before units, as in a sample.
pub fn with_lengths<'a>(units: impl IntoIterator<Item = &'a [u8]>) -> Bytes {
    joined(&units.into_iter().collect::<Vec<_>>(), 4)
}

/// A sample of these units, with lengths of `size` bytes.
fn joined(units: &[&[u8]], size: u8) -> Bytes {
    let mut out = Vec::with_capacity(units.iter().map(|unit| unit.len() + usize::from(size)).sum());
    for unit in units {
        let length = (unit.len() as u32).to_be_bytes();
        out.extend_from_slice(&length[4 - usize::from(size)..]);
        out.extend_from_slice(unit);
    }
    out.into()
}
