//! The bodies of video and audio tags, taken apart into packets of single tracks.
//!
//! Legacy: Adobe FLV 10.1 §E.4.2 and §E.4.3. Extended: Enhanced RTMP v2, "Enhanced Audio" and "Enhanced Video".

use bytes::Bytes;

use crate::{Error, Result, bits::Fields, frame::Kind, mp4::FourCc};

/// Most tracks in one message.
const MOST_PACKETS: usize = 64;

/// What a message holds for one track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub kind: Kind,
    pub track: u8,
    pub codec: FourCc,
    /// To be added to the message's time, nanoseconds.
    pub nanoseconds: u32,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// What the decoder must know first.
    Config(Bytes),
    Frame {
        key: bool,
        /// Presentation time minus decode time, milliseconds.
        composition_ms: i32,
        data: Bytes,
    },
    End,
    /// Colours and channel layouts, which the bitstreams tell as well.
    Aside,
}

// Packet types of the extended headers; those of 0 to 2 have the same meaning in legacy tags.
const START: u8 = 0;
const FRAMES: u8 = 1;
const END: u8 = 2;
/// Video: frames that are shown when they are decoded.
const FRAMES_AT_ONCE: u8 = 3;
/// Video: metadata. Audio: the channel layout.
const ASIDE: u8 = 4;
const VIDEO_MULTITRACK: u8 = 6;
const AUDIO_MULTITRACK: u8 = 5;
const MODIFIED: u8 = 7;

const ONE_TRACK: u8 = 0;
const MANY_CODECS: u8 = 2;

/// Packets of a video message. What players need not know of gives none.
pub fn video(message: &Bytes) -> Result<Vec<Packet>> {
    let mut f = Fields::new("video tag", message);
    let Some(first) = message.first().copied() else { return Ok(Vec::new()) };
    f.skip(1)?;
    let frame = (first >> 4) & 7;
    // 4: made by a server.
    let key = matches!(frame, 1 | 4);
    if first & 0x80 != 0 {
        return extended(
            f,
            message,
            Header { kind: Kind::Video, packet: first & 15, key, command: frame == 5 },
        );
    }
    if frame == 5 {
        return Ok(Vec::new());
    }
    let codec = match first & 15 {
        7 => *b"avc1",
        // Without a specification, but sent by some encoders.
        12 => *b"hvc1",
        2 => return Err(Error::Unsupported("Sorenson H.263 video".into())),
        4 | 5 => return Err(Error::Unsupported("VP6 video".into())),
        n => return Err(Error::Unsupported(format!("video of the kind {n}"))),
    };
    let packet = f.u8()?;
    let composition_ms = signed(&mut f)?;
    let data = message.slice_ref(f.rest());
    let body = match packet {
        START => Body::Config(data),
        FRAMES => Body::Frame { key, composition_ms, data },
        END => Body::End,
        _ => return Err(Error::Invalid("video tag", "unknown kind of packet")),
    };
    Ok(vec![Packet { kind: Kind::Video, track: 0, codec, nanoseconds: 0, body }])
}

/// Packets of an audio message.
pub fn audio(message: &Bytes) -> Result<Vec<Packet>> {
    let mut f = Fields::new("audio tag", message);
    let Some(first) = message.first().copied() else { return Ok(Vec::new()) };
    f.skip(1)?;
    match first >> 4 {
        9 => {
            return extended(
                f,
                message,
                Header { kind: Kind::Audio, packet: first & 15, key: true, command: false },
            );
        }
        10 => {}
        2 | 14 => return Err(Error::Unsupported("MP3 sound".into())),
        11 => return Err(Error::Unsupported("Speex sound".into())),
        n => return Err(Error::Unsupported(format!("sound of the kind {n}"))),
    }
    let packet = f.u8()?;
    let data = message.slice_ref(f.rest());
    let body = match packet {
        START => Body::Config(data),
        FRAMES => Body::Frame { key: true, composition_ms: 0, data },
        _ => return Err(Error::Invalid("audio tag", "unknown kind of packet")),
    };
    Ok(vec![Packet { kind: Kind::Audio, track: 0, codec: *b"mp4a", nanoseconds: 0, body }])
}

struct Header {
    kind: Kind,
    packet: u8,
    key: bool,
    /// A frame that tells the player to do something, and holds nothing.
    command: bool,
}

fn extended(mut f: Fields, message: &Bytes, header: Header) -> Result<Vec<Packet>> {
    let Header { kind, mut packet, key, command } = header;
    let mut nanoseconds = 0;
    while packet == MODIFIED {
        let mut size = usize::from(f.u8()?) + 1;
        if size == 256 {
            size = usize::from(f.u16()?) + 1;
        }
        let data = f.take(size)?;
        let next = f.u8()?;
        packet = next & 15;
        // 0: a finer time. Others may come and are passed over.
        if next >> 4 == 0 {
            let value = data.iter().take(3).fold(0, |sum, byte| sum << 8 | u32::from(*byte));
            nanoseconds = if data.len() < 3 { 0 } else { value.min(999_999) };
        }
    }
    if command && packet != ASIDE {
        return Ok(Vec::new());
    }
    let several = match kind {
        Kind::Video => VIDEO_MULTITRACK,
        Kind::Audio => AUDIO_MULTITRACK,
    };
    if packet != several {
        let codec = f.array()?;
        let track = 0;
        let data = message.slice_ref(f.rest());
        return body((kind, codec), packet, key, data).map(|body| {
            body.map(|body| Packet { kind, track, codec, nanoseconds, body }).into_iter().collect()
        });
    }
    let modes = f.u8()?;
    let (mode, packet) = (modes >> 4, modes & 15);
    if packet == several || mode > MANY_CODECS {
        return Err(Error::Invalid("multitrack tag", "unknown kind"));
    }
    let common = if mode == MANY_CODECS { None } else { Some(f.array()?) };
    let mut packets = Vec::new();
    while !f.rest().is_empty() {
        if packets.len() >= MOST_PACKETS {
            return Err(Error::TooLarge("multitrack tag", MOST_PACKETS as u64));
        }
        let codec = match common {
            Some(codec) => codec,
            None => f.array()?,
        };
        let track = f.u8()?;
        let size = if mode == ONE_TRACK { f.rest().len() } else { unsigned(&mut f)? as usize };
        let data = message.slice_ref(f.take(size)?);
        if let Some(body) = body((kind, codec), packet, key, data)? {
            packets.push(Packet { kind, track, codec, nanoseconds, body });
        }
    }
    Ok(packets)
}

fn body((kind, codec): (Kind, FourCc), packet: u8, key: bool, data: Bytes) -> Result<Option<Body>> {
    let has_composition = kind == Kind::Video && matches!(&codec, b"avc1" | b"hvc1" | b"vvc1");
    Ok(Some(match (kind, packet) {
        (_, START) => Body::Config(data),
        (_, FRAMES) if has_composition => {
            let mut f = Fields::new("video tag", &data);
            let composition_ms = signed(&mut f)?;
            Body::Frame { key, composition_ms, data: data.slice_ref(f.rest()) }
        }
        (_, FRAMES) | (Kind::Video, FRAMES_AT_ONCE) => Body::Frame { key, composition_ms: 0, data },
        (_, END) => Body::End,
        (_, ASIDE) => Body::Aside,
        // A sequence start of MPEG-2 TS, which nobody sends, and what may be defined one day.
        _ => return Ok(None),
    }))
}

/// Tags within an aggregate message (RTMP §7.1.6): type, milliseconds after the first one's time, body.
pub fn aggregate(message: &Bytes) -> Result<Vec<(u8, u32, Bytes)>> {
    let mut f = Fields::new("aggregate message", message);
    let mut parts = Vec::new();
    let mut first = None;
    while !f.rest().is_empty() {
        if parts.len() >= 1024 {
            return Err(Error::TooLarge("aggregate message", 1024));
        }
        let kind = f.u8()?;
        let size = unsigned(&mut f)?;
        let time = unsigned(&mut f)? | u32::from(f.u8()?) << 24;
        f.skip(3)?;
        let data = message.slice_ref(f.take(size as usize)?);
        f.skip(4)?;
        parts.push((kind, time.wrapping_sub(*first.get_or_insert(time)), data));
    }
    Ok(parts)
}

/// 24 bits.
pub(super) fn unsigned(f: &mut Fields) -> Result<u32> {
    let [a, b, c] = f.array()?;
    Ok(u32::from_be_bytes([0, a, b, c]))
}

fn signed(f: &mut Fields) -> Result<i32> {
    unsigned(f).map(|value| (value << 8) as i32 >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(packets: Vec<Packet>) -> Vec<(u8, FourCc, u32, i32, Bytes)> {
        let frame = |p: Packet| match p.body {
            Body::Frame { composition_ms, data, .. } => {
                (p.track, p.codec, p.nanoseconds, composition_ms, data)
            }
            other => panic!("{other:?}"),
        };
        packets.into_iter().map(frame).collect()
    }

    fn read(parts: &[&[u8]]) -> Result<Vec<Packet>> {
        video(&Bytes::from(parts.concat()))
    }

    #[test]
    fn legacy_tags_are_read() {
        let packets = read(&[&[0x17, 1, 0xff, 0xff, 0xd8], b"abc"]).unwrap();
        assert_eq!(frames(packets), [(0, *b"avc1", 0, -40, "abc".into())]);
        assert_eq!(read(&[&[0x17, 0, 0, 0, 0, 1]]).unwrap()[0].body, Body::Config(vec![1].into()));
        assert_eq!(read(&[&[0x17, 2, 0, 0, 0]]).unwrap()[0].body, Body::End);
        assert_eq!(read(&[&[0x57, 0]]).unwrap(), [], "a command to the player");
        assert_eq!(read(&[]).unwrap(), []);
        assert!(read(&[&[0x17, 1, 0]]).is_err());
        assert_eq!(read(&[&[0x14]]).unwrap_err().to_string(), "VP6 video is not supported");
        let sound = audio(&Bytes::from_static(&[0xaf, 1, 7])).unwrap();
        assert_eq!(frames(sound), [(0, *b"mp4a", 0, 0, vec![7].into())]);
        assert!(audio(&Bytes::from_static(&[0x2f, 1])).is_err());
    }

    #[test]
    fn extended_tags_are_read() {
        let packets = read(&[&[0x91], b"hvc1", &[0, 0, 33], b"abc"]).unwrap();
        assert_eq!(frames(packets), [(0, *b"hvc1", 0, 33, "abc".into())]);
        let packets = read(&[&[0x93], b"hvc1", b"abc"]).unwrap();
        assert_eq!(frames(packets), [(0, *b"hvc1", 0, 0, "abc".into())]);
        let packets = read(&[&[0xa1], b"av01", b"abc"]).unwrap();
        assert!(matches!(&packets[0].body, Body::Frame { key: false, .. }));
        assert_eq!(read(&[&[0x94], b"hvc1", b"\x02colorInfo"]).unwrap()[0].body, Body::Aside);
        assert_eq!(read(&[&[0xd1, 0]]).unwrap(), [], "seek commands");
    }

    #[test]
    fn modifiers_and_tracks_are_taken_apart() {
        // 500,000 ns, then an unknown modifier of 257 bytes.
        let modifiers = [&[0x97, 2, 0x07, 0xa1, 0x20, 0x07, 0xff, 1, 0][..], &[9; 257], &[0x11]].concat();
        let packets = read(&[&modifiers, b"av01", b"abc"]).unwrap();
        assert_eq!(frames(packets), [(0, *b"av01", 500_000, 0, "abc".into())]);
        let two = read(&[&[0x96, 0x11], b"av01", &[0, 0, 0, 1, b'a', 3, 0, 0, 2, b'b', b'c']]).unwrap();
        let expected = [(0, *b"av01", 0, 0, "a".into()), (3, *b"av01", 0, 0, "bc".into())];
        assert_eq!(frames(two), expected);
        let mixed =
            read(&[&[0x96, 0x21], b"av01", &[0, 0, 0, 1, b'a'], b"hvc1", &[1, 0, 0, 4, 0, 0, 1, b'b']]);
        let expected = [(0, *b"av01", 0, 0, "a".into()), (1, *b"hvc1", 0, 1, "b".into())];
        assert_eq!(frames(mixed.unwrap()), expected);
        let one = read(&[&[0x96, 0x01], b"vp09", &[7], b"abc"]).unwrap();
        assert_eq!(frames(one), [(7, *b"vp09", 0, 0, "abc".into())]);
        assert!(read(&[&[0x96, 0x11], b"av01", &[0, 0, 0, 9, b'a']]).is_err());
        assert!(read(&[&[0x96, 0x16], b"av01", &[0, 0, 0, 1, b'a']]).is_err(), "tracks within tracks");
        assert!(read(&[&[0x96, 0x11], b"av01", &[0; 4 * 65]]).is_err(), "too many");
    }

    #[test]
    fn aggregates_are_taken_apart() {
        let part = |time: u8, body: &[u8]| {
            [&[8, 0, 0, body.len() as u8, 0, 0, time, 0, 0, 0, 0][..], body, &[0; 4]].concat()
        };
        let whole = [part(200, b"a"), part(223, b"bc")].concat();
        let parts = aggregate(&whole.clone().into()).unwrap();
        assert_eq!(parts, [(8, 0, "a".into()), (8, 23, "bc".into())]);
        for cut in 1..whole.len() {
            assert!(aggregate(&Bytes::copy_from_slice(&whole[..cut])).is_err() || cut == 16, "{cut}");
        }
    }
}
