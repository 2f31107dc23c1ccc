//! Segments: one `moof` and one `mdat` (ISO/IEC 23000-19 §7.3.2).

use bytes::Bytes;

use super::{
    TRACK_ID,
    boxes::{Put, write, write_full},
};
use crate::{
    Error, Result,
    descriptor::{self, SyncSample},
    mp4::{NON_SYNC, Sample},
};

/// `sample_depends_on = 2`: an I picture, or audio.
const SYNC_FLAGS: u32 = 0x0200_0000;
const NON_SYNC_FLAGS: u32 = 0x0100_0000 | NON_SYNC;

/// A written segment. The payload still is the samples' own bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// `moof` and the header of `mdat`.
    pub head: Bytes,
    pub payload: Vec<Bytes>,
    /// The segment as a descriptor lists it.
    pub index: descriptor::Segment,
}

impl Segment {
    /// Bytes of the whole segment.
    pub fn size(&self) -> u64 {
        u64::from(self.index.bytes)
    }

    /// Appends the segment.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.index.bytes as usize);
        out.extend_from_slice(&self.head);
        for part in &self.payload {
            out.extend_from_slice(part);
        }
    }

    /// All parts in order, for vectored writes.
    pub fn parts(&self) -> impl Iterator<Item = &Bytes> {
        std::iter::once(&self.head).chain(&self.payload)
    }
}

/// What is in the track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The index lists each sync sample. `delay` is what composition offsets are raised by, as in the header.
    Video { delay: u32 },
    /// Every sample is a sync sample, none is listed.
    Audio,
    /// As audio; samples belong to the group that tells how far before them decoding begins.
    Opus,
}

const TOO_LONG: Error = Error::Invalid("segment", "its duration exceeds 32 bits");
const TOO_BIG: Error = Error::Invalid("segment", "its size exceeds 32 bits");

/// Writes one segment. `samples` are in decode order; only their durations, composition offsets, sync flags and
/// bytes count: the first is decoded at `base_decode_time`, each next when the one before ends. Composition offsets
/// count without the delay and may be negative, but no key frame may be shown before `base_decode_time`: of a chunk within a segment
/// other frames may be. `sequence` should grow by one from segment to segment.
pub fn segment(sequence: u32, base_decode_time: u64, samples: &[Sample], kind: Kind) -> Result<Segment> {
    if samples.is_empty() {
        return Err(Error::Invalid("segment", "it has no samples"));
    }
    let (is_video, delay) = match kind {
        Kind::Video { delay } => (true, delay),
        Kind::Audio | Kind::Opus => (false, 0),
    };
    let (mut at, mut bytes) = (0u64, 0u64);
    let mut sync = Vec::new();
    let mut run = Vec::with_capacity(samples.len());
    for sample in samples {
        let size = u32::try_from(sample.data.len()).map_err(|_| TOO_BIG)?;
        if sample.is_sync && is_video {
            let shown = at
                .checked_add_signed(i64::from(sample.cts_offset))
                .ok_or(Error::Invalid("segment", "a key frame is shown before the segment begins"))?;
            sync.push(SyncSample { at: u32::try_from(shown).map_err(|_| TOO_LONG)?, bytes: size });
        }
        run.push(RunSample {
            duration: sample.duration,
            size,
            cts_offset: sample.cts_offset.checked_add_unsigned(delay).ok_or(TOO_LONG)?,
            is_sync: sample.is_sync,
        });
        at += u64::from(sample.duration);
        bytes += u64::from(size);
    }
    let duration = u32::try_from(at).map_err(|_| TOO_LONG)?;
    let head = Run { sequence, base_decode_time, samples: &run, roll: kind == Kind::Opus }.head()?;
    let bytes = u32::try_from(bytes + head.len() as u64).map_err(|_| TOO_BIG)?;
    Ok(Segment {
        head: head.into(),
        payload: samples.iter().map(|s| s.data.clone()).collect(),
        index: descriptor::Segment { duration, bytes, sync },
    })
}

/// The samples of a segment, without their bytes.
pub(crate) struct Run<'a> {
    pub sequence: u32,
    pub base_decode_time: u64,
    pub samples: &'a [RunSample],
    /// They are of the first group of `roll` in the header.
    pub roll: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct RunSample {
    pub duration: u32,
    pub size: u32,
    pub cts_offset: i32,
    pub is_sync: bool,
}

impl Run<'_> {
    /// `moof` and the header of the `mdat` that follows. What all samples share is told once.
    pub fn head(&self) -> Result<Vec<u8>> {
        let payload: u64 = self.samples.iter().map(|s| u64::from(s.size)).sum();
        let mdat = u32::try_from(payload + 8).map_err(|_| TOO_BIG)?;
        let shared = |field: fn(&RunSample) -> u32| {
            let first = self.samples.first().map(field)?;
            self.samples.iter().all(|s| field(s) == first).then_some(first)
        };
        let duration = shared(|s| s.duration);
        let size = shared(|s| s.size);
        let flags = shared(flags_of);
        // One sync sample at the start, as in a segment of one GOP: told apart from the shared flags.
        let first_only = self.samples.first().is_some_and(|s| s.is_sync)
            && self.samples.len() > 1
            && self.samples[1..].iter().all(|s| !s.is_sync);
        let offsets = self.samples.iter().any(|s| s.cts_offset != 0);

        // default-base-is-moof and the defaults (ISO/IEC 14496-12 §8.8.7).
        let tfhd_flags = 0x02_0000
            | if duration.is_some() { 0x8 } else { 0 }
            | if size.is_some() { 0x10 } else { 0 }
            | 0x20;
        // data-offset, first-sample-flags, and what differs from sample to sample (§8.8.8).
        let trun_flags = 0x1
            | if first_only { 0x4 } else { 0 }
            | if duration.is_none() { 0x100 } else { 0 }
            | if size.is_none() { 0x200 } else { 0 }
            | if flags.is_none() && !first_only { 0x400 } else { 0 }
            | if offsets { 0x800 } else { 0 };

        let mut out = Vec::with_capacity(128 + 16 * self.samples.len());
        let mut data_offset_at = 0;
        write(&mut out, b"moof", |out| {
            write_full(out, b"mfhd", 0, 0, |out| out.u32(self.sequence));
            write(out, b"traf", |out| {
                write_full(out, b"tfhd", 0, tfhd_flags, |out| {
                    out.u32(TRACK_ID);
                    duration.into_iter().for_each(|d| out.u32(d));
                    size.into_iter().for_each(|s| out.u32(s));
                    out.u32(flags.unwrap_or(NON_SYNC_FLAGS));
                });
                write_full(out, b"tfdt", 1, 0, |out| out.u64(self.base_decode_time));
                if self.roll {
                    write_full(out, b"sbgp", 0, 0, |out| {
                        out.extend(b"roll");
                        out.u32(1);
                        out.u32(self.samples.len() as u32);
                        out.u32(1);
                    });
                }
                write_full(out, b"trun", 1, trun_flags, |out| {
                    out.u32(self.samples.len() as u32);
                    data_offset_at = out.len();
                    out.u32(0);
                    if trun_flags & 0x4 != 0 {
                        out.u32(SYNC_FLAGS);
                    }
                    for sample in self.samples {
                        let fields = [
                            (0x100, sample.duration),
                            (0x200, sample.size),
                            (0x400, flags_of(sample)),
                            (0x800, sample.cts_offset.cast_unsigned()),
                        ];
                        fields.iter().filter(|(bit, _)| trun_flags & bit != 0).for_each(|(_, v)| out.u32(*v));
                    }
                });
            });
        });
        let data_offset = out.len() as u32 + 8;
        out[data_offset_at..data_offset_at + 4].copy_from_slice(&data_offset.to_be_bytes());
        out.u32(mdat);
        out.extend(b"mdat");
        Ok(out)
    }
}

fn flags_of(sample: &RunSample) -> u32 {
    if sample.is_sync { SYNC_FLAGS } else { NON_SYNC_FLAGS }
}
