//! One chunk of video, all rungs from one decode.

use std::path::Path;

use super::{
    Error, Result, TrackFile,
    command::{self, Pick},
    device::Means,
    rewrite,
};
use crate::{
    guest::{self, Guest, Progress},
    hardware::{self, Backend},
    plan::{Chunk, Seek, VideoPlan, chunk_times},
    tools::Tools,
};

/// A chunk as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    pub files: Vec<TrackFile>,
    /// The kind of hardware that took part; `None`: software alone.
    pub by: Option<Backend>,
}

/// One chunk of a plan, and where its source is.
struct Task<'a> {
    tools: &'a Tools,
    plan: &'a VideoPlan,
    index: usize,
    chunk: &'a Chunk,
    times: Vec<u64>,
    input: &'a Path,
    scratch: &'a Path,
}

/// Encodes chunk `index` of a plan with rungs of one codec in `scratch`, an empty directory, and gives one file of segments
/// for each rung.
///
/// `listed` are the times of all frames when the plan lists them. Every frame is accounted for: when what was decoded is
/// not what was planned, decoding starts again from earlier key frames, then from the file's start; a damaged source is
/// resampled at last. Where the plan lets hardware take part and some is to be had, it does; when it fails, software does the
/// same at once, and if that succeeds the device is left alone for a while.
pub async fn chunk(
    tools: &Tools,
    plan: &VideoPlan,
    index: usize,
    listed: &[u64],
    input: &Path,
    scratch: &Path,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Encoded> {
    let task = Task::new(tools, plan, index, listed, (input, scratch))?;
    let (software, mut device) = (Means::default(), Means::of(&tools.hardware, plan));
    device.iter().for_each(Means::begin);
    // What the device did wrong, if it did.
    let mut failed = None;
    let mut complaint = None;
    for (attempt, (seek, pick)) in command::attempts(plan, task.chunk).into_iter().enumerate() {
        if attempt > 0 {
            tracing::warn!(chunk = index, attempt, ?pick, reason = ?complaint, "decoding a chunk again");
        }
        if let Some(means) = device.take() {
            match task.make((seek, pick), &means, &mut progress).await {
                Ok(files) => return Ok(counted(plan, Encoded { files, by: means.backend() })),
                Err(error) => {
                    let encoder = means.word();
                    tracing::warn!(chunk = index, encoder, %error, "hardware failed: software does the same");
                    failed = means.backend();
                }
            }
        }
        match task.make((seek, pick), &software, &mut progress).await {
            Ok(files) => {
                // Pictures that nobody can decode are not the device's fault.
                if let Some(backend) = failed.filter(|_| attempt == 0) {
                    tracing::warn!(encoder = backend.word(), "hardware is left alone for a while");
                    tools.hardware.failed(backend);
                }
                return Ok(counted(plan, Encoded { files, by: None }));
            }
            // Nothing decodable from here on is a matter of the way, not of luck.
            Err(error @ Error::Mismatch(_)) => complaint = Some(error),
            Err(Error::Guest { what, source: source @ guest::Error::Failed(_) }) => {
                complaint = Some(Error::Guest { what, source });
            }
            Err(error) => return Err(error),
        }
    }
    Err(complaint.unwrap_or(Error::Task))
}

/// Encodes the first chunk of a plan in one go, as it would be in a title.
pub(crate) async fn attempt(
    tools: &Tools,
    plan: &VideoPlan,
    input: &Path,
    scratch: &Path,
    means: &Means<'_>,
) -> Result<Vec<TrackFile>> {
    let task = Task::new(tools, plan, 0, &[], (input, scratch))?;
    task.make((None, Pick::Planned), means, &mut |_| ()).await
}

fn counted(plan: &VideoPlan, made: Encoded) -> Encoded {
    let encoder = made.by.map_or("software", Backend::word);
    let codec = plan.rungs.first().map_or("", |rung| rung.codec.word());
    metrics::counter!("kinora_chunks_encoded_total", "encoder" => encoder, "codec" => codec).increment(1);
    made
}

impl<'a> Task<'a> {
    fn new(
        tools: &'a Tools,
        plan: &'a VideoPlan,
        index: usize,
        listed: &[u64],
        (input, scratch): (&'a Path, &'a Path),
    ) -> Result<Self> {
        let chunk =
            plan.chunks.get(index).ok_or_else(|| Error::Mismatch(format!("there is no chunk {index}")))?;
        let times = chunk_times(plan, chunk, listed)
            .ok_or_else(|| Error::Mismatch("the list of times is short".into()))?;
        Ok(Self { tools, plan, index, chunk, times, input, scratch })
    }

    /// One way to get at the pictures, with these encoders.
    async fn make(
        &self,
        (seek, pick): (Option<&Seek>, Pick),
        means: &Means<'_>,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> Result<Vec<TrackFile>> {
        let Self { tools, plan, chunk, .. } = self;
        let way = (means, tools.threads);
        let args = command::chunk(plan, (chunk, &self.times), seek, pick, self.input, way);
        self.run(args, means, progress).await?;
        let job = rewrite::Job::new(plan, self.index, pick, self.times.clone(), self.scratch);
        tokio::task::spawn_blocking(move || rewrite::all(&job)).await.map_err(|_| Error::Task)?
    }

    async fn run(
        &self,
        args: Vec<String>,
        means: &Means<'_>,
        progress: &mut (impl FnMut(Progress) + Send),
    ) -> guest::Result<()> {
        // What an earlier attempt left is of no use; ffmpeg refuses to overwrite.
        let mut entries = tokio::fs::read_dir(self.scratch).await?;
        while let Some(entry) = entries.next_entry().await? {
            tokio::fs::remove_file(entry.path()).await?;
        }
        let (tools, most) = (self.tools, most_bytes(self.plan, self.chunk));
        let limits = guest::Limits {
            file_bytes: tools.limits.file_bytes.min(most),
            scratch_bytes: most.saturating_mul(self.plan.rungs.len() as u64),
            wall: means.patience(tools.limits.wall, self.seconds()),
            ..tools.limits
        };
        let mut guest = Guest::new(&tools.ffmpeg, limits).args(args).reads(self.input).scratch(self.scratch);
        if let Some(encoder) = means.encoder() {
            guest = guest.drives(hardware::doors(encoder));
        }
        let (running, stdout) = guest.spawn().await?;
        let follow = async { guest::follow(stdout, progress).await.map_err(guest::Error::from) };
        running.finish_with(follow).await
    }

    fn seconds(&self) -> u64 {
        seconds(self.plan, self.chunk)
    }
}

fn seconds(plan: &VideoPlan, chunk: &Chunk) -> u64 {
    (chunk.end() - chunk.start).div_ceil(u64::from(plan.timescale.max(1)))
}

/// Most bytes that a rung of a chunk may take: far more than its bit rate allows, but no disk full of a bomb.
fn most_bytes(plan: &VideoPlan, chunk: &Chunk) -> u64 {
    let best = plan.rungs.iter().map(|rung| u64::from(rung.max_bps)).max().unwrap_or(0);
    // Three times the rate, and a kilobyte for each picture, however many a second has.
    (best * 3 / 8)
        .saturating_mul(seconds(plan, chunk))
        .saturating_add(chunk.frames() * 1024)
        .saturating_add(64 << 20)
}

impl Pick {
    /// Do the encoder's times come from the source, so that they can be compared with the plan?
    pub(super) fn keeps_times(self) -> bool {
        self == Self::Planned
    }
}
