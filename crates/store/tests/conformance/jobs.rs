//! The queue: enqueue, dedupe, order, cancel, retry, count, prune, and many claimers at once.

use std::collections::HashSet;

use domain::Micros;
use store::{
    Store,
    jobs::{self, Claim, NewJob, State},
};
use testkit::Database;
use tokio::task::JoinSet;

use crate::commit;

const T0: Micros = Micros(1_000_000_000);
const LEASE: i64 = 30 * Micros::SECOND;

on_both_engines!(
    jobs_run_by_priority_then_time_then_age,
    a_job_waits_for_its_time_and_its_kind,
    a_job_rolls_back_with_its_transaction,
    dedupe_joins_queued_jobs_only,
    joining_brings_a_job_forward,
    a_joined_job_cannot_be_claimed_before_the_joiner_commits,
    no_job_is_claimed_twice,
    cancelling_reaches_queued_and_running_jobs,
    dead_jobs_get_new_attempts,
    the_queue_is_counted,
    pruning_forgets_what_is_long_over,
);

pub async fn claim(store: &Store, worker: &str, kinds: &[&str], now: Micros) -> Option<Claim> {
    commit!(store, |tx| jobs::claim(tx, worker, kinds, now, LEASE))
}

async fn enqueue(store: &Store, job: NewJob<'_>) -> jobs::Enqueued {
    commit!(store, |tx| jobs::enqueue(tx, &job, T0))
}

async fn state(store: &Store, id: &str) -> State {
    jobs::find(&mut store.reader().await.unwrap(), id).await.unwrap().state
}

async fn jobs_run_by_priority_then_time_then_age(database: Database) {
    let store = database.store().await.unwrap();
    for (name, priority, run_at) in [
        ("old", 100, T0),
        ("young", 100, T0),
        ("late", 100, T0.plus(5)),
        ("urgent", 0, T0.plus(9)),
        ("idle", 1000, T0),
    ] {
        enqueue(&store, NewJob::new("k", name, "{}").priority(priority).run_at(run_at)).await;
    }
    let mut order = Vec::new();
    while let Some(claim) = claim(&store, "w", &["k"], T0.plus(10)).await {
        order.push(claim.subject);
    }
    assert_eq!(order, ["urgent", "old", "young", "late", "idle"]);
}

async fn a_job_waits_for_its_time_and_its_kind(database: Database) {
    let store = database.store().await.unwrap();
    enqueue(&store, NewJob::new("k", "s", "{\"a\":1}").run_at(T0.plus(100)).max_attempts(7)).await;
    let claimable = async |kinds: &[&str], now| {
        jobs::claimable(&mut store.reader().await.unwrap(), "w", kinds, now).await.unwrap()
    };
    assert!(!claimable(&["k"], T0.plus(99)).await);
    assert_eq!(claim(&store, "w", &["k"], T0.plus(99)).await, None);
    assert!(!claimable(&["other", "k\"", "%"], T0.plus(100)).await);
    assert_eq!(claim(&store, "w", &["other", "k\"", "%"], T0.plus(100)).await, None);
    assert_eq!(claim(&store, "w", &[], T0.plus(100)).await, None);
    assert!(claimable(&["other", "k"], T0.plus(100)).await);
    let claim = claim(&store, "w", &["other", "k"], T0.plus(100)).await.unwrap();
    assert_eq!(
        (claim.payload.as_str(), claim.attempt, claim.max_attempts, claim.fence),
        ("{\"a\":1}", 1, 7, 1)
    );
    assert_eq!(claim.lease_until, T0.plus(100 + LEASE));
    assert!(!claimable(&["k"], T0.plus(100)).await);
}

async fn a_job_rolls_back_with_its_transaction(database: Database) {
    let store = database.store().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    jobs::enqueue(&mut tx, &NewJob::new("k", "s", "{}"), T0).await.unwrap();
    drop(tx);
    assert_eq!(claim(&store, "w", &["k"], T0).await, None);
}

async fn dedupe_joins_queued_jobs_only(database: Database) {
    let store = database.store().await.unwrap();
    let publish = || NewJob::new("publish", "s", "{}").dedupe("publish:s");
    let first = enqueue(&store, publish()).await;
    assert!(first.fresh);
    assert_eq!(enqueue(&store, publish()).await, jobs::Enqueued { id: first.id.clone(), fresh: false });
    let running = claim(&store, "w", &["publish"], T0).await.unwrap();
    // It runs already and may have read too early: a second run is due.
    let second = enqueue(&store, publish()).await;
    assert!(second.fresh && second.id != first.id);
    assert!(!enqueue(&store, publish()).await.fresh);
    // Going back to the queue does not collide with the one that waits there.
    commit!(store, |tx| jobs::release(tx, &running, 0, T0));
    assert_eq!(state(&store, &first.id).await, State::Queued);
    let both: HashSet<_> = [
        claim(&store, "w", &["publish"], T0).await.unwrap().id,
        claim(&store, "w", &["publish"], T0).await.unwrap().id,
    ]
    .into();
    assert_eq!(both, HashSet::from([first.id, second.id]));
    // A cancelled one lets go of its key, too.
    let third = enqueue(&store, publish()).await;
    commit!(store, |tx| jobs::cancel_by_subject(tx, "s", T0));
    assert!(third.fresh && enqueue(&store, publish()).await.fresh);
}

async fn joining_brings_a_job_forward(database: Database) {
    let store = database.store().await.unwrap();
    let job =
        |run_at, priority| NewJob::new("k", "s", "{}").dedupe("d").run_at(T0.plus(run_at)).priority(priority);
    let id = enqueue(&store, job(50, 100)).await.id;
    for (run_at, priority, expected) in [(90, 200, (50, 100)), (20, 200, (20, 100)), (30, 5, (20, 5))] {
        enqueue(&store, job(run_at, priority)).await;
        let job = jobs::find(&mut store.reader().await.unwrap(), &id).await.unwrap();
        assert_eq!((job.run_at, job.priority), (T0.plus(expected.0), expected.1));
    }
}

/// A worker that took the joined job before the joiner's commit would not see what the joiner wrote, and nobody would run
/// again for it.
async fn a_joined_job_cannot_be_claimed_before_the_joiner_commits(database: Database) {
    let store = database.store().await.unwrap();
    let publish = || NewJob::new("publish", "s", "{}").dedupe("publish:s");
    let queued = enqueue(&store, publish()).await;
    let mut joiner = store.begin().await.unwrap();
    assert!(!jobs::enqueue(&mut joiner, &publish(), T0).await.unwrap().fresh);
    store::secrets::get_or_create(&mut joiner, "written-by-joiner", "yes", T0).await.unwrap();
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let worker = tokio::spawn({
        let store = store.clone();
        async move {
            loop {
                if let Some(claim) = claim(&store, "w", &["publish"], T0).await {
                    return (
                        claim,
                        store::secrets::get(&mut store.reader().await.unwrap(), "written-by-joiner")
                            .await
                            .unwrap(),
                    );
                }
                told.send(()).unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    if store.engine() == store::Engine::Postgres {
        // On SQLite the worker waits for the writer; here it finds nothing, again and again.
        for _ in 0..3 {
            heard.recv().await.unwrap();
        }
    }
    joiner.commit().await.unwrap();
    let (claim, seen) = worker.await.unwrap();
    assert_eq!((claim.id, seen.as_deref()), (queued.id, Some("yes")));
}

async fn no_job_is_claimed_twice(database: Database) {
    let store = Store::connect(&store::Config { max_connections: 20, ..database.config() }).await.unwrap();
    const JOBS: usize = 100;
    for n in 0..JOBS {
        enqueue(&store, NewJob::new("k", &n.to_string(), "{}")).await;
    }
    let mut workers = JoinSet::new();
    for n in 0..20 {
        let store = store.clone();
        workers.spawn(async move {
            let mut mine = Vec::new();
            while let Some(claim) = claim(&store, &format!("w{n}"), &["k"], T0).await {
                commit!(store, |tx| jobs::finish(tx, &claim, T0));
                mine.push(claim.subject);
            }
            mine
        });
    }
    let all: Vec<String> = workers.join_all().await.into_iter().flatten().collect();
    // SKIP LOCKED may tell a worker "nothing" while others hold the last rows, but the holders then finish them.
    assert_eq!(all.len(), JOBS);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), JOBS);
    let left = jobs::stats(&mut store.reader().await.unwrap()).await.unwrap();
    assert_eq!(left, []);
}

async fn cancelling_reaches_queued_and_running_jobs(database: Database) {
    let store = database.store().await.unwrap();
    let ended = enqueue(&store, NewJob::new("k", "film", "{}")).await.id;
    let claim_of_ended = claim(&store, "w", &["k"], T0).await.unwrap();
    commit!(store, |tx| jobs::finish(tx, &claim_of_ended, T0));
    let running = enqueue(&store, NewJob::new("k", "film", "{}")).await.id;
    let held = claim(&store, "w", &["k"], T0).await.unwrap();
    let queued = enqueue(&store, NewJob::new("k", "film", "{}")).await.id;
    let other = enqueue(&store, NewJob::new("k", "other", "{}")).await.id;
    let settled =
        async |now| jobs::settled(&mut store.reader().await.unwrap(), "film", "", now).await.unwrap();
    assert!(!settled(T0).await);
    assert_eq!(commit!(store, |tx| jobs::cancel_by_subject(tx, "film", T0)), 2);
    for (id, expected) in [
        (&ended, State::Done),
        (&running, State::Cancelled),
        (&queued, State::Cancelled),
        (&other, State::Queued),
    ] {
        assert_eq!(state(&store, id).await, expected);
    }
    // The holder learns it, cannot commit, and counts as busy until it lets go.
    assert_eq!(commit!(store, |tx| jobs::heartbeat(tx, &held, T0, LEASE)), jobs::Beat::Cancelled);
    let mut tx = store.begin().await.unwrap();
    assert!(matches!(jobs::finish(&mut tx, &held, T0).await, Err(store::Error::Stale)));
    drop(tx);
    assert!(!settled(T0).await);
    assert!(settled(T0.plus(LEASE)).await, "a dead holder keeps the subject busy");
    commit!(store, |tx| jobs::let_go(tx, &held));
    assert!(settled(T0).await);
    // The one that asks does not wait for itself.
    let purge = enqueue(&store, NewJob::new("purge", "film", "{}")).await.id;
    claim(&store, "w", &["purge"], T0).await.unwrap();
    assert!(!settled(T0).await);
    assert!(jobs::settled(&mut store.reader().await.unwrap(), "film", &purge, T0).await.unwrap());
}

async fn dead_jobs_get_new_attempts(database: Database) {
    let store = database.store().await.unwrap();
    let id = enqueue(&store, NewJob::new("k", "film", "{}").max_attempts(2)).await.id;
    let held = claim(&store, "w", &["k"], T0).await.unwrap();
    commit!(store, |tx| jobs::fail(tx, &held, "the file is broken", false, T0));
    assert_eq!(commit!(store, |tx| jobs::retry_dead(tx, "other", T0)), 0);
    assert_eq!(claim(&store, "w", &["k"], T0.plus(Micros::DAY)).await, None);
    assert_eq!(commit!(store, |tx| jobs::retry_dead(tx, "film", T0.plus(7))), 1);
    let job = jobs::find(&mut store.reader().await.unwrap(), &id).await.unwrap();
    assert_eq!((job.state, job.run_at, job.attempts, job.error), (State::Queued, T0.plus(7), 0, None));
    let again = claim(&store, "w", &["k"], T0.plus(7)).await.unwrap();
    assert_eq!((again.attempt, again.fence), (1, 2), "an old holder must stay fenced off");
}

async fn the_queue_is_counted(database: Database) {
    let store = database.store().await.unwrap();
    for subject in ["a", "b", "c"] {
        enqueue(&store, NewJob::new("chunk", subject, "{}").run_at(T0.plus(5))).await;
    }
    enqueue(&store, NewJob::new("probe", "a", "{}")).await;
    claim(&store, "w", &["chunk"], T0.plus(5)).await.unwrap();
    let counts = jobs::stats(&mut store.reader().await.unwrap()).await.unwrap();
    let lines: Vec<_> =
        counts.iter().map(|c| (c.kind.as_str(), c.state, c.jobs, c.oldest.0 - T0.0)).collect();
    assert_eq!(
        lines,
        [("chunk", State::Queued, 2, 5), ("chunk", State::Running, 1, 5), ("probe", State::Queued, 1, 0)]
    );
}

async fn pruning_forgets_what_is_long_over(database: Database) {
    let store = database.store().await.unwrap();
    for end in ["done", "dead", "cancelled", "running", "queued"] {
        let id = enqueue(&store, NewJob::new(end, end, "{}")).await.id;
        if end != "queued" {
            let held = claim(&store, "w", &[end], T0).await.unwrap();
            assert_eq!(held.id, id);
            match end {
                "done" => commit!(store, |tx| jobs::finish(tx, &held, T0)),
                "dead" => _ = commit!(store, |tx| jobs::fail(tx, &held, "no", false, T0)),
                "cancelled" => {
                    commit!(store, |tx| jobs::cancel_by_subject(tx, end, T0));
                    commit!(store, |tx| jobs::let_go(tx, &held));
                }
                _ => {}
            }
        }
    }
    let left = async || {
        let counts =
            async |subject| jobs::list(&mut store.reader().await.unwrap(), subject).await.unwrap().len();
        [
            counts("done").await,
            counts("dead").await,
            counts("cancelled").await,
            counts("running").await,
            counts("queued").await,
        ]
    };
    let prune =
        async |ended: i64, dead: i64| commit!(store, |tx| jobs::prune(tx, T0.plus(ended), T0.plus(dead), 10));
    assert_eq!(prune(0, 0).await, 0);
    assert_eq!(prune(1, 0).await, 2);
    assert_eq!(left().await, [0, 1, 0, 1, 1]);
    assert_eq!(prune(Micros::DAY, 1).await, 1);
    assert_eq!(left().await, [0, 0, 0, 1, 1]);
    assert_eq!(prune(Micros::DAY, Micros::DAY).await, 0);
}
