//! The outline of a file, read without decoding anything: does it end where its container says, and is it encrypted?

use std::io::{self, Read, Seek, SeekFrom};

use crate::guest::sniff::Container;

/// Outermost boxes that are looked at: a film of fragments of two seconds has two for each.
const MOST_BOXES: usize = 200_000;

/// Whether the container announces more bytes than there are. What tells nothing, or cannot be read, is not cut.
pub fn is_cut(container: Container, file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    let end = match container {
        Container::Mov => boxes(file, length)?,
        Container::Matroska => segment(file)?,
        Container::Avi | Container::Wav => riff(file, length)?,
        Container::Mp3 => mpeg_audio(file)?,
        _ => None,
    };
    Ok(end.is_some_and(|end| end > length))
}

/// Most bytes of a `moov` box that are looked through.
const MOST_HEADER: u64 = 64 << 20;

/// Whether an ISO-BMFF file says that its samples are encrypted (ISO/IEC 14496-12 §8.12.1): ffmpeg hands them out as if
/// they were clear.
pub fn is_encrypted(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut at = 0_u64;
    for _ in 0..MOST_BOXES {
        let head = peek::<16>(file, at)?;
        let Some(size) = head.get(..4).filter(|_| head.len() >= 8).map(be) else { break };
        let size = match size {
            0 => u64::MAX,
            1 if head.len() == 16 => be(&head[8..]),
            _ => size,
        };
        if &head[4..8] == b"moov" {
            file.seek(SeekFrom::Start(at + 8))?;
            let mut body = Vec::new();
            file.take(size.saturating_sub(8).min(MOST_HEADER)).read_to_end(&mut body)?;
            return Ok(protected(&body, 0));
        }
        if size < 8 {
            break;
        }
        at = at.saturating_add(size);
    }
    Ok(false)
}

/// Most boxes, and most bytes of them, of a file whose frame is told.
const MOST_IN_FRAME: (usize, u64) = (1000, 64 << 20);

/// Everything of an ISO-BMFF file but its media data: what must be there for it to be opened. `None` for files of fragments,
/// whose descriptions lie all over, and for odd ones.
pub fn frame(file: &mut (impl Read + Seek)) -> io::Result<Option<Vec<(u64, u64)>>> {
    let length = file.seek(SeekFrom::End(0))?;
    let (mut at, mut parts, mut described) = (0_u64, Vec::new(), 0);
    for _ in 0..MOST_IN_FRAME.0 {
        if at >= length {
            let bytes: u64 = parts.iter().map(|(from, to)| to - from).sum();
            return Ok((described == 1 && bytes <= MOST_IN_FRAME.1).then_some(parts));
        }
        let head = peek::<16>(file, at)?;
        let Some(size) = head.get(..4).filter(|_| head.len() >= 8).map(be) else { return Ok(None) };
        let size = match size {
            0 => length - at,
            1 if head.len() == 16 => be(&head[8..]),
            _ => size,
        };
        let Some(end) = at.checked_add(size).filter(|end| size >= 8 && *end <= length) else {
            return Ok(None);
        };
        match &head[4..8] {
            b"mdat" => parts.push((at, at + 16.min(size))),
            b"moof" => return Ok(None),
            kind => {
                described += usize::from(kind == b"moov");
                parts.push((at, end));
            }
        }
        at = end;
    }
    Ok(None)
}

/// Looks for an encrypted sample entry below these boxes.
fn protected(mut boxes: &[u8], depth: u32) -> bool {
    while let Some(size) = boxes.get(..4).filter(|_| boxes.len() >= 8).map(be) {
        let size = if size == 0 {
            boxes.len()
        } else {
            usize::try_from(size).unwrap_or(usize::MAX).min(boxes.len())
        };
        if size < 8 {
            return false;
        }
        let (this, rest) = boxes.split_at(size);
        let inside = &this[8..];
        let found = match &this[4..8] {
            b"trak" | b"mdia" | b"minf" | b"stbl" => depth < 8 && protected(inside, depth + 1),
            // A full box and a count, then the entries.
            b"stsd" => depth < 8 && protected(inside.get(8..).unwrap_or_default(), depth + 1),
            b"encv" | b"enca" | b"drmi" | b"drms" => true,
            _ => false,
        };
        if found {
            return true;
        }
        boxes = rest;
    }
    false
}

/// Reads as many bytes as there are at `at`, up to `N`.
fn peek<const N: usize>(file: &mut (impl Read + Seek), at: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(N);
    // No file is that long, and the system takes such a place for a mistake.
    if i64::try_from(at).is_err() {
        return Ok(bytes);
    }
    file.seek(SeekFrom::Start(at))?;
    file.take(N as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn be(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

/// ISO/IEC 14496-12 §4.2: where the last box ends.
fn boxes(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let mut at = 0_u64;
    for _ in 0..MOST_BOXES {
        let head = peek::<16>(file, at)?;
        let Some(size) = head.get(..4).filter(|_| head.len() >= 8).map(be) else { break };
        let size = match size {
            0 => return Ok(None),
            1 if head.len() == 16 => be(&head[8..]),
            _ => size,
        };
        if size < 8 {
            return Ok(None);
        }
        at = at.saturating_add(size);
        if at >= length {
            break;
        }
    }
    Ok(Some(at))
}

/// RFC 8794 §4, RFC 9559 §5.1: where the segment ends, when its size is known.
fn segment(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];
    let head = peek::<4096>(file, 0)?;
    let Some(at) = head.windows(4).position(|id| id == SEGMENT) else { return Ok(None) };
    let Some(first) = head.get(at + 4).copied().filter(|byte| *byte > 0) else { return Ok(None) };
    let width = first.leading_zeros() as usize + 1;
    let Some(field) = head.get(at + 4..at + 4 + width) else { return Ok(None) };
    let mask = (1_u64 << (7 * width)) - 1;
    let size = be(field) & mask;
    let start = (at + 4 + width) as u64;
    Ok((size != mask).then(|| start.saturating_add(size)))
}

/// Where the last of a file's RIFF parts ends; large AVI files have several (OpenDML §3).
fn riff(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let mut at = 0_u64;
    for _ in 0..MOST_BOXES {
        let head = peek::<12>(file, at)?;
        if head.len() < 12 || (&head[..4] != b"RIFF" || &head[8..] != b"AVIX") && at > 0 {
            break;
        }
        let size = head[4..8].iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
        // A writer that could not go back leaves nothing or everything here.
        if size == 0 || size >= 0xFFFF_FF00 {
            return Ok(None);
        }
        at = at.saturating_add(8 + size + size % 2);
        if at >= length {
            break;
        }
    }
    // The pad byte may be missing at the end.
    Ok(Some(at.saturating_sub(1)))
}

/// The length that a Xing or Info header tells, which encoders put into the first frame.
fn mpeg_audio(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let tag = peek::<10>(file, 0)?;
    let start = match tag.as_slice() {
        [b'I', b'D', b'3', .., a, b, c, d] => {
            10 + [a, b, c, d].into_iter().fold(0, |n, byte| n << 7 | u64::from(byte & 0x7F))
        }
        _ => 0,
    };
    let head = peek::<64>(file, start)?;
    let found = head.windows(4).position(|word| word == b"Xing" || word == b"Info");
    let Some(rest) = found.and_then(|at| head.get(at + 4..at + 16)) else { return Ok(None) };
    // Flags: 1, the count of frames is there; 2, the count of bytes is.
    Ok((rest[3] & 3 == 3).then(|| start + be(&rest[8..12])))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn cut(container: Container, bytes: &[u8]) -> bool {
        is_cut(container, &mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn boxes_must_fit() {
        let film = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x0Cmdatabcd";
        assert!(!cut(Container::Mov, film));
        assert!(cut(Container::Mov, &film[..27]));
        assert!(cut(Container::Mov, b"\0\0\0\x01mdat\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));
        assert!(!cut(Container::Mov, b"\0\0\0\0mdat") && !cut(Container::Mov, b"\0\0\0\x02mdat"));
    }

    #[test]
    fn encryption_is_told_by_the_sample_entry() {
        let in_box =
            |name: &[u8; 4], body: &[u8]| [&(body.len() as u32 + 8).to_be_bytes(), &name[..], body].concat();
        let film = |entry: &[u8; 4]| {
            let stsd = in_box(b"stsd", &[&[0; 8][..], &in_box(entry, &[0; 78])].concat());
            let stbl = in_box(b"minf", &in_box(b"stbl", &stsd));
            let moov = in_box(b"moov", &in_box(b"trak", &in_box(b"mdia", &stbl)));
            [in_box(b"ftyp", b"isom\0\0\0\0"), moov].concat()
        };
        assert!(is_encrypted(&mut Cursor::new(film(b"encv"))).unwrap());
        assert!(!is_encrypted(&mut Cursor::new(film(b"avc1"))).unwrap());
        assert!(!is_encrypted(&mut Cursor::new(b"\0\0\0\0moov\0\0\0\0trak")).unwrap());
    }

    #[test]
    fn segments_must_fit_unless_they_tell_nothing() {
        let film = |size: &[u8]| {
            [&[0x1A, 0x45, 0xDF, 0xA3, 0x80, 0x18, 0x53, 0x80, 0x67][..], size, &[0; 10]].concat()
        };
        assert!(!cut(Container::Matroska, &film(&[0x8A])));
        assert!(cut(Container::Matroska, &film(&[0x8B])));
        assert!(!cut(Container::Matroska, &film(&[0x01, 255, 255, 255, 255, 255, 255, 255])));
        assert!(!cut(Container::Matroska, &film(&[0])));
    }

    #[test]
    fn riff_must_fit_unless_it_tells_nothing() {
        assert!(!cut(Container::Wav, b"RIFF\x06\0\0\0WAVEab"));
        assert!(cut(Container::Wav, b"RIFF\x09\0\0\0WAVEab"));
        assert!(!cut(Container::Wav, b"RIFF\xFF\xFF\xFF\xFFWAVEab"));
        assert!(cut(Container::Avi, b"RIFF\x06\0\0\0AVI abRIFF\x09\0\0\0AVIXab"));
    }

    #[test]
    fn mpeg_audio_must_fit_what_its_encoder_told() {
        let song = |bytes: u8| {
            [&[0xFF, 0xFB, 0x90, 0][..], &[0; 32], b"Info\0\0\0\x03\0\0\0\x01\0\0\0", &[bytes], &[0; 9]]
                .concat()
        };
        assert!(!cut(Container::Mp3, &song(61)) && cut(Container::Mp3, &song(62)));
    }
}
