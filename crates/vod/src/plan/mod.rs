//! The plan: every boundary of every track, decided before the first frame is encoded. Pure.
//!
//! Segments of 4 s and GOPs of 2 s, counted in source frames and equal for all rungs; chunks of whole segments; audio
//! cut at the AAC frame nearest each video boundary. Presentation time 0 is the first picture, which is held from the
//! beginning of the sound where that is long before it.

mod audio;
mod held;
mod rate;
mod reach;
mod rungs;
pub mod trim;
mod video;

use domain::profile::{Profile, VideoCodec};
use serde::{Deserialize, Serialize};

pub use audio::AudioPlan;
pub use held::Held;
pub use rate::constant_rate;
pub use rungs::RungPlan;
pub use video::{Ahead, Chunk, Joined, Mode, Seek, Times, VideoPlan, chunk_times, listed_times};

use crate::probe::{Index, Refusal, SourceInfo};

/// The format number written by this version.
pub const FORMAT: u32 = 1;

/// Segments of the first chunk: few, so that a title can be played soon.
const FIRST_CHUNK: usize = 3;
/// Segments of every further chunk.
const CHUNK: usize = 8;
/// Half a segment: a GOP, in seconds.
const GOP_SECONDS: u64 = 2;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub format: u32,
    /// What the finished title will last, milliseconds.
    pub duration_ms: u64,
    pub video: Option<VideoPlan>,
    /// The default track first.
    pub audio: Vec<AudioPlan>,
}

impl Plan {
    /// Names of all units of work that must come in before the title is complete, in the order in which they are worth having.
    pub fn units(&self) -> Vec<String> {
        let video = self.video.iter().flat_map(|v| (0..v.chunks.len()).map(video_unit));
        let audio = self.audio.iter().enumerate().filter(|(_, audio)| !audio.is_extra());
        video.chain(audio.flat_map(|(track, audio)| audio.units(track))).collect()
    }

    /// The units of everything that is added to a complete title: for each further codec of the picture and each further
    /// form of an audio track.
    pub fn extras(&self) -> Vec<Vec<String>> {
        let video = self.video.iter().flat_map(|video| {
            let further = video.codecs().into_iter().skip(1);
            further.map(|codec| (0..video.chunks.len()).map(|index| video.unit(index, codec)).collect())
        });
        let audio = self.audio.iter().enumerate().filter(|(_, audio)| audio.is_extra());
        video.chain(audio.map(|(track, audio)| audio.units(track).collect())).collect()
    }

    /// The longest segment of any track, milliseconds rounded up.
    pub fn longest_segment_ms(&self) -> u64 {
        let video = self.video.iter().map(|video| {
            let ends = video.boundaries();
            let starts = [0].into_iter().chain(ends.iter().copied());
            let longest = ends.iter().zip(starts).map(|(end, start)| end - start).max().unwrap_or(0);
            (longest, video.timescale)
        });
        let audio = self.audio.iter().map(|audio| {
            let longest = audio.stretches.iter().flatten().max().copied().unwrap_or(0);
            (u64::from(longest) * audio.frame(), audio.sample_rate)
        });
        let ms = |(ticks, rate): (u64, u32)| (ticks * 1000).div_ceil(u64::from(rate.max(1)));
        video.chain(audio).map(ms).max().unwrap_or(0)
    }
}

/// The unit of video chunk `index`, all rungs of the first codec.
pub fn video_unit(index: usize) -> String {
    format!("v:{index}")
}

/// The unit of the same chunk as `unit` in a codec that is added to the first.
pub fn added_unit(unit: &str, codec: VideoCodec) -> String {
    format!("{unit}.{}", codec.word())
}

/// The unit of stretch `n` of audio track `track`.
pub fn audio_unit(track: usize, n: usize) -> String {
    format!("a{track}:{n}")
}

/// Plans a title. The list of picture times is to be kept beside the plan when [`Times::Listed`] says so.
pub fn plan(info: &SourceInfo, index: &Index, profile: &Profile) -> Result<Plan, Refusal> {
    let video = info.video.as_ref();
    let video = video.map(|video| video::plan(info, video, index, profile));
    let video = video.transpose()?;
    let (origin, boundaries, rate) = match &video {
        Some(video) => (video.origin(), video.boundaries(), video.timescale),
        None => audio::own_boundaries(info, index).ok_or(Refusal::Empty)?,
    };
    let end = boundaries.last().copied().ok_or(Refusal::Empty)?;
    let mut audio = audio::plan(profile, &info.audio, origin, &boundaries, rate);
    if let Some(video) = video.as_ref().filter(|video| video.joined.is_some()) {
        audio.iter_mut().for_each(|track| track.joined = Some(Joined { beside: Some(video.stream) }));
    }
    Ok(Plan { format: FORMAT, duration_ms: end * 1000 / u64::from(rate), video, audio })
}

/// Divides `segments` things into chunks: a short first one, then equal ones.
fn chunks(segments: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let length = if start == 0 { FIRST_CHUNK } else { CHUNK };
        let range = start..segments.min(start + length);
        start = range.end;
        (!range.is_empty()).then_some(range)
    })
}

#[cfg(test)]
mod tests;
