//! Headers of PES packets (ISO/IEC 13818-1 §2.4.3.6).

use crate::{Error, Result, bits::Fields};

/// What a header says, and what lies behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Presentation and decode time, 90 kHz, 33 bits.
    pub pts: Option<u64>,
    pub dts: Option<u64>,
    /// Bytes of content in all; `None`: until the next packet begins.
    pub length: Option<usize>,
    pub content: &'a [u8],
}

impl<'a> Header<'a> {
    /// From a payload that begins with it.
    pub fn parse(payload: &'a [u8]) -> Result<Self> {
        let mut f = Fields::new("PES header", payload);
        if f.array::<3>()? != [0, 0, 1] {
            return Err(Error::Invalid("PES header", "no start code"));
        }
        f.skip(1)?;
        let length = usize::from(f.u16()?);
        let [marks, told, size] = f.array()?;
        if marks >> 6 != 2 {
            return Err(Error::Invalid("PES header", "not one of a picture or sound"));
        }
        if marks & 0x30 != 0 {
            return Err(Error::Unsupported("a scrambled stream".into()));
        }
        let mut header = Fields::new("PES header", f.take(size.into())?);
        let pts = (told & 0x80 != 0).then(|| time(&mut header)).transpose()?;
        let dts = (told & 0xc0 == 0xc0).then(|| time(&mut header)).transpose()?;
        let length = match length {
            0 => None,
            all => {
                let before = 3 + usize::from(size);
                Some(all.checked_sub(before).ok_or(Error::Invalid("PES header", "longer than its packet"))?)
            }
        };
        Ok(Self { pts, dts, length, content: f.rest() })
    }
}

/// 33 bits in five bytes, with marker bits between them.
fn time(f: &mut Fields) -> Result<u64> {
    let [a, b, c, d, e] = f.array::<5>()?.map(u64::from);
    if a & 1 == 0 || c & 1 == 0 || e & 1 == 0 {
        return Err(Error::Invalid("PES header", "a time without its marker bits"));
    }
    Ok((a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_are_read() {
        let bytes =
            [0, 0, 1, 0xe0, 0, 15, 0x80, 0xc0, 10, 0x3f, 0xff, 0xff, 0xff, 0xff, 0x11, 0, 1, 0, 3, 7, 8];
        let header = Header::parse(&bytes).unwrap();
        assert_eq!((header.pts, header.dts), (Some((1 << 33) - 1), Some(1)));
        assert_eq!((header.length, header.content), (Some(2), &[7, 8][..]));
        for cut in 0..19 {
            assert!(Header::parse(&bytes[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn headers_that_make_no_sense_are_refused() {
        let scrambled = [0, 0, 1, 0xe0, 0, 0, 0x90, 0, 0];
        assert!(matches!(Header::parse(&scrambled), Err(Error::Unsupported(_))));
        for bytes in [
            &[0, 0, 2, 0xe0, 0, 0, 0x80, 0, 0][..],
            &[0, 0, 1, 0xe0, 0, 0, 0, 0, 0],
            &[0, 0, 1, 0xe0, 0, 2, 0x80, 0, 0],
            &[0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x20, 0, 0, 0, 0],
        ] {
            assert!(matches!(Header::parse(bytes), Err(Error::Invalid(..))), "{bytes:?}");
        }
    }
}
