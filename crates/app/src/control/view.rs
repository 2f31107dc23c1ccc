//! How the instance looks to its operators in JSON.

use api::Time;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A title that something is about.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct About {
    pub id: String,
    pub title: String,
}

/// The jobs of one kind.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Queue {
    /// probe, chunk, audio, pictures, publish, purge…
    pub kind: String,
    pub queued: i64,
    pub running: i64,
    pub dead: i64,
    /// How long the first of the queued ones has been due, in seconds.
    pub oldest_wait_seconds: i64,
}

/// A job at work.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RunningJob {
    pub id: String,
    pub kind: String,
    #[schema(required = true)]
    pub video: Option<About>,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    pub since: Time,
    /// Until the job goes to somebody else, unless its worker gives a sign of life; 0 or less: it will any moment.
    pub lease_seconds: i64,
}

/// A process that works on jobs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Worker {
    #[schema(example = "farm-1")]
    pub name: String,
    /// Long jobs at a time.
    pub slots: i64,
    pub started_at: Time,
    pub seen_at: Time,
    /// It gave no sign of life for a minute.
    pub silent: bool,
    /// It ends what it is at and takes no more jobs.
    pub drained: bool,
    pub machine: Machine,
    pub jobs: Vec<RunningJob>,
}

/// What a worker tells of the machine that it runs on; 0 and empty when it told nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Machine {
    /// Of the program.
    pub version: String,
    #[schema(example = 16)]
    pub cores: u64,
    #[schema(example = 68_719_476_736_u64)]
    pub memory_bytes: u64,
    /// Codecs that it can encode.
    #[schema(example = json!(["h264", "hevc", "av1", "aac", "opus"]))]
    pub codecs: Vec<String>,
    /// Encoders in hardware that it can use now, by ffmpeg's names; `:10` after those for ten bits.
    #[schema(example = json!(["h264_nvenc", "hevc_nvenc", "hevc_nvenc:10"]))]
    pub encoders: Vec<String>,
}

/// A file system of the machine that answers.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Disk {
    /// objects, database or work.
    #[schema(example = "objects")]
    pub place: &'static str,
    pub free_bytes: u64,
    pub total_bytes: u64,
}

/// Where things are stored.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Storage {
    /// Those of the machine that answers; what lies in a service or in PostgreSQL is missing.
    pub disks: Vec<Disk>,
    /// sqlite or postgres.
    #[schema(example = "sqlite")]
    pub database: &'static str,
    pub database_bytes: i64,
}

/// A title that could not be made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Failure {
    pub video: About,
    /// Why, in words for its creator.
    pub message: String,
    pub at: Time,
}

/// An upload that is not whole yet.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OpenUpload {
    pub id: String,
    #[schema(required = true)]
    pub video: Option<About>,
    /// Whose it is.
    #[schema(example = "Ada Lovelace")]
    pub owner: String,
    pub received: i64,
    pub length: i64,
    pub updated_at: Time,
}

/// How many titles are in each state.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Titles {
    pub uploading: i64,
    pub processing: i64,
    pub ready: i64,
    pub failed: i64,
    pub cancelled: i64,
    /// Events that have not begun.
    pub upcoming: i64,
    /// Events that were not kept.
    pub ended: i64,
    /// In the trash, whatever their state.
    pub trashed: i64,
}

/// Answers of this process since it started.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Requests {
    pub since: Time,
    pub total: u64,
    pub client_errors: u64,
    pub server_errors: u64,
    /// Took longer than a second until the answer began.
    pub slow: u64,
}

/// One minute of this process, and how the queue stood at its end.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Minute {
    pub at: Time,
    pub requests: u64,
    pub server_errors: u64,
    pub queued: i64,
    pub running: i64,
}

/// The state of the instance.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Overview {
    pub at: Time,
    pub version: &'static str,
    pub queue: Vec<Queue>,
    pub workers: Vec<Worker>,
    pub storage: Storage,
    /// The latest ones.
    pub failures: Vec<Failure>,
    /// The latest ones; `open_uploads` counts all.
    pub uploads: Vec<OpenUpload>,
    pub open_uploads: i64,
    pub titles: Titles,
    pub requests: Requests,
    /// The last hour, oldest minute first; shorter after a start.
    pub trends: Vec<Minute>,
}

/// A job that was given up after its last attempt.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DeadJob {
    pub id: String,
    pub kind: String,
    #[schema(required = true)]
    pub video: Option<About>,
    pub attempts: i64,
    /// What went wrong, for operators.
    #[schema(example = "the disk is full")]
    pub error: String,
    /// The latest attempt of which is kept what its programs said, see `/api/v1/control/attempts/{id}/log`.
    #[schema(required = true)]
    pub log: Option<String>,
    pub at: Time,
}
