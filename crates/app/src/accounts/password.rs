//! Password hashing: argon2id off the runtime's threads, a bounded number at a time.

use std::sync::Arc;

use api::Problem;
use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::{Error, Result};

/// Fewest and most characters of a password (NIST SP 800-63B-4 §3.1.1.2).
const LENGTH: std::ops::RangeInclusive<usize> = 8..=256;

/// Hashes and checks passwords.
pub struct Passwords {
    permits: Arc<Semaphore>,
    /// A hash of nobody's password: checked when an account does not exist, so that it takes as long.
    decoy: String,
}

impl Passwords {
    /// `at_once` hashes may run side by side; 0: one for each core.
    pub(crate) async fn start(at_once: usize) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let permits = Arc::new(Semaphore::new(if at_once == 0 { cores } else { at_once }));
        let mut passwords = Self { permits, decoy: String::new() };
        passwords.decoy = passwords.hash(super::secret::fresh()).await?;
        Ok(passwords)
    }

    /// The PHC string of `password`.
    pub(crate) async fn hash(&self, password: String) -> Result<String> {
        self.run(move || {
            let hash = Argon2::default().hash_password(password.as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|e| Error::Internal(format!("password hashing: {e}")))
        })
        .await?
    }

    /// Is `password` the one of `stored`? `None`: no such account; takes as long and says no.
    pub(crate) async fn matches(&self, password: String, stored: Option<&str>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        let same = self
            .run(move || {
                PasswordHash::new(&stored)
                    .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(same && known)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let permit =
            self.permits.clone().acquire_owned().await.map_err(|e| Error::Internal(e.to_string()))?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        })
        .await
        .map_err(|e| Error::Internal(e.to_string()))
    }
}

/// Refuses passwords that are too short or absurdly long.
pub(super) fn check(password: &str, field: &'static str) -> Result<(), Problem> {
    if LENGTH.contains(&password.chars().count()) {
        Ok(())
    } else {
        Err(Problem::invalid(field, "A password has 8 to 256 characters."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn passwords_match_their_hash_only() {
        let passwords = Passwords::start(1).await.unwrap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(passwords.matches("correct horse".into(), Some(&hash)).await.unwrap());
        assert!(!passwords.matches("correct horsf".into(), Some(&hash)).await.unwrap());
        assert!(!passwords.matches("correct horse".into(), None).await.unwrap());
        assert!(!passwords.matches("x".into(), Some("not a hash")).await.unwrap());
    }

    #[test]
    fn lengths_are_checked_in_characters() {
        assert!(check("éééééééé", "password").is_ok());
        assert!(check("short", "password").is_err());
        assert!(check(&"x".repeat(257), "password").is_err());
    }
}
