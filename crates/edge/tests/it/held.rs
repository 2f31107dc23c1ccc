//! What is held: its bounds, and what is left of it after a restart.

use std::{fs, path::PathBuf};

use axum::response::IntoResponse;
use edge::Config;
use http::StatusCode;

use crate::world::{World, bytes, until};

const FOREVER: &[(&str, &str)] = &[("cache-control", "max-age=31536000, immutable"), ("etag", "\"a\"")];
const LIST: &[(&str, &str)] = &[("cache-control", "max-age=60"), ("etag", "\"l\"")];

fn files(world: &World) -> Vec<PathBuf> {
    let dirs = fs::read_dir(world.part()).unwrap().map(|dir| dir.unwrap().path());
    let dirs = dirs.filter(|dir| dir.is_dir());
    dirs.flat_map(|dir| fs::read_dir(dir).unwrap().map(|file| file.unwrap().path())).collect()
}

#[tokio::test]
async fn a_restart_keeps_what_is_whole_and_serves_it_without_upstreams() {
    let mut world = World::start().await;
    let body = bytes(500_000);
    world.upstream.says(FOREVER, body.clone());
    world.get("v1/1.m4s").await;
    world.get("v1/2.m4s").await;
    world.upstream.says(LIST, "list");
    world.get("main.m3u8").await;
    until(|| world.edge.report().disk.objects == 3).await;
    let held = files(&world);
    let broken = held.iter().find(|path| fs::metadata(path).unwrap().len() > 1000).unwrap();
    let mut bytes_of_it = fs::read(broken).unwrap();
    bytes_of_it[77] ^= 1;
    fs::write(broken, bytes_of_it).unwrap();
    fs::write(world.part().join("drafts/7"), "half").unwrap();
    fs::write(world.part().join("00/what"), "nothing of ours").unwrap();
    world.pass(1);
    world.restart().await;
    assert_eq!(files(&world).len(), 3);
    world.upstream.does(|_| async { StatusCode::BAD_GATEWAY.into_response() });
    let got = [world.get("v1/1.m4s").await, world.get("v1/2.m4s").await];
    let mut statuses = got.each_ref().map(|got| got.status.as_u16());
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 502], "the altered one is not served");
    assert!(got.iter().all(|got| got.status == 502 || got.body() == body));
    let list = world.get("main.m3u8").await;
    assert_eq!((list.body(), list.cache()), (&b"list"[..], "hit; detail=stale"));
    assert_eq!(files(&world).len(), 2);
}

#[tokio::test]
async fn bounds_hold_whatever_is_asked_for() {
    let config = Config { disk_bytes: 1 << 20, memory_bytes: 100_000, ..Config::default() };
    let world = World::with(config).await;
    world.upstream.says(FOREVER, bytes(100_000));
    for n in 0..60 {
        assert_eq!(world.get(&format!("v1/{n}.m4s")).await.body().len(), 100_000);
        until(|| world.edge.report().fetching == 0).await;
        let on_disk: u64 = files(&world).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
        assert!(on_disk <= 1 << 20, "{on_disk}");
    }
    world.upstream.says(LIST, bytes(10_000));
    for n in 0..60 {
        world.get(&format!("v{n}/playlist.m3u8")).await;
        until(|| world.edge.report().fetching == 0).await;
        assert!(world.edge.report().memory.bytes <= 100_000);
    }
    let report = world.edge.report();
    assert!(report.disk.evicted > 40 && report.memory.evicted > 40, "{report:?}");
    // What is larger than all of it is handed on and not kept.
    world.upstream.says(FOREVER, bytes(2 << 20));
    assert_eq!(world.get("v1/big.m4s").await.body().len(), 2 << 20);
    until(|| world.edge.report().fetching == 0).await;
    assert!(world.edge.report().disk.bytes <= 1 << 20);
}

#[tokio::test]
async fn a_full_disk_costs_the_cache_and_not_the_viewer() {
    let world = World::start().await;
    fs::remove_dir_all(world.part().join("drafts")).unwrap();
    let body = bytes(700_000);
    world.upstream.says(FOREVER, body.clone());
    assert_eq!(world.get("v1/1.m4s").await.body(), body);
    assert_eq!(world.edge.report().disk.objects, 0);
}

#[tokio::test]
async fn a_body_beyond_all_reason_is_not_fetched() {
    let world = World::with(Config { max_object_bytes: 100_000, ..Config::default() }).await;
    world.upstream.says(FOREVER, bytes(100_001));
    let got = world.get("v1/1.m4s").await;
    assert!(got.status == 502 || got.body.is_none());
    assert_eq!(world.edge.report().disk.objects, 0);
}
