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
        let bucket =
            self.buckets.get_with_by_ref(key, async { Arc::new(Mutex::new(Bucket { full_at: now })) }).await;
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let full_at = bucket.full_at.max(now).plus(self.every);
        let over =
            full_at.0.saturating_sub(now.0).saturating_sub(self.every.saturating_mul(i64::from(self.burst)));
        if over > 0 {
            return Err(Problem::too_many_requests(Duration::from_micros(over as u64)));
        }
        bucket.full_at = full_at;
        Ok(())
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
}
