//! The seek bar's storyboard and candidates for the poster, decoded from key frames of encoded rungs.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::artwork;

use super::{
    Result,
    score::{self, Look, Unrest},
};
use crate::{guest::Guest, tools::Tools};

pub const TILE_COLUMNS: u32 = 5;
pub const TILE_ROWS: u32 = 5;

/// Widest form in which candidates are stored; the one that is chosen gets more.
const CANDIDATE_WIDTH: u32 = 1280;

/// Width of the pictures that sharpness is measured in: small enough to be quick, large enough to tell a blur.
const SHARP: (usize, usize) = (640, 360);

/// Frames that [`unrests`] compares, the first of each run a key frame.
pub const RUN: usize = 9;

/// Time between two tiles: 2 s for short titles, 10 s for long ones.
pub fn interval_ms(duration_ms: u64) -> u32 {
    match duration_ms / 60_000 {
        0..10 => 2_000,
        10..30 => 4_000,
        30..90 => 6_000,
        _ => 10_000,
    }
}

/// A tile for a picture: it fits 320 × 180 in its own orientation and is never enlarged.
pub fn tile_size(width: u32, height: u32) -> (u32, u32) {
    let (long, short) = (f64::from(width.max(height).max(1)), f64::from(width.min(height).max(1)));
    let scale = (320.0 / long).min(180.0 / short).min(1.0);
    let even = |side: u32| (((f64::from(side) * scale / 2.0).round() as u32) * 2).max(2);
    (even(width), even(height))
}

/// Sheets of tiles in order, and what is seen of each tile.
#[derive(Debug)]
pub struct Sheets {
    pub files: Vec<PathBuf>,
    pub looks: Vec<Look>,
}

/// Makes sheets of the `tiles` pictures of `film` in `scratch`.
pub async fn sheets(
    tools: &Tools,
    film: &Path,
    tiles: u32,
    tile: (u32, u32),
    scratch: &Path,
) -> Result<Sheets> {
    let (width, height) = tile;
    let graph = format!(
        "[0:0]scale={width}:{height}:flags=area:out_range=pc,format=yuvj420p,split[a][b];\
         [a]tile={TILE_COLUMNS}x{TILE_ROWS}[sheets];[b]scale={}:{}:flags=area,format=rgb24[looks]",
        score::WIDTH,
        score::HEIGHT
    );
    decoder(tools, film, scratch)
        .args(["-filter_complex", &graph, "-map", "[sheets]", "-fps_mode", "passthrough", "-c:v", "mjpeg"])
        .args(["-q:v", "5", "-f", "image2", "-start_number", "0", "sheet-%d.jpg"])
        .args(raw("[looks]", "looks.rgb"))
        .output(1 << 16)
        .await?;
    let looks = each(scratch.join("looks.rgb"), score::WIDTH * score::HEIGHT * 3, score::look).await?;
    let count = tiles.div_ceil(TILE_COLUMNS * TILE_ROWS);
    let files = (0..count).map(|n| scratch.join(format!("sheet-{n}.jpg"))).collect();
    Ok(Sheets { files, looks })
}

/// How sharp each picture of `film` is.
pub async fn sharpness(tools: &Tools, film: &Path, scratch: &Path) -> Result<Vec<f64>> {
    let (width, height) = SHARP;
    let graph = format!("[0:0]scale={width}:{height}:flags=area,format=gray[gray]");
    decoder(tools, film, scratch)
        .args(["-filter_complex", &graph])
        .args(raw("[gray]", "sharp.gray"))
        .output(1 << 16)
        .await?;
    each(scratch.join("sharp.gray"), width * height, move |gray| score::sharpness(gray, width)).await
}

/// What happens after each key frame of `film`, which holds [`RUN`] frames for each of `runs`, or fewer where the
/// title has no more.
pub async fn unrests(tools: &Tools, film: &Path, runs: &[usize], scratch: &Path) -> Result<Vec<Unrest>> {
    let (width, height) = score::SMALL;
    let graph = format!("[0:0]scale={width}:{height}:flags=area,format=gray[small]");
    decoder(tools, film, scratch)
        .args(["-filter_complex", &graph])
        .args(raw("[small]", "small.gray"))
        .output(1 << 16)
        .await?;
    let (bytes, runs) = (tokio::fs::read(scratch.join("small.gray")).await?, runs.to_vec());
    let tell = move || {
        let mut pictures = bytes.chunks_exact(width * height);
        let told = runs.iter().map(|n| score::unrest(&pictures.by_ref().take(*n).collect::<Vec<_>>()));
        told.collect()
    };
    tokio::task::spawn_blocking(tell).await.map_err(|_| super::Error::Task)
}

/// Arguments that write a filter's pictures as they are.
fn raw<'a>(from: &'a str, to: &'a str) -> [&'a str; 9] {
    ["-map", from, "-fps_mode", "passthrough", "-c:v", "rawvideo", "-f", "rawvideo", to]
}

/// What `tell` says of each picture of `size` bytes in a file, read one by one and off the runtime.
async fn each<T: Send + 'static>(
    path: PathBuf,
    size: usize,
    tell: impl Fn(&[u8]) -> T + Send + 'static,
) -> Result<Vec<T>> {
    use std::io::Read;
    let read = move || -> Result<Vec<T>> {
        let mut file = std::io::BufReader::new(std::fs::File::open(path)?);
        let (mut told, mut picture) = (Vec::new(), vec![0; size]);
        loop {
            match file.read_exact(&mut picture) {
                Ok(()) => told.push(tell(&picture)),
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(told),
                Err(error) => return Err(error.into()),
            }
        }
    };
    tokio::task::spawn_blocking(read).await.map_err(|_| super::Error::Task)?
}

/// A candidate's files by width, and its tiny picture as data URL.
#[derive(Debug)]
pub struct PosterFiles {
    pub widths: Vec<(u32, PathBuf)>,
    pub blur: String,
}

/// Makes posters of the `count` pictures of `film`, which are `width` pixels wide, in `scratch`.
pub async fn posters(
    tools: &Tools,
    film: &Path,
    count: usize,
    width: u32,
    scratch: &Path,
) -> Result<Vec<PosterFiles>> {
    let widths = artwork::widths(width.min(CANDIDATE_WIDTH));
    let mut graph = format!("[0:0]split={}[blur0]", widths.len() + 1);
    graph.insert_str(
        graph.len() - "[blur0]".len(),
        &(0..widths.len()).map(|i| format!("[a{i}]")).collect::<String>(),
    );
    for (i, width) in widths.iter().enumerate() {
        let scale = format!("scale=w={width}:h=-1:flags=lanczos:out_range=pc:out_color_matrix=bt601");
        graph += &format!(";[a{i}]{scale},format=yuvj420p[p{i}]");
    }
    graph += &format!(";[blur0]{}[blur]", super::artwork::BLUR);
    let mut guest = decoder(tools, film, scratch).args(["-filter_complex", &graph]);
    for (i, width) in widths.iter().enumerate() {
        let (map, name) = (format!("[p{i}]"), format!("poster-%d-{width}.jpg"));
        guest = guest
            .args([
                "-map",
                &map,
                "-fps_mode",
                "passthrough",
                "-c:v",
                "mjpeg",
                "-q:v",
                super::artwork::JPEG_QUALITY,
            ])
            .args(["-f", "image2", "-start_number", "0", &name]);
    }
    guest = guest
        .args([
            "-map",
            "[blur]",
            "-fps_mode",
            "passthrough",
            "-c:v",
            "libwebp",
            "-quality",
            super::artwork::BLUR_QUALITY,
        ])
        .args(["-f", "image2", "-start_number", "0", "blur-%d.webp"]);
    guest.output(1 << 16).await?;
    let mut posters = Vec::new();
    for n in 0..count {
        let files = widths.iter().map(|w| (*w, scratch.join(format!("poster-{n}-{w}.jpg"))));
        let blur = blur_url(&scratch.join(format!("blur-{n}.webp"))).await?;
        posters.push(PosterFiles { widths: files.collect(), blur });
    }
    Ok(posters)
}

/// A small WebP file as data URL.
pub(super) async fn blur_url(path: &Path) -> Result<String> {
    let bytes = tokio::fs::read(path).await?;
    Ok(format!("data:image/webp;base64,{}", STANDARD.encode(bytes)))
}

fn decoder(tools: &Tools, film: &Path, scratch: &Path) -> Guest {
    Guest::new(&tools.ffmpeg, tools.limits.clone())
        .args(["-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe", "-f", "mov", "-i"])
        .args([film])
        .reads(film)
        .scratch(scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_keep_their_shape() {
        assert_eq!(tile_size(640, 360), (320, 180));
        assert_eq!(tile_size(360, 640), (180, 320));
        assert_eq!(tile_size(360, 360), (180, 180));
        assert_eq!(tile_size(160, 90), (160, 90));
    }
}
