//! The elementary stream descriptor of an AAC track (ISO/IEC 14496-1 §7.2.6) and its AudioSpecificConfig
//! (ISO/IEC 14496-3 §1.6.2.1).

use crate::{
    Error, Result,
    bits::{Bits, Fields},
};

/// What the decoder must know about an MPEG audio stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudioConfig {
    /// MPEG-4 registration: 0x40 is MPEG-4 audio.
    pub object_type_indication: u8,
    /// 2 is AAC-LC, 5 HE-AAC. 0 when the stream is not MPEG-4 audio.
    pub audio_object_type: u8,
    pub sample_rate: u32,
    pub channels: u32,
    /// AudioSpecificConfig as found.
    pub specific: Vec<u8>,
}

const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

impl AudioConfig {
    /// From the body of an `esds` box.
    pub fn from_esds(body: &[u8]) -> Result<Self> {
        let mut f = Fields::new("esds", body);
        f.version_and_flags()?;
        let es = descriptor(&mut f, 3)?;
        let mut f = Fields::new("esds", es);
        f.skip(2)?;
        let flags = f.u8()?;
        if flags & 0x80 != 0 {
            f.skip(2)?;
        }
        if flags & 0x40 != 0 {
            let n = f.u8()?;
            f.skip(usize::from(n))?;
        }
        if flags & 0x20 != 0 {
            f.skip(2)?;
        }
        let config = descriptor(&mut f, 4)?;
        let mut f = Fields::new("esds", config);
        let object_type_indication = f.u8()?;
        f.skip(12)?;
        if object_type_indication != 0x40 {
            return Ok(Self {
                object_type_indication,
                audio_object_type: 0,
                sample_rate: 0,
                channels: 0,
                specific: Vec::new(),
            });
        }
        Self::from_specific(descriptor(&mut f, 5)?)
    }

    /// From an AudioSpecificConfig.
    pub fn from_specific(specific: &[u8]) -> Result<Self> {
        let mut b = Bits::new("AudioSpecificConfig", specific);
        let mut audio_object_type = b.bits(5)?;
        if audio_object_type == 31 {
            audio_object_type = 32 + b.bits(6)?;
        }
        let sample_rate = match b.bits(4)? {
            15 => b.bits(24)?,
            n => {
                *RATES.get(n as usize).ok_or(Error::Invalid("AudioSpecificConfig", "reserved sample rate"))?
            }
        };
        let channels = match b.bits(4)? {
            n @ 0..=6 => n, // 0: told in a program config element
            7 | 12 | 14 => 8,
            11 => 7,
            _ => return Err(Error::Invalid("AudioSpecificConfig", "reserved channel layout")),
        };
        Ok(Self {
            object_type_indication: 0x40,
            audio_object_type: audio_object_type as u8,
            sample_rate,
            channels,
            specific: specific.to_vec(),
        })
    }

    /// RFC 6381 §3.3: `mp4a.40.2`.
    pub fn codec(&self) -> String {
        match self.audio_object_type {
            0 => format!("mp4a.{:02x}", self.object_type_indication),
            n => format!("mp4a.{:02x}.{n}", self.object_type_indication),
        }
    }

    /// Body of an `esds` box for AAC.
    pub fn to_esds(&self, average_bps: u32, max_bps: u32) -> Vec<u8> {
        let sized = |tag: u8, body: &[u8]| {
            let len = body.len() as u32;
            // Four-byte lengths, as all known writers do.
            let mut out = vec![tag, 0x80 | (len >> 21) as u8, 0x80 | (len >> 14) as u8];
            out.extend([0x80 | (len >> 7) as u8, (len & 0x7f) as u8]);
            out.extend_from_slice(body);
            out
        };
        let mut config = vec![0x40, 0x15, 0, 0, 0]; // MPEG-4 audio, audio stream, no buffer size told
        config.extend(max_bps.to_be_bytes());
        config.extend(average_bps.to_be_bytes());
        config.extend(sized(5, &self.specific));
        let mut es = vec![0, 0, 0]; // no ES_ID in files (ISO/IEC 14496-14 §3.1.2)
        es.extend(sized(4, &config));
        es.extend(sized(6, &[2]));
        let mut body = vec![0; 4];
        body.extend(sized(3, &es));
        body
    }
}

/// The body of the next descriptor, which must have this tag (expandable length, ISO/IEC 14496-1 §8.3.3).
fn descriptor<'a>(f: &mut Fields<'a>, tag: u8) -> Result<&'a [u8]> {
    if f.u8()? != tag {
        return Err(Error::Invalid("esds", "unexpected descriptor"));
    }
    let mut len = 0usize;
    for _ in 0..4 {
        let byte = f.u8()?;
        len = (len << 7) | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return f.take(len);
        }
    }
    Err(Error::Invalid("esds", "a descriptor's length is too long"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aac_config_goes_there_and_back() {
        let config = AudioConfig::from_specific(&[0x11, 0x90]).unwrap();
        assert_eq!((config.codec().as_str(), config.sample_rate, config.channels), ("mp4a.40.2", 48_000, 2));
        let esds = config.to_esds(128_000, 160_000);
        assert_eq!(AudioConfig::from_esds(&esds).unwrap(), config);
        for n in 0..esds.len() - 3 {
            assert!(AudioConfig::from_esds(&esds[..n]).is_err());
        }
    }
}
