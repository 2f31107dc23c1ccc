//! Resumable writing in a storage service: a multipart upload of equal parts (on Azure: blocks of one blob). Bytes that do not
//! fill a part yet are objects of their own (the tail), read back when writing goes on. An object that fits one part is
//! stored by one plain request.

use bytes::{Bytes, BytesMut};
use futures::TryFutureExt;
use object_store::multipart::PartId;

use super::Service;
use crate::blob::{
    Error, Result, Staged,
    staged::{FOLDER, Multipart, Piece},
};

/// A cheap checkpoint of a part that is larger than this stores what came since as a piece of the tail.
const PIECE: usize = 32 << 20;
/// A tail of more pieces is rewritten as one.
const MOST_PIECES: usize = 64;

pub(in crate::blob) struct ServiceAppender {
    store: Service,
    staged: Staged,
    state: Multipart,
    /// The part that grows; at most one part.
    buffer: BytesMut,
    /// Bytes of `buffer` that are in the tail's pieces.
    kept: usize,
    /// Objects that the newest state does not need any more.
    garbage: Vec<String>,
    /// Is the multipart upload's id in a saved state?
    id_saved: bool,
}

impl ServiceAppender {
    pub async fn open(store: Service, mut staged: Staged) -> Result<Self> {
        let state = staged.multipart.take().unwrap_or_default();
        if staged.received > 0 && is_finished(&store, &staged).await? {
            return Err(Error::Exists(staged.object));
        }
        let sealed = state.parts() as u64 * state.part_size;
        let mut buffer = room(&state, staged.length.saturating_sub(sealed));
        for piece in &state.tail {
            let bytes = store.get(&piece.object).await.map_err(|e| match e {
                Error::NotFound(object) => {
                    Error::other(object, "stored bytes of the unfinished object are gone")
                }
                other => other,
            })?;
            buffer.extend_from_slice(&bytes);
        }
        if sealed + buffer.len() as u64 != staged.received {
            return Err(Error::other(&staged.object, "the unfinished object and its state do not agree"));
        }
        let (kept, id_saved) = (buffer.len(), state.id.is_some());
        Ok(Self { store, staged, state, buffer, kept, garbage: Vec::new(), id_saved })
    }

    pub fn staged(&self) -> &Staged {
        &self.staged
    }

    fn sealed(&self) -> u64 {
        self.state.parts() as u64 * self.state.part_size
    }

    pub fn offset(&self) -> u64 {
        self.sealed() + self.buffer.len() as u64
    }

    pub async fn write(&mut self, mut bytes: Bytes) -> Result<()> {
        let part = self.state.part_size as usize;
        while !bytes.is_empty() {
            let taken = bytes.split_to(bytes.len().min(part - self.buffer.len()));
            self.buffer.extend_from_slice(&taken);
            // The last part waits for `finish`.
            if self.buffer.len() == part && self.offset() < self.staged.length {
                self.seal().await?;
            }
        }
        Ok(())
    }

    /// Sends the buffer as the next part.
    async fn seal(&mut self) -> Result<()> {
        if self.state.tags.len() == Multipart::TAGS_EACH {
            self.set_tags_aside().await?;
        }
        let at = self.store.path(&self.staged.object);
        let service = |e| Error::service(&self.staged.object, &e);
        let id = match &self.state.id {
            Some(id) => id.clone(),
            None => self.store.client.create_multipart(&at).await.map_err(service)?,
        };
        self.state.id = Some(id.clone());
        // Kept until the service has it, so that the caller may retry.
        let bytes = std::mem::take(&mut self.buffer).freeze();
        let sent = self.store.client.put_part(&at, &id, self.state.parts(), bytes.clone().into()).await;
        match sent {
            Ok(part) => self.state.tags.push(part.content_id),
            Err(e) => {
                self.buffer = bytes.try_into_mut().unwrap_or_else(|bytes| BytesMut::from(&bytes[..]));
                return Err(Error::service(&self.staged.object, &e));
            }
        }
        drop(bytes);
        self.buffer = room(&self.state, self.staged.length - self.sealed());
        self.garbage.extend(self.state.tail.drain(..).map(|piece| piece.object));
        self.kept = 0;
        Ok(())
    }

    async fn set_tags_aside(&mut self) -> Result<()> {
        let tags = serde_json::to_vec(&self.state.tags).map_err(|e| Error::other(&self.staged.object, e))?;
        let object = self.private("tags");
        self.store.put(&object, tags.into()).await?;
        self.state.tag_lists.push(object);
        self.state.tags.clear();
        Ok(())
    }

    /// A fresh name: a writer that lost its right to write cannot spoil what its successor stored.
    fn private(&self, what: &str) -> String {
        format!("{}/{what}-{}", folder(&self.staged), uuid::Uuid::now_v7())
    }

    async fn keep_tail(&mut self) -> Result<()> {
        if self.kept == self.buffer.len() {
            return Ok(());
        }
        if self.state.tail.len() >= MOST_PIECES {
            self.garbage.extend(self.state.tail.drain(..).map(|piece| piece.object));
            self.kept = 0;
        }
        let object = self.private("tail");
        let bytes = Bytes::copy_from_slice(&self.buffer[self.kept..]);
        let length = bytes.len() as u64;
        self.store.put(&object, bytes).await?;
        self.state.tail.push(Piece { object, length });
        self.kept = self.buffer.len();
        Ok(())
    }

    fn state_to_save(&mut self) -> &Staged {
        self.staged.received = self.sealed() + self.kept as u64;
        self.staged.multipart = Some(self.state.clone());
        &self.staged
    }

    pub async fn progress(&mut self) -> Result<&Staged> {
        if self.buffer.len() - self.kept >= PIECE {
            self.keep_tail().await?;
        }
        Ok(self.state_to_save())
    }

    pub async fn checkpoint(&mut self) -> Result<&Staged> {
        self.keep_tail().await?;
        Ok(self.state_to_save())
    }

    /// Best effort: what stays is removed with the upload's folder at the end.
    pub async fn saved(&mut self) {
        self.id_saved = self.state.id.is_some();
        for object in self.garbage.drain(..) {
            if let Err(error) = self.store.delete(&object).await {
                tracing::debug!(%error, object, "a leftover of an upload stays until it ends");
            }
        }
    }

    pub async fn finish(mut self) -> Result<()> {
        let last = std::mem::take(&mut self.buffer).freeze();
        let Some(id) = self.state.id.clone() else {
            self.store.put(&self.staged.object, last).await?;
            return self.clean().await;
        };
        let at = self.store.path(&self.staged.object);
        let mut parts = self.parts().await?;
        let client = &self.store.client;
        let sent = client
            .put_part(&at, &id, parts.len(), last.into())
            .and_then(|part| {
                parts.push(part);
                client.complete_multipart(&at, &id, parts)
            })
            .await;
        if let Err(e) = sent {
            // The answer to an earlier attempt may have been lost.
            if !is_finished(&self.store, &self.staged).await.unwrap_or(false) {
                return Err(Error::service(&self.staged.object, &e));
            }
        }
        self.clean().await
    }

    async fn parts(&self) -> Result<Vec<PartId>> {
        let mut parts = Vec::with_capacity(self.state.parts() + 1);
        for list in &self.state.tag_lists {
            let bytes = self.store.get(list).await?;
            let tags: Vec<String> = serde_json::from_slice(&bytes).map_err(|e| Error::other(list, e))?;
            parts.extend(tags.into_iter().map(|content_id| PartId { content_id }));
        }
        parts.extend(self.state.tags.iter().map(|tag| PartId { content_id: tag.clone() }));
        Ok(parts)
    }

    /// The object is there: failing to remove leftovers must not fail it.
    async fn clean(&self) -> Result<()> {
        if let Err(error) = self.store.delete_prefix(&folder(&self.staged)).await {
            tracing::warn!(%error, object = self.staged.object, "leftovers of an upload could not be removed");
        }
        Ok(())
    }

    pub async fn forget(self) {
        if let (Some(id), false) = (&self.state.id, self.id_saved) {
            self.store.abort_parts(&self.staged.object, id).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "an abandoned multipart upload could not be aborted");
            });
        }
    }
}

/// An empty buffer for the next part. Reserved in full, so that growing never copies; untouched pages cost no memory.
fn room(state: &Multipart, left: u64) -> BytesMut {
    BytesMut::with_capacity(left.min(state.part_size) as usize)
}

fn folder(staged: &Staged) -> String {
    format!("{FOLDER}/{}", staged.key)
}

async fn is_finished(store: &Service, staged: &Staged) -> Result<bool> {
    match store.head(&staged.object).await {
        Ok(meta) => Ok(meta.size == staged.length),
        Err(Error::NotFound(_)) => Ok(false),
        Err(e) => Err(e),
    }
}

pub(in crate::blob) async fn abort(store: &Service, staged: &Staged) -> Result<()> {
    if let Some(id) = staged.multipart.as_ref().and_then(|state| state.id.as_ref()) {
        store.abort_parts(&staged.object, id).await?;
        if store.parts_stay {
            // Storing something, be it nothing, drops the blocks; otherwise they would cost money for a week.
            store.put(&staged.object, Bytes::new()).await?;
        }
    }
    store.delete_prefix(&folder(staged)).await?;
    store.delete(&staged.object).await
}
