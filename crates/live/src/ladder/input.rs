//! What an encoder reads: the frames of one track in a container that every ffmpeg knows for their codec.

use media::{
    Result,
    cmaf::{self, Media, TrackSpec},
    codec::{Format, Sound},
    flv,
    frame::{Kind, Sample, TrackId},
    mp4,
};

use crate::ring::Frame;

/// Encoders see times from here on, microseconds: nothing that they put before the first frame is below 0.
const FIRST: i64 = 10_000_000;
const VIDEO: TrackId = TrackId { kind: Kind::Video, number: 0 };
/// Frames in a second, until the second one has come.
const GUESS: u32 = 50;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// H.264.
    Flv,
    /// All else. A reader remembers each fragment, so its memory grows slowly.
    Mp4,
}

/// Writes one track from a key frame on.
#[derive(Debug)]
pub struct Input {
    container: Container,
    spec: TrackSpec,
    /// Decode time of the first frame, ticks.
    base: i64,
    last: Option<i64>,
    /// The last step between frames, ticks.
    step: u32,
    sequence: u32,
}

/// From an encoder's times to the source's.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    base: i64,
    timescale: u32,
}

impl Clock {
    /// What an encoder's time, in ticks of its own, is in that scale on the source's time line.
    pub fn time(self, ticks: i64, timescale: u32) -> i64 {
        let scale = i128::from(timescale);
        let base = i128::from(self.base) * scale / i128::from(self.timescale);
        let first = i128::from(FIRST) * scale / 1_000_000;
        i64::try_from(i128::from(ticks) - first + base).unwrap_or(0)
    }

    /// Is an encoder's time before the first frame? AAC begins with what is not to be heard.
    pub fn is_before(self, ticks: i64, timescale: u32) -> bool {
        i128::from(ticks) * 1_000_000 < i128::from(FIRST) * i128::from(timescale)
    }
}

impl Container {
    pub fn of(spec: &TrackSpec) -> Self {
        match &spec.media {
            Media::Video { picture, .. } if picture.format == Format::Avc => Self::Flv,
            _ => Self::Mp4,
        }
    }

    pub fn demuxer(self) -> &'static str {
        match self {
            Self::Flv => "flv",
            Self::Mp4 => "mov",
        }
    }
}

impl Input {
    /// What comes before the frames; `first` is the first of them.
    pub fn begin(first: &Frame) -> Result<(Self, Vec<u8>)> {
        let mut spec = TrackSpec::clone(&first.spec);
        if let Media::Audio(Sound::Opus(config)) = &mut spec.media {
            // Its beginning is not the stream's.
            *config = config.nothing_to_skip();
        }
        let container = Container::of(&spec);
        let step = spec.timescale / GUESS;
        let input = Self { container, base: first.dts, last: None, step, sequence: 0, spec };
        let head = match container {
            Container::Flv => {
                let mut out = flv::header(true, false).to_vec();
                if let Some(start) = flv::sequence_start(VIDEO, &input.spec)? {
                    flv::tag(&mut out, flv::VIDEO, FIRST / 1000, &[&start])?;
                }
                out
            }
            Container::Mp4 => cmaf::init_segment(&input.spec)?.to_vec(),
        };
        Ok((input, head))
    }

    /// The frame's bytes in the container.
    pub fn frame(&mut self, frame: &Frame) -> Result<Vec<u8>> {
        if let Some(step) = self.last.map(|last| frame.dts - last).filter(|step| *step > 0) {
            self.step = u32::try_from(step).unwrap_or(self.step);
        }
        self.last = Some(frame.dts);
        let mut out = Vec::with_capacity(frame.data.len() + 256);
        match self.container {
            Container::Flv => {
                let micros = |ticks: i64| FIRST + self.micros(ticks - self.base);
                let (dts, pts) = (micros(frame.dts), micros(frame.pts));
                let sample = Sample { dts, pts, key: frame.key, data: frame.data.clone() };
                let (head, body) = flv::frame(VIDEO, &self.spec, &sample)?;
                flv::tag(&mut out, flv::VIDEO, dts.div_euclid(1000), &[&head, &body])?;
            }
            Container::Mp4 => {
                self.sequence = self.sequence.wrapping_add(1);
                let shift = i32::try_from(frame.pts - frame.dts).unwrap_or(0).max(0);
                let sample = mp4::Sample {
                    dts: 0,
                    cts_offset: shift,
                    duration: self.step,
                    is_sync: frame.key,
                    data: frame.data.clone(),
                };
                let at = u64::try_from(self.ticks(FIRST) + frame.dts - self.base).unwrap_or(0);
                cmaf::segment(self.sequence, at, &[sample], self.spec.kind())?.write_to(&mut out);
            }
        }
        Ok(out)
    }

    pub fn clock(&self) -> Clock {
        Clock { base: self.base, timescale: self.spec.timescale.max(1) }
    }

    fn micros(&self, ticks: i64) -> i64 {
        i64::try_from(i128::from(ticks) * 1_000_000 / i128::from(self.spec.timescale.max(1))).unwrap_or(0)
    }

    fn ticks(&self, micros: i64) -> i64 {
        i64::try_from(i128::from(micros) * i128::from(self.spec.timescale) / 1_000_000).unwrap_or(0)
    }
}
