//! Edges in processes of their own: what they hold outlives everything behind them, and what is deleted leaves them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

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

/// What operators are told, when it is as it should be.
async fn told(caller: &Caller, is_so: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..200 {
        let told = caller.get("/api/v1/control/edges").await.expect(200).json;
        if is_so(&told) {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{:#}", caller.get("/api/v1/control/edges").await.json);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn operators_see_all_edges_bring_titles_near_and_purge_them() {
    let engines = Engines::cluster().await;
    let token = engines.token();
    let (api, _worker) = (engines.start("api"), engines.start("worker"));
    let origin = {
        let mut command = engines.command_without_database();
        command.envs(engines.bus_environment());
        Process::start(command, "origin")
    };
    let caller = Caller::at(&api.base, token);
    let edges: Vec<_> = (0..2).map(|_| edge(&engines, &origin.base)).collect();
    let all = |told: &Value| told["edges"].as_array().unwrap().clone();
    let seen = told(&caller, |told| all(told).len() == 2).await;
    for edge in all(&seen) {
        assert_eq!((&edge["silent"], &edge["draining"]), (&Value::Bool(false), &Value::Bool(false)));
        assert_eq!(edge["upstreams"][0]["up"], true, "{edge:#}");
    }

    let id = caller.upload("near", &film(5).await.file).await;
    let early = json!({ "video_id": id.to_string(), "part": "all" });
    caller.until_complete(id).await;
    let made = caller.post("/api/v1/control/edges/warmings", early).await.expect(201).json;
    assert_eq!((&made["next_at"], &made["video"]["title"]), (&Value::Null, &Value::from("near")));
    let warm = |told: &Value| {
        all(told)
            .iter()
            .all(|edge| edge["warming"].as_array().unwrap().iter().any(|one| one["state"] == "done"))
    };
    let near = told(&caller, warm).await;
    for edge in all(&near) {
        assert_eq!(edge["warming"][0]["failed"], 0, "{edge:#}");
    }
    // The first viewer's requests are hits, with nobody behind.
    let playback = caller.playback(id).await;
    origin.kill();
    for (edge, _) in &edges {
        for rest in ["main.m3u8", "main.mpd", "v90p/0.m4s", "v90p/init.mp4", "a0/0.m4s", "storyboard.vtt"] {
            assert_eq!(status(&edge.base, &playback, rest).await, 200, "{rest}");
        }
    }
    for bad in [json!({}), json!({ "tag": "a b" }), json!({ "tag": "x", "video_id": id.to_string() })] {
        caller.post("/api/v1/control/edges/purge", bad).await.expect(422);
    }
    caller.post("/api/v1/control/edges/purge", json!({ "tag": "segment" })).await.expect(202);
    let patience = Instant::now() + Duration::from_secs(5);
    for (edge, _) in &edges {
        while status(&edge.base, &playback, "v90p/0.m4s").await == 200 {
            assert!(Instant::now() < patience, "segments are still held");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(status(&edge.base, &playback, "v90p/init.mp4").await, 200);
    }
    caller.post("/api/v1/control/edges/purge", json!({ "video_id": id.to_string() })).await.expect(202);
    for (edge, _) in &edges {
        while status(&edge.base, &playback, "v90p/init.mp4").await == 200 {
            assert!(Instant::now() < patience, "the title is still held");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    let later = json!({ "video_id": id.to_string(), "part": "start", "at": "2027-01-01T20:00:00Z", "every_day": true });
    let planned = caller.post("/api/v1/control/edges/warmings", later).await.expect(201).json;
    assert_eq!(planned["next_at"], "2027-01-01T20:00:00.000Z");
    caller
        .delete(&format!("/api/v1/control/edges/warmings/{}", planned["id"].as_str().unwrap()))
        .await
        .expect(204);
    for (bad, status) in [
        (json!({ "video_id": id.to_string(), "part": "half" }), 422),
        (json!({ "video_id": id.to_string(), "part": "all", "at": "tomorrow" }), 422),
        (json!({ "video_id": uuid::Uuid::now_v7().to_string(), "part": "all" }), 404),
    ] {
        caller.post("/api/v1/control/edges/warmings", bad).await.expect(status);
    }
    let mut edges = edges.into_iter();
    edges.next().unwrap().0.kill();
    told(&caller, |told| all(told).iter().any(|edge| edge["silent"] == true)).await;
}
