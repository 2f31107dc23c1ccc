//! Which bytes of a source a chunk is decoded from, so that a worker far from the store fetches no more.

use std::ops::Range;

use super::Chunk;
use crate::probe::Index;

/// Packets after the last wanted one that are read along: pictures are reordered by 16 at most (ISO/IEC 14496-10 §A.3.1).
const REORDERED: usize = 20;
/// What is read of the first pictures of a file to learn how it is coded, bytes.
const LOOKED_AT: u64 = 8 << 20;

/// The bytes of all packets from the earliest key frame that the chunk may be decoded from to the last picture that its encoder
/// sees, and of the file's first ones. Growing, apart from each other. `None` when the index does not tell where packets lie.
pub(super) fn reach(index: &Index, chunk: &Chunk) -> Option<Vec<(u64, u64)>> {
    let from = match chunk.seek.last() {
        Some(seek) => index.packets.iter().position(|packet| packet.key && packet.pts == Some(seek.key))?,
        None => 0,
    };
    let last =
        index.packets.iter().rposition(|packet| packet.pts.is_some_and(|pts| pts <= chunk.seen_to()))?;
    let wanted = index.packets.get(from..(last + 1 + REORDERED).min(index.packets.len()))?;
    let mut span: Option<Range<u64>> = None;
    for packet in wanted {
        let (at, size) = packet.place?;
        let end = at.checked_add(size.into())?;
        span = Some(span.map_or(at..end, |span| span.start.min(at)..span.end.max(end)));
    }
    let (first, _) = index.packets.first()?.place?;
    let head = (first, first.checked_add(LOOKED_AT)?);
    let span = span?;
    Some(if span.start <= head.1 && head.0 <= span.end {
        vec![(span.start.min(head.0), span.end.max(head.1))]
    } else if span.start < head.0 {
        vec![(span.start, span.end), head]
    } else {
        vec![head, (span.start, span.end)]
    })
}
