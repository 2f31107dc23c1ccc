//! One audio track: stored stretch by stretch while its encoder runs.

use media::descriptor::Extent;
use store::{sources, units};
use tokio::sync::mpsc;

use super::{
    Work, Workflow, blob_error, chunk, failpoint, load,
    unit::{self, Encoded, Part},
    units::AudioJob,
};
use crate::{
    encode::{self, Stretch},
    plan::audio_unit,
    worker::{JobContext, JobError},
};

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let AudioJob { presentation, track } = job.payload()?;
    let Some(work) = load(&job.store, presentation).await? else { return Ok(()) };
    let names = units::names(&mut job.store.reader().await?, presentation).await?;
    let Some(plan) = work.plan.audio.get(track) else {
        return Err(JobError::fatal("This title has no such audio track.", track));
    };
    let skip = (0..plan.stretches.len()).take_while(|n| names.contains(&audio_unit(track, *n))).count();
    let source = sources::get(&mut job.store.reader().await?, work.source()?).await?;
    let info: crate::probe::SourceInfo = super::parse(source.info.as_deref().unwrap_or_default())?;
    let master = flow.masters.open(&source).await?;

    let (to, from) = mpsc::channel(1);
    let demuxer = info.container.demuxer();
    let encode = encode::audio(&flow.tools, plan, demuxer, master.path(), skip, to);
    let encode = async { encode.await.map_err(chunk::failed) };
    let keep = keep(flow, job, &work, track, from);
    tokio::select! {
        // When storing fails, that is the reason; the encoder then only finds nobody listening.
        done = async { tokio::try_join!(keep, encode) } => done.map(|_| ()),
        () = job.cancelled.cancelled() => Err(JobError::Stopped),
    }
}

async fn keep(
    flow: &Workflow,
    job: &JobContext,
    work: &Work,
    track: usize,
    mut from: mpsc::Receiver<Stretch>,
) -> Result<(), JobError> {
    let plan = &work.plan.audio[track];
    while let Some(stretch) = from.recv().await {
        let name = audio_unit(track, stretch.index);
        let folder = unit::folder(work.id(), &name);
        let object = format!("{folder}/{}.cmfa", plan.id);
        flow.blobs.put(&object, stretch.bytes).await.map_err(blob_error)?;
        failpoint::reach("audio-stored");
        let extent = Extent { object, offset: 0, shift: 0, segments: stretch.segments };
        let result =
            Encoded { tracks: vec![Part { id: plan.id.clone(), head: stretch.head, extent }], by: None };
        // The job itself ends when its handler returns.
        unit::record(flow, job, work, &name, &result, &folder, false).await?;
        failpoint::reach("audio-recorded");
    }
    Ok(())
}
