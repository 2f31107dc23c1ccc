//! Encoding: one ffmpeg for a chunk with all its rungs, one for an audio track, and pictures from what was encoded.

pub mod artwork;
mod audio;
mod chunk;
mod command;
mod device;
mod encoder;
mod frames;
mod pictures;
mod rewrite;
pub mod score;

use std::path::PathBuf;

use media::descriptor::{Range, Segment};
use serde::{Deserialize, Serialize};

pub use audio::{Stretch, audio, kind as audio_segments};
pub(crate) use chunk::attempt;
pub use chunk::{Encoded, chunk};
pub(crate) use device::Means;
pub use frames::{Frames, frame_file};
pub use pictures::{
    PosterFiles, RUN, Sheets, TILE_COLUMNS, TILE_ROWS, interval_ms, posters, sharpness, sheets, tile_size,
    unrests,
};

use crate::guest;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what}: {source}")]
    Guest { what: &'static str, source: guest::Error },
    #[error("the decoded pictures are not those that the file announces: {0}")]
    Mismatch(String),
    #[error("the encoder's output: {0}")]
    Media(#[from] media::Error),
    #[error("scratch files: {0}")]
    Io(#[from] std::io::Error),
    #[error("sound that is to be copied has gaps")]
    Gaps,
    #[error("an encoding task ended unexpectedly")]
    Task,
}

impl Error {
    /// Might another attempt succeed?
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Guest { source, .. } => source.is_transient(),
            Self::Io(_) | Self::Task => true,
            Self::Mismatch(_) | Self::Media(_) | Self::Gaps => false,
        }
    }
}

impl From<guest::Error> for Error {
    fn from(source: guest::Error) -> Self {
        Self::Guest { what: "ffmpeg", source }
    }
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a unit of work made of one track: whole CMAF segments back to back in a local file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackFile {
    pub id: String,
    pub path: PathBuf,
    pub head: TrackHead,
    pub segments: Vec<Segment>,
}

/// What all units of one track must agree on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrackHead {
    /// RFC 6381.
    pub codec: String,
    pub timescale: u32,
    /// The CMAF header, standard base64.
    pub init: String,
    /// Complexity of the joint object coding of E-AC-3 (Dolby Atmos), where it has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joc: Option<u8>,
    /// Dynamic range of pictures.
    #[serde(default, skip_serializing_if = "Range::is_sdr")]
    pub range: Range,
}

impl TrackHead {
    /// May a unit with the head `other` follow one with this head? Players read the first one alone: they must be alike, but
    /// for parameter sets that every key frame brings along.
    pub fn takes(&self, other: &Self) -> bool {
        use base64::{Engine, engine::general_purpose::STANDARD};
        use media::{cmaf::TrackSpec, mp4::Header};
        if self == other {
            return true;
        }
        let spec = |head: &Self| {
            let header = Header::parse_file(&STANDARD.decode(&head.init).ok()?).ok()?;
            TrackSpec::from_header(header.tracks.first()?, 0).ok()
        };
        let alike = Self { init: other.init.clone(), ..self.clone() } == *other;
        alike && spec(self).zip(spec(other)).is_some_and(|(one, two)| one.takes(&two))
    }

    /// Describes a track.
    pub fn new(spec: &media::cmaf::TrackSpec) -> Result<Self> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let init = STANDARD.encode(media::cmaf::init_segment(spec)?);
        Ok(Self {
            codec: spec.codec()?,
            timescale: spec.timescale,
            init,
            range: spec.range(),
            joc: spec.joc(),
        })
    }
}

#[cfg(test)]
mod tests;
