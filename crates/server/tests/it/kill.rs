//! Workers killed without warning at each step of the way: whoever goes on makes the same title, and nothing lies about.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use domain::VideoId;
use serde_json::{Value, json};
use server::config::Role;
use store::{jobs, presentations, units};

use crate::{
    engines::{Engines, Process},
    film::{self, Film, descriptor, every_frame_once, film, strays},
    harness::{Caller, House},
};

crate::on_both_engines!(
    a_worker_killed_at_any_step_leaves_the_same_title,
    a_worker_killed_while_deleting_leaves_nothing,
    a_growing_title_plays_before_its_end,
);

/// Where a worker dies, see `vod::workflow::failpoint`.
const POINTS: [&str; 11] = [
    "probe-started",
    "probe-planned",
    "chunk-encoded",
    "chunk-stored",
    "chunk-recorded",
    "audio-stored",
    "audio-recorded",
    "publish-stored",
    "publish-recorded",
    "storyboard-stored",
    "pictures-stored",
];

/// A house whose workers are processes of their own, and its administrator.
async fn open(engines: Engines) -> (House, Caller) {
    let house = House::start(engines, &[Role::Api, Role::Origin], backends::clock::Clock::system()).await;
    let admin = house.admin().await;
    (house, admin)
}

/// Starts a worker that dies at `point`, and sees it die there.
async fn dies_at(house: &House, point: &str) {
    let mut command = house.engines.command();
    command.env("KINORA_TEST_FAILPOINT", format!("{point}:kill")).env("KINORA_WORKER__SLOTS", "1");
    let mut worker = Process::spawn(command, "worker");
    let status = worker.ended(Duration::from_secs(60)).await;
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{point}: {}", worker.log());
}

async fn a_worker_killed_at_any_step_leaves_the_same_title(engines: Engines) {
    let (house, admin) = open(engines).await;
    let film = film(14).await;
    let mut titles = vec![admin.upload("unharmed", &film.file).await];
    let worker = house.engines.start("worker");
    finish(&house, &admin, titles[0], worker).await;
    let wanted = made(&house, &film, titles[0]).await;
    for point in POINTS {
        let id = admin.upload(point, &film.file).await;
        dies_at(&house, point).await;
        assert_eq!(admin.video(id).await["complete"], false, "{point}: it died too late");
        let worker = house.engines.start("worker");
        finish(&house, &admin, id, worker).await;
        assert_eq!(made(&house, &film, id).await, wanted, "killed at {point}");
        titles.push(id);
        assert_eq!(strays(&house, &titles).await, [""; 0], "killed at {point}");
    }
}

/// What came of a film; the same however often its workers died.
async fn made(house: &House, film: &Film, id: VideoId) -> Value {
    let playback = house.visitor().playback(id).await;
    let hls = format!("{}{}", house.base, playback["hls_url"].as_str().unwrap());
    let rungs = every_frame_once(film, &hls).await;
    let descriptor = descriptor(house, id).await;
    each_unit_counts_once(house, id, &descriptor).await;
    let tracks = descriptor["tracks"].as_array().unwrap().iter().map(|track| {
        let extents = track["extents"].as_array().unwrap().iter();
        // Duration and key frames of each. Sizes are not told: an encoder's threads hurry each other.
        let segments: Vec<Value> = extents
            .flat_map(|extent| extent["segments"].as_array().unwrap())
            .map(|segment| {
                let keys = segment[2].as_array().unwrap().iter().map(|key| key[0].clone());
                json!([segment[0], keys.collect::<Vec<_>>()])
            })
            .collect();
        json!([track["id"], track["codec"], track["timescale"], track["init"], segments])
    });
    let video = house.visitor().video(id).await;
    let posters = house.visitor().get(&format!("/api/v1/videos/{id}/posters")).await.expect(200);
    json!({
        "rungs": rungs,
        "tracks": tracks.collect::<Vec<_>>(),
        "tiles": descriptor["storyboard"]["tiles"],
        "duration": video["duration_ms"],
        "posters": posters.each("id").len(),
    })
}

/// One presentation, each of its units in it once, and no object of the descriptor that is not of a unit.
async fn each_unit_counts_once(house: &House, id: VideoId, descriptor: &Value) {
    let mut reader = house.app().store.reader().await.unwrap();
    let presentations = presentations::of_video(&mut reader, id).await.unwrap();
    assert_eq!(presentations.len(), 1);
    let units = units::list(&mut reader, presentations[0].id).await.unwrap();
    let names: BTreeSet<&str> = units.iter().map(|unit| unit.name.as_str()).collect();
    assert_eq!(names.len(), units.len());
    let (mut of_units, mut of_descriptor) = (BTreeSet::new(), BTreeSet::new());
    for unit in &units {
        film::objects_in(&serde_json::from_str(&unit.result).unwrap(), &mut of_units);
    }
    film::objects_in(descriptor, &mut of_descriptor);
    assert_eq!(of_units, of_descriptor);
}

/// Waits until every job of the title is done, then kills the worker.
async fn finish(house: &House, admin: &Caller, id: VideoId, worker: Process) {
    admin.until_complete(id).await;
    let began = Instant::now();
    loop {
        let mut reader = house.app().store.reader().await.unwrap();
        let left = jobs::list(&mut reader, &id.to_string()).await.unwrap();
        if left.iter().all(|job| job.state == jobs::State::Done) && film::pictures_are_made(house).await {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{left:#?}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    worker.kill();
}

async fn a_worker_killed_while_deleting_leaves_nothing(engines: Engines) {
    let (house, admin) = open(engines).await;
    let film = film(3).await;
    let id = admin.upload("short-lived", &film.file).await;
    let worker = house.engines.start("worker");
    finish(&house, &admin, id, worker).await;
    admin.delete(&format!("/api/v1/videos/{id}?permanent=true")).await.expect(204);
    dies_at(&house, "purge-prefix").await;
    let _worker = house.engines.start("worker");
    let began = Instant::now();
    while admin.get(&format!("/api/v1/videos/{id}")).await.status != 404 {
        assert!(began.elapsed() < Duration::from_secs(60), "the title is still there");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    assert_eq!(strays(&house, &[]).await, [""; 0]);
    let mut reader = house.app().store.reader().await.unwrap();
    assert!(presentations::of_video(&mut reader, id).await.unwrap().is_empty());
    assert!(store::sources::of_video(&mut reader, id).await.unwrap().is_empty());
}

/// The worker dies right after its first descriptor: what a viewer sees while a long film is still being made.
async fn a_growing_title_plays_before_its_end(engines: Engines) {
    let (house, admin) = open(engines).await;
    let film = film(60).await;
    let id = admin.upload("growing", &film.file).await;
    dies_at(&house, "publish-recorded").await;
    let video = admin.video(id).await;
    assert_eq!((&video["state"], &video["complete"]), (&"ready".into(), &false.into()), "{video:#}");
    assert_eq!(video["duration_ms"], 60_000);
    let visitor = house.visitor();
    let playback = visitor.playback(id).await;
    let hls = playback["hls_url"].as_str().unwrap();
    let base = format!("{}{}", house.base, hls.rsplit_once('/').unwrap().0);
    let variants = film::variants(&format!("{}{hls}", house.base)).await;
    let list = reqwest::get(format!("{base}/{}", variants[0])).await.unwrap().text().await.unwrap();
    assert!(list.contains("#EXT-X-PLAYLIST-TYPE:EVENT") && !list.contains("#EXT-X-ENDLIST"), "{list}");
    let there = list.matches("#EXTINF").count();
    assert!((3..15).contains(&there), "{there} segments of 15");
    for n in 0..there {
        for variant in &variants {
            let track = variant.split_once('/').unwrap().0;
            assert_eq!(reqwest::get(format!("{base}/{track}/{n}.m4s")).await.unwrap().status(), 200);
        }
    }
    let mpd = visitor.get(playback["dash_url"].as_str().unwrap()).await.expect(200);
    assert!(String::from_utf8_lossy(&mpd.bytes).contains("type=\"dynamic\""));
    crate::conformance::both_clean(&house.base, &playback).await;
    // The same addresses go on to the end.
    let worker = house.engines.start("worker");
    finish(&house, &admin, id, worker).await;
    // An origin may be a second behind.
    let began = Instant::now();
    let list = format!("{base}/{}", variants[0]);
    while !reqwest::get(&list).await.unwrap().text().await.unwrap().contains("#EXT-X-ENDLIST") {
        assert!(began.elapsed() < Duration::from_secs(10), "the playlist does not end");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    film::judge(&film, &house.base, &playback).await;
    assert_eq!(strays(&house, &[id]).await, [""; 0]);
}
