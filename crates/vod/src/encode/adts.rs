//! AAC frames out of an ADTS stream (ISO/IEC 13818-7 §6.2) that arrives in pieces.

use bytes::{Buf, Bytes, BytesMut};
use media::{Error, Result, mp4::AudioConfig};

/// Feed it bytes, then take frames until there is none.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub buffer: BytesMut,
    config: Option<AudioConfig>,
}

impl Frames {
    /// The decoder's configuration, once a frame was taken.
    pub fn config(&self) -> Option<&AudioConfig> {
        self.config.as_ref()
    }

    /// The next whole frame without its header.
    pub fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(head) = self.buffer.first_chunk::<7>().copied() else { return Ok(None) };
        if head[0] != 0xFF || head[1] & 0xF6 != 0xF0 {
            return Err(Error::Invalid("ADTS", "a frame does not begin with the sync word"));
        }
        let header = if head[1] & 1 == 1 { 7 } else { 9 };
        let length = usize::from(head[3] & 3) << 11 | usize::from(head[4]) << 3 | usize::from(head[5]) >> 5;
        if length <= header || head[6] & 3 != 0 {
            return Err(Error::Invalid("ADTS", "a frame's length is wrong"));
        }
        if self.buffer.len() < length {
            return Ok(None);
        }
        if self.config.is_none() {
            self.config = Some(config(head)?);
        }
        let mut frame = self.buffer.split_to(length).freeze();
        frame.advance(header);
        Ok(Some(frame))
    }
}

/// AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1) from a header's profile, rate and channels.
fn config(head: [u8; 7]) -> Result<AudioConfig> {
    let object_type = (head[2] >> 6) + 1;
    let rate = head[2] >> 2 & 0xF;
    let channels = (head[2] & 1) << 2 | head[3] >> 6;
    AudioConfig::from_specific(&[object_type << 3 | rate >> 1, (rate & 1) << 7 | channels << 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole() {
        let frame = [0xFF, 0xF1, 0x4C, 0x80, 0x01, 0x3F, 0xFC, 1, 2];
        let mut frames = Frames::default();
        for byte in frame.iter().chain(&frame) {
            assert!(frames.buffer.len() < 9);
            frames.buffer.extend_from_slice(&[*byte]);
            if frames.buffer.len() == 9 {
                assert_eq!(frames.next().unwrap().unwrap(), Bytes::from_static(&[1, 2]));
            } else {
                assert_eq!(frames.next().unwrap(), None);
            }
        }
        let config = frames.config().unwrap();
        assert_eq!((config.sample_rate, config.channels, config.codec().as_str()), (48_000, 2, "mp4a.40.2"));
    }

    #[test]
    fn what_is_not_adts_is_refused() {
        let mut frames = Frames::default();
        frames.buffer.extend_from_slice(b"not audio at all");
        assert!(frames.next().is_err());
    }
}
