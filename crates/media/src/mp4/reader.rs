//! Fragments out of bytes that arrive in pieces of any size, such as an encoder's pipe.

use bytes::{Buf, Bytes, BytesMut};

use super::{BoxHead, Header, TrackFragment, parse_moof};
use crate::{Error, Result};

/// Largest boxes that are kept in memory.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub moov: u64,
    pub moof: u64,
    pub mdat: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { moov: 4 << 20, moof: 4 << 20, mdat: 512 << 20 }
    }
}

/// One coded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Decode time, ticks.
    pub dts: u64,
    /// Presentation time minus decode time, ticks.
    pub cts_offset: i32,
    pub duration: u32,
    pub is_sync: bool,
    pub data: Bytes,
}

impl Sample {
    /// Presentation time, not before 0.
    pub fn pts(&self) -> u64 {
        self.dts.saturating_add_signed(i64::from(self.cts_offset))
    }
}

/// The samples of one track in one fragment, in decode order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    pub track: u32,
    /// Number that the writer gave to the fragment.
    pub sequence: u32,
    pub base_decode_time: u64,
    pub samples: Vec<Sample>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    Header(Header),
    Fragment(Fragment),
}

/// Feed it bytes, then take items until there is none.
#[derive(Debug, Default)]
pub struct FragmentReader {
    limits: Limits,
    buffer: BytesMut,
    /// Place of the buffer's first byte in the stream.
    at: u64,
    /// Bytes of a box of no interest that are still to come.
    skip: u64,
    header: Option<Header>,
    moof: Option<Moof>,
    ready: std::collections::VecDeque<Item>,
    ended: bool,
}

#[derive(Debug)]
struct Moof {
    at: u64,
    sequence: u32,
    tracks: Vec<TrackFragment>,
}

impl FragmentReader {
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// The header, once it was read.
    pub fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// Takes the next piece of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        let skipped = self.skip.min(bytes.len() as u64);
        if self.buffer.is_empty() {
            self.skip -= skipped;
            self.at += skipped;
            self.buffer.extend_from_slice(&bytes[skipped as usize..]);
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next header or fragment, or `None` until more bytes are fed. After an error the reader is of no use.
    #[expect(clippy::should_implement_trait, reason = "a reader that can be fed again is no iterator")]
    pub fn next(&mut self) -> Result<Option<Item>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Ok(Some(item));
            }
            if !self.step()? {
                return Ok(None);
            }
        }
    }

    /// Says that no more bytes follow: an error when they end inside a box that matters.
    pub fn finish(&self) -> Result<()> {
        if self.moof.is_some() || !self.buffer.is_empty() {
            return Err(Error::Truncated("the stream"));
        }
        Ok(())
    }

    /// Works on one box; `false` when more bytes are needed.
    fn step(&mut self) -> Result<bool> {
        let skipped = self.skip.min(self.buffer.len() as u64);
        self.discard(skipped);
        self.skip -= skipped;
        if self.skip > 0 || self.ended {
            self.buffer.clear();
            return Ok(false);
        }
        let Some(head) = BoxHead::parse(&self.buffer)? else { return Ok(false) };
        let limit = match &head.kind {
            b"moov" => self.limits.moov,
            b"moof" => self.limits.moof,
            b"mdat" if self.moof.is_some() => self.limits.mdat,
            _ => {
                match head.size {
                    Some(size) => self.skip = size,
                    None => self.ended = true,
                }
                return Ok(true);
            }
        };
        let size = head.size.ok_or(Error::Unsupported("a box without an end".into()))?;
        if size > limit {
            return Err(Error::TooLarge("a box", limit));
        }
        if (self.buffer.len() as u64) < size {
            return Ok(false);
        }
        let at = self.at;
        self.at += size;
        let whole = self.buffer.split_to(size as usize).freeze();
        let body = whole.slice(head.header as usize..);
        match &head.kind {
            b"moov" => {
                let header = Header::parse(&body)?;
                self.header = Some(header.clone());
                self.ready.push_back(Item::Header(header));
            }
            b"moof" => {
                let (sequence, tracks) = parse_moof(&body, at, size, self.header.as_ref())?;
                self.moof = Some(Moof { at, sequence, tracks });
            }
            _ => self.fragments(at, &whole)?,
        }
        Ok(true)
    }

    fn fragments(&mut self, mdat_at: u64, mdat: &Bytes) -> Result<()> {
        let Some(moof) = self.moof.take() else { return Ok(()) };
        let shift = mdat_at - moof.at;
        for track in moof.tracks {
            let mut samples = Vec::with_capacity(track.samples.len());
            for s in track.samples {
                let inside = s.range.start.checked_sub(shift).zip(s.range.end.checked_sub(shift));
                let Some((start, end)) = inside.filter(|(_, end)| *end <= mdat.len() as u64) else {
                    return Err(Error::Invalid("trun", "its data lie outside the mdat that follows"));
                };
                samples.push(Sample {
                    dts: s.dts,
                    cts_offset: s.cts_offset,
                    duration: s.duration,
                    is_sync: s.is_sync,
                    data: mdat.slice(start as usize..end as usize),
                });
            }
            self.ready.push_back(Item::Fragment(Fragment {
                track: track.track,
                sequence: moof.sequence,
                base_decode_time: track.base_decode_time,
                samples,
            }));
        }
        Ok(())
    }

    fn discard(&mut self, n: u64) {
        self.buffer.advance(n as usize);
        self.at += n;
    }
}
