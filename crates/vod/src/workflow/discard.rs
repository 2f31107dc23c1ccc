//! The end of a version: its stored objects, apart from those that other versions of its title still play.

use std::{collections::BTreeSet, time::Duration};

use backends::blob::names;
use domain::{Gone, PresentationId, VersionId, VideoId};
use serde::Deserialize;
use serde_json::Value;
use store::{Connect, jobs, presentations, sources, units, versions};

use super::{Workflow, blob_error, failpoint};
use crate::worker::{JobContext, JobError};

#[derive(Debug, Deserialize)]
struct Payload {
    version: VersionId,
}

pub(super) async fn run(flow: &Workflow, job: &JobContext) -> Result<(), JobError> {
    let Payload { version } = job.payload()?;
    let mut reader = job.store.reader().await?;
    let version = match versions::get(&mut reader, version).await {
        Err(store::Error::NotFound) => return Ok(()),
        other => other?,
    };
    let unfinished = matches!(version.state.as_str(), "failed" | "cancelled");
    if !unfinished && version.state != "purging" {
        return Ok(());
    }
    let video = version.video_id;
    // Cancelled jobs may still be storing something.
    if unfinished && !jobs::settled(&mut reader, &video.to_string(), &job.claim.id, job.now()).await? {
        return Err(JobError::Later(Duration::from_secs(1)));
    }
    let presentation = presentation_of(&mut reader, &version).await?;
    let others = used_by_others(&mut reader, video, presentation).await?;
    let mut objects = objects_of(&mut reader, presentation).await?;
    drop(reader);
    let stored = flow.blobs.list(&names::presentation(presentation)).await.map_err(blob_error)?;
    objects.extend(stored.into_iter().map(|entry| entry.object));
    for object in objects.difference(&others) {
        flow.blobs.delete(object).await.map_err(blob_error)?;
    }
    failpoint::reach("discard-objects");
    let mut tx = job.store.begin().await?;
    job.finish(&mut tx).await?;
    presentations::delete(&mut tx, presentation).await?;
    versions::purged(&mut tx, version.id).await?;
    let orphan = match version.source() {
        Some(source) if !versions::uses_source(&mut tx, video, source).await? => {
            sources::get(&mut tx, source).await.ok()
        }
        _ => None,
    };
    if let Some(source) = orphan {
        // The row goes with the bytes: until the commit nothing refers to either, and a repeated attempt finds both.
        remove_source(flow, &source).await?;
        sources::delete(&mut tx, source.id).await?;
    }
    tx.commit().await?;
    flow.bus.tell(&Gone::Presentation(presentation));
    Ok(())
}

/// What the version has stored things under, also when it was stopped before that was written down.
async fn presentation_of(
    conn: &mut impl Connect,
    version: &versions::Version,
) -> Result<PresentationId, JobError> {
    if let Some(known) = version.presentation() {
        return Ok(known);
    }
    let of_own_source = version.kind == "replaced" && version.source().is_some();
    let mut made = presentations::of_video(conn, version.video_id).await?.into_iter();
    let own = made.find(|made| of_own_source && made.source() == version.source());
    // That of a cut has its version's id.
    Ok(own.map_or(PresentationId(version.id.0), |own| own.id))
}

async fn remove_source(flow: &Workflow, source: &sources::Source) -> Result<(), JobError> {
    for part in &source.parts.0 {
        flow.blobs.delete(&part.object).await.map_err(blob_error)?;
    }
    flow.blobs.delete_prefix(&names::masters(source.id)).await.map_err(blob_error)?;
    Ok(())
}

/// Objects that other presentations of the title refer to.
async fn used_by_others(
    conn: &mut impl Connect,
    video: VideoId,
    except: PresentationId,
) -> Result<BTreeSet<String>, JobError> {
    let mut used = BTreeSet::new();
    for other in presentations::of_video(conn, video).await? {
        if other.id != except {
            used.extend(objects_of(conn, other.id).await?);
        }
    }
    Ok(used)
}

/// Objects that the units of a presentation refer to, wherever they lie.
pub(super) async fn objects_of(
    conn: &mut impl Connect,
    presentation: PresentationId,
) -> Result<BTreeSet<String>, JobError> {
    let mut found = BTreeSet::new();
    for unit in units::list(conn, presentation).await? {
        collect(&super::parse(&unit.result)?, &mut found);
    }
    Ok(found)
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.starts_with("presentations/") => {
            found.insert(text.clone());
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        Value::Object(map) => map.values().for_each(|value| collect(value, found)),
        _ => {}
    }
}
