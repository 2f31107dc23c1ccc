//! What happens to titles, written to the outbox in the transaction of the change. Call it last in the transaction: the
//! outbox is locked from here to the commit.

use domain::Micros;
use serde_json::{Value, json};
use store::{
    Tx, outbox,
    videos::{State, Video},
};

/// `title.edited`, and `title.published` when this is what made it public.
pub async fn edited(tx: &mut Tx, before: &Video, after: &Video, now: Micros) -> store::Result<()> {
    tell(tx, "title.edited", after, json!({}), now).await?;
    if is_published(after) && !is_published(before) {
        tell(tx, "title.published", after, json!({}), now).await?;
    }
    Ok(())
}

/// `title.deleted`: in the trash, or gone for good.
pub async fn deleted(tx: &mut Tx, video: &Video, permanent: bool, now: Micros) -> store::Result<()> {
    tell(tx, "title.deleted", video, json!({ "permanent": permanent }), now).await
}

/// `title.restored`.
pub async fn restored(tx: &mut Tx, video: &Video, now: Micros) -> store::Result<()> {
    tell(tx, "title.restored", video, json!({}), now).await
}

/// Can everybody find and play it?
fn is_published(video: &Video) -> bool {
    video.state == State::Ready && video.visibility.is_listed() && !video.is_trashed()
}

/// What consumers need when the title itself is gone goes along.
async fn tell(tx: &mut Tx, topic: &str, video: &Video, more: Value, now: Micros) -> store::Result<()> {
    let mut payload = json!({ "owner": video.owner_id.to_string(), "title": video.title });
    if let (Some(payload), Value::Object(more)) = (payload.as_object_mut(), more) {
        payload.extend(more);
    }
    outbox::append(tx, topic, &video.id.to_string(), &payload.to_string(), now).await?;
    Ok(())
}
