//! Resumable writing on a local directory: a file that grows under `.staging` and is renamed into place at the end.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::FileExt,
    sync::Arc,
};

use bytes::{Bytes, BytesMut};

use super::{
    Error, Result, Staged,
    local::{self, Local, blocking},
};

/// Bytes that wait in memory before they are written.
const BUFFER: usize = 1 << 20;

/// A staging file that one writer has. Its lock belongs to the open file, which a process that is being started shares
/// until it has become its program: to close the file alone would leave it locked until then.
struct Held(File);

impl Drop for Held {
    fn drop(&mut self) {
        // What fails here ends with the file.
        let _ = self.0.unlock();
    }
}

pub(super) struct LocalAppender {
    local: Local,
    staged: Staged,
    file: Arc<Held>,
    buffer: BytesMut,
    /// Bytes in the file, synced or not.
    written: u64,
}

impl LocalAppender {
    pub async fn open(local: Local, staged: Staged) -> Result<Self> {
        let path = local.staging_path(&staged.key.to_string());
        let target = local.path(&staged.object);
        let (received, length) = (staged.received, staged.length);
        let opened = blocking(&staged.object, move |_| {
            if fs::metadata(&target).is_ok_and(|done| done.len() == length) && !path.exists() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let file = OpenOptions::new().write(true).create(received == 0).truncate(false).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(e),
            }
            let held = Held(file);
            let file = &held.0;
            if file.metadata()?.len() < received {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "stored bytes of the unfinished file are gone",
                ));
            }
            file.set_len(received)?;
            if received == 0
                && let Some(folder) = path.parent()
            {
                local::sync_folder(folder)?;
            }
            Ok(Some(held))
        });
        let file = opened.await?.ok_or_else(|| Error::Busy(staged.object.clone()))?;
        Ok(Self {
            local,
            written: received,
            staged,
            file: Arc::new(file),
            buffer: BytesMut::with_capacity(BUFFER),
        })
    }

    pub fn staged(&self) -> &Staged {
        &self.staged
    }

    pub fn offset(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush().await?;
        }
        if bytes.len() >= BUFFER {
            return self.write_through(bytes).await;
        }
        self.buffer.extend_from_slice(&bytes);
        Ok(())
    }

    async fn flush(&mut self) -> Result<()> {
        let bytes = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(BUFFER)).freeze();
        if bytes.is_empty() { Ok(()) } else { self.write_through(bytes).await }
    }

    async fn write_through(&mut self, bytes: Bytes) -> Result<()> {
        let (file, at, count) = (self.file.clone(), self.written, bytes.len() as u64);
        blocking(&self.staged.object, move |_| file.0.write_all_at(&bytes, at)).await?;
        self.written += count;
        Ok(())
    }

    pub async fn progress(&mut self) -> Result<&Staged> {
        self.checkpoint().await
    }

    pub async fn checkpoint(&mut self) -> Result<&Staged> {
        self.flush().await?;
        let file = self.file.clone();
        blocking(&self.staged.object, move |_| file.0.sync_data()).await?;
        self.staged.received = self.written;
        Ok(&self.staged)
    }

    pub async fn finish(mut self) -> Result<()> {
        self.flush().await?;
        let (local, file, key) = (self.local, self.file, self.staged.key.to_string());
        blocking(&self.staged.object, move |object| {
            file.0.sync_all()?;
            local.install(&local.staging_path(&key), object)
        })
        .await
    }
}

/// Removes the staging file; should it have been finished without its owner's knowledge, the finished file.
pub(super) async fn abort(local: &Local, staged: &Staged) -> Result<()> {
    let (path, target) = (local.staging_path(&staged.key.to_string()), local.path(&staged.object));
    blocking(&staged.object, move |_| {
        local::gone_is_fine(fs::remove_file(path))?;
        local::gone_is_fine(fs::remove_file(target))
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_given_back_while_a_starting_process_shares_it() {
        let dir = tempfile::tempdir().unwrap();
        let local = Local::open(dir.path()).unwrap();
        let staged = Staged {
            object: "masters/u/original".into(),
            length: 10,
            received: 0,
            key: uuid::Uuid::now_v7(),
            multipart: None,
            sealed: None,
        };
        let first = LocalAppender::open(local.clone(), staged.clone()).await.unwrap();
        let shared = first.file.0.try_clone().unwrap();
        drop(first);
        assert!(LocalAppender::open(local, staged).await.is_ok());
        drop(shared);
    }
}
