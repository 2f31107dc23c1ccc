//! The CMAF header: `ftyp` and a `moov` without samples (ISO/IEC 23000-19 §7.3.1).

use bytes::Bytes;

use super::{
    TRACK_ID,
    boxes::{Put, write, write_full},
};
use crate::{
    Error, Result, avc,
    mp4::{AudioConfig, TrackHeader, TrackKind},
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
    /// H.264 with parameter sets in the header only (`avc1`). `avcc` is the body of an `avcC` box, `delay` what the
    /// composition offsets were raised by, ticks.
    Avc { avcc: Bytes, delay: u32 },
    /// AAC.
    Aac { config: AudioConfig },
}

impl TrackSpec {
    /// The same media as in a file that was read. `delay` counts for video only.
    pub fn from_header(track: &TrackHeader, delay: u32) -> Result<Self> {
        let media = match &track.kind {
            TrackKind::Video { avcc, .. } if !avcc.is_empty() => Media::Avc { avcc: avcc.clone(), delay },
            TrackKind::Audio { config: Some(config), .. } if config.audio_object_type != 0 => {
                Media::Aac { config: config.clone() }
            }
            _ => return Err(Error::Unsupported(format!("writing {} as CMAF", track.codec))),
        };
        Ok(Self { timescale: track.timescale, language: track.language.clone(), media })
    }

    /// RFC 6381 codecs string.
    pub fn codec(&self) -> Result<String> {
        match &self.media {
            Media::Avc { avcc, .. } => Ok(avc::Config::parse(avcc)?.codec()),
            Media::Aac { config } => Ok(config.codec()),
        }
    }
}

/// The header of a track. Picture size, aspect and colour come from the sequence parameter set.
pub fn init_segment(spec: &TrackSpec) -> Result<Vec<u8>> {
    let entry = match &spec.media {
        Media::Avc { avcc, delay } => {
            let sps = avc::Config::parse(avcc)?.sps()?;
            Entry::Video { sample_entry: avc1(avcc, &sps), size: display_size(&sps), delay: *delay }
        }
        Media::Aac { config } => Entry::Audio { sample_entry: mp4a(config) },
    };
    let mut out = Vec::with_capacity(1024);
    write(&mut out, b"ftyp", |out| {
        out.extend(b"cmfc");
        out.u32(0);
        for brand in [b"iso6", b"cmfc", b"mp41"] {
            out.extend(brand);
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
    Video { sample_entry: Vec<u8>, size: (u32, u32), delay: u32 },
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
        if let Entry::Video { delay, .. } = entry
            && *delay > 0
        {
            write(out, b"edts", |out| {
                write_full(out, b"elst", 0, 0, |out| {
                    out.u32(1);
                    out.u32(0); // for as long as fragments follow
                    out.u32(*delay);
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
            write(out, b"minf", |out| minf(out, entry));
        });
    });
}

fn minf(out: &mut Vec<u8>, entry: &Entry) {
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
    });
}

/// AVCSampleEntry (ISO/IEC 14496-15 §5.4.2) with `colr` and `pasp`.
fn avc1(avcc: &[u8], sps: &avc::Sps) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    write(&mut out, b"avc1", |out| {
        out.zeros(6);
        out.u16(1); // data reference
        out.zeros(16);
        out.u16(sps.width as u16);
        out.u16(sps.height as u16);
        out.u32(0x0048_0000); // 72 dpi
        out.u32(0x0048_0000);
        out.u32(0);
        out.u16(1); // frames per sample
        out.zeros(32); // compressor's name
        out.u16(0x0018);
        out.u16(0xffff);
        write(out, b"avcC", |out| out.extend_from_slice(avcc));
        if let Some(colour) = sps.colour {
            write(out, b"colr", |out| {
                out.extend(b"nclx");
                out.u16(colour.primaries.into());
                out.u16(colour.transfer.into());
                out.u16(colour.matrix.into());
                out.push(u8::from(colour.full_range) << 7);
            });
        }
        let (horizontal, vertical) = sps.sample_aspect.unwrap_or((1, 1));
        write(out, b"pasp", |out| {
            out.u32(horizontal.into());
            out.u32(vertical.into());
        });
    });
    out
}

/// MP4AudioSampleEntry (ISO/IEC 14496-14 §6.7).
fn mp4a(config: &AudioConfig) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    write(&mut out, b"mp4a", |out| {
        out.zeros(6);
        out.u16(1);
        out.zeros(8);
        out.u16(config.channels as u16);
        out.u16(16);
        out.u32(0);
        // 16.16; a rate that does not fit is told by the AudioSpecificConfig alone.
        out.u32(if config.sample_rate < 1 << 16 { config.sample_rate << 16 } else { 0 });
        write(out, b"esds", |out| out.extend(config.to_esds(0, 0)));
    });
    out
}

/// Size in square pixels: the sample aspect ratio widens the picture.
fn display_size(sps: &avc::Sps) -> (u32, u32) {
    let (horizontal, vertical) = sps.sample_aspect.unwrap_or((1, 1));
    let width = u64::from(sps.width) * u64::from(horizontal) / u64::from(vertical.max(1));
    (width.clamp(1, 0xffff) as u32, sps.height)
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
