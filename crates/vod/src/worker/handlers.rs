//! What a job handler is given, what it may answer, and the table of handlers.

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use backends::clock::Clock;
use domain::{Micros, VideoId};
use futures::{FutureExt, future::BoxFuture};
use serde::de::DeserializeOwned;
use store::{
    Store, Tx,
    jobs::{self, Claim, Outcome, Reaped},
    steps,
};
use tokio_util::sync::CancellationToken;

/// One attempt at a job. A handler does its work, then writes the result, ends the job with [`JobContext::finish`] and
/// enqueues what follows in *one* transaction, and returns after the commit. A handler with nothing to write may just return.
pub struct JobContext {
    pub store: Store,
    pub clock: Clock,
    pub claim: Claim,
    /// Fires when the job was cancelled, its lease was lost, or the worker drains: stop, leave nothing behind, and return
    /// [`JobError::Stopped`].
    pub cancelled: CancellationToken,
    pub(super) last_progress: Mutex<Option<Instant>>,
}

/// Progress that people look at need not be written more often.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

impl JobContext {
    pub fn now(&self) -> Micros {
        self.clock.now()
    }

    /// The payload as the kind's own type.
    pub fn payload<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        serde_json::from_str(&self.claim.payload)
            .map_err(|error| JobError::fatal("The job was written by another version of Kinora.", error))
    }

    /// The subject as a video.
    pub fn video(&self) -> Result<VideoId, JobError> {
        self.claim.subject.parse().map_err(|error| JobError::fatal("The job is about no video.", error))
    }

    /// Ends the job in the handler's final transaction. [`store::Error::Stale`] when the job is no longer ours; `?` turns it
    /// into [`JobError::Stopped`] and the transaction rolls back.
    pub async fn finish(&self, tx: &mut Tx) -> store::Result<()> {
        jobs::finish(tx, &self.claim, self.now()).await
    }

    /// Guards a transaction in the middle of the work in the same way.
    pub async fn still_mine(&self, tx: &mut Tx) -> store::Result<()> {
        jobs::still_mine(tx, &self.claim, self.now()).await
    }

    /// Shows how far a step of `video` is, as running. Call it as often as you like: it writes twice a second at most.
    pub async fn progress(
        &self,
        video: VideoId,
        step: steps::Name,
        done: i64,
        total: i64,
    ) -> Result<(), JobError> {
        {
            let mut last = self.last_progress.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|at| at.elapsed() < PROGRESS_EVERY) {
                return Ok(());
            }
            *last = Some(Instant::now());
        }
        let mut tx = self.store.begin().await?;
        self.still_mine(&mut tx).await?;
        steps::set(&mut tx, video, step, steps::State::Running, done, total, "", self.now()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Could another attempt succeed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    Yes,
    /// Not here. It is over when no other worker is left to try.
    Elsewhere,
    No,
}

/// Why an attempt did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    #[error("{message} ({detail})")]
    Failed {
        retry: Retry,
        /// One sentence for the creator, without names of machines, paths or programs.
        message: String,
        /// For operators: what exactly went wrong.
        detail: String,
    },
    /// Not yet: try again after this pause. Counts no attempt.
    #[error("not before {0:?}")]
    Later(Duration),
    /// The handler obeyed [`JobContext::cancelled`], or found that the job is no longer its own.
    #[error("stopped")]
    Stopped,
}

impl JobError {
    /// A failure that may pass: a network, a full disk, a killed process.
    pub fn retry(message: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self::Failed { retry: Retry::Yes, message: message.into(), detail: detail.to_string() }
    }

    /// A failure that is most likely the file's, but might be this machine's.
    pub fn not_here(message: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self::Failed { retry: Retry::Elsewhere, message: message.into(), detail: detail.to_string() }
    }

    /// A failure that every further attempt would repeat: a broken file.
    pub fn fatal(message: impl Into<String>, detail: impl fmt::Display) -> Self {
        Self::Failed { retry: Retry::No, message: message.into(), detail: detail.to_string() }
    }

    pub(super) fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text =
            text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".into());
        Self::retry("Kinora made a mistake while it worked on this.", format!("the handler panicked: {text}"))
    }
}

impl From<store::Error> for JobError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Stale => Self::Stopped,
            error => Self::Failed {
                retry: if error.is_transient() { Retry::Yes } else { Retry::No },
                message: "The result could not be recorded.".into(),
                detail: error.to_string(),
            },
        }
    }
}

/// A failed attempt, as told to the handlers' owner in the transaction that records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub claim: Claim,
    /// For the creator.
    pub message: String,
    /// For operators.
    pub detail: String,
    /// `Dead`: this was the last attempt.
    pub outcome: Outcome,
    pub now: Micros,
}

impl Failure {
    pub(super) fn death(Reaped { claim, reason, outcome }: Reaped, now: Micros) -> Self {
        Self { claim, message: "Processing was interrupted.".into(), detail: reason, outcome, now }
    }
}

type Handler = Arc<dyn Fn(JobContext) -> BoxFuture<'static, Result<(), JobError>> + Send + Sync>;
type OnFailure =
    Arc<dyn for<'a> Fn(&'a mut Tx, &'a Failure) -> BoxFuture<'a, store::Result<()>> + Send + Sync>;

/// Which function does which kind of job.
#[derive(Clone, Default)]
pub struct Handlers {
    by_kind: BTreeMap<&'static str, (Lane, Handler)>,
    on_failure: Option<OnFailure>,
}

/// Jobs with slots of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Heavy,
    Light,
    Transfer,
}

impl Handlers {
    pub fn new() -> Self {
        Self::default()
    }

    /// Long jobs: those that keep a core busy.
    #[must_use]
    pub fn heavy<F, R>(self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(JobContext) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        self.add(kind, Lane::Heavy, handler)
    }

    /// Quick jobs, which have slots of their own.
    #[must_use]
    pub fn light<F, R>(self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(JobContext) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        self.add(kind, Lane::Light, handler)
    }

    /// Jobs that wait for other machines most of the time, for as long as it takes.
    #[must_use]
    pub fn transfer<F, R>(self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(JobContext) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        self.add(kind, Lane::Transfer, handler)
    }

    /// Called for every failed attempt, in the transaction that records it: where a title learns that it failed.
    #[must_use]
    pub fn on_failure<F>(self, tell: F) -> Self
    where
        F: for<'a> Fn(&'a mut Tx, &'a Failure) -> BoxFuture<'a, store::Result<()>> + Send + Sync + 'static,
    {
        Self { on_failure: Some(Arc::new(tell)), ..self }
    }

    fn add<F, R>(mut self, kind: &'static str, lane: Lane, handler: F) -> Self
    where
        F: Fn(JobContext) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), JobError>> + Send + 'static,
    {
        self.by_kind.insert(kind, (lane, Arc::new(move |job| handler(job).boxed())));
        self
    }

    pub(super) fn is_heavy(&self, kind: &str) -> bool {
        self.by_kind.get(kind).is_some_and(|(lane, _)| *lane == Lane::Heavy)
    }

    /// All that are taken here.
    pub(super) fn all_kinds(&self) -> Vec<&'static str> {
        self.by_kind.keys().copied().collect()
    }

    pub(super) fn kinds(&self, lane: Lane) -> Vec<&'static str> {
        self.by_kind.iter().filter(|(_, (of, _))| *of == lane).map(|(kind, _)| *kind).collect()
    }

    /// The handler's work on `job`, not started yet.
    pub(super) fn call(&self, job: JobContext) -> BoxFuture<'static, Result<(), JobError>> {
        match self.by_kind.get(job.claim.kind.as_str()) {
            Some((_, handler)) => handler(job),
            // Claims name the kinds that have a handler.
            None => futures::future::ready(Err(JobError::retry(
                "Kinora has no handler for this.",
                job.claim.kind,
            )))
            .boxed(),
        }
    }

    pub(super) async fn tell(&self, tx: &mut Tx, failure: &Failure) -> store::Result<()> {
        match &self.on_failure {
            Some(tell) => tell(tx, failure).await,
            None => Ok(()),
        }
    }
}
