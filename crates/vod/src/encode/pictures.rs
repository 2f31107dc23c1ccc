//! Posters and the seek bar's storyboard, decoded from key frames of encoded rungs.

use std::path::{Path, PathBuf};

use super::{Result, luma};
use crate::{guest::Guest, tools::Tools};

pub const TILE_COLUMNS: u32 = 5;
pub const TILE_ROWS: u32 = 5;

/// Widths of posters, when the picture is that wide.
pub const POSTER_WIDTHS: [u32; 3] = [320, 640, 1280];

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

/// Sheets of tiles in order, and how telling each tile is.
#[derive(Debug)]
pub struct Sheets {
    pub files: Vec<PathBuf>,
    pub scores: Vec<f64>,
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
         [a]tile={TILE_COLUMNS}x{TILE_ROWS}[sheets];[b]scale={}:{}:flags=area,format=gray[luma]",
        luma::WIDTH,
        luma::HEIGHT
    );
    decoder(tools, film, scratch)
        .args(["-filter_complex", &graph, "-map", "[sheets]", "-fps_mode", "passthrough", "-c:v", "mjpeg"])
        .args(["-q:v", "5", "-f", "image2", "-start_number", "0", "sheet-%d.jpg"])
        .args([
            "-map",
            "[luma]",
            "-fps_mode",
            "passthrough",
            "-c:v",
            "rawvideo",
            "-f",
            "rawvideo",
            "luma.gray",
        ])
        .output(1 << 16)
        .await?;
    let luma = tokio::fs::read(scratch.join("luma.gray")).await?;
    let scores = luma.chunks(luma::WIDTH * luma::HEIGHT).map(luma::score).collect();
    let count = tiles.div_ceil(TILE_COLUMNS * TILE_ROWS);
    let files = (0..count).map(|n| scratch.join(format!("sheet-{n}.jpg"))).collect();
    Ok(Sheets { files, scores })
}

/// One poster in its widths: `(width, file)`.
pub type Posters = Vec<Vec<(u32, PathBuf)>>;

/// Makes posters of the `count` pictures of `film` in `scratch`.
pub async fn posters(tools: &Tools, film: &Path, count: usize, scratch: &Path) -> Result<Posters> {
    let widths = POSTER_WIDTHS;
    let mut graph = format!("[0:0]split={}[a0][a1][a2]", widths.len());
    for (i, width) in widths.iter().enumerate() {
        let scale = format!("scale=w='min(iw,{width})':h=-2:flags=area:out_range=pc");
        graph += &format!(";[a{i}]{scale},format=yuvj420p[p{i}]");
    }
    let mut guest = decoder(tools, film, scratch).args(["-filter_complex", &graph]);
    for (i, width) in widths.iter().enumerate() {
        let (map, name) = (format!("[p{i}]"), format!("poster-%d-{width}.jpg"));
        guest = guest.args(["-map", &map, "-fps_mode", "passthrough", "-c:v", "mjpeg", "-q:v", "3"]).args([
            "-f",
            "image2",
            "-start_number",
            "0",
            &name,
        ]);
    }
    guest.output(1 << 16).await?;
    let one = |n| widths.iter().map(|w| (*w, scratch.join(format!("poster-{n}-{w}.jpg")))).collect();
    Ok((0..count).map(one).collect())
}

fn decoder(tools: &Tools, film: &Path, scratch: &Path) -> Guest {
    Guest::new(&tools.ffmpeg, tools.limits.clone())
        .args(["-v", "error", "-nostdin", "-protocol_whitelist", "file,pipe", "-f", "mov", "-i"])
        .args([film])
        .reads(film)
        .scratch(scratch)
}

/// Picks up to `count` tiles for posters: the most telling of as many equal parts of the title.
pub fn choose(scores: &[f64], count: usize) -> Vec<usize> {
    let parts = count.min(scores.len());
    let best = |part: usize| {
        let (from, to) = (part * scores.len() / parts, (part + 1) * scores.len() / parts);
        (from..to).max_by(|a, b| scores[*a].total_cmp(&scores[*b]))
    };
    (0..parts).filter_map(best).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn posters_are_spread_and_bright() {
        assert_eq!(choose(&[0.0, 5.0, 1.0, 9.0, 2.0, 2.5], 3), [1, 3, 5]);
        assert_eq!(choose(&[1.0], 6), [0]);
        assert_eq!(choose(&[], 6), [0; 0]);
    }

    #[test]
    fn tiles_keep_their_shape() {
        assert_eq!(tile_size(640, 360), (320, 180));
        assert_eq!(tile_size(360, 640), (180, 320));
        assert_eq!(tile_size(360, 360), (180, 180));
        assert_eq!(tile_size(160, 90), (160, 90));
    }
}
