//! Outbox, inbox and the secrets that processes share.

use domain::Micros;
use store::{Store, inbox, outbox, secrets};
use testkit::Database;
use tokio::task::JoinSet;

use crate::commit;

const T0: Micros = Micros(1_000_000_000);

on_both_engines!(
    events_are_read_in_order_behind_a_cursor,
    an_event_rolls_back_with_its_change,
    a_reader_behind_its_cursor_misses_no_event,
    cursors_never_go_back,
    pruning_keeps_what_a_consumer_has_not_read,
    an_event_is_handled_once,
    everybody_gets_the_same_secret,
);

async fn append(store: &Store, subject: &str, now: Micros) -> String {
    commit!(store, |tx| outbox::append(tx, "video.ready", subject, "{\"n\":1}", now))
}

async fn read(store: &Store, after: i64) -> Vec<(i64, String)> {
    let events = outbox::read(&mut store.reader().await.unwrap(), after, 100).await.unwrap();
    events.into_iter().map(|event| (event.position, event.subject)).collect()
}

async fn events_are_read_in_order_behind_a_cursor(database: Database) {
    let store = database.store().await.unwrap();
    let id = append(&store, "a", T0).await;
    append(&store, "b", T0.plus(-5)).await;
    append(&store, "c", T0).await;
    assert_eq!(read(&store, 0).await, [(1, "a".into()), (2, "b".into()), (3, "c".into())]);
    assert_eq!(read(&store, 2).await, [(3, "c".into())]);
    let first = outbox::read(&mut store.reader().await.unwrap(), 0, 1).await.unwrap();
    assert_eq!(first.len(), 1);
    let event = &first[0];
    assert_eq!(
        (&event.id, event.topic.as_str(), event.payload.as_str(), event.created_at),
        (&id, "video.ready", "{\"n\":1}", T0)
    );
}

async fn an_event_rolls_back_with_its_change(database: Database) {
    let store = database.store().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    outbox::append(&mut tx, "t", "gone", "{}", T0).await.unwrap();
    drop(tx);
    append(&store, "stays", T0).await;
    assert_eq!(read(&store, 0).await, [(1, "stays".into())]);
}

/// Writers side by side, a reader that always goes on from the last position it saw.
async fn a_reader_behind_its_cursor_misses_no_event(database: Database) {
    let store = database.store().await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..6 {
        let store = store.clone();
        writers.spawn(async move {
            for n in 0..10 {
                let mut tx = store.begin().await.unwrap();
                outbox::append(&mut tx, "t", &format!("{writer}.{n}"), "{}", T0).await.unwrap();
                // Others get their chance between the write and the commit.
                tokio::task::yield_now().await;
                tx.commit().await.unwrap();
            }
        });
    }
    let (mut cursor, mut seen) = (0, Vec::new());
    while seen.len() < 60 {
        let idle = writers.is_empty();
        let events = read(&store, cursor).await;
        assert!(!(idle && events.is_empty()), "only {} events, up to position {cursor}", seen.len());
        for (position, subject) in events {
            cursor = position;
            seen.push(subject);
        }
        while let Some(ended) = writers.try_join_next() {
            ended.unwrap();
        }
    }
    assert_eq!(cursor, 60);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 60);
}

async fn cursors_never_go_back(database: Database) {
    let store = database.store().await.unwrap();
    let cursor = async |consumer| outbox::cursor(&mut store.reader().await.unwrap(), consumer).await.unwrap();
    assert_eq!(cursor("search").await, 0);
    for (to, at) in [(5, 5), (3, 5), (9, 9)] {
        commit!(store, |tx| outbox::advance(tx, "search", to));
        assert_eq!(cursor("search").await, at);
    }
    assert_eq!(cursor("mail").await, 0);
}

async fn pruning_keeps_what_a_consumer_has_not_read(database: Database) {
    let store = database.store().await.unwrap();
    for subject in ["a", "b", "c", "d"] {
        append(&store, subject, T0).await;
    }
    commit!(store, |tx| outbox::advance(tx, "fast", 4));
    commit!(store, |tx| outbox::advance(tx, "slow", 2));
    assert_eq!(commit!(store, |tx| outbox::prune(tx, T0)), 0);
    assert_eq!(commit!(store, |tx| outbox::prune(tx, T0.plus(1))), 2);
    assert_eq!(read(&store, 0).await, [(3, "c".into()), (4, "d".into())]);
    commit!(store, |tx| outbox::advance(tx, "slow", 4));
    commit!(store, |tx| outbox::prune(tx, T0.plus(1)));
    // Positions go on although nearly all is gone: a cursor at 4 must see the next event.
    append(&store, "e", T0).await;
    assert_eq!(read(&store, 4).await, [(5, "e".into())]);
}

async fn an_event_is_handled_once(database: Database) {
    let store = database.store().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    assert!(inbox::once(&mut tx, "mail", "e1", T0).await.unwrap());
    drop(tx);
    // The effect rolled back, so it counts as not handled; then two try at once and one wins.
    let mut attempts = JoinSet::new();
    for _ in 0..8 {
        let store = store.clone();
        attempts.spawn(async move { commit!(store, |tx| inbox::once(tx, "mail", "e1", T0)) });
    }
    assert_eq!(attempts.join_all().await.into_iter().filter(|won| *won).count(), 1);
    assert!(commit!(store, |tx| inbox::once(tx, "search", "e1", T0)));
    assert_eq!(commit!(store, |tx| inbox::prune(tx, T0)), 0);
    assert!(!commit!(store, |tx| inbox::once(tx, "mail", "e1", T0)));
    assert_eq!(commit!(store, |tx| inbox::prune(tx, T0.plus(1))), 2);
}

async fn everybody_gets_the_same_secret(database: Database) {
    let store = database.store().await.unwrap();
    assert_eq!(secrets::get(&mut store.reader().await.unwrap(), "key").await.unwrap(), None);
    let mut processes = JoinSet::new();
    for n in 0..8 {
        let store = store.clone();
        processes.spawn(async move {
            let candidate = format!("candidate {n}");
            commit!(store, |tx| secrets::get_or_create(tx, "key", &candidate, T0))
        });
    }
    let got = processes.join_all().await;
    assert!(got.iter().all(|secret| *secret == got[0]), "{got:?}");
    assert_eq!(
        secrets::get(&mut store.reader().await.unwrap(), "key").await.unwrap().as_ref(),
        Some(&got[0])
    );
    assert_eq!(commit!(store, |tx| secrets::get_or_create(tx, "other", "else", T0)), "else");
}
