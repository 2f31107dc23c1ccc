//! Frames made up to be good and bad posters.

use super::*;

/// A picture whose pixels follow `paint`.
fn picture(paint: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
    (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))).flat_map(|(x, y)| paint(x, y)).collect()
}

/// Something with shapes, shades and colours; `seed` makes it another.
fn scene(seed: usize) -> Vec<u8> {
    picture(|x, y| {
        let (x, y) = (x as f64 / WIDTH as f64, y as f64 / HEIGHT as f64);
        let wave = |a: f64, b: f64| 90.0 * (a * x + b * y + seed as f64 * 1.7).sin();
        let s = seed as f64;
        let edge = if (x * (5.0 + s)) as usize % 2 == (y * (3.0 + s)) as usize % 2 { 40.0 } else { 0.0 };
        [wave(9.0 + s, 2.0), wave(3.0, 7.0 - s), wave(1.0 + s, 11.0)]
            .map(|v| (105.0 + v + edge).clamp(0.0, 255.0) as u8)
    })
}

fn times(picture: &[u8], factor: f64) -> Vec<u8> {
    picture.iter().map(|v| (f64::from(*v) * factor).min(255.0) as u8).collect()
}

fn mixed(a: &[u8], b: &[u8], share: f64) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) * (1.0 - share) + f64::from(*b) * share) as u8).collect()
}

/// The mean of each pixel's surroundings.
fn blurred(rgb: &[u8], radius: usize) -> Vec<u8> {
    picture(|x, y| {
        let columns = x.saturating_sub(radius)..=(x + radius).min(WIDTH - 1);
        let rows = y.saturating_sub(radius)..=(y + radius).min(HEIGHT - 1);
        let n = columns.clone().count() * rows.clone().count();
        let sum = |c: usize| {
            let pixels = rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y)));
            pixels.map(|(x, y)| usize::from(rgb[(y * WIDTH + x) * 3 + c])).sum::<usize>()
        };
        [0, 1, 2].map(|c| (sum(c) / n) as u8)
    })
}

fn gray(rgb: &[u8]) -> Vec<u8> {
    rgb.chunks_exact(3).map(|p| (p.iter().map(|v| u32::from(*v)).sum::<u32>() / 3) as u8).collect()
}

#[test]
fn dark_flat_and_white_frames_lose() {
    let good = look(&scene(1)).merit;
    assert!(good > 0.4, "{good}");
    assert!(look(&times(&scene(1), 0.12)).merit < good / 4.0, "dark");
    assert!(look(&picture(|_, _| [128; 3])).merit < 0.01, "flat");
    assert!(look(&picture(|_, _| [0; 3])).merit < 0.01, "black");
    assert!(look(&picture(|_, _| [255; 3])).merit < 0.01, "white");
    assert_eq!(look(&[]).merit, 0.0);
}

#[test]
fn colour_and_sharpness_win() {
    let good = look(&scene(2));
    let gray: Vec<u8> = gray(&scene(2)).into_iter().flat_map(|v| [v; 3]).collect();
    assert!(look(&gray).merit < good.merit * 0.85);
    assert!(look(&blurred(&scene(2), 5)).merit < good.merit * 0.85);
}

#[test]
fn half_faded_frames_lose() {
    for share in [0.5, 0.7, 0.9] {
        let faded = look(&mixed(&scene(1), &vec![0; WIDTH * HEIGHT * 3], share)).merit;
        assert!(faded < look(&scene(1)).merit * 0.8, "{share}: {faded}");
    }
}

#[test]
fn credits_and_title_cards_lose() {
    // Lines of white strokes on black, and on a plain colour.
    for ground in [[0; 3], [30, 60, 140]] {
        let credits =
            picture(|x, y| if y % 9 < 4 && (30..100).contains(&x) && x % 3 == 0 { [250; 3] } else { ground });
        let merit = look(&credits).merit;
        assert!(merit < look(&scene(1)).merit / 3.0, "{merit}");
    }
}

#[test]
fn a_blurred_picture_is_less_sharp_whatever_its_contrast() {
    let sharp = gray(&scene(3));
    let soft = gray(&blurred(&scene(3), 3));
    let pale: Vec<u8> = sharp.iter().map(|v| 100 + v / 4).collect();
    assert!(sharpness(&sharp, WIDTH) > 3.0 * sharpness(&soft, WIDTH));
    assert!(sharpness(&pale, WIDTH) > 1.5 * sharpness(&soft, WIDTH), "low contrast is not blur");
    assert_eq!(sharpness(&[7; 5], 5), 0.0);
}

#[test]
fn hashes_tell_scenes_apart_and_shots_of_one_scene_together() {
    let hash = |rgb: &[u8]| look(rgb).hash;
    let apart = |a: u64, b: u64| (a ^ b).count_ones();
    for seed in 0..6 {
        let own = hash(&scene(seed));
        assert!(apart(own, hash(&times(&scene(seed), 0.85))) < ALIKE, "another light");
        assert!(apart(own, hash(&blurred(&scene(seed), 1))) < ALIKE, "another encoder");
        for other in seed + 1..6 {
            assert!(apart(own, hash(&scene(other))) >= ALIKE, "{seed} and {other}");
        }
    }
}

fn small(seed: usize, shift: usize) -> Vec<u8> {
    let (width, height) = SMALL;
    let rgb = scene(seed);
    let at = |x: usize, y: usize| rgb[((y * 2) * WIDTH + ((x + shift) * 2) % WIDTH) * 3 + 1];
    (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| at(x, y)).collect()
}

#[test]
fn fades_are_told_from_motion_and_cuts() {
    let black = vec![0; SMALL.0 * SMALL.1];
    let along = |from: &[u8], to: &[u8]| -> Vec<Vec<u8>> {
        (0..9).map(|n| mixed(from, to, 0.2 + f64::from(n) / 20.0)).collect()
    };
    let told = |pictures: &[Vec<u8>]| unrest(&pictures.iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert!(told(&along(&black, &small(1, 0))).blending, "from black");
    assert!(told(&along(&small(1, 0), &black)).blending, "to black");
    assert!(told(&along(&small(1, 0), &small(4, 0))).blending, "dissolve");
    let pan: Vec<Vec<u8>> = (0..9).map(|n| small(1, n)).collect();
    assert!(!told(&pan).blending && told(&pan).action > 0.3, "{:?}", told(&pan));
    let still = vec![small(1, 0); 9];
    assert_eq!(told(&still), Unrest { blending: false, action: 0.0 });
    let cut: Vec<Vec<u8>> = (0..9).map(|n| small(if n < 3 { 1 } else { 4 }, 0)).collect();
    assert!(!told(&cut).blending);
    assert_eq!(unrest(&[]), Unrest { blending: false, action: 0.0 });
}

#[test]
fn a_closer_look_prefers_what_is_sharp_and_no_fade() {
    let calm = Unrest { blending: false, action: 0.0 };
    let typical = median(&[0.3, 0.01, 0.2]);
    assert_eq!((typical, median(&[])), (0.2, 0.0));
    assert!(closer(0.2, typical, calm) > 2.0 * closer(0.01, typical, calm));
    assert!(closer(0.2, typical, calm) > 5.0 * closer(0.2, typical, Unrest { blending: true, action: 0.5 }));
    assert!(closer(0.2, typical, Unrest { action: 1.0, ..calm }) > closer(0.2, typical, calm));
    assert!(closer(0.0, 0.0, calm) > 0.8, "a title of flat colour");
}

fn candidate(index: usize, at_ms: u64, merit: f64, hash: u64) -> Candidate {
    Candidate { index, at_ms, merit, hash }
}

#[test]
fn the_choice_is_spread_and_without_duplicates() {
    // Ten good frames of one scene in a row, and three others over the title.
    let mut all: Vec<Candidate> = (0..10).map(|n| candidate(n, 1000 * n as u64, 0.9, 0xFF)).collect();
    all.push(candidate(10, 30_000, 0.5, 0xFF00));
    all.push(candidate(11, 60_000, 0.6, 0xFF_0000));
    all.push(candidate(12, 61_000, 0.4, 0xFF00_0000));
    all.push(candidate(13, 90_000, 0.05, u64::MAX));
    let times = |count| choose(&all, 100_000, count).iter().map(|c| c.at_ms).collect::<Vec<_>>();
    assert_eq!(times(8), [0, 60_000, 30_000, 61_000], "the poor one and the likes of the first are left out");
    assert_eq!(times(2), [0, 60_000]);
    assert_eq!(choose(&[], 100_000, 8), []);
    let black = [candidate(0, 0, 0.0, 0), candidate(1, 2000, 0.0, 0)];
    assert_eq!(choose(&black, 4000, 8).len(), 1, "there always is a poster");
}

#[test]
fn beginnings_and_ends_count_less() {
    assert!(place(0, 600_000) < 1.0 && place(590_000, 600_000) < 1.0);
    assert_eq!(place(300_000, 600_000), 1.0);
    assert_eq!(place(0, 8_000), 1.0, "a clip has no logo");
}
