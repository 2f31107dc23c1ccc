//! The identification header of Opus (RFC 7845 §5.1), which extended audio tags begin with, and the box `dOps` that says the same.

use crate::{Error, Result, bits::Fields};

const MAGIC: &[u8; 8] = b"OpusHead";

/// Body of `dOps`: the same fields, in the other byte order and without the name (Encapsulation of Opus in ISOBMFF §4.3.2).
pub fn to_dops(head: &[u8]) -> Result<Vec<u8>> {
    let mut f = Fields::new("Opus header", head);
    if &f.array::<8>()? != MAGIC {
        return Err(Error::Invalid("Opus header", "it does not begin with its name"));
    }
    // Versions up to 15 may be read as if they were 1.
    if f.u8()? > 15 {
        return Err(Error::Invalid("Opus header", "unknown version"));
    }
    let mut out = vec![0, f.u8()?];
    for size in [2, 4, 2] {
        out.extend(f.take(size)?.iter().rev());
    }
    out.extend_from_slice(f.rest());
    Ok(out)
}

/// The header of a body of `dOps`.
pub fn to_head(dops: &[u8]) -> Result<Vec<u8>> {
    let mut f = Fields::new("dOps", dops);
    f.skip(1)?;
    let mut out = [&MAGIC[..], &[1, f.u8()?]].concat();
    for size in [2, 4, 2] {
        out.extend(f.take(size)?.iter().rev());
    }
    out.extend_from_slice(f.rest());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::opus::Config;

    #[test]
    fn the_header_goes_there_and_back() {
        let head = [b"OpusHead", &[1, 2, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, 0][..]].concat();
        let dops = to_dops(&head).unwrap();
        let config = Config::parse(&dops).unwrap();
        assert_eq!((config.channels, config.pre_skip), (2, 312));
        assert_eq!(to_head(&config.body).unwrap(), head);
        for cut in 0..18 {
            assert!(to_dops(&head[..cut]).is_err(), "{cut}");
        }
        assert!(to_dops(b"OpusTags\x01").is_err());
    }
}
