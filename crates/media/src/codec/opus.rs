//! Opus: the configuration box `dOps` (Encapsulation of Opus in ISO Base Media File Format §4.3.2).

use bytes::Bytes;

use crate::{Error, Result, bits::Fields};

/// Opus always decodes at this rate.
pub const RATE: u32 = 48_000;

/// Packets that a decoder wants before those that it plays, negative: 80 ms in packets of 20 ms (§4.3.6.2).
pub const ROLL_DISTANCE: i16 = -4;

/// What `dOps` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    pub channels: u8,
    /// Samples at 48 kHz that come out of the decoder first and are not played.
    pub pre_skip: u16,
    /// The body of the box, as found.
    pub body: Bytes,
}

impl Config {
    /// The same for a track that begins after what would be skipped.
    #[must_use]
    pub fn nothing_to_skip(&self) -> Self {
        let mut body = self.body.to_vec();
        if let Some(told) = body.get_mut(2..4) {
            told.fill(0);
        }
        Self { pre_skip: 0, body: body.into(), ..*self }
    }

    pub fn parse(dops: &[u8]) -> Result<Self> {
        let mut f = Fields::new("dOps", dops);
        if f.u8()? != 0 {
            return Err(Error::Invalid("dOps", "unknown version"));
        }
        let (channels, pre_skip) = (f.u8()?, f.u16()?);
        f.skip(6)?; // input rate, gain
        let family = f.u8()?;
        if channels == 0 || (family == 0 && channels > 2) {
            return Err(Error::Invalid("dOps", "the number of channels does not fit its mapping family"));
        }
        if family != 0 {
            f.skip(2 + usize::from(channels))?;
        }
        let body = Bytes::copy_from_slice(&dops[..dops.len() - f.rest().len()]);
        Ok(Self { channels, pre_skip, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stereo_and_surround_are_read() {
        let stereo = [0, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0];
        let config = Config::parse(&stereo).unwrap();
        assert_eq!((config.channels, config.pre_skip, config.body.len()), (2, 312, 11));
        let surround = [0, 6, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 1, 4, 2, 0, 4, 1, 2, 3, 5];
        assert_eq!(Config::parse(&surround).unwrap().channels, 6);
        for n in 0..surround.len() {
            assert!(Config::parse(&surround[..n]).is_err(), "{n}");
        }
        assert!(Config::parse(&[0, 0, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0]).is_err());
        assert!(Config::parse(&[1, 2, 1, 0x38, 0, 0, 0xbb, 0x80, 0, 0, 0]).is_err());
    }
}
