//! Bodies read from the object store piece by piece, so that a slow client holds one piece and not a segment.

use std::ops::Range;

use axum::body::Body;
use backends::blob::{self, Blobs};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

/// Largest piece held for one request.
const PIECE: u64 = 1 << 20;

/// `range` of an object, after `head`. Small ones are read before the answer begins, so that a fault becomes an honest
/// status; of larger ones the first piece is.
pub async fn of_object(
    blobs: &Blobs,
    object: &str,
    range: Range<u64>,
    head: Option<Bytes>,
) -> blob::Result<Body> {
    if range.end.saturating_sub(range.start) <= PIECE {
        let bytes = blobs.range(object, range).await?;
        return Ok(match head {
            None => Body::from(bytes),
            Some(head) => Body::from_stream(stream::iter([Ok::<_, blob::Error>(head), Ok(bytes)])),
        });
    }
    let head = stream::iter(head.map(Ok));
    if blobs.local_path(object).is_none() {
        let rest = blobs.stream(object, Some(range)).await?;
        return Ok(Body::from_stream(head.chain(rest)));
    }
    // On a local directory each piece is one positioned read, without a copy between.
    let first = blobs.range(object, range.start..range.start + PIECE).await?;
    let (blobs, object) = (blobs.clone(), object.to_owned());
    let rest = stream::try_unfold(range.start + PIECE, move |at| {
        let (blobs, object) = (blobs.clone(), object.clone());
        async move {
            if at >= range.end {
                return Ok(None);
            }
            let end = range.end.min(at + PIECE);
            Ok(Some((blobs.range(&object, at..end).await?, end)))
        }
    });
    let log = |error: &blob::Error| tracing::warn!(%error, "an answer broke off");
    Ok(Body::from_stream(head.chain(stream::iter([Ok(first)])).chain(rest.inspect_err(log))))
}
