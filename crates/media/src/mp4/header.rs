//! The `moov` box: what tracks there are and how they are coded (ISO/IEC 14496-12 §8).

use bytes::Bytes;

use super::{BoxHead, Boxes, FourCc};
use crate::{
    Error, Result,
    bits::Fields,
    codec::{Picture, Sound},
};

/// Most tracks that are read.
const MAX_TRACKS: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub tracks: Vec<TrackHeader>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackHeader {
    pub id: u32,
    /// Ticks per second of all times of this track.
    pub timescale: u32,
    /// ISO 639-2 letters of `mdhd`; `None` for `und` and what is not three letters.
    pub language: Option<String>,
    /// RFC 6381 codecs string; the bare sample entry type for codecs that are not read further.
    pub codec: String,
    pub kind: TrackKind,
    /// The sample entry of `stsd`, a whole box.
    pub sample_entry: Bytes,
    /// Defaults of `trex` for fragments that tell none.
    pub default_duration: u32,
    pub default_size: u32,
    pub default_flags: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrackKind {
    /// `picture` for formats that are read further, which then tell the size.
    Video {
        width: u32,
        height: u32,
        picture: Option<Picture>,
    },
    /// `sound` for formats that are read further.
    Audio {
        sample_rate: u32,
        channels: u32,
        sound: Option<Sound>,
    },
    Other(FourCc),
}

impl Header {
    /// From the body of a `moov` box.
    pub fn parse(moov: &[u8]) -> Result<Self> {
        let mut tracks = Vec::new();
        for found in Boxes::new(moov) {
            let (kind, body) = found?;
            if &kind == b"trak" {
                if tracks.len() == MAX_TRACKS {
                    return Err(Error::TooLarge("the number of tracks", MAX_TRACKS as u64));
                }
                tracks.push(TrackHeader::parse(body)?);
            }
        }
        if let Some(mvex) = Boxes::new(moov).find(b"mvex")? {
            for found in Boxes::new(mvex) {
                let (kind, body) = found?;
                if &kind == b"trex" {
                    apply_trex(&mut tracks, body)?;
                }
            }
        }
        Ok(Self { tracks })
    }

    /// From a whole CMAF header or other file start: the first `moov` in it.
    pub fn parse_file(bytes: &[u8]) -> Result<Self> {
        Self::parse(Boxes::new(bytes).need(b"moov", "there is no moov")?)
    }

    pub fn track(&self, id: u32) -> Option<&TrackHeader> {
        self.tracks.iter().find(|t| t.id == id)
    }
}

impl TrackHeader {
    fn parse(trak: &[u8]) -> Result<Self> {
        let mut tkhd = Fields::new("tkhd", Boxes::new(trak).need(b"tkhd", "a track has no tkhd")?);
        let (version, _) = tkhd.version_and_flags()?;
        tkhd.skip(if version == 1 { 16 } else { 8 })?;
        let id = tkhd.u32()?;

        let mdia = Boxes::new(trak).need(b"mdia", "a track has no mdia")?;
        let mut mdhd = Fields::new("mdhd", Boxes::new(mdia).need(b"mdhd", "a track has no mdhd")?);
        let (version, _) = mdhd.version_and_flags()?;
        mdhd.skip(if version == 1 { 16 } else { 8 })?;
        let timescale = mdhd.u32()?;
        mdhd.skip(if version == 1 { 8 } else { 4 })?;
        let language = language(mdhd.u16()?);
        if timescale == 0 {
            return Err(Error::Invalid("mdhd", "the timescale is 0"));
        }

        let mut hdlr = Fields::new("hdlr", Boxes::new(mdia).need(b"hdlr", "a track has no hdlr")?);
        hdlr.skip(8)?;
        let handler: FourCc = hdlr.array()?;

        let minf = Boxes::new(mdia).need(b"minf", "a track has no minf")?;
        let stbl = Boxes::new(minf).need(b"stbl", "a track has no stbl")?;
        let stsd = Boxes::new(stbl).need(b"stsd", "a track has no stsd")?;
        let entries = stsd.get(8..).ok_or(Error::Truncated("stsd"))?;
        let (entry_kind, body) =
            Boxes::new(entries).next().ok_or(Error::Invalid("stsd", "there is no sample entry"))??;
        let size = BoxHead::parse(entries)?.and_then(|head| head.size);
        let sample_entry = size.and_then(|n| entries.get(..n as usize)).unwrap_or(entries);
        let (kind, codec) = match &handler {
            b"vide" => visual(entry_kind, body)?,
            b"soun" => audio(entry_kind, body)?,
            _ => (TrackKind::Other(handler), four_cc(entry_kind)),
        };
        Ok(Self {
            id,
            timescale,
            language,
            codec,
            kind,
            sample_entry: Bytes::copy_from_slice(sample_entry),
            default_duration: 0,
            default_size: 0,
            default_flags: 0,
        })
    }
}

/// VisualSampleEntry (§12.1.3).
fn visual(entry: FourCc, body: &[u8]) -> Result<(TrackKind, String)> {
    let mut f = Fields::new("visual sample entry", body);
    f.skip(24)?;
    let (width, height) = (u32::from(f.u16()?), u32::from(f.u16()?));
    f.skip(50)?;
    Ok(match Picture::read(entry, (width, height), f.rest())? {
        Some((picture, facts)) => {
            let (width, height) = (picture.width, picture.height);
            (TrackKind::Video { width, height, picture: Some(picture) }, facts.codec)
        }
        None => (TrackKind::Video { width, height, picture: None }, four_cc(entry)),
    })
}

/// AudioSampleEntry (§12.2.3).
fn audio(entry: FourCc, body: &[u8]) -> Result<(TrackKind, String)> {
    let mut f = Fields::new("audio sample entry", body);
    f.skip(16)?;
    let channels = u32::from(f.u16()?);
    f.skip(6)?;
    let sample_rate = f.u32()? >> 16;
    let sound = Sound::read(entry, f.rest())?;
    let or = |told: Option<u32>, otherwise: u32| told.filter(|n| *n > 0).unwrap_or(otherwise);
    let sample_rate = or(sound.as_ref().map(Sound::sample_rate), sample_rate);
    let channels = or(sound.as_ref().map(Sound::channels), channels);
    let codec = sound.as_ref().map_or_else(|| four_cc(entry), Sound::codec);
    Ok((TrackKind::Audio { sample_rate, channels, sound }, codec))
}

fn apply_trex(tracks: &mut [TrackHeader], trex: &[u8]) -> Result<()> {
    let mut f = Fields::new("trex", trex);
    f.skip(4)?;
    let id = f.u32()?;
    f.skip(4)?;
    let (duration, size, flags) = (f.u32()?, f.u32()?, f.u32()?);
    for track in tracks.iter_mut().filter(|t| t.id == id) {
        (track.default_duration, track.default_size, track.default_flags) = (duration, size, flags);
    }
    Ok(())
}

/// Three letters of five bits each (§8.4.2.3).
fn language(code: u16) -> Option<String> {
    let letters: String =
        [10, 5, 0].into_iter().map(|shift| char::from(((code >> shift) & 31) as u8 + 0x60)).collect();
    (letters != "und" && letters.bytes().all(|b| b.is_ascii_lowercase())).then_some(letters)
}

fn four_cc(code: FourCc) -> String {
    code.iter().filter(|b| b.is_ascii_graphic()).map(|b| char::from(*b)).collect()
}
