//! Handing out the units of a plan, and the steps that people see of them.

use domain::{
    Micros, estimate,
    profile::{AudioCodec, VideoCodec},
};
use serde::{Deserialize, Serialize};
use store::{
    Tx, jobs,
    presentations::{self, Presentation},
    steps, units,
};

use super::{JobError, unit};
use crate::plan::{self, Plan};

/// What a job of a chunk is about.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChunkJob {
    pub presentation: domain::PresentationId,
    pub index: usize,
    #[serde(default)]
    pub codec: VideoCodec,
    /// Hardware may not take part: what it made did not go with the rest of its track.
    #[serde(default)]
    pub software: bool,
}

/// What a job of an audio track is about: which of the plan's.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AudioJob {
    pub presentation: domain::PresentationId,
    pub track: usize,
}

/// Adding a codec to a title that can be watched waits for all titles that cannot.
const ADDED: i64 = (jobs::priority::NORMAL + jobs::priority::IDLE) / 2;

/// A unit that failed so often stops the title, or the codec that it adds.
const MOST_FAILURES: u32 = 3;

/// The kind of job that encodes chunks in a codec. A kind of its own for each, so that workers take what they can encode.
pub(super) fn chunk_kind(codec: VideoCodec) -> &'static str {
    match codec {
        VideoCodec::H264 => "chunk",
        VideoCodec::Hevc => "chunk-hevc",
        VideoCodec::Vp9 => "chunk-vp9",
        VideoCodec::Av1 => "chunk-av1",
    }
}

/// The same for audio tracks.
pub(super) fn audio_kind(codec: AudioCodec) -> &'static str {
    match codec {
        AudioCodec::Aac => "audio",
        AudioCodec::Opus => "audio-opus",
        AudioCodec::Eac3 => "audio-eac3",
    }
}

/// Does a job of this kind add something to a title that is complete without it?
pub(super) fn is_added(kind: &str) -> bool {
    VideoCodec::ALL.into_iter().skip(1).any(|codec| chunk_kind(codec) == kind)
        || [AudioCodec::Opus, AudioCodec::Eac3].into_iter().any(|codec| audio_kind(codec) == kind)
}

/// What a chunk takes of one core, microseconds, roughly: only what is more and what is less counts.
fn work(plan: &Plan, index: usize, codec: VideoCodec) -> i64 {
    let Some(video) = &plan.video else { return 0 };
    let frames = video.chunks.get(index).map_or(0, crate::plan::Chunk::frames);
    let rungs = video.rungs.iter().filter(|rung| rung.codec == codec);
    let cost = |rung: &plan::RungPlan| {
        let pixels = u64::from(rung.width) * u64::from(rung.height);
        estimate::cpu_micros(pixels, frames, codec, rung.effort)
    };
    let whole = rungs.map(cost).fold(0, u64::saturating_add);
    i64::try_from(whole).unwrap_or(i64::MAX).min(i64::MAX / 4)
}

/// Enqueues every unit that is not in yet, and shows the steps as they stand.
pub(super) async fn hand_out(
    tx: &mut Tx,
    presentation: &Presentation,
    plan: &Plan,
    now: Micros,
) -> Result<(), JobError> {
    let (id, video) = (presentation.id, presentation.video_id);
    let names = units::names(tx, id).await?;
    for step in [steps::Name::Encode, steps::Name::Audio, steps::Name::Formats] {
        let (done, total) = unit::progress(plan, &names, step);
        let state = if done == total { steps::State::Done } else { steps::State::Waiting };
        if step != steps::Name::Formats || total > 0 {
            steps::set(tx, video, step, state, done, total, "", now).await?;
        }
    }
    let subject = video.to_string();
    let owner = store::videos::get(tx, video).await?.owner_id;
    let mut turn = jobs::turns(tx, owner, now).await?;
    for codec in plan.video.iter().flat_map(|video| video.codecs()) {
        for index in 0..plan.video.as_ref().map_or(0, |video| video.chunks.len()) {
            let is_in = plan.video.as_ref().is_some_and(|video| names.contains(&video.unit(index, codec)));
            if is_in {
                continue;
            }
            let payload = super::json(&ChunkJob { presentation: id, index, codec, software: false })?;
            // The first chunk makes the title playable; the others go in order.
            let priority = match (codec == VideoCodec::H264, index) {
                (true, 0) => jobs::priority::URGENT,
                (true, _) => jobs::priority::NORMAL,
                (false, _) => ADDED,
            };
            let job = jobs::NewJob::new(chunk_kind(codec), &subject, &payload);
            let job = job.priority(priority).turn(turn).max_attempts(MOST_FAILURES);
            turn = turn.plus(work(plan, index, codec));
            jobs::enqueue(tx, &job, now).await?;
        }
    }
    for (track, audio) in plan.audio.iter().enumerate() {
        if (0..audio.stretches.len()).all(|n| names.contains(&plan::audio_unit(track, n))) {
            continue;
        }
        let payload = super::json(&AudioJob { presentation: id, track })?;
        let priority = if audio.is_extra() { ADDED } else { jobs::priority::URGENT };
        let job = jobs::NewJob::new(audio_kind(audio.codec), &subject, &payload);
        let job = job.priority(priority).max_attempts(MOST_FAILURES);
        jobs::enqueue(tx, &job, now).await?;
    }
    Ok(())
}

/// Gives up units of added codecs that hardware made, so that software makes them again: others of their tracks have another
/// header. Whose row has changed meanwhile stays.
pub(super) async fn remake(
    tx: &mut Tx,
    presentation: &Presentation,
    plan: &Plan,
    unfit: &[Unfit],
    now: Micros,
) -> Result<(), JobError> {
    let (id, subject) = (presentation.id, presentation.video_id.to_string());
    presentations::lock(tx, id).await?;
    for unit in unfit {
        if !units::give_up(tx, id, &unit.name, &unit.result).await? {
            continue;
        }
        let (index, codec) = (unit.index, unit.codec);
        let payload = super::json(&ChunkJob { presentation: id, index, codec, software: true })?;
        let job = jobs::NewJob::new(chunk_kind(codec), &subject, &payload);
        jobs::enqueue(tx, &job.priority(ADDED).max_attempts(MOST_FAILURES), now).await?;
    }
    let names = units::names(tx, id).await?;
    let (done, total) = unit::progress(plan, &names, steps::Name::Formats);
    let state = if done == total { steps::State::Done } else { steps::State::Running };
    steps::set(tx, presentation.video_id, steps::Name::Formats, state, done, total, "", now).await?;
    Ok(())
}

/// A unit that cannot be part of its track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unfit {
    pub name: String,
    pub index: usize,
    pub codec: VideoCodec,
    /// As it is recorded.
    pub result: String,
}
