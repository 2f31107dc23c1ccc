//! The job runner against real databases, with short leases.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use futures::{FutureExt, future::BoxFuture};
use store::{
    Tx,
    jobs::{Job, NewJob, Outcome, State},
};
use tokio::task::JoinHandle;

use super::*;

struct Bench {
    _database: testkit::Database,
    store: Store,
    bus: Bus,
}

struct Running {
    shutdown: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn stop(self) {
        self.shutdown.cancel();
        self.task.await.unwrap();
    }
}

impl Bench {
    async fn new() -> Self {
        let database = testkit::sqlite().unwrap();
        let store = database.store().await.unwrap();
        let bus = Bus::in_process();
        store.announce(bus.announcer());
        Self { _database: database, store, bus }
    }

    fn start(&self, handlers: Handlers, config: Config) -> Running {
        let shutdown = CancellationToken::new();
        let worker = Worker::new(self.store.clone(), Clock::system(), handlers, config, self.bus.clone());
        Running { task: tokio::spawn(worker.run(shutdown.clone())), shutdown }
    }

    async fn enqueue(&self, job: NewJob<'_>) -> String {
        let mut tx = self.store.begin().await.unwrap();
        let enqueued = jobs::enqueue(&mut tx, &job, Clock::system().now()).await.unwrap();
        tx.commit().await.unwrap();
        enqueued.id
    }

    async fn job(&self, id: &str) -> Job {
        jobs::find(&mut self.store.reader().await.unwrap(), id).await.unwrap()
    }

    /// Waits for the job to be as `wanted`; half a minute is far more than any of these takes.
    async fn until(&self, id: &str, wanted: impl Fn(&Job) -> bool) -> Job {
        let waited = time::timeout(Duration::from_secs(30), async {
            loop {
                let job = self.job(id).await;
                if wanted(&job) {
                    return job;
                }
                time::sleep(Duration::from_millis(10)).await;
            }
        });
        match waited.await {
            Ok(job) => job,
            Err(_) => panic!("still {:?}", self.job(id).await),
        }
    }
}

fn config() -> Config {
    Config { slots: 2, lease_ms: 600, grace_ms: 300, ..Config::default() }
}

#[tokio::test]
async fn a_result_and_the_end_of_its_job_commit_together() {
    let bench = Bench::new().await;
    let handlers = Handlers::new().heavy("write", |job: JobContext| async move {
        let mut tx = job.store.begin().await?;
        store::secrets::get_or_create(&mut tx, &job.payload::<String>()?, "result", job.now()).await?;
        job.finish(&mut tx).await?;
        let next = NewJob::new("follow", &job.claim.subject, "{}");
        jobs::enqueue(&mut tx, &next, job.now()).await?;
        tx.commit().await?;
        Ok(())
    });
    let followed = Arc::new(Notify::new());
    let seen = followed.clone();
    let handlers = handlers.light("follow", move |_| {
        seen.notify_one();
        async { Ok(()) }
    });
    let running = bench.start(handlers, config());
    let id = bench.enqueue(NewJob::new("write", "s", "\"name\"")).await;
    assert_eq!(bench.until(&id, |job| job.state == State::Done).await.attempts, 1);
    let value = store::secrets::get(&mut bench.store.reader().await.unwrap(), "name").await.unwrap();
    assert_eq!(value.as_deref(), Some("result"));
    time::timeout(Duration::from_secs(30), followed.notified()).await.unwrap();
    running.stop().await;
    let left = jobs::list(&mut bench.store.reader().await.unwrap(), "s").await.unwrap();
    assert!(left.iter().all(|job| job.state == State::Done), "{left:?}");
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_and_the_worker_lives_on() {
    let bench = Bench::new().await;
    let handlers = Handlers::new()
        .heavy("panics", |_| async { panic!("on purpose") })
        .heavy("works", |_| async { Ok(()) });
    let running = bench.start(handlers, Config { slots: 1, ..config() });
    let bad = bench.enqueue(NewJob::new("panics", "s", "{}").max_attempts(1)).await;
    let job = bench.until(&bad, |job| job.state == State::Dead).await;
    assert!(job.error.unwrap().contains("on purpose"));
    let good = bench.enqueue(NewJob::new("works", "s", "{}")).await;
    bench.until(&good, |job| job.state == State::Done).await;
    running.stop().await;
}

#[tokio::test]
async fn failures_are_told_in_the_transaction_that_records_them() {
    fn tell<'a>(tx: &'a mut Tx, failure: &'a Failure) -> BoxFuture<'a, store::Result<()>> {
        async move {
            let name = format!("{} {:?}", failure.message, failure.outcome == Outcome::Dead);
            store::secrets::get_or_create(tx, &name, "told", failure.now).await.map(|_| ())
        }
        .boxed()
    }
    let bench = Bench::new().await;
    let handlers = Handlers::new()
        .heavy("broken", |_| async { Err(JobError::fatal("The file is broken.", "no moov")) })
        .heavy("flaky", |_| async { Err(JobError::retry("The disk is full.", "ENOSPC")) })
        .on_failure(tell);
    let running = bench.start(handlers, config());
    let broken = bench.enqueue(NewJob::new("broken", "s", "{}")).await;
    let flaky = bench.enqueue(NewJob::new("flaky", "s", "{}")).await;
    let broken = bench.until(&broken, |job| job.state == State::Dead).await;
    assert_eq!((broken.attempts, broken.error.as_deref()), (1, Some("The file is broken. (no moov)")));
    let flaky = bench.until(&flaky, |job| job.attempts == 1 && job.state == State::Queued).await;
    assert!(flaky.run_at > flaky.updated_at, "no back-off");
    running.stop().await;
    let mut reader = bench.store.reader().await.unwrap();
    for told in ["The file is broken. true", "The disk is full. false"] {
        assert!(store::secrets::get(&mut reader, told).await.unwrap().is_some(), "{told}");
    }
}

#[tokio::test]
async fn a_failure_that_cannot_be_told_still_ends_the_job() {
    fn tell<'a>(_: &'a mut Tx, _: &'a Failure) -> BoxFuture<'a, store::Result<()>> {
        async { Err(store::Error::NotFound) }.boxed()
    }
    let bench = Bench::new().await;
    let handlers =
        Handlers::new().heavy("broken", |_| async { Err(JobError::fatal("No.", "no")) }).on_failure(tell);
    let running = bench.start(handlers, config());
    let id = bench.enqueue(NewJob::new("broken", "s", "{}")).await;
    bench.until(&id, |job| job.state == State::Dead).await;
    running.stop().await;
}

#[tokio::test]
async fn heartbeats_keep_a_long_job_with_its_worker() {
    let bench = Bench::new().await;
    let starts = Arc::new(AtomicUsize::new(0));
    let count = starts.clone();
    let handlers = Handlers::new().heavy("long", move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        // Three leases long.
        async {
            time::sleep(Duration::from_millis(1800)).await;
            Ok(())
        }
    });
    let (first, second) = (bench.start(handlers.clone(), config()), bench.start(handlers, config()));
    let id = bench.enqueue(NewJob::new("long", "s", "{}")).await;
    let job = bench.until(&id, |job| job.state == State::Done).await;
    assert_eq!((starts.load(Ordering::SeqCst), job.attempts, job.deaths), (1, 1, 0));
    first.stop().await;
    second.stop().await;
}

#[tokio::test]
async fn a_cancelled_job_stops_its_handler_and_is_settled_after_it() {
    let bench = Bench::new().await;
    let stopped = Arc::new(Notify::new());
    let seen = stopped.clone();
    let handlers = Handlers::new().heavy("endless", move |job: JobContext| {
        let seen = seen.clone();
        async move {
            job.cancelled.cancelled().await;
            seen.notify_one();
            Err(JobError::Stopped)
        }
    });
    let running = bench.start(handlers, config());
    let id = bench.enqueue(NewJob::new("endless", "film", "{}")).await;
    bench.until(&id, |job| job.state == State::Running).await;
    let mut tx = bench.store.begin().await.unwrap();
    assert_eq!(jobs::cancel_by_subject(&mut tx, "film", Clock::system().now()).await.unwrap(), 1);
    tx.commit().await.unwrap();
    time::timeout(Duration::from_secs(30), stopped.notified()).await.unwrap();
    let job = bench.until(&id, |job| job.lease_until == Micros(0)).await;
    assert_eq!(job.state, State::Cancelled);
    running.stop().await;
}

#[tokio::test]
async fn a_handler_that_lost_its_lease_cannot_commit() {
    let bench = Bench::new().await;
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let answer: Arc<Mutex<Option<store::Result<()>>>> = Arc::default();
    let handlers = {
        let (entered, go, answer) = (entered.clone(), go.clone(), answer.clone());
        Handlers::new().heavy("slow", move |job: JobContext| {
            let (entered, go, answer) = (entered.clone(), go.clone(), answer.clone());
            async move {
                entered.notify_one();
                go.notified().await;
                let mut tx = job.store.begin().await?;
                let ended = job.finish(&mut tx).await;
                let stale = matches!(ended, Err(store::Error::Stale));
                *answer.lock().unwrap() = Some(ended);
                if !stale {
                    tx.commit().await?;
                }
                if stale { Err(JobError::Stopped) } else { Ok(()) }
            }
        })
    };
    // A lease so long that no heartbeat warns the handler before it tries to commit.
    let running = bench.start(handlers, Config { lease_ms: 60_000, ..config() });
    let id = bench.enqueue(NewJob::new("slow", "s", "{}")).await;
    time::timeout(Duration::from_secs(30), entered.notified()).await.unwrap();
    let later = Clock::system().now().plus(120 * Micros::SECOND);
    let mut tx = bench.store.begin().await.unwrap();
    assert_eq!(jobs::reap(&mut tx, &["slow"], later).await.unwrap().len(), 1);
    let thief = jobs::claim(&mut tx, "thief", &["slow"], later, 60 * Micros::SECOND).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    go.notify_one();
    while answer.lock().unwrap().is_none() {
        time::sleep(Duration::from_millis(10)).await;
    }
    running.stop().await;
    assert!(matches!(answer.lock().unwrap().as_ref().unwrap(), Err(store::Error::Stale)));
    let job = bench.job(&id).await;
    assert_eq!((job.state, job.fence, job.worker.as_deref()), (State::Running, thief.fence, Some("thief")));
}

#[tokio::test]
async fn draining_gives_jobs_back_without_counting_the_attempt() {
    let bench = Bench::new().await;
    let handlers = Handlers::new()
        .heavy("obeys", |job: JobContext| async move {
            job.cancelled.cancelled().await;
            Err(JobError::Stopped)
        })
        .heavy("deaf", |_| std::future::pending());
    let running = bench.start(handlers, config());
    let ids = [
        bench.enqueue(NewJob::new("obeys", "s", "{}")).await,
        bench.enqueue(NewJob::new("deaf", "s", "{}")).await,
    ];
    for id in &ids {
        bench.until(id, |job| job.state == State::Running).await;
    }
    running.stop().await;
    for id in &ids {
        let job = bench.job(id).await;
        assert_eq!((job.state, job.attempts, job.worker), (State::Queued, 0, None), "{}", job.kind);
    }
}

#[tokio::test]
async fn a_restarted_worker_takes_its_own_jobs_back_at_once() {
    let bench = Bench::new().await;
    let id = bench.enqueue(NewJob::new("work", "s", "{}")).await;
    // The earlier process: claimed for an hour, then died.
    let mut tx = bench.store.begin().await.unwrap();
    let now = Clock::system().now();
    jobs::claim(&mut tx, "here", &["work"], now, Micros::HOUR).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    let running = bench.start(
        Handlers::new().light("work", |_| async { Ok(()) }),
        Config { name: "here".into(), ..config() },
    );
    let job = bench.until(&id, |job| job.state == State::Done).await;
    assert_eq!((job.attempts, job.deaths), (1, 1));
    running.stop().await;
}

#[tokio::test]
async fn quick_jobs_do_not_wait_behind_long_ones() {
    let bench = Bench::new().await;
    let handlers = Handlers::new()
        .heavy("long", |job: JobContext| async move {
            job.cancelled.cancelled().await;
            Err(JobError::Stopped)
        })
        .light("quick", |_| async { Ok(()) });
    let running = bench.start(handlers, Config { slots: 1, ..config() });
    let long = bench.enqueue(NewJob::new("long", "s", "{}")).await;
    bench.until(&long, |job| job.state == State::Running).await;
    let quick = bench.enqueue(NewJob::new("quick", "s", "{}")).await;
    bench.until(&quick, |job| job.state == State::Done).await;
    assert_eq!(bench.job(&long).await.state, State::Running);
    running.stop().await;
}

#[tokio::test]
async fn not_yet_counts_no_attempt() {
    let bench = Bench::new().await;
    let handlers =
        Handlers::new().light("early", |_| async { Err(JobError::Later(Duration::from_secs(3600))) });
    let running = bench.start(handlers, config());
    let id = bench.enqueue(NewJob::new("early", "s", "{}")).await;
    let job = bench.until(&id, |job| job.fence == 1 && job.state == State::Queued).await;
    assert_eq!(job.attempts, 0);
    assert!(job.run_at > Clock::system().now().plus(3500 * Micros::SECOND));
    running.stop().await;
}

#[tokio::test]
async fn what_one_worker_cannot_do_another_one_does() {
    use crate::guest::{Guest, Limits};
    let bench = Bench::new().await;
    let fails = Handlers::new().heavy("encode", |_| async {
        let guest = Guest::new("/bin/sh".as_ref(), Limits::default());
        let said = "echo first; i=0; while [ $i -lt 9999 ]; do echo 'a word or two' >&2; i=$((i+1)); done; echo last >&2";
        let error = guest.args(["-c", &format!("{said}; exit 3")]).output(100).await.unwrap_err();
        Err(JobError::retry("It failed.", error))
    });
    let bad = bench.start(fails, Config { name: "bad".into(), ..config() });
    let works = Handlers::new().heavy("encode", |_| async { Ok(()) });
    let good = bench.start(works, Config { name: "good".into(), ..config() });
    // Enough of them that the first one is given some.
    let mut jobs = Vec::new();
    for n in 0..12 {
        jobs.push(bench.enqueue(NewJob::new("encode", &format!("film {n}"), "{}").max_attempts(3)).await);
    }
    for job in &jobs {
        let job = bench.until(job, |job| matches!(job.state, State::Done | State::Dead)).await;
        assert!(job.state == State::Done && job.attempts <= 2, "{job:?}");
    }
    bad.stop().await;
    good.stop().await;
    let mut reader = bench.store.reader().await.unwrap();
    let attempts = store::attempts::recent(&mut reader, Micros(0), 100).await.unwrap();
    let failed: Vec<_> = attempts.iter().filter(|attempt| attempt.outcome == "retry").collect();
    assert!(
        !failed.is_empty() && failed.iter().all(|attempt| attempt.worker == "bad" && attempt.has_log == 1)
    );
    assert!(attempts.iter().all(|attempt| attempt.outcome == "retry" || attempt.worker == "good"));
    let log = store::attempts::log(&mut reader, &failed[0].id).await.unwrap().unwrap();
    // The whole of what was said, but for its beginning.
    assert!(log.len() > 60_000 && log.len() <= store::attempts::MOST_LOG, "{} bytes", log.len());
    assert!(log.contains("a word or two\nlast\nexit status: 3\n"), "{}", &log[log.len() - 200..]);
}
