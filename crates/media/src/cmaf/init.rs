//! The CMAF header: `ftyp` and a `moov` without samples (ISO/IEC 23000-19 §7.3.1).

use bytes::Bytes;

use super::{
    Kind, TRACK_ID,
    boxes::{Put, write, write_full},
    entry,
};
use crate::{
    Error, Result,
    bits::Fields,
    codec::{Format, Picture, Sound, dolby, hevc, opus},
    descriptor::Range,
    mp4::{Boxes, Header, TrackHeader, TrackKind},
};

/// What a CMAF header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackSpec {
    /// Ticks per second.
    pub timescale: u32,
    /// ISO 639-2 (three letters); `None` is `und`.
    pub language: Option<String>,
    pub media: Media,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Media {
    /// Parameter sets lie in the header only (`avc1`, `hvc1`), or before every key frame too (`avc3`). `delay` is what composition offsets were raised by, ticks.
    Video {
        picture: Picture,
        delay: u32,
    },
    Audio(Sound),
}

impl TrackSpec {
    /// The same media as in a file that was read. `delay` counts for H.264 and HEVC only: VP9 and AV1 put pictures that are
    /// shown later into the sample of one that is shown.
    pub fn from_header(track: &TrackHeader, delay: u32) -> Result<Self> {
        let unsupported = || Error::Unsupported(format!("writing {} as CMAF", track.codec));
        let media = match &track.kind {
            // Their parameter sets may lie in the samples alone, or mean something else.
            TrackKind::Video { .. }
                if ["avc2", "avc4", "hev1"].iter().any(|e| track.codec.starts_with(e)) =>
            {
                return Err(unsupported());
            }
            TrackKind::Video { picture: Some(picture), .. } => {
                let delay = if matches!(picture.format, Format::Avc | Format::Hevc) { delay } else { 0 };
                Media::Video { picture: picture.clone(), delay }
            }
            TrackKind::Audio { sound: Some(Sound::Mpeg(config)), .. } if config.audio_object_type == 0 => {
                return Err(unsupported());
            }
            TrackKind::Audio { sound: Some(sound), .. } => Media::Audio(sound.clone()),
            _ => return Err(unsupported()),
        };
        Ok(Self { timescale: track.timescale, language: track.language.clone(), media })
    }

    /// What a header of ours says.
    pub fn from_init(init: &[u8]) -> Result<Self> {
        let missing = || Error::Invalid("CMAF header", "it describes no track");
        let header = Header::parse_file(init)?;
        let track = header.tracks.first().ok_or_else(missing)?;
        let trak = Boxes::new(Boxes::new(init).need(b"moov", "no moov")?).need(b"trak", "no trak")?;
        let media_time = match Boxes::new(trak).find(b"edts")? {
            None => 0,
            Some(edits) => {
                let mut list = Fields::new("elst", Boxes::new(edits).need(b"elst", "edts without elst")?);
                // Version, flags, count and duration stand before it.
                (list.u32()?, list.u32()?, list.u32()?, list.u32()?).3
            }
        };
        Self::from_header(track, media_time)
    }

    /// Takes from the track's first sample what its header may have left out: HDR10 metadata in SEI messages of HEVC and in
    /// OBUs of AV1, and joint object coding of E-AC-3. What is known stays.
    pub fn learn(&mut self, sample: &[u8]) -> Result<()> {
        match &mut self.media {
            Media::Video { picture, .. } => picture.hdr = picture.hdr.or(picture.hdr_of_sample(sample)?),
            Media::Audio(Sound::Eac3(config)) => config.joc = config.joc.or(dolby::joc_of_frame(sample)?),
            Media::Audio(_) => {}
        }
        Ok(())
    }

    /// The sample as it is stored: see [`Picture::stored`].
    pub fn stored(&self, sample: &Bytes, is_sync: bool) -> Result<Bytes> {
        match &self.media {
            Media::Video { picture, .. } => picture.stored(sample, is_sync),
            Media::Audio(_) => Ok(sample.clone()),
        }
    }

    /// The same for a track that several encoders add to: see [`Picture::with_sets_in_band`]. `None` when that cannot be.
    pub fn with_sets_in_band(self) -> Option<Self> {
        let Media::Video { picture, delay } = self.media else { return None };
        let media = Media::Video { picture: picture.with_sets_in_band()?, delay };
        Some(Self { media, ..self })
    }

    /// May segments made for `other` follow this header? They must be described alike, but for parameter sets that samples
    /// bring along.
    pub fn takes(&self, other: &Self) -> bool {
        match (&self.media, &other.media) {
            (Media::Video { picture: one, delay }, Media::Video { picture: two, delay: other_delay })
                if one.in_band && two.in_band =>
            {
                let alike = Picture { config: two.config.clone(), colour: two.colour, ..one.clone() };
                // Encoders need not tell colours that are the usual ones.
                let colours = one.colour.is_none() || two.colour.is_none() || one.colour == two.colour;
                self.timescale == other.timescale
                    && delay == other_delay
                    && self.codec().ok() == other.codec().ok()
                    && alike == *two
                    && colours
            }
            _ => self == other,
        }
    }

    pub fn is_video(&self) -> bool {
        matches!(self.media, Media::Video { .. })
    }

    /// RFC 6381 codecs string.
    pub fn codec(&self) -> Result<String> {
        match &self.media {
            Media::Video { picture, .. } => {
                let entry = String::from_utf8_lossy(entry::name(picture));
                Ok(picture.format.facts(&entry, &picture.config)?.codec)
            }
            Media::Audio(sound) => Ok(sound.codec()),
        }
    }

    /// How segments of the track are written.
    pub fn kind(&self) -> Kind {
        match &self.media {
            Media::Video { delay, .. } => Kind::Video { delay: *delay },
            Media::Audio(Sound::Opus(_)) => Kind::Opus,
            Media::Audio(_) => Kind::Audio,
        }
    }

    /// Dynamic range; of sound [`Range::Sdr`].
    pub fn range(&self) -> Range {
        if let Media::Video { picture, .. } = &self.media { picture.range() } else { Range::Sdr }
    }

    /// Complexity index of joint object coding (Dolby Atmos).
    pub fn joc(&self) -> Option<u8> {
        if let Media::Audio(sound) = &self.media { sound.joc() } else { None }
    }

    /// Where the presentation begins on the media time line, ticks: after the composition delay, or after what an Opus
    /// decoder gives out first (Encapsulation of Opus §4.4).
    fn media_time(&self) -> u32 {
        match &self.media {
            Media::Video { delay, .. } => *delay,
            Media::Audio(Sound::Opus(config)) => {
                let ticks = u64::from(config.pre_skip) * u64::from(self.timescale) / u64::from(opus::RATE);
                u32::try_from(ticks).unwrap_or(u32::MAX)
            }
            Media::Audio(_) => 0,
        }
    }
}

/// The header of a track. Picture size, aspect and colour come from the sequence parameter set where there is one.
pub fn init_segment(spec: &TrackSpec) -> Result<Vec<u8>> {
    let entry = match &spec.media {
        Media::Video { picture, .. } => {
            let config = config(picture)?;
            Entry::Video { sample_entry: entry::visual(picture, &config), size: display_size(picture) }
        }
        Media::Audio(sound) => Entry::Audio { sample_entry: entry::audio(sound) },
    };
    let mut out = Vec::with_capacity(1024);
    write(&mut out, b"ftyp", |out| {
        out.extend(b"cmfc");
        out.u32(0);
        for brand in [b"iso6", b"cmfc", b"mp41"] {
            out.extend(brand);
        }
        // Binding of AV1 §2.1. Brands of media profiles are promises about frame rates and levels that are not made here.
        if matches!(&spec.media, Media::Video { picture, .. } if picture.format == Format::Av1) {
            out.extend(b"av01");
        }
    });
    write(&mut out, b"moov", |out| {
        write_full(out, b"mvhd", 0, 0, |out| {
            out.zeros(8);
            out.u32(spec.timescale);
            out.u32(0); // duration: told by the fragments
            out.u32(0x0001_0000);
            out.u16(0x0100);
            out.zeros(10);
            matrix(out);
            out.zeros(24);
            out.u32(TRACK_ID + 1);
        });
        trak(out, spec, &entry);
        write(out, b"mvex", |out| {
            write_full(out, b"trex", 0, 0, |out| {
                out.u32(TRACK_ID);
                out.u32(1);
                out.zeros(12); // defaults are told by each fragment
            });
        });
    });
    Ok(out)
}

enum Entry {
    Video { sample_entry: Vec<u8>, size: (u32, u32) },
    Audio { sample_entry: Vec<u8> },
}

fn trak(out: &mut Vec<u8>, spec: &TrackSpec, entry: &Entry) {
    write(out, b"trak", |out| {
        // Enabled, in movie (§8.3.2).
        write_full(out, b"tkhd", 0, 3, |out| {
            out.zeros(8);
            out.u32(TRACK_ID);
            out.zeros(16);
            out.u16(0); // layer
            out.u16(0);
            let (volume, (width, height)) = match entry {
                Entry::Video { size, .. } => (0, *size),
                Entry::Audio { .. } => (0x0100, (0, 0)),
            };
            out.u16(volume);
            out.u16(0);
            matrix(out);
            out.u32(width << 16);
            out.u32(height << 16);
        });
        let media_time = spec.media_time();
        if media_time > 0 {
            write(out, b"edts", |out| {
                write_full(out, b"elst", 0, 0, |out| {
                    out.u32(1);
                    out.u32(0); // for as long as fragments follow
                    out.u32(media_time);
                    out.u32(0x0001_0000);
                });
            });
        }
        write(out, b"mdia", |out| {
            write_full(out, b"mdhd", 0, 0, |out| {
                out.zeros(8);
                out.u32(spec.timescale);
                out.u32(0);
                out.u16(language_code(spec.language.as_deref()));
                out.u16(0);
            });
            let (handler, name) = match entry {
                Entry::Video { .. } => (b"vide", "Video"),
                Entry::Audio { .. } => (b"soun", "Audio"),
            };
            write_full(out, b"hdlr", 0, 0, |out| {
                out.u32(0);
                out.extend(handler);
                out.zeros(12);
                out.extend(name.as_bytes());
                out.push(0);
            });
            write(out, b"minf", |out| minf(out, spec, entry));
        });
    });
}

fn minf(out: &mut Vec<u8>, spec: &TrackSpec, entry: &Entry) {
    let sample_entry = match entry {
        Entry::Video { sample_entry, .. } => {
            write_full(out, b"vmhd", 0, 1, |out| out.zeros(8));
            sample_entry
        }
        Entry::Audio { sample_entry } => {
            write_full(out, b"smhd", 0, 0, |out| out.zeros(4));
            sample_entry
        }
    };
    write(out, b"dinf", |out| {
        write_full(out, b"dref", 0, 0, |out| {
            out.u32(1);
            write_full(out, b"url ", 0, 1, |_| {});
        });
    });
    write(out, b"stbl", |out| {
        write_full(out, b"stsd", 0, 0, |out| {
            out.u32(1);
            out.extend_from_slice(sample_entry);
        });
        for kind in [b"stts", b"stsc"] {
            write_full(out, kind, 0, 0, |out| out.u32(0));
        }
        write_full(out, b"stsz", 0, 0, |out| out.zeros(8));
        write_full(out, b"stco", 0, 0, |out| out.u32(0));
        if spec.kind() == Kind::Opus {
            roll(out);
        }
    });
}

/// How far before a sample decoding must begin (ISO/IEC 14496-12 §10.1), which the encapsulation of Opus wants told
/// (§4.3.6.2): the group here, its samples in each fragment.
fn roll(out: &mut Vec<u8>) {
    write_full(out, b"sgpd", 1, 0, |out| {
        out.extend(b"roll");
        out.u32(2);
        out.u32(1);
        out.extend(opus::ROLL_DISTANCE.to_be_bytes());
    });
    write_full(out, b"sbgp", 0, 0, |out| {
        out.extend(b"roll");
        out.u32(0);
    });
}

/// The configuration as it is written: without it, or without parameter sets, there is nothing to decode by.
fn config(picture: &Picture) -> Result<Vec<u8>> {
    if !picture.format.facts("", &picture.config)?.has_sequence {
        return Err(Error::Invalid("sample entry", "it has no sequence parameter set"));
    }
    Ok(match picture.format {
        Format::Hevc => hevc::Config::parse(&picture.config)?.to_hvcc(),
        _ => picture.config.to_vec(),
    })
}

/// Size in square pixels: the sample aspect ratio widens the picture.
fn display_size(picture: &Picture) -> (u32, u32) {
    let (horizontal, vertical) = picture.aspect.unwrap_or((1, 1));
    let width = u64::from(picture.width) * u64::from(horizontal) / u64::from(vertical.max(1));
    (width.clamp(1, 0xffff) as u32, picture.height.min(0xffff))
}

fn matrix(out: &mut Vec<u8>) {
    for value in [0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000] {
        out.u32(value);
    }
}

fn language_code(letters: Option<&str>) -> u16 {
    let letters =
        letters.filter(|l| l.len() == 3 && l.bytes().all(|b| b.is_ascii_lowercase())).unwrap_or("und");
    letters.bytes().fold(0, |code, letter| (code << 5) | u16::from(letter - 0x60))
}
