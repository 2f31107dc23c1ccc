//! Leases and fences: heartbeats, failures, dead workers, releases.

use std::time::Duration;

use domain::Micros;
use store::{
    Error, Store, attempts,
    jobs::{self, Beat, Claim, Job, NewJob, Outcome, Reaped, State, back_off},
    workers,
};
use testkit::Database;
use tokio::task::JoinHandle;

use crate::{commit, jobs::claim};

const T0: Micros = Micros(1_000_000_000);
const LEASE: i64 = 30 * Micros::SECOND;

on_both_engines!(
    a_heartbeat_extends_the_lease,
    a_stale_holder_cannot_write,
    what_a_stale_holder_wrote_rolls_back,
    failures_back_off_and_end_dead,
    a_hopeless_failure_is_dead_at_once,
    what_has_failed_is_tried_by_somebody_else,
    what_was_said_is_kept_within_bounds,
    a_dead_workers_job_runs_elsewhere,
    a_job_that_kills_its_workers_ends_dead,
    a_job_that_is_being_finished_is_not_reaped,
    a_release_counts_no_attempt,
    a_restarted_worker_renounces_its_leases,
    the_middle_of_the_work_is_fenced_too,
);

async fn start(store: &Store, job: NewJob<'_>) -> Claim {
    commit!(store, |tx| jobs::enqueue(tx, &job, T0));
    claim(store, "w", &["k"], T0).await.unwrap()
}

async fn reap(store: &Store, now: Micros) -> Vec<Reaped> {
    commit!(store, |tx| jobs::reap(tx, &["k"], now))
}

/// What the task gave; one that still waits after half a minute waits for ever.
async fn ended<T>(task: JoinHandle<T>) -> T {
    tokio::time::timeout(Duration::from_secs(30), task).await.expect("it waits for a lock").unwrap()
}

async fn find(store: &Store, id: &str) -> Job {
    jobs::find(&mut store.reader().await.unwrap(), id).await.unwrap()
}

async fn a_heartbeat_extends_the_lease(database: Database) {
    let store = database.store().await.unwrap();
    let held = start(&store, NewJob::new("k", "s", "{}")).await;
    let at = T0.plus(LEASE - 1);
    let beat = commit!(store, |tx| jobs::heartbeat(tx, &held, at, LEASE));
    assert_eq!(beat, Beat::Held { lease_until: at.plus(LEASE) });
    assert_eq!(reap(&store, T0.plus(LEASE + 1)).await, []);
    assert_eq!(reap(&store, at.plus(LEASE)).await.len(), 1);
    assert_eq!(commit!(store, |tx| jobs::heartbeat(tx, &held, at, LEASE)), Beat::Lost);
}

async fn a_stale_holder_cannot_write(database: Database) {
    let store = database.store().await.unwrap();
    let old = start(&store, NewJob::new("k", "s", "{}")).await;
    let later = T0.plus(LEASE);
    reap(&store, later).await;
    let new = claim(&store, "w", &["k"], later).await.unwrap();
    assert!(new.fence > old.fence);
    let mut tx = store.begin().await.unwrap();
    assert!(matches!(jobs::finish(&mut tx, &old, later).await, Err(Error::Stale)));
    assert!(matches!(jobs::fail(&mut tx, &old, "no", true, later).await, Err(Error::Stale)));
    assert!(matches!(jobs::release(&mut tx, &old, 0, later).await, Err(Error::Stale)));
    assert!(matches!(jobs::still_mine(&mut tx, &old, later).await, Err(Error::Stale)));
    assert_eq!(jobs::heartbeat(&mut tx, &old, later, LEASE).await.unwrap(), Beat::Lost);
    jobs::let_go(&mut tx, &old).await.unwrap();
    tx.commit().await.unwrap();
    let job = find(&store, &new.id).await;
    assert_eq!((job.state, job.fence, job.lease_until), (State::Running, new.fence, later.plus(LEASE)));
    commit!(store, |tx| jobs::finish(tx, &new, later));
    let mut tx = store.begin().await.unwrap();
    assert!(matches!(jobs::finish(&mut tx, &new, later).await, Err(Error::Stale)), "finished twice");
}

async fn what_a_stale_holder_wrote_rolls_back(database: Database) {
    let store = database.store().await.unwrap();
    let old = start(&store, NewJob::new("k", "s", "{}")).await;
    reap(&store, T0.plus(LEASE)).await;
    let work = async {
        let mut tx = store.begin().await?;
        store::secrets::get_or_create(&mut tx, "result", "of the stale holder", T0).await?;
        jobs::enqueue(&mut tx, &NewJob::new("next", "s", "{}"), T0).await?;
        jobs::finish(&mut tx, &old, T0).await?;
        tx.commit().await
    };
    assert!(matches!(work.await, Err(Error::Stale)));
    assert_eq!(store::secrets::get(&mut store.reader().await.unwrap(), "result").await.unwrap(), None);
    assert_eq!(claim(&store, "w", &["next"], T0).await, None);
}

async fn failures_back_off_and_end_dead(database: Database) {
    let store = database.store().await.unwrap();
    let mut held = start(&store, NewJob::new("k", "s", "{}").max_attempts(3)).await;
    let mut now = T0;
    for attempt in 1..=2 {
        let outcome = commit!(store, |tx| jobs::fail(tx, &held, "the network is away", true, now));
        let run_at = now.plus(back_off(attempt));
        assert_eq!(outcome, Outcome::Retry { run_at });
        assert_eq!(claim(&store, "w", &["k"], run_at.plus(-1)).await, None);
        now = run_at;
        held = claim(&store, "w", &["k"], now).await.unwrap();
        assert_eq!(held.attempt, attempt + 1);
    }
    assert_eq!(commit!(store, |tx| jobs::fail(tx, &held, "the network is away", true, now)), Outcome::Dead);
    let job = find(&store, &held.id).await;
    assert_eq!(
        (job.state, job.attempts, job.error.as_deref()),
        (State::Dead, 3, Some("the network is away"))
    );
    assert_eq!(claim(&store, "w", &["k"], now.plus(Micros::DAY)).await, None);
}

async fn a_hopeless_failure_is_dead_at_once(database: Database) {
    let store = database.store().await.unwrap();
    let held = start(&store, NewJob::new("k", "s", "{}")).await;
    assert_eq!(commit!(store, |tx| jobs::fail(tx, &held, "not a film", false, T0)), Outcome::Dead);
    assert_eq!(find(&store, &held.id).await.state, State::Dead);
}

/// A sign of life of a worker that takes jobs of `kinds`.
async fn sign(store: &store::Store, name: &str, kinds: &[&str], now: Micros) {
    let sign = workers::Sign { name, slots: 1, about: "{}", kinds, started_at: T0 };
    commit!(store, |tx| workers::beat(tx, &sign, now));
}

async fn what_has_failed_is_tried_by_somebody_else(database: Database) {
    let store = database.store().await.unwrap();
    let second = 1_000_000;
    let may = async |worker: &str, now| {
        let mut reader = store.reader().await.unwrap();
        jobs::claimable(&mut reader, worker, &["chunk-av1"], now).await.unwrap()
    };
    for name in ["a", "b"] {
        sign(&store, name, &["chunk", "chunk-av1"], T0).await;
    }
    sign(&store, "other", &["chunk", "av1", "chunk-av", "publish"], T0).await;
    let job = NewJob::new("chunk-av1", "s", "{}").max_attempts(9);
    commit!(store, |tx| jobs::enqueue(tx, &job, T0));
    let held = claim(&store, "a", &["chunk-av1"], T0).await.unwrap();
    assert!(jobs::has_another(&mut store.reader().await.unwrap(), &held, T0).await.unwrap());
    commit!(store, |tx| jobs::fail(tx, &held, "x", true, T0));
    let now = T0.plus(10 * second);
    // Whoever has failed leaves it to the other one, and still takes other jobs.
    assert!(!may("a", now).await && may("b", now).await);
    assert_eq!(claim(&store, "a", &["chunk-av1"], now).await, None);
    commit!(store, |tx| jobs::enqueue(tx, &NewJob::new("chunk-av1", "t", "{}"), now));
    let another = claim(&store, "a", &["chunk-av1"], now).await.unwrap();
    assert_eq!(another.subject, "t");
    commit!(store, |tx| jobs::finish(tx, &another, now));
    let held = claim(&store, "b", &["chunk-av1"], now).await.unwrap();
    assert_eq!(held.subject, "s");
    assert!(!jobs::has_another(&mut store.reader().await.unwrap(), &held, now).await.unwrap());
    // To be released is no failure.
    commit!(store, |tx| jobs::release(tx, &held, 0, now));
    let held = claim(&store, "b", &["chunk-av1"], now).await.unwrap();
    commit!(store, |tx| jobs::fail(tx, &held, "x", true, now));
    // Both have failed: both may try again, whoever comes first.
    let now = now.plus(15 * second);
    assert!(may("a", now).await && may("b", now).await);
    let held = claim(&store, "a", &["chunk-av1"], now).await.unwrap();
    commit!(store, |tx| jobs::fail(tx, &held, "x", true, now));
    // A third one comes, and goes silent, and is drained.
    let now = now.plus(60 * second);
    sign(&store, "c", &["chunk-av1"], now).await;
    assert!(!may("a", now).await && may("c", now).await);
    assert!(may("a", now.plus(36 * second)).await, "nobody waits for the silent");
    commit!(store, |tx| workers::drain(tx, "c", true));
    assert!(may("a", now).await);
    commit!(store, |tx| workers::drain(tx, "c", false));
    assert!(!may("a", now).await);
    // New attempts that a person asks for are anybody's.
    let held = claim(&store, "c", &["chunk-av1"], now).await.unwrap();
    sign(&store, "d", &["chunk-av1"], now).await;
    commit!(store, |tx| jobs::fail(tx, &held, "x", false, now));
    commit!(store, |tx| jobs::revive(tx, &held.id, now));
    assert!(may("c", now).await);
}

async fn what_was_said_is_kept_within_bounds(database: Database) {
    let store = database.store().await.unwrap();
    let attempt = |subject: &str| attempts::Attempt {
        id: attempts::new_id(),
        job_id: "j".into(),
        kind: "chunk".into(),
        subject: subject.into(),
        worker: "w".into(),
        outcome: "retry".into(),
        started_at: T0,
        ended_at: T0.plus(1),
        cpu_ms: 1,
        error: Some("x".into()),
        has_log: 0,
    };
    let keep = async |attempt: &attempts::Attempt, log: &str| {
        commit!(store, |tx| attempts::insert(tx, attempt));
        commit!(store, |tx| attempts::keep_log(tx, attempt, log));
    };
    let log = async |id: &str| attempts::log(&mut store.reader().await.unwrap(), id).await.unwrap();
    let long = attempt("film");
    // Its end stays, from the beginning of a letter on; a zero does no harm.
    keep(&long, &format!("first {}last\0", "é".repeat(40_000))).await;
    let kept = log(&long.id).await.unwrap();
    assert!(kept.len() <= attempts::MOST_LOG + 2 && kept.starts_with('é') && kept.ends_with("last\u{fffd}"));
    let (other, plain) = (attempt("other film"), attempt("film"));
    keep(&other, "said").await;
    commit!(store, |tx| attempts::insert(tx, &plain));
    let rows = attempts::recent(&mut store.reader().await.unwrap(), T0, 10).await.unwrap();
    let has = |id: &str| rows.iter().find(|row| row.id == id).unwrap().has_log;
    assert_eq!((has(&long.id), has(&other.id), has(&plain.id)), (1, 1, 0));
    for _ in 0..50 {
        keep(&attempt("film"), "again").await;
    }
    assert_eq!(log(&long.id).await, None, "the latest of a title are kept");
    commit!(store, |tx| attempts::forget_logs(tx, "film"));
    assert_eq!(log(&other.id).await.as_deref(), Some("said"));
    commit!(store, |tx| attempts::prune(tx, T0.plus(2), 1000));
    assert_eq!(log(&other.id).await, None, "it goes with its attempt");
}

async fn a_dead_workers_job_runs_elsewhere(database: Database) {
    let store = database.store().await.unwrap();
    let held = start(&store, NewJob::new("k", "s", "{}")).await;
    let over = T0.plus(LEASE);
    let claimable =
        async |now| jobs::claimable(&mut store.reader().await.unwrap(), "w2", &["k"], now).await.unwrap();
    assert!(!claimable(over.plus(-1)).await && reap(&store, over.plus(-1)).await.is_empty());
    assert!(claimable(over).await);
    assert_eq!(commit!(store, |tx| jobs::reap(tx, &["other"], over)), []);
    let reaped = reap(&store, over).await;
    assert_eq!(reaped.len(), 1);
    assert_eq!((&reaped[0].claim.id, &reaped[0].outcome), (&held.id, &Outcome::Retry { run_at: over }));
    let job = find(&store, &held.id).await;
    assert_eq!((job.state, job.attempts, job.deaths, job.worker), (State::Queued, 0, 1, None));
    assert_eq!(claim(&store, "w2", &["k"], over).await.unwrap().attempt, 1, "a death takes no attempt");
}

async fn a_job_that_kills_its_workers_ends_dead(database: Database) {
    let store = database.store().await.unwrap();
    let held = start(&store, NewJob::new("k", "s", "{}").max_attempts(3)).await;
    let mut now = T0;
    for death in 1..=jobs::MOST_DEATHS {
        now = now.plus(LEASE);
        let reaped = reap(&store, now).await.remove(0);
        match reaped.outcome {
            Outcome::Retry { run_at } => {
                let rest = if death == 1 { 0 } else { (1 << (death - 2)).min(30) };
                assert_eq!(run_at, now.plus(rest * Micros::SECOND));
                now = run_at;
                claim(&store, "w", &["k"], now).await.unwrap();
            }
            Outcome::Dead => assert_eq!(death, jobs::MOST_DEATHS),
        }
    }
    let job = find(&store, &held.id).await;
    assert_eq!((job.state, job.error.as_deref()), (State::Dead, Some("the worker died 12 times")));
    assert_eq!(reap(&store, now.plus(Micros::DAY)).await, []);
}

/// The lease ran out, but the holder's last transaction got there first.
async fn a_job_that_is_being_finished_is_not_reaped(database: Database) {
    let store = database.store().await.unwrap();
    let held = start(&store, NewJob::new("k", "s", "{}")).await;
    let late = T0.plus(2 * LEASE);
    let mut finishing = store.begin().await.unwrap();
    jobs::finish(&mut finishing, &held, late).await.unwrap();
    let reaper = tokio::spawn({
        let store = store.clone();
        async move { reap(&store, late).await }
    });
    if store.engine() == store::Engine::Postgres {
        // It skips the locked row and returns while the transaction is still open. On SQLite it waits for the writer.
        assert_eq!(ended(reaper).await, []);
        finishing.commit().await.unwrap();
    } else {
        finishing.commit().await.unwrap();
        assert_eq!(ended(reaper).await, []);
    }
    assert_eq!(find(&store, &held.id).await.state, State::Done);
}

async fn a_release_counts_no_attempt(database: Database) {
    let store = database.store().await.unwrap();
    let held = start(&store, NewJob::new("k", "s", "{}").max_attempts(1)).await;
    commit!(store, |tx| jobs::release(tx, &held, 60, T0));
    assert_eq!(claim(&store, "w", &["k"], T0.plus(59)).await, None);
    let again = claim(&store, "w", &["k"], T0.plus(60)).await.unwrap();
    assert_eq!((again.attempt, again.fence), (1, 2));
}

async fn a_restarted_worker_renounces_its_leases(database: Database) {
    let store = database.store().await.unwrap();
    let mine = start(&store, NewJob::new("k", "s", "{}")).await;
    commit!(store, |tx| jobs::enqueue(tx, &NewJob::new("k", "s", "{}"), T0));
    let other = claim(&store, "somebody else", &["k"], T0).await.unwrap();
    assert_eq!(commit!(store, |tx| jobs::renounce(tx, "w")), 1);
    let reaped = reap(&store, T0).await;
    assert_eq!(reaped.iter().map(|r| r.claim.id.as_str()).collect::<Vec<_>>(), [mine.id.as_str()]);
    assert_eq!(find(&store, &other.id).await.state, State::Running);
}

async fn the_middle_of_the_work_is_fenced_too(database: Database) {
    let store = database.store().await.unwrap();
    let held = start(&store, NewJob::new("k", "s", "{}")).await;
    let mut tx = store.begin().await.unwrap();
    jobs::still_mine(&mut tx, &held, T0.plus(LEASE)).await.unwrap();
    let reaper = tokio::spawn({
        let store = store.clone();
        async move { reap(&store, T0.plus(LEASE)).await }
    });
    if store.engine() == store::Engine::Postgres {
        assert_eq!(ended(reaper).await, [], "taken in the middle of a guarded transaction");
        tx.commit().await.unwrap();
    } else {
        tx.commit().await.unwrap();
        assert_eq!(ended(reaper).await.len(), 1);
    }
}
