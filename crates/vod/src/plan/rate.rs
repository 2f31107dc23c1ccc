//! Recognising a constant frame rate behind rounded time stamps.

/// Rates that cameras and editors use.
pub(super) const USUAL: [(u32, u32); 12] = [
    (24_000, 1001),
    (24, 1),
    (25, 1),
    (30_000, 1001),
    (30, 1),
    (48, 1),
    (50, 1),
    (60_000, 1001),
    (60, 1),
    (12, 1),
    (15, 1),
    (120, 1),
];

/// The rate at which `times` (growing, ticks of `time_base` seconds) tick evenly, each off by less than the rounding
/// of its container; `told` are rates to try first.
pub fn constant_rate(times: &[i64], time_base: (u32, u32), told: &[(u32, u32)]) -> Option<(u32, u32)> {
    if times.len() == 1 {
        return told.iter().copied().find(|rate| is_plausible(*rate));
    }
    told.iter().chain(&USUAL).copied().find(|rate| is_plausible(*rate) && ticks_at(times, time_base, *rate))
}

fn is_plausible((num, den): (u32, u32)) -> bool {
    den > 0
        && num <= 100_000_000
        && u64::from(num) <= 480 * u64::from(den)
        && u64::from(num) * 100 >= u64::from(den)
}

fn ticks_at(times: &[i64], time_base: (u32, u32), rate: (u32, u32)) -> bool {
    let Some(first) = times.first() else { return false };
    // One tick is `time_base.0 / time_base.1` s and one frame `rate.1 / rate.0` s; both sides are multiplied out.
    let tick = i128::from(time_base.0) * i128::from(rate.0);
    let frame = i128::from(rate.1) * i128::from(time_base.1);
    // A frame must be longer than the rounding, or every list would do.
    if frame < 2 * tick {
        return false;
    }
    times.iter().zip(0_i128..).all(|(time, i)| {
        let off = (i128::from(*time) - i128::from(*first)) * tick - i * frame;
        off.abs() <= tick
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_times_keep_their_rate() {
        let ntsc: Vec<i64> = (0..10_000).map(|i| (i * 1_001_000 + 15_000) / 30_000).collect();
        assert_eq!(constant_rate(&ntsc, (1, 1000), &[(30, 1)]), Some((30_000, 1001)));
        let exact: Vec<i64> = (0..500).map(|i| i * 3750).collect();
        assert_eq!(constant_rate(&exact, (1, 90_000), &[(24, 1)]), Some((24, 1)));
    }

    #[test]
    fn uneven_times_have_none() {
        let mut times: Vec<i64> = (0..500).map(|i| i * 3750).collect();
        times[250..].iter_mut().for_each(|t| *t += 3750);
        assert_eq!(constant_rate(&times, (1, 90_000), &[(24, 1), (25, 1)]), None);
        assert_eq!(constant_rate(&[0, 1, 2], (1, 5), &[(24, 1)]), None);
    }
}
