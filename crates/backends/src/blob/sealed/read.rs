//! Reading ranges and streams of encrypted objects: the blocks that hold them are fetched, authenticated and cut.

use std::{ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};

use super::{MUCH, Vault, key, key::ObjectKey, layout, work};
use crate::blob::{Error, Result, engine::Engine, out_of_range};

type Pieces = BoxStream<'static, Result<Bytes>>;

impl Vault {
    /// The bytes of `range`, which must not be empty.
    pub async fn range(&self, engine: &Engine, object: &str, range: Range<u64>) -> Result<Bytes> {
        let key = self.remembered_or_read(engine, object).await?;
        match range_of(engine, object, key.clone(), range.clone()).await {
            Err(error) => match self.replaced(engine, object, key, error).await? {
                Some(key) => range_of(engine, object, Some(key), range).await,
                None => engine.range(object, range).await,
            },
            bytes => bytes,
        }
    }

    async fn remembered_or_read(&self, engine: &Engine, object: &str) -> Result<Option<Arc<ObjectKey>>> {
        let remembered = self.known().get(object).cloned();
        match remembered {
            Some(key) => Ok(Some(key)),
            None => self.key_of(engine, object).await,
        }
    }

    /// What failed with `error` may have been replaced since its header was read: then its new key.
    async fn replaced(
        &self,
        engine: &Engine,
        object: &str,
        key: Option<Arc<ObjectKey>>,
        error: Error,
    ) -> Result<Option<Arc<ObjectKey>>> {
        let Some(key) = key.filter(|_| !error.is_transient()) else { return Err(error) };
        self.forget(object);
        let newer = self.key_of(engine, object).await?;
        if newer.as_ref().is_some_and(|newer| newer.header == key.header) { Err(error) } else { Ok(newer) }
    }

    pub async fn stream(&self, engine: &Engine, object: &str, range: Option<Range<u64>>) -> Result<Pieces> {
        let Some(range) = range else { return self.whole(engine, object).await };
        let key = self.remembered_or_read(engine, object).await?;
        let error = match stream_of(engine, object, key.clone(), range.clone()).await {
            Ok(mut pieces) => match pieces.next().await {
                None => return Ok(stream::empty().boxed()),
                Some(Ok(first)) => return Ok(stream::iter([Ok(first)]).chain(pieces).boxed()),
                Some(Err(error)) => error,
            },
            Err(error) => error,
        };
        let key = self.replaced(engine, object, key, error).await?;
        stream_of(engine, object, key, range).await
    }

    async fn whole(&self, engine: &Engine, object: &str) -> Result<Pieces> {
        let mut stored = engine.stream(object, None).await?;
        let mut buffer = BytesMut::new();
        while buffer.len() < layout::HEADER {
            match stored.next().await {
                Some(piece) => buffer.extend_from_slice(&piece?),
                None => break,
            }
        }
        let Some(key) = self.key_in(object, &buffer)? else {
            let beginning = stream::iter((!buffer.is_empty()).then(|| Ok(buffer.freeze())));
            return Ok(beginning.chain(stored).boxed());
        };
        let _header = buffer.split_to(layout::HEADER);
        let left = key.length;
        let key = self.remember(object, key);
        Ok(Opener { object: object.to_owned(), key, stored, buffer, block: 0, skip: 0, left, whole: true }
            .pieces())
    }
}

async fn range_of(
    engine: &Engine,
    object: &str,
    key: Option<Arc<ObjectKey>>,
    range: Range<u64>,
) -> Result<Bytes> {
    let Some(key) = key else { return engine.range(object, range).await };
    if range.end > key.length {
        return Err(out_of_range(object, &range));
    }
    let (first, stored) = stored_range(&key, &range);
    let bytes = engine.some(object, stored.clone()).await?;
    if bytes.len() as u64 != stored.end - stored.start {
        return Err(key::damaged(object, "it is shorter than it was"));
    }
    let plain: Bytes =
        work(object, bytes.len(), move |object| key.unseal(object, first, &bytes)).await?.into();
    let from = (range.start - layout::start(first)) as usize;
    Ok(plain.slice(from..from + (range.end - range.start) as usize))
}

async fn stream_of(
    engine: &Engine,
    object: &str,
    key: Option<Arc<ObjectKey>>,
    range: Range<u64>,
) -> Result<Pieces> {
    let Some(key) = key else { return engine.stream(object, Some(range)).await };
    if range.end > key.length || range.start > range.end {
        return Err(out_of_range(object, &range));
    }
    if range.is_empty() {
        return Ok(stream::empty().boxed());
    }
    let (block, place) = stored_range(&key, &range);
    let stored = engine.stream(object, Some(place)).await?;
    let (skip, left) = ((range.start - layout::start(block)) as usize, range.end - range.start);
    let object = object.to_owned();
    Ok(Opener { object, key, stored, buffer: BytesMut::new(), block, skip, left, whole: false }.pieces())
}

/// The first block of a range that is not empty, and where its blocks are stored.
fn stored_range(key: &ObjectKey, range: &Range<u64>) -> (u64, Range<u64>) {
    let (first, last) = (layout::block_of(range.start), layout::block_of(range.end - 1));
    (first, layout::place(first, key.length).start..layout::place(last, key.length).end)
}

/// Opens blocks as they come.
struct Opener {
    object: String,
    key: Arc<ObjectKey>,
    stored: Pieces,
    buffer: BytesMut,
    /// The block at the beginning of the buffer.
    block: u64,
    /// Bytes of that block that are not wanted.
    skip: usize,
    /// Bytes that are still wanted.
    left: u64,
    /// Must nothing come after them?
    whole: bool,
}

impl Opener {
    fn pieces(self) -> Pieces {
        stream::try_unfold(self, |mut this| async move { Ok(this.next().await?.map(|piece| (piece, this))) })
            .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let ready = if self.left > 0 { self.ready() } else { 0 };
            if ready > 0 {
                return self.open(ready).map(Some);
            }
            if self.left == 0 && (!self.whole || !self.buffer.is_empty()) {
                let longer = || key::damaged(&self.object, "it is longer than it was");
                return if self.buffer.is_empty() { Ok(None) } else { Err(longer()) };
            }
            match self.stored.next().await {
                Some(piece) => self.buffer.extend_from_slice(&piece?),
                None if self.left == 0 => return Ok(None),
                None => return Err(key::damaged(&self.object, "it is shorter than it was")),
            }
        }
    }

    /// Bytes of the buffer that are whole blocks: not more than are opened at a time, which must not take long.
    fn ready(&self) -> usize {
        let (mut block, mut ready) = (self.block, 0);
        while ready < MUCH {
            let place = layout::place(block, self.key.length);
            let size = place.end.saturating_sub(place.start) as usize;
            if size == 0 || ready + size > self.buffer.len() {
                break;
            }
            (block, ready) = (block + 1, ready + size);
        }
        ready
    }

    fn open(&mut self, ready: usize) -> Result<Bytes> {
        let stored = self.buffer.split_to(ready);
        let mut plain = Bytes::from(self.key.unseal(&self.object, self.block, &stored)?);
        self.block = layout::block_of(layout::start(self.block) + plain.len() as u64 - 1) + 1;
        let _unwanted = plain.split_to(std::mem::take(&mut self.skip));
        plain.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= plain.len() as u64;
        Ok(plain)
    }
}
