//! One chunk of video, all rungs from one decode.

use std::path::Path;

use super::{
    Error, Result, TrackFile,
    command::{self, Pick},
    rewrite,
};
use crate::{
    guest::{self, Guest, Progress},
    plan::{Chunk, VideoPlan, chunk_times},
    tools::Tools,
};

/// Encodes chunk `index` of a plan with rungs of one codec in `scratch`, an empty directory, and gives one file of segments
/// for each rung.
///
/// `listed` are the times of all frames when the plan lists them. Every frame is accounted for: when what was decoded is
/// not what was planned, decoding starts again from earlier key frames, then from the file's start; a damaged source is
/// resampled at last.
pub async fn chunk(
    tools: &Tools,
    plan: &VideoPlan,
    index: usize,
    listed: &[u64],
    input: &Path,
    scratch: &Path,
    mut progress: impl FnMut(Progress) + Send,
) -> Result<Vec<TrackFile>> {
    let chunk =
        plan.chunks.get(index).ok_or_else(|| Error::Mismatch(format!("there is no chunk {index}")))?;
    let times = chunk_times(plan, chunk, listed)
        .ok_or_else(|| Error::Mismatch("the list of times is short".into()))?;
    let mut complaint = None;
    for (attempt, (seek, pick)) in command::attempts(plan, chunk).into_iter().enumerate() {
        if attempt > 0 {
            tracing::warn!(chunk = index, attempt, ?pick, reason = ?complaint, "decoding a chunk again");
        }
        let args = command::chunk(plan, (chunk, &times), seek, pick, input, tools.threads);
        let most = (most_bytes(plan, chunk), plan.rungs.len() as u64);
        if let Err(error) = run(tools, args, most, input, scratch, &mut progress).await {
            // Nothing decodable from here on is a matter of the way, not of luck.
            if error.is_transient() || !matches!(error, guest::Error::Failed(_)) {
                return Err(error.into());
            }
            complaint = Some(Error::from(error));
            continue;
        }
        let job = rewrite::Job::new(plan, index, pick, times.clone(), scratch);
        match tokio::task::spawn_blocking(move || rewrite::all(&job)).await.map_err(|_| Error::Task)? {
            Err(Error::Mismatch(reason)) => complaint = Some(Error::Mismatch(reason)),
            other => return other,
        }
    }
    Err(complaint.unwrap_or(Error::Task))
}

/// Most bytes that a rung of a chunk may take: far more than its bit rate allows, but no disk full of a bomb.
fn most_bytes(plan: &VideoPlan, chunk: &Chunk) -> u64 {
    let seconds = (chunk.end() - chunk.start).div_ceil(u64::from(plan.timescale.max(1)));
    let best = plan.rungs.iter().map(|rung| u64::from(rung.max_bps)).max().unwrap_or(0);
    // Three times the rate, and a kilobyte for each picture, however many a second has.
    (best * 3 / 8).saturating_mul(seconds).saturating_add(chunk.frames() * 1024).saturating_add(64 << 20)
}

async fn run(
    tools: &Tools,
    args: Vec<String>,
    (most, rungs): (u64, u64),
    input: &Path,
    scratch: &Path,
    progress: &mut (impl FnMut(Progress) + Send),
) -> guest::Result<()> {
    // What an earlier attempt left is of no use; ffmpeg refuses to overwrite.
    let mut entries = tokio::fs::read_dir(scratch).await?;
    while let Some(entry) = entries.next_entry().await? {
        tokio::fs::remove_file(entry.path()).await?;
    }
    let limits = guest::Limits {
        file_bytes: tools.limits.file_bytes.min(most),
        scratch_bytes: most.saturating_mul(rungs),
        ..tools.limits
    };
    let guest = Guest::new(&tools.ffmpeg, limits).args(args).reads(input).scratch(scratch);
    let (running, stdout) = guest.spawn().await?;
    let follow = async { guest::follow(stdout, progress).await.map_err(guest::Error::from) };
    running.finish_with(follow).await
}

impl Pick {
    /// Do the encoder's times come from the source, so that they can be compared with the plan?
    pub(super) fn keeps_times(self) -> bool {
        self == Self::Planned
    }
}
