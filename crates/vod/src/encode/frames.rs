//! A small film of single key frames, or of short runs of frames, for decoding many pictures far apart in one go.

use std::{io::Write, path::Path};

use bytes::Bytes;
use media::{
    cmaf::{self, Kind},
    mp4::Sample,
};

use super::{Error, Result};

/// Key frames in the order in which they are wanted, each alone or with the frames after it; one may come more than once.
#[derive(Debug, Default)]
pub struct Frames(Vec<Vec<Sample>>);

impl Frames {
    /// Adds the `k`-th key frame of a stored segment.
    pub fn push(&mut self, segment: &Bytes, k: usize) -> Result<()> {
        let (_, picture) = media::iframe::build(segment, k, 1)?;
        // A copy, so that the whole segment need not be kept.
        let data = Bytes::copy_from_slice(&picture);
        self.0.push(vec![Sample { dts: 0, cts_offset: 0, duration: 0, is_sync: true, data }]);
        Ok(())
    }

    /// Adds the `k`-th key frame of a stored segment and what is decoded after it before the next one, at most `most`
    /// frames together. Says how many.
    pub fn push_run(&mut self, segment: &Bytes, k: usize, most: usize) -> Result<usize> {
        let moof = media::mp4::BoxHead::parse(segment)?;
        let broken = media::Error::Invalid("segment", "it does not begin with moof");
        let head = moof.filter(|head| &head.kind == b"moof").ok_or(broken)?;
        let size =
            head.size.and_then(|size| usize::try_from(size).ok()).filter(|size| *size <= segment.len());
        let size = size.ok_or(media::Error::Truncated("moof"))?;
        let body = segment.get(head.header as usize..size).unwrap_or_default();
        let (_, tracks) = media::mp4::parse_moof(body, 0, size as u64, None)?;
        let samples = tracks.first().map(|track| track.samples.as_slice()).unwrap_or_default();
        let mut sync = samples.iter().enumerate().filter(|(_, s)| s.is_sync).map(|(at, _)| at).skip(k);
        let from = sync.next().ok_or(media::Error::Invalid("moof", "it has no such sync sample"))?;
        let to = sync.next().unwrap_or(samples.len()).min(from + most);
        // Offsets stay as stored: with the delay that the track's header takes back.
        let mut run = Vec::new();
        for sample in &samples[from..to] {
            let range = usize::try_from(sample.range.start).ok().zip(usize::try_from(sample.range.end).ok());
            let data = range.and_then(|(start, end)| segment.get(start..end));
            let data = Bytes::copy_from_slice(data.ok_or(media::Error::Truncated("segment"))?);
            let (cts_offset, duration) = (sample.cts_offset, sample.duration);
            run.push(Sample { dts: 0, cts_offset, duration, is_sync: sample.is_sync, data });
        }
        let count = run.len();
        self.0.push(run);
        Ok(count)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes them one after the other as a film, single frames for a tenth of a second each, behind `init`, the header of
/// their track.
pub async fn frame_file(frames: Frames, init: &[u8], timescale: u32, path: &Path) -> Result<()> {
    let (init, path) = (init.to_vec(), path.to_owned());
    let write = move || -> Result<()> {
        let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
        out.write_all(&init)?;
        let alone = (timescale / 10).max(1);
        let mut at = 0;
        for (i, mut run) in (0_u32..).zip(frames.0) {
            if let [single] = run.as_mut_slice() {
                single.duration = alone;
            }
            let ticks: u64 = run.iter().map(|sample| u64::from(sample.duration)).sum();
            for part in cmaf::segment(i + 1, at, &run, Kind::Video { delay: 0 })?.parts() {
                out.write_all(part)?;
            }
            at += ticks;
        }
        Ok(out.flush()?)
    };
    tokio::task::spawn_blocking(write).await.map_err(|_| Error::Task)?
}
