//! From an encoder's fragmented MP4 to stored segments: planned times, one `moof`+`mdat` each, and proof that every
//! planned frame is there, once, with its key frames in place.

use std::{
    fs::File,
    io::{BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use media::{
    cmaf::{self, Kind, TrackSpec},
    mp4::{FragmentReader, Item, Limits, Sample},
};

use super::{Error, Result, TrackFile, TrackHead, command::Pick};
use crate::plan::{Chunk, RungPlan, Times, VideoPlan};

/// A chunk whose rungs lie in `scratch`.
pub(super) struct Job {
    /// Track ids.
    rungs: Vec<String>,
    chunk: Chunk,
    timescale: u32,
    /// What the plan raises composition offsets by; formats that do not reorder have none ([`TrackSpec::kind`]).
    delay: u32,
    /// Every key frame brings its parameter sets, and this is the track's codecs string, for each rung.
    in_band: Option<Vec<String>>,
    /// Segments of the title before this chunk.
    segments_before: u32,
    times: Vec<u64>,
    /// Half a frame in ticks of the plan, when the encoder's times are to be checked.
    tolerance: Option<u64>,
    scratch: PathBuf,
}

impl Job {
    pub(super) fn new(plan: &VideoPlan, index: usize, pick: Pick, times: Vec<u64>, scratch: &Path) -> Self {
        let tolerance = match plan.times {
            Times::Constant(step) => u64::from(step) / 2,
            Times::Listed => 0,
        };
        Self {
            rungs: plan.rungs.iter().map(|rung| rung.id.clone()).collect(),
            chunk: plan.chunks[index].clone(),
            timescale: plan.timescale,
            delay: plan.delay,
            in_band: plan.sets_in_band().then(|| plan.rungs.iter().map(RungPlan::codec_in_band).collect()),
            segments_before: plan.chunks[..index].iter().map(|c| c.segments.len() as u32).sum(),
            times,
            tolerance: pick.keeps_times().then_some(tolerance),
            scratch: scratch.to_owned(),
        }
    }
}

/// Rewrites every rung. Reads and writes files: not for the async runtime.
pub(super) fn all(job: &Job) -> Result<Vec<TrackFile>> {
    job.rungs.iter().enumerate().map(|(i, id)| one(job, i, id)).collect()
}

fn one(job: &Job, i: usize, id: &str) -> Result<TrackFile> {
    let from = job.scratch.join(format!("rung{i}.mp4"));
    let path = job.scratch.join(format!("{id}.cmfv"));
    let mut input = File::open(&from)?;
    let mut writer = SegmentWriter::new(job, BufWriter::new(File::create(&path)?));
    let mut reader = FragmentReader::new(Limits::default());
    let mut piece = vec![0; 256 << 10];
    let mut timescale = 0;
    loop {
        let read = input.read(&mut piece)?;
        if read == 0 {
            break;
        }
        reader.feed(&piece[..read]);
        while let Some(item) = reader.next()? {
            match item {
                Item::Header(found) => {
                    let header = found.tracks.first().ok_or_else(|| writer.mismatch("no track"))?;
                    timescale = header.timescale;
                    let spec = TrackSpec::from_header(header, job.delay)?;
                    let spec = TrackSpec { timescale: job.timescale, language: None, ..spec };
                    writer.spec = Some(in_band(job, i, spec)?);
                }
                Item::Fragment(fragment) => writer.push(fragment.samples)?,
            }
        }
    }
    let spec = writer.spec.take().ok_or_else(|| Error::Mismatch("the encoder wrote nothing".into()))?;
    let (segments, shown) = writer.finish()?;
    check_times(job, &shown, timescale)?;
    std::fs::remove_file(from)?;
    Ok(TrackFile { id: id.to_owned(), path, head: TrackHead::new(&spec)?, segments })
}

/// The header of a track that several encoders may add to: all of them must keep to what it announces.
fn in_band(job: &Job, i: usize, spec: TrackSpec) -> Result<TrackSpec> {
    let Some(wanted) = job.in_band.as_ref().and_then(|codecs| codecs.get(i)) else { return Ok(spec) };
    let told = spec.codec()?;
    let spec = spec.with_sets_in_band().filter(|spec| spec.codec().is_ok_and(|codec| codec == *wanted));
    spec.ok_or_else(|| Error::Mismatch(format!("the encoder made {told} where {wanted} was announced")))
}

/// Collects samples until a segment is whole, then writes it.
struct SegmentWriter<'a, W> {
    job: &'a Job,
    out: W,
    pending: Vec<Sample>,
    /// From the header on.
    spec: Option<TrackSpec>,
    segments: Vec<media::descriptor::Segment>,
    /// The encoder's presentation times.
    shown: Vec<u64>,
    frames: usize,
    /// Pictures after the chunk.
    ahead: usize,
}

impl<'a, W: Write> SegmentWriter<'a, W> {
    fn new(job: &'a Job, out: W) -> Self {
        Self {
            job,
            out,
            pending: Vec::new(),
            spec: None,
            segments: Vec::new(),
            shown: Vec::new(),
            frames: 0,
            ahead: 0,
        }
    }

    fn push(&mut self, mut samples: Vec<Sample>) -> Result<()> {
        if let Some(spec) = &mut self.spec {
            // The first sample may tell what the header does not.
            if let (true, Some(first)) = (self.shown.is_empty(), samples.first()) {
                spec.learn(&first.data)?;
            }
            for sample in &mut samples {
                sample.data = spec.stored(&sample.data, sample.is_sync)?;
            }
        }
        self.shown.extend(samples.iter().map(Sample::pts));
        self.pending.extend(samples);
        while let Some(gops) = self.job.chunk.segments.get(self.segments.len()) {
            let frames = gops.iter().map(|n| *n as usize).sum();
            if self.pending.len() < frames {
                return Ok(());
            }
            let rest = self.pending.split_off(frames);
            let samples = std::mem::replace(&mut self.pending, rest);
            self.write(samples, gops)?;
        }
        // What was seen ahead has served.
        self.ahead += self.pending.len();
        self.pending.clear();
        let planned = self.job.chunk.ahead.map_or(0, |ahead| ahead.frames as usize);
        if self.ahead <= planned { Ok(()) } else { Err(self.mismatch("more pictures than planned")) }
    }

    fn write(&mut self, mut samples: Vec<Sample>, gops: &[u32]) -> Result<()> {
        let n = self.segments.len();
        let starts: Vec<usize> =
            gops.iter().scan(0, |at, n| Some(std::mem::replace(at, *at + *n as usize))).collect();
        let keys: Vec<usize> =
            samples.iter().enumerate().filter(|(_, s)| s.is_sync).map(|(i, _)| i).collect();
        if starts != keys {
            return Err(self.mismatch("key frames are not where they were planned"));
        }
        let end = self.job.chunk.ends[n];
        let times = &self.job.times[self.frames..self.frames + samples.len()];
        let kind = self.spec.as_ref().map_or(Kind::Video { delay: self.job.delay }, TrackSpec::kind);
        let delay = if let Kind::Video { delay } = kind { delay } else { 0 };
        cmaf::retime(&mut samples, times, end, delay)?;
        let sequence = self.job.segments_before + n as u32 + 1;
        let start = times.first().copied().unwrap_or(end);
        let segment = cmaf::segment(sequence, start, &samples, kind)?;
        for part in segment.parts() {
            self.out.write_all(part)?;
        }
        self.frames += samples.len();
        self.segments.push(segment.index);
        Ok(())
    }

    fn finish(mut self) -> Result<(Vec<media::descriptor::Segment>, Vec<u64>)> {
        if self.segments.len() != self.job.chunk.segments.len() || !self.pending.is_empty() {
            return Err(self.mismatch("fewer pictures than planned"));
        }
        self.out.flush()?;
        Ok((self.segments, self.shown))
    }

    fn mismatch(&self, what: &str) -> Error {
        let (got, planned) = (self.shown.len(), self.job.times.len());
        Error::Mismatch(format!("{what} ({got} so far, {planned} planned)"))
    }
}

/// The encoder kept the source's distances: each frame must lie where the plan has it, within half a frame for constant
/// rates (whose sources may round) and to the tick for variable ones.
fn check_times(job: &Job, shown: &[u64], timescale: u32) -> Result<()> {
    let Some(tolerance) = job.tolerance else { return Ok(()) };
    let mut shown = shown.to_vec();
    shown.sort_unstable();
    let (Some(first), Some(origin)) = (shown.first(), job.times.first()) else { return Ok(()) };
    let (ours, theirs) = (i128::from(job.timescale), i128::from(timescale));
    for (i, (shown, planned)) in shown.iter().zip(&job.times).enumerate() {
        let got = i128::from(shown - first) * ours;
        let want = i128::from(planned - origin) * theirs;
        if (got - want).abs() > i128::from(tolerance) * theirs {
            return Err(Error::Mismatch(format!("picture {i} of the chunk is not at its planned time")));
        }
    }
    Ok(())
}
