//! WebVTT: the storyboard as cues that each point at a tile of a sheet (Media Fragments URI 1.0 §4.2.2).

use std::fmt::Write;

use crate::{descriptor::Storyboard, measure};

/// Most tiles that are written.
const MAX_TILES: u32 = 100_000;

/// One cue for each tile; URLs are relative to the presentation's folder.
pub fn storyboard(board: &Storyboard) -> String {
    let mut out = String::from("WEBVTT\n");
    let columns = board.columns.max(1);
    let mut tile = 0u32;
    for (n, tiles, _) in measure::sheets(board) {
        for k in 0..tiles.min(MAX_TILES.saturating_sub(tile)) {
            let start = u64::from(tile) * u64::from(board.interval_ms);
            let (x, y) = (u64::from(k % columns), u64::from(k / columns));
            let (width, height) = (u64::from(board.tile_width), u64::from(board.tile_height));
            let _ = write!(
                out,
                "\n{} --> {}\nstoryboard/{n}.jpg#xywh={},{},{width},{height}\n",
                timestamp(start),
                timestamp(start + u64::from(board.interval_ms)),
                x * width,
                y * height,
            );
            tile += 1;
        }
    }
    out
}

fn timestamp(ms: u64) -> String {
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60)
}
