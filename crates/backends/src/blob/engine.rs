//! The adapters behind one set of calls. They store bytes as they are given; names are checked before.

use std::{io::Read, ops::Range, path::Path};

use bytes::Bytes;
use futures::stream::BoxStream;

use super::{Entry, Meta, Result, local, out_of_range, service::Service};

#[derive(Debug, Clone)]
pub(super) enum Engine {
    Local(local::Local),
    Service(Service),
}

/// Runs the same call on whichever engine is configured.
macro_rules! on {
    ($self:expr, $engine:ident => $call:expr) => {
        match $self {
            Engine::Local($engine) => $call,
            Engine::Service($engine) => $call,
        }
    };
}

impl Engine {
    pub async fn put(&self, object: &str, bytes: Bytes) -> Result<()> {
        on!(self, engine => engine.put(object, bytes).await)
    }

    pub async fn put_new(&self, object: &str, bytes: Bytes) -> Result<()> {
        on!(self, engine => engine.put_new(object, bytes).await)
    }

    pub async fn put_file(&self, object: &str, path: &Path) -> Result<u64> {
        on!(self, engine => engine.put_file(object, path).await)
    }

    /// Stores the `size` bytes that `source` gives.
    pub async fn put_from(&self, object: &str, size: u64, source: Box<dyn Read + Send>) -> Result<()> {
        on!(self, engine => engine.put_from(object, size, source).await)
    }

    pub async fn get(&self, object: &str) -> Result<Bytes> {
        on!(self, engine => engine.get(object).await)
    }

    /// May give less than asked for at the end of the object.
    pub async fn some(&self, object: &str, range: Range<u64>) -> Result<Bytes> {
        on!(self, engine => engine.range(object, range).await)
    }

    pub async fn range(&self, object: &str, range: Range<u64>) -> Result<Bytes> {
        let bytes = self.some(object, range.clone()).await?;
        if bytes.len() as u64 == range.end - range.start {
            Ok(bytes)
        } else {
            Err(out_of_range(object, &range))
        }
    }

    pub async fn stream(
        &self,
        object: &str,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes>>> {
        on!(self, engine => engine.stream(object, range).await)
    }

    pub async fn head(&self, object: &str) -> Result<Meta> {
        on!(self, engine => engine.head(object).await)
    }

    pub async fn list(&self, folder: &str) -> Result<Vec<Entry>> {
        on!(self, engine => engine.list(folder).await)
    }

    pub async fn copy(&self, from: &str, to: &str) -> Result<()> {
        on!(self, engine => engine.copy(from, to).await)
    }

    pub async fn delete(&self, object: &str) -> Result<()> {
        on!(self, engine => engine.delete(object).await)
    }

    pub async fn delete_prefix(&self, folder: &str) -> Result<u64> {
        on!(self, engine => engine.delete_prefix(folder).await)
    }
}
