//! An event while it goes on, as its manifests tell it: of each track a window of segments, and the parts of the newest.
//!
//! Segments follow each other without a gap and keep their numbers when the event has become a recording.

/// What all playlists of an event say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// No segment is longer, rounded to seconds (RFC 8216bis §4.4.3.1).
    pub target_s: u32,
    /// No part is longer, milliseconds; `None`: there are only segments.
    pub part_ms: Option<u32>,
    /// When the event's time was 0: microseconds since the Unix epoch.
    pub started_at: i64,
}

/// What is told of a track.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    /// Ticks per second.
    pub timescale: u32,
    /// Number of the first segment that is told.
    pub first: u64,
    /// Discontinuities at the beginnings of segments before that one.
    pub breaks: u64,
    /// Segments that are whole, oldest first.
    pub segments: &'a [Segment],
    /// Parts of the segment that is being made, oldest first.
    pub open: &'a [Part],
    /// Does that segment begin with a discontinuity?
    pub open_breaks: bool,
    /// Nothing will follow.
    pub ended: bool,
}

/// A whole segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The event's time at its beginning, ticks.
    pub start: u64,
    /// Ticks.
    pub duration: u32,
    pub bytes: u32,
    /// Its encoder is not that of the segment before it.
    pub breaks: bool,
    /// Empty where there are none, or none any more.
    pub parts: Vec<Part>,
}

/// A part of a segment: a CMAF chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Ticks.
    pub duration: u32,
    /// It begins with a picture that decodes on its own; always so of sound.
    pub independent: bool,
}

/// The newest of a sibling track, for those who may go over to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest<'a> {
    pub track: &'a str,
    /// Number of the segment that the newest part belongs to, and the part's in it; of the newest segment where there are no parts.
    pub segment: u64,
    pub part: Option<u64>,
}

impl Window<'_> {
    /// Number of the segment that is being made.
    pub fn next(&self) -> u64 {
        self.first + self.segments.len() as u64
    }

    /// Segment and part that are newest; `None` while there is nothing.
    pub fn newest(&self, with_parts: bool) -> Option<(u64, Option<u64>)> {
        if with_parts && !self.open.is_empty() {
            return Some((self.next(), Some(self.open.len() as u64 - 1)));
        }
        let last = self.segments.last()?;
        let part = (with_parts && !last.parts.is_empty()).then(|| last.parts.len() as u64 - 1);
        Some((self.next() - 1, part))
    }
}
