//! What a failed attempt means for its title.

use backends::clock::Clock;
use futures::{FutureExt, future::BoxFuture};
use store::{
    Tx, artwork as pieces, jobs, jobs::Outcome, outbox, presentations, steps, units, versions, videos,
};

use super::{artwork, enqueue_publish, glimpse, pictures, units::is_added};
use crate::worker::Failure;

/// Called in the transaction that records the failure. The last attempt ends the whole workflow, with words for the
/// creator; only pictures and further codecs can be done without.
pub(super) fn tell<'a>(tx: &'a mut Tx, failure: &'a Failure) -> BoxFuture<'a, store::Result<()>> {
    async move {
        if failure.claim.kind == artwork::KIND && failure.outcome == Outcome::Dead {
            return pieces::failed(tx, &failure.claim.subject, &failure.message, failure.now).await;
        }
        let Ok(video) = failure.claim.subject.parse() else { return Ok(()) };
        let aside =
            matches!(&*failure.claim.kind, "purge" | "forget-picture" | "fingerprint" | glimpse::KIND);
        if failure.outcome != Outcome::Dead || aside {
            return Ok(());
        }
        let now = failure.now;
        match videos::get(tx, video).await {
            Err(store::Error::NotFound) => return Ok(()),
            other => other?,
        };
        if failure.claim.kind == "pictures" {
            return without_pictures(tx, failure).await;
        }
        if is_added(&failure.claim.kind) {
            let step =
                steps::list(tx, video).await?.into_iter().find(|step| step.name == steps::Name::Formats);
            let (done, total) = step.map_or((0, 0), |step| (step.done, step.total));
            let (name, state) = (steps::Name::Formats, steps::State::Failed);
            return steps::set(tx, video, name, state, done, total, &failure.message, now).await;
        }
        let pending = versions::pending(tx, video).await?;
        if let Some(version) = &pending {
            // The title plays on as it did.
            versions::end(tx, version.id, "failed", Some(&failure.message), now).await?;
        } else {
            videos::failed(tx, video, &failure.message, now).await?;
        }
        steps::end_unfinished(tx, video, steps::State::Failed, &failure.message, now).await?;
        jobs::cancel_by_subject(tx, &failure.claim.subject, now).await?;
        if pending.is_none() {
            outbox::append(tx, "title.failed", &failure.claim.subject, "{}", now).await?;
        }
        Ok(())
    }
    .boxed()
}

async fn without_pictures(tx: &mut Tx, failure: &Failure) -> store::Result<()> {
    let Ok(payload) = serde_json::from_str::<pictures::Payload>(&failure.claim.payload) else {
        return Ok(());
    };
    let presentation = presentations::get(tx, payload.presentation).await?;
    units::insert(tx, presentation.id, pictures::UNIT, "{}", failure.now).await?;
    let (name, state) = (steps::Name::Pictures, steps::State::Failed);
    steps::set(tx, presentation.video_id, name, state, 0, 0, &failure.message, failure.now).await?;
    enqueue_publish(tx, &presentation, &Clock::system()).await
}
