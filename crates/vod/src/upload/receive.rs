//! Taking the body of one request: piece by piece into the object store, with notes of what is durable on the way.

use std::time::Duration;

use api::Problem;
use axum::{
    body::{Body, BodyDataStream},
    http::StatusCode,
};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;

use super::{
    Uploads, accept,
    checksum::Checksum,
    error::{Error, Result},
    session::Session,
};

/// A crash of this process costs a client at most this many bytes of a long body, or five seconds of a slow one.
const NOTE_EVERY: u64 = 32 << 20;

/// Longest time that the rest of a refused body is read.
const DRAIN: Duration = Duration::from_secs(3);

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// The connection broke.
    Lost,
    /// No byte came for too long.
    Silent,
    /// This process is about to stop.
    Stopping,
}

/// Takes `body` into the upload that `session` holds, and gives the new offset. Runs to its end even when the client and
/// with it the request are gone: what came is kept, and the lease is given back at once.
pub async fn receive(
    uploads: &Uploads,
    session: Session,
    body: Body,
    checksum: Option<Checksum>,
) -> Result<u64> {
    let uploads = uploads.clone();
    let task = tokio::spawn(async move { take_all(&uploads, session, body, checksum).await });
    task.await.map_err(|e| Error::Problem(Problem::internal(e)))?
}

async fn take_all(
    uploads: &Uploads,
    mut session: Session,
    body: Body,
    mut checksum: Option<Checksum>,
) -> Result<u64> {
    let checked = checksum.is_some();
    let mut pieces = body.into_data_stream();
    let outcome = match pump(uploads, &mut session, &mut pieces, &mut checksum).await {
        Ok(end) if checked && end != End::Whole => Err(cut_off(end)),
        Ok(end) => match checksum.map(Checksum::matches) {
            Some(false) => Err(Error::Problem(mismatch())),
            _ => settle(&mut session, end).await,
        },
        Err(error) => Err(error),
    };
    match outcome {
        Ok(offset) => Ok(offset),
        Err(error @ Error::NotMedia(_)) => {
            session.remove().await?;
            drain(uploads, &mut pieces).await;
            Err(error)
        }
        Err(error) => {
            session.forget().await;
            drain(uploads, &mut pieces).await;
            Err(error)
        }
    }
}

/// Throws away what a refused request still sends, within limits: a client that is cut off while it sends may never read
/// the answer, which says what is wrong.
pub async fn drain(uploads: &Uploads, pieces: &mut BodyDataStream) {
    let mut left = uploads.config.chunk_bytes;
    let reading = async {
        while let Some(Ok(piece)) = pieces.next().await {
            left = left.saturating_sub(piece.len() as u64);
            if left == 0 {
                return;
            }
        }
    };
    tokio::select! {
        _ = tokio::time::timeout(DRAIN, reading) => {}
        () = uploads.stop.cancelled() => {}
    }
}

/// Writes what comes, until the body ends one way or another.
async fn pump(
    uploads: &Uploads,
    session: &mut Session,
    pieces: &mut BodyDataStream,
    checksum: &mut Option<Checksum>,
) -> Result<End> {
    let timing = uploads.timing;
    let mut head = session.at_beginning().then(BytesMut::new);
    let mut silent_since = tokio::time::Instant::now();
    loop {
        let next = tokio::select! {
            next = tokio::time::timeout(timing.suspend, pieces.next()) => next,
            () = uploads.stop.cancelled() => return end_with(session, head, End::Stopping).await,
        };
        match next {
            Ok(Some(Ok(bytes))) if bytes.is_empty() => {}
            Ok(Some(Ok(bytes))) => {
                silent_since = tokio::time::Instant::now();
                if let Some(checksum) = checksum {
                    checksum.update(&bytes);
                }
                take(session, &mut head, bytes).await?;
            }
            Ok(Some(Err(_))) => return end_with(session, head, End::Lost).await,
            Ok(None) => return end_with(session, head, End::Whole).await,
            Err(_) if silent_since.elapsed() >= timing.silence => {
                return end_with(session, head, End::Silent).await;
            }
            Err(_) if checksum.is_none() && head.is_none() => session.suspend().await?,
            Err(_) => {}
        }
        let (bytes, time) = session.unnoted();
        if checksum.is_some() {
            if time >= timing.lease / 3 {
                session.renew().await?;
            }
        } else if bytes >= NOTE_EVERY || (time >= timing.lease / 3 && session.is_leased()) {
            session.progress().await?;
        }
    }
}

/// Writes bytes; the first ones of a file only once there are enough to look at.
pub async fn take(session: &mut Session, head: &mut Option<BytesMut>, bytes: Bytes) -> Result<()> {
    let waiting = head.as_ref().map_or(0, BytesMut::len) as u64;
    if session.offset() + waiting + bytes.len() as u64 > session.length() {
        return Err(Error::Problem(too_long(session.length())));
    }
    let bytes = match head {
        None => bytes,
        Some(first) => {
            first.extend_from_slice(&bytes);
            if first.len() < accept::PREFIX {
                return Ok(());
            }
            accept::beginning(first)?;
            head.take().unwrap_or_default().freeze()
        }
    };
    session.write(bytes).await
}

async fn end_with(session: &mut Session, head: Option<BytesMut>, end: End) -> Result<End> {
    settle_head(session, head).await?;
    Ok(end)
}

/// Looks at and writes a beginning that is shorter than what was waited for.
pub async fn settle_head(session: &mut Session, head: Option<BytesMut>) -> Result<()> {
    if let Some(first) = head.filter(|first| !first.is_empty()) {
        accept::beginning(&first)?;
        session.write(first.freeze()).await?;
    }
    Ok(())
}

/// Makes the bytes count.
async fn settle(session: &mut Session, end: End) -> Result<u64> {
    if session.offset() == session.length() {
        session.finish().await?;
        return Ok(session.length());
    }
    session.suspend().await?;
    if end == End::Whole { Ok(session.offset()) } else { Err(cut_off(end)) }
}

fn cut_off(end: End) -> Error {
    Error::Problem(match end {
        End::Stopping => Problem::unavailable("this server is about to stop, and an upload was cut off"),
        End::Silent => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "No byte came for too long. Go on where the upload stands.",
        ),
        End::Lost | End::Whole => {
            Problem::bad_request("The connection broke. Go on where the upload stands.")
        }
    })
}

fn mismatch() -> Problem {
    let status = StatusCode::from_u16(460).unwrap_or(StatusCode::BAD_REQUEST);
    Problem::new(
        status,
        "checksum_mismatch",
        "The bytes do not have the checksum that was announced; none of them was kept.",
    )
}

pub fn too_long(length: u64) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too_long",
        format!("This upload was announced with {length} bytes, and more came."),
    )
}
