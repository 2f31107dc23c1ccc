//! Scheduled publishing: a durable job makes a title public at its time, with an event.

use domain::{Micros, VideoId, Visibility};
use serde::{Deserialize, Serialize};
use store::{Tx, jobs, library, videos};

use crate::{Result, announce};

/// The kind of the job.
pub const JOB: &str = "go-public";

/// What the job is about. Its subject is not the title's id: cancelling the work on a title leaves its schedule alone.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    pub video: VideoId,
}

fn subject(video: VideoId) -> String {
    format!("schedule:{video}")
}

/// Makes the queue agree with what `row` says after an edit of `old`.
pub(super) async fn plan(tx: &mut Tx, old: &videos::Video, row: &videos::Video, now: Micros) -> Result<()> {
    if (old.visibility, old.publish_at) == (row.visibility, row.publish_at) {
        return Ok(());
    }
    let subject = subject(row.id);
    jobs::cancel_by_subject(tx, &subject, now).await?;
    if let (Visibility::Scheduled, Some(at)) = (row.visibility, row.publish_at) {
        let payload = serde_json::json!(Payload { video: row.id }).to_string();
        let job = jobs::NewJob::new(JOB, &subject, &payload)
            .run_at(Micros(at))
            .priority(jobs::priority::URGENT)
            .max_attempts(50);
        jobs::enqueue(tx, &job, now).await?;
    }
    Ok(())
}

/// Makes the title public if its time has come; does nothing when it is gone or no longer scheduled, or later. A title in
/// the trash becomes public there, so that it is where it should be when it is taken out. Says whether it did.
pub async fn go_public(tx: &mut Tx, id: VideoId, now: Micros) -> store::Result<bool> {
    let row = match library::lock(tx, id).await {
        Err(store::Error::NotFound) => return Ok(false),
        row => row?,
    };
    let is_due = row.visibility == Visibility::Scheduled && row.publish_at.is_some_and(|at| at <= now.0);
    if !is_due {
        return Ok(false);
    }
    let fields = row.fields();
    let public = domain::details::Fields { visibility: Visibility::Public, publish_at: None, ..fields };
    library::save(tx, &row, &public, None, now).await?;
    videos::published_now(tx, id, now).await?;
    let after = videos::get(tx, id).await?;
    announce::edited(tx, &row, &after, now).await?;
    metrics::counter!("kinora_scheduled_titles_published_total").increment(1);
    Ok(true)
}
