//! How encoding profiles, and what they take, look in JSON.

use domain::estimate::RungEstimate;
use serde::Serialize;
use utoipa::ToSchema;

/// What titles are made into.
#[derive(ToSchema)]
#[allow(dead_code)]
pub struct ProfileBody {
    /// 1 to 12, in any order.
    #[schema(max_items = 12, example = json!([{ "height": 1080, "bitrate_bps": 8_000_000 }, { "height": 720, "bitrate_bps": 5_000_000 }]))]
    pub ladder: Vec<RungBody>,
    /// Each codec once, `h264` first: it makes titles playable, the others are added when they are complete.
    #[schema(example = json!([{ "codec": "h264" }, { "codec": "av1", "effort": "balanced", "from_height": 720 }]))]
    pub video: Vec<VideoBody>,
    /// Each codec once, `aac` first; left out: `aac`.
    #[schema(required = false, example = json!(["aac", "opus"]))]
    pub audio: Vec<AudioCodecWord>,
    /// Takes over Dolby sound (E-AC-3, with Atmos where the source has it) beside what is encoded.
    #[schema(required = false, example = true)]
    pub keep_dolby: bool,
}

/// A rung of the ladder. Sources are never enlarged.
#[derive(ToSchema)]
#[schema(as = ProfileRung)]
#[allow(dead_code)]
pub struct RungBody {
    /// Of the 16:9 box that the picture fits in; even, 64 to 4320.
    #[schema(minimum = 64, maximum = 4320, example = 1080)]
    pub height: u32,
    /// The most that H.264 may take; other codecs get a share of it. 50,000 to 200,000,000.
    #[schema(minimum = 50_000, maximum = 200_000_000, example = 8_000_000)]
    pub bitrate_bps: u32,
}

/// A video codec and how it is encoded.
#[derive(ToSchema)]
#[schema(as = ProfileVideo)]
#[allow(dead_code)]
pub struct VideoBody {
    #[schema(example = "av1")]
    pub codec: VideoCodecWord,
    /// Left out: `fast`.
    #[schema(required = false, example = "balanced")]
    pub effort: EffortWord,
    /// Constant rate factor: lower is better and larger. 14 to 40 for h264 and hevc, 15 to 58 for vp9 and av1; left out: 23,
    /// 26, 33 and 35, which look alike.
    #[schema(example = 35)]
    pub crf: Option<u8>,
    /// Smaller rungs are not made in this codec.
    #[schema(example = 720)]
    pub from_height: Option<u32>,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum VideoCodecWord {
    H264,
    Hevc,
    Vp9,
    Av1,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum AudioCodecWord {
    Aac,
    Opus,
}

/// How much time encoders take to find a smaller form of the same picture: about 1, 2.5 and 6 times that of `fast`.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum EffortWord {
    Fast,
    Balanced,
    Thorough,
}

/// One rung in one codec.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = EstimatedRung)]
pub struct Rung {
    #[schema(example = "1080p")]
    pub label: String,
    pub width: u32,
    pub height: u32,
    /// The cap of the bit rate.
    #[schema(example = 4_400_000)]
    pub max_bps: u32,
    /// As if the cap were reached from end to end.
    #[schema(example = 330_000_000)]
    pub max_bytes: u64,
    #[schema(example = 1555.2)]
    pub cpu_seconds: f64,
}

/// The rungs of one codec.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = EstimatedCodec)]
pub struct Codec {
    #[schema(value_type = VideoCodecWord)]
    pub codec: &'static str,
    /// The source's high dynamic range is kept; other codecs get pictures brought down to standard range.
    #[schema(example = true)]
    pub hdr: bool,
    /// Best first.
    pub rungs: Vec<Rung>,
    #[schema(example = 330_000_000)]
    pub max_bytes: u64,
    #[schema(example = 1555.2)]
    pub cpu_seconds: f64,
}

/// What making a title would take, roughly.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Estimate {
    /// In the profile's order. A codec whose rungs are all larger than the source is missing.
    pub codecs: Vec<Codec>,
    #[schema(example = 330_000_000)]
    pub max_bytes: u64,
    #[schema(example = 1555.2)]
    pub cpu_seconds: f64,
}

impl Estimate {
    pub fn of(rungs: Vec<RungEstimate>) -> Self {
        let seconds = |micros: u64| micros as f64 / 1e6;
        let codec = |of: &[RungEstimate]| Codec {
            codec: of[0].codec.word(),
            hdr: of[0].hdr,
            max_bytes: of.iter().map(|one| one.max_bytes).sum(),
            cpu_seconds: seconds(of.iter().map(|one| one.cpu_micros).sum()),
            rungs: of.iter().map(Rung::of).collect(),
        };
        Self {
            max_bytes: rungs.iter().map(|one| one.max_bytes).sum(),
            cpu_seconds: seconds(rungs.iter().map(|one| one.cpu_micros).sum()),
            codecs: rungs.chunk_by(|a, b| a.codec == b.codec).map(codec).collect(),
        }
    }
}

impl Rung {
    fn of(one: &RungEstimate) -> Self {
        Self {
            label: one.rung.name.clone(),
            width: one.rung.width,
            height: one.rung.height,
            max_bps: one.max_bps,
            max_bytes: one.max_bytes,
            cpu_seconds: one.cpu_micros as f64 / 1e6,
        }
    }
}
