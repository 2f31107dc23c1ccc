//! Tokens whose signature was checked: a player sends its own with every request, and checking costs more than all the rest.

use backends::recent::Recent;
use domain::{
    Micros,
    playback_token::{Checker, Claims, Refused},
};

/// Beats may come so long after the token's end: they are of the last minutes, and were kept while the network was away.
const GRACE: i64 = 6 * Micros::HOUR;
/// Tokens that are remembered, of those used last; up to twice as many, about 500 bytes each.
const MOST: usize = 16_384;

/// Checks tokens, each signature once while the token is in use.
pub struct Tokens {
    checker: Checker,
    known: Recent<Box<str>, Claims>,
}

impl Tokens {
    pub fn new(checker: Checker) -> Self {
        Self { checker, known: Recent::new(MOST) }
    }

    /// The claims of a genuine token that did not expire long ago.
    pub fn check(&self, token: &str, now: Micros) -> Result<Claims, Refused> {
        let then = now.plus(-GRACE);
        let claims = match self.known.get(token) {
            Some(claims) => claims,
            None => {
                let claims = self.checker.check(token, then)?;
                self.known.insert(token.into(), claims.clone());
                claims
            }
        };
        if claims.expires <= then.seconds() { Err(Refused::Expired) } else { Ok(claims) }
    }
}

#[cfg(test)]
mod tests {
    use domain::{PresentationId, playback_token::Minter};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn only_genuine_tokens_pass_and_not_for_ever() {
        let minter = Minter::from_seed(&[7; 32]);
        let tokens = Tokens::new(Checker::new([minter.public_key()]));
        let claims = Claims::new(PresentationId::new(), 1000, Uuid::now_v7());
        let token = minter.mint(&claims);
        let at = |seconds: i64| Micros(seconds * Micros::SECOND);
        for _ in 0..2 {
            assert_eq!(tokens.check(&token, at(999)), Ok(claims.clone()));
            assert_eq!(tokens.check(&token, at(1000 + 3600)), Ok(claims.clone()));
            assert_eq!(tokens.check(&token, at(1000 + 6 * 3600)), Err(Refused::Expired));
        }
        let foreign = Minter::from_seed(&[8; 32]).mint(&claims);
        assert_eq!(tokens.check(&foreign, at(1)), Err(Refused::BadSignature));
        assert_eq!(tokens.check("", at(1)), Err(Refused::Malformed));
        // However many there are, few are remembered, and those in use among them.
        let known = &tokens.known;
        for n in 0..5 * MOST {
            known.insert(n.to_string().into(), claims.clone());
            assert!(known.get("0").is_some(), "{n}");
        }
        let held = (0..5 * MOST).filter(|n| known.get(n.to_string().as_str()).is_some()).count();
        assert!(held <= 2 * MOST, "{held}");
    }
}
