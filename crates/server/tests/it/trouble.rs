//! Workers in trouble that are not dead: a disk that is full, a network that is away, a device that breaks. Others go on, each
//! chunk counts once, and nothing lies about.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use backends::clock::Clock;
use domain::{
    Micros, VideoId,
    ladder::Rung,
    profile::{Effort, Profile, Video, VideoCodec},
};
use serde_json::Value;
use server::config::Role;
use store::{
    attempts::{self, Attempt},
    profiles,
};
use testkit::{Cable, media::Clip};
use url::Url;

use crate::{
    codecs::step_within,
    conformance,
    engines::{Engines, Process},
    film::{Film, every_frame_once, film, strays, times},
    harness::House,
};

crate::on_both_engines!(a_full_disk_costs_attempts_but_no_title, a_device_that_breaks_costs_nothing);

const LEASE_MS: u64 = 2_000;

async fn house(engines: Engines) -> House {
    let at_once = |config: &mut server::config::Config| config.origin.complete_max_age_ms = 100;
    House::configured(engines, &[Role::Api, Role::Origin], Clock::system(), at_once).await
}

/// The program as a worker of that name with one slot and a directory of its own.
fn worker(house: &House, name: &str) -> Command {
    let mut command = house.engines.command();
    let dir = house.engines.dir().join(name);
    std::fs::create_dir_all(&dir).unwrap();
    command.env("KINORA_ENCODING__WORK_DIR", dir).env("KINORA_WORKER__NAME", name);
    command.env("KINORA_WORKER__LEASE_MS", LEASE_MS.to_string());
    command.env("KINORA_WORKER__SLOTS", "1").env("KINORA_ENCODING__THREADS", "1");
    command
}

/// The same where `dir` is a file system of 96 KiB, which no other process sees.
fn cramped(command: &Command, dir: &std::path::Path) -> Command {
    let mut inside = Command::new("unshare");
    let line = "mount -t tmpfs -o size=96k tmpfs \"$0\" && exec \"$@\"";
    inside.args(["--map-root-user", "--mount", "sh", "-c", line]).arg(dir).arg(command.get_program());
    command.get_envs().for_each(|(name, value)| {
        inside.env(name, value.unwrap_or_default());
    });
    inside.current_dir(command.get_current_dir().unwrap());
    inside
}

async fn attempts(house: &House) -> Vec<Attempt> {
    attempts::recent(&mut house.app().store.reader().await.unwrap(), Micros(0), 1000).await.unwrap()
}

/// Waits for an attempt as `wanted`.
async fn until_attempt(house: &House, wanted: impl Fn(&Attempt) -> bool) -> Attempt {
    let began = Instant::now();
    loop {
        let all = attempts(house).await;
        if let Some(found) = all.iter().find(|attempt| wanted(attempt)) {
            return found.clone();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{all:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The title is whole: every frame once, on every rung, and nothing beside it.
async fn whole(house: &House, film: &Film, id: VideoId) {
    let playback = house.visitor().playback(id).await;
    let hls = format!("{}{}", house.base, playback["hls_url"].as_str().unwrap());
    assert_eq!(every_frame_once(film, &hls).await, 2);
    let began = Instant::now();
    while !strays(house, &[id]).await.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", strays(house, &[id]).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn a_full_disk_costs_attempts_but_no_title(engines: Engines) {
    let house = house(engines).await;
    let admin = house.admin().await;
    let full = worker(&house, "full");
    let _full = Process::start(cramped(&full, &house.engines.dir().join("full")), "worker");
    let film = film(14).await;
    let id = admin.upload("nearly lost", &film.file).await;
    let failed =
        until_attempt(&house, |attempt| attempt.worker == "full" && attempt.outcome == "retry").await;
    let words = failed.error.clone().unwrap_or_default();
    assert!(words.contains("no room"), "{failed:?}");
    let _roomy = Process::start(worker(&house, "roomy"), "worker");
    admin.until_complete(id).await;
    whole(&house, &film, id).await;
    let all = attempts(&house).await;
    let chunks: Vec<&Attempt> = all.iter().filter(|attempt| attempt.kind == "chunk").collect();
    let done: Vec<_> = chunks.iter().filter(|attempt| attempt.outcome == "done").collect();
    assert_eq!(done.len(), 2, "each chunk once: {chunks:#?}");
    for job in chunks.iter().map(|attempt| &attempt.job_id) {
        let on_full = chunks.iter().filter(|one| one.job_id == *job && one.worker == "full");
        let failed = on_full.filter(|one| one.outcome == "retry").count();
        // Before anybody else was there it may have tried again.
        assert!(failed <= 2, "{chunks:#?}");
    }
    assert!(all.iter().all(|attempt| attempt.outcome != "dead"), "{all:#?}");
}

async fn a_device_that_breaks_costs_nothing(engines: Engines) {
    let house = house(engines).await;
    let ladder = [(180, 600_000), (90, 200_000)].map(|(height, bitrate_bps)| Rung { height, bitrate_bps });
    let mut profile = Profile::of_ladder(ladder.to_vec());
    let hevc = Video { codec: VideoCodec::Hevc, effort: Effort::Fast, crf: None, from_height: Some(180) };
    profile.video.push(hevc);
    let mut tx = house.app().store.begin().await.unwrap();
    let body = serde_json::to_string(&profile).unwrap();
    profiles::put(&mut tx, "both", &body, 0, Micros(1)).await.unwrap();
    profiles::choose(&mut tx, Some("both")).await.unwrap();
    tx.commit().await.unwrap();
    let admin = house.admin().await;
    let mut command = worker(&house, "device");
    command.env("KINORA_TEST_HARDWARE", "h264 hevc fails-from=1");
    let _worker = Process::start(command, "worker");
    let machine = async || {
        let farm = admin.get("/api/v1/control/farm?hours=1").await.expect(200).json;
        farm["workers"][0]["machine"]["encoders"].clone()
    };
    let began = Instant::now();
    while machine().await != serde_json::json!(["h264_nvenc", "hevc_nvenc"]) {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", machine().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let file = Clip::new(320, 180, 14.0).make().await.unwrap();
    let film = Film { file, frames: 14 * 25, seconds: 14.0 };
    let id = admin.upload("goes on", &film.file).await;
    admin.until_complete(id).await;
    step_within(&admin, id, ("formats", "done"), Duration::from_secs(120)).await;
    let playback = house.visitor().playback(id).await;
    let hls = format!("{}{}", house.base, playback["hls_url"].as_str().unwrap());
    let began = Instant::now();
    let text = loop {
        let text = reqwest::get(&hls).await.unwrap().text().await.unwrap();
        if text.contains("hvc1.") {
            break text;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(text.contains("avc3.64") && !text.contains("avc1."), "{text}");
    let source = times(film.file.to_str().unwrap(), "v").await;
    for path in text.lines().filter(|line| line.starts_with('v')) {
        let shown = times(&format!("{}/{path}", hls.rsplit_once('/').unwrap().0), "v").await;
        assert_eq!(shown.len(), film.frames, "{path}");
        let off = shown.iter().zip(&source).map(|(a, b)| ((a - shown[0]) - (b - source[0])).abs()).max();
        assert!(off.unwrap() < 1000, "{path} is {off:?} µs off");
    }
    conformance::both_clean(&house.base, &playback).await;
    assert!(attempts(&house).await.iter().all(|attempt| attempt.outcome == "done"), "no attempt was lost");
    let began = Instant::now();
    while machine().await != Value::Array(Vec::new()) {
        assert!(began.elapsed() < Duration::from_secs(30), "the worker does not tell: {}", machine().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What a process connects to, by the variable that tells it.
const WAYS: [&str; 3] = ["KINORA_DATABASE__URL", "KINORA_BLOB__S3__ENDPOINT", "KINORA_BUS__URL"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_cut_off_loses_its_work_and_no_more() {
    let house = house(Engines::cluster().await).await;
    let admin = house.admin().await;
    let mut command = worker(&house, "far");
    let mut cables = Vec::new();
    let told: Vec<(String, String)> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_str()?.to_owned())))
        .filter(|(name, _)| WAYS.contains(&name.as_str()))
        .collect();
    assert_eq!(told.len(), 3);
    for (name, address) in told {
        let mut url = Url::parse(&address).unwrap();
        // A database's socket is told behind its name.
        let socket = url.query_pairs().find(|(name, _)| name == "host").map(|(_, dir)| dir.into_owned());
        url.set_query(None);
        let port = url.port().unwrap_or(5432);
        let there = match socket {
            Some(dir) => format!("{dir}/.s.PGSQL.{port}"),
            None => format!("{}:{port}", url.host_str().unwrap()),
        };
        let cable = Cable::to(&there).await.unwrap();
        let (host, port) = cable.address.split_once(':').unwrap();
        url.set_host(Some(host)).unwrap();
        url.set_port(Some(port.parse().unwrap())).unwrap();
        command.env(name, url.as_str());
        cables.push(cable);
    }
    let far = Process::start(command, "worker");
    // Long enough to be at work when it is cut off.
    let film = film(60).await;
    let id = admin.upload("cut off", &film.file).await;
    let began = Instant::now();
    let busy = async || {
        let jobs = store::jobs::list(&mut house.app().store.reader().await.unwrap(), &id.to_string()).await;
        jobs.unwrap().into_iter().find(|job| {
            job.kind == "chunk"
                && job.worker.as_deref() == Some("far")
                && job.state == store::jobs::State::Running
        })
    };
    let lost = loop {
        if let Some(job) = busy().await {
            break job;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{}", far.log());
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    cables.iter().for_each(Cable::cut);
    let _near = Process::start(worker(&house, "near"), "worker");
    admin.until_complete(id).await;
    let row = store::jobs::find(&mut house.app().store.reader().await.unwrap(), &lost.id).await.unwrap();
    assert_eq!(
        (row.state, row.fence),
        (store::jobs::State::Done, lost.fence + 1),
        "somebody else has done it"
    );
    cables.iter().for_each(Cable::mend);
    whole(&house, &film, id).await;
    // It is a worker like any other again.
    drop(_near);
    let again = admin.upload("again", &crate::film::film(2).await.file).await;
    admin.until_complete(again).await;
    let units = attempts(&house).await;
    let done = units.iter().filter(|one| one.kind == "chunk" && one.outcome == "done").count();
    assert_eq!(done, 3 + 1, "each chunk once: {units:#?}");
}
