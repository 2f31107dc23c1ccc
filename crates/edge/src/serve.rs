//! From a request to its answer: who may, what is held, what must be fetched.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use api::{Problem, accept::takes_coding};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::{
    Edge,
    config::milliseconds,
    fetch::Boarding,
    flight::Outcome,
    freshness::State,
    key::{Asked, Key},
    object::{Held, Object},
    read::read_at,
    reply::{How, Ready, Reply},
    upstream::{self, Failure},
};

/// How often a request looks again when what it found went away under its hands.
const TRIES: usize = 4;

/// A `GET` or `HEAD`.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    pub head_only: bool,
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    /// Who is at the other end of the connection.
    pub peer: IpAddr,
}

impl Edge {
    pub async fn answer(&self, ask: Ask<'_>) -> Reply {
        let began = Instant::now();
        let (reply, how) = match self.find(ask).await {
            Ok(found) => found,
            Err(problem) => {
                let failed = problem.status().is_server_error();
                (Reply::problem(problem), if failed { How::Failed } else { How::Refused })
            }
        };
        let reply = self.sign(reply, how).for_method(ask.head_only);
        self.0.measure.answered(how, reply.length().unwrap_or(0), began.elapsed());
        reply
    }

    /// A reply with what every one has.
    pub(crate) fn sign(&self, reply: Reply, how: How) -> Reply {
        reply.signed(self.0.clock.now(), self.0.statuses.of(how))
    }

    /// Something fresh that is held and can be sent at once, to someone whose token is known. The quick way, without waiting.
    pub(crate) fn at_hand(
        &self,
        path: &str,
        query: Option<&str>,
        gzip: bool,
    ) -> Option<(Arc<Object>, Ready)> {
        let asked = Asked::parse(path, query)?;
        // Who asks is looked at elsewhere.
        let claims = self.0.tokens.known(&asked).filter(|claims| !claims.is_bound())?;
        let object = self.0.store.get(&asked.key(claims.max_height, gzip))?;
        let state = object.freshness.state(self.0.clock.now(), self.0.store.trusted_since());
        if state != State::Fresh || object.head.status != StatusCode::OK {
            return None;
        }
        let ready = match &object.body {
            Held::Memory(bytes) => Ready::Memory(bytes.clone()),
            Held::File(_) if object.length <= self.0.config.memory_object_bytes => return None,
            Held::File(filed) => Ready::File(self.0.store.opened(filed)?),
        };
        Some((object, ready))
    }

    /// What someone whose token is known waits for, if it is something that comes all at once when it exists.
    pub(crate) fn awaited(&self, path: &str, query: Option<&str>, gzip: bool) -> Option<Key> {
        let asked = Asked::parse(path, query)?;
        let claims = self.0.tokens.known(&asked).filter(|claims| !claims.is_bound())?;
        Some(asked.key(claims.max_height, gzip)).filter(Key::comes_whole)
    }

    /// An answer that counts nowhere.
    pub(crate) async fn find(&self, ask: Ask<'_>) -> Result<(Reply, How), Problem> {
        let asked = Asked::parse(ask.path, ask.query).ok_or_else(Problem::not_found)?;
        let hops = upstream::hops(ask.headers);
        if hops >= upstream::MAX_HOPS {
            let words = "This request went through too many edges: their upstreams form a circle.";
            return Err(Problem::new(StatusCode::LOOP_DETECTED, "loop", words));
        }
        let claims = self.0.tokens.authorise(&asked).await?;
        self.0.bound.permit(&claims, ask.peer, ask.headers, hops)?;
        let key = asked.key(claims.max_height, takes_coding(ask.headers, "gzip"));
        for _ in 0..TRIES {
            if let Some(found) = self.try_to_find(ask, &asked, &key, hops).await? {
                return Ok(found);
            }
        }
        Err(Problem::unavailable("what was found went away again and again"))
    }

    /// May this be answered, by whichever cache? Gives what it is stored under. The problem is one of 401, 403 and 503.
    pub(crate) async fn check(&self, ask: Ask<'_>) -> Result<Key, Problem> {
        let nothing = || Problem::forbidden("There is nothing at this address.");
        let asked = Asked::parse(ask.path, ask.query).ok_or_else(nothing)?;
        let claims = self.0.tokens.authorise(&asked).await?;
        self.0.bound.permit(&claims, ask.peer, ask.headers, 0)?;
        Ok(asked.key(claims.max_height, takes_coding(ask.headers, "gzip")))
    }

    /// `None`: things have changed meanwhile, look again.
    async fn try_to_find(
        &self,
        ask: Ask<'_>,
        asked: &Asked<'_>,
        key: &Key,
        hops: u8,
    ) -> Result<Option<(Reply, How)>, Problem> {
        let held = self.0.store.get(key);
        let state = held
            .as_ref()
            .map(|held| (held, held.freshness.state(self.0.clock.now(), self.0.store.trusted_since())));
        let usable = match state {
            Some((held, State::Fresh)) => {
                let good = held.head.status == StatusCode::OK;
                return Ok(self.held(held, ask, if good { How::Hit } else { How::Negative }).await);
            }
            Some((held, State::UseAndRevalidate)) => {
                if let Some(reply) = self.held(held, ask, How::Stale).await {
                    // When there is no room for another fetch, somebody else will ask later.
                    let _ = self.board(key, asked.token, hops, Some(held));
                    return Ok(Some(reply));
                }
                return Ok(None);
            }
            Some((held, State::Stale { on_error })) => on_error.then_some(held),
            None => None,
        };
        let (flight, how) = match self.board(key, asked.token, hops, held.as_ref())? {
            Boarding::First(flight) => (flight, How::Miss),
            Boarding::Joined(flight) => (flight, How::Coalesced),
            Boarding::Missed => return Ok(None),
        };
        let mut reader = flight.reader();
        let patience = usable.map_or(Duration::MAX, |_| milliseconds(self.0.config.stale_after_ms));
        let Ok(outcome) = tokio::time::timeout(patience, reader.outcome()).await else {
            // The fetch goes on; this client need not wait for it.
            return Ok(match usable {
                Some(held) => self.held(held, ask, How::Stale).await,
                None => None,
            });
        };
        match outcome {
            Outcome::Head(head) => {
                let refused = matches!(head.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
                if refused && *flight.token != *asked.token {
                    // That was about another's token.
                    return Ok(None);
                }
                Ok(Some((Reply::flight(&head, reader, ask.headers), how)))
            }
            Outcome::Revalidated(object) => Ok(self.held(&object, ask, How::Revalidated).await),
            Outcome::Stale(object) => Ok(self.held(&object, ask, How::Stale).await),
            Outcome::Failed(failure) => Err(failed(failure)),
        }
    }

    /// `None` when its file is gone or broken.
    async fn held(&self, object: &Arc<Object>, ask: Ask<'_>, how: How) -> Option<(Reply, How)> {
        let ready = self.ready(object).await?;
        Some((Reply::held(object, ready, ask.headers, self.0.clock.now()), how))
    }

    async fn ready(&self, object: &Arc<Object>) -> Option<Ready> {
        let filed = match &object.body {
            Held::Memory(bytes) => return Some(Ready::Memory(bytes.clone())),
            Held::File(filed) => filed,
        };
        let file = match self.0.store.opened(filed) {
            Some(file) => file,
            None => {
                let (edge, filed, object) = (self.clone(), filed.clone(), object.clone());
                let opening = tokio::task::spawn_blocking(move || {
                    let opened = edge.0.store.reopen(&filed, object.length);
                    if let Err(error) = &opened {
                        tracing::warn!(name = %filed.name, %error, "a held body cannot be read and is fetched again");
                        edge.0.store.forget(&object);
                    }
                    opened
                });
                opening.await.ok()?.ok()?
            }
        };
        if object.length > self.0.config.memory_object_bytes {
            return Some(Ready::File(file));
        }
        let mut body = Vec::new();
        while (body.len() as u64) < object.length {
            let left = object.length as usize - body.len();
            let read = read_at(&file, body.len() as u64, left).await.ok()?;
            if read.is_empty() {
                return None;
            }
            body.extend_from_slice(&read);
        }
        let body = Bytes::from(body);
        self.0.store.promote(object, body.clone());
        Some(Ready::Memory(body))
    }
}

fn failed(failure: Failure) -> Problem {
    let (status, code) = match failure {
        Failure::Late => (StatusCode::GATEWAY_TIMEOUT, "upstream_late"),
        Failure::Unreachable => (StatusCode::BAD_GATEWAY, "upstream_unreachable"),
        Failure::Broken | Failure::Unusable => (StatusCode::BAD_GATEWAY, "upstream_broken"),
    };
    let words = "What holds this title does not answer just now. Try again shortly.";
    Problem::new(status, code, words).after(Duration::from_secs(2))
}
