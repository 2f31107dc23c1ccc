//! Artwork: one picture in, all its forms out. Decoding and encoding are done by guests; between them the picture is raw.

use std::path::{Path, PathBuf};

use domain::artwork::{self, Format, Rect, Variant};

use super::{Error, Result, pictures::blur_url};
use crate::{guest::Guest, tools::Tools};

/// Of JPEG pictures, on ffmpeg's scale from 2 (best) to 31.
pub(super) const JPEG_QUALITY: &str = "4";
/// Of WebP pictures, from 0 to 100 (best).
const WEBP_QUALITY: &str = "78";
/// Of AVIF pictures, from 63 to 0 (best). By eye and by SSIM as good as the other two, at half to two thirds their size.
const AVIF_CRF: &str = "30";

/// Tiny pictures to show while the real one is on its way: 16 pixels wide, to be enlarged and blurred.
pub(super) const BLUR: &str = "scale=w=16:h=-1:flags=area:out_range=tv:out_color_matrix=bt601,format=yuv420p";
pub(super) const BLUR_QUALITY: &str = "30";

/// A raw picture in memory: four bytes a pixel, the last one its opacity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    pub width: u32,
    pub height: u32,
    pub rgba: Vec<u8>,
}

/// How to get at a picture.
#[derive(Debug)]
pub struct Input<'a> {
    pub file: &'a Path,
    /// Name of ffmpeg's demuxer, never guessed.
    pub demuxer: &'a str,
    /// Filters that come first: what picks a frame, or turns the picture upright.
    pub filters: &'a str,
}

/// Decodes the part `crop` of the upright picture, at most `max_width` pixels wide.
pub async fn decode(
    tools: &Tools,
    input: &Input<'_>,
    crop: Rect,
    max_width: u32,
    scratch: &Path,
) -> Result<Raw> {
    let width = crop.width.min(max_width);
    let height = scaled(crop, width);
    let mut graph = String::new();
    if !input.filters.is_empty() {
        graph = format!("{},", input.filters);
    }
    // Chroma must not make the crop's place even, so it is done in full colour.
    graph += &format!(
        "format=rgba,crop={}:{}:{}:{}:exact=1,scale={width}:{height}:flags=lanczos",
        crop.width, crop.height, crop.x, crop.y
    );
    let size = width as usize * height as usize * 4;
    let pixels = artwork::MAX_PIXELS.to_string();
    let mut limits = tools.limits.clone();
    limits.memory_bytes = limits.memory_bytes.min(4 << 30);
    limits.cpu = limits.cpu.min(PATIENCE);
    limits.wall = limits.wall.min(PATIENCE * 4);
    limits.file_bytes = limits.file_bytes.min(size as u64 + 4096);
    Guest::new(&tools.ffmpeg, limits)
        .args(["-v", "error", "-nostdin", "-noautorotate", "-protocol_whitelist", "file,pipe"])
        .args(["-max_pixels", &pixels, "-copyts", "-f", input.demuxer, "-i"])
        .args([input.file])
        .args(["-map", "0:v:0", "-frames:v", "1", "-vf", &graph, "-fps_mode", "passthrough"])
        .args(["-c:v", "rawvideo", "-pix_fmt", "rgba", "-f", "rawvideo", "picture.rgba"])
        .reads(input.file)
        .scratch(scratch)
        .output(1 << 16)
        .await?;
    let rgba = tokio::fs::read(scratch.join("picture.rgba")).await?;
    if rgba.len() != size {
        return Err(Error::Mismatch(format!("{} bytes for {width}×{height}", rgba.len())));
    }
    Ok(Raw { width, height, rgba })
}

/// What one picture may take of the processor.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

fn scaled(crop: Rect, width: u32) -> u32 {
    let height = u64::from(crop.height) * u64::from(width) + u64::from(crop.width) / 2;
    u32::try_from(height / u64::from(crop.width.max(1))).unwrap_or(u32::MAX).max(1)
}

/// All forms of a picture, in files.
#[derive(Debug)]
pub struct Forms {
    pub files: Vec<(Variant, PathBuf)>,
    /// A tiny picture as data URL.
    pub blur: String,
}

/// Makes all forms of `picture`, which is opaque and in sRGB, in `scratch`.
pub async fn encode(tools: &Tools, picture: Raw, scratch: &Path) -> Result<Forms> {
    let (width, height) = (picture.width, picture.height);
    let raw = scratch.join("upright.rgba");
    tokio::fs::write(&raw, &picture.rgba).await?;
    drop(picture);
    let widths = artwork::widths(width);
    let mut graph = format!("[0:v]format=rgb24,split={}[small]", widths.len() + 1);
    graph.truncate(graph.len() - "[small]".len());
    widths.iter().for_each(|w| graph += &format!("[w{w}]"));
    graph += &format!("[small];[small]{BLUR}[blur]");
    for w in &widths {
        // Each format in the colours that its decoders assume when they look no further.
        graph += &format!(
            ";[w{w}]scale={w}:-1:flags=lanczos,split=3[j{w}a][w{w}a][a{w}a]\
             ;[j{w}a]scale=out_range=pc:out_color_matrix=bt601,format=yuvj420p[j{w}]\
             ;[w{w}a]scale=out_range=tv:out_color_matrix=bt601,format=yuv420p[w{w}p]\
             ;[a{w}a]scale=out_range=pc:out_color_matrix=bt709,format=yuv420p[a{w}]"
        );
    }
    let size = format!("{width}x{height}");
    let threads = tools.threads.to_string();
    let mut guest = Guest::new(&tools.ffmpeg, tools.limits.clone())
        .args(["-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe", "-f", "rawvideo"])
        .args(["-pix_fmt", "rgba", "-video_size", &size, "-i"])
        .args([&raw])
        .args(["-filter_complex", &graph])
        .args([
            "-map",
            "[blur]",
            "-c:v",
            "libwebp",
            "-quality",
            BLUR_QUALITY,
            "-f",
            "image2",
            "-update",
            "1",
            "blur.webp",
        ])
        .reads(&raw)
        .scratch(scratch);
    let mut files = Vec::new();
    for width in widths {
        for format in Format::ALL {
            let name = format!("{width}.{}", format.extension());
            guest = match format {
                Format::Jpeg => guest
                    .args(["-map", &format!("[j{width}]"), "-c:v", "mjpeg", "-q:v", JPEG_QUALITY])
                    .args(["-f", "image2", "-update", "1"]),
                Format::Webp => guest
                    .args(["-map", &format!("[w{width}p]"), "-c:v", "libwebp", "-quality", WEBP_QUALITY])
                    .args(["-f", "image2", "-update", "1"]),
                Format::Avif => guest
                    .args(["-map", &format!("[a{width}]"), "-c:v", "libaom-av1", "-usage", "allintra"])
                    .args(["-still-picture", "1", "-cpu-used", "6", "-crf", AVIF_CRF, "-threads", &threads])
                    .args(["-color_range", "pc", "-colorspace", "bt709", "-color_primaries", "bt709"])
                    .args(["-color_trc", "iec61966-2-1", "-f", "avif"]),
            };
            guest = guest.args(["-frames:v", "1", "-map_metadata", "-1", "-fflags", "+bitexact", &name]);
            files.push((Variant { format, width }, scratch.join(name)));
        }
    }
    guest.output(1 << 16).await?;
    let blur = blur_url(&scratch.join("blur.webp")).await?;
    Ok(Forms { files, blur })
}
