//! How good a poster a frame would make, from small raw pictures; and which frames to show people. Pure functions.
//!
//! Three looks, each closer and at fewer frames: every tile of the storyboard by light, contrast, colour and detail; a
//! shortlist in full size by sharpness; and what happens right after it, which tells fades from shots.

use std::f64::consts::PI;

/// Size of the pictures that [`look`] takes.
pub const WIDTH: usize = 128;
pub const HEIGHT: usize = 72;

/// Size of the pictures that [`unrest`] takes.
pub const SMALL: (usize, usize) = (64, 36);

/// Perceptual hashes that differ in fewer bits belong to pictures that look alike.
const ALIKE: u32 = 16;

/// What is seen of a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// 0: useless; 1: as good as it gets.
    pub merit: f64,
    /// Low frequencies of its brightness: pictures that look alike differ in few bits.
    pub hash: u64,
}

/// Looks at a picture of [`WIDTH`] × [`HEIGHT`] pixels, three bytes each. A picture of another size has no merit.
pub fn look(rgb: &[u8]) -> Look {
    if rgb.len() != WIDTH * HEIGHT * 3 {
        return Look { merit: 0.0, hash: 0 };
    }
    // ITU-R BT.709 weights in 1/256.
    let luma: Vec<u8> = rgb
        .as_chunks::<3>()
        .0
        .iter()
        .map(|[r, g, b]| ((54 * u32::from(*r) + 183 * u32::from(*g) + 19 * u32::from(*b)) >> 8) as u8)
        .collect();
    let light = light(&luma);
    let detail = (laplacian(&luma, WIDTH).ln_1p() / 7.0).min(1.0);
    let colour = (colourfulness(rgb) / 60.0).min(1.0);
    let merit =
        light.exposure * light.contrast * light.fullness * (0.3 + 0.7 * detail) * (0.6 + 0.4 * colour);
    Look { merit, hash: hash(&luma) }
}

/// How a picture is lit, each from 0 to 1.
struct Light {
    /// 1 in the middle of the range, 0 at black and white.
    exposure: f64,
    /// Of the range between the darkest and the brightest twentieth: a picture half faded has little.
    contrast: f64,
    /// Falls to 0 when one brightness fills the picture: credits and title cards.
    fullness: f64,
}

fn light(luma: &[u8]) -> Light {
    let mut counts = [0_usize; 256];
    luma.iter().for_each(|v| counts[usize::from(*v)] += 1);
    let n = luma.len().max(1);
    let below = |share: f64| {
        let mut seen = 0;
        let wanted = (share * n as f64) as usize;
        counts.iter().position(|count| {
            seen += count;
            seen > wanted
        })
    };
    let range = below(0.95).unwrap_or(0).saturating_sub(below(0.05).unwrap_or(0)) as f64;
    let mean = luma.iter().map(|v| f64::from(*v)).sum::<f64>() / n as f64;
    // What lies within ±6 of the most frequent brightness.
    let fullest = counts.windows(13).map(|w| w.iter().sum::<usize>()).max().unwrap_or(0) as f64 / n as f64;
    Light {
        exposure: (1.0 - ((mean - 115.0) / 115.0).powi(2)).max(0.0),
        contrast: (range / 150.0).min(1.0),
        fullness: ((1.0 - fullest) / 0.4).min(1.0),
    }
}

/// Variance of the Laplacian, the usual measure of sharpness: low where nothing has an edge.
fn laplacian(luma: &[u8], width: usize) -> f64 {
    let rows: Vec<&[u8]> = luma.chunks_exact(width).collect();
    let (mut sum, mut squares, mut n) = (0.0, 0.0, 0.0);
    for at in rows.windows(3) {
        for x in 1..width.saturating_sub(1) {
            let value = |row: usize, x: usize| i32::from(at[row][x]);
            let edge = value(0, x) + value(2, x) + value(1, x - 1) + value(1, x + 1) - 4 * value(1, x);
            sum += f64::from(edge);
            squares += f64::from(edge * edge);
            n += 1.0;
        }
    }
    if n == 0.0 { 0.0 } else { squares / n - (sum / n).powi(2) }
}

/// Hasler and Süsstrunk, "Measuring colourfulness in natural images" (2003): 0 for gray, about 60 for vivid.
fn colourfulness(rgb: &[u8]) -> f64 {
    let (mut sums, mut squares, mut n) = ([0.0; 2], [0.0; 2], 0.0);
    for [r, g, b] in rgb.as_chunks::<3>().0 {
        let (r, g, b) = (f64::from(*r), f64::from(*g), f64::from(*b));
        for (i, opponent) in [r - g, (r + g) / 2.0 - b].into_iter().enumerate() {
            sums[i] += opponent;
            squares[i] += opponent * opponent;
        }
        n += 1.0;
    }
    let mean = |i: usize| sums[i] / n;
    let variance = |i: usize| (squares[i] / n - mean(i).powi(2)).max(0.0);
    (variance(0) + variance(1)).sqrt() + 0.3 * (mean(0).powi(2) + mean(1).powi(2)).sqrt()
}

/// Signs of the 8 × 8 lowest frequencies of brightness, against their median ("pHash"): steady under scaling, compression
/// and small changes of light.
fn hash(luma: &[u8]) -> u64 {
    const N: usize = 32;
    let mut small = [0.0; N * N];
    for (y, row) in small.chunks_exact_mut(N).enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            let (from, to) = (x * WIDTH / N, (x + 1) * WIDTH / N);
            let lines = (y * HEIGHT / N)..((y + 1) * HEIGHT / N).max(y * HEIGHT / N + 1);
            let n = (lines.len() * (to - from)) as f64;
            *value = lines
                .flat_map(|l| &luma[l * WIDTH + from..l * WIDTH + to])
                .map(|v| f64::from(*v))
                .sum::<f64>()
                / n;
        }
    }
    let wave = |k: usize, i: usize| (PI / N as f64 * (i as f64 + 0.5) * k as f64).cos();
    let mut frequencies = [0.0; 64];
    for (at, value) in frequencies.iter_mut().enumerate() {
        // From 1 on: the mean brightness says nothing.
        let (u, v) = (at % 8 + 1, at / 8 + 1);
        *value =
            (0..N).map(|y| wave(v, y) * (0..N).map(|x| small[y * N + x] * wave(u, x)).sum::<f64>()).sum();
    }
    let mut sorted = frequencies;
    sorted.sort_by(f64::total_cmp);
    let median = f64::midpoint(sorted[31], sorted[32]);
    frequencies.iter().enumerate().fold(0, |hash, (at, value)| hash | u64::from(*value > median) << at)
}

/// The middle of some figures; 0 when there are none.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}

/// Sharpness of a picture in gray, `width` pixels wide, whatever its contrast: what a blur takes away. Frames of a film in
/// 1080 lines have 0.07 to 0.5, the same frames out of focus a tenth to a twentieth of that.
pub fn sharpness(gray: &[u8], width: usize) -> f64 {
    if width < 3 || gray.len() < 3 * width {
        return 0.0;
    }
    let n = gray.len() as f64;
    let mean = gray.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = gray.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    // Noise of a flat picture is no detail.
    laplacian(gray, width) / (variance + 100.0)
}

/// What happens in the moments after a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unrest {
    /// The picture changes into another as a whole: a fade or a dissolve.
    pub blending: bool,
    /// How much moves: 0 for a still, 1 for a lot.
    pub action: f64,
}

/// Compares the gray pictures of [`SMALL`] size that follow one another, the frame itself first.
///
/// In a fade each pixel goes from one value to another at the same pace, so that a picture between lies on the line from
/// the first to the last, and all of the picture takes part. Motion does neither.
pub fn unrest(pictures: &[&[u8]]) -> Unrest {
    let (Some(first), Some(last)) = (pictures.first(), pictures.last()) else {
        return Unrest { blending: false, action: 0.0 };
    };
    let way: Vec<f64> = first.iter().zip(*last).map(|(a, b)| f64::from(*b) - f64::from(*a)).collect();
    let n = way.len().max(1) as f64;
    let energy: f64 = way.iter().map(|d| d * d).sum();
    let action = ((energy / n).sqrt() / 30.0).min(1.0);
    let moved = way.iter().filter(|d| d.abs() >= 4.0).count() as f64 / n;
    let between = pictures.get(pictures.len() / 2).filter(|_| pictures.len() >= 3 && energy > 0.0);
    let blending = between.is_some_and(|between| {
        let step: Vec<f64> = first.iter().zip(*between).map(|(a, b)| f64::from(*b) - f64::from(*a)).collect();
        let share = step.iter().zip(&way).map(|(s, d)| s * d).sum::<f64>() / energy;
        let rest = step.iter().zip(&way).map(|(s, d)| (s - share * d).powi(2)).sum::<f64>() / energy;
        moved > 0.5 && rest < 0.05 && (0.15..0.85).contains(&share)
    });
    Unrest { blending, action }
}

/// What a closer look makes of a frame's merit: a factor. `typical` is how sharp the title's frames are: what has half of
/// that is sharp, and how much that is depends on the title's size and on its scenes.
pub fn closer(sharpness: f64, typical: f64, unrest: Unrest) -> f64 {
    let sharp = if typical > 0.0 { 0.35 + 0.65 * (2.0 * sharpness / typical).min(1.0) } else { 1.0 };
    let blend = if unrest.blending { 0.1 } else { 1.0 };
    sharp * blend * (0.85 + 0.15 * unrest.action)
}

/// A frame that may become a poster.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its place in the list that is being chosen from.
    pub index: usize,
    pub at_ms: u64,
    pub merit: f64,
    pub hash: u64,
}

/// What a frame is worth where it lies: the first moments are often logos, and the end of a long title gives it away or
/// shows credits.
pub fn place(at_ms: u64, duration_ms: u64) -> f64 {
    let (at, long) = (at_ms as f64 / duration_ms.max(1) as f64, duration_ms >= 60_000);
    if long && (at_ms < 2_000 || at > 0.95) { 0.5 } else { 1.0 }
}

/// Picks up to `count` of `candidates`, best first: spread over the title, no two alike. When the title is so short or so
/// uniform that there are not enough far apart, they may lie closer, but still may not look alike. The best one is always
/// picked.
pub fn choose(candidates: &[Candidate], duration_ms: u64, count: usize) -> Vec<Candidate> {
    let mut ranked: Vec<&Candidate> = candidates.iter().collect();
    ranked.sort_by(|a, b| b.merit.total_cmp(&a.merit).then(a.at_ms.cmp(&b.at_ms)));
    let best = ranked.first().map_or(0.0, |c| c.merit);
    let mut chosen: Vec<Candidate> = Vec::new();
    for apart in [duration_ms / (2 * count.max(1) as u64), duration_ms / (8 * count.max(1) as u64), 0] {
        for one in &ranked {
            let near = |c: &Candidate| c.at_ms.abs_diff(one.at_ms) < apart;
            let like = |c: &Candidate| c.index == one.index || (c.hash ^ one.hash).count_ones() < ALIKE;
            // What is far worse than the best is not worth showing.
            let poor = !chosen.is_empty() && one.merit < best * 0.15;
            if chosen.len() < count && !poor && !chosen.iter().any(|c| near(c) || like(c)) {
                chosen.push((*one).clone());
            }
        }
    }
    chosen.sort_by(|a, b| b.merit.total_cmp(&a.merit));
    chosen
}

#[cfg(test)]
mod tests;
