//! The presentation descriptor: everything an origin needs to make manifests and segments, and nothing else.
//!
//! A track is an ordered list of immutable **extents** (a range of a stored object), each holding whole CMAF segments
//! (one `moof`+`mdat` each, ISO/IEC 23000-19 §7.3.2) back to back. Farm chunks become extents without being copied.
//! Descriptors are immutable: a presentation that grows writes the next version as a new object.

use serde::{Deserialize, Serialize};

use crate::codec::Family;

/// The greatest format number that this version reads and writes; a reader refuses a larger one. Format 2 has extents that
/// are moved on the time line, which a reader of format 1 would show at the wrong time. Format 3 has tracks of other codecs
/// than H.264 and AAC: a reader of format 2 would put all pictures into one adaptation set and all sound into one group,
/// between which no player can switch, and would announce HDR as standard.
pub const FORMAT: u32 = 3;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Descriptor {
    pub format: u32,
    /// Presentation id.
    pub presentation: String,
    /// Grows by one with every change; the newest wins.
    pub version: u64,
    /// `false` while more segments will follow.
    pub complete: bool,
    /// When the first version was written: microseconds since the Unix epoch (MPD@availabilityStartTime while growing).
    pub created_at: i64,
    /// Total duration that the finished presentation will have, in milliseconds, as planned.
    pub planned_duration_ms: u64,
    /// The longest segment that any track will have, in milliseconds rounded up, as planned: what is told about all
    /// segments must not change while a presentation grows.
    #[serde(default)]
    pub longest_segment_ms: u64,
    /// Video tracks best first, then audio tracks, the default one first.
    pub tracks: Vec<Track>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storyboard: Option<Storyboard>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Unique in the presentation, safe in a URL path: `[a-z0-9]+`, such as `v1080p`, `a0`.
    pub id: String,
    #[serde(flatten)]
    pub kind: TrackKind,
    /// RFC 6381 codecs string, read from the bitstream: `avc1.640028`.
    pub codec: String,
    /// Ticks per second of every time in this track.
    pub timescale: u32,
    /// BCP 47 tag; `None` when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Name for people: `1080p`, `English`, `Commentary`.
    pub label: String,
    /// Played when the viewer has not chosen.
    pub default: bool,
    /// The CMAF header (`ftyp`+`moov`), standard base64.
    pub init: String,
    pub extents: Vec<Extent>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum TrackKind {
    Video {
        width: u32,
        height: u32,
        /// Nominal frames per second as a fraction; the average for variable frame rate.
        frame_rate: (u32, u32),
        #[serde(default, skip_serializing_if = "Range::is_sdr")]
        range: Range,
    },
    Audio {
        sample_rate: u32,
        channels: u32,
        /// Number of objects of joint object coding (Dolby Atmos in E-AC-3): its complexity index.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        joc: Option<u8>,
    },
}

/// Dynamic range of pictures (RFC 8216bis §4.4.6.2, VIDEO-RANGE). PQ and HLG have the colours of ITU-R BT.2100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Range {
    #[default]
    Sdr,
    /// SMPTE ST 2084.
    Pq,
    /// ARIB STD-B67.
    Hlg,
}

impl Range {
    pub fn is_sdr(&self) -> bool {
        *self == Self::Sdr
    }
}

/// Whole segments, back to back, in one stored object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    pub object: String,
    /// Where the first segment begins in the object.
    pub offset: u64,
    /// Ticks that are added to the decode times in the stored segments: they were written for another place on the time
    /// line.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub shift: i64,
    pub segments: Vec<Segment>,
}

fn is_zero(shift: &i64) -> bool {
    *shift == 0
}

/// One CMAF segment. Its place and its decode time follow from the segments before it; the first starts at 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "SegmentTuple", into = "SegmentTuple")]
pub struct Segment {
    /// Ticks.
    pub duration: u32,
    /// Length of `moof`+`mdat` in bytes.
    pub bytes: u32,
    /// Stream access points in order; the first is at 0 for video. Empty for audio, where every sample is one.
    pub sync: Vec<SyncSample>,
}

/// A picture that decodes on its own (IDR).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncSample {
    /// Presentation time after the segment's start, ticks.
    pub at: u32,
    /// Size of the coded sample in bytes.
    pub bytes: u32,
}

type SegmentTuple = (u32, u32, Vec<(u32, u32)>);

impl From<SegmentTuple> for Segment {
    fn from((duration, bytes, sync): SegmentTuple) -> Self {
        Self { duration, bytes, sync: sync.into_iter().map(|(at, bytes)| SyncSample { at, bytes }).collect() }
    }
}

impl From<Segment> for SegmentTuple {
    fn from(s: Segment) -> Self {
        (s.duration, s.bytes, s.sync.into_iter().map(|s| (s.at, s.bytes)).collect())
    }
}

/// Preview pictures for the seek bar: sheets of `columns` × `rows` tiles, read left to right, top to bottom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storyboard {
    pub tile_width: u32,
    pub tile_height: u32,
    pub columns: u32,
    pub rows: u32,
    /// Time from one tile to the next, milliseconds.
    pub interval_ms: u32,
    /// Number of tiles that hold a picture.
    pub tiles: u32,
    /// JPEG objects, in order, with their sizes in bytes.
    pub sheets: Vec<(String, u64)>,
}

impl Descriptor {
    /// The least format number that tells all of `tracks`.
    pub fn format_of(tracks: &[Track]) -> u32 {
        let moved = tracks.iter().flat_map(|track| &track.extents).any(|extent| extent.shift != 0);
        let plain = |track: &Track| matches!(track.family(), Some(Family::Avc | Family::Aac));
        match (tracks.iter().all(plain), moved) {
            (false, _) => 3,
            (true, true) => 2,
            (true, false) => 1,
        }
    }
}

impl Track {
    /// Segments with the extent they lie in and their offset in its object, in order.
    pub fn segments(&self) -> impl Iterator<Item = (&Extent, u64, &Segment)> {
        self.extents.iter().flat_map(|extent| {
            extent.segments.iter().scan(extent.offset, move |offset, segment| {
                let at = *offset;
                *offset = offset.saturating_add(u64::from(segment.bytes));
                Some((extent, at, segment))
            })
        })
    }

    /// Ticks of all segments so far.
    pub fn duration(&self) -> u64 {
        self.extents.iter().flat_map(|e| &e.segments).map(|s| u64::from(s.duration)).sum()
    }

    /// Which decoder it needs; `None` for codecs that are not known.
    pub fn family(&self) -> Option<Family> {
        Family::of(&self.codec)
    }

    /// Of sound [`Range::Sdr`].
    pub fn range(&self) -> Range {
        if let TrackKind::Video { range, .. } = self.kind { range } else { Range::Sdr }
    }

    pub fn is_video(&self) -> bool {
        matches!(self.kind, TrackKind::Video { .. })
    }
}
