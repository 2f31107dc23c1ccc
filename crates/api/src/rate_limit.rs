//! Token buckets by key (an address, an account), bounded in number.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::Micros;
use moka::future::Cache;

use crate::Problem;

/// At most `burst` uses at once and one more every `every`, for each key by itself. Cheap to clone.
#[derive(Clone)]
pub struct RateLimit {
    burst: u32,
    every: i64,
    buckets: Cache<String, Arc<Mutex<Bucket>>>,
}

/// What a key has left after a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    pub remaining: u32,
    /// Until everything is there again.
    pub full_in: Duration,
    /// Zero when the use was granted; otherwise how long to wait for it.
    pub over: Duration,
}

struct Bucket {
    /// When the bucket would be full again; the present when it is.
    full_at: Micros,
}

impl RateLimit {
    pub fn new(burst: u32, every: Duration) -> Self {
        let every = i64::try_from(every.as_micros()).unwrap_or(i64::MAX).max(1);
        let idle = Duration::from_micros((every as u64).saturating_mul(u64::from(burst)));
        let buckets =
            Cache::builder().max_capacity(100_000).time_to_idle(idle.max(Duration::from_secs(60))).build();
        Self { burst: burst.max(1), every, buckets }
    }

    /// Takes one use for `key`, or answers 429 with the time to wait.
    pub async fn take(&self, key: &str, now: Micros) -> Result<(), Problem> {
        let standing = self.spend(key, now).await;
        if standing.over.is_zero() { Ok(()) } else { Err(Problem::too_many_requests(standing.over)) }
    }

    /// Takes one use for `key` if it has any, and says how it stands.
    pub async fn spend(&self, key: &str, now: Micros) -> Standing {
        let bucket =
            self.buckets.get_with_by_ref(key, async { Arc::new(Mutex::new(Bucket { full_at: now })) }).await;
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = bucket.full_at.max(now).plus(self.every);
        let over =
            full_at.0.saturating_sub(now.0).saturating_sub(self.every.saturating_mul(i64::from(self.burst)));
        if over <= 0 {
            bucket.full_at = full_at;
        }
        let until_full = bucket.full_at.0.saturating_sub(now.0).max(0);
        let used = u32::try_from((until_full + self.every - 1) / self.every).unwrap_or(u32::MAX);
        Standing {
            remaining: self.burst.saturating_sub(used),
            full_in: Duration::from_micros(until_full as u64),
            over: Duration::from_micros(over.max(0) as u64),
        }
    }

    /// Uses at once.
    pub fn burst(&self) -> u32 {
        self.burst
    }

    /// The time in which an empty bucket fills.
    pub fn window(&self) -> Duration {
        Duration::from_micros((self.every as u64).saturating_mul(u64::from(self.burst)))
    }

    /// Gives one use back to `key`: it was no misuse.
    pub async fn give_back(&self, key: &str) {
        if let Some(bucket) = self.buckets.get(key).await {
            let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
            bucket.full_at = bucket.full_at.plus(-self.every);
        }
    }

    /// Forgets `key`: after a success earlier failures no longer count.
    pub async fn forget(&self, key: &str) {
        self.buckets.invalidate(key).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bucket_empties_and_refills() {
        let limit = RateLimit::new(3, Duration::from_secs(10));
        let at = |seconds: i64| Micros(seconds * Micros::SECOND);
        for _ in 0..3 {
            limit.take("a", at(100)).await.unwrap();
        }
        assert_eq!(limit.take("a", at(100)).await.unwrap_err().status(), 429);
        limit.take("b", at(100)).await.unwrap();
        assert!(limit.take("a", at(109)).await.is_err());
        limit.take("a", at(110)).await.unwrap();
        assert!(limit.take("a", at(110)).await.is_err());
        limit.give_back("a").await;
        limit.take("a", at(110)).await.unwrap();
        assert!(limit.take("a", at(110)).await.is_err());
        limit.forget("a").await;
        limit.take("a", at(110)).await.unwrap();
    }

    #[tokio::test]
    async fn a_use_tells_what_is_left() {
        let limit = RateLimit::new(3, Duration::from_secs(10));
        let now = Micros(100 * Micros::SECOND);
        let tell = async || {
            let standing = limit.spend("a", now).await;
            (standing.remaining, standing.full_in.as_secs(), standing.over.as_secs())
        };
        assert_eq!(tell().await, (2, 10, 0));
        assert_eq!(tell().await, (1, 20, 0));
        assert_eq!(tell().await, (0, 30, 0));
        assert_eq!(tell().await, (0, 30, 10));
        assert_eq!((limit.burst(), limit.window().as_secs()), (3, 30));
    }
}
