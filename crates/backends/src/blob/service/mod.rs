//! Objects in a storage service: S3 and what is compatible with it, Google Cloud Storage, Azure Blob Storage. They differ in
//! how they are reached ([`open`]) and in few words of the protocol; everything else is here once.

mod open;
pub(super) mod upload;

use std::{fs::File, io::Read, ops::Range, path::Path as FilePath, sync::Arc};

use bytes::Bytes;
use domain::Micros;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, MultipartId, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    multipart::MultipartStore, path::Path,
};

use super::{Config, Entry, Error, Meta, Result, local, out_of_range, staged};

/// What is asked of a service: whole objects, and objects in parts.
pub(crate) trait Client: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Client for T {}

#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub client: Arc<dyn Client>,
    prefix: String,
    /// Azure keeps parts of an unfinished object until something is stored in its place.
    parts_stay: bool,
}

impl Service {
    /// From a `blob.url` with the scheme of a service; none when it has another one.
    pub fn open(config: &Config) -> Result<Option<Self>> {
        let Some((scheme, place)) = config.url.split_once("://") else { return Ok(None) };
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(Error::other(&config.url, "blob.url lacks a bucket"));
        }
        if scheme == "az" && config.azure.account.is_none() {
            return Err(Error::other(&config.url, "blob.azure.account is missing"));
        }
        let client = match scheme {
            "s3" => open::s3(bucket, &config.s3),
            "gs" => open::gcs(bucket, &config.gcs),
            "az" => open::azure(bucket, &config.azure),
            _ => return Ok(None),
        };
        let prefix = super::names::check_prefix(prefix)?.to_owned();
        let client = client.map_err(|e| Error::other(&config.url, e))?;
        Ok(Some(Self { client, prefix, parts_stay: scheme == "az" }))
    }

    pub fn path(&self, object: &str) -> Path {
        if self.prefix.is_empty() {
            Path::from(object)
        } else {
            Path::from(format!("{}/{object}", self.prefix))
        }
    }

    pub async fn put(&self, object: &str, bytes: Bytes) -> Result<()> {
        let put = self.client.put(&self.path(object), bytes.into()).await;
        put.map(drop).map_err(|e| Error::service(object, &e))
    }

    pub async fn put_new(&self, object: &str, bytes: Bytes) -> Result<()> {
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = self.client.put_opts(&self.path(object), bytes.into(), options).await;
        put.map(drop).map_err(|e| Error::service(object, &e))
    }

    pub async fn put_file(&self, object: &str, path: &FilePath) -> Result<u64> {
        let (file, size) = {
            let path = path.to_owned();
            let opened = local::blocking(object, move |_| {
                let file = File::open(path)?;
                let size = file.metadata()?.len();
                Ok((file, size))
            });
            opened.await?
        };
        self.put_from(object, size, Box::new(file)).await.map(|()| size)
    }

    /// Sends the `size` bytes that `source` gives part by part: one part in memory.
    pub async fn put_from(&self, object: &str, size: u64, source: Box<dyn Read + Send>) -> Result<()> {
        let part = staged::part_size(size);
        if size <= part {
            let (_, bytes) = read(object, source, part).await?;
            return self.put(object, bytes).await;
        }
        let at = self.path(object);
        let service = |e| Error::service(object, &e);
        let id = self.client.create_multipart(&at).await.map_err(service)?;
        let sent = self.send_parts(object, &at, &id, source, size).await;
        if sent.is_err() {
            // Best effort: what remains is removed by the bucket's rule for unfinished uploads.
            let _ = self.client.abort_multipart(&at, &id).await;
        }
        sent
    }

    async fn send_parts(
        &self,
        object: &str,
        at: &Path,
        id: &String,
        mut source: Box<dyn Read + Send>,
        size: u64,
    ) -> Result<()> {
        let part = staged::part_size(size);
        let (mut parts, mut done) = (Vec::new(), 0);
        while done < size {
            let (rest, bytes) = read(object, source, part).await?;
            source = rest;
            if bytes.is_empty() {
                return Err(Error::unavailable(object, "the file became shorter while it was read"));
            }
            done += bytes.len() as u64;
            let sent = self.client.put_part(at, id, parts.len(), bytes.into()).await;
            parts.push(sent.map_err(|e| Error::service(object, &e))?);
        }
        self.client.complete_multipart(at, id, parts).await.map(drop).map_err(|e| Error::service(object, &e))
    }

    pub async fn copy(&self, from: &str, to: &str) -> Result<()> {
        let copied = self.client.copy(&self.path(from), &self.path(to)).await;
        copied.map_err(|e| Error::service(from, &e))
    }

    pub async fn get(&self, object: &str) -> Result<Bytes> {
        let service = |e| Error::service(object, &e);
        self.client.get(&self.path(object)).await.map_err(service)?.bytes().await.map_err(service)
    }

    /// May give less than asked for at the end of the object.
    pub async fn range(&self, object: &str, range: Range<u64>) -> Result<Bytes> {
        let got = self.client.get_range(&self.path(object), range.clone()).await;
        match got {
            Err(object_store::Error::Generic { .. }) if self.head(object).await?.size <= range.start => {
                Err(out_of_range(object, &range))
            }
            other => other.map_err(|e| Error::service(object, &e)),
        }
    }

    pub async fn stream(
        &self,
        object: &str,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        if let Some(range) = &range {
            if range.start > range.end || self.head(object).await?.size < range.end {
                return Err(out_of_range(object, range));
            }
            if range.is_empty() {
                return Ok(futures::stream::empty().boxed());
            }
        }
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let got = self.client.get_opts(&self.path(object), options).await;
        let pieces = got.map_err(|e| Error::service(object, &e))?.into_stream();
        let object = object.to_owned();
        Ok(pieces.map_err(move |e| Error::service(&object, &e)).boxed())
    }

    pub async fn head(&self, object: &str) -> Result<Meta> {
        let meta = self.client.head(&self.path(object)).await.map_err(|e| Error::service(object, &e))?;
        Ok(Meta { size: meta.size })
    }

    pub async fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        let at = self.path(folder);
        let cut = if self.prefix.is_empty() { 0 } else { self.prefix.len() + 1 };
        self.client
            .list(Some(&at))
            .map_ok(|meta| Entry {
                object: meta.location.as_ref().get(cut..).unwrap_or_default().to_owned(),
                size: meta.size,
                modified: Micros(meta.last_modified.timestamp_micros()),
            })
            .map_err(|e| Error::service(folder, &e))
            .try_filter(|entry| {
                let shown = entry.object.as_str() != folder && !entry.object.starts_with(staged::FOLDER);
                std::future::ready(shown)
            })
            .try_collect()
            .await
    }

    pub async fn delete(&self, object: &str) -> Result<()> {
        match self.client.delete(&self.path(object)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(Error::service(object, &e)),
        }
    }

    pub async fn delete_prefix(&self, folder: &str) -> Result<u64> {
        let found = self.client.list(Some(&self.path(folder))).map_ok(|meta| meta.location).boxed();
        let deleted = self.client.delete_stream(found).map(|deleted| match deleted {
            Ok(_) => Ok(1),
            // Someone else was faster.
            Err(object_store::Error::NotFound { .. }) => Ok(0),
            Err(e) => Err(Error::service(folder, &e)),
        });
        deleted.try_fold(0, |sum, one| std::future::ready(Ok(sum + one))).await
    }

    /// Gives up an unfinished object of which parts were stored under `id`.
    async fn abort_parts(&self, object: &str, id: &MultipartId) -> Result<()> {
        match self.client.abort_multipart(&self.path(object), id).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(Error::service(object, &e)),
        }
    }
}

/// Reads the next `size` bytes, fewer at the end.
async fn read(
    object: &str,
    mut source: Box<dyn Read + Send>,
    size: u64,
) -> Result<(Box<dyn Read + Send>, Bytes)> {
    local::blocking(object, move |_| {
        let piece = local::read_piece(&mut source, size as usize)?;
        Ok((source, Bytes::from(piece)))
    })
    .await
}
