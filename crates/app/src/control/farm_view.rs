//! How the encoding farm looks to its operators in JSON.

use api::Time;
use serde::Serialize;
use utoipa::ToSchema;

use super::view::{About, Worker};

/// The encoding farm: who works, what was done in the time that was asked for, and what it took.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Farm {
    pub at: Time,
    /// Where the time that was asked for begins.
    pub since: Time,
    /// No worker begins a long job.
    #[schema(example = false)]
    pub paused: bool,
    pub workers: Vec<Worker>,
    /// Titles with jobs that wait for a worker, in the order of their turns; at most 50.
    pub waiting: Vec<WaitingTitle>,
    pub throughput: Throughput,
    /// Attempts that ended within the time, the latest first; at most 5,000.
    pub attempts: Vec<JobAttempt>,
    /// There were more than that.
    #[schema(example = false)]
    pub attempts_left_out: bool,
    /// The titles that took the most CPU time; at most 20.
    pub costliest: Vec<Cost>,
}

/// What was done within the time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Throughput {
    #[schema(example = 412)]
    pub done: i64,
    /// Attempts that ended in an error, with their worker's death, or with its lease.
    #[schema(example = 3)]
    pub failed: i64,
    /// Of encoders and decoders.
    #[schema(example = 20_520.5)]
    pub cpu_seconds: f64,
    /// Time of slots that jobs took, those at work included.
    #[schema(example = 6120.25)]
    pub busy_seconds: f64,
    /// 0 to 1: busy time as a share of slots × time, over all workers that are there; `null` without one.
    #[schema(required = true, example = 0.85)]
    pub busy_share: Option<f64>,
    /// Also workers that are gone.
    pub workers: Vec<WorkerThroughput>,
}

/// What one worker did within the time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WorkerThroughput {
    #[schema(example = "farm-1")]
    pub worker: String,
    #[schema(example = 412)]
    pub done: i64,
    #[schema(example = 3)]
    pub failed: i64,
    #[schema(example = 20_520.5)]
    pub cpu_seconds: f64,
    #[schema(example = 6120.25)]
    pub busy_seconds: f64,
    /// `null` for a worker that is gone.
    #[schema(required = true, example = 0.85)]
    pub busy_share: Option<f64>,
}

/// How an attempt ended.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum OutcomeWord {
    Done,
    /// It failed and is tried again.
    Retry,
    /// It failed for the last time.
    Dead,
    /// Its lease ran out: the worker was too slow, or cut off.
    Lost,
    /// Its title was cancelled or deleted.
    Cancelled,
    /// The worker was stopped and gave it back.
    Released,
    /// It waits for something else and comes again.
    Later,
    /// Its worker died.
    Died,
}

/// An attempt at a job that is over.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobAttempt {
    #[schema(example = "019303f0-91c5-7d42-8a10-55c0f4f0b6de")]
    pub id: String,
    #[schema(example = "019303f0-7a4e-7bb0-a1c2-0d7f3b5c9e11")]
    pub job_id: String,
    /// probe, chunk, chunk-av1, audio, pictures…
    #[schema(example = "chunk")]
    pub kind: String,
    #[schema(required = true)]
    pub video: Option<About>,
    #[schema(example = "farm-1")]
    pub worker: String,
    #[schema(value_type = OutcomeWord)]
    pub outcome: String,
    pub started_at: Time,
    pub ended_at: Time,
    /// Of encoders and decoders.
    #[schema(example = 31_250)]
    pub cpu_ms: i64,
    /// What went wrong, for operators.
    #[schema(required = true)]
    pub error: Option<String>,
    /// What its programs said is kept, see `/api/v1/control/attempts/{id}/log`.
    #[schema(example = false)]
    pub has_log: bool,
}

/// A title with jobs that wait for a worker.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct WaitingTitle {
    pub video: About,
    #[schema(example = 17)]
    pub jobs: i64,
    #[schema(value_type = PriorityWord)]
    pub priority: &'static str,
    /// Since when the oldest of them waits.
    pub since: Time,
}

/// What one title took.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Cost {
    /// `null` when the title is gone, or the work was about none.
    #[schema(required = true)]
    pub video: Option<About>,
    #[schema(example = 96)]
    pub attempts: i64,
    /// Attempts whose work was lost.
    #[schema(example = 2)]
    pub wasted: i64,
    #[schema(example = 3605.5)]
    pub cpu_seconds: f64,
    #[schema(example = 1210.0)]
    pub busy_seconds: f64,
    /// CPU seconds for each minute of film; `null` when the length is not known.
    #[schema(required = true, example = 362.7)]
    pub cpu_seconds_per_minute: Option<f64>,
}

/// When a title has its turn.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum PriorityWord {
    /// Before all others.
    First,
    /// By turns with titles of other people.
    Normal,
    /// When nothing else waits.
    Later,
}

/// The jobs that were given another priority.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Prioritised {
    /// How many of the title's jobs waited; those at work go on as they are.
    #[schema(example = 17)]
    pub jobs: u64,
}
