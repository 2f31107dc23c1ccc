//! The cache: one suite for both adapters.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod services;

use backends::cache::{Cache, Config, Error, Place, Taken};
use domain::Micros;

const NOW: Micros = Micros(1_800_000_000_000_000);

fn after(seconds: i64) -> Micros {
    Micros(NOW.0 + seconds * Micros::SECOND)
}

fn place(holder: &str, seconds: i64) -> Place {
    Place {
        holder: holder.into(), note: format!("note of \"{holder}\" – ünïcode"), until: after(seconds)
    }
}

fn shared() -> Config {
    // A prefix of its own keeps tests on one server apart.
    Config { url: services::redis().into(), prefix: format!("test.{}", uuid::Uuid::now_v7().simple()) }
}

/// `one` and `other` may be one cache or two.
async fn suite(one: &Cache, other: &Cache) {
    one.ping().await.unwrap();
    let (a, b, c) = (place("a", 60), place("b", 30), place("c", 90));
    assert_eq!(one.take("x", &a, 2, NOW).await.unwrap(), Taken::Yes);
    assert_eq!(other.take("x", &b, 2, NOW).await.unwrap(), Taken::Yes);
    let full = Taken::Full(vec![b.clone(), a.clone()]);
    assert_eq!(one.take("x", &c, 2, NOW).await.unwrap(), full, "who holds them, oldest end first");
    assert_eq!(one.take("y", &c, 2, NOW).await.unwrap(), Taken::Yes, "groups are apart");
    assert_eq!(other.take("x", &place("a", 70), 2, NOW).await.unwrap(), Taken::Yes, "it has one");
    assert_eq!(one.places("x", NOW).await.unwrap(), [b.clone(), place("a", 70)]);
    // A place ends by itself at its end, and not before.
    assert_eq!(one.places("x", Micros(b.until.0 - 1)).await.unwrap().len(), 2);
    assert_eq!(one.take("x", &c, 2, b.until).await.unwrap(), Taken::Yes);
    assert!(!other.renew("x", "b", b.until, after(500)).await.unwrap(), "it has ended");
    assert!(other.renew("x", "a", b.until, after(500)).await.unwrap());
    let left = Place { until: after(500), ..a };
    assert_eq!(one.places("x", after(91)).await.unwrap(), [left]);
    // Anybody may be sent away, once.
    assert!(one.leave("x", "a").await.unwrap());
    assert!(!one.leave("x", "a").await.unwrap() && !one.leave("nobody's", "a").await.unwrap());
    assert!(!other.renew("x", "a", after(91), after(500)).await.unwrap());
    assert_eq!(other.places("x", after(91)).await.unwrap(), []);
    assert_eq!(other.take("none", &c, 0, NOW).await.unwrap(), Taken::Full(vec![]));
}

/// However many ask at once, no more than the limit get a place.
async fn crowd(caches: [Cache; 2]) {
    let mut asking = tokio::task::JoinSet::new();
    for n in 0..200 {
        let cache = caches[n % 2].clone();
        asking.spawn(async move { cache.take("crowd", &place(&n.to_string(), 60), 7, NOW).await.unwrap() });
    }
    let taken = asking.join_all().await.into_iter().filter(|taken| *taken == Taken::Yes).count();
    assert_eq!(taken, 7);
}

#[tokio::test]
async fn in_process() {
    let cache = Cache::open(&Config::default()).unwrap();
    assert!(!cache.is_shared());
    suite(&cache, &cache).await;
    crowd([cache.clone(), cache]).await;
}

#[tokio::test]
async fn on_redis() {
    let config = shared();
    let (one, other) = (Cache::open(&config).unwrap(), Cache::open(&config).unwrap());
    assert!(one.is_shared());
    suite(&one, &other).await;
    crowd([one, other]).await;
    let neighbour = Cache::open(&shared()).unwrap();
    assert_eq!(neighbour.places("y", NOW).await.unwrap(), [], "another prefix is another cache");
}

#[tokio::test]
async fn a_server_that_is_away_shows_when_it_is_asked() {
    let config = Config { url: "redis://:secret@127.0.0.1:1".into(), ..Config::default() };
    let cache = Cache::open(&config).unwrap();
    let error = cache.take("x", &place("a", 60), 2, NOW).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert!(!error.to_string().contains("secret"));
}

#[test]
fn nonsense_is_refused_without_its_password() {
    let config = |url: &str, prefix: &str| Config { url: url.into(), prefix: prefix.into() };
    let error = Cache::open(&config("http://:secret@example.org", "kinora")).err().unwrap().to_string();
    assert!(error.contains("cache.url") && !error.contains("secret"), "{error}");
    assert!(matches!(Cache::open(&config("", "a b")), Err(Error::Prefix(_))));
}
