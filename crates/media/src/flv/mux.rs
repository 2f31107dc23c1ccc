//! Bodies of tags that say what a track is and hold its frames: legacy ones for the first tracks of H.264 and AAC, which everything
//! reads, extended ones for all else.

use bytes::Bytes;

use super::opus;
use crate::{
    Error, Result,
    cmaf::{Media, TrackSpec},
    codec::{Format, Sound},
    frame::{Kind, Sample, TrackId},
    mp4::FourCc,
};

fn codec(spec: &TrackSpec) -> Result<FourCc> {
    Ok(match &spec.media {
        Media::Video { picture, .. } => match picture.format {
            Format::Avc => *b"avc1",
            Format::Hevc => *b"hvc1",
            Format::Vp9 => *b"vp09",
            Format::Av1 => *b"av01",
        },
        Media::Audio(Sound::Mpeg(config)) if config.audio_object_type > 0 => *b"mp4a",
        Media::Audio(Sound::Opus(_)) => *b"Opus",
        Media::Audio(Sound::Ac3(_)) => *b"ac-3",
        Media::Audio(_) => return Err(Error::Unsupported("this sound in FLV".into())),
    })
}

fn is_legacy(track: TrackId, codec: FourCc) -> bool {
    track.number == 0 && matches!(&codec, b"avc1" | b"mp4a")
}

/// The tag that a track begins with; `None` for codecs that need none.
pub fn sequence_start(track: TrackId, spec: &TrackSpec) -> Result<Option<Vec<u8>>> {
    let codec = codec(spec)?;
    let config = match &spec.media {
        Media::Video { picture, .. } => picture.config.to_vec(),
        Media::Audio(Sound::Mpeg(config)) => config.specific.clone(),
        Media::Audio(Sound::Opus(config)) => opus::to_head(&config.body)?,
        Media::Audio(_) => return Ok(None),
    };
    let mut out = match track.kind {
        Kind::Video if is_legacy(track, codec) => vec![0x17, 0, 0, 0, 0],
        Kind::Audio if is_legacy(track, codec) => vec![0xaf, 0],
        kind => extended(kind, 1, 0, track.number, codec),
    };
    out.extend(config);
    Ok(Some(out))
}

/// What goes before a frame's bytes in its tag. Times finer than a millisecond are lost.
pub fn frame(track: TrackId, spec: &TrackSpec, sample: &Sample) -> Result<(Vec<u8>, Bytes)> {
    let codec = codec(spec)?;
    let shift = (sample.pts.div_euclid(1000) - sample.dts.div_euclid(1000)).clamp(-(1 << 23), (1 << 23) - 1);
    let [_, composition @ ..] = (shift as i32).to_be_bytes();
    let frame_kind = if sample.key { 1 } else { 2 };
    let mut head = match track.kind {
        Kind::Video if is_legacy(track, codec) => vec![frame_kind << 4 | 7, 1],
        Kind::Audio if is_legacy(track, codec) => vec![0xaf, 1],
        kind => extended(kind, frame_kind, 1, track.number, codec),
    };
    if matches!(&codec, b"avc1" | b"hvc1") {
        head.extend(composition);
    }
    Ok((head, sample.data.clone()))
}

fn extended(kind: Kind, frame_kind: u8, packet: u8, number: u8, codec: FourCc) -> Vec<u8> {
    let (high, several) = match kind {
        Kind::Video => (0x80 | frame_kind << 4, 6),
        Kind::Audio => (0x90, 5),
    };
    let mut out = Vec::with_capacity(8);
    if number == 0 {
        out.push(high | packet);
        out.extend(codec);
    } else {
        // One track in a multitrack tag.
        out.extend([high | several, packet]);
        out.extend(codec);
        out.push(number);
    }
    out
}
