//! Clips: titles of their own, cut out of what an event sent.

use domain::{Micros, PresentationId, VideoId};

use crate::{
    Result, Tx,
    db::execute,
    jobs, presentations, steps,
    videos::{self, NewVideo},
};

/// A clip that begins its life.
#[derive(Debug, Clone)]
pub struct NewClip {
    pub title: NewVideo,
    /// What it is cut out of: an event, and what that sent.
    pub event: VideoId,
    pub of: PresentationId,
    /// Segments of each track.
    pub segments: std::ops::Range<usize>,
}

/// Creates a clip and asks for it to be made. What the event's viewers have to be old enough for, what it is spoken in, and
/// where it may be seen, goes for the clip as well.
pub async fn insert(tx: &mut Tx, new: &NewClip, now: Micros) -> Result<PresentationId> {
    let (video, presentation) = (new.title.id, PresentationId::new());
    videos::insert(tx, &new.title, now).await?;
    execute!(
        &mut *tx,
        "UPDATE videos SET state = 'processing', kind = 'clip', \
             language = (SELECT language FROM videos WHERE id = $1), \
             maturity_rating = (SELECT maturity_rating FROM videos WHERE id = $1), \
             countries = (SELECT countries FROM videos WHERE id = $1) \
         WHERE id = $2",
        new.event.to_string(),
        video.to_string(),
    )?;
    presentations::insert_live(tx, presentation, video, now).await?;
    for name in [steps::Name::Pictures, steps::Name::Publish] {
        steps::set(tx, video, name, steps::State::Waiting, 0, 0, "", now).await?;
    }
    let payload = serde_json::json!({ "presentation": presentation, "of": new.of,
        "first": new.segments.start, "end": new.segments.end });
    let (subject, payload) = (video.to_string(), payload.to_string());
    let job = jobs::NewJob::new("clip", &subject, &payload).priority(jobs::priority::URGENT);
    jobs::enqueue(tx, &job, now).await?;
    Ok(presentation)
}
