//! Encryption at rest, between the façade and the engines. Every object has a random data key of its own, wrapped in its
//! header ([`key`]); its bytes lie in blocks that are encrypted and authenticated one by one ([`layout`]), so that a range
//! is read without the rest. Why it is so: `docs/adr/0005-encryption-at-rest.md`.

mod file;
mod key;
mod layout;
mod read;
#[cfg(test)]
mod tests;
pub(super) mod upload;
#[cfg(test)]
mod witness;

use std::{
    collections::HashMap,
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::{Bytes, BytesMut};
use futures::{StreamExt, TryStreamExt, stream::BoxStream};

use super::{Config, Entry, Error, Meta, Result, engine::Engine};
use key::{Kek, ObjectKey};

/// More bytes than this are worked on off the async threads.
const MUCH: usize = 256 * 1024;
/// Data keys remembered, so that a range takes one read.
const REMEMBERED: usize = 4096;
/// Headers read at a time for a listing.
const AT_A_TIME: usize = 16;
const MOST_KEY_FILE: u64 = 64 * 1024;
/// So many bytes of its beginning tell whether an object is encrypted, and with which key.
pub(super) const TELLS: u64 = 28;

/// Seals and opens objects. Cheap to clone.
#[derive(Clone)]
pub(super) struct Vault(Arc<Inner>);

struct Inner {
    /// The first is for new objects when `seals`.
    keys: Vec<Kek>,
    seals: bool,
    required: bool,
    known: Mutex<HashMap<String, Arc<ObjectKey>>>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("keys", &self.0.keys).field("seals", &self.0.seals).finish()
    }
}

impl Vault {
    /// None without any key.
    pub fn open(config: &Config) -> Result<Option<Self>> {
        let mut keys = Vec::new();
        match (&config.encryption_key, &config.encryption_key_file) {
            (Some(_), Some(_)) => {
                return Err(Error::other(
                    "blob.encryption_key",
                    "set either this or blob.encryption_key_file, not both",
                ));
            }
            (Some(key), None) => keys.push(Kek::parse(&key.0, "blob.encryption_key")?),
            (None, Some(path)) => keys.extend(from_file(path)?),
            (None, None) => {}
        }
        let seals = !keys.is_empty();
        for key in &config.encryption_old_keys {
            keys.push(Kek::parse(&key.0, "blob.encryption_old_keys")?);
        }
        let required = config.encryption_required;
        if required && !seals {
            return Err(Error::other(
                "blob.encryption_required",
                "is set, but there is no blob.encryption_key",
            ));
        }
        let inner = Inner { keys, seals, required, known: Mutex::default() };
        Ok(Some(Self(Arc::new(inner))).filter(|vault| !vault.0.keys.is_empty()))
    }

    /// Are new objects to be encrypted, or can old ones only be read?
    pub fn seals(&self) -> bool {
        self.0.seals
    }

    pub fn requires(&self) -> bool {
        self.0.required
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, Arc<ObjectKey>>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn forget(&self, object: &str) {
        self.known().remove(object);
    }

    fn remember(&self, object: &str, key: ObjectKey) -> Arc<ObjectKey> {
        let key = Arc::new(key);
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(object.to_owned(), key.clone());
        key
    }

    fn fresh(&self, object: &str, length: u64) -> Result<ObjectKey> {
        let kek = self.0.keys.first().ok_or_else(|| Error::other(object, "no key to encrypt with"))?;
        ObjectKey::new(kek, object, length)
    }

    /// The key in a header; none when the object does not begin with one.
    fn key_in(&self, object: &str, beginning: &[u8]) -> Result<Option<ObjectKey>> {
        if key::is_sealed(beginning) {
            return ObjectKey::open(&self.0.keys, object, beginning).map(Some);
        }
        if self.0.required {
            return Err(Error::other(
                object,
                "the stored object is not encrypted, and blob.encryption_required is set",
            ));
        }
        metrics::counter!("kinora_blob_unencrypted_reads_total").increment(1);
        tracing::debug!(object, "read an object that is not encrypted");
        Ok(None)
    }

    /// A whole object in its stored form.
    pub async fn seal(&self, object: &str, plain: Bytes) -> Result<Bytes> {
        let key = self.fresh(object, plain.len() as u64)?;
        work(object, plain.len(), move |object| seal_whole(object, &key, &plain)).await
    }

    /// A whole object from its stored form.
    pub async fn unseal(&self, object: &str, stored: Bytes) -> Result<Bytes> {
        let Some(key) = self.key_in(object, &stored)? else { return Ok(stored) };
        let open = move |object: &str| {
            let plain = key.unseal(object, 0, &stored[layout::HEADER..])?;
            if plain.len() as u64 == key.length {
                Ok(plain.into())
            } else {
                Err(key::damaged(object, "it is shorter than it was"))
            }
        };
        work(object, usize::MAX, open).await
    }

    /// Encrypts a local file while it is copied.
    pub async fn put_file(&self, engine: &Engine, object: &str, path: &Path) -> Result<u64> {
        let (path, vault) = (path.to_owned(), self.clone());
        let open = move |object: &str| {
            let io = |e: io::Error| Error::io(object, &e);
            // A link could lead anywhere.
            if !fs::symlink_metadata(&path).map_err(io)?.is_file() {
                return Err(Error::other(object, "not a regular file"));
            }
            let file = File::open(&path).map_err(io)?;
            let length = file.metadata().map_err(io)?.len();
            Ok((file::SealedFile::new(file, vault.fresh(object, length)?, object), length))
        };
        let (source, length) = work(object, usize::MAX, open).await?;
        engine.put_from(object, layout::stored(length), Box::new(source)).await?;
        Ok(length)
    }

    pub async fn head(&self, engine: &Engine, object: &str) -> Result<Meta> {
        match self.key_of(engine, object).await? {
            Some(key) => Ok(Meta { size: key.length }),
            None => engine.head(object).await,
        }
    }

    /// Puts the sizes of objects in place of the sizes of their stored form.
    pub async fn measure(&self, engine: &Engine, listed: Vec<Entry>) -> Result<Vec<Entry>> {
        let measured = |mut entry: Entry| async move {
            let known = self.known().get(&entry.object).cloned();
            let known = known.filter(|key| layout::stored(key.length) == entry.size);
            let key = match known {
                Some(key) => Some(key),
                None => match self.key_of(engine, &entry.object).await {
                    // Deleted while we look: not there.
                    Err(Error::NotFound(_)) => return Ok(None),
                    other => other?,
                },
            };
            entry.size = key.map_or(entry.size, |key| key.length);
            Ok(Some(entry))
        };
        let all: BoxStream<'_, Result<Option<Entry>>> =
            futures::stream::iter(listed).map(measured).buffered(AT_A_TIME).boxed();
        all.try_filter_map(|entry| std::future::ready(Ok(entry))).try_collect().await
    }

    /// Reads the header of an object; none when it has none.
    async fn key_of(&self, engine: &Engine, object: &str) -> Result<Option<Arc<ObjectKey>>> {
        let beginning = match engine.some(object, 0..layout::HEADER as u64).await {
            Ok(beginning) => beginning,
            // Some services refuse a range of an empty object.
            Err(Error::NotFound(name)) => return Err(Error::NotFound(name)),
            Err(error) => match engine.head(object).await?.size {
                0 => Bytes::new(),
                _ => return Err(error),
            },
        };
        Ok(self.key_in(object, &beginning)?.map(|key| self.remember(object, key)))
    }
}

fn from_file(path: &Path) -> Result<Vec<Kek>> {
    const SETTING: &str = "blob.encryption_key_file";
    let wrong = |e: io::Error| Error::other(SETTING, format!("{}: {e}", path.display()));
    let mut text = String::new();
    File::open(path).map_err(wrong)?.take(MOST_KEY_FILE).read_to_string(&mut text).map_err(wrong)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys = lines.map(|line| Kek::parse(line, SETTING)).collect::<Result<Vec<_>>>()?;
    if keys.is_empty() { Err(Error::other(SETTING, "the file holds no key")) } else { Ok(keys) }
}

fn seal_whole(object: &str, key: &ObjectKey, plain: &[u8]) -> Result<Bytes> {
    let mut stored = BytesMut::with_capacity(layout::stored(key.length) as usize);
    stored.extend_from_slice(&key.header);
    let mut rest = plain;
    for block in 0..layout::blocks(key.length) {
        let (one, after) = rest.split_at(layout::held(block, key.length));
        key.seal(object, block, one, &mut stored)?;
        rest = after;
    }
    Ok(stored.freeze())
}

/// Runs work on `amount` bytes here when it is short, otherwise off the async threads.
async fn work<T: Send + 'static>(
    object: &str,
    amount: usize,
    work: impl FnOnce(&str) -> Result<T> + Send + 'static,
) -> Result<T> {
    if amount <= MUCH {
        return work(object);
    }
    let name = object.to_owned();
    tokio::task::spawn_blocking(move || work(&name)).await.map_err(|e| Error::unavailable(object, e))?
}

/// How a configured key is named in headers and errors, as hexadecimal digits; none when it is no key.
pub fn key_id(secret: &super::Secret) -> Option<String> {
    Kek::parse(&secret.0, "").ok().map(|kek| hex::encode(kek.id))
}

/// Without a key: an error when the object turns out to be encrypted.
pub(super) fn refuse(object: &str, beginning: &[u8]) -> Result<()> {
    if key::is_sealed(beginning) { Err(key::unknown_key(object, key::named_id(beginning))) } else { Ok(()) }
}

/// The same for a stream that starts at the object's first byte.
pub(super) fn refuse_stream(
    object: &str,
    pieces: BoxStream<'static, Result<Bytes>>,
) -> BoxStream<'static, Result<Bytes>> {
    let object = object.to_owned();
    let checked = pieces.enumerate().map(move |(n, piece)| {
        let piece = piece?;
        if n == 0 {
            refuse(&object, &piece)?;
        }
        Ok(piece)
    });
    checked.boxed()
}
