//! The `moof` box: where the samples of a fragment lie and when they are shown (ISO/IEC 14496-12 §8.8).

use std::ops::Range;

use super::{Boxes, Header, NON_SYNC};
use crate::{Error, Result, bits::Fields};

/// Most samples of one fragment: more than half an hour of AAC, or of video at 30 frames a second.
const MAX_SAMPLES: usize = 1 << 16;

/// The samples of one track in one `moof`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackFragment {
    pub track: u32,
    /// Decode time of the first sample, ticks.
    pub base_decode_time: u64,
    pub samples: Vec<SampleEntry>,
}

/// One sample, before its bytes are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleEntry {
    pub dts: u64,
    /// Presentation time minus decode time, ticks.
    pub cts_offset: i32,
    pub duration: u32,
    pub is_sync: bool,
    /// Where its bytes lie, counted from the first byte of `moof`.
    pub range: Range<u64>,
}

impl SampleEntry {
    /// Presentation time, not before 0.
    pub fn pts(&self) -> u64 {
        self.dts.saturating_add_signed(i64::from(self.cts_offset))
    }
}

#[derive(Clone, Copy)]
struct Defaults {
    duration: u32,
    size: u32,
    flags: u32,
}

/// Reads the body of a `moof` box. `moof_at` is its place in the file, for writers that count from there;
/// `moof_size` its whole size. `header` gives defaults; without one a fragment must tell all itself.
pub fn parse_moof(
    body: &[u8],
    moof_at: u64,
    moof_size: u64,
    header: Option<&Header>,
) -> Result<(u32, Vec<TrackFragment>)> {
    let mut sequence = 0;
    let mut fragments = Vec::new();
    let mut budget = MAX_SAMPLES;
    for found in Boxes::new(body) {
        match found? {
            (kind, body) if &kind == b"mfhd" => {
                let mut f = Fields::new("mfhd", body);
                f.skip(4)?;
                sequence = f.u32()?;
            }
            (kind, body) if &kind == b"traf" => {
                fragments.push(parse_traf(body, moof_at, moof_size, header, &mut budget)?);
            }
            _ => {}
        }
    }
    Ok((sequence, fragments))
}

fn parse_traf(
    body: &[u8],
    moof_at: u64,
    moof_size: u64,
    header: Option<&Header>,
    budget: &mut usize,
) -> Result<TrackFragment> {
    let mut f = Fields::new("tfhd", Boxes::new(body).need(b"tfhd", "a traf has no tfhd")?);
    let (_, flags) = f.version_and_flags()?;
    let track = f.u32()?;
    let mut defaults =
        header.and_then(|h| h.track(track)).map_or(Defaults { duration: 0, size: 0, flags: 0 }, |t| {
            Defaults { duration: t.default_duration, size: t.default_size, flags: t.default_flags }
        });
    // Without default-base-is-moof the data of a first traf counts from moof as well (§8.8.7.1).
    let mut base = 0;
    if flags & 0x1 != 0 {
        base = f.u64()?.checked_sub(moof_at).ok_or(Error::Invalid("tfhd", "its data lie before the moof"))?;
    }
    if flags & 0x2 != 0 {
        f.skip(4)?;
    }
    for (bit, field) in
        [(0x8, &mut defaults.duration), (0x10, &mut defaults.size), (0x20, &mut defaults.flags)]
    {
        if flags & bit != 0 {
            *field = f.u32()?;
        }
    }

    let mut base_decode_time = 0;
    if let Some(tfdt) = Boxes::new(body).find(b"tfdt")? {
        let mut f = Fields::new("tfdt", tfdt);
        let (version, _) = f.version_and_flags()?;
        base_decode_time = if version == 1 { f.u64()? } else { u64::from(f.u32()?) };
    }

    let mut out = TrackFragment { track, base_decode_time, samples: Vec::new() };
    let (mut dts, mut next) = (base_decode_time, base.saturating_add(moof_size).saturating_add(8));
    for found in Boxes::new(body) {
        let (kind, body) = found?;
        if &kind == b"trun" {
            parse_trun(body, base, &defaults, &mut dts, &mut next, budget, &mut out.samples)?;
        }
    }
    Ok(out)
}

fn parse_trun(
    body: &[u8],
    base: u64,
    defaults: &Defaults,
    dts: &mut u64,
    next: &mut u64,
    budget: &mut usize,
    out: &mut Vec<SampleEntry>,
) -> Result<()> {
    let mut f = Fields::new("trun", body);
    let (_, flags) = f.version_and_flags()?;
    let count = f.u32()? as usize;
    *budget =
        budget.checked_sub(count).ok_or(Error::TooLarge("the number of samples", MAX_SAMPLES as u64))?;
    if flags & 0x1 != 0 {
        let offset = i64::from(f.i32()?);
        *next =
            base.checked_add_signed(offset).ok_or(Error::Invalid("trun", "its data lie before the moof"))?;
    }
    let first_flags = if flags & 0x4 != 0 { Some(f.u32()?) } else { None };
    let mut told = |bit: u32| if flags & bit != 0 { f.u32().map(Some) } else { Ok(None) };
    for n in 0..count {
        let duration = told(0x100)?.unwrap_or(defaults.duration);
        let size = told(0x200)?.unwrap_or(defaults.size);
        let own_flags = told(0x400)?;
        // Version 0 offsets are unsigned; those that matter fit into 31 bits.
        let cts_offset = told(0x800)?.unwrap_or(0).cast_signed();
        let flags = own_flags.or(first_flags.filter(|_| n == 0)).unwrap_or(defaults.flags);
        let end = next.checked_add(u64::from(size)).ok_or(Error::Invalid("trun", "its data have no end"))?;
        out.push(SampleEntry {
            dts: *dts,
            cts_offset,
            duration,
            is_sync: flags & NON_SYNC == 0,
            range: *next..end,
        });
        *next = end;
        *dts = dts.checked_add(u64::from(duration)).ok_or(Error::Invalid("trun", "its times have no end"))?;
    }
    Ok(())
}
