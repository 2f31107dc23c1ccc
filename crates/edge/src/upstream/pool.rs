//! Several upstreams: each address has its own order of them (rendezvous hashing), those that fail are left out until they
//! are back, and a slow one is overtaken by the next.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use domain::edges;
use futures::{StreamExt, TryStreamExt, future::Either, stream::FuturesUnordered};
use http::StatusCode;
use reqwest::{Client, Url, redirect};

use super::{Answer, Failure, Question, health::Health};
use crate::flight::Broken;

/// How often upstreams that are out are thought of.
const LOOK: Duration = Duration::from_millis(250);
const LOOK_PATIENCE: Duration = Duration::from_secs(2);
/// Most upstreams that are asked the same.
const MAX_TRIES: usize = 3;

/// What an operator says of the upstreams.
#[derive(Debug, Clone)]
pub struct Settings {
    pub connect: Duration,
    /// Silence within a body.
    pub idle: Duration,
    /// After this the next upstream is asked as well; zero: never.
    pub hedge: Duration,
    /// Failures in a row after which one is left out.
    pub failures: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    #[error("edge.upstreams: `{0}` is not an address such as http://10.0.0.1:8080")]
    Address(String),
    #[error("edge.upstreams: {0}")]
    Client(#[from] reqwest::Error),
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    client: Client,
    peers: Vec<Peer>,
    settings: Settings,
}

struct Peer {
    base: Url,
    health: Mutex<Health>,
}

impl Pool {
    /// In a runtime: looks at upstreams that are out for as long as the pool lives.
    pub fn new(addresses: &[String], settings: Settings) -> Result<Self, PoolError> {
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .connect_timeout(settings.connect)
            .read_timeout(settings.idle)
            .tcp_nodelay(true)
            .build()?;
        let peers = addresses.iter().map(|text| peer(text)).collect::<Result<Vec<_>, _>>()?;
        let pool = Self(Arc::new(Inner { client, peers, settings }));
        tokio::spawn(look(Arc::downgrade(&pool.0)));
        Ok(pool)
    }

    /// Each with whether it is worth asking.
    pub fn peers(&self) -> Vec<edges::Upstream> {
        let told =
            |peer: &Peer| edges::Upstream { address: peer.base.to_string(), up: peer.health().is_in() };
        self.0.peers.iter().map(told).collect()
    }

    /// Waits for a head, from whichever upstream brings one first.
    pub async fn ask(&self, question: &Question) -> Result<Answer, Failure> {
        let mut order = self.order(&question.place).into_iter().take(MAX_TRIES);
        let mut tries = FuturesUnordered::new();
        let Some(first) = order.next() else { return Err(Failure::Unreachable) };
        tries.push(self.try_one(first, question));
        let hedge = self.0.settings.hedge;
        let mut slow = std::pin::pin!(if question.may_hedge && !hedge.is_zero() {
            Either::Left(tokio::time::sleep(hedge))
        } else {
            Either::Right(std::future::pending())
        });
        let mut hedged = false;
        let mut last = Err(Failure::Unreachable);
        loop {
            tokio::select! {
                tried = tries.next() => match tried {
                    Some(Ok(answer)) if !is_fault(answer.status) => return Ok(answer),
                    Some(failed) => {
                        // An answer tells more than that there was none.
                        if last.is_err() || failed.is_ok() {
                            last = failed;
                        }
                        match order.next() {
                            Some(next) => tries.push(self.try_one(next, question)),
                            None if tries.is_empty() => return last,
                            None => {}
                        }
                    }
                    None => return last,
                },
                () = &mut slow, if !hedged => {
                    hedged = true;
                    if let Some(next) = order.next() {
                        metrics::counter!("kinora_edge_hedged_total").increment(1);
                        tries.push(self.try_one(next, question));
                    }
                }
            }
        }
    }

    /// The upstreams in the order in which this place asks them: those that are out come last.
    fn order(&self, place: &str) -> Vec<&Peer> {
        let mut peers: Vec<_> = self.0.peers.iter().collect();
        peers.sort_by_cached_key(|peer| {
            let is_out = !peer.health().is_in();
            (is_out, std::cmp::Reverse(score(peer.base.as_str(), place)))
        });
        peers
    }

    async fn try_one(&self, peer: &Peer, question: &Question) -> Result<Answer, Failure> {
        let url = peer.base.join(&question.address).map_err(|_| Failure::Unusable)?;
        let asked = self.0.client.get(url).headers(question.headers()).send().await;
        let faulty = asked.as_ref().map_or(true, |response| is_fault(response.status()));
        peer.note(!faulty, &self.0.settings);
        let response = asked.map_err(|error| {
            tracing::debug!(upstream = %peer.base, %error, "an upstream failed");
            Failure::Unreachable
        })?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes_stream().map_err(|_| Broken).boxed();
        Ok(Answer { status, headers, body })
    }
}

impl Peer {
    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, good: bool, settings: &Settings) {
        if good {
            self.health().succeeded();
            return;
        }
        metrics::counter!("kinora_edge_upstream_failures_total").increment(1);
        if self.health().failed(settings.failures, Instant::now()) {
            tracing::warn!(upstream = %self.base, "an upstream fails and is left out");
        }
    }
}

/// Looks at upstreams that are out, until the pool is dropped.
async fn look(pool: Weak<Inner>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(pool) = pool.upgrade() else { return };
        let due = pool.peers.iter().filter(|peer| peer.health().is_due(Instant::now()));
        futures::future::join_all(due.map(|peer| look_at(&pool.client, peer))).await;
    }
}

async fn look_at(client: &Client, peer: &Peer) {
    let Ok(url) = peer.base.join("/healthz") else { return };
    let answer = client.get(url).timeout(LOOK_PATIENCE).send().await;
    if answer.is_ok_and(|answer| answer.status() == StatusCode::OK) {
        tracing::info!(upstream = %peer.base, "an upstream is back");
        peer.health().succeeded();
    } else {
        peer.health().still_out(Instant::now());
    }
}

fn peer(text: &str) -> Result<Peer, PoolError> {
    let wrong = || PoolError::Address(text.to_owned());
    let base = Url::parse(text).map_err(|_| wrong())?;
    let plain = matches!(base.scheme(), "http" | "https") && base.has_host() && base.path() == "/";
    if plain && base.query().is_none() && base.username().is_empty() {
        Ok(Peer { base, health: Mutex::default() })
    } else {
        Err(wrong())
    }
}

/// Faults of the upstream itself, which another may not have.
fn is_fault(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// FNV-1a of both with MurmurHash3's finish: the same in every process and version.
fn score(base: &str, place: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in base.bytes().chain([0]).chain(place.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_spread_evenly_and_move_little() {
        let bases = ["http://a:1/", "http://b:1/", "http://c:1/", "http://d:1/"];
        let best = |bases: &[&str], place: &str| {
            bases.iter().max_by_key(|base| score(base, place)).map(|base| (*base).to_owned()).unwrap()
        };
        let places: Vec<_> = (0..8000).map(|n| format!("0192/v1080p/{n}.m4s")).collect();
        for base in bases {
            let own = places.iter().filter(|place| best(&bases, place) == base).count();
            assert!((1800..2200).contains(&own), "{base}: {own}");
        }
        for place in &places {
            let before = best(&bases, place);
            if before != bases[3] {
                assert_eq!(best(&bases[..3], place), before, "only those of the lost one move");
            }
        }
    }

    #[test]
    fn addresses_are_plain() {
        assert!(peer("http://10.0.0.1:8080").is_ok() && peer("https://origin.example/").is_ok());
        for bad in ["", "10.0.0.1", "ftp://a", "http://a/path", "http://a/?q", "http://u:p@a/"] {
            assert!(peer(bad).is_err(), "{bad}");
        }
    }
}
