//! Edges in processes of their own: what they hold outlives everything behind them, and what is deleted leaves them.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{
    engines::{Engines, Process},
    film::{film, judge},
    harness::Caller,
};

/// Told of no database, with a directory of its own.
fn edge(engines: &Engines, upstream: &str) -> (Process, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let mut command = engines.command_without_database();
    command.env("KINORA_DATA_DIR", dir.path()).env("KINORA_EDGE__UPSTREAMS", format!("[\"{upstream}\"]"));
    command.envs(engines.bus_environment());
    (Process::start(command, "edge"), dir)
}

async fn status(base: &str, playback: &Value, rest: &str) -> u16 {
    let list = playback["hls_url"].as_str().unwrap();
    let address = format!("{base}{}{rest}", list.strip_suffix("main.m3u8").unwrap());
    reqwest::get(address).await.unwrap().status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edge_plays_a_title_when_all_else_is_gone() {
    let engines = Engines::cluster().await;
    let token = engines.token();
    let (api, worker) = (engines.start("api"), engines.start("worker"));
    let origin = Process::start(engines.command_without_database(), "origin");
    let (edge, _dir) = edge(&engines, &origin.base);
    let caller = Caller::at(&api.base, token);
    let film = film(6).await;
    let id = caller.upload("kept", &film.file).await;
    caller.until_complete(id).await;
    let playback = caller.playback(id).await;
    judge(&film, &edge.base, &playback).await;
    for process in [api, worker, origin] {
        process.kill();
    }
    judge(&film, &edge.base, &playback).await;
    // What it has never held it cannot have.
    assert_eq!(status(&edge.base, &playback, "v90p/999.m4s").await, 502);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_title_leaves_three_edges_within_a_second() {
    let engines = Engines::cluster().await;
    let token = engines.token();
    let (api, _worker) = (engines.start("api"), engines.start("worker"));
    let origin = {
        let mut command = engines.command_without_database();
        command.envs(engines.bus_environment());
        Process::start(command, "origin")
    };
    let edges: Vec<_> = (0..3).map(|_| edge(&engines, &origin.base)).collect();
    let caller = Caller::at(&api.base, token);
    let id = caller.upload("deleted", &film(3).await.file).await;
    caller.until_complete(id).await;
    let playback = caller.playback(id).await;
    for rest in ["main.m3u8", "v90p/0.m4s", "v90p/init.mp4"] {
        for (edge, _) in &edges {
            for _ in 0..2 {
                assert_eq!(status(&edge.base, &playback, rest).await, 200, "{rest}");
            }
        }
    }
    caller.delete(&format!("/api/v1/videos/{id}?permanent=true")).await.expect(204);
    let patience = Instant::now() + Duration::from_secs(20);
    while status(&origin.base, &playback, "v90p/0.m4s").await != 404 {
        assert!(Instant::now() < patience, "the title is not deleted");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let gone = Instant::now();
    for (edge, _) in &edges {
        for rest in ["main.m3u8", "v90p/0.m4s", "v90p/init.mp4"] {
            while status(&edge.base, &playback, rest).await != 404 {
                assert!(gone.elapsed() < Duration::from_secs(1), "{rest} is still held");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }
}
