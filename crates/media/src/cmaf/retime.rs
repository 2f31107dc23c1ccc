//! Giving frames their planned times by rank.

use crate::{Error, Result, mp4::Sample};

const WHAT: &str = "retiming";
const TOO_DEEP: Error = Error::Invalid(WHAT, "frames are reordered deeper than the delay allows");

/// Puts samples of a closed run of GOPs (an encoder's chunk) on planned times: the i-th in presentation order is
/// shown at `times[i]`, the last until `end`. Decode times become the same list in decode order, or earlier where
/// a picture would be decoded more than `delay` after it is shown, which happens at uneven frame times. So each
/// closed GOP's first decode time is its earliest presentation time. Composition offsets come out without the delay.
///
/// Times are ticks and must grow; there must be one for each sample. A good delay is the encoder's reordering depth
/// (2 for B-pyramids) times a frame's duration.
pub fn retime(samples: &mut [Sample], times: &[u64], end: u64, delay: u32) -> Result<()> {
    if samples.len() != times.len() {
        return Err(Error::Invalid(WHAT, "the number of frames is not the planned one"));
    }
    if !times.is_sorted_by(|a, b| a < b) || times.last().is_some_and(|last| *last >= end) {
        return Err(Error::Invalid(WHAT, "the planned times do not grow"));
    }
    let mut by_time: Vec<(u64, usize)> = samples.iter().enumerate().map(|(i, s)| (s.pts(), i)).collect();
    by_time.sort_unstable();
    if by_time.windows(2).any(|w| w[0].0 == w[1].0) {
        return Err(Error::Invalid(WHAT, "two frames are shown at the same time"));
    }
    let mut shown = vec![0; samples.len()];
    for ((_, index), time) in by_time.iter().zip(times) {
        shown[*index] = *time;
    }
    // Backwards, so that each decode time also leaves room for those after it.
    let (mut limit, mut next) = (u64::MAX, end);
    for ((sample, shown), planned) in samples.iter_mut().zip(shown).zip(times).rev() {
        limit = limit.checked_sub(1).ok_or(TOO_DEEP)?.min(shown.saturating_add(u64::from(delay)));
        let decoded = limit.min(*planned);
        if decoded < times[0] {
            return Err(TOO_DEEP);
        }
        limit = decoded;
        sample.dts = decoded;
        sample.duration =
            u32::try_from(next - decoded).map_err(|_| Error::Invalid(WHAT, "a frame lasts too long"))?;
        sample.cts_offset = i32::try_from(i128::from(shown) - i128::from(decoded))
            .map_err(|_| Error::Invalid(WHAT, "a frame is reordered too far"))?;
        next = decoded;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(pts: &[u64]) -> Vec<Sample> {
        let sample = |(i, pts): (usize, &u64)| Sample {
            dts: i as u64,
            cts_offset: (*pts as i64 - i as i64) as i32,
            duration: 1,
            is_sync: i == 0,
            data: bytes::Bytes::new(),
        };
        pts.iter().enumerate().map(sample).collect()
    }

    #[test]
    fn frames_get_their_times_by_rank() {
        // Decode order I P B B, shown I B B P.
        let mut run = samples(&[10, 40, 20, 30]);
        retime(&mut run, &[0, 1001, 2002, 3003], 4004, 2002).unwrap();
        let got: Vec<_> = run.iter().map(|s| (s.dts, s.pts(), s.duration)).collect();
        assert_eq!(got, [(0, 0, 1001), (1001, 3003, 1001), (2002, 1001, 1001), (3003, 2002, 1001)]);
    }

    #[test]
    fn uneven_times_stay_within_the_delay() {
        // A still of ten seconds between the first two frames.
        let mut run = samples(&[10, 40, 20, 30]);
        retime(&mut run, &[500, 10_500, 10_501, 20_000], 20_040, 2).unwrap();
        let got: Vec<_> = run.iter().map(|s| (s.dts, s.pts())).collect();
        assert_eq!(got, [(500, 500), (10_500, 20_000), (10_501, 10_500), (10_503, 10_501)]);
        assert!(run.iter().all(|s| s.cts_offset >= -2));
        assert_eq!(run.iter().map(|s| u64::from(s.duration)).sum::<u64>(), 20_040 - 500);
        assert!(retime(&mut samples(&[10, 40, 20, 30]), &[0, 1, 2, 3], 4, 0).is_err());
    }

    #[test]
    fn what_does_not_match_the_plan_is_refused() {
        assert!(retime(&mut samples(&[1, 2]), &[0], 5, 2).is_err());
        assert!(retime(&mut samples(&[1, 1]), &[0, 1], 5, 2).is_err());
        assert!(retime(&mut samples(&[1, 2]), &[0, 0], 5, 2).is_err());
        assert!(retime(&mut samples(&[1, 2]), &[0, 5], 5, 2).is_err());
    }
}
