//! Playback sessions that were ended before their tokens expire.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use domain::Micros;
use uuid::Uuid;

/// Most sessions that are remembered; beyond, those whose tokens expire first go.
const MOST: usize = 1_000_000;

/// Asked on every request.
#[derive(Default)]
pub struct Revocations {
    count: AtomicUsize,
    until: RwLock<HashMap<Uuid, Micros>>,
}

impl Revocations {
    /// Refuses the session's tokens. `until` is when the last of them has expired.
    pub fn revoke(&self, session: Uuid, until: Micros, now: Micros) {
        let mut all = self.until.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.retain(|_, until| *until > now);
        }
        if all.len() >= MOST {
            let mut ends: Vec<_> = all.values().copied().collect();
            let (_, middle, _) = ends.select_nth_unstable(MOST / 10);
            let soon = *middle;
            tracing::error!("too many revoked sessions: those that end first are forgotten");
            all.retain(|_, until| *until > soon);
        }
        if until > now {
            let known = all.entry(session).or_insert(until);
            *known = until.max(*known);
        }
        self.count.store(all.len(), Ordering::Relaxed);
    }

    pub fn is_revoked(&self, session: Uuid) -> bool {
        self.count.load(Ordering::Relaxed) > 0
            && self.until.read().unwrap_or_else(PoisonError::into_inner).contains_key(&session)
    }

    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revoked_session_stays_so() {
        let all = Revocations::default();
        let session = Uuid::now_v7();
        assert!(!all.is_revoked(session));
        all.revoke(session, Micros(10), Micros(1));
        all.revoke(session, Micros(5), Micros(1));
        assert!(all.is_revoked(session) && !all.is_revoked(Uuid::now_v7()));
        all.revoke(Uuid::now_v7(), Micros(3), Micros(4));
        assert_eq!(all.len(), 1, "what has expired need not be remembered");
    }
}
