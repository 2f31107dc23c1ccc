//! The durable workflow from a source to a title: `probe` → `chunk` and `audio` → `publish` → `pictures` → `publish`,
//! and `purge`. `trim` makes another presentation of a title out of an earlier one, and `discard` removes one that is over.
//! Beside it `artwork`, which makes one picture in all its forms, and `forget-picture`. What is sent live comes in without this
//! workflow: `glimpse` takes pictures of it meanwhile, `pictures` and `publish` follow when it is over, `clip` cuts titles out
//! of it.
//!
//! Every handler may run again after a death at any point: what it stores has a name of its own, and counts only when the
//! unit's row is written, in one transaction with the end of the job and the jobs that follow.

mod artwork;
mod audio;
mod chunk;
mod clip;
mod descriptor;
mod discard;
mod failpoint;
mod failure;
mod fingerprint;
mod glimpse;
mod master;
mod pictures;
mod probe;
mod publish;
mod purge;
mod stored;
mod trim;
mod unit;
mod units;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use backends::{blob::Blobs, bus::Bus, clock::Clock};
use domain::{PresentationId, SourceId, VideoId, ladder::Rung, profile::Profile};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use store::{Connect, Store, Tx, jobs, presentations, presentations::Presentation, profiles};

use crate::{
    encoders::Encoders,
    guest,
    hardware::Wish,
    plan::Plan,
    probe as probing,
    tools::Tools,
    worker::{Handlers, JobContext, JobError},
};

pub use trim::{Foreseen, foresee};

/// How titles are made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Scratch space for sources that are not local and for what is being encoded. Each worker has a part of its own,
    /// emptied at start.
    pub work_dir: PathBuf,
    /// Programs; bare names are looked up in the system's usual places.
    pub ffmpeg: PathBuf,
    pub ffprobe: PathBuf,
    /// Threads of each decoder and encoder; 0 lets them choose.
    pub threads: u32,
    /// Rungs that sources are encoded to, never above their own size.
    pub ladder: Vec<Rung>,
    /// Longest source, in seconds.
    pub max_duration_s: u64,
    /// Largest picture, in pixels.
    pub max_pixels: u64,
    /// Limits of one decoder or encoder process.
    pub process_memory_bytes: u64,
    pub process_cpu_s: u64,
    pub process_wall_s: u64,
    /// Sources fetched from the object store that are kept while their title is made, in bytes.
    pub cache_bytes: u64,
    /// Encoders in hardware: `auto` for all that work, `off`, or those to be used among `nvenc`, `qsv`, `vaapi`.
    pub hardware: Wish,
}

impl Default for Config {
    fn default() -> Self {
        let (limits, probe) = (guest::Limits::default(), probing::Limits::default());
        Self {
            work_dir: "work".into(),
            ffmpeg: "ffmpeg".into(),
            ffprobe: "ffprobe".into(),
            threads: 0,
            ladder: domain::ladder::default_ladder(),
            max_duration_s: probe.duration.as_secs(),
            max_pixels: probe.pixels,
            process_memory_bytes: limits.memory_bytes,
            process_cpu_s: 12 * 3600,
            process_wall_s: 12 * 3600,
            cache_bytes: 50 << 30,
            hardware: Wish::Auto,
        }
    }
}

/// What all handlers share. Cheap to clone.
#[derive(Clone)]
pub struct Workflow {
    blobs: Blobs,
    tools: Arc<Tools>,
    encoders: Arc<Encoders>,
    limits: probing::Limits,
    /// Used as long as the operator chose none.
    usual: Arc<Profile>,
    work_dir: PathBuf,
    masters: Arc<master::Masters>,
    bus: Bus,
    _lock: Arc<File>,
}

impl Workflow {
    /// Prepares the working directory, says in the log how well decoders can be caged, and tries the encoders.
    pub async fn open(config: &Config, blobs: Blobs) -> io::Result<Self> {
        guest::capabilities().log();
        let (work_dir, lock) = own_directory(&config.work_dir)?;
        let seconds = std::time::Duration::from_secs;
        let limits = guest::Limits {
            cpu: seconds(config.process_cpu_s),
            wall: seconds(config.process_wall_s),
            memory_bytes: config.process_memory_bytes,
            ..guest::Limits::default()
        };
        let mut tools = Tools {
            ffmpeg: config.ffmpeg.clone(),
            ffprobe: config.ffprobe.clone(),
            limits,
            threads: config.threads,
            ..Tools::default()
        };
        let encoders = Encoders::find(&tools, &config.hardware, &work_dir.join("jobs")).await;
        tools.hardware = encoders.hardware().clone();
        Ok(Self {
            masters: Arc::new(master::Masters::new(
                blobs.clone(),
                work_dir.join("masters"),
                config.cache_bytes,
            )?),
            blobs,
            encoders: Arc::new(encoders),
            tools: Arc::new(tools),
            limits: probing::Limits {
                duration: seconds(config.max_duration_s),
                pixels: config.max_pixels,
                ..probing::Limits::default()
            },
            usual: Arc::new(Profile::of_ladder(config.ladder.clone())),
            work_dir,
            bus: Bus::in_process(),
            _lock: Arc::new(lock),
        })
    }

    /// With a bus on which it tells what is gone.
    #[must_use]
    pub fn telling(self, bus: Bus) -> Self {
        Self { bus, ..self }
    }

    /// The handlers of all job kinds, for a worker.
    pub fn handlers(&self) -> Handlers {
        macro_rules! call {
            ($module:ident) => {{
                let flow = self.clone();
                move |job: JobContext| {
                    let flow = flow.clone();
                    async move { $module::run(&flow, &job).await }
                }
            }};
        }
        let mut handlers = Handlers::new();
        for codec in self.encoders.video() {
            handlers = handlers.heavy(units::chunk_kind(*codec), call!(chunk));
        }
        for codec in self.encoders.audio() {
            handlers = handlers.heavy(units::audio_kind(*codec), call!(audio));
        }
        handlers
            .heavy("probe", call!(probe))
            .heavy("pictures", call!(pictures))
            .light(glimpse::KIND, call!(glimpse))
            .light("publish", call!(publish))
            .transfer("fingerprint", call!(fingerprint))
            .transfer("clip", call!(clip))
            .light("trim", call!(trim))
            .light("purge", call!(purge))
            .light("discard", call!(discard))
            .light(artwork::KIND, call!(artwork))
            .light("forget-picture", {
                let flow = self.clone();
                move |job: JobContext| {
                    let flow = flow.clone();
                    async move { artwork::forget(&flow, &job).await }
                }
            })
            .on_failure(failure::tell)
    }

    pub fn encoders(&self) -> &Encoders {
        &self.encoders
    }

    /// What titles are made into now.
    async fn profile(&self, conn: &mut impl Connect) -> Result<Arc<Profile>, JobError> {
        let Some(row) = profiles::standard(conn).await? else { return Ok(self.usual.clone()) };
        let profile: Profile = parse(&row.body)?;
        profile.check().map_err(|unfit| JobError::fatal("The encoding profile cannot be used.", unfit))?;
        Ok(Arc::new(profile))
    }

    /// A directory for one attempt, removed when dropped.
    fn scratch(&self) -> Result<tempfile::TempDir, JobError> {
        tempfile::tempdir_in(self.work_dir.join("jobs"))
            .map_err(|error| JobError::retry("There is no room to work in.", error))
    }
}

/// An empty directory that belongs to this process as long as the lock file is open, so that several workers may share
/// `under`. What a dead process left in it is removed.
fn own_directory(under: &Path) -> io::Result<(PathBuf, File)> {
    std::fs::create_dir_all(under)?;
    // ffmpeg stands in a directory of its own, so that paths must not depend on ours.
    let under = std::fs::canonicalize(under)?;
    for n in 0..256 {
        let lock = File::create(under.join(format!("worker{n}.lock")))?;
        if lock.try_lock().is_err() {
            continue;
        }
        let dir = under.join(format!("worker{n}"));
        match std::fs::remove_dir_all(&dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => std::fs::create_dir_all(dir.join("jobs"))?,
        }
        return Ok((dir, lock));
    }
    Err(io::Error::other("too many workers share this working directory"))
}

/// A presentation at work, with its plan.
struct Work {
    presentation: Presentation,
    plan: Plan,
}

impl Work {
    fn id(&self) -> PresentationId {
        self.presentation.id
    }

    fn video(&self) -> VideoId {
        self.presentation.video_id
    }

    fn source(&self) -> Result<SourceId, JobError> {
        let source = self.presentation.source();
        source.ok_or_else(|| JobError::fatal("This title was sent live and has no original.", self.id()))
    }
}

/// Loads what a job is about; `None` when the title is gone.
async fn load(store: &Store, id: PresentationId) -> Result<Option<Work>, JobError> {
    let presentation = match presentations::get(&mut store.reader().await?, id).await {
        Err(store::Error::NotFound) => return Ok(None),
        other => other?,
    };
    let plan = presentation.plan.as_deref().ok_or_else(|| JobError::fatal("This title has no plan.", id))?;
    let plan = parse(plan)?;
    Ok(Some(Work { presentation, plan }))
}

fn parse<T: DeserializeOwned>(json: &str) -> Result<T, JobError> {
    serde_json::from_str(json)
        .map_err(|error| JobError::fatal("A stored record was written by another version of Kinora.", error))
}

fn json<T: Serialize>(value: &T) -> Result<String, JobError> {
    serde_json::to_string(value).map_err(|error| JobError::fatal("A record could not be written.", error))
}

fn blob_error(error: backends::blob::Error) -> JobError {
    // Also what the store refuses may be mended by an operator; attempts are few.
    JobError::retry("The storage did not take or give what was asked.", error)
}

/// Enqueues a descriptor.
async fn enqueue_publish(tx: &mut Tx, work: &Presentation, clock: &Clock) -> store::Result<()> {
    let (subject, key) = (work.video_id.to_string(), format!("publish:{}", work.id));
    let payload = serde_json::json!({ "presentation": work.id }).to_string();
    let job = jobs::NewJob::new("publish", &subject, &payload)
        .dedupe(&key)
        .priority(jobs::priority::URGENT)
        .max_attempts(20);
    jobs::enqueue(tx, &job, clock.now()).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
