//! Pictures of titles: kinds and their shapes, crops, formats and widths.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::accept::range;

/// Largest picture that is taken, in bytes.
pub const MAX_BYTES: usize = 20 << 20;
/// Largest picture that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 50_000_000;
/// Most pictures of a title that people made; frames found by the workflow come on top.
pub const MAX_PICTURES: usize = 50;
/// Longest text that stands for a picture, in characters.
pub const MAX_ALT: usize = 300;
/// The narrowest part of an uploaded picture that is worth showing, in pixels.
pub const MIN_WIDTH: u32 = 160;

/// Widths that pictures are stored in, as far as they are that wide.
pub const WIDTHS: [u32; 5] = [160, 320, 640, 1280, 1920];

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// 16:9, on cards and before playback. Frames of a title keep the title's own shape.
    Poster,
    /// 2:3, upright.
    Portrait,
    /// 21:9, behind the name of a title.
    Banner,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Poster, Self::Portrait, Self::Banner];

    pub fn word(self) -> &'static str {
        match self {
            Self::Poster => "poster",
            Self::Portrait => "portrait",
            Self::Banner => "banner",
        }
    }

    /// Width to height.
    pub fn ratio(self) -> (u32, u32) {
        match self {
            Self::Poster => (16, 9),
            Self::Portrait => (2, 3),
            Self::Banner => (21, 9),
        }
    }

    /// Widest stored picture, in pixels.
    pub fn max_width(self) -> u32 {
        match self {
            Self::Poster | Self::Banner => 1920,
            Self::Portrait => 1280,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Kind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|kind| kind.word() == text);
        known.ok_or("a kind is poster, portrait or banner")
    }
}

impl TryFrom<String> for Kind {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// A rectangle of a picture as people see it (after its orientation was applied), in fractions of its sides.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Crop {
    pub const WHOLE: Self = Self { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };

    /// Does it lie within the picture, and has it an area? A thousandth is forgiven: clients round.
    pub fn is_sound(self) -> bool {
        let within = |from: f64, length: f64| {
            (0.0..=1.0).contains(&from) && length > 0.0 && from + length <= 1.001 && length <= 1.001
        };
        within(self.x, self.width) && within(self.y, self.height)
    }

    /// The largest rectangle of exactly the shape `ratio` (to a pixel) in the middle of this one, in a picture of
    /// `size`. `None` when nothing is left.
    pub fn pixels(self, size: (u32, u32), ratio: (u32, u32)) -> Option<Rect> {
        if !self.is_sound() || size.0 == 0 || size.1 == 0 {
            return None;
        }
        let (picture_width, picture_height) = (f64::from(size.0), f64::from(size.1));
        let (width, height) = (self.width * picture_width, self.height * picture_height);
        let shape = f64::from(ratio.0) / f64::from(ratio.1);
        let fitted = width.min(height * shape);
        let whole = |length: f64, most: u32| (length.round() as u32).min(most);
        let (out_width, out_height) = (whole(fitted, size.0), whole(fitted / shape, size.1));
        if out_width == 0 || out_height == 0 {
            return None;
        }
        let place = |from: f64, spare: f64, own: u32, most: u32| {
            (((from + spare / 2.0).round().max(0.0)) as u32).min(most - own)
        };
        Some(Rect {
            x: place(self.x * picture_width, width - f64::from(out_width), out_width, size.0),
            y: place(self.y * picture_height, height - f64::from(out_height), out_height, size.1),
            width: out_width,
            height: out_height,
        })
    }
}

/// The widths that a picture `full` pixels wide is stored in: its own, and the usual ones below.
pub fn widths(full: u32) -> Vec<u32> {
    let own = (!WIDTHS.contains(&full)).then_some(full);
    WIDTHS.into_iter().filter(|width| *width <= full).chain(own).collect()
}

/// A format in which pictures are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Smallest, and not known to every client.
    Avif,
    Webp,
    Jpeg,
}

impl Format {
    /// Best first.
    pub const ALL: [Self; 3] = [Self::Avif, Self::Webp, Self::Jpeg];

    pub fn extension(self) -> &'static str {
        match self {
            Self::Avif => "avif",
            Self::Webp => "webp",
            Self::Jpeg => "jpg",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Avif => "image/avif",
            Self::Webp => "image/webp",
            Self::Jpeg => "image/jpeg",
        }
    }

    /// The formats that an `Accept` header (RFC 9110 §12.5.1) allows, best first. AVIF and WebP must be named: who
    /// accepts `image/*` may never have heard of them. JPEG always comes last, for want of anything else to send.
    pub fn accepted(accept: &str) -> Vec<Self> {
        let named = |format: &Self| {
            let mut ranges = accept.split(',').take(64).map(range);
            ranges.any(|(name, taken)| taken && name.eq_ignore_ascii_case(format.media_type()))
        };
        let better = [Self::Avif, Self::Webp].into_iter().filter(named);
        better.chain([Self::Jpeg]).collect()
    }
}

/// One stored form of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    pub format: Format,
    /// Pixels.
    pub width: u32,
}

/// The variant to send to who accepts `formats`, best first, and asks for `width` pixels: the narrowest that is wide
/// enough, or the widest there is. A better format does not make up for a narrower picture.
pub fn pick(variants: &[Variant], formats: &[Format], width: u32) -> Option<Variant> {
    let usable: Vec<&Variant> = variants.iter().filter(|v| formats.contains(&v.format)).collect();
    let enough = usable.iter().map(|v| v.width).filter(|w| *w >= width).min();
    let chosen = enough.or_else(|| usable.iter().map(|v| v.width).max())?;
    let rank = |v: &&&Variant| formats.iter().position(|f| *f == v.format);
    usable.iter().filter(|v| v.width == chosen).min_by_key(rank).map(|v| **v)
}

/// A kind of file that pictures may be uploaded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    Jpeg,
    Png,
    Webp,
    Avif,
}

/// How many first bytes [`sniff`] wants to see.
pub const PREFIX: usize = 64;

/// What kind of picture a file is, told from its first bytes and never from its name or what its sender says.
pub fn sniff(head: &[u8]) -> Option<Input> {
    if head.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Some(Input::Jpeg);
    }
    if head.starts_with(b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR") {
        return Some(Input::Png);
    }
    if head.starts_with(b"RIFF") && head.get(8..15) == Some(b"WEBPVP8") {
        return Some(Input::Webp);
    }
    // ISO/IEC 23008-12 §10.2, AV1 Image File Format §4: `avif` is the major or a compatible brand.
    if head.get(4..8) == Some(b"ftyp") {
        let size = u32::from_be_bytes(head.first_chunk::<4>().copied().unwrap_or_default()) as usize;
        let brands = head.get(8..size.min(head.len())).unwrap_or_default();
        let brand = |at: usize, brand: &[u8]| at != 1 && brand == b"avif";
        return brands.chunks_exact(4).enumerate().any(|(at, b)| brand(at, b)).then_some(Input::Avif);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: (u32, u32) = (16, 9);

    #[test]
    fn a_crop_keeps_the_shape_and_stays_inside() {
        let rect = |x, y, width, height| Some(Rect { x, y, width, height });
        assert_eq!(Crop::WHOLE.pixels((1920, 1080), WIDE), rect(0, 0, 1920, 1080));
        assert_eq!(Crop::WHOLE.pixels((1000, 1000), (2, 3)), rect(167, 0, 667, 1000));
        let half = Crop { x: 0.5, y: 0.5, width: 0.5, height: 0.5 };
        assert_eq!(half.pixels((3200, 1800), WIDE), rect(1600, 900, 1600, 900));
        let rounded = Crop { x: 0.333, y: 0.0, width: 0.6675, height: 1.0 };
        assert!(rounded.pixels((999, 1001), WIDE).is_some_and(|r| r.x + r.width <= 999));
        for (x, y, width, height) in [
            (f64::NAN, 0.0, 1.0, 1.0),
            (0.0, 0.0, f64::INFINITY, 1.0),
            (-0.1, 0.0, 0.5, 0.5),
            (0.6, 0.0, 0.5, 0.5),
            (0.0, 0.0, 0.0, 1.0),
            (0.0, 0.0, 1.0, -1.0),
        ] {
            assert_eq!(Crop { x, y, width, height }.pixels((100, 100), WIDE), None);
        }
        let sliver = Crop { x: 0.0, y: 0.0, width: 1e-9, height: 1.0 };
        assert_eq!(sliver.pixels((100, 100), WIDE), None);
    }

    #[test]
    fn formats_follow_what_the_client_names() {
        use Format::{Avif, Jpeg, Webp};
        assert_eq!(Format::accepted("image/avif,image/webp,image/apng,*/*;q=0.8"), [Avif, Webp, Jpeg]);
        assert_eq!(Format::accepted("image/webp, image/avif;q=0"), [Webp, Jpeg]);
        assert_eq!(Format::accepted("image/*"), [Jpeg]);
        assert_eq!(Format::accepted(""), [Jpeg]);
        let variants = [(Jpeg, 320), (Jpeg, 640), (Jpeg, 1280), (Avif, 320), (Avif, 640)]
            .map(|(format, width)| Variant { format, width });
        let pick = |formats: &[Format], width| pick(&variants, formats, width).map(|v| (v.format, v.width));
        assert_eq!(pick(&[Avif, Jpeg], 300), Some((Avif, 320)));
        assert_eq!(pick(&[Avif, Jpeg], 641), Some((Jpeg, 1280)), "width before format");
        assert_eq!(pick(&[Jpeg], 4000), Some((Jpeg, 1280)));
        assert_eq!(pick(&[Webp], 100), None);
        assert_eq!(widths(1000), [160, 320, 640, 1000]);
        assert_eq!(widths(1920), WIDTHS);
        assert_eq!(widths(90), [90]);
    }

    #[test]
    fn only_pictures_are_taken_for_pictures() {
        assert_eq!(sniff(b"\xFF\xD8\xFF\xE0\0\x10JFIF"), Some(Input::Jpeg));
        assert_eq!(sniff(b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\0"), Some(Input::Png));
        assert_eq!(sniff(b"RIFF\x10\0\0\0WEBPVP8X"), Some(Input::Webp));
        assert_eq!(sniff(b"\0\0\0\x1CftypavifABCDmif1"), Some(Input::Avif));
        assert_eq!(sniff(b"\0\0\0\x1Cftypmif1\0\0\0\0avifmiafMA1B"), Some(Input::Avif));
        let others: [&[u8]; 11] = [
            b"",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"<?xml version='1.0'?><svg/>",
            b"GIF89a/*\xFF\xD8\xFF*/",
            b"%PDF-1.7 \xFF\xD8\xFF",
            b"PK\x03\x04",
            b"RIFF\x10\0\0\0AVI LIST",
            b"\0\0\0\x1Cftypheic\0\0\0\0mif1heic",
            b"\0\0\0\x10ftypisomavif",
            b"#!/bin/sh\n",
            b"BM\0\0",
        ];
        for other in others {
            assert_eq!(sniff(other), None, "{other:?}");
        }
    }
}
