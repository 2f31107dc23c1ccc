//! Who may: the token of every request is checked, hits included.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use api::Problem;
use backends::{clock::Clock, playback_keys::Keys};
use domain::playback_token::{Claims, Refused};
use http::StatusCode;

use crate::{key::Asked, recent::Recent, revocations::Revocations};

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
        let began = Instant::now();
        let mut checked = self.keys.checker().check(asked.token, self.clock.now());
        if checked == Err(Refused::BadSignature) {
            // Keys may have been added since.
            let looking = tokio::time::timeout(PATIENCE, self.keys.refresh(began));
            looking.await.map_err(Problem::unavailable)?.map_err(Problem::unavailable)?;
            checked = self.keys.checker().check(asked.token, self.clock.now());
        }
        let claims = Arc::new(checked.map_err(refused)?);
        self.known.insert(asked.token.into(), claims.clone());
        self.judge(&claims, asked)?;
        Ok(claims)
    }

    fn judge(&self, claims: &Claims, asked: &Asked<'_>) -> Result<(), Problem> {
        if claims.expires <= self.clock.now().seconds() {
            return Err(refused(Refused::Expired));
        }
        if claims.presentation != asked.presentation {
            let words = "This token was given for another title.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "token_for_another_title", words));
        }
        if self.revoked.covers(claims) {
            let words = "This playback was ended. Ask for playback again to go on watching.";
            return Err(Problem::new(StatusCode::UNAUTHORIZED, "token_revoked", words));
        }
        Ok(())
    }
}

fn refused(why: Refused) -> Problem {
    match why {
        Refused::Expired => Problem::new(
            StatusCode::UNAUTHORIZED,
            "token_expired",
            "This playback token has expired. Ask for playback again to get a new one.",
        ),
        Refused::Malformed | Refused::BadSignature => {
            Problem::new(StatusCode::FORBIDDEN, "token_invalid", "This playback token is not one of ours.")
        }
    }
}
