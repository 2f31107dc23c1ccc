//! Pictures that people upload: what their headers say, and their colours.
//!
//! Headers are read here, by parsers without `unsafe` input handling of their own and before a decoder sees the file:
//! size, orientation and colour profile. Pixels are decoded by a guest.

mod avif;
pub mod colour;

use std::io::Cursor;

use domain::artwork::{self, Input};
use image::{ImageDecoder, codecs, metadata::Orientation};

/// Largest colour profile that is looked at, in bytes. Those of cameras and printers have a few kilobytes.
const MAX_PROFILE: usize = 1 << 20;

/// Why a picture is not taken, in words for its creator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("This is not a JPEG, PNG, WebP or AVIF picture.")]
    Unknown,
    #[error("This picture is damaged. Export it again and try once more.")]
    Damaged,
    #[error("This picture has more than {} million pixels. Make it smaller first.", artwork::MAX_PIXELS / 1_000_000)]
    TooLarge,
    #[error(
        "The chosen part of this picture is less than {} pixels wide. Choose a larger part or picture.",
        artwork::MIN_WIDTH
    )]
    TooSmall,
    #[error("This picture moves. Choose a still one.")]
    Animated,
    #[error("This picture is in high dynamic range. Export it in sRGB or Display P3.")]
    HighRange,
    #[error("This kind of AVIF picture cannot be read. Export it as JPEG or PNG.")]
    UnusualAvif,
}

/// What a picture's header says.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// As stored, in pixels.
    pub stored: (u32, u32),
    /// How it must be turned to be upright.
    pub orientation: Orientation,
    pub colours: Colours,
    /// ffmpeg's name of the demuxer for it.
    pub demuxer: &'static str,
}

/// What a picture's numbers mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Colours {
    Srgb,
    DisplayP3,
    /// An ICC profile.
    Profile(Vec<u8>),
}

impl Header {
    /// Size as people see it, in pixels.
    pub fn size(&self) -> (u32, u32) {
        let (width, height) = self.stored;
        match self.orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (height, width),
            _ => (width, height),
        }
    }

    /// ffmpeg's filter that fails when the decoded picture is smaller than the header tells: a single tile of a larger
    /// one decodes, too.
    pub fn size_check(&self) -> String {
        format!("crop={}:{}:0:0:exact=1", self.stored.0, self.stored.1)
    }

    /// ffmpeg's filters that turn it upright; empty when it is.
    pub fn upright(&self) -> &'static str {
        match self.orientation {
            Orientation::NoTransforms => "",
            Orientation::Rotate90 => "transpose=clock",
            Orientation::Rotate180 => "hflip,vflip",
            Orientation::Rotate270 => "transpose=cclock",
            Orientation::FlipHorizontal => "hflip",
            Orientation::FlipVertical => "vflip",
            Orientation::Rotate90FlipH => "transpose=cclock_flip",
            Orientation::Rotate270FlipH => "transpose=clock_flip",
        }
    }
}

/// Reads the header of a picture. Blocks while it computes; reads `file` only.
pub fn header(file: &[u8]) -> Result<Header, Refusal> {
    let head = file.get(..artwork::PREFIX.min(file.len())).unwrap_or_default();
    let header = match artwork::sniff(head).ok_or(Refusal::Unknown)? {
        Input::Jpeg => told(codecs::jpeg::JpegDecoder::new(Cursor::new(file)), "jpeg_pipe"),
        Input::Png => {
            let decoder = codecs::png::PngDecoder::new(Cursor::new(file)).map_err(|_| Refusal::Damaged)?;
            if decoder.is_apng().unwrap_or(true) {
                return Err(Refusal::Animated);
            }
            told(Ok(decoder), "png_pipe")
        }
        Input::Webp => {
            let decoder = codecs::webp::WebPDecoder::new(Cursor::new(file)).map_err(|_| Refusal::Damaged)?;
            if decoder.has_animation() {
                return Err(Refusal::Animated);
            }
            told(Ok(decoder), "webp_pipe")
        }
        Input::Avif => avif::header(file),
    }?;
    let (width, height) = header.stored;
    if u64::from(width) * u64::from(height) > artwork::MAX_PIXELS {
        return Err(Refusal::TooLarge);
    }
    if width == 0 || height == 0 { Err(Refusal::Damaged) } else { Ok(header) }
}

fn told(decoder: image::ImageResult<impl ImageDecoder>, demuxer: &'static str) -> Result<Header, Refusal> {
    let mut decoder = decoder.map_err(|_| Refusal::Damaged)?;
    let stored = decoder.dimensions();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten().filter(|profile| profile.len() <= MAX_PROFILE);
    let colours = profile.map_or(Colours::Srgb, Colours::Profile);
    Ok(Header { stored, orientation, colours, demuxer })
}

#[cfg(test)]
mod tests;
