//! Sound as a sample entry describes it (ISO/IEC 14496-12 §12.2.3).

use super::{dolby, opus};
use crate::{
    Result,
    mp4::{AudioConfig, Boxes, FourCc},
};

/// Configurations that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sound {
    /// Any audio of `mp4a`.
    Mpeg(AudioConfig),
    Opus(opus::Config),
    Ac3(dolby::Config),
    Eac3(dolby::Config),
}

impl Sound {
    /// The box that holds the configuration of a sample entry.
    pub fn config_box(entry: FourCc) -> Option<&'static FourCc> {
        Some(match &entry {
            b"mp4a" => b"esds",
            b"Opus" => b"dOps",
            b"ac-3" => b"dac3",
            b"ec-3" => b"dec3",
            _ => return None,
        })
    }

    /// Reads the body of the configuration box; `None` for formats that are not read.
    pub fn parse(entry: FourCc, config: &[u8]) -> Result<Option<Self>> {
        Ok(Some(match &entry {
            b"mp4a" => Self::Mpeg(AudioConfig::from_esds(config)?),
            b"Opus" => Self::Opus(opus::Config::parse(config)?),
            b"ac-3" => Self::Ac3(dolby::Config::parse_dac3(config)?),
            b"ec-3" => Self::Eac3(dolby::Config::parse_dec3(config)?),
            _ => return Ok(None),
        }))
    }

    /// From the boxes `inside` a sample entry.
    pub fn read(entry: FourCc, inside: &[u8]) -> Result<Option<Self>> {
        let Some(wanted) = Self::config_box(entry) else { return Ok(None) };
        let missing = "a sample entry has no configuration of its codec";
        Self::parse(entry, Boxes::new(inside).need(wanted, missing)?)
    }

    /// RFC 6381 codecs string.
    pub fn codec(&self) -> String {
        match self {
            Self::Mpeg(config) => config.codec(),
            Self::Opus(_) => "opus".into(),
            Self::Ac3(_) => "ac-3".into(),
            Self::Eac3(_) => "ec-3".into(),
        }
    }

    /// 0 when it is not told here.
    pub fn sample_rate(&self) -> u32 {
        match self {
            Self::Mpeg(config) => config.sample_rate,
            Self::Opus(_) => opus::RATE,
            Self::Ac3(config) | Self::Eac3(config) => config.sample_rate,
        }
    }

    /// 0 when it is not told here.
    pub fn channels(&self) -> u32 {
        match self {
            Self::Mpeg(config) => config.channels,
            Self::Opus(config) => config.channels.into(),
            Self::Ac3(config) | Self::Eac3(config) => config.channels.into(),
        }
    }

    /// Complexity index of joint object coding (Dolby Atmos).
    pub fn joc(&self) -> Option<u8> {
        if let Self::Eac3(config) = self { config.joc } else { None }
    }
}
