//! The workflow, whole: from a stored source to a playable title and to nothing again.

use std::{path::Path, time::Duration};

use backends::bus::Bus;
use domain::{Role, SourceId, UserId, Visibility};
use media::descriptor::Descriptor;
use store::{
    sources::{self, NewSource, Part},
    steps, users, videos,
};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{testing::media, worker};

struct House {
    store: Store,
    blobs: Blobs,
    bus: Bus,
    flow: Workflow,
    slots: usize,
    _database: testkit::Database,
    dir: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = testkit::sqlite().unwrap();
        let store = database.store().await.unwrap();
        let url = format!("file:{}", dir.path().join("blobs").display());
        let blobs = Blobs::open(&backends::blob::Config { url, ..Default::default() }).unwrap();
        let config = Config {
            work_dir: dir.path().join("work"),
            ladder: [(240, 800_000), (120, 300_000)]
                .map(|(height, bitrate_bps)| Rung { height, bitrate_bps })
                .to_vec(),
            ..Config::default()
        };
        let bus = Bus::in_process();
        store.announce(bus.announcer());
        let flow = Workflow::open(&config, blobs.clone()).await.unwrap();
        Self { store, blobs, bus, flow, slots: 2, _database: database, dir }
    }

    /// A title whose upload has just ended; the source in `parts` objects.
    async fn upload(&self, file: &Path, parts: usize) -> VideoId {
        let (owner, video, source, now) =
            (UserId::new(), VideoId::new(), SourceId::new(), Clock::system().now());
        let bytes = std::fs::read(file).unwrap();
        let mut stored = Vec::new();
        for (n, piece) in bytes.chunks(bytes.len().div_ceil(parts)).enumerate() {
            let object = format!("masters/{source}/{n}");
            self.blobs.put(&object, piece.to_vec().into()).await.unwrap();
            stored.push(Part { object, length: piece.len() as u64 });
        }
        let mut tx = self.store.begin().await.unwrap();
        let user = users::NewUser {
            id: owner,
            email: format!("{owner}@example.org"),
            name: "Ada".into(),
            password_hash: "x".into(),
            role: Role::Creator,
        };
        users::insert(&mut tx, &user, now).await.unwrap();
        let new = videos::NewVideo {
            id: video,
            owner,
            title: "A film".into(),
            description: String::new(),
            attribution: String::new(),
            visibility: Visibility::Public,
        };
        videos::insert(&mut tx, &new, now).await.unwrap();
        videos::processing(&mut tx, video, source, now).await.unwrap();
        let new = NewSource {
            id: source,
            owner,
            video,
            filename: "a.mp4".into(),
            content_type: "video/mp4".into(),
            parts: stored,
        };
        sources::insert(&mut tx, &new, now).await.unwrap();
        self.enqueue(&mut tx, "probe", video, &serde_json::json!({ "source": source }).to_string()).await;
        tx.commit().await.unwrap();
        video
    }

    async fn enqueue(&self, tx: &mut Tx, kind: &str, video: VideoId, payload: &str) {
        let subject = video.to_string();
        jobs::enqueue(tx, &jobs::NewJob::new(kind, &subject, payload), Clock::system().now()).await.unwrap();
    }

    /// A worker that tells what it has.
    fn worker(&self) -> worker::Worker {
        let config = worker::Config { slots: self.slots, ..Default::default() };
        let (encoders, hardware) = (self.flow.encoders.clone(), self.flow.tools.hardware.clone());
        let about = move || worker::About {
            codecs: encoders.words().into_iter().map(str::to_owned).collect(),
            encoders: hardware.words(),
            ..worker::About::default()
        };
        let (store, handlers) = (self.store.clone(), self.flow.handlers());
        worker::Worker::known(store, Clock::system(), handlers, config, self.bus.clone(), Arc::new(about))
    }

    /// Works until `wanted` holds for the title.
    async fn work_until(&self, video: VideoId, wanted: impl Fn(&videos::Video) -> bool) -> videos::Video {
        let (stop, worker) = (CancellationToken::new(), self.worker());
        let task = tokio::spawn(worker.run(stop.clone()));
        let wait = async {
            loop {
                let row = videos::get(&mut self.store.reader().await.unwrap(), video).await.unwrap();
                if wanted(&row) {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let row = tokio::time::timeout(Duration::from_secs(120), wait).await;
        stop.cancel();
        task.await.unwrap();
        match row {
            Ok(row) => row,
            Err(_) => {
                let jobs = jobs::list(&mut self.store.reader().await.unwrap(), &video.to_string()).await;
                panic!("the title does not get there: {jobs:#?}")
            }
        }
    }

    async fn objects(&self) -> Vec<String> {
        self.blobs.list("").await.unwrap().into_iter().map(|entry| entry.object).collect()
    }

    async fn descriptor(&self, row: &videos::Video) -> Descriptor {
        let id = row.presentation_id.as_ref().unwrap().parse().unwrap();
        let list = self.blobs.list(&backends::blob::names::descriptors(id)).await.unwrap();
        let newest = list.iter().map(|entry| &entry.object).max().unwrap();
        serde_json::from_slice(&self.blobs.get(newest).await.unwrap()).unwrap()
    }
}

async fn film(dir: &Path, seconds: u32) -> std::path::PathBuf {
    let (video, audio) = (format!("testsrc2=s=426x240:r=25:d={seconds}"), format!("sine=d={seconds}"));
    let args = ["-f", "lavfi", "-i", &video, "-f", "lavfi", "-i", &audio, "-c:v", "libx264", "-c:a", "aac"];
    media(dir, "film.mp4", &args).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_becomes_a_title_and_vanishes_without_a_trace() {
    let house = House::new().await;
    let file = film(house.dir.path(), 17).await;
    let video = house.upload(&file, 1).await;
    let row = house.work_until(video, |row| row.complete).await;
    assert_eq!((row.duration_ms, row.width, row.height), (Some(17_000), Some(426), Some(240)));
    assert!(row.poster_id.is_some() && row.published_at.is_some());

    let descriptor = house.descriptor(&row).await;
    assert!(descriptor.complete);
    let ids: Vec<&str> = descriptor.tracks.iter().map(|track| track.id.as_str()).collect();
    assert_eq!(ids, ["v240p", "v120p", "a0"]);
    for track in &descriptor.tracks {
        assert_eq!(track.duration() * 1000 / u64::from(track.timescale), 17_000, "{}", track.id);
        assert_eq!(track.extents.len(), 2, "{}", track.id);
        let longest = track.segments().map(|(_, _, segment)| u64::from(segment.duration)).max().unwrap();
        let longest_ms = (longest * 1000).div_ceil(u64::from(track.timescale));
        assert!(longest_ms <= descriptor.longest_segment_ms, "{}: {longest_ms} ms", track.id);
    }
    let storyboard = descriptor.storyboard.as_ref().unwrap();
    assert_eq!((storyboard.tiles, storyboard.sheets.len(), storyboard.interval_ms), (9, 1, 2000));
    let steps = steps::list(&mut house.store.reader().await.unwrap(), video).await.unwrap();
    for step in steps.iter().filter(|step| step.name != steps::Name::Upload) {
        assert_eq!(step.state, steps::State::Done, "{step:?}");
    }
    assert!(std::fs::read_dir(house.dir.path().join("work/worker0/jobs")).unwrap().next().is_none());

    let mut tx = house.store.begin().await.unwrap();
    house.enqueue(&mut tx, "purge", video, "{}").await;
    tx.commit().await.unwrap();
    let stop = CancellationToken::new();
    let worker = worker::Worker::new(
        house.store.clone(),
        Clock::system(),
        house.flow.handlers(),
        Default::default(),
        house.bus.clone(),
    );
    let task = tokio::spawn(worker.run(stop.clone()));
    let gone = async {
        while videos::get(&mut house.store.reader().await.unwrap(), video).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.unwrap();
    stop.cancel();
    task.await.unwrap();
    assert_eq!(house.objects().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_in_several_parts_is_fetched() {
    let house = House::new().await;
    let file = film(house.dir.path(), 3).await;
    let video = house.upload(&file, 3).await;
    let row = house.work_until(video, |row| row.complete).await;
    let descriptor = house.descriptor(&row).await;
    let track = &descriptor.tracks[0];
    assert_eq!(track.duration(), 3 * u64::from(track.timescale));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_alone_becomes_a_title() {
    let house = House::new().await;
    let file =
        media(house.dir.path(), "a.ogg", &["-f", "lavfi", "-i", "sine=d=6", "-c:a", "libvorbis"]).await;
    let video = house.upload(&file, 1).await;
    let row = house.work_until(video, |row| row.complete).await;
    let descriptor = house.descriptor(&row).await;
    assert_eq!((descriptor.tracks.len(), descriptor.storyboard.is_none()), (1, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_file_is_told_in_words() {
    let house = House::new().await;
    let file = house.dir.path().join("text.mp4");
    std::fs::write(&file, "no film at all\n".repeat(100)).unwrap();
    let video = house.upload(&file, 1).await;
    let row = house.work_until(video, |row| row.state == videos::State::Failed).await;
    let told = row.error.unwrap();
    assert!(told.starts_with("This is not a video or audio file that Kinora can read."), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stops_and_another_that_goes_on_make_the_same_title() {
    let house = House::new().await;
    let file = film(house.dir.path(), 17).await;
    let video = house.upload(&file, 1).await;
    let row = house.work_until(video, |row| row.state == videos::State::Ready).await;
    assert!(row.published_at.is_some());
    let row = house.work_until(video, |row| row.complete).await;
    let descriptor = house.descriptor(&row).await;
    for track in &descriptor.tracks {
        assert_eq!(track.duration() * 1000 / u64::from(track.timescale), 17_000, "{}", track.id);
    }
    // Nothing is left that the descriptor does not name.
    let media: Vec<String> =
        house.objects().await.into_iter().filter(|o| o.ends_with(".cmfv") || o.ends_with(".cmfa")).collect();
    let used: Vec<&str> =
        descriptor.tracks.iter().flat_map(|t| &t.extents).map(|e| e.object.as_str()).collect();
    assert!(media.iter().all(|object| used.contains(&object.as_str())), "{media:?} beyond {used:?}");
}

mod hardware;
