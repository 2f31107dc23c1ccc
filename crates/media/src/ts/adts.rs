//! AAC in ADTS (ISO/IEC 14496-3 §1.A.2.2): frames that may begin anywhere and end in the next PES packet.

use bytes::Bytes;

use super::stream::{Sink, Unit};
use crate::{Error, Result, cmaf::Media, codec::Sound, mp4::AudioConfig};

const HEADER: usize = 7;
/// Samples of a frame.
const SAMPLES: i64 = 1024;

#[derive(Debug, Default)]
pub struct Reader {
    held: Vec<u8>,
    /// Fields of the headers that the configuration follows from.
    known: Option<[u8; 2]>,
    rate: i64,
    /// A time that belongs to the first frame at this place of what is held, or after it.
    mark: Option<(usize, i64)>,
    /// The last such time that was reached, and the frames since.
    base: Option<i64>,
    frames: i64,
}

struct Header {
    size: usize,
    whole: usize,
    config: [u8; 2],
    blocks: u8,
}

impl Header {
    /// `None` when no frame can begin here.
    fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let [first, second, third, fourth, fifth, sixth, last] = *bytes;
        if first != 0xff || second & 0xf6 != 0xf0 {
            return None;
        }
        let size = if second & 1 == 1 { HEADER } else { HEADER + 2 };
        let whole = usize::from(fourth & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth) >> 5;
        let (profile, rate, channels) = (third >> 6, third >> 2 & 15, (third & 1) << 2 | fourth >> 6);
        // AudioSpecificConfig of the same (§1.6.2.1).
        let config = [(profile + 1) << 3 | rate >> 1, (rate & 1) << 7 | channels << 3];
        (whole > size && rate < 13).then_some(Self { size, whole, config, blocks: last & 3 })
    }
}

impl Reader {
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// What came before is not followed by what comes next.
    pub fn lose(&mut self) {
        self.held.clear();
        (self.mark, self.base) = (None, None);
    }

    /// Takes the content of a PES packet. Its time is that of the first frame that begins in it.
    pub fn read(&mut self, unit: Unit, sink: &mut Sink) -> Result<()> {
        if let Some((_, pts)) = unit.times {
            self.mark = Some((self.held.len(), pts));
        }
        self.held.extend_from_slice(&unit.data);
        let held = std::mem::take(&mut self.held);
        let mut at = 0;
        while let Some(header) = held[at..].first_chunk::<HEADER>() {
            let Some(header) = Header::parse(header).filter(|header| follows(&held[at..], header)) else {
                at = self.seek(&held, at, sink);
                continue;
            };
            let Some(frame) = held.get(at..at + header.whole) else { break };
            self.reach(at);
            self.frame(&header, &frame[header.size..], sink)?;
            at += header.whole;
        }
        self.reach(at);
        self.held = held[at..].to_vec();
        if let Some((from, _)) = &mut self.mark {
            *from -= at;
        }
        Ok(())
    }

    fn reach(&mut self, at: usize) {
        if let Some((_, pts)) = self.mark.take_if(|(from, _)| at >= *from) {
            (self.base, self.frames) = (Some(pts), 0);
        }
    }

    fn frame(&mut self, header: &Header, data: &[u8], sink: &mut Sink) -> Result<()> {
        if self.known != Some(header.config) {
            let config = AudioConfig::from_specific(&header.config)?;
            if config.channels == 0 {
                return Err(Error::Unsupported("AAC without a layout of channels".into()));
            }
            self.rate = config.sample_rate.into();
            self.known = Some(header.config);
            sink.describe(Media::Audio(Sound::Mpeg(config)));
        }
        let Some(base) = self.base.filter(|_| header.blocks == 0) else {
            sink.dropped();
            return Ok(());
        };
        let time = base.saturating_add(self.frames * SAMPLES * 90_000 / self.rate.max(1));
        self.frames += 1;
        sink.sample(time, time, true, Bytes::copy_from_slice(data));
        Ok(())
    }

    /// Where the next frame may begin.
    fn seek(&mut self, held: &[u8], at: usize, sink: &mut Sink) -> usize {
        sink.dropped();
        let rest = held.get(at + 1..).unwrap_or_default();
        let next = rest.windows(HEADER).enumerate().find_map(|(n, bytes)| {
            let header = Header::parse(bytes.try_into().ok()?)?;
            follows(&rest[n..], &header).then_some(n)
        });
        at + 1 + next.unwrap_or(rest.len().saturating_sub(HEADER - 1))
    }
}

/// Is what comes after a frame, as far as it is there, the beginning of another?
fn follows(bytes: &[u8], header: &Header) -> bool {
    let mut next = bytes.get(header.whole..).unwrap_or_default().iter();
    next.next().is_none_or(|byte| *byte == 0xff) && next.next().is_none_or(|byte| byte & 0xf6 == 0xf0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::{Event, Kind, TrackId};

    const ID: TrackId = TrackId { kind: Kind::Audio, number: 0 };

    /// 48 kHz, stereo, low complexity.
    fn frame(fill: u8, size: usize) -> Vec<u8> {
        let whole = size + HEADER;
        let header = [
            0xff,
            0xf1,
            0x4c,
            0x80 | (whole >> 11) as u8,
            (whole >> 3) as u8,
            (whole << 5) as u8 | 0x1f,
            0xfc,
        ];
        [&header[..], &vec![fill; size]].concat()
    }

    fn times(reader: &mut Reader, pts: Option<i64>, data: &[u8]) -> Vec<(i64, u8)> {
        let mut out = Vec::new();
        let unit = Unit { times: pts.map(|pts| (pts, pts)), data: data.to_vec() };
        reader.read(unit, &mut Sink { id: ID, out: &mut out }).unwrap();
        let samples = out.into_iter().filter_map(|event| match event {
            Event::Sample(_, sample) => Some((sample.dts, sample.data[0])),
            _ => None,
        });
        samples.collect()
    }

    #[test]
    fn frames_have_the_time_of_the_packet_that_they_begin_in() {
        let mut reader = Reader::default();
        let all: Vec<u8> = (1..=5).flat_map(|n| frame(n, 50)).collect();
        assert_eq!(times(&mut reader, Some(9000), &all[..120]), [(9000, 1), (10_920, 2)]);
        assert_eq!(times(&mut reader, Some(20_000), &all[120..]), [(12_840, 3), (20_000, 4), (21_920, 5)]);
        let cut = frame(6, 50);
        for (n, byte) in cut.iter().enumerate().take(56) {
            assert_eq!(times(&mut reader, (n == 0).then_some(30_000), &[*byte]), []);
        }
        assert_eq!(
            times(&mut reader, Some(40_000), &[&cut[56..], &frame(7, 9)].concat()),
            [(30_000, 6), (40_000, 7)]
        );
    }

    #[test]
    fn what_is_no_frame_is_passed_over() {
        let mut reader = Reader::default();
        let noise = [&[1, 2, 3][..], &frame(1, 30), &[0xff, 0xf1], &frame(2, 30), &frame(3, 30)].concat();
        assert_eq!(times(&mut reader, Some(0), &noise), [(0, 1), (1920, 2), (3840, 3)]);
        reader.lose();
        assert_eq!(times(&mut reader, None, &frame(4, 30)), [], "no time");
        assert_eq!(times(&mut reader, Some(1), &frame(5, 30)), [(1, 5)]);
    }
}
