//! Playback tokens that were revoked before they expire.

use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use domain::{Micros, PresentationId, playback_token::Claims, revocation::Revocation};
use uuid::Uuid;

/// Most revocations that are remembered; beyond, those that end first go.
const MOST: usize = 1_000_000;

/// Asked on every request.
#[derive(Default)]
pub struct Revocations {
    count: AtomicUsize,
    known: RwLock<Known>,
}

#[derive(Default)]
struct Known {
    sessions: HashMap<Uuid, Revocation>,
    /// Of each presentation the latest.
    titles: HashMap<PresentationId, Revocation>,
}

impl Revocations {
    pub fn revoke(&self, revocation: Revocation, now: Micros) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.make_room(now.seconds());
        if revocation.until() > now.seconds() {
            known.add(revocation);
        }
        self.count.store(known.len(), Ordering::Relaxed);
    }

    pub fn covers(&self, claims: &Claims) -> bool {
        if self.count.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let session = known.sessions.get(&claims.session);
        session.or_else(|| known.titles.get(&claims.presentation)).is_some_and(|one| one.covers(claims))
    }

    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

impl Known {
    fn len(&self) -> usize {
        self.sessions.len() + self.titles.len()
    }

    fn add(&mut self, revocation: Revocation) {
        match revocation {
            Revocation::Session { session, until } => {
                let known = self.sessions.entry(session).or_insert(revocation);
                if known.until() < until {
                    *known = revocation;
                }
            }
            Revocation::Title { presentation, before, until } => {
                let known = self.titles.entry(presentation).or_insert(revocation);
                if let Revocation::Title { before: earlier, until: ends, .. } = *known {
                    let (before, until) = (before.max(earlier), until.max(ends));
                    *known = Revocation::Title { presentation, before, until };
                }
            }
        }
    }

    fn make_room(&mut self, now: i64) {
        if self.len() < MOST {
            return;
        }
        self.keep_after(now);
        if self.len() >= MOST {
            let mut ends: Vec<i64> =
                self.sessions.values().chain(self.titles.values()).map(Revocation::until).collect();
            let (_, soon, _) = ends.select_nth_unstable(MOST / 10);
            let soon = *soon;
            tracing::error!("too many revoked playbacks: those that end first are forgotten");
            self.keep_after(soon);
        }
    }

    fn keep_after(&mut self, time: i64) {
        self.sessions.retain(|_, one| one.until() > time);
        self.titles.retain(|_, one| one.until() > time);
    }
}

#[cfg(test)]
mod tests {
    use domain::revocation;

    use super::*;

    const NOW: Micros = Micros(1_800_000_000 * Micros::SECOND);

    fn claims(begun: Micros, presentation: PresentationId) -> Claims {
        Claims::new(presentation, 0, revocation::session(begun))
    }

    #[test]
    fn what_was_revoked_stays_so() {
        let (all, now) = (Revocations::default(), NOW.seconds());
        let (one, other) = (claims(NOW, PresentationId::new()), claims(NOW, PresentationId::new()));
        assert!(!all.covers(&one));
        all.revoke(Revocation::Session { session: one.session, until: now + 10 }, NOW);
        all.revoke(Revocation::Session { session: one.session, until: now + 5 }, NOW);
        assert!(all.covers(&one) && !all.covers(&other));
        all.revoke(Revocation::Session { session: other.session, until: now }, NOW);
        assert_eq!(all.len(), 1, "what has expired need not be remembered");
    }

    #[test]
    fn the_latest_change_of_a_title_counts() {
        let (all, presentation) = (Revocations::default(), PresentationId::new());
        let before = |seconds: i64| Micros(NOW.0 + seconds * Micros::SECOND);
        for seconds in [20, 10] {
            let revocation = Revocation::Title {
                presentation,
                before: before(seconds).0 / 1000,
                until: NOW.seconds() + 100 - seconds,
            };
            all.revoke(revocation, NOW);
        }
        assert!(all.covers(&claims(before(15), presentation)));
        assert!(!all.covers(&claims(before(21), presentation)));
        assert!(!all.covers(&claims(before(0), PresentationId::new())));
        assert_eq!(all.len(), 1);
    }
}
