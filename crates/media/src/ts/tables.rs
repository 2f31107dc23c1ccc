//! The tables that say what lies where: program association and program map (ISO/IEC 13818-1 §2.4.4.3, §2.4.4.8).

use bytes::Bytes;

use super::opus;
use crate::{Error, Result, bits::Fields, frame::Kind};

const ASSOCIATION: u8 = 0;
const MAP: u8 = 2;

/// A stream that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Codec {
    Avc,
    Hevc,
    /// AAC in ADTS.
    Aac,
    /// With the body of its `dOps`.
    Opus(Bytes),
}

impl Codec {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Avc | Self::Hevc => Kind::Video,
            Self::Aac | Self::Opus(_) => Kind::Audio,
        }
    }
}

/// What a program consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Map {
    /// Where its clock lies.
    pub clock: u16,
    pub streams: Vec<(u16, Codec)>,
    /// Pictures and sound that are not read, in words.
    pub refused: Vec<(Kind, &'static str)>,
}

/// The fields that both tables begin with. `None` for other tables, and for those that do not count yet.
fn table<'a>(section: &'a [u8], wanted: u8) -> Result<Option<Fields<'a>>> {
    let mut f = Fields::new("program table", section);
    let kind = f.u8()?;
    f.skip(4)?;
    let current = f.u8()? & 1 == 1;
    let number = f.u8()?;
    f.skip(1)?;
    Ok((kind == wanted && current && number == 0).then_some(f))
}

/// The PID of the first program's map.
pub fn first_program(section: &[u8]) -> Result<Option<u16>> {
    let Some(mut f) = table(section, ASSOCIATION)? else { return Ok(None) };
    while !f.rest().is_empty() {
        let (program, pid) = (f.u16()?, f.u16()? & 0x1fff);
        if program != 0 {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}

/// A program's streams.
pub fn map(section: &[u8]) -> Result<Option<Map>> {
    let Some(mut f) = table(section, MAP)? else { return Ok(None) };
    let clock = f.u16()? & 0x1fff;
    let about = f.u16()? & 0xfff;
    f.skip(about.into())?;
    let mut map = Map { clock, streams: Vec::new(), refused: Vec::new() };
    while !f.rest().is_empty() {
        let (kind, pid) = (f.u8()?, f.u16()? & 0x1fff);
        let length = f.u16()? & 0xfff;
        match stream(kind, f.take(length.into())?)? {
            Stream::Read(codec) => map.streams.push((pid, codec)),
            Stream::Refused(kind, words) => map.refused.push((kind, words)),
            Stream::Other => {}
        }
    }
    Ok(Some(map))
}

enum Stream {
    Read(Codec),
    Refused(Kind, &'static str),
    /// Subtitles, cue points and whatever else is neither picture nor sound.
    Other,
}

/// By stream type (table 2-34, and ATSC A/53 part 3 for those of AC-3).
fn stream(kind: u8, descriptors: &[u8]) -> Result<Stream> {
    use Kind::{Audio, Video};
    use Stream::{Read, Refused};
    Ok(match kind {
        0x1b => Read(Codec::Avc),
        0x24 => Read(Codec::Hevc),
        0x0f => Read(Codec::Aac),
        0x11 | 0x1c => Refused(Audio, "AAC in LATM"),
        0x03 | 0x04 => Refused(Audio, "MPEG audio (MP2, MP3)"),
        0x81 => Refused(Audio, "AC-3"),
        0x87 => Refused(Audio, "E-AC-3"),
        0x82 | 0x85 | 0x86 => Refused(Audio, "DTS"),
        0x01 | 0x02 => Refused(Video, "MPEG-2 video"),
        0x10 => Refused(Video, "MPEG-4 video"),
        0x21 => Refused(Video, "JPEG 2000"),
        0x33 => Refused(Video, "VVC"),
        0xea => Refused(Video, "VC-1"),
        0x06 => private(descriptors)?,
        _ => Stream::Other,
    })
}

/// Streams that only their descriptors name (§2.6.8, ETSI EN 300 468 §6.1).
fn private(descriptors: &[u8]) -> Result<Stream> {
    use Stream::{Read, Refused};
    let mut f = Fields::new("descriptors", descriptors);
    let (mut name, mut channels) = (None, None);
    while !f.rest().is_empty() {
        let (tag, length) = (f.u8()?, f.u8()?);
        let body = f.take(length.into())?;
        match (tag, body.first()) {
            (0x05, _) => name = body.first_chunk::<4>(),
            // The extension of Opus.
            (0x7f, Some(0x80)) => channels = body.get(1).copied(),
            (0x6a, _) => name = Some(b"AC-3"),
            (0x7a, _) => name = Some(b"EAC3"),
            (0x7b, _) => name = Some(b"DTS1"),
            _ => {}
        }
    }
    Ok(match name {
        Some(b"Opus") => match channels.and_then(opus::dops) {
            Some(config) => Read(Codec::Opus(config)),
            None => Refused(Kind::Audio, "Opus with this layout of channels"),
        },
        Some(b"HEVC") => Read(Codec::Hevc),
        Some(b"AC-3") => Refused(Kind::Audio, "AC-3"),
        Some(b"EAC3") => Refused(Kind::Audio, "E-AC-3"),
        Some(b"DTS1" | b"DTS2" | b"DTS3") => Refused(Kind::Audio, "DTS"),
        Some(b"BSSD") => Refused(Kind::Audio, "SMPTE 302M"),
        Some(b"AV01") => Refused(Kind::Video, "AV1 in a transport stream"),
        Some(b"VP09") => Refused(Kind::Video, "VP9 in a transport stream"),
        _ => Stream::Other,
    })
}

impl Map {
    /// An error when the program has pictures and none can be read, or sound and none can be read.
    pub fn check(&self) -> Result<()> {
        for (kind, words) in &self.refused {
            if !self.streams.iter().any(|(_, codec)| codec.kind() == *kind) {
                return Err(Error::Unsupported((*words).into()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: [u8; 8] = [MAP, 0xb0, 0, 0, 1, 0xc1, 0, 0];

    fn program(streams: &[(u8, u16, &[u8])]) -> Vec<u8> {
        let mut out = [&HEAD[..], &[0xe1, 0, 0xf0, 2, 9, 0]].concat();
        for (kind, pid, descriptors) in streams {
            out.push(*kind);
            out.extend((pid | 0xe000).to_be_bytes());
            out.extend((descriptors.len() as u16 | 0xf000).to_be_bytes());
            out.extend_from_slice(descriptors);
        }
        out
    }

    #[test]
    fn streams_are_known_by_type_or_descriptor() {
        let opus = [&[5, 4][..], b"Opus", &[0x7f, 2, 0x80, 2]].concat();
        let streams = [
            (0x1b, 0x100, &[][..]),
            (0x06, 0x101, &opus),
            (0x06, 0x102, &[0x6a, 1, 0]),
            (0x06, 0x103, &[0x56, 0]),
            (0x86, 0x104, b""),
        ];
        let map = map(&program(&streams)).unwrap().unwrap();
        assert_eq!((map.clock, map.streams.len(), &map.streams[0]), (0x100, 2, &(0x100, Codec::Avc)));
        assert!(matches!(&map.streams[1], (0x101, Codec::Opus(dops)) if dops[1] == 2));
        assert_eq!(map.refused, [(Kind::Audio, "AC-3"), (Kind::Audio, "DTS")]);
        assert_eq!(map.check(), Ok(()), "there is other sound");
    }

    #[test]
    fn what_cannot_be_read_is_refused_in_words() {
        for (kind, words) in
            [(0x11, "AAC in LATM"), (0x03, "MPEG audio (MP2, MP3)"), (0x81, "AC-3"), (0x87, "E-AC-3")]
        {
            let map = map(&program(&[(0x1b, 0x100, &[]), (kind, 0x101, &[])])).unwrap().unwrap();
            assert_eq!(map.check(), Err(Error::Unsupported(words.into())));
        }
    }

    #[test]
    fn tables_that_are_cut_or_not_yet_valid_are_not_taken() {
        let whole = program(&[(0x1b, 0x100, &[1, 1, 1])]);
        for cut in HEAD.len()..whole.len() {
            assert!(cut == 14 || map(&whole[..cut]).is_err(), "{cut}");
        }
        let mut later = whole.clone();
        later[5] &= 0xfe;
        assert_eq!(map(&later), Ok(None));
        let association = [0, 0xb0, 0, 0, 1, 0xc1, 0, 0, 0, 0, 0xe0, 0x10, 0, 1, 0xf0, 0];
        assert_eq!(first_program(&association), Ok(Some(0x1000)), "after the network's");
        assert!(first_program(&association[..14]).is_err());
    }
}
