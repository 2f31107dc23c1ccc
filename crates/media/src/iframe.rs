//! One picture out of a stored segment: a `moof`+`mdat` that holds a single sync sample (RFC 8216bis §4.4.3.6).

use std::ops::Range;

use bytes::Bytes;

use crate::{
    Error, Result,
    cmaf::{Run, RunSample},
    mp4::{BoxHead, parse_moof},
};

/// A single picture: the new head and where the picture lies in the stored segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// `moof` and the header of `mdat`.
    pub head: Vec<u8>,
    /// Bytes of the sample, counted from the segment's first byte.
    pub range: Range<u64>,
}

/// Most bytes of a head.
pub const HEAD: u32 = 112;

/// Finds the `k`-th sync sample (from 0) and writes a head for it. `start` is the beginning of the segment, at least
/// its whole `moof`; `Error::Truncated` says that it was too short. `sequence` numbers the picture in its track. It
/// lasts until the next sync sample, the last until the segment's end.
pub fn locate(start: &[u8], k: usize, sequence: u32) -> Result<Picture> {
    let size = moof_size(start)?.ok_or(Error::Truncated("moof"))?;
    let whole = start.get(..size).ok_or(Error::Truncated("moof"))?;
    let header = BoxHead::parse(whole)?.map_or(8, |h| h.header as usize);
    let (_, tracks) = parse_moof(whole.get(header..).unwrap_or_default(), 0, size as u64, None)?;
    let track = tracks.first().ok_or(Error::Invalid("moof", "it has no track"))?;
    // Composition times of the whole track are shifted alike, which the first picture shows.
    let shift = track.samples.first().map_or(0, |s| s.pts().saturating_sub(s.dts));
    let end = track.samples.last().map_or(0, |s| (s.dts + u64::from(s.duration)).saturating_add(shift));
    let mut sync = track.samples.iter().filter(|s| s.is_sync).skip(k);
    let picture = sync.next().ok_or(Error::Invalid("moof", "it has no such sync sample"))?;
    let until = sync.next().map_or(end, |next| next.pts());
    let duration = until.checked_sub(picture.pts()).and_then(|d| u32::try_from(d).ok());
    let sample = RunSample {
        duration: duration.ok_or(Error::Invalid("moof", "its sync samples are out of order"))?,
        size: u32::try_from(picture.range.end - picture.range.start)
            .map_err(|_| Error::Invalid("moof", "a sample is too large"))?,
        cts_offset: picture.cts_offset,
        is_sync: true,
    };
    let head = Run { sequence, base_decode_time: picture.dts, samples: &[sample], roll: false }.head()?;
    Ok(Picture { head, range: picture.range.clone() })
}

/// Size of the `moof` that `start` begins with; `None` while `start` does not tell.
pub fn moof_size(start: &[u8]) -> Result<Option<usize>> {
    let Some(head) = BoxHead::parse(start)? else { return Ok(None) };
    if &head.kind != b"moof" {
        return Err(Error::Invalid("segment", "it does not begin with moof"));
    }
    let size = head.size.and_then(|s| usize::try_from(s).ok()).filter(|s| *s <= 4 << 20);
    size.map(Some).ok_or(Error::TooLarge("moof", 4 << 20))
}

/// As `locate`, with the whole segment at hand: the head, and the picture's bytes without a copy.
pub fn build(segment: &Bytes, k: usize, sequence: u32) -> Result<(Vec<u8>, Bytes)> {
    let picture = locate(segment, k, sequence)?;
    if picture.range.end > segment.len() as u64 {
        return Err(Error::Truncated("segment"));
    }
    let bytes = segment.slice(picture.range.start as usize..picture.range.end as usize);
    Ok((picture.head, bytes))
}
