//! Workers killed, stopped and woken again at random moments, on PostgreSQL, S3 and NATS: a title in every codec comes out
//! whole, each chunk counts once, and nothing lies about.

use std::time::{Duration, Instant};

use domain::VideoId;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use server::config::Role;

use crate::{
    codecs::{choose_all, step_within},
    engines::{Engines, Process},
    film::{descriptor, film, strays, times},
    harness::House,
};

/// Leases of this length let a dead worker's jobs go soon, milliseconds.
const LEASE_MS: u64 = 2_000;

/// Faults in one run: `KINORA_TEST_FAULTS`, few unless told.
fn faults() -> usize {
    std::env::var("KINORA_TEST_FAULTS").ok().and_then(|told| told.parse().ok()).unwrap_or(12)
}

/// One place in the farm: a worker at work, one that was stopped, or none for a moment.
struct Place {
    name: String,
    worker: Option<Process>,
    stopped: Option<Instant>,
}

impl Place {
    fn start(&mut self, house: &House) {
        let mut command = house.engines.command();
        let dir = house.engines.dir().join(&self.name);
        // A name of its own for every life: nobody takes leases back, they must run out.
        command.env("KINORA_ENCODING__WORK_DIR", dir).env("KINORA_WORKER__LEASE_MS", LEASE_MS.to_string());
        command.env("KINORA_WORKER__NAME", format!("{}-{}", self.name, uuid::Uuid::now_v7()));
        command.env("KINORA_WORKER__SLOTS", "1").env("KINORA_ENCODING__THREADS", "1");
        self.worker = Some(Process::start(command, "worker"));
    }

    /// Wakes a worker that was stopped for longer than its leases.
    fn wake(&mut self) {
        let slept = self.stopped.is_some_and(|since| since.elapsed() > Duration::from_millis(2 * LEASE_MS));
        if let (true, Some(worker)) = (slept, &self.worker) {
            worker.signal("CONT");
            self.stopped = None;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_title_survives_its_workers() {
    let seed = rand::random::<u64>();
    let mut chance = StdRng::seed_from_u64(seed);
    let wanted = faults();
    let engines = Engines::cluster().await;
    let at_once = |config: &mut server::config::Config| config.origin.complete_max_age_ms = 100;
    let clock = backends::clock::Clock::system();
    let house = House::configured(engines, &[Role::Api, Role::Origin], clock, at_once).await;
    choose_all(&house).await;
    let admin = house.admin().await;
    // Long enough that the farm is still busy at the last fault.
    let film = film(u32::try_from(wanted).unwrap() * 20).await;
    let id = admin.upload("survivor", &film.file).await;
    let mut farm: Vec<Place> =
        (0..3).map(|n| Place { name: format!("place{n}"), worker: None, stopped: None }).collect();
    farm.iter_mut().for_each(|place| place.start(&house));
    let (mut kills, mut stops) = (0, 0);
    while kills + stops < wanted {
        tokio::time::sleep(Duration::from_millis(chance.random_range(200..1200))).await;
        farm.iter_mut().for_each(Place::wake);
        let place = &mut farm[chance.random_range(0..3)];
        let Some(worker) = place.worker.take_if(|_| place.stopped.is_none()) else { continue };
        if chance.random_range(0..4) == 0 {
            worker.signal("STOP");
            place.worker = Some(worker);
            place.stopped = Some(Instant::now());
            stops += 1;
        } else {
            worker.kill();
            place.start(&house);
            kills += 1;
        }
    }
    let busy = busy(&house, id).await;
    for place in &mut farm {
        if let (Some(worker), Some(_)) = (&place.worker, place.stopped.take()) {
            worker.signal("CONT");
        }
    }
    let began = Instant::now();
    while admin.video(id).await["complete"] != true {
        let jobs = store::jobs::list(&mut house.app().store.reader().await.unwrap(), &id.to_string()).await;
        assert!(began.elapsed() < Duration::from_secs(240), "seed {seed}: {jobs:#?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    step_within(&admin, id, ("formats", "done"), Duration::from_secs(900)).await;
    eprintln!("{kills} kills and {stops} stops, {busy} jobs left at the last one, seed {seed}");
    settled(&house, id).await;

    let playback = house.visitor().playback(id).await;
    let hls = format!("{}{}", house.base, playback["hls_url"].as_str().unwrap());
    let text = reqwest::get(&hls).await.unwrap().text().await.unwrap();
    let mut paths: Vec<&str> = text.lines().filter(|line| line.starts_with('v')).collect();
    paths.sort_unstable();
    paths.dedup();
    assert_eq!(paths.len(), 5, "two rungs of H.264, one of each other codec: {text}");
    let source = times(film.file.to_str().unwrap(), "v").await;
    for path in paths {
        let shown = times(&format!("{}/{path}", hls.rsplit_once('/').unwrap().0), "v").await;
        assert_eq!(shown.len(), film.frames, "seed {seed}: {path}");
        let off = shown.iter().zip(&source).map(|(a, b)| ((a - shown[0]) - (b - source[0])).abs()).max();
        assert!(off.unwrap() < 1000, "seed {seed}: {path} is {off:?} µs off");
    }
    assert_eq!(strays(&house, &[id]).await, [""; 0], "seed {seed}");
    let tracks = descriptor(&house, id).await["tracks"].as_array().unwrap().len();
    assert_eq!(tracks, 7, "five of pictures, two of sound");
}

/// Jobs of the title that are not done.
async fn busy(house: &House, id: VideoId) -> usize {
    use store::jobs::State::{Queued, Running};
    let mut reader = house.app().store.reader().await.unwrap();
    let jobs = store::jobs::list(&mut reader, &id.to_string()).await.unwrap();
    jobs.iter().filter(|job| matches!(job.state, Queued | Running)).count()
}

/// Waits until nobody works on the title any more and what was left was cleaned up.
async fn settled(house: &House, id: VideoId) {
    let began = Instant::now();
    while busy(house, id).await > 0 || !strays(house, &[id]).await.is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", strays(house, &[id]).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
