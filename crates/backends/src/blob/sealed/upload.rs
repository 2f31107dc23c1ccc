//! Resumable writing of encrypted objects. Only whole blocks go to the engine's own appender; the bytes of the block that
//! is not full yet are, at a checkpoint, an encrypted object of their own (the rest). What is written again after a crash
//! is encrypted under a fresh random nonce, so that nothing is learned by comparing the two.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::{
    Vault,
    key::ObjectKey,
    layout::{self, BLOCK},
};
use crate::blob::{
    Error, Result, Staged,
    engine::Engine,
    staged::{FOLDER, Writer},
};

/// Blocks that are encrypted before other tasks have their turn.
const AT_A_TIME: usize = 4;

/// What an unfinished object's state says in addition when it is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The object's header, hexadecimal; it holds the wrapped key.
    header: String,
    /// Stored bytes that are durable: whole blocks.
    stored: u64,
    rest: Option<Rest>,
}

/// The beginning of a block that is not full yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Rest {
    object: String,
    block: u64,
    length: u64,
}

/// Where the rests of an unfinished object lie.
fn folder(staged: &Staged) -> String {
    format!("{FOLDER}/{}.rest", staged.key)
}

/// The state of the engine's own appender.
pub fn inner(staged: &Staged, progress: &Progress) -> Staged {
    Staged {
        object: staged.object.clone(),
        length: layout::stored(staged.length),
        received: progress.stored,
        key: staged.key,
        multipart: staged.multipart.clone(),
        sealed: None,
    }
}

/// Bytes on the engine's side of an object of `length` bytes.
pub fn stored_length(length: u64) -> u64 {
    layout::stored(length)
}

pub async fn abort(engine: &Engine, staged: &Staged) -> Result<()> {
    engine.delete_prefix(&folder(staged)).await.map(drop)
}

pub struct SealedAppender {
    vault: Vault,
    engine: Engine,
    writer: Writer,
    staged: Staged,
    progress: Progress,
    key: Arc<ObjectKey>,
    /// The block that grows, and its bytes.
    block: u64,
    buffer: BytesMut,
    /// Rests that the newest state does not need any more.
    garbage: Vec<String>,
    /// A failed write leaves the engine's side unknown: go on from the last saved state.
    failed: bool,
}

impl Vault {
    /// What a new upload's state begins with.
    pub fn stage(&self, object: &str, length: u64) -> Result<Progress> {
        let key = self.fresh(object, length)?;
        Ok(Progress { header: hex::encode(key.header), stored: 0, rest: None })
    }

    pub async fn append(
        &self,
        engine: &Engine,
        staged: Staged,
        progress: Progress,
    ) -> Result<SealedAppender> {
        let disagree = || Error::other(&staged.object, "the unfinished object and its state do not agree");
        let header = hex::decode(&progress.header).map_err(|_| disagree())?;
        let key = Arc::new(ObjectKey::open(&self.0.keys, &staged.object, &header)?);
        if key.length != staged.length {
            return Err(disagree());
        }
        if staged.received > 0 && progress.stored == 0 && is_finished(engine, &staged).await? {
            return Err(Error::Exists(staged.object));
        }
        let writer = Writer::open(engine, inner(&staged, &progress)).await?;
        let block = match progress.stored {
            stored if stored == layout::stored(staged.length) => layout::blocks(staged.length),
            stored if stored % BLOCK == 0 => stored / BLOCK,
            _ => return Err(disagree()),
        };
        let mut buffer = BytesMut::with_capacity(BLOCK as usize);
        if let Some(rest) = &progress.rest {
            buffer.extend_from_slice(&self.read_rest(engine, rest).await?);
            if rest.block != block || rest.length != buffer.len() as u64 {
                return Err(disagree());
            }
        }
        if layout::start(block).min(staged.length) + buffer.len() as u64 != staged.received {
            return Err(disagree());
        }
        let (vault, engine) = (self.clone(), engine.clone());
        let garbage = Vec::new();
        Ok(SealedAppender {
            vault,
            engine,
            writer,
            staged,
            progress,
            key,
            block,
            buffer,
            garbage,
            failed: false,
        })
    }

    async fn read_rest(&self, engine: &Engine, rest: &Rest) -> Result<Bytes> {
        let stored = engine.get(&rest.object).await.map_err(|e| match e {
            Error::NotFound(object) => Error::other(object, "stored bytes of the unfinished object are gone"),
            other => other,
        })?;
        let key = ObjectKey::open(&self.0.keys, &rest.object, &stored)?;
        if key.length != rest.length {
            return Err(super::key::damaged(&rest.object, "it is not the one that was written"));
        }
        self.unseal(&rest.object, stored).await
    }
}

/// Has it been finished, although its state does not know?
async fn is_finished(engine: &Engine, staged: &Staged) -> Result<bool> {
    match engine.head(&staged.object).await {
        Ok(meta) => Ok(meta.size == layout::stored(staged.length)),
        Err(Error::NotFound(_)) => Ok(false),
        Err(e) => Err(e),
    }
}

impl SealedAppender {
    pub fn staged(&self) -> &Staged {
        &self.staged
    }

    pub fn offset(&self) -> u64 {
        layout::start(self.block).min(self.staged.length) + self.buffer.len() as u64
    }

    pub async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        self.usable()?;
        let mut sealed = 0;
        while !bytes.is_empty() {
            let room = layout::held(self.block, self.staged.length) - self.buffer.len();
            let taken = bytes.split_to(bytes.len().min(room));
            self.buffer.extend_from_slice(&taken);
            if taken.len() < room {
                continue;
            }
            self.seal().await?;
            sealed += 1;
            if sealed % AT_A_TIME == 0 {
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    fn usable(&self) -> Result<()> {
        if self.failed {
            return Err(Error::unavailable(&self.staged.object, "an earlier write to it failed"));
        }
        Ok(())
    }

    /// Encrypts the block, which is full, and hands it on.
    async fn seal(&mut self) -> Result<()> {
        // Also when the caller gives up in the middle.
        self.failed = true;
        let mut stored = BytesMut::with_capacity(BLOCK as usize);
        if self.block == 0 {
            stored.extend_from_slice(&self.key.header);
        }
        self.key.seal(&self.staged.object, self.block, &self.buffer, &mut stored)?;
        self.writer.write(stored.freeze()).await?;
        self.buffer.clear();
        self.block += 1;
        self.failed = false;
        Ok(())
    }

    pub async fn progress(&mut self) -> Result<&Staged> {
        self.usable()?;
        let state = self.writer.progress().await?.clone();
        Ok(self.state(state))
    }

    pub async fn checkpoint(&mut self) -> Result<&Staged> {
        self.usable()?;
        let state = self.writer.checkpoint().await?.clone();
        let length = self.buffer.len() as u64;
        let kept = self.progress.rest.as_ref().is_some_and(|r| r.block == self.block && r.length == length);
        if length > 0 && !kept {
            let object = format!("{}/{}", folder(&self.staged), uuid::Uuid::now_v7());
            let plain = Bytes::copy_from_slice(&self.buffer);
            let stored = self.vault.seal(&object, plain).await?;
            self.engine.put(&object, stored).await?;
            let older = self.progress.rest.replace(Rest { object, block: self.block, length });
            self.garbage.extend(older.map(|rest| rest.object));
        }
        Ok(self.state(state))
    }

    /// Notes what the engine's side counts as durable. The rest counts until its block does.
    fn state(&mut self, state: Staged) -> &Staged {
        let stored = state.received;
        let (block, received) = if stored == layout::stored(self.staged.length) {
            (layout::blocks(self.staged.length), self.staged.length)
        } else {
            (stored / BLOCK, layout::start(stored / BLOCK))
        };
        self.garbage.extend(self.progress.rest.take_if(|rest| rest.block < block).map(|rest| rest.object));
        let rest = self.progress.rest.as_ref().filter(|rest| rest.block == block);
        self.staged.received = received + rest.map_or(0, |rest| rest.length);
        self.progress.stored = stored;
        self.staged.multipart = state.multipart;
        self.staged.sealed = Some(self.progress.clone());
        &self.staged
    }

    /// Best effort: what stays is removed at the end.
    pub async fn saved(&mut self) {
        self.writer.saved().await;
        for object in self.garbage.drain(..) {
            if let Err(error) = self.engine.delete(&object).await {
                tracing::debug!(%error, object, "a leftover of an upload stays until it ends");
            }
        }
    }

    pub async fn finish(mut self) -> Result<()> {
        self.usable()?;
        if self.staged.length == 0 {
            self.writer.write(Bytes::copy_from_slice(&self.key.header)).await?;
        }
        self.writer.finish().await?;
        self.vault.forget(&self.staged.object);
        // The object is there: failing to remove leftovers must not fail it.
        if let Err(error) = abort(&self.engine, &self.staged).await {
            tracing::warn!(%error, object = self.staged.object, "leftovers of an upload could not be removed");
        }
        Ok(())
    }

    pub async fn forget(self) {
        self.writer.forget().await;
    }
}
