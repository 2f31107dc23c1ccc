//! Times to the first frame in fixed buckets: counts of different minutes, nodes and titles add up, and percentiles are read
//! from the sum.

/// Upper ends of all buckets but the last, in milliseconds: about a fifth apart where people notice.
pub const ENDS_MS: [u32; 31] = [
    50, 100, 150, 200, 250, 300, 350, 400, 500, 600, 700, 800, 1000, 1200, 1500, 1750, 2000, 2500, 3000,
    3500, 4000, 5000, 6000, 7000, 8000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000,
];
/// The last one has no upper end.
pub const BUCKETS: usize = ENDS_MS.len() + 1;

/// How many starts took how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram([u64; BUCKETS]);

impl Default for Histogram {
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

/// The bucket of a time; its upper end belongs to it.
pub fn bucket(ms: u32) -> usize {
    ENDS_MS.partition_point(|end| *end < ms)
}

impl Histogram {
    /// Adds starts to a bucket; one that does not exist counts as the last.
    pub fn add(&mut self, bucket: usize, starts: u64) {
        let count = &mut self.0[bucket.min(BUCKETS - 1)];
        *count = count.saturating_add(starts);
    }

    pub fn merge(&mut self, other: &Self) {
        for (bucket, starts) in other.0.iter().enumerate() {
            self.add(bucket, *starts);
        }
    }

    /// Buckets with starts in them, as they are stored.
    pub fn filled(&self) -> impl Iterator<Item = (i64, i64)> {
        let filled = self.0.iter().enumerate().filter(|(_, starts)| **starts > 0);
        filled.map(|(bucket, starts)| (bucket as i64, i64::try_from(*starts).unwrap_or(i64::MAX)))
    }

    pub fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum, starts| sum.saturating_add(*starts))
    }

    /// The time that `share` of the starts (0 to 1) did not exceed, in milliseconds, between a bucket's ends by rule of three.
    pub fn percentile_ms(&self, share: f64) -> Option<u32> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let wanted = (share.clamp(0.0, 1.0) * count as f64).max(1.0);
        let mut before = 0.0;
        for (at, starts) in self.0.iter().enumerate().filter(|(_, starts)| **starts > 0) {
            let starts = *starts as f64;
            if before + starts >= wanted {
                let low = at.checked_sub(1).map_or(0, |at| ENDS_MS[at]);
                let Some(high) = ENDS_MS.get(at) else { return Some(low) };
                let within = (wanted - before) / starts;
                return Some(low + (f64::from(high - low) * within).round() as u32);
            }
            before += starts;
        }
        ENDS_MS.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(times: &[u32]) -> Histogram {
        let mut made = Histogram::default();
        for ms in times {
            made.add(bucket(*ms), 1);
        }
        made
    }

    #[test]
    fn buckets_hold_their_upper_end() {
        assert_eq!((bucket(0), bucket(50), bucket(51), bucket(3000), bucket(3001)), (0, 0, 1, 18, 19));
        assert_eq!((bucket(120_000), bucket(u32::MAX)), (BUCKETS - 2, BUCKETS - 1));
        assert!(ENDS_MS.is_sorted());
    }

    #[test]
    fn percentiles_lie_in_the_right_bucket() {
        assert_eq!(Histogram::default().percentile_ms(0.5), None);
        let times: Vec<u32> = (1..=1000).collect();
        let made = of(&times);
        assert_eq!(made.percentile_ms(0.5), Some(500));
        assert_eq!(made.percentile_ms(0.95), Some(950));
        assert_eq!(made.percentile_ms(0.0), Some(1));
        assert_eq!(of(&[700_000]).percentile_ms(0.5), Some(120_000));
    }

    proptest! {
        #[test]
        fn merged_counts_tell_what_all_together_tell(a in prop::collection::vec(0..200_000_u32, 0..50),
            b in prop::collection::vec(0..200_000_u32, 1..50), share in 0.0..1.0_f64) {
            let mut merged = of(&a);
            merged.merge(&of(&b));
            let all = of(&[a, b].concat());
            prop_assert_eq!(&merged, &all);
            prop_assert_eq!(merged.percentile_ms(share), all.percentile_ms(share));
            prop_assert!(all.percentile_ms(share) <= all.percentile_ms(1.0));
        }
    }
}
