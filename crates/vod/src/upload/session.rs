//! The one writer of an upload: holds the lease, writes to the object store, notes in the database what is durable.

use backends::blob::{self, Appender, Staged};
use bytes::Bytes;
use domain::{Micros, UploadId, UserId, VersionId, VideoId};
use store::{
    Connect,
    imports::Import,
    steps,
    uploads::{self, Checkpoint, Kind, Upload},
    versions, videos,
};
use tokio::time::Instant;

use super::{
    Uploads, complete,
    error::{Error, Result},
    fingerprint::Fingerprint,
};

pub struct Session {
    uploads: Uploads,
    upload: Upload,
    /// Our fence.
    holder: String,
    /// The state that the database has.
    noted: Staged,
    noted_at: Instant,
    /// `None` before the first byte and while somebody else is let in.
    appender: Option<Appender>,
    leased: bool,
    /// Of all bytes up to the offset; `None` when they did not come in order, or of a piece.
    fingerprint: Option<Fingerprint>,
}

impl Session {
    /// Takes the lease of an upload that stands at `offset`.
    pub async fn open(uploads: &Uploads, owner: UserId, id: UploadId, offset: u64) -> Result<Self> {
        let holder = uuid::Uuid::now_v7().to_string();
        let upload = acquire(uploads, owner, id, &holder, offset).await?;
        let noted = staged(&upload)?;
        let fingerprint = Fingerprint::resume(upload.hash_state.as_deref(), noted.received())
            .filter(|_| upload.kind == Kind::Single);
        Ok(Self {
            fingerprint,
            uploads: uploads.clone(),
            upload,
            holder,
            noted,
            noted_at: Instant::now(),
            appender: None,
            leased: true,
        })
    }

    pub fn length(&self) -> u64 {
        self.noted.length()
    }

    /// Bytes taken, durable or not.
    pub fn offset(&self) -> u64 {
        self.appender.as_ref().map_or(self.noted.received(), Appender::offset)
    }

    pub fn is_leased(&self) -> bool {
        self.leased
    }

    /// Are the first bytes of a file to come, so that they can be looked at?
    pub fn at_beginning(&self) -> bool {
        self.upload.kind == Kind::Single && self.offset() == 0
    }

    /// Bytes that would be lost by a crash, and the time since the last note.
    pub fn unnoted(&self) -> (u64, std::time::Duration) {
        (self.offset() - self.noted.received(), self.noted_at.elapsed())
    }

    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        self.appender().await?.write(bytes.clone()).await?;
        if let Some(fingerprint) = &mut self.fingerprint {
            fingerprint.update(&bytes);
        }
        Ok(())
    }

    async fn appender(&mut self) -> Result<&mut Appender> {
        if !self.leased {
            let (owner, id) = (self.upload.owner_id, self.upload.id);
            acquire(&self.uploads, owner, id, &self.holder, self.noted.received()).await?;
            self.leased = true;
        }
        if self.appender.is_none() {
            match self.uploads.blobs.append(&self.noted).await {
                Ok(appender) => self.appender = Some(appender),
                Err(blob::Error::Exists(_)) => {
                    // All bytes were stored, but whoever stored them died before saying so.
                    self.note_whole().await?;
                    return Err(Error::Offset(self.length()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        self.appender.as_mut().ok_or(Error::Locked)
    }

    /// Notes what is durable, after making durable what is cheap to, and renews the lease.
    pub async fn progress(&mut self) -> Result<()> {
        let Some(appender) = &mut self.appender else { return self.renew().await };
        let state = appender.progress().await?.clone();
        self.note(state, false).await
    }

    /// Makes every byte durable, notes it, and gives the lease back.
    pub async fn suspend(&mut self) -> Result<()> {
        if !self.leased {
            return Ok(());
        }
        let state = match &mut self.appender {
            Some(appender) => appender.checkpoint().await?.clone(),
            None => self.noted.clone(),
        };
        self.note(state, true).await?;
        self.appender = None;
        Ok(())
    }

    /// Renews the lease without noting any byte.
    pub async fn renew(&mut self) -> Result<()> {
        self.note(self.noted.clone(), false).await
    }

    async fn note(&mut self, state: Staged, release: bool) -> Result<()> {
        let (id, now) = (self.upload.id, self.uploads.clock.now());
        let staging = serde_json::to_string(&state).map_err(|e| store::Error::Corrupt(e.to_string()))?;
        let kept = self.fingerprint.as_ref().map(Fingerprint::keep);
        let at = Checkpoint {
            hash_state: kept.as_deref(),
            received: state.received(),
            staging: &staging,
            lease_until: self.uploads.lease_until(),
            expires_at: self.uploads.expiry(),
        };
        let mut tx = self.uploads.store.begin().await?;
        title_waits(&mut tx, &self.upload).await?;
        uploads::checkpoint(&mut tx, id, &self.holder, now, &at).await?;
        if let Some(video) = self.upload.video() {
            let (done, total) = (state.received() as i64, self.upload.length);
            steps::set(&mut tx, video, steps::Name::Upload, steps::State::Running, done, total, "", now)
                .await?;
        }
        if release {
            uploads::release(&mut tx, id, &self.holder).await?;
        }
        tx.commit().await?;
        metrics::counter!("kinora_upload_durable_bytes_total")
            .increment(state.received() - self.noted.received());
        self.noted = state;
        self.noted_at = Instant::now();
        self.leased = !release;
        if let Some(appender) = &mut self.appender {
            appender.saved().await;
        }
        Ok(())
    }

    /// All bytes were written: the object, its source, its title's next state and the first job come into being.
    pub async fn finish(&mut self) -> Result<()> {
        if let Some(appender) = self.appender.take() {
            appender.finish().await?;
        }
        self.note_whole().await
    }

    async fn note_whole(&mut self) -> Result<()> {
        let now = self.uploads.clock.now();
        let mut tx = self.uploads.store.begin().await?;
        uploads::complete(&mut tx, self.upload.id, &self.holder, self.uploads.expiry(), now).await?;
        if self.upload.video().is_some() {
            let part = complete::part(&self.noted);
            let sha256 = self.fingerprint.take().and_then(|hash| hash.whole(self.noted.length()));
            complete::into_title(&mut tx, &self.upload, vec![part], sha256.as_deref(), now).await?;
        }
        tx.commit().await?;
        self.leased = false;
        tracing::info!(upload = %self.upload.id, bytes = self.upload.length, "an upload is whole");
        Ok(())
    }

    /// Nothing since the last note counts; the lease is given back, on a best effort.
    pub async fn forget(mut self) {
        if let Some(appender) = self.appender.take() {
            appender.forget().await;
        }
        if let Err(error) = self.release().await {
            tracing::warn!(%error, upload = %self.upload.id, "an upload stays locked until its lease ends");
        }
    }

    async fn release(&mut self) -> Result<()> {
        if self.leased {
            let mut tx = self.uploads.store.begin().await?;
            uploads::release(&mut tx, self.upload.id, &self.holder).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Removes what came, and the upload's row; its title stays, to tell what happened.
    pub async fn discard(mut self) -> Result<()> {
        self.appender = None;
        self.uploads.blobs.abort(&staged(&self.upload)?).await?;
        let mut tx = self.uploads.store.begin().await?;
        uploads::delete(&mut tx, self.upload.id, &self.holder).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The upload cannot become a title: it and its never-started title are removed.
    pub async fn remove(mut self) -> Result<()> {
        self.appender = None;
        complete::remove_leased(&self.uploads, &self.upload, &self.holder).await
    }
}

/// Takes the lease, checking in the same transaction that bytes at `offset` are welcome.
async fn acquire(
    uploads: &Uploads,
    owner: UserId,
    id: UploadId,
    holder: &str,
    offset: u64,
) -> Result<Upload> {
    let now = uploads.clock.now();
    let mut tx = uploads.store.begin().await?;
    let taken = uploads::lease(&mut tx, id, holder, uploads.lease_until(), now).await?;
    let upload = uploads::get(&mut tx, owner, id).await?;
    if upload.is_complete() {
        return Err(Error::Offset(upload.length as u64));
    }
    if !taken {
        return Err(Error::Locked);
    }
    welcome(&mut tx, &upload, now).await?;
    if upload.received as u64 != offset {
        return Err(Error::Offset(upload.received as u64));
    }
    tx.commit().await?;
    Ok(upload)
}

/// [`Error::Gone`] when the upload's time has passed or its title was cancelled or deleted.
pub async fn welcome(conn: &mut impl Connect, upload: &Upload, now: Micros) -> Result<()> {
    if upload.expires_at <= now { Err(Error::Gone) } else { title_waits(conn, upload).await }
}

/// [`Error::Gone`] when the title of an import was cancelled or deleted.
pub async fn wanted(mut conn: impl Connect, import: &Import) -> Result<()> {
    waits(&mut conn, import.video_id, import.version()).await
}

/// [`Error::Gone`] when the upload's title was cancelled or deleted.
async fn title_waits(conn: &mut impl Connect, upload: &Upload) -> Result<()> {
    let Some(video) = upload.video() else { return Ok(()) };
    waits(conn, video, upload.version()).await
}

/// Does the title, or the version of it, wait for a source?
async fn waits(conn: &mut impl Connect, video: VideoId, version: Option<VersionId>) -> Result<()> {
    let waits = match version {
        None => None,
        Some(version) => match versions::get(conn, version).await {
            Ok(version) => Some(version.state == "uploading"),
            Err(store::Error::NotFound) => Some(false),
            Err(error) => return Err(error.into()),
        },
    };
    match videos::get(conn, video).await {
        Ok(video) if waits.unwrap_or(video.state == videos::State::Uploading) && !video.is_trashed() => {
            Ok(())
        }
        Ok(_) | Err(store::Error::NotFound) => Err(Error::Gone),
        Err(error) => Err(error.into()),
    }
}

/// The object store's state in an upload's row.
pub fn staged(upload: &Upload) -> Result<Staged> {
    let state = serde_json::from_str(&upload.staging);
    Ok(state.map_err(|e| store::Error::Corrupt(format!("uploads.staging of {}: {e}", upload.id)))?)
}
