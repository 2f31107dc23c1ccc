//! The quality of experience in JSON.

use api::Time;
use serde::Serialize;
use utoipa::ToSchema;

/// How playbacks went in a window of time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Quality {
    pub at: Time,
    /// `5m`, `1h` or `24h`.
    #[schema(example = "1h")]
    pub window: &'static str,
    /// Where the window begins: a whole minute.
    pub since: Time,
    /// Sessions that play now.
    #[schema(example = 42)]
    pub playing_sessions: i64,
    /// What experience should not be worse than.
    pub limits: QualityLimits,
    pub total: QualityFigures,
    /// The window in equal steps, oldest first; also those in which nobody watched.
    pub series: Vec<QualityStep>,
    /// The most watched first.
    pub edges: Vec<EdgeQuality>,
    /// The most watched first.
    pub titles: Vec<TitleQuality>,
}

/// Lines that figures should stay below.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QualityLimits {
    #[schema(example = 0.01)]
    pub rebuffer_ratio: f64,
    /// For the 95th percentile.
    #[schema(example = 3000)]
    pub startup_ms: u32,
    #[schema(example = 0.005)]
    pub start_failure_ratio: f64,
}

/// QualityFigures of playbacks. `null` where there is nothing to tell of.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct QualityFigures {
    #[schema(example = 1280)]
    pub starts: i64,
    #[schema(example = 2)]
    pub start_failures: i64,
    /// Of all that wanted to start.
    #[schema(required = true, example = 0.0016)]
    pub start_failure_ratio: Option<f64>,
    /// From the click to the first frame: what half of the starts did not exceed.
    #[schema(required = true, example = 480)]
    pub startup_p50_ms: Option<u32>,
    /// What 95 in a hundred did not exceed.
    #[schema(required = true, example = 1630)]
    pub startup_p95_ms: Option<u32>,
    #[schema(example = 5_400_000)]
    pub playing_ms: i64,
    #[schema(example = 9000)]
    pub stalled_ms: i64,
    /// Stalled time of playing and stalled time.
    #[schema(required = true, example = 0.0017)]
    pub rebuffer_ratio: Option<f64>,
    #[schema(example = 12)]
    pub stalls: i64,
    /// Of the renditions that played, by time.
    #[schema(required = true, example = 4_600_000)]
    pub mean_bitrate_bps: Option<i64>,
    #[schema(required = true, example = 0.4)]
    pub switches_per_minute: Option<f64>,
    #[schema(example = 31)]
    pub dropped_frames: i64,
    #[schema(example = 3)]
    pub errors: i64,
    #[schema(example = 3_105_000_000_i64)]
    pub bytes: i64,
}

/// One step of the window.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct QualityStep {
    pub at: Time,
    /// Viewers on average.
    #[schema(example = 37.5)]
    pub viewers: f64,
    pub figures: QualityFigures,
}

/// What one edge delivered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EdgeQuality {
    /// `origin`: no edge in between. `other`: more names than are kept apart.
    #[schema(example = "edge-1")]
    pub edge: String,
    #[schema(example = 42)]
    pub playing_sessions: i64,
    pub figures: QualityFigures,
}

/// How one title played.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TitleQuality {
    /// `null` for playbacks of titles that are gone.
    #[schema(required = true)]
    pub video_id: Option<String>,
    #[schema(required = true, example = "Big Buck Bunny")]
    pub title: Option<String>,
    #[schema(example = 42)]
    pub playing_sessions: i64,
    pub figures: QualityFigures,
}
