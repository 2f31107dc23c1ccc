//! How beats lie in the log: one record for each request, in bytes.
//!
//! A record is framed as its length and its CRC-32C (Castagnoli, RFC 3720 appendix B.4), both 32 bits little-endian, and its
//! payload: version, time of receipt, session, presentation, and the beats with numbers as LEB128.

use domain::{Micros, PresentationId};
use uuid::Uuid;

use crate::beat::{Beat, Play, What};

/// Length and checksum in front of each payload.
pub const FRAME_BYTES: usize = 8;
/// Longer records are never written; a length beyond is a torn or foreign one.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;
const VERSION: u8 = 1;

/// What one request brought of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub received: Micros,
    pub session: Uuid,
    pub presentation: PresentationId,
    pub beats: Vec<Beat>,
}

impl Record {
    /// Appends the framed record to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend([0; FRAME_BYTES]);
        out.push(VERSION);
        out.extend(self.received.0.to_le_bytes());
        out.extend(self.session.as_bytes());
        out.extend(self.presentation.0.as_bytes());
        number(out, self.beats.len() as u64);
        for beat in &self.beats {
            write_beat(out, beat);
        }
        let (frame, payload) = out[start..].split_at_mut(FRAME_BYTES);
        frame[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        frame[4..].copy_from_slice(&checksum(payload).to_le_bytes());
    }

    /// Reads a payload whose checksum was right. `None`: it is of another version, or was never written by this.
    pub fn read(payload: &[u8]) -> Option<Self> {
        let mut from = payload;
        if take::<1>(&mut from)? != [VERSION] {
            return None;
        }
        let received = Micros(i64::from_le_bytes(take(&mut from)?));
        let session = Uuid::from_bytes(take(&mut from)?);
        let presentation = PresentationId(Uuid::from_bytes(take(&mut from)?));
        let count = take_number(&mut from)?;
        // A beat takes three bytes at least: no count can make us reserve more than there is.
        let mut beats = Vec::with_capacity(usize::try_from(count).ok()?.min(from.len() / 3));
        for _ in 0..count {
            beats.push(read_beat(&mut from)?);
        }
        from.is_empty().then_some(Self { received, session, presentation, beats })
    }
}

/// The framed payload at the beginning of `bytes`; `None` when it is torn, altered or not there.
pub fn framed(bytes: &[u8]) -> Option<&[u8]> {
    let (frame, rest) = bytes.split_at_checked(FRAME_BYTES)?;
    let length = u32::from_le_bytes(frame[..4].try_into().ok()?) as usize;
    let sum = u32::from_le_bytes(frame[4..].try_into().ok()?);
    // Zeroes at the end of a file would pass for empty records without end.
    if length == 0 || length > MAX_PAYLOAD_BYTES {
        return None;
    }
    let payload = rest.get(..length)?;
    (checksum(payload) == sum).then_some(payload)
}

fn checksum(payload: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, payload) as u32
}

fn write_beat(out: &mut Vec<u8>, beat: &Beat) {
    number(out, beat.seq.into());
    number(out, beat.age_ms.into());
    text(out, &beat.edge);
    match &beat.what {
        What::Start { startup_ms } => {
            out.push(0);
            number(out, (*startup_ms).into());
        }
        What::Play(play) => {
            out.push(1);
            for value in figures(play) {
                number(out, value);
            }
        }
        What::Error { code, fatal, started } => {
            out.extend([2, u8::from(*fatal) | u8::from(*started) << 1]);
            text(out, code);
        }
        What::End => out.push(3),
    }
}

fn figures(play: &Play) -> [u64; 9] {
    [
        play.playing_ms.into(),
        play.stalled_ms.into(),
        play.stalls.into(),
        play.bitrate_bps.into(),
        play.bytes,
        play.dropped_frames.into(),
        play.buffer_ms.into(),
        play.height.into(),
        play.switches.into(),
    ]
}

fn read_beat(from: &mut &[u8]) -> Option<Beat> {
    let seq = take_small(from)?;
    let age_ms = take_small(from)?;
    let edge = take_text(from)?;
    let what = match take::<1>(from)? {
        [0] => What::Start { startup_ms: take_small(from)? },
        [1] => What::Play(Play {
            playing_ms: take_small(from)?,
            stalled_ms: take_small(from)?,
            stalls: take_small(from)?,
            bitrate_bps: take_small(from)?,
            bytes: take_number(from)?,
            dropped_frames: take_small(from)?,
            buffer_ms: take_small(from)?,
            height: take_small(from)?,
            switches: take_small(from)?,
        }),
        [2] => {
            let [flags] = take::<1>(from)?;
            What::Error { code: take_text(from)?, fatal: flags & 1 != 0, started: flags & 2 != 0 }
        }
        [3] => What::End,
        _ => return None,
    };
    Some(Beat { seq, age_ms, edge, what })
}

/// LEB128, unsigned.
fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Texts are shorter than 256 bytes: the body's limits see to it.
fn text(out: &mut Vec<u8>, text: &str) {
    let length = text.len().min(255);
    out.push(length as u8);
    out.extend(&text.as_bytes()[..length]);
}

fn take<const N: usize>(from: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = from.split_first_chunk::<N>()?;
    *from = rest;
    Some(*taken)
}

fn take_number(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = take::<1>(from)?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn take_small(from: &mut &[u8]) -> Option<u32> {
    take_number(from)?.try_into().ok()
}

fn take_text(from: &mut &[u8]) -> Option<Box<str>> {
    let [length] = take::<1>(from)?;
    let (taken, rest) = from.split_at_checked(length.into())?;
    *from = rest;
    std::str::from_utf8(taken).ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn beats() -> impl Strategy<Value = Beat> {
        let play = any::<([u32; 8], u64)>().prop_map(|(n, bytes)| {
            What::Play(Play {
                playing_ms: n[0],
                stalled_ms: n[1],
                stalls: n[2],
                bitrate_bps: n[3],
                bytes,
                dropped_frames: n[4],
                buffer_ms: n[5],
                height: n[6],
                switches: n[7],
            })
        });
        let error = ("[A-Za-z0-9._-]{1,64}", any::<bool>(), any::<bool>())
            .prop_map(|(code, fatal, started)| What::Error { code: code.into(), fatal, started });
        let what = prop_oneof![
            any::<u32>().prop_map(|startup_ms| What::Start { startup_ms }),
            play,
            error,
            Just(What::End)
        ];
        (any::<u32>(), any::<u32>(), "[a-z0-9._-]{0,64}", what).prop_map(|(seq, age_ms, edge, what)| Beat {
            seq,
            age_ms,
            edge: edge.into(),
            what,
        })
    }

    fn records() -> impl Strategy<Value = Record> {
        let ids = (any::<u128>(), any::<u128>());
        (any::<i64>(), ids, prop::collection::vec(beats(), 0..20)).prop_map(|(at, (session, of), beats)| {
            let presentation = PresentationId(Uuid::from_u128(of));
            Record { received: Micros(at), session: Uuid::from_u128(session), presentation, beats }
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(record in records()) {
            let mut bytes = vec![1, 2, 3];
            record.write(&mut bytes);
            prop_assert_eq!(Record::read(framed(&bytes[3..]).unwrap()), Some(record));
        }

        #[test]
        fn a_torn_or_altered_record_is_none(record in records(), at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
            let mut bytes = Vec::new();
            record.write(&mut bytes);
            prop_assert_eq!(framed(&bytes[..at.index(bytes.len())]), None);
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert_eq!(framed(&bytes), None);
        }

        #[test]
        fn foreign_payloads_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = Record::read(&bytes);
            let _ = framed(&bytes);
        }
    }

    #[test]
    fn zeroes_are_no_records() {
        assert_eq!(framed(&[0; 64]), None);
    }

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720 appendix B.4: 32 bytes of zeroes.
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa);
    }
}
