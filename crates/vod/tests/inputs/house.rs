//! A whole workflow for one row: a database, an object store, a worker, and traps for what must not happen.

use std::{
    net::{TcpListener, UdpSocket},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use backends::{blob::Blobs, bus::Bus, clock::Clock};
use domain::{Role, SourceId, UserId, VideoId, Visibility, ladder::Rung};
use media::descriptor::Descriptor;
use store::{Store, jobs, sources, steps, users, videos};
use tokio_util::sync::CancellationToken;
use vod::{
    worker,
    workflow::{Config, Workflow},
};

/// Stands in files that no title may ever show or name.
pub const CANARY: &str = "kinora-canary-7f3a91";

/// Where a row may plant things, and the traps.
pub struct Place {
    pub dir: PathBuf,
    /// Holds the canary.
    pub secret: PathBuf,
    /// Somebody listens there, by TCP and UDP.
    pub port: u16,
    tcp: TcpListener,
    udp: UdpSocket,
}

impl Place {
    fn new(dir: &Path) -> Self {
        let dir = dir.join("place");
        std::fs::create_dir_all(&dir).unwrap();
        let secret = dir.join("secret.txt");
        std::fs::write(&secret, format!("{CANARY}\n").repeat(40)).unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        tcp.set_nonblocking(true).unwrap();
        let port = tcp.local_addr().unwrap().port();
        let udp = UdpSocket::bind(("127.0.0.1", port)).unwrap();
        udp.set_nonblocking(true).unwrap();
        Self { dir, secret, port, tcp, udp }
    }

    /// Nobody called.
    pub fn assert_silent(&self) {
        assert!(self.tcp.accept().is_err(), "a connection was made");
        assert!(self.udp.recv(&mut [0; 16]).is_err(), "a packet was sent");
    }

    /// Bytes as a file to upload.
    pub fn file(&self, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.join("upload.bin");
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub struct House {
    pub place: Place,
    store: Store,
    pub blobs: Blobs,
    bus: Bus,
    flow: Workflow,
    _database: testkit::Database,
    dir: tempfile::TempDir,
}

/// What came of a row.
pub struct Outcome {
    pub row: videos::Video,
    pub steps: Vec<steps::Step>,
    /// Largest sum of work and results that was seen, in bytes.
    pub peak: u64,
}

impl House {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let database = testkit::sqlite().unwrap();
        let store = database.store().await.unwrap();
        let url = format!("file:{}", dir.path().join("blobs").display());
        let blobs = Blobs::open(&backends::blob::Config { url, ..Default::default() }).unwrap();
        let config = Config {
            work_dir: dir.path().join("work"),
            ladder: [(96, 400_000), (48, 100_000)]
                .map(|(height, bitrate_bps)| Rung { height, bitrate_bps })
                .to_vec(),
            threads: 1,
            process_wall_s: 90,
            process_cpu_s: 90,
            ..Config::default()
        };
        let bus = Bus::in_process();
        store.announce(bus.announcer());
        let flow = Workflow::open(&config, blobs.clone()).await.unwrap();
        let place = Place::new(dir.path());
        Self { place, store, blobs, bus, flow, _database: database, dir }
    }

    /// Takes `file` through the workflow to its end.
    pub async fn run(&self, file: &Path, patience: Duration) -> Outcome {
        let video = self.upload(file).await;
        let stop = CancellationToken::new();
        let config = worker::Config { slots: 1, ..Default::default() };
        let worker = worker::Worker::new(
            self.store.clone(),
            Clock::system(),
            self.flow.handlers(),
            config,
            self.bus.clone(),
        );
        let peak = Arc::new(AtomicU64::new(0));
        let watch = tokio::spawn(watch(self.dir.path().to_owned(), peak.clone(), stop.clone()));
        let task = tokio::spawn(worker.run(stop.clone()));
        let ended = async {
            loop {
                let row = videos::get(&mut self.store.reader().await.unwrap(), video).await.unwrap();
                if row.complete || row.state == videos::State::Failed {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let row = tokio::time::timeout(patience, ended).await;
        stop.cancel();
        task.await.unwrap();
        watch.await.unwrap();
        let mut reader = self.store.reader().await.unwrap();
        let Ok(row) = row else {
            panic!("no end: {:#?}", jobs::list(&mut reader, &video.to_string()).await);
        };
        for job in jobs::list(&mut reader, &video.to_string()).await.unwrap() {
            if let Some(error) = &job.error {
                eprintln!("{}: {error}", job.kind);
                assert!(!error.contains("panicked"), "{job:#?}");
            }
        }
        let steps = steps::list(&mut reader, video).await.unwrap();
        // What was claimed for work is given back.
        for left in ["work/worker0/jobs", "work/worker0/masters"] {
            let left = std::fs::read_dir(self.dir.path().join(left)).unwrap().count();
            assert_eq!(left, 0, "left-overs in the working directory");
        }
        Outcome { row, steps, peak: peak.load(Relaxed) }
    }

    async fn upload(&self, file: &Path) -> VideoId {
        let (owner, video, source, now) =
            (UserId::new(), VideoId::new(), SourceId::new(), Clock::system().now());
        let bytes = std::fs::read(file).unwrap();
        let object = format!("masters/{source}/0");
        let length = bytes.len() as u64;
        self.blobs.put(&object, bytes.into()).await.unwrap();
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
            visibility: Visibility::Private,
        };
        videos::insert(&mut tx, &new, now).await.unwrap();
        videos::processing(&mut tx, video, source, now).await.unwrap();
        let new = sources::NewSource {
            id: source,
            owner,
            video,
            filename: "film.mp4".into(),
            content_type: "video/mp4".into(),
            parts: vec![sources::Part { object, length }],
        };
        sources::insert(&mut tx, &new, now).await.unwrap();
        let payload = serde_json::json!({ "source": source }).to_string();
        jobs::enqueue(&mut tx, &jobs::NewJob::new("probe", &video.to_string(), &payload), now).await.unwrap();
        tx.commit().await.unwrap();
        video
    }

    /// Names and contents of everything that was made.
    pub async fn products(&self) -> Vec<(String, bytes::Bytes)> {
        let mut found = Vec::new();
        for entry in self.blobs.list("").await.unwrap() {
            if !entry.object.starts_with("masters/") {
                let bytes = self.blobs.get(&entry.object).await.unwrap();
                found.push((entry.object, bytes));
            }
        }
        found
    }

    pub async fn descriptor(&self, row: &videos::Video) -> Descriptor {
        let id = row.presentation_id.as_ref().unwrap().parse().unwrap();
        let list = self.blobs.list(&backends::blob::names::descriptors(id)).await.unwrap();
        let newest = list.iter().map(|entry| &entry.object).max().unwrap();
        serde_json::from_slice(&self.blobs.get(newest).await.unwrap()).unwrap()
    }
}

/// Keeps the largest size of everything but sources and what the row planted.
async fn watch(dir: PathBuf, peak: Arc<AtomicU64>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let now = size(&dir.join("work")) + size(&dir.join("blobs/presentations"));
        peak.fetch_max(now, Relaxed);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn size(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let one = |entry: std::io::Result<std::fs::DirEntry>| {
        let Ok(entry) = entry else { return 0 };
        match entry.metadata() {
            Ok(meta) if meta.is_dir() => size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        }
    };
    entries.map(one).sum()
}
