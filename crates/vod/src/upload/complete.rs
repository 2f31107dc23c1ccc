//! What an upload becomes: a title with a source and its first job, or nothing.

use backends::blob::Staged;
use domain::{Micros, SourceId};
use store::{
    Tx, duplicates, imports, jobs,
    sources::{self, NewSource, Part},
    steps,
    uploads::{self, Kind, Upload},
    versions, videos,
};

use super::{
    Uploads,
    error::{Error, Result},
    metadata::Metadata,
    session::staged,
};

/// A stored object as a part of a source.
pub fn part(staged: &Staged) -> Part {
    Part { object: staged.object().to_owned(), length: staged.length() }
}

/// Gives the upload's title its source and the job that looks at it.
/// `sha256` of the whole file, hex, when it is known by now.
pub async fn into_title(
    tx: &mut Tx,
    upload: &Upload,
    parts: Vec<Part>,
    sha256: Option<&str>,
    now: Micros,
) -> Result<()> {
    let video = upload.video().ok_or(Error::Gone)?;
    let metadata = Metadata::read(&upload.metadata)?;
    let source = NewSource {
        id: SourceId(upload.id.0),
        owner: upload.owner_id,
        video,
        filename: metadata.filename,
        content_type: metadata.content_type,
        parts,
    };
    let begun = match upload.version() {
        Some(version) => versions::processing(tx, version, source.id, now).await,
        None => videos::processing(tx, video, source.id, now).await,
    };
    match begun {
        // Cancelled or deleted meanwhile.
        Err(store::Error::NotFound) => return Err(Error::Gone),
        other => other?,
    }
    sources::insert(tx, &source, now).await?;
    match sha256 {
        Some(sha256) => duplicates::recognise(tx, source.id, sha256, now).await?,
        None => duplicates::look_later(tx, video, source.id, now).await?,
    }
    steps::set(tx, video, steps::Name::Upload, steps::State::Done, upload.length, upload.length, "", now)
        .await?;
    let (subject, payload) = (video.to_string(), serde_json::json!({ "source": source.id }).to_string());
    let key = format!("probe:{}", source.id);
    let job = jobs::NewJob::new("probe", &subject, &payload).dedupe(&key).priority(jobs::priority::URGENT);
    jobs::enqueue(tx, &job, now).await?;
    Ok(())
}

/// Ends an upload that nobody writes to. [`Error::Locked`] when somebody does.
pub async fn remove(uploads: &Uploads, upload: &Upload) -> Result<()> {
    let holder = uuid::Uuid::now_v7().to_string();
    let mut tx = uploads.store.begin().await?;
    let until = uploads.lease_until();
    if !uploads::lease_to_remove(&mut tx, upload.id, &holder, until, uploads.clock.now()).await? {
        return Err(Error::Locked);
    }
    // It may have been finished since the caller looked.
    let upload = uploads::get(&mut tx, upload.owner_id, upload.id).await?;
    tx.commit().await?;
    remove_leased(uploads, &upload, &holder).await
}

/// Removes an upload of which `holder` has the lease: its bytes unless a title has taken them, its row, and its title if
/// that never had more than this upload.
pub async fn remove_leased(uploads: &Uploads, upload: &Upload, holder: &str) -> Result<()> {
    let owns_bytes = upload.kind != Kind::Final && (!upload.is_complete() || upload.kind == Kind::Partial);
    if owns_bytes {
        uploads.blobs.abort(&staged(upload)?).await?;
    }
    let mut tx = uploads.store.begin().await?;
    uploads::delete(&mut tx, upload.id, holder).await?;
    let now = uploads.clock.now();
    if let (Some(video), Some(version), false) = (upload.video(), upload.version(), upload.is_complete()) {
        if versions::end(&mut tx, version, "cancelled", None, now).await? {
            steps::end_unfinished(&mut tx, video, steps::State::Cancelled, "", now).await?;
        }
    } else if let Some(video) = upload.video()
        && !upload.is_complete()
    {
        match videos::get(&mut tx, video).await {
            // One that waits for an import may get another upload.
            Ok(row)
                if row.state == videos::State::Uploading
                    && imports::open_of(&mut tx, video).await?.is_none() =>
            {
                videos::delete(&mut tx, video).await?;
            }
            Ok(_) | Err(store::Error::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    tx.commit().await?;
    Ok(())
}
