//! Box headers and the boxes of a container box (ISO/IEC 14496-12 §4.2).

use crate::{Error, Result};

pub type FourCc = [u8; 4];

/// The header of one box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoxHead {
    pub kind: FourCc,
    /// Bytes of the header itself: 8, or 16 with a 64-bit size.
    pub header: u64,
    /// Bytes of the whole box; `None` when it lasts to the end of the file.
    pub size: Option<u64>,
}

impl BoxHead {
    /// `None` while `bytes` does not hold the whole header.
    pub fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let Some((size, rest)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
        let Some((kind, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let (header, size) = match u32::from_be_bytes(*size) {
            0 => (8, None),
            1 => {
                let Some((large, _)) = rest.split_first_chunk::<8>() else { return Ok(None) };
                (16, Some(u64::from_be_bytes(*large)))
            }
            n => (8, Some(u64::from(n))),
        };
        if size.is_some_and(|s| s < header) {
            return Err(Error::Invalid("box", "its size is smaller than its header"));
        }
        Ok(Some(Self { kind: *kind, header, size }))
    }
}

/// The boxes that lie back to back in a slice: kind and body.
#[derive(Debug, Clone)]
pub struct Boxes<'a>(&'a [u8]);

impl<'a> Boxes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The body of the first box of this kind.
    pub fn find(self, kind: &FourCc) -> Result<Option<&'a [u8]>> {
        for found in self {
            let (k, body) = found?;
            if k == *kind {
                return Ok(Some(body));
            }
        }
        Ok(None)
    }

    /// As `find`, but the box must be there.
    pub fn need(self, kind: &FourCc, missing: &'static str) -> Result<&'a [u8]> {
        self.find(kind)?.ok_or(Error::Invalid("container box", missing))
    }
}

impl<'a> Iterator for Boxes<'a> {
    type Item = Result<(FourCc, &'a [u8])>;

    fn next(&mut self) -> Option<Self::Item> {
        let all = std::mem::take(&mut self.0);
        // Some writers end a container with a 32-bit zero (QuickTime's terminator).
        if all.is_empty() || all == [0; 4] {
            return None;
        }
        let head = match BoxHead::parse(all) {
            Ok(Some(head)) => head,
            Ok(None) => return Some(Err(Error::Truncated("box header"))),
            Err(e) => return Some(Err(e)),
        };
        let size = head.size.unwrap_or(all.len() as u64);
        let Some((this, rest)) = usize::try_from(size).ok().and_then(|n| all.split_at_checked(n)) else {
            return Some(Err(Error::Truncated("box")));
        };
        self.0 = rest;
        Some(Ok((head.kind, this.get(head.header as usize..).unwrap_or_default())))
    }
}
