//! Opus in transport streams: "Encapsulation of Opus in MPEG-TS" (Xiph.Org and VideoLAN), as ffmpeg and GStreamer write it.

use bytes::Bytes;

use super::stream::{Sink, Unit};
use crate::{Result, bits::Fields, cmaf::Media, codec::Sound};

/// Body of `dOps` for a `channel_config_code`; `None` for layouts that are not read. A listener that comes in the middle has nothing to
/// skip.
pub fn dops(code: u8) -> Option<Bytes> {
    let head = |channels: u8, family: u8| vec![0, channels, 0, 0, 0, 0, 0xbb, 0x80, 0, 0, family];
    // Streams, coupled ones among them, and where the channels of the Vorbis order lie in them (RFC 7845 §5.1.1.2).
    let layout: (u8, u8, &[u8]) = match code {
        1 | 2 => return Some(head(code, 0).into()),
        3 => (2, 1, &[0, 2, 1]),
        4 => (2, 2, &[0, 1, 2, 3]),
        5 => (3, 2, &[0, 4, 1, 2, 3]),
        6 => (4, 2, &[0, 4, 1, 2, 3, 5]),
        7 => (4, 3, &[0, 4, 1, 2, 3, 5, 6]),
        8 => (5, 3, &[0, 6, 1, 2, 3, 4, 5, 7]),
        _ => return None,
    };
    let (streams, coupled, mapping) = layout;
    Some([&head(code, 1), &[streams, coupled][..], mapping].concat().into())
}

#[derive(Debug)]
pub struct Reader {
    dops: Bytes,
    described: bool,
}

impl Reader {
    pub fn new(dops: Bytes) -> Self {
        Self { dops, described: false }
    }

    /// Takes the content of a PES packet: access units with their control headers.
    pub fn read(&mut self, unit: Unit, sink: &mut Sink) -> Result<()> {
        if !self.described {
            self.described = true;
            if let Some(sound) = Sound::parse(*b"Opus", &self.dops)? {
                sink.describe(Media::Audio(sound));
            }
        }
        let Some((_, mut time)) = unit.times else {
            sink.dropped();
            return Ok(());
        };
        let mut f = Fields::new("Opus access unit", &unit.data);
        while !f.rest().is_empty() {
            let Ok(packet) = access_unit(&mut f) else {
                sink.dropped();
                break;
            };
            let Some(samples) = samples(packet) else {
                sink.dropped();
                continue;
            };
            sink.sample(time, time, true, Bytes::copy_from_slice(packet));
            // 48 kHz to 90 kHz; the shortest packets have 120 samples.
            time = time.saturating_add(samples * 15 / 8);
        }
        Ok(())
    }
}

/// The packet behind a control header.
fn access_unit<'a>(f: &mut Fields<'a>) -> Result<&'a [u8]> {
    let marks = f.u16()?;
    if marks >> 5 != 0x3ff {
        return Err(crate::Error::Invalid("Opus access unit", "no control header"));
    }
    let mut size = 0;
    loop {
        let byte = f.u8()?;
        size += usize::from(byte);
        if byte != 255 {
            break;
        }
    }
    let (start_trim, end_trim, extension) = (marks & 0x10 != 0, marks & 0x08 != 0, marks & 0x04 != 0);
    f.skip(2 * (usize::from(start_trim) + usize::from(end_trim)))?;
    if extension {
        let length = f.u8()?;
        f.skip(length.into())?;
    }
    f.take(size)
}

/// Duration of a packet at 48 kHz (RFC 6716 §3.1); `None` when it has none, or more than 120 ms.
fn samples(packet: &[u8]) -> Option<i64> {
    let first = *packet.first()?;
    let frame = match first >> 3 {
        config @ 0..=11 => [480, 960, 1920, 2880][usize::from(config & 3)],
        config @ 12..=15 => [480, 960][usize::from(config & 1)],
        config => [120, 240, 480, 960][usize::from(config & 3)],
    };
    let frames = match first & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => i64::from(packet.get(1)? & 63),
    };
    Some(frame * frames).filter(|samples| (1..=5760).contains(samples))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec::opus::Config,
        frame::{Event, Kind, TrackId},
    };

    #[test]
    fn layouts_can_be_read() {
        for code in 1..=8 {
            assert_eq!(Config::parse(&dops(code).unwrap()).unwrap().channels, code);
        }
        assert_eq!((dops(0), dops(0x82)), (None, None));
    }

    #[test]
    fn access_units_follow_each_other() {
        let id = TrackId { kind: Kind::Audio, number: 0 };
        // 20 ms with its beginning trimmed; two frames of 2.5 ms with an extension; damage.
        let data = [0x7f, 0xf0, 2, 1, 0x38, 0xfc, 9, 0x7f, 0xe4, 2, 1, 7, 0xe1, 9, 0x12, 0x34];
        let (mut reader, mut out) = (Reader::new(dops(2).unwrap()), Vec::new());
        let unit = Unit { times: Some((900, 900)), data: data.to_vec() };
        reader.read(unit, &mut Sink { id, out: &mut out }).unwrap();
        let [Event::Track(..), Event::Sample(_, one), Event::Sample(_, two), Event::Dropped(_)] = &out[..]
        else {
            panic!("{out:?}")
        };
        assert_eq!(
            (one.dts, &one.data[..], two.dts, &two.data[..]),
            (900, &[0xfc, 9][..], 2700, &[0xe1, 9][..])
        );
        assert_eq!((samples(&[0xe1, 9]), samples(&[0xff, 63]), samples(&[])), (Some(240), None, None));
    }
}
