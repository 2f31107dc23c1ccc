//! What a title was encoded to, read from the newest descriptor of its presentation.

use backends::blob::{Blobs, names};
use domain::PresentationId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, Result};

/// A track of the presentation.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub struct Rendition {
    pub id: String,
    /// video or audio.
    pub kind: String,
    pub label: String,
    /// RFC 6381.
    pub codec: String,
    #[schema(required = true)]
    pub width: Option<u32>,
    #[schema(required = true)]
    pub height: Option<u32>,
    /// Measured over the whole track.
    pub bitrate_bps: u64,
    pub bytes: u64,
}

/// The part of a descriptor that is shown here. The format is `media::descriptor`'s.
#[derive(Deserialize)]
struct Descriptor {
    tracks: Vec<Track>,
}

#[derive(Deserialize)]
struct Track {
    id: String,
    kind: String,
    label: String,
    codec: String,
    timescale: u32,
    width: Option<u32>,
    height: Option<u32>,
    extents: Vec<Extent>,
}

#[derive(Deserialize)]
struct Extent {
    segments: Vec<(u32, u32, serde::de::IgnoredAny)>,
}

/// The tracks of the newest version; none when nothing was published yet.
pub(super) async fn read(blobs: &Blobs, presentation: PresentationId) -> Result<Vec<Rendition>> {
    let entries = blobs.list(&names::descriptors(presentation)).await?;
    let newest = entries.iter().max_by_key(|entry| names::descriptor_version(&entry.object));
    let Some(newest) = newest else { return Ok(Vec::new()) };
    parse(&blobs.get(&newest.object).await?)
}

fn parse(json: &[u8]) -> Result<Vec<Rendition>> {
    let descriptor: Descriptor =
        serde_json::from_slice(json).map_err(|e| Error::Internal(format!("descriptor: {e}")))?;
    Ok(descriptor.tracks.into_iter().map(rendition).collect())
}

fn rendition(track: Track) -> Rendition {
    let segments = track.extents.iter().flat_map(|extent| &extent.segments);
    let (mut bytes, mut ticks) = (0_u64, 0_u64);
    for (duration, length, _) in segments {
        bytes += u64::from(*length);
        ticks += u64::from(*duration);
    }
    let bits = u128::from(bytes) * 8 * u128::from(track.timescale);
    Rendition {
        id: track.id,
        kind: track.kind,
        label: track.label,
        codec: track.codec,
        width: track.width,
        height: track.height,
        bitrate_bps: bits.checked_div(u128::from(ticks)).unwrap_or(0) as u64,
        bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_rates_are_measured() {
        let json = br#"{"format":1,"presentation":"p","version":2,"complete":true,"created_at":0,"planned_duration_ms":8000,
            "tracks":[{"id":"v720p","kind":"video","width":1280,"height":720,"frame_rate":[25,1],"codec":"avc1.64001f",
            "timescale":1000,"label":"720p","default":true,"init":"AAAA","extents":[{"object":"o","offset":0,
            "segments":[[4000,500000,[[0,9]]],[4000,500000,[]]]}]},
            {"id":"a0","kind":"audio","sample_rate":48000,"channels":2,"codec":"mp4a.40.2","timescale":48000,
            "label":"English","default":true,"init":"AAAA","extents":[]}]}"#;
        let tracks = parse(json).unwrap();
        assert_eq!(
            (tracks[0].bytes, tracks[0].bitrate_bps, tracks[0].height),
            (1_000_000, 1_000_000, Some(720))
        );
        assert_eq!((tracks[1].kind.as_str(), tracks[1].bitrate_bps), ("audio", 0));
        assert!(parse(b"{}").is_err());
    }
}
