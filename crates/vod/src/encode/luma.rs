//! How telling a picture is, from a thumbnail of its brightness.

pub(super) const WIDTH: usize = 32;
pub(super) const HEIGHT: usize = 18;

/// Higher is better: contrast and detail count, darkness and glare count against it. 0 for one flat colour.
pub(super) fn score(luma: &[u8]) -> f64 {
    if luma.len() < WIDTH * HEIGHT {
        return 0.0;
    }
    let n = luma.len() as f64;
    let mean = luma.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let variance = luma.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    let detail = luma
        .chunks_exact(WIDTH)
        .flat_map(|row| row.windows(2))
        .map(|pair| f64::from(pair[0].abs_diff(pair[1])))
        .sum::<f64>()
        / n;
    // 1 in the middle of the range, falling to 0 at black and white.
    let exposure = (1.0 - ((mean - 118.0) / 118.0).abs()).max(0.0);
    (variance.sqrt() + 2.0 * detail) * exposure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_white_and_flat_pictures_lose() {
        let lively: Vec<u8> = (0..WIDTH * HEIGHT).map(|i| ((i * 37) % 200 + 20) as u8).collect();
        let dark: Vec<u8> = lively.iter().map(|v| v / 12).collect();
        assert!(score(&lively) > 10.0 * score(&dark));
        assert_eq!(score(&[118; WIDTH * HEIGHT]), 0.0);
        assert_eq!(score(&[0; WIDTH * HEIGHT]), 0.0);
        assert_eq!(score(&[]), 0.0);
    }
}
