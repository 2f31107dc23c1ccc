//! Reading from buckets that are not ours: where operators let creators import from.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, path::Path};

use crate::blob::{Config, Error, Result, S3, Service};

/// A bucket of an S3-compatible service, for reading.
#[derive(Debug, Clone)]
pub struct Bucket(Service);

/// An object that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub size: u64,
    /// Changes when the object does; empty where the service tells none.
    pub tag: String,
}

impl Bucket {
    /// The service is not contacted yet.
    pub fn open(name: &str, config: &S3) -> Result<Self> {
        let config = Config { url: format!("s3://{name}"), s3: config.clone(), ..Config::default() };
        let service = Service::open(&config)?;
        service.map(Self).ok_or_else(|| Error::other(name, "not a bucket"))
    }

    pub async fn find(&self, key: &str) -> Result<Found> {
        let path = path(key)?;
        let meta = self.0.client.head(&path).await.map_err(|e| Error::service(key, &e))?;
        Ok(Found { size: meta.size, tag: meta.e_tag.unwrap_or_default() })
    }

    /// The object's bytes from `offset` on. [`Error::Other`] when it is not the one with `tag` any more.
    pub async fn read(&self, key: &str, tag: &str, offset: u64) -> Result<BoxStream<'static, Result<Bytes>>> {
        let options = GetOptions {
            range: (offset > 0).then_some(GetRange::Offset(offset)),
            if_match: Some(tag.to_owned()).filter(|tag| !tag.is_empty()),
            ..GetOptions::default()
        };
        let got = self.0.client.get_opts(&path(key)?, options).await.map_err(|e| Error::service(key, &e))?;
        let key = key.to_owned();
        Ok(got.into_stream().map_err(move |e| Error::service(&key, &e)).boxed())
    }
}

fn path(key: &str) -> Result<Path> {
    Path::parse(key).map_err(|error| Error::other(key, error))
}
