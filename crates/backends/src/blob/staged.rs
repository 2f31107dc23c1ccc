//! Resumable writing: an object that grows over many requests, replicas and restarts until it is finished.
//!
//! The caller keeps a [`Staged`] in its database. To add bytes it opens an [`Appender`] on it, writes, and at a
//! checkpoint saves the state that the appender gives: what that state counts as received is durable, and any replica
//! can go on from there with nothing but the state. Bytes after the last saved state are forgotten.

use serde::{Deserialize, Serialize};

use super::{
    Blobs, Engine, Error, Result,
    local_upload::LocalAppender,
    names,
    sealed::upload::{self, SealedAppender},
    service::upload::ServiceAppender,
};
use bytes::Bytes;

/// Where unfinished objects keep their parts; no object name can begin like this.
pub(super) const FOLDER: &str = ".staging";

const MIB: u64 = 1 << 20;
/// S3 and Google want at least 5 MiB for all parts but the last.
const LEAST_PART: u64 = 8 * MIB;
/// S3 and Google allow 10,000 parts, Azure 50,000.
const MOST_PARTS: u64 = 9_000;

/// Size in bytes of all parts but the last of an object of `length` bytes: one size for the whole object (some services
/// insist on it), never more than 9,000 parts, whole MiB.
pub fn part_size(length: u64) -> u64 {
    length.div_ceil(MOST_PARTS).div_ceil(MIB).saturating_mul(MIB).max(LEAST_PART)
}

/// An unfinished object. Opaque apart from its getters; serialise it into the caller's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    pub(super) object: String,
    pub(super) length: u64,
    pub(super) received: u64,
    /// Names the private leftovers of this object.
    pub(super) key: uuid::Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) multipart: Option<Multipart>,
    /// Set when it is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sealed: Option<upload::Progress>,
}

/// What a storage service holds of the object so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Multipart {
    /// The service's own id, from the first whole part on; Azure's is empty.
    pub id: Option<String>,
    pub part_size: u64,
    /// Entity tags of the newest parts.
    pub tags: Vec<String>,
    /// Objects that hold the entity tags of older parts, [`Multipart::TAGS_EACH`] in each, so that this state stays small.
    pub tag_lists: Vec<String>,
    /// Bytes after the last whole part, as objects of their own.
    pub tail: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    pub object: String,
    pub length: u64,
}

impl Multipart {
    pub const TAGS_EACH: usize = 500;

    pub fn parts(&self) -> usize {
        self.tag_lists.len() * Self::TAGS_EACH + self.tags.len()
    }
}

impl Staged {
    /// The object that it will be.
    pub fn object(&self) -> &str {
        &self.object
    }

    /// Bytes that it will have.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes that are durable.
    pub fn received(&self) -> u64 {
        self.received
    }
}

/// The one writer of an unfinished object. Dropping it forgets what came after the last saved state.
pub struct Appender(Kind);

enum Kind {
    Plain(Writer),
    Sealed(Box<SealedAppender>),
}

/// The engine's own appender: it takes bytes as they will be stored.
pub(super) enum Writer {
    Local(Box<LocalAppender>),
    Service(Box<ServiceAppender>),
}

macro_rules! on {
    ($kind:ident, $self:expr, $($case:ident)|+, $writer:ident => $call:expr) => {
        match $self {
            $($kind::$case($writer) => $call,)+
        }
    };
}

impl Writer {
    pub async fn open(engine: &Engine, staged: Staged) -> Result<Self> {
        Ok(match (engine, staged.multipart.is_some()) {
            (Engine::Local(local), false) => {
                Self::Local(Box::new(LocalAppender::open(local.clone(), staged).await?))
            }
            (Engine::Service(store), true) => {
                Self::Service(Box::new(ServiceAppender::open(store.clone(), staged).await?))
            }
            _ => {
                return Err(Error::other(
                    &staged.object,
                    "the upload was begun on another kind of object store",
                ));
            }
        })
    }

    fn staged(&self) -> &Staged {
        on!(Self, self, Local | Service, writer => writer.staged())
    }

    fn offset(&self) -> u64 {
        on!(Self, self, Local | Service, writer => writer.offset())
    }

    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        on!(Self, self, Local | Service, writer => writer.write(bytes).await)
    }

    pub async fn progress(&mut self) -> Result<&Staged> {
        on!(Self, self, Local | Service, writer => writer.progress().await)
    }

    pub async fn checkpoint(&mut self) -> Result<&Staged> {
        on!(Self, self, Local | Service, writer => writer.checkpoint().await)
    }

    pub async fn saved(&mut self) {
        if let Self::Service(writer) = self {
            writer.saved().await;
        }
    }

    pub async fn finish(self) -> Result<()> {
        on!(Self, self, Local | Service, writer => writer.finish().await)
    }

    pub async fn forget(self) {
        if let Self::Service(writer) = self {
            writer.forget().await;
        }
    }
}

impl Appender {
    /// Bytes taken so far, durable or not.
    pub fn offset(&self) -> u64 {
        on!(Kind, &self.0, Plain | Sealed, writer => writer.offset())
    }

    /// Takes bytes, which may wait in memory: at most one part for a service, 1 MiB on a local directory.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let left = self.length().saturating_sub(self.offset());
        if bytes.len() as u64 > left {
            return Err(Error::other(self.object(), "more bytes than the declared length"));
        }
        on!(Kind, &mut self.0, Plain | Sealed, writer => writer.write(bytes).await)
    }

    /// Makes durable what costs little to make durable, and gives the state to save.
    pub async fn progress(&mut self) -> Result<&Staged> {
        on!(Kind, &mut self.0, Plain | Sealed, writer => writer.progress().await)
    }

    /// Makes every byte taken durable, and gives the state to save.
    pub async fn checkpoint(&mut self) -> Result<&Staged> {
        on!(Kind, &mut self.0, Plain | Sealed, writer => writer.checkpoint().await)
    }

    /// To be called once the last given state is saved: leftovers that no saved state needs are removed.
    pub async fn saved(&mut self) {
        on!(Kind, &mut self.0, Plain | Sealed, writer => writer.saved().await);
    }

    /// Puts the whole object in its place. All its bytes must have been written. When the caller cannot save that fact
    /// afterwards, the next [`Blobs::append`] answers [`Error::Exists`].
    pub async fn finish(self) -> Result<()> {
        if self.offset() != self.length() {
            return Err(Error::other(self.object(), "finished before all its bytes were there"));
        }
        on!(Kind, self.0, Plain | Sealed, writer => writer.finish().await)
    }

    /// Forgets what came after the last saved state, and what was begun for it.
    pub async fn forget(self) {
        on!(Kind, self.0, Plain | Sealed, writer => writer.forget().await);
    }

    fn object(&self) -> &str {
        on!(Kind, &self.0, Plain | Sealed, writer => &writer.staged().object)
    }

    fn length(&self) -> u64 {
        on!(Kind, &self.0, Plain | Sealed, writer => writer.staged().length)
    }
}

impl Blobs {
    /// Begins an object of `length` bytes that will arrive bit by bit. Nothing is stored yet. The name must be fresh.
    pub fn stage(&self, object: &str, length: u64) -> Result<Staged> {
        names::check(object)?;
        let sealed = self.sealing().map(|vault| vault.stage(object, length)).transpose()?;
        let stored = if sealed.is_some() { upload::stored_length(length) } else { length };
        let multipart = match &self.engine {
            Engine::Local(_) => None,
            Engine::Service(_) => Some(Multipart { part_size: part_size(stored), ..Multipart::default() }),
        };
        let (object, key) = (object.to_owned(), uuid::Uuid::now_v7());
        Ok(Staged { object, length, received: 0, key, multipart, sealed })
    }

    /// Goes on writing after the state's last durable byte. [`Error::Busy`]: another writer has it.
    /// [`Error::Exists`]: it had been finished, although the state does not know.
    pub async fn append(&self, staged: &Staged) -> Result<Appender> {
        names::check(&staged.object)?;
        let mut staged = staged.clone();
        let refused = |reason| Error::other(&staged.object, reason);
        match (staged.sealed.take(), &self.vault) {
            (None, Some(vault)) if vault.requires() => {
                Err(refused("the upload was begun without encryption, and blob.encryption_required is set"))
            }
            (None, _) => Ok(Appender(Kind::Plain(Writer::open(&self.engine, staged).await?))),
            (Some(_), None) => {
                Err(refused("the upload was begun with encryption, and no blob.encryption_key is configured"))
            }
            (Some(progress), Some(vault)) => {
                let appender = vault.append(&self.engine, staged, progress).await?;
                Ok(Appender(Kind::Sealed(Box::new(appender))))
            }
        }
    }

    /// Removes an unfinished object and all that was stored for it. Repeating it is fine.
    pub async fn abort(&self, staged: &Staged) -> Result<()> {
        names::check(&staged.object)?;
        self.changed(&staged.object);
        if staged.sealed.is_some() {
            upload::abort(&self.engine, staged).await?;
        }
        match &self.engine {
            Engine::Local(local) => super::local_upload::abort(local, staged).await,
            Engine::Service(store) => super::service::upload::abort(store, staged).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_fit_into_the_limits_of_s3_for_every_length() {
        const GIB: u64 = 1 << 30;
        for length in [
            1,
            LEAST_PART,
            9_000 * LEAST_PART,
            9_000 * LEAST_PART + 1,
            100_000_000_000,
            100 * GIB,
            GIB * 1024,
            5 * 1024 * GIB - 1,
            5 * 1024 * GIB,
        ] {
            let part = part_size(length);
            let parts = length.div_ceil(part);
            assert!(parts <= MOST_PARTS, "{length}: {parts} parts");
            assert!((5 * MIB..=5 * GIB).contains(&part), "{length}: parts of {part}");
            assert_eq!(part % MIB, 0);
        }
        assert_eq!(part_size(100_000_000_000), 11 * MIB);
        assert_eq!(part_size(75_000_000_000), 8 * MIB);
        assert_eq!(part_size(5 * 1024 * GIB), 583 * MIB);
        assert_eq!(part_size(u64::MAX) % MIB, 0);
    }

    #[test]
    fn the_state_stays_small_however_many_parts() {
        let multipart = Multipart {
            tag_lists: vec![format!("{FOLDER}/{}/tags-{}", uuid::Uuid::now_v7(), uuid::Uuid::now_v7()); 18],
            tags: vec![format!("\"{}\"", "0".repeat(32)); Multipart::TAGS_EACH],
            ..Multipart::default()
        };
        assert_eq!(multipart.parts(), 9_500);
        assert!(serde_json::to_string(&multipart).unwrap().len() < 32 * 1024);
    }
}
