//! Sizes of pictures, from their headers.

/// Width and height of a JPEG or PNG.
pub fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let word = |at: usize| bytes.get(at..)?.first_chunk().map(|b| u32::from_be_bytes(*b));
        return word(16).zip(word(20));
    }
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    // Markers with lengths, until one that begins a frame (ISO/IEC 10918-1 §B.2.2).
    loop {
        let [0xff, marker] = *rest.first_chunk::<2>()? else { return None };
        if marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        let length = u16::from_be_bytes(*rest.get(2..)?.first_chunk()?);
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let side = |at: usize| rest.get(at..)?.first_chunk().map(|b| u32::from(u16::from_be_bytes(*b)));
            return side(7).zip(side(5));
        }
        rest = rest.get(2 + usize::from(length)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn headers_tell_sizes() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x40\0\0\0\xb4\x08\x02";
        assert_eq!(size(png), Some((320, 180)));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xff\xc0\0\x11\x08\0\xb4\x01\x40\x03";
        assert_eq!(size(jpeg), Some((320, 180)));
        assert_eq!((size(b"\xff\xd8\xff\xe0"), size(b""), size(b"\xff\xd8\0\0")), (None, None, None));
    }
}
