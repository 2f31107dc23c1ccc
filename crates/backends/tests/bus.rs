//! The bus: one suite for both adapters, and what only the one between processes can go through.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod services;

use std::time::Duration;

use backends::bus::{Bus, Config, Error, Heard, MAX_BYTES, Subscription};
use domain::Topic;
use testkit::Cable;
use tokio::time;

fn config(url: &str) -> Config {
    // A prefix of its own keeps tests on one server apart.
    Config { url: url.into(), prefix: format!("test.{}", uuid::Uuid::now_v7().simple()) }
}

async fn soon(subscription: &mut Subscription) -> Heard {
    time::timeout(Duration::from_secs(20), subscription.next()).await.expect("nothing was heard")
}

/// The next message, whatever gaps lie before it.
async fn message(subscription: &mut Subscription) -> String {
    loop {
        if let Heard::Message(bytes) = soon(subscription).await {
            return String::from_utf8(bytes.to_vec()).unwrap();
        }
    }
}

async fn silent(subscription: &mut Subscription) {
    let heard = async {
        loop {
            if let Heard::Message(bytes) = subscription.next().await {
                return bytes;
            }
        }
    };
    if let Ok(bytes) = time::timeout(Duration::from_millis(150), heard).await {
        panic!("heard {bytes:?}");
    }
}

/// Waits until what is published on one bus is heard on the other.
async fn acquainted(teller: &Bus, listener: &Bus) {
    let mut hears = listener.subscribe(Topic::Events).await;
    for _ in 0..200 {
        teller.publish(Topic::Events, "hello");
        let heard = time::timeout(Duration::from_millis(100), hears.next()).await;
        if matches!(heard, Ok(Heard::Message(_))) {
            return;
        }
    }
    panic!("the two never met");
}

/// `teller` and `listener` may be one bus or two.
async fn suite(teller: &Bus, listener: &Bus) {
    let mut jobs = listener.subscribe(Topic::Jobs).await;
    let mut again = listener.subscribe(Topic::Jobs).await;
    let mut titles = listener.subscribe(Topic::Titles).await;
    // A subscription counts at the server only after a round trip.
    acquainted(teller, listener).await;
    for n in 0..100 {
        teller.publish(Topic::Jobs, n.to_string());
    }
    for n in 0..100 {
        assert_eq!(message(&mut jobs).await, n.to_string(), "in order, each once");
        assert_eq!(message(&mut again).await, n.to_string(), "every listener hears all");
    }
    silent(&mut jobs).await;
    silent(&mut titles).await;
    teller.publish(Topic::Titles, "");
    assert_eq!(message(&mut titles).await, "");
    let mut late = listener.subscribe(Topic::Jobs).await;
    silent(&mut late).await;
    teller.publish(Topic::Titles, vec![b'x'; MAX_BYTES + 1]);
    teller.publish(Topic::Titles, vec![b'x'; MAX_BYTES]);
    assert_eq!(message(&mut titles).await.len(), MAX_BYTES, "what is too long is not told");
}

#[tokio::test]
async fn in_process() {
    let bus = Bus::in_process();
    suite(&bus, &bus).await;
    assert!(!bus.reaches_others());
}

#[tokio::test]
async fn nats_within_one_process() {
    let bus = Bus::open(&config(services::nats())).await.unwrap();
    suite(&bus, &bus).await;
}

#[tokio::test]
async fn nats_between_two_processes() {
    let config = config(services::nats());
    let (one, other) = (Bus::open(&config).await.unwrap(), Bus::open(&config).await.unwrap());
    acquainted(&one, &other).await;
    suite(&one, &other).await;
    assert!(one.reaches_others());
}

#[tokio::test]
async fn prefixes_keep_instances_apart() {
    let server = services::nats();
    let (one, other) = (Bus::open(&config(server)).await.unwrap(), Bus::open(&config(server)).await.unwrap());
    let mut ours = one.subscribe(Topic::Jobs).await;
    let mut theirs = other.subscribe(Topic::Jobs).await;
    acquainted(&one, &one).await;
    one.publish(Topic::Jobs, "ours");
    assert_eq!(message(&mut ours).await, "ours");
    silent(&mut theirs).await;
}

#[tokio::test]
async fn who_falls_behind_is_told() {
    let bus = Bus::in_process();
    let mut slow = bus.subscribe(Topic::Jobs).await;
    for n in 0..10_000 {
        bus.publish(Topic::Jobs, n.to_string());
    }
    assert_eq!(soon(&mut slow).await, Heard::Gap);
    assert!(matches!(soon(&mut slow).await, Heard::Message(_)), "and hears the newest");
}

/// A way to the server that can be cut, and its address.
async fn cable() -> (Cable, String) {
    let cable = Cable::to(services::nats().trim_start_matches("nats://")).await.unwrap();
    let address = format!("nats://{}", cable.address);
    (cable, address)
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..400 {
        if holds() {
            return;
        }
        time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}

#[tokio::test]
async fn an_outage_costs_messages_but_nobody_misses_that() {
    let (cable, address) = cable().await;
    let near = config(&address);
    let far = Config { url: services::nats().into(), prefix: near.prefix.clone() };
    let (near, far) = (Bus::open(&near).await.unwrap(), Bus::open(&far).await.unwrap());
    let mut listens = near.subscribe(Topic::Jobs).await;
    acquainted(&far, &near).await;

    cable.cut();
    until("the outage is not noticed", || !near.reaches_others()).await;
    near.publish(Topic::Jobs, "here");
    assert_eq!(message(&mut listens).await, "here", "this process hears itself all the same");
    far.publish(Topic::Jobs, "lost");

    cable.mend();
    until("the connection does not come back", || near.reaches_others()).await;
    assert_eq!(soon(&mut listens).await, Heard::Gap, "then look for yourself");
    acquainted(&far, &near).await;
    far.publish(Topic::Jobs, "again");
    assert_eq!(message(&mut listens).await, "again", "subscriptions outlive the outage");
}

#[tokio::test]
async fn a_server_that_is_away_at_first_keeps_nothing_from_starting() {
    let (cable, address) = cable().await;
    cable.cut();
    let config = config(&address);
    let bus = Bus::open(&config).await.unwrap();
    let mut listens = bus.subscribe(Topic::Titles).await;
    bus.publish(Topic::Titles, "alone");
    assert_eq!(message(&mut listens).await, "alone");
    assert!(!bus.reaches_others());
    cable.mend();
    let other = Bus::open(&Config { url: services::nats().into(), ..config }).await.unwrap();
    acquainted(&other, &bus).await;
}

#[tokio::test]
async fn settings_that_cannot_work_are_named() {
    let open = |url: &str, prefix: &str| {
        let config = Config { url: url.into(), prefix: prefix.into() };
        async move { Bus::open(&config).await.err() }
    };
    let error = open("nats://127.0.0.1:4222,nats://user:secret@:x", "kinora").await.unwrap();
    assert!(matches!(&error, Error::Address(_)) && !error.to_string().contains("secret"), "{error}");
    for prefix in ["", "a b", "a..b", "kinora.>", "*"] {
        let error = open("nats://127.0.0.1:4222", prefix).await.unwrap();
        assert!(matches!(error, Error::Prefix(_)), "{error}");
    }
}
