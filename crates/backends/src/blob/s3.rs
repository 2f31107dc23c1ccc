//! Objects in an S3-compatible service.

use std::{fs::File, io::Read, ops::Range, path::Path as FilePath, sync::Arc, time::Duration};

use bytes::Bytes;
use domain::Micros;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    multipart::MultipartStore,
    path::Path,
};

use super::{Entry, Error, Meta, Result, S3, local, out_of_range, staged};

#[derive(Debug, Clone)]
pub(super) struct S3Store {
    pub client: Arc<AmazonS3>,
    prefix: String,
}

impl S3Store {
    /// `place` is `bucket` or `bucket/prefix`.
    pub fn open(place: &str, config: &S3) -> Result<Self> {
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        let prefix = super::names::check_prefix(prefix)?;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&config.region)
            .with_allow_http(config.allow_http)
            .with_client_options(client_options(config.allow_http))
            .with_retry(retry());
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(key) = &config.access_key_id {
            builder = builder.with_access_key_id(key);
        }
        if let Some(secret) = &config.secret_access_key {
            builder = builder.with_secret_access_key(secret);
        }
        let client = builder.build().map_err(|e| Error::other(format!("s3://{place}"), e))?;
        Ok(Self { client: Arc::new(client), prefix: prefix.to_owned() })
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
        let deleted = self.client.delete_stream(found).map_ok(|_| 1_u64);
        deleted
            .try_fold(0, |sum, one| std::future::ready(Ok(sum + one)))
            .await
            .map_err(|e| Error::service(folder, &e))
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

fn client_options(allow_http: bool) -> ClientOptions {
    // No limit on a whole request: a part may be large and a reader may be slow. Silence is limited.
    ClientOptions::new()
        .with_allow_http(allow_http)
        .with_connect_timeout(Duration::from_secs(5))
        .with_read_timeout(Duration::from_secs(60))
        .with_timeout_disabled()
}

fn retry() -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(4),
        base: 2.0,
    };
    RetryConfig { backoff, max_retries: 6, retry_timeout: Duration::from_secs(30) }
}
