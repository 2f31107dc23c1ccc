//! A title that fewer people may watch than before: playbacks that were begun under its old terms end, by a job that is written
//! with the change. Whoever still may watch begins again without noticing much.

use domain::{Micros, PresentationId, revocation::Revocation};
use serde::{Deserialize, Serialize};
use store::{Tx, jobs, videos::Video};

use crate::{App, Result, title};

/// The kind of job.
pub const JOB: &str = "revoke";

/// Of a job: what it ends.
#[derive(Debug, Serialize, Deserialize)]
pub struct Payload {
    presentation: PresentationId,
    /// Milliseconds since the Unix epoch.
    before: i64,
    /// Seconds since the Unix epoch.
    until: i64,
}

/// Ends running playbacks of a title if its new terms shut somebody out.
pub(crate) async fn note(tx: &mut Tx, before: &Video, after: &Video, now: Micros) -> Result<()> {
    let Some(presentation) = after.presentation() else { return Ok(()) };
    if !after.terms().shut_out(&before.terms(), now) {
        return Ok(());
    }
    let until = now.plus(title::playback_lasts(after)).seconds() + 1;
    let payload = Payload { presentation, before: now.0 / 1000 + 1, until };
    let (subject, payload) = (after.id.to_string(), serde_json::json!(payload).to_string());
    let job = jobs::NewJob::new(JOB, &subject, &payload).priority(jobs::priority::URGENT).max_attempts(20);
    Ok(jobs::enqueue(tx, &job, now).await.map(|_| ())?)
}

impl App {
    /// Does what such a job asks.
    pub async fn end_playbacks(&self, Payload { presentation, before, until }: Payload) -> Result<()> {
        self.revoke(Revocation::Title { presentation, before, until }).await
    }
}
