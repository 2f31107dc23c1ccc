//! Keeping what was made: each segment of all tracks becomes an object, and what there is is told by descriptors, as of any
//! presentation that grows. Whatever is stored can be found again without a descriptor, so that a crash loses no whole segment.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use backends::blob::{self, Blobs, names};
use bytes::{Bytes, BytesMut};
use domain::PresentationId;
use media::{
    descriptor::{Descriptor, Extent, Segment},
    excerpt, measure,
};
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, time::sleep};

use crate::{
    pack::{Chunk, Made},
    programme::{Programme, Stored},
};

/// A descriptor for so many segments.
const DESCRIBED: u64 = 5;
/// Segments of all tracks that may wait for a store that is away: ten minutes.
const MOST_WAITING: usize = 300;
/// Between two attempts to store something: at first, and at most.
const SOONEST: Duration = Duration::from_millis(200);
const LATEST: Duration = Duration::from_secs(5);
/// Bytes at the end of an object: how long its index is.
const LENGTH: usize = 8;

/// What is kept of an event so far: the extents of each track by its name, and the last descriptor's version.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    pub descriptor: Option<Descriptor>,
    pub extents: BTreeMap<String, Vec<Extent>>,
    pub version: u64,
}

impl Kept {
    /// Number of the next segment.
    pub fn next(&self) -> u64 {
        self.extents.values().map(|list| count(list)).min().unwrap_or(0)
    }

    /// Writes a descriptor of what the last one does not tell.
    pub async fn catch_up(&mut self, blobs: &Blobs, presentation: PresentationId) {
        let told =
            self.descriptor.iter().flat_map(|told| &told.tracks).map(|track| count(&track.extents)).min();
        if told.is_some_and(|told| told < self.next()) {
            self.describe(blobs, presentation, false).await;
        }
    }

    /// Writes the next descriptor, of an event that is not at work.
    pub async fn describe(&mut self, blobs: &Blobs, presentation: PresentationId, complete: bool) {
        let Some(mut descriptor) = self.descriptor.take() else { return };
        for track in &mut descriptor.tracks {
            track.extents = self.extents.get(&track.id).cloned().unwrap_or_default();
        }
        (descriptor.version, descriptor.complete) = (self.version + 1, complete);
        write(blobs, presentation, &descriptor).await;
        self.version = descriptor.version;
        self.descriptor = Some(descriptor);
    }

    /// What became of it.
    pub fn recorded(&self) -> Recorded {
        let duration_ms = self.descriptor.as_ref().map_or(0, excerpt::duration_ms);
        Recorded { duration_ms, version: self.version }
    }
}

fn count(extents: &[Extent]) -> u64 {
    extents.iter().map(|extent| extent.segments.len() as u64).sum()
}

/// What stands at the end of an object: where the tracks' segments are in it.
#[derive(Debug, Serialize, Deserialize)]
struct Index {
    tracks: BTreeMap<String, (u64, Segment)>,
}

/// Finds what is kept of an event: the newest descriptor, and what was stored after it.
pub async fn find(blobs: &Blobs, presentation: PresentationId) -> blob::Result<Kept> {
    let mut kept = Kept::default();
    if let Some((version, bytes)) = blobs.newest_descriptor(presentation).await? {
        let object = names::descriptor(presentation, version);
        let descriptor: Descriptor = serde_json::from_slice(&bytes)
            .map_err(|error| blob::Error::other(object, format!("no descriptor: {error}")))?;
        kept.version = version;
        kept.extents =
            descriptor.tracks.iter().map(|track| (track.id.clone(), track.extents.clone())).collect();
        kept.descriptor = Some(descriptor);
    }
    let names: Vec<String> = kept.extents.keys().cloned().collect();
    loop {
        let object = names::live_segment(presentation, kept.next());
        let bytes = match blobs.get(&object).await {
            Ok(bytes) if !names.is_empty() => bytes,
            Ok(_) | Err(blob::Error::NotFound(_)) => return Ok(kept),
            Err(error) => return Err(error),
        };
        let Some(index) =
            read_index(&bytes).filter(|index| names.iter().all(|name| index.tracks.contains_key(name)))
        else {
            return Ok(kept);
        };
        for (name, (offset, segment)) in index.tracks {
            let extent = Extent { object: object.clone(), offset, shift: 0, segments: vec![segment] };
            if let Some(list) = kept.extents.get_mut(&name) {
                list.push(extent);
            }
        }
    }
}

fn read_index(object: &[u8]) -> Option<Index> {
    let (rest, length) = object.split_last_chunk::<LENGTH>()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    serde_json::from_slice(rest.get(rest.len().checked_sub(length)?..)?).ok()
}

/// Keeps an event while it is made.
#[derive(Debug)]
pub struct Recorder {
    blobs: Blobs,
    programme: Programme,
    kept: Kept,
    /// Segments that are whole, until all tracks have theirs.
    waiting: BTreeMap<u64, Vec<Option<Chunk>>>,
    next: u64,
    /// With this segment the next descriptor is written; at once when an event begins or goes on.
    described_at: u64,
}

/// What became of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub duration_ms: u64,
    /// Of the last descriptor.
    pub version: u64,
}

impl Recorder {
    pub fn new(blobs: Blobs, programme: Programme, kept: Kept) -> Self {
        Self { blobs, next: kept.next(), programme, kept, waiting: BTreeMap::new(), described_at: 0 }
    }

    /// Keeps what comes until there is nothing more, and calls `playable` when there is a first descriptor.
    pub async fn run(
        mut self,
        mut made: mpsc::UnboundedReceiver<Made>,
        playable: impl AsyncFnOnce(),
    ) -> Recorded {
        let mut playable = Some(playable);
        while let Some(made) = made.recv().await {
            let Made::Segment { track, number, chunk, .. } = made else { continue };
            if number < self.next {
                continue;
            }
            let tracks = self.programme.tracks().len();
            let row = self.waiting.entry(number).or_insert_with(|| vec![None; tracks]);
            if let Some(place) = row.get_mut(track) {
                *place = Some(chunk);
            }
            if self.waiting.len() > MOST_WAITING {
                tracing::error!(presentation = %self.programme.presentation(), "segments are lost: the object store has been away for too long");
                self.waiting.pop_first();
            }
            while self.store_next().await {
                if self.next >= self.described_at {
                    self.describe(false).await;
                    self.described_at = self.next + DESCRIBED;
                    if let Some(playable) = playable.take() {
                        playable().await;
                    }
                }
            }
        }
        self.describe(self.programme.has_ended()).await;
        Recorded { duration_ms: self.duration_ms(), version: self.kept.version }
    }

    /// Stores the next segment if all tracks have it.
    async fn store_next(&mut self) -> bool {
        let whole = |row: &Vec<Option<Chunk>>| row.iter().all(Option::is_some);
        if !self.waiting.get(&self.next).is_some_and(whole) {
            return false;
        }
        let Some(row) = self.waiting.remove(&self.next) else { return false };
        let names: Vec<String> = self.programme.tracks().iter().map(|about| about.id.clone()).collect();
        let object: Arc<str> = names::live_segment(self.programme.presentation(), self.next).into();
        let mut bytes = BytesMut::new();
        let mut index = Index { tracks: BTreeMap::new() };
        for (name, chunk) in names.iter().zip(row.iter().flatten()) {
            index.tracks.insert(name.clone(), (bytes.len() as u64, Segment::from(chunk)));
            chunk.bytes.parts().for_each(|piece| bytes.extend_from_slice(piece));
        }
        let told = serde_json::to_vec(&index).unwrap_or_default();
        bytes.extend_from_slice(&told);
        bytes.extend_from_slice(&(told.len() as u64).to_be_bytes());
        put(&self.blobs, &object, bytes.freeze()).await;
        for (track, name) in names.iter().enumerate() {
            let Some((offset, segment)) = index.tracks.remove(name) else { continue };
            let stored = Stored { object: object.clone(), offset, bytes: segment.bytes };
            self.programme.stored(track, self.next, stored);
            let extent = Extent { object: object.to_string(), offset, shift: 0, segments: vec![segment] };
            self.kept.extents.entry(name.clone()).or_default().push(extent);
        }
        metrics::counter!("kinora_live_segments_stored_total").increment(1);
        self.next += 1;
        true
    }

    /// Writes the next descriptor.
    async fn describe(&mut self, complete: bool) {
        let extents = &self.kept.extents;
        let all = self.programme.tracks().iter().enumerate();
        // A rendition that was given up for a while is none of the recording's.
        let kept = all.filter(|(n, _)| !complete || self.programme.is_whole(*n));
        let tracks =
            kept.map(|(n, about)| about.track(n, extents.get(&about.id).cloned().unwrap_or_default()));
        let descriptor = self.programme.descriptor(self.kept.version + 1, complete, tracks.collect());
        write(&self.blobs, self.programme.presentation(), &descriptor).await;
        self.kept.version = descriptor.version;
    }

    fn duration_ms(&self) -> u64 {
        let of = |about: &crate::programme::About| {
            let list = self.kept.extents.get(&about.id).map(Vec::as_slice).unwrap_or_default();
            let ticks = list
                .iter()
                .flat_map(|extent| &extent.segments)
                .map(|segment| u64::from(segment.duration))
                .sum();
            measure::micros(ticks, about.spec.timescale) / 1000
        };
        self.programme.tracks().iter().map(of).max().unwrap_or(0)
    }
}

async fn write(blobs: &Blobs, presentation: PresentationId, descriptor: &Descriptor) {
    let Ok(json) = serde_json::to_vec(descriptor) else { return };
    put(blobs, &names::descriptor(presentation, descriptor.version), json.into()).await;
    // Readers may still be at the last one, and none before that.
    if let Some(old) = descriptor.version.checked_sub(2).filter(|old| *old > 0)
        && let Err(error) = blobs.delete(&names::descriptor(presentation, old)).await
    {
        tracing::debug!(%error, "an old descriptor stays");
    }
}

/// Tries until it is stored.
async fn put(blobs: &Blobs, object: &str, bytes: Bytes) {
    let mut wait = SOONEST;
    while let Err(error) = blobs.put(object, bytes.clone()).await {
        metrics::counter!("kinora_live_store_failures_total").increment(1);
        tracing::warn!(object, %error, "a live segment cannot be stored; trying again");
        sleep(wait).await;
        wait = (wait * 2).min(LATEST);
    }
}
