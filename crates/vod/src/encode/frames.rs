//! A small film of single key frames, for decoding many pictures far apart in one go.

use std::{io::Write, path::Path};

use bytes::Bytes;
use media::{
    cmaf::{self, Kind},
    mp4::Sample,
};

use super::{Error, Result};

/// Key frames in the order in which they are wanted; one may come more than once.
#[derive(Debug, Default)]
pub struct Frames(Vec<Bytes>);

impl Frames {
    /// Adds the `k`-th key frame of a stored segment.
    pub fn push(&mut self, segment: &Bytes, k: usize) -> Result<()> {
        let (_, picture) = media::iframe::build(segment, k, 1)?;
        // A copy, so that the whole segment need not be kept.
        self.0.push(Bytes::copy_from_slice(&picture));
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Writes them as a film of a tenth of a second each, behind `init`, the header of their track.
pub async fn frame_file(frames: Frames, init: &[u8], timescale: u32, path: &Path) -> Result<()> {
    let (init, path) = (init.to_vec(), path.to_owned());
    let write = move || -> Result<()> {
        let mut out = std::io::BufWriter::new(std::fs::File::create(path)?);
        out.write_all(&init)?;
        let duration = (timescale / 10).max(1);
        for (i, data) in (0_u32..).zip(frames.0) {
            let sample = Sample { dts: 0, cts_offset: 0, duration, is_sync: true, data };
            let at = u64::from(i) * u64::from(duration);
            for part in cmaf::segment(i + 1, at, &[sample], Kind::Video { delay: 0 })?.parts() {
                out.write_all(part)?;
            }
        }
        Ok(out.flush()?)
    };
    tokio::task::spawn_blocking(write).await.map_err(|_| Error::Task)?
}
