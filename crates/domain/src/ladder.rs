//! The encoding ladder: which rungs a source is worth, never upscaled.

use serde::{Deserialize, Serialize};

/// One rung of the operator's ladder. A picture fits a rung when it fits into the rung's 16:9 box in either
/// orientation: width ≤ 16/9 × height for landscape, mirrored for portrait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    /// Short side of the 16:9 box, in pixels: 1080, 720…
    pub height: u32,
    /// Video bit rate that the rung never exceeds over its decoder buffer, in bits per second.
    pub bitrate_bps: u32,
}

/// One rung fitted to a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FittedRung {
    /// Name shown to people and used in track ids: `1080p`.
    pub name: String,
    /// Even picture size in square pixels.
    pub width: u32,
    pub height: u32,
    pub bitrate_bps: u32,
}

/// The default H.264 ladder (product capability 9).
pub fn default_ladder() -> Vec<Rung> {
    [(1080, 8_000_000), (720, 5_000_000), (480, 2_500_000), (360, 1_000_000)]
        .map(|(height, bitrate_bps)| Rung { height, bitrate_bps })
        .to_vec()
}

/// Fits `ladder` to a picture of `width` × `height` square pixels (display size, after rotation and pixel aspect).
///
/// Rungs larger than the picture are left out. The top rung takes the picture's own size when the picture lies well
/// above the largest rung that fits and below the next, so that no detail is thrown away; a picture smaller than
/// every rung gets one rung of its own size. Best first. Empty only when the picture has no area.
pub fn fit(ladder: &[Rung], width: u32, height: u32) -> Vec<FittedRung> {
    if width == 0 || height == 0 {
        return Vec::new();
    }
    let (long, short) = (u64::from(width.max(height)), u64::from(width.min(height)));
    // The rung height whose box the picture exactly fills: 1920×800 counts as 1080.
    let own = short.max((long * 9).div_ceil(16)) as u32;
    let mut rungs: Vec<&Rung> = ladder.iter().collect();
    rungs.sort_by_key(|r| std::cmp::Reverse(r.height));
    // A few lines short of a rung (1078 of 1080) is that rung.
    let fits = |r: &&&Rung| u64::from(r.height) * 100 <= u64::from(own) * 102;
    let fitting: Vec<&Rung> = rungs.iter().filter(fits).copied().collect();
    let next_larger = rungs.iter().rev().find(|r| !fits(r)).copied();

    let mut out: Vec<FittedRung> = Vec::new();
    let top_fitting = fitting.first().map(|r| r.height);
    let between = match (top_fitting, next_larger) {
        (Some(top), Some(next)) => u64::from(own) * 4 >= u64::from(top) * 5 && own < next.height,
        (None, Some(_)) => true,
        _ => false,
    };
    if between && let Some(next) = next_larger {
        let bitrate = scaled_bitrate(next, own).max(fitting.first().map_or(0, |r| r.bitrate_bps));
        out.push(sized(width, height, own, own, bitrate));
    }
    for rung in fitting {
        out.push(sized(width, height, own, rung.height.min(own), rung.bitrate_bps));
    }
    for rung in &mut out {
        rung.name = format!("{}p", rung_label(ladder, own, rung));
    }
    out
}

fn rung_label(ladder: &[Rung], own: u32, fitted: &FittedRung) -> u32 {
    let long = fitted.width.max(fitted.height);
    let filled = fitted.width.min(fitted.height).max((long * 9).div_ceil(16)).min(own.max(2));
    // A rung keeps its familiar name although its even size may miss it by a line or two.
    ladder.iter().map(|r| r.height).find(|h| h.abs_diff(filled) * 50 <= *h).unwrap_or(filled)
}

/// Bit rate for a picture that fills `height`, by pixel count to the power 0.75 below `rung`.
fn scaled_bitrate(rung: &Rung, height: u32) -> u32 {
    let ratio = f64::from(height) / f64::from(rung.height.max(1));
    (f64::from(rung.bitrate_bps) * ratio.powf(1.5)) as u32
}

fn sized(width: u32, height: u32, own: u32, target: u32, bitrate_bps: u32) -> FittedRung {
    let scale = |side: u32| {
        // A line or two more than the rung is not worth a resampling.
        if u64::from(own) * 100 <= u64::from(target) * 102 {
            return (side & !1).max(2);
        }
        let exact = u64::from(side) * u64::from(target) * 2 / u64::from(own);
        ((exact.div_ceil(4) * 2) as u32).max(2)
    };
    FittedRung { name: String::new(), width: scale(width), height: scale(height), bitrate_bps }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(width: u32, height: u32) -> Vec<(String, u32, u32)> {
        fit(&default_ladder(), width, height).into_iter().map(|r| (r.name, r.width, r.height)).collect()
    }

    fn row(name: &str, width: u32, height: u32) -> (String, u32, u32) {
        (name.to_owned(), width, height)
    }

    #[test]
    fn full_hd_gets_the_whole_ladder() {
        assert_eq!(
            sizes(1920, 1080),
            [row("1080p", 1920, 1080), row("720p", 1280, 720), row("480p", 854, 480), row("360p", 640, 360)]
        );
    }

    #[test]
    fn portrait_square_and_wide_pictures_fit_their_box() {
        assert_eq!(sizes(1080, 1920)[1], row("720p", 720, 1280));
        assert_eq!(sizes(1920, 800)[0], row("1080p", 1920, 800));
        assert_eq!(sizes(1080, 1080)[0], row("1080p", 1080, 1080));
        assert_eq!(sizes(1080, 1080)[1], row("720p", 720, 720));
    }

    #[test]
    fn nothing_is_upscaled() {
        assert_eq!(sizes(854, 480), [row("480p", 854, 480), row("360p", 640, 360)]);
        assert_eq!(sizes(320, 180), [row("180p", 320, 180)]);
        assert_eq!(sizes(1, 1), [row("2p", 2, 2)]);
        assert_eq!(sizes(0, 5), []);
        for (w, h) in [(1919, 1079), (1366, 768), (641, 361), (3840, 2160), (250, 1000)] {
            for rung in fit(&default_ladder(), w, h) {
                assert!(rung.width <= w.max(2) && rung.height <= h.max(2), "{rung:?} of {w}x{h}");
                assert!(rung.width % 2 == 0 && rung.height % 2 == 0);
            }
        }
    }

    #[test]
    fn a_size_between_rungs_keeps_its_detail() {
        let rungs = fit(&default_ladder(), 1600, 900);
        assert_eq!((rungs[0].name.as_str(), rungs[0].width, rungs[0].height), ("900p", 1600, 900));
        assert!(rungs[0].bitrate_bps > 5_000_000 && rungs[0].bitrate_bps < 8_000_000);
        assert_eq!(rungs[1].name, "720p");
    }
}
