//! How often someone may try to sign in.

use std::{net::IpAddr, time::Duration};

use api::{RateLimit, address::address_key};
use domain::Micros;

use crate::Result;

/// By address, by account from one address, and by account, whichever is used up first.
///
/// One address alone cannot use up what an account has, or anybody could lock others out of theirs.
pub struct SignInLimits {
    by_address: RateLimit,
    by_pair: RateLimit,
    by_account: RateLimit,
}

impl SignInLimits {
    pub(crate) fn new() -> Self {
        Self {
            by_address: RateLimit::new(30, Duration::from_secs(10)),
            by_pair: RateLimit::new(10, Duration::from_secs(60)),
            by_account: RateLimit::new(60, Duration::from_secs(60)),
        }
    }

    /// Counts an attempt from `address` for the account `email`, which need not exist.
    pub(crate) async fn attempt(&self, address: IpAddr, email: &str, now: Micros) -> Result<()> {
        self.by_address.take(&address_key(address), now).await?;
        self.by_pair.take(&pair_key(address, email), now).await?;
        self.by_account.take(email, now).await?;
        Ok(())
    }

    /// Counts something costly that is not about one account.
    pub(crate) async fn costly(&self, address: IpAddr, now: Micros) -> Result<()> {
        Ok(self.by_address.take(&address_key(address), now).await?)
    }

    /// The right password was given: what went wrong before no longer counts against the account, and this attempt not
    /// against the address. Failures from there still do, or an account of one's own would be a licence to guess.
    pub(crate) async fn succeeded(&self, address: IpAddr, email: &str) {
        self.by_pair.forget(&pair_key(address, email)).await;
        self.by_account.forget(email).await;
        self.by_address.give_back(&address_key(address)).await;
    }
}

fn pair_key(address: IpAddr, email: &str) -> String {
    format!("{} {email}", address_key(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_address_cannot_lock_an_account_for_others() {
        let limits = SignInLimits::new();
        let address = |n: u8| IpAddr::from([192, 0, 2, n]);
        let second = |n: i64| Micros(1_750_000_000_000_000 + n * Micros::SECOND);
        let mut passed = 0;
        for n in 0..3600 {
            passed += u32::from(limits.attempt(address(1), "a@example.org", second(n)).await.is_ok());
        }
        assert!((60..=75).contains(&passed), "{passed} attempts in an hour");
        limits.attempt(address(2), "a@example.org", second(3600)).await.unwrap();
        let mut spread = 0;
        for n in 0..200 {
            spread += u32::from(limits.attempt(address(n), "b@example.org", second(3600)).await.is_ok());
        }
        assert_eq!(spread, 60, "many addresses share what the account has");
    }
}
