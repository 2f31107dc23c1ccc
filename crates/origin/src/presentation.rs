//! Descriptors in memory: the newest of each presentation, parsed once, with an index of its segments.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use backends::blob::{self, Blobs, names};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::PresentationId;
use media::descriptor::{Descriptor, FORMAT, Track};

use crate::Config;

/// Largest descriptor that is read: more than a day of four rungs.
const MAX_BYTES: u64 = 64 << 20;

/// A descriptor made ready for requests.
pub struct Presentation {
    pub descriptor: Descriptor,
    /// When this version was written, microseconds since the Unix epoch.
    pub written_at: i64,
    tracks: Vec<Index>,
    loaded: Instant,
    weight: u32,
}

struct Index {
    init: Bytes,
    segments: Vec<Place>,
}

#[derive(Clone, Copy)]
struct Place {
    extent: u32,
    segment: u32,
    offset: u64,
    /// Number of the segment's first sync sample in the track.
    first_picture: u32,
}

/// Where the bytes of a segment lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<'a> {
    pub object: &'a str,
    pub offset: u64,
    pub bytes: u32,
    /// Ticks that its decode time is moved by.
    pub shift: i64,
}

impl Presentation {
    fn new(descriptor: Descriptor, written_at: i64, size: u64) -> Result<Self, LoadError> {
        let tracks: Vec<Index> = descriptor.tracks.iter().map(Index::new).collect::<Result<_, _>>()?;
        let segments: usize = tracks.iter().map(|t| t.segments.len()).sum();
        // A parsed descriptor takes about twice its text.
        let weight = size * 2 + (segments * size_of::<Place>()) as u64 + 1024;
        let weight = u32::try_from(weight).unwrap_or(u32::MAX);
        Ok(Self { descriptor, written_at, tracks, loaded: Instant::now(), weight })
    }

    fn track(&self, id: &str) -> Option<(&Track, &Index)> {
        self.descriptor.tracks.iter().zip(&self.tracks).find(|(track, _)| track.id == id)
    }

    /// The CMAF header of a track.
    pub fn init(&self, track: &str) -> Option<Bytes> {
        self.track(track).map(|(_, index)| index.init.clone())
    }

    /// The `n`-th segment of a track.
    pub fn segment(&self, track: &str, n: u32) -> Option<Located<'_>> {
        let (track, index) = self.track(track)?;
        locate(track, index.segments.get(n as usize)?)
    }

    /// The segment that holds the `n`-th sync sample of a track, and which of the segment's it is.
    pub fn picture(&self, track: &str, n: u32) -> Option<(Located<'_>, usize)> {
        let (track, index) = self.track(track)?;
        let after = index.segments.partition_point(|p| p.first_picture <= n);
        // Segments without a picture share their number with the next: the last one that begins at or before n has it.
        let place = index.segments.get(after.checked_sub(1)?)?;
        let k = (n - place.first_picture) as usize;
        let segment = track.extents.get(place.extent as usize)?.segments.get(place.segment as usize)?;
        (k < segment.sync.len()).then(|| locate(track, place)).flatten().map(|located| (located, k))
    }

    /// Name and size of the `n`-th storyboard sheet, counted from 1.
    pub fn sheet(&self, n: u32) -> Option<(&str, u64)> {
        let (object, bytes) = self.descriptor.storyboard.as_ref()?.sheets.get(n.checked_sub(1)? as usize)?;
        Some((object, *bytes))
    }
}

fn locate<'a>(track: &'a Track, place: &Place) -> Option<Located<'a>> {
    let extent = track.extents.get(place.extent as usize)?;
    let segment = extent.segments.get(place.segment as usize)?;
    Some(Located { object: &extent.object, offset: place.offset, bytes: segment.bytes, shift: extent.shift })
}

impl Index {
    fn new(track: &Track) -> Result<Self, LoadError> {
        let init = STANDARD.decode(&track.init).map_err(|_| LoadError::Unreadable)?;
        let mut segments = Vec::new();
        let mut first_picture = 0u32;
        for (extent, list) in (0u32..).zip(&track.extents) {
            let mut offset = list.offset;
            for (segment, told) in (0u32..).zip(&list.segments) {
                segments.push(Place { extent, segment, offset, first_picture });
                offset = offset.checked_add(told.bytes.into()).ok_or(LoadError::Unreadable)?;
                first_picture = first_picture.saturating_add(told.sync.len() as u32);
            }
        }
        Ok(Self { init: init.into(), segments })
    }
}

/// Why a presentation cannot be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LoadError {
    #[error("there is no such presentation")]
    Missing,
    #[error("the descriptor cannot be read by this version")]
    Unreadable,
    #[error(transparent)]
    Blob(#[from] blob::Error),
}

/// The newest descriptors, read when asked for; concurrent requests share one read.
pub struct Cache {
    blobs: Blobs,
    cache: moka::future::Cache<PresentationId, Arc<Presentation>>,
}

struct Ages {
    growing: Duration,
    complete: Duration,
}

impl moka::Expiry<PresentationId, Arc<Presentation>> for Ages {
    fn expire_after_create(
        &self,
        _: &PresentationId,
        value: &Arc<Presentation>,
        _: Instant,
    ) -> Option<Duration> {
        Some(if value.descriptor.complete { self.complete } else { self.growing })
    }
}

/// Least age of a descriptor before a request for something that it lacks has it read again.
const LEAST_AGE: Duration = Duration::from_millis(250);

impl Cache {
    pub fn new(config: &Config, blobs: Blobs) -> Self {
        let cache = moka::future::Cache::builder()
            .max_capacity(config.descriptor_cache_bytes)
            .weigher(|_, value: &Arc<Presentation>| value.weight)
            .expire_after(Ages {
                growing: Duration::from_millis(config.growing_max_age_ms),
                complete: Duration::from_millis(config.complete_max_age_ms),
            })
            .build();
        Self { blobs, cache }
    }

    pub async fn get(&self, id: PresentationId) -> Result<Arc<Presentation>, LoadError> {
        let loaded = self.cache.try_get_with(id, load(&self.blobs, id)).await;
        loaded.map_err(|e| LoadError::clone(&e))
    }

    /// Reads the descriptor again when it is next needed.
    pub async fn forget(&self, id: PresentationId) {
        self.cache.invalidate(&id).await;
    }

    /// As `get`, for a request that `seen` could not answer: another origin may have told of a newer version.
    pub async fn get_newer(
        &self,
        id: PresentationId,
        seen: &Presentation,
    ) -> Result<Arc<Presentation>, LoadError> {
        if seen.loaded.elapsed() >= LEAST_AGE {
            let present = self.cache.get(&id).await;
            if present.is_some_and(|p| p.loaded == seen.loaded) {
                self.cache.invalidate(&id).await;
            }
        }
        self.get(id).await
    }
}

async fn load(blobs: &Blobs, id: PresentationId) -> Result<Arc<Presentation>, LoadError> {
    match load_newest(blobs, id).await {
        // Pruned between listing and reading: a newer one is there, or the presentation is gone.
        Err(LoadError::Blob(blob::Error::NotFound(_))) => match load_newest(blobs, id).await {
            Err(LoadError::Blob(blob::Error::NotFound(_))) => Err(LoadError::Missing),
            other => other,
        },
        other => other,
    }
}

async fn load_newest(blobs: &Blobs, id: PresentationId) -> Result<Arc<Presentation>, LoadError> {
    let entries = blobs.list(&names::descriptors(id)).await?;
    let newest = entries
        .into_iter()
        .filter_map(|entry| Some((names::descriptor_version(&entry.object)?, entry)))
        .max_by_key(|(version, _)| *version);
    let (_, entry) = newest.ok_or(LoadError::Missing)?;
    if entry.size > MAX_BYTES {
        tracing::error!(object = entry.object, size = entry.size, "a descriptor is too large");
        return Err(LoadError::Unreadable);
    }
    let bytes = blobs.get(&entry.object).await?;
    let parse = move || -> Result<Presentation, LoadError> {
        let unreadable = |error: serde_json::Error| {
            tracing::error!(object = entry.object, %error, "a descriptor cannot be read");
            LoadError::Unreadable
        };
        let descriptor: Descriptor = serde_json::from_slice(&bytes).map_err(unreadable)?;
        if descriptor.format > FORMAT {
            tracing::error!(
                object = entry.object,
                format = descriptor.format,
                "a descriptor is of a newer format"
            );
            return Err(LoadError::Unreadable);
        }
        Presentation::new(descriptor, entry.modified.0, bytes.len() as u64)
    };
    let parsed = tokio::task::spawn_blocking(parse).await.map_err(|_| LoadError::Unreadable)?;
    parsed.map(Arc::new)
}
