//! Roles in processes of their own, on one PostgreSQL and one S3.

use std::time::{Duration, Instant};

use domain::VideoId;
use store::jobs::{self, State};

use crate::{
    engines::{Engines, Process},
    film::{every_frame_once, film, judge},
    harness::Caller,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_make_and_play_a_title() {
    let engines = Engines::cluster().await;
    let admin_token = engines.token();
    let (api, worker) = (engines.start("api"), engines.start("worker"));
    // An origin is told of no database at all.
    let origin = Process::start(engines.command_without_database(), "origin");
    assert!(!engines.dir().join("kinora.db").exists());
    let caller = Caller::at(&api.base, admin_token);
    let film = film(14).await;
    let id = caller.upload("apart", &film.file).await;
    caller.until_complete(id).await;
    let playback = caller.playback(id).await;
    let media = playback["hls_url"].as_str().unwrap();
    let status =
        async |base: &str, path: &str| reqwest::get(format!("{base}{path}")).await.unwrap().status().as_u16();
    for elsewhere in [&api.base, &worker.base] {
        assert_eq!(status(elsewhere, media).await, 404, "{elsewhere}");
    }
    for elsewhere in [&origin.base, &worker.base] {
        assert_eq!(status(elsewhere, "/api/v1/instance").await, 404, "{elsewhere}");
        assert_eq!(status(elsewhere, "/readyz").await, 200, "{elsewhere}");
    }
    // Delivery goes on when everything else is gone.
    api.kill();
    worker.kill();
    judge(&film, &origin.base, &playback).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draining_worker_gives_its_jobs_back_also_without_the_bus() {
    let engines = Engines::cluster().await.bus_away();
    let token = engines.token();
    let (api, origin) = (engines.start("api"), engines.start("origin"));
    let caller = Caller::at(&api.base, token);
    let film = film(60).await;
    let id = caller.upload("drained", &film.file).await;
    let store = engines.store().await;
    let chunks = async || {
        let jobs = jobs::list(&mut store.reader().await.unwrap(), &id.to_string()).await.unwrap();
        jobs.into_iter().filter(|job| job.kind == "chunk").collect::<Vec<_>>()
    };
    let mut first = engines.start("worker");
    let began = Instant::now();
    while !chunks().await.iter().any(|job| job.state == State::Running) {
        assert!(began.elapsed() < Duration::from_secs(30), "no chunk is encoded: {}", first.log());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    first.terminate();
    let status = first.ended(Duration::from_secs(10)).await;
    assert!(status.success(), "{status}: {}", first.log());
    let left = chunks().await;
    assert!(left.iter().all(|job| job.state != State::Running), "{left:#?}");
    let given_back: Vec<_> = left.iter().filter(|job| job.fence > 0 && job.state == State::Queued).collect();
    assert!(!given_back.is_empty(), "no job was at work when the worker stopped: {left:#?}");
    assert!(given_back.iter().all(|job| job.attempts == 0 && job.deaths == 0), "{given_back:#?}");
    finish(&engines, &caller, id, left.iter().map(|job| job.fence).sum()).await;
    let playback = caller.playback(id).await;
    let hls = format!("{}{}", origin.base, playback["hls_url"].as_str().unwrap());
    assert_eq!(every_frame_once(&film, &hls).await, 2);
}

/// Another worker, which has nothing of the first one, ends what that began.
async fn finish(engines: &Engines, caller: &Caller, id: VideoId, claims_before: i64) {
    let elsewhere = tempfile::tempdir().unwrap();
    let mut command = engines.command();
    command.env("KINORA_DATA_DIR", elsewhere.path()).env("KINORA_WORKER__NAME", "another");
    let _second = Process::start(command, "worker");
    caller.until_complete(id).await;
    let store = engines.store().await;
    let jobs = jobs::list(&mut store.reader().await.unwrap(), &id.to_string()).await.unwrap();
    let chunks: Vec<_> = jobs.iter().filter(|job| job.kind == "chunk").collect();
    assert!(chunks.iter().map(|job| job.fence).sum::<i64>() > claims_before);
    assert!(chunks.iter().all(|job| job.state == State::Done && job.deaths == 0), "{chunks:#?}");
}
