//! Who may: the token of every request is checked, hits included.

use std::{sync::Arc, time::Duration};

use api::Problem;
use backends::{clock::Clock, playback_keys::Keys, recent::Recent};
use domain::playback_token::Claims;
use http::StatusCode;

use crate::{key::Asked, revocations::Revocations};

/// Tokens remembered, of those used last; up to twice as many. Each is a few hundred bytes.
const REMEMBERED: usize = 50_000;
/// How long the object store may take to tell its keys.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Tokens {
    keys: Keys,
    clock: Clock,
    /// Those whose signature was found right. Everything else is looked at each time.
    known: Recent<Box<str>, Arc<Claims>>,
    pub revoked: Revocations,
}

impl Tokens {
    pub fn new(keys: Keys, clock: Clock) -> Self {
        Self { keys, clock, known: Recent::new(REMEMBERED), revoked: Revocations::default() }
    }

    /// The claims of a token that is known and good for this. Says nothing about others.
    pub fn known(&self, asked: &Asked<'_>) -> Option<Arc<Claims>> {
        let claims = self.known.get(asked.token)?;
        self.judge(&claims, asked).ok()?;
        Some(claims)
    }

    /// The claims of a token that is good for this.
    pub async fn authorise(&self, asked: &Asked<'_>) -> Result<Arc<Claims>, Problem> {
        if let Some(claims) = self.known.get(asked.token) {
            self.judge(&claims, asked)?;
            return Ok(claims);
        }
        let checking = self.keys.check(asked.token, self.clock.now());
        let checked = tokio::time::timeout(PATIENCE, checking).await.map_err(Problem::unavailable)?;
        let claims = Arc::new(checked.map_err(Problem::unavailable)??);
        self.known.insert(asked.token.into(), claims.clone());
        self.judge(&claims, asked)?;
        Ok(claims)
    }

    fn judge(&self, claims: &Claims, asked: &Asked<'_>) -> Result<(), Problem> {
        claims.permit(asked.presentation, self.clock.now())?;
        if self.revoked.covers(claims) {
            let words = "This playback was ended. Ask for playback again to go on watching.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "token_revoked", words));
        }
        Ok(())
    }
}
