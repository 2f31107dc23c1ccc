//! What programs of others rely on: idempotency keys are taken once, the log of webhooks stays bounded.

use domain::{Micros, Role, UserId, WebhookId};
use store::{
    Store, idempotency,
    users::{self, NewUser},
    webhooks::{self, Settings},
};
use testkit::Database;
use tokio::task::JoinSet;

use crate::commit;

const T0: Micros = Micros(1_000_000_000);

on_both_engines!(a_key_is_taken_once_and_left_to_the_next_when_its_lease_is_over, the_log_stays_bounded);

async fn person(store: &Store, role: Role) -> UserId {
    let id = UserId::new();
    let new =
        NewUser { id, email: format!("{id}@example.org"), name: "p".into(), password_hash: "x".into(), role };
    commit!(store, |tx| users::insert(tx, &new, T0));
    id
}

async fn a_key_is_taken_once_and_left_to_the_next_when_its_lease_is_over(database: Database) {
    let store = database.store().await.unwrap();
    let user = person(&store, Role::Creator).await;
    let request = |holder| idempotency::Request { user, key_sha256: "k", head_sha256: "h", holder };
    let lease = T0.plus(10);
    let mut racing = JoinSet::new();
    for holder in ["a", "b", "c", "d"] {
        let store = store.clone();
        racing.spawn(async move {
            let request = idempotency::Request { user, key_sha256: "k", head_sha256: "h", holder };
            commit!(store, |tx| idempotency::begin(tx, &request, lease, T0)).is_none().then_some(holder)
        });
    }
    let won: Vec<_> = racing.join_all().await.into_iter().flatten().collect();
    assert_eq!(won.len(), 1, "{won:?}");
    // It died: the next one takes over, and its own late answer is lost.
    assert!(commit!(store, |tx| idempotency::begin(tx, &request("e"), T0.plus(30), T0.plus(20))).is_none());
    commit!(store, |tx| idempotency::finish(tx, &request(won[0]), None, "late", T0.plus(99)));
    let kept = commit!(store, |tx| idempotency::begin(tx, &request("f"), T0.plus(40), T0.plus(21))).unwrap();
    assert_eq!((kept.answer, kept.lease_until), (None, T0.plus(30)));
    commit!(store, |tx| idempotency::finish(tx, &request("e"), Some("b"), "good", T0.plus(99)));
    commit!(store, |tx| idempotency::abandon(tx, &request("e")));
    let kept = commit!(store, |tx| idempotency::begin(tx, &request("f"), T0.plus(40), T0.plus(50))).unwrap();
    assert_eq!((kept.answer.as_deref(), kept.body_sha256.as_deref()), (Some("good"), Some("b")));
    assert_eq!(commit!(store, |tx| idempotency::prune(tx, T0.plus(98))), 0);
    assert_eq!(commit!(store, |tx| idempotency::prune(tx, T0.plus(99))), 1);
}

async fn the_log_stays_bounded(database: Database) {
    let store = database.store().await.unwrap();
    let user = person(&store, Role::Creator).await;
    let settings = Settings {
        url: "https://a/".into(),
        description: String::new(),
        events: String::new(),
        all_titles: false,
    };
    let mut deliveries = Vec::new();
    for _ in 0..2 {
        let hook = WebhookId::new();
        commit!(store, |tx| webhooks::insert(tx, hook, user, &settings, "whsec_", T0));
        for n in 0..5 {
            let id = commit!(store, |tx| webhooks::insert_delivery(tx, hook, "e", "s", "{}", T0.plus(n)));
            deliveries.push((hook, id));
        }
    }
    // What is under way stays, however old and many.
    assert_eq!(commit!(store, |tx| webhooks::prune(tx, T0.plus(100), 1)), 0);
    for (_, id) in &deliveries {
        commit!(store, |tx| webhooks::give_up(tx, id, T0));
    }
    assert_eq!(commit!(store, |tx| webhooks::prune(tx, T0.plus(1), 3)), 2 + 2);
    let mut reader = store.reader().await.unwrap();
    for hook in [deliveries[0].0, deliveries[5].0] {
        let left = webhooks::deliveries(&mut reader, hook, None, 10).await.unwrap();
        assert_eq!(
            left.iter().map(|row| row.created_at).collect::<Vec<_>>(),
            [T0.plus(4), T0.plus(3), T0.plus(2)]
        );
    }
    drop(reader);
    assert_eq!(webhooks::listening(&mut store.reader().await.unwrap(), user).await.unwrap().len(), 2);
    let disabled = users::Edit { disabled: Some(true), ..users::Edit::default() };
    let _ = person(&store, Role::Admin).await;
    commit!(store, |tx| users::edit(tx, user, &disabled, T0));
    assert!(webhooks::listening(&mut store.reader().await.unwrap(), user).await.unwrap().is_empty());
}
