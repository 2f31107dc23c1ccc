//! Rungs: which a source gets in which codec, and how each is encoded.

use domain::{
    ladder::{self, FittedRung},
    profile::{Effort, Profile, Video, VideoCodec},
};
use serde::{Deserialize, Serialize};

use crate::probe::VideoInfo;

/// One rung and how it is encoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RungPlan {
    /// Track id, `v1080p`; with the codec for those that are added to the first one, `v1080pav1`.
    pub id: String,
    pub label: String,
    pub width: u32,
    pub height: u32,
    /// Capped constant quality: the cap over `buffer_bits` of decoder buffer.
    pub max_bps: u32,
    pub buffer_bits: u32,
    pub crf: u32,
    /// H.264 level in tenths: 40 is 4.0. Other encoders find their own.
    pub level: u32,
    #[serde(default)]
    pub codec: VideoCodec,
    #[serde(default)]
    pub effort: Effort,
    /// Ten bits and the source's high dynamic range are kept.
    #[serde(default)]
    pub hdr: bool,
}

impl RungPlan {
    /// RFC 6381 string of an H.264 rung whose samples bring their parameter sets along, in High profile.
    pub fn codec_in_band(&self) -> String {
        format!("avc3.6400{:02x}", self.level)
    }
}

/// All rungs of a source, by codec. Not in AV1 when pictures come at uneven times: its encoder sets key frames at equal
/// distances only.
pub(super) fn plan(profile: &Profile, source: &VideoInfo, rate: (u32, u32), even: bool) -> Vec<RungPlan> {
    let fitted = ladder::fit(&profile.ladder, source.display_width, source.display_height);
    let one = |video: &Video| {
        let wanted = fitted.iter().filter(|rung| video.wants(rung));
        wanted.map(|rung| rung_plan(rung, video, source.hdr, rate)).collect::<Vec<_>>()
    };
    profile.video.iter().filter(|video| even || video.codec != VideoCodec::Av1).flat_map(one).collect()
}

fn rung_plan(rung: &FittedRung, video: &Video, hdr: bool, rate: (u32, u32)) -> RungPlan {
    let codec = video.codec;
    let max_bps = codec.cap(rung.bitrate_bps);
    let buffer_bits = max_bps.saturating_mul(2);
    let first = codec == VideoCodec::H264;
    RungPlan {
        id: if first { format!("v{}", rung.name) } else { format!("v{}{}", rung.name, codec.word()) },
        label: rung.name.clone(),
        width: rung.width,
        height: rung.height,
        max_bps,
        buffer_bits,
        crf: video.crf().into(),
        level: if first { level(rung.width, rung.height, rate, max_bps, buffer_bits) } else { 0 },
        codec,
        effort: video.effort,
        hdr: hdr && codec.keeps_hdr(),
    }
}

/// Smallest H.264 level (ISO/IEC 14496-10 table A-1, High profile) for a picture size, rate and decoder buffer.
fn level(width: u32, height: u32, rate: (u32, u32), bps: u32, buffer: u32) -> u32 {
    // Level, macroblocks per second, macroblocks of a picture, kbit/s and kbit of buffer in High profile.
    const LEVELS: [(u32, u64, u64, u64, u64); 14] = [
        (13, 11_880, 396, 960, 2_500),
        (20, 11_880, 396, 2_500, 2_500),
        (21, 19_800, 792, 5_000, 5_000),
        (22, 20_250, 1_620, 5_000, 5_000),
        (30, 40_500, 1_620, 12_500, 12_500),
        (31, 108_000, 3_600, 17_500, 17_500),
        (32, 216_000, 5_120, 25_000, 25_000),
        (40, 245_760, 8_192, 25_000, 31_250),
        (42, 522_240, 8_704, 62_500, 78_125),
        (50, 589_824, 22_080, 168_750, 168_750),
        (51, 983_040, 36_864, 300_000, 300_000),
        (52, 2_073_600, 36_864, 300_000, 300_000),
        (60, 4_177_920, 139_264, 300_000, 300_000),
        (61, 8_355_840, 139_264, 600_000, 600_000),
    ];
    let (across, down) = (u64::from(width.div_ceil(16)), u64::from(height.div_ceil(16)));
    let blocks = across * down;
    let per_second = (blocks * u64::from(rate.0)).div_ceil(u64::from(rate.1.max(1)));
    let fits = |(_, speed, size, kbps, kbit): &(u32, u64, u64, u64, u64)| {
        let longest = (size * 8).isqrt();
        per_second <= *speed
            && blocks <= *size
            && across.max(down) <= longest
            && u64::from(bps) <= kbps * 1000
            && u64::from(buffer) <= kbit * 1000
    };
    LEVELS.iter().find(|level| fits(level)).map_or(62, |level| level.0)
}
