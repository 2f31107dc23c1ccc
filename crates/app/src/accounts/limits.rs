//! How often someone may try to sign in.

use std::{net::IpAddr, time::Duration};

use api::RateLimit;
use domain::Micros;

use crate::Result;

/// By address and by account, whichever is used up first.
pub struct SignInLimits {
    by_address: RateLimit,
    by_account: RateLimit,
}

impl SignInLimits {
    pub(crate) fn new() -> Self {
        Self {
            by_address: RateLimit::new(30, Duration::from_secs(10)),
            by_account: RateLimit::new(10, Duration::from_secs(60)),
        }
    }

    /// Counts an attempt from `address` for the account `email`, which need not exist.
    pub(crate) async fn attempt(&self, address: IpAddr, email: &str, now: Micros) -> Result<()> {
        self.by_address.take(&address_key(address), now).await?;
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
        self.by_account.forget(email).await;
        self.by_address.give_back(&address_key(address)).await;
    }
}

/// One key for each IPv4 address and each IPv6 /64, which one household holds.
fn address_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
