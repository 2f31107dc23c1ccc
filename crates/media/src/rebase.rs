//! Moving a stored segment on the time line: its decode time and number are written over where they stand, so that its
//! size and every other byte stay (ISO/IEC 14496-12 §8.8.5, §8.8.12).

use crate::{Error, Result, mp4::BoxHead};

/// Adds `shift` ticks to the decode times in `moof`, a whole `moof` box, and gives it the number `sequence`.
pub fn rebase(moof: &mut [u8], shift: i64, sequence: u32) -> Result<()> {
    let body = inside(moof, 0, b"moof")?.ok_or(Error::Invalid("segment", "it does not begin with moof"))?;
    let (mut at, end) = body;
    let mut moved = false;
    while let Some((kind, from, to)) = next_box(moof, at, end)? {
        match &kind {
            b"mfhd" => put(moof, from + 4, to, &sequence.to_be_bytes())?,
            b"traf" => {
                let mut within = from;
                while let Some((kind, from, to)) = next_box(moof, within, to)? {
                    if &kind == b"tfdt" {
                        shift_time(moof, from, to, shift)?;
                        moved = true;
                    }
                    within = to;
                }
            }
            _ => {}
        }
        at = to;
    }
    if moved { Ok(()) } else { Err(Error::Invalid("moof", "it tells no decode time")) }
}

/// The kind, and the place of the body, of the box at `at`; `None` at `end`.
fn next_box(bytes: &[u8], at: usize, end: usize) -> Result<Option<([u8; 4], usize, usize)>> {
    if at >= end {
        return Ok(None);
    }
    let rest = bytes.get(at..end).ok_or(Error::Truncated("moof"))?;
    let head = BoxHead::parse(rest)?.ok_or(Error::Truncated("moof"))?;
    let size = head.size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= rest.len());
    let size = size.ok_or(Error::Truncated("moof"))?;
    Ok(Some((head.kind, at + head.header as usize, at + size)))
}

fn inside(bytes: &[u8], at: usize, kind: &[u8; 4]) -> Result<Option<(usize, usize)>> {
    let found = next_box(bytes, at, bytes.len())?;
    Ok(found.filter(|(found, _, _)| found == kind).map(|(_, from, to)| (from, to)))
}

fn put(bytes: &mut [u8], at: usize, end: usize, value: &[u8]) -> Result<()> {
    let to = at.checked_add(value.len()).filter(|to| *to <= end).ok_or(Error::Truncated("moof"))?;
    bytes.get_mut(at..to).ok_or(Error::Truncated("moof"))?.copy_from_slice(value);
    Ok(())
}

fn shift_time(bytes: &mut [u8], from: usize, to: usize, shift: i64) -> Result<()> {
    const OUT: Error = Error::Invalid("tfdt", "the moved time is out of range");
    let body = bytes.get(from..to).ok_or(Error::Truncated("tfdt"))?;
    let version = *body.first().ok_or(Error::Truncated("tfdt"))?;
    if version == 1 {
        let time = body.get(4..12).and_then(|time| time.try_into().ok()).map(u64::from_be_bytes);
        let time = time.ok_or(Error::Truncated("tfdt"))?.checked_add_signed(shift).ok_or(OUT)?;
        put(bytes, from + 4, to, &time.to_be_bytes())
    } else {
        let time = body.get(4..8).and_then(|time| time.try_into().ok()).map(u32::from_be_bytes);
        let time = u64::from(time.ok_or(Error::Truncated("tfdt"))?).checked_add_signed(shift).ok_or(OUT)?;
        put(bytes, from + 4, to, &u32::try_from(time).map_err(|_| OUT)?.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        cmaf::{self, Kind},
        iframe::moof_size,
        mp4::{Sample, parse_moof},
    };

    fn segment(start: u64) -> Vec<u8> {
        let sample = |n: u8| Sample {
            dts: 0,
            cts_offset: 0,
            duration: 100,
            is_sync: n == 0,
            data: Bytes::from(vec![n; 9]),
        };
        let samples: Vec<Sample> = (0..3).map(sample).collect();
        let mut bytes = Vec::new();
        cmaf::segment(7, start, &samples, Kind::Video { delay: 0 }).unwrap().write_to(&mut bytes);
        bytes
    }

    #[test]
    fn only_the_time_and_the_number_change() {
        let (before, far) = (segment(5000), segment((1 << 40) + 5000));
        for (shift, then) in [(0, 5000), (-5000, 0), (1 << 40, (1 << 40) + 5000)] {
            let mut moved = before.clone();
            let size = moof_size(&moved).unwrap().unwrap();
            rebase(&mut moved[..size], shift, 12).unwrap();
            let (sequence, tracks) = parse_moof(&moved[8..size], 0, size as u64, None).unwrap();
            assert_eq!((sequence, tracks[0].base_decode_time), (12, then));
            assert_eq!(moved.len(), before.len());
            assert_eq!(moved[size..], before[size..]);
        }
        let mut moved = before.clone();
        let size = moof_size(&moved).unwrap().unwrap();
        rebase(&mut moved[..size], 1 << 40, 7).unwrap();
        assert_eq!(moved, far, "as if it had been written there");
    }

    #[test]
    fn what_is_no_moof_or_too_short_is_refused() {
        let whole = segment(10);
        let size = moof_size(&whole).unwrap().unwrap();
        assert!(rebase(&mut whole[..size].to_vec(), -11, 1).is_err(), "before the beginning");
        for end in 0..size {
            assert!(rebase(&mut whole[..end].to_vec(), 1, 1).is_err(), "{end}");
        }
        let mut all = whole;
        for at in 0..size {
            for bit in 0..8 {
                all[at] ^= 1 << bit;
                // Whatever the bytes say: an answer, and no panic.
                let _ = rebase(&mut all[..size].to_vec(), 1, 1);
                all[at] ^= 1 << bit;
            }
        }
    }
}
