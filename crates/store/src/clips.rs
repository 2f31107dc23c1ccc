//! Clips: titles of their own, cut out of what an event sent; and recordings that are cut the same way.

use domain::{Micros, PresentationId, VersionId, VideoId};

use crate::{
    Result, Tx,
    db::execute,
    jobs, presentations, steps,
    videos::{self, NewVideo},
};

/// Segments of each track of what was sent live.
#[derive(Debug, Clone)]
pub struct Piece {
    pub of: PresentationId,
    pub segments: std::ops::Range<usize>,
}

/// Creates the clip of an event and asks for it to be made. What the event's viewers have to be old enough for, what it is spoken
/// in, and where it may be seen, goes for the clip as well.
pub async fn insert(tx: &mut Tx, new: &NewVideo, event: VideoId, piece: &Piece, now: Micros) -> Result<()> {
    videos::insert(tx, new, now).await?;
    execute!(
        &mut *tx,
        "UPDATE videos SET state = 'processing', kind = 'clip', \
             language = (SELECT language FROM videos WHERE id = $1), \
             maturity_rating = (SELECT maturity_rating FROM videos WHERE id = $1), \
             countries = (SELECT countries FROM videos WHERE id = $1) \
         WHERE id = $2",
        event.to_string(),
        new.id.to_string(),
    )?;
    for name in [steps::Name::Pictures, steps::Name::Publish] {
        steps::set(tx, new.id, name, steps::State::Waiting, 0, 0, "", now).await?;
    }
    make(tx, new.id, PresentationId::new(), piece, None, now).await
}

/// Asks for a presentation of `video` to be made of `piece`, for a version of it or for a title that has none yet.
pub async fn make(
    tx: &mut Tx,
    video: VideoId,
    presentation: PresentationId,
    piece: &Piece,
    version: Option<VersionId>,
    now: Micros,
) -> Result<()> {
    presentations::insert_live(tx, presentation, video, now).await?;
    let Piece { of, segments } = piece;
    let payload = serde_json::json!({ "presentation": presentation, "of": of, "first": segments.start,
        "end": segments.end, "version": version });
    let (subject, payload) = (video.to_string(), payload.to_string());
    let job = jobs::NewJob::new("clip", &subject, &payload).priority(jobs::priority::URGENT);
    jobs::enqueue(tx, &job, now).await.map(|_| ())
}
