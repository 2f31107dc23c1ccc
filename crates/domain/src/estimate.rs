//! What making a title takes, before anything is made: CPU time and bytes. Estimates, from picture sizes alone: film with much
//! grain or motion takes more, slides take less.

use crate::{
    ladder::{FittedRung, fit},
    profile::{Effort, Profile, Video, VideoCodec},
};

/// A core encodes about 50 pixels a microsecond with x264's preset veryfast.
const PIXELS_PER_MICROSECOND: u64 = 50;

/// CPU time, microseconds, that encoding `frames` pictures of `pixels` takes.
pub fn cpu_micros(pixels: u64, frames: u64, codec: VideoCodec, effort: Effort) -> u64 {
    let percent = u64::from(codec.cost()) * u64::from(effort.cost()) / 100;
    pixels.saturating_mul(frames).saturating_mul(percent) / 100 / PIXELS_PER_MICROSECOND
}

/// What counts of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Display size, after rotation and pixel aspect.
    pub width: u32,
    pub height: u32,
    pub frames: u64,
    pub duration_ms: u64,
    pub hdr: bool,
}

/// One rung in one codec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RungEstimate {
    pub codec: VideoCodec,
    pub rung: FittedRung,
    /// Ten bits and the source's high dynamic range are kept.
    pub hdr: bool,
    /// The bit rate that is never exceeded over the decoder's buffer.
    pub max_bps: u32,
    /// Film at the cap from end to end. Constant quality stays below it nearly always.
    pub max_bytes: u64,
    pub cpu_micros: u64,
}

/// Rungs of all codecs, in the order in which titles get them, the best of each first. Sound is not counted, nor what
/// decoding the source takes.
pub fn estimate(profile: &Profile, source: &Source) -> Vec<RungEstimate> {
    let fitted = fit(&profile.ladder, source.width, source.height);
    let of = |video: &Video| {
        let wanted = fitted.iter().filter(|rung| video.wants(rung));
        wanted.map(|rung| one(video, rung, source)).collect::<Vec<_>>()
    };
    profile.video.iter().flat_map(of).collect()
}

fn one(video: &Video, rung: &FittedRung, source: &Source) -> RungEstimate {
    let max_bps = video.codec.cap(rung.bitrate_bps);
    let pixels = u64::from(rung.width) * u64::from(rung.height);
    RungEstimate {
        codec: video.codec,
        rung: rung.clone(),
        hdr: source.hdr && video.codec.keeps_hdr(),
        max_bps,
        max_bytes: u64::from(max_bps).saturating_mul(source.duration_ms) / 8000,
        cpu_micros: cpu_micros(pixels, source.frames, video.codec, video.effort),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten minutes at 25 pictures a second.
    const FILM: Source =
        Source { width: 1920, height: 1080, frames: 15_000, duration_ms: 600_000, hdr: true };

    fn video(codec: VideoCodec) -> Video {
        Video { codec, effort: Effort::Fast, crf: None, from_height: None }
    }

    #[test]
    fn a_film_in_full_hd_takes_ten_minutes_of_a_core() {
        let rungs = estimate(&Profile::default(), &FILM);
        let names: Vec<_> = rungs.iter().map(|rung| rung.rung.name.as_str()).collect();
        assert_eq!(names, ["1080p", "720p", "480p", "360p"]);
        assert_eq!(rungs[0].cpu_micros, 1920 * 1080 * 15_000 / 50);
        assert_eq!((rungs[0].max_bps, rungs[0].max_bytes), (8_000_000, 600_000_000));
        assert!(rungs.iter().all(|rung| !rung.hdr), "H.264 is brought down to standard range");
    }

    #[test]
    fn codecs_effort_and_from_height_count() {
        let mut profile = Profile::default();
        profile.video.push(Video {
            effort: Effort::Thorough,
            from_height: Some(720),
            ..video(VideoCodec::Av1)
        });
        let rungs = estimate(&profile, &FILM);
        let av1: Vec<_> = rungs.iter().filter(|rung| rung.codec == VideoCodec::Av1).collect();
        assert_eq!(av1.iter().map(|rung| rung.rung.height).collect::<Vec<_>>(), [1080, 720]);
        assert_eq!(av1[0].cpu_micros, rungs[0].cpu_micros * 15);
        assert_eq!(av1[0].max_bps, 4_400_000);
        assert!(av1[0].hdr);
    }

    #[test]
    fn the_largest_source_overflows_nothing() {
        let source =
            Source { width: 65_536, height: 65_536, frames: u64::MAX, duration_ms: u64::MAX, ..FILM };
        assert!(!estimate(&Profile::default(), &source).is_empty());
        assert_eq!(estimate(&Profile::default(), &Source { width: 0, ..FILM }), []);
    }
}
