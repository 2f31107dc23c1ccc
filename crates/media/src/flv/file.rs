//! FLV files (Adobe FLV 10.1 §E.2, §E.4.1): writing them piece by piece into a pipe, and reading them so.

use bytes::{Buf, Bytes, BytesMut};

use crate::{Error, Result};

/// What a file begins with.
pub fn header(has_video: bool, has_audio: bool) -> [u8; 13] {
    let flags = u8::from(has_video) | u8::from(has_audio) << 2;
    [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]
}

/// Appends a tag whose body is `parts`; `time_ms` loses its high bits after 49 days. The longest body is 16 MiB.
pub fn tag(out: &mut Vec<u8>, kind: u8, time_ms: i64, parts: &[&[u8]]) -> Result<()> {
    let size: usize = parts.iter().map(|part| part.len()).sum();
    if size >= 1 << 24 {
        return Err(Error::TooLarge("FLV tag", 1 << 24));
    }
    let [high, a, b, c] = (time_ms as u32).to_be_bytes();
    let [_, size_bytes @ ..] = (size as u32).to_be_bytes();
    out.push(kind);
    out.extend(size_bytes);
    out.extend([a, b, c, high, 0, 0, 0]);
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.extend((size as u32 + 11).to_be_bytes());
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Audio, video or script.
    pub kind: u8,
    pub time_ms: u32,
    pub body: Bytes,
}

/// Feed it bytes, then take tags until there is none.
#[derive(Debug)]
pub struct Reader {
    buffer: BytesMut,
    begun: bool,
    longest: usize,
}

impl Reader {
    /// Bodies longer than `longest` are refused.
    pub fn new(longest: usize) -> Self {
        Self { buffer: BytesMut::new(), begun: false, longest }
    }

    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next tag, or `None` until more bytes are fed.
    #[expect(clippy::should_implement_trait, reason = "a reader that can be fed again is no iterator")]
    pub fn next(&mut self) -> Result<Option<Tag>> {
        if !self.begun {
            let Some(head) = self.buffer.get(..9) else { return Ok(None) };
            if !head.starts_with(b"FLV\x01") {
                return Err(Error::Invalid("FLV file", "it does not begin as one"));
            }
            let offset = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) as usize;
            if !(9..=64).contains(&offset) {
                return Err(Error::Invalid("FLV file", "an impossible header size"));
            }
            if self.buffer.len() < offset + 4 {
                return Ok(None);
            }
            self.buffer.advance(offset + 4);
            self.begun = true;
        }
        let Some(head) = self.buffer.first_chunk::<11>() else { return Ok(None) };
        let [kind, a, b, c, t0, t1, t2, t3, ..] = *head;
        let size = u32::from_be_bytes([0, a, b, c]) as usize;
        if size > self.longest {
            return Err(Error::TooLarge("FLV tag", self.longest as u64));
        }
        if self.buffer.len() < size + 15 {
            return Ok(None);
        }
        self.buffer.advance(11);
        let body = self.buffer.split_to(size).freeze();
        self.buffer.advance(4);
        Ok(Some(Tag { kind: kind & 31, time_ms: u32::from_be_bytes([t3, t0, t1, t2]), body }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_there_and_back_in_pieces() {
        let mut bytes = header(true, true).to_vec();
        tag(&mut bytes, 9, 0x0123_4567_89ab, &[b"ab", b"c"]).unwrap();
        tag(&mut bytes, 8, 5, &[]).unwrap();
        for piece in [1, 7, 1000] {
            let mut reader = Reader::new(10);
            let mut tags = Vec::new();
            for piece in bytes.chunks(piece) {
                reader.feed(piece);
                while let Some(tag) = reader.next().unwrap() {
                    tags.push((tag.kind, tag.time_ms, tag.body));
                }
            }
            assert_eq!(tags, [(9, 0x4567_89ab, "abc".into()), (8, 5, Bytes::new())]);
        }
        let mut reader = Reader::new(2);
        reader.feed(&bytes);
        assert_eq!(reader.next(), Err(Error::TooLarge("FLV tag", 2)));
    }
}
