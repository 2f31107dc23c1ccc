//! Encoding profiles: into which codecs and rungs titles are made, how well, and what that costs.

use serde::{Deserialize, Serialize};

use crate::ladder::{FittedRung, Rung, default_ladder};

/// A video codec that titles can be made in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoCodec {
    #[default]
    H264,
    Hevc,
    Vp9,
    Av1,
}

/// A form of sound that titles can have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AudioCodec {
    #[default]
    Aac,
    Opus,
    /// Dolby Digital Plus, with Atmos where it has it: taken over from sources that have it ([`Profile::keep_dolby`]), never
    /// encoded.
    Eac3,
}

/// How much time encoders take to find a smaller form of the same picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    #[default]
    Fast,
    Balanced,
    Thorough,
}

/// One video codec of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Video {
    pub codec: VideoCodec,
    #[serde(default)]
    pub effort: Effort,
    /// Constant rate factor, on the codec's own scale; left out: one that looks like H.264 at 23.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crf: Option<u8>,
    /// Rungs below this height are not made: small pictures gain little from costly codecs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_height: Option<u32>,
}

/// What is made of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Rungs with the bit rates of H.264; other codecs need a share of them ([`VideoCodec::share`]).
    pub ladder: Vec<Rung>,
    /// The first codec makes a title playable, others are added when they are complete.
    pub video: Vec<Video>,
    /// Likewise.
    #[serde(default = "aac")]
    pub audio: Vec<AudioCodec>,
    /// Takes over Dolby sound (E-AC-3, with Atmos where it has it) beside what is encoded.
    #[serde(default)]
    pub keep_dolby: bool,
}

fn aac() -> Vec<AudioCodec> {
    vec![AudioCodec::Aac]
}

impl Default for Profile {
    /// H.264 and AAC: plays everywhere, cheap to make.
    fn default() -> Self {
        Self::of_ladder(default_ladder())
    }
}

/// What keeps a profile from being used, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("Give 1 to {MOST_RUNGS} rungs.")]
    Rungs,
    #[error("Two rungs have the height {0}.")]
    SameHeight(u32),
    #[error("The height of a rung must be even and between 64 and 4320, not {0}.")]
    Height(u32),
    #[error("The bit rate of the rung {0} must be between 50 kbit/s and 200 Mbit/s.")]
    Rate(u32),
    #[error("The rung {0} has a bit rate that is not above that of the next smaller one.")]
    Order(u32),
    #[error("Name at least one video codec, each once.")]
    Codecs,
    #[error("The first video codec must be h264, and the first audio codec aac: they play everywhere.")]
    First,
    #[error("Name at least one audio codec, each once.")]
    Sound,
    #[error("Dolby sound is not encoded: leave it out of the audio codecs, and ask for it with keep_dolby.")]
    Dolby,
    #[error("The crf of {0} must be between {1} and {2}.")]
    Quality(&'static str, u8, u8),
    #[error("No rung of {0} is left: the largest one is lower than from_height.")]
    NothingLeft(&'static str),
}

/// Most rungs of a ladder.
const MOST_RUNGS: usize = 12;

impl Profile {
    /// H.264 and AAC.
    pub fn of_ladder(ladder: Vec<Rung>) -> Self {
        let h264 = Video { codec: VideoCodec::H264, effort: Effort::Fast, crf: None, from_height: None };
        Self { ladder, video: vec![h264], audio: aac(), keep_dolby: false }
    }

    /// Says what is wrong with it, the first thing first.
    pub fn check(&self) -> Result<(), Unfit> {
        if self.ladder.is_empty() || self.ladder.len() > MOST_RUNGS {
            return Err(Unfit::Rungs);
        }
        let mut rungs: Vec<&Rung> = self.ladder.iter().collect();
        rungs.sort_by_key(|rung| rung.height);
        for rung in &rungs {
            if rung.height % 2 == 1 || !(64..=4320).contains(&rung.height) {
                return Err(Unfit::Height(rung.height));
            }
            if !(50_000..=200_000_000).contains(&rung.bitrate_bps) {
                return Err(Unfit::Rate(rung.height));
            }
        }
        for two in rungs.windows(2) {
            if two[0].height == two[1].height {
                return Err(Unfit::SameHeight(two[0].height));
            }
            if two[0].bitrate_bps >= two[1].bitrate_bps {
                return Err(Unfit::Order(two[1].height));
            }
        }
        let once = |n: usize| self.video[..n].iter().all(|other| other.codec != self.video[n].codec);
        if self.video.is_empty() || !(0..self.video.len()).all(once) {
            return Err(Unfit::Codecs);
        }
        let heard = |n: usize| !self.audio[..n].contains(&self.audio[n]);
        if self.audio.is_empty() || !(0..self.audio.len()).all(heard) {
            return Err(Unfit::Sound);
        }
        if self.audio.contains(&AudioCodec::Eac3) {
            return Err(Unfit::Dolby);
        }
        if self.video[0].codec != VideoCodec::H264 || self.audio[0] != AudioCodec::Aac {
            return Err(Unfit::First);
        }
        let tallest = rungs.last().map_or(0, |rung| rung.height);
        for video in &self.video {
            let (least, most) = video.codec.crf_range();
            if video.crf.is_some_and(|crf| !(least..=most).contains(&crf)) {
                return Err(Unfit::Quality(video.codec.name(), least, most));
            }
            if video.from_height.is_some_and(|from| from > tallest) {
                return Err(Unfit::NothingLeft(video.codec.name()));
            }
        }
        Ok(())
    }
}

impl Effort {
    /// CPU time that an encoder takes where it takes 100 at [`Effort::Fast`].
    pub fn cost(self) -> u32 {
        match self {
            Self::Fast => 100,
            Self::Balanced => 250,
            Self::Thorough => 600,
        }
    }
}

/// The encoder of AV1 takes no smaller picture.
const LEAST_AV1: u32 = 64;

impl Video {
    pub fn crf(&self) -> u8 {
        self.crf.unwrap_or(self.codec.usual_crf())
    }

    /// Is `rung` made in this codec?
    pub fn wants(&self, rung: &FittedRung) -> bool {
        let (short, long) = (rung.width.min(rung.height), rung.width.max(rung.height));
        let fits = self.codec != VideoCodec::Av1 || short >= LEAST_AV1;
        // Heights of the ladder are those of a 16:9 box.
        let boxed = u64::from(short).max((u64::from(long) * 9).div_ceil(16));
        // Even sizes may miss their rung by a line.
        fits && self.from_height.is_none_or(|from| boxed + 1 >= u64::from(from))
    }
}

impl VideoCodec {
    pub const ALL: [Self; 4] = [Self::H264, Self::Hevc, Self::Vp9, Self::Av1];

    /// Lower case letters and digits, fit for track ids.
    pub fn word(self) -> &'static str {
        match self {
            Self::H264 => "h264",
            Self::Hevc => "hevc",
            Self::Vp9 => "vp9",
            Self::Av1 => "av1",
        }
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::H264 => "H.264",
            Self::Hevc => "HEVC",
            Self::Vp9 => "VP9",
            Self::Av1 => "AV1",
        }
    }

    /// Bits that it needs for the picture that H.264 makes of 100.
    pub fn share(self) -> u32 {
        match self {
            Self::H264 => 100,
            Self::Hevc => 65,
            Self::Vp9 => 70,
            Self::Av1 => 55,
        }
    }

    /// The cap of a rung that has `h264_bps` in H.264.
    pub fn cap(self, h264_bps: u32) -> u32 {
        (u64::from(h264_bps) * u64::from(self.share()) / 100) as u32
    }

    /// CPU time that its encoder takes where H.264's takes 100, at [`Effort::Fast`]; measured with x264, x265, libvpx and
    /// SVT-AV1 on test pictures and film.
    pub fn cost(self) -> u32 {
        match self {
            Self::H264 => 100,
            Self::Hevc => 200,
            Self::Vp9 => 350,
            Self::Av1 => 250,
        }
    }

    /// Keeps high dynamic range; others get pictures brought down to standard range.
    pub fn keeps_hdr(self) -> bool {
        matches!(self, Self::Hevc | Self::Av1)
    }

    /// Looks like H.264 at 23.
    fn usual_crf(self) -> u8 {
        match self {
            Self::H264 => 23,
            Self::Hevc => 26,
            Self::Vp9 => 33,
            Self::Av1 => 35,
        }
    }

    /// Sensible values of the constant rate factor.
    fn crf_range(self) -> (u8, u8) {
        match self {
            Self::H264 | Self::Hevc => (14, 40),
            Self::Vp9 | Self::Av1 => (15, 58),
        }
    }
}

impl AudioCodec {
    pub fn word(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::Opus => "opus",
            Self::Eac3 => "eac3",
        }
    }

    /// Samples of one coded frame.
    pub fn frame(self) -> u64 {
        match self {
            Self::Aac => 1024,
            Self::Opus => 960,
            // Six blocks of 256 (ETSI TS 102 366 §E.1.2).
            Self::Eac3 => 1536,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(change: impl FnOnce(&mut Profile)) -> Result<(), Unfit> {
        let mut profile = Profile::default();
        change(&mut profile);
        profile.check()
    }

    fn video(codec: VideoCodec) -> Video {
        Video { codec, effort: Effort::Fast, crf: None, from_height: None }
    }

    #[test]
    fn what_cannot_work_is_told() {
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(with(|p| p.ladder.clear()), Err(Unfit::Rungs));
        assert_eq!(with(|p| p.ladder[0].height = 721), Err(Unfit::Height(721)));
        assert_eq!(with(|p| p.ladder[0].height = 720), Err(Unfit::SameHeight(720)));
        assert_eq!(with(|p| p.ladder[0].bitrate_bps = 1), Err(Unfit::Rate(1080)));
        assert_eq!(with(|p| p.ladder[0].bitrate_bps = 5_000_000), Err(Unfit::Order(1080)));
        assert_eq!(with(|p| p.video.clear()), Err(Unfit::Codecs));
        assert_eq!(with(|p| p.video.push(video(VideoCodec::H264))), Err(Unfit::Codecs));
        assert_eq!(with(|p| p.video.insert(0, video(VideoCodec::Av1))), Err(Unfit::First));
        assert_eq!(with(|p| p.audio = vec![AudioCodec::Opus]), Err(Unfit::First));
        assert_eq!(with(|p| p.audio.push(AudioCodec::Aac)), Err(Unfit::Sound));
        assert_eq!(with(|p| p.audio.push(AudioCodec::Eac3)), Err(Unfit::Dolby));
        assert_eq!(with(|p| p.video[0].crf = Some(50)), Err(Unfit::Quality("H.264", 14, 40)));
        assert_eq!(
            with(|p| p.video.push(Video { from_height: Some(2160), ..video(VideoCodec::Av1) })),
            Err(Unfit::NothingLeft("AV1"))
        );
        assert_eq!(
            with(|p| {
                p.video.extend([video(VideoCodec::Hevc), video(VideoCodec::Vp9), video(VideoCodec::Av1)]);
                p.audio.push(AudioCodec::Opus);
            }),
            Ok(())
        );
    }
}
