//! The job that fetches a link: asks, stages, goes on after a broken connection, and hands over as an upload does.

use std::time::{Duration, Instant};

use backends::blob::names;
use bytes::BytesMut;
use domain::{SourceId, UploadId, VideoId};
use futures::StreamExt;
use serde::Deserialize;
use store::{
    imports::{self, Import},
    steps,
    uploads::{self, Kind, NewUpload, Upload},
};
use tokio::time;

use super::{
    Imports,
    fetch::{Opened, Told, Trouble},
    link::Link,
    pace::Pace,
};
use crate::{
    upload::{self, Error, Session, accept, metadata::Metadata},
    worker::{JobContext, JobError},
};

#[derive(Debug, Deserialize)]
struct Payload {
    import: UploadId,
}

/// Progress is written down this often.
const NOTE_EVERY: Duration = Duration::from_secs(2);
/// A fetch that got this far since its last failure begins to count failures anew.
const PROGRESS: u64 = 4 << 20;

/// How one try ended.
enum End {
    Whole,
    /// The title was cancelled or deleted.
    Unwanted,
    /// Not by us, or not now.
    Job(JobError),
    Trouble(Trouble),
}

impl From<Trouble> for End {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        match error {
            Error::Gone => Self::Unwanted,
            // The lease of a worker that died ends by itself.
            Error::Locked | Error::Store(store::Error::Stale) | Error::Offset(_) => {
                Self::Job(JobError::Later(Duration::from_secs(2)))
            }
            Error::NotMedia(words) => Self::Trouble(Trouble::lasting(words, "refused by its beginning")),
            Error::Store(error) => Self::Job(error.into()),
            Error::Blob(error) => Self::Job(JobError::retry("The storage did not take the file.", error)),
            Error::Problem(problem) => Self::Trouble(Trouble::lasting(problem.detail(), problem.code())),
        }
    }
}

impl From<store::Error> for End {
    fn from(error: store::Error) -> Self {
        Error::from(error).into()
    }
}

pub(super) async fn run(imports: &Imports, job: &JobContext) -> Result<(), JobError> {
    let Payload { import } = job.payload()?;
    let mut failures = 0;
    loop {
        let import = match imports::get(&mut job.store.reader().await?, import).await {
            Err(store::Error::NotFound) => return Ok(()),
            other => other?,
        };
        if import.state != "open" {
            return Ok(());
        }
        let before = received(imports, &import).await?;
        let trouble = match attempt(imports, job, &import).await {
            End::Whole => return finish(job, &import).await,
            End::Unwanted => return Ok(()),
            End::Job(error) => return Err(error),
            End::Trouble(trouble) => trouble,
        };
        let shown = Link::parse(&import.url).map(|link| link.shown()).unwrap_or_default();
        tracing::warn!(import = %import.id, link = shown, reason = %trouble, "a fetch broke off");
        metrics::counter!("kinora_import_breaks_total", "passing" => trouble.passing.to_string())
            .increment(1);
        if !trouble.passing {
            return Err(JobError::fatal(trouble.words, trouble.detail));
        }
        let came_far = received(imports, &import).await?.saturating_sub(before) >= PROGRESS;
        failures = if came_far { 1 } else { failures + 1 };
        if failures > imports.config.retries {
            return Err(JobError::retry(trouble.words, trouble.detail));
        }
        let pause = Duration::from_millis(imports.config.retry_pause_ms.saturating_mul(1 << failures.min(4)));
        tokio::select! {
            () = time::sleep(pause) => {}
            () = job.cancelled.cancelled() => return Err(JobError::Stopped),
        }
    }
}

async fn received(imports: &Imports, import: &Import) -> Result<u64, JobError> {
    let mut reader = imports.uploads.store.reader().await?;
    match uploads::get(&mut reader, import.owner_id, import.id).await {
        Ok(upload) => Ok(upload.received.unsigned_abs()),
        Err(store::Error::NotFound) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// The upload is whole and its title at work: the link is not needed any more.
async fn finish(job: &JobContext, import: &Import) -> Result<(), JobError> {
    let shown = Link::parse(&import.url).map(|link| link.shown()).unwrap_or_default();
    let mut tx = job.store.begin().await?;
    job.finish(&mut tx).await?;
    imports::done(&mut tx, import.id, &shown, job.now()).await?;
    tx.commit().await?;
    Ok(())
}

async fn attempt(imports: &Imports, job: &JobContext, import: &Import) -> End {
    let fetched = async {
        let row = row(imports, import).await?;
        if row.as_ref().is_some_and(Upload::is_complete) {
            return Ok(());
        }
        if let Some(upload) = row.as_ref().filter(|upload| upload.received == upload.length) {
            // All came, but whoever fetched it died before saying so.
            let mut session = session(imports, upload).await?;
            session.write(bytes::Bytes::new()).await?;
            return Ok(session.finish().await?);
        }
        upload::wanted(imports.uploads.store.reader().await?, import).await?;
        let link =
            Link::parse(&import.url).ok_or_else(|| Trouble::lasting("This is no link.", "stored link"))?;
        let stands_at = row.as_ref().map_or(0, |upload| upload.received.unsigned_abs());
        let offset = if import.validator.is_empty() { 0 } else { stands_at };
        let opened = tokio::select! {
            opened = imports.open(&link, offset, &import.validator) => opened?,
            () = job.cancelled.cancelled() => return Err(End::Job(JobError::Stopped)),
        };
        let same = row.as_ref().is_some_and(|upload| {
            upload.length.unsigned_abs() == opened.told.length && opened.told.validator == import.validator
        }) && !opened.told.validator.is_empty();
        let (opened, upload) = match row {
            Some(upload) if same => (opened, upload),
            row => {
                // Another file than before, or the first time.
                let opened = if opened.start == 0 { opened } else { imports.open(&link, 0, "").await? };
                let upload = begin(imports, import, row, &opened.told).await?;
                (opened, upload)
            }
        };
        stage(imports, job, &upload, opened).await
    };
    match fetched.await {
        Ok(()) => End::Whole,
        Err(end) => end,
    }
}

async fn row(imports: &Imports, import: &Import) -> Result<Option<Upload>, End> {
    let mut reader = imports.uploads.store.reader().await?;
    match uploads::get(&mut reader, import.owner_id, import.id).await {
        Ok(upload) => Ok(Some(upload)),
        Err(store::Error::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn session(imports: &Imports, upload: &Upload) -> Result<Session, End> {
    Ok(Session::open(&imports.uploads, upload.owner_id, upload.id, upload.received.unsigned_abs()).await?)
}

/// Makes the upload of a file whose size is known now, in place of `old`.
async fn begin(imports: &Imports, import: &Import, old: Option<Upload>, told: &Told) -> Result<Upload, End> {
    let uploads = &imports.uploads;
    acceptable(imports, import, told)?;
    if let Some(old) = old {
        let session = session(imports, &old).await?;
        session.discard().await?;
    }
    let now = uploads.clock.now();
    let staged =
        uploads.blobs.stage(&names::master(SourceId(import.id.0)), told.length).map_err(Error::from)?;
    let new = NewUpload {
        id: import.id,
        owner: import.owner_id,
        video: Some(import.video_id),
        version: import.version(),
        kind: Kind::Single,
        length: told.length,
        metadata: import.metadata.clone(),
        staging: serde_json::to_string(&staged).map_err(|e| store::Error::Corrupt(e.to_string()))?,
        parts: "[]".into(),
        expires_at: uploads.expiry(),
    };
    let mut tx = uploads.store.begin().await?;
    upload::check_quota(&mut tx, uploads, import.owner_id, told.length).await?;
    let length = i64::try_from(told.length).unwrap_or(i64::MAX);
    let (name, state) = (steps::Name::Upload, steps::State::Running);
    steps::set(&mut tx, import.video_id, name, state, 0, length, "", now).await?;
    uploads::insert(&mut tx, &new, now).await?;
    imports::set_validator(&mut tx, import.id, &told.validator, now).await?;
    let upload = uploads::get(&mut tx, import.owner_id, import.id).await?;
    tx.commit().await?;
    Ok(upload)
}

/// Size and declared type, before a byte is taken.
fn acceptable(imports: &Imports, import: &Import, told: &Told) -> Result<(), Trouble> {
    let most = imports.uploads.config.max_bytes;
    if told.length == 0 {
        return Err(Trouble::lasting("The file at this link is empty.", "length 0"));
    }
    if told.length > most {
        let words =
            format!("The file is larger than the {} that this server takes.", upload::gigabytes(most));
        return Err(Trouble::lasting(words, told.length));
    }
    let named =
        Metadata::read(&import.metadata).map_err(|e| Trouble::lasting("The title cannot be used.", e))?;
    let named = Metadata { content_type: told.content_type.clone(), ..named };
    accept::declared(&named).map_err(|error| Trouble::lasting(error.to_string(), &told.content_type))
}

/// Takes the body into the upload.
async fn stage(imports: &Imports, job: &JobContext, upload: &Upload, opened: Opened) -> Result<(), End> {
    let mut session = session(imports, upload).await?;
    let video = upload.video().ok_or(Error::Gone)?;
    let outcome = pump(imports, job, &mut session, video, opened).await;
    match outcome {
        Ok(()) if session.offset() == session.length() => Ok(session.finish().await?),
        Ok(()) => {
            session.suspend().await?;
            let (got, of) = (session.offset(), session.length());
            Err(Trouble::passing(
                "That server ended the connection before the file was whole.",
                format!("{got} of {of}"),
            )
            .into())
        }
        Err(End::Trouble(trouble)) if trouble.passing => {
            session.suspend().await?;
            Err(trouble.into())
        }
        Err(End::Trouble(trouble)) => {
            session.discard().await?;
            Err(trouble.into())
        }
        Err(End::Job(JobError::Stopped)) => {
            // A drain keeps what came; a cancelled title refuses it.
            if session.suspend().await.is_err() {
                session.forget().await;
            }
            Err(End::Job(JobError::Stopped))
        }
        Err(end) => {
            session.forget().await;
            Err(end)
        }
    }
}

async fn pump(
    imports: &Imports,
    job: &JobContext,
    session: &mut Session,
    video: VideoId,
    mut opened: Opened,
) -> Result<(), End> {
    let mut skip = session.offset().saturating_sub(opened.start);
    let mut head = session.at_beginning().then(BytesMut::new);
    let mut pace =
        Pace::new(Duration::from_secs(imports.config.speed_window_s), imports.config.min_bytes_per_second);
    let mut noted = Instant::now();
    loop {
        let asked = Instant::now();
        let next = tokio::select! {
            next = time::timeout(NOTE_EVERY, opened.body.next()) => next.ok(),
            () = job.cancelled.cancelled() => return Err(End::Job(JobError::Stopped)),
        };
        let came = match &next {
            Some(Some(Ok(bytes))) => bytes.len() as u64,
            _ => 0,
        };
        if !pace.keeps_up(came, asked.elapsed()) {
            return Err(Trouble::passing("That server sends too slowly.", "minimum speed").into());
        }
        match next {
            Some(Some(Ok(mut bytes))) => {
                let known = skip.min(bytes.len() as u64);
                let _ = bytes.split_to(known as usize);
                skip -= known;
                if !bytes.is_empty() {
                    upload::take(session, &mut head, bytes).await?;
                }
            }
            Some(Some(Err(trouble))) => {
                upload::settle_head(session, head).await?;
                return Err(trouble.into());
            }
            Some(None) => {
                upload::settle_head(session, head).await?;
                return Ok(());
            }
            None => {}
        }
        if noted.elapsed() >= NOTE_EVERY {
            noted = Instant::now();
            session.progress().await?;
            // What is not durable yet has come nevertheless.
            if session.unnoted().0 > 0 {
                let (done, total) = (session.offset() as i64, session.length() as i64);
                job.progress(video, steps::Name::Upload, done, total).await.map_err(End::Job)?;
            }
        }
    }
}
