//! A day of an event, as fast as the machine can: the clock jumps to what comes next. Memory stays, and sound and picture stay together.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{body::to_bytes, http::HeaderMap};
use backends::blob::{self, Blobs, names};
use bytes::Bytes;
use domain::PresentationId;
use live::{
    Ended, Slot, Windows,
    event::{Host, Making, Settings, Stage},
    faces, feed,
    ladder::{Process, Starter},
    record::{self, Recorded},
};
use media::{
    cmaf::TrackSpec,
    frame::{Event, Sample, TrackId},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use crate::{house::Ffmpeg, probe};

const HOUR: i64 = 3_600_000_000;
/// The clip that is sent again and again, microseconds: whole frames of picture and of sound.
const CLIP: i64 = 32_000_000;

struct Quiet {
    began: Instant,
    over: Mutex<Option<mpsc::UnboundedSender<Option<Recorded>>>>,
}

impl Host for Quiet {
    fn now(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_micros()).unwrap()
    }

    async fn slate(&self, _: &Settings) -> Option<Bytes> {
        None
    }

    async fn playable(&self, _: &Settings) {}

    async fn left(&self, _: &Settings) {}

    async fn finished(&self, _: &Settings, recorded: Option<Recorded>) {
        self.over.lock().unwrap().take().unwrap().send(recorded).unwrap();
    }
}

/// The publisher's picture is all there is.
struct Nobody;

impl Starter for Nobody {
    async fn start(&self, _: Vec<String>) -> io::Result<Process> {
        Err(io::ErrorKind::NotFound.into())
    }
}

type Track = (TrackId, TrackSpec);

async fn clip(dir: &Path) -> (Vec<Track>, Vec<(TrackId, Sample)>) {
    let line = "-f lavfi -i testsrc2=s=64x36:r=30:d=32 -f lavfi -i sine=r=48000:d=32 -c:v libx264 -preset ultrafast -tune zerolatency \
        -g 60 -pix_fmt yuv420p -c:a aac clip.flv";
    Ffmpeg::System.make(dir, line).await;
    let bytes = std::fs::read(dir.join("clip.flv")).unwrap();
    let (mut tracks, mut samples) = (Vec::new(), Vec::new());
    for event in probe::events(&bytes) {
        match event {
            Event::Track(id, spec) => tracks.push((id, spec)),
            Event::Sample(id, sample) if sample.dts < CLIP => samples.push((id, sample)),
            _ => {}
        }
    }
    (tracks, samples)
}

fn resident_mb() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096 / 1_000_000
}

/// `KINORA_TEST_HOURS=24 cargo test --release -p live --test it soak -- --ignored --nocapture`
#[tokio::test]
#[ignore = "takes minutes"]
async fn soak() {
    let hours: i64 = std::env::var("KINORA_TEST_HOURS").map_or(24, |hours| hours.parse().unwrap());
    let dir = tempfile::tempdir().unwrap();
    let (tracks, samples) = clip(dir.path()).await;
    tokio::time::pause();
    let config = blob::Config {
        url: format!("file:{}", dir.path().join("blobs").display()),
        ..blob::Config::default()
    };
    let blobs = Blobs::open(&config).unwrap();
    let (over, mut ended) = mpsc::unbounded_channel();
    let host = Arc::new(Quiet { began: Instant::now(), over: Mutex::new(Some(over)) });
    let making = Making { rungs: Vec::new(), ..Making::default() };
    let stage = Stage::new(making, blobs.clone(), Arc::new(Nobody), host.clone());
    let presentation = PresentationId::new();
    let settings =
        Settings { event: "soak".into(), presentation, low_latency: true, window: Duration::from_secs(1800) };
    let (mut writer, source) = feed(Windows::default(), Instant::now());
    tracks.into_iter().for_each(|(id, spec)| writer.describe(id, spec));
    stage.come(settings, Slot::Primary, source);
    let (began, mut told, mut after_two) = (Instant::now(), 0, 0);
    for turn in 0..hours * HOUR / CLIP {
        for (id, sample) in &samples {
            let at = turn * CLIP + sample.dts;
            sleep_until(began + Duration::from_micros(at as u64)).await;
            let sample = Sample { dts: at, pts: at + sample.pts - sample.dts, ..sample.clone() };
            writer.push(*id, sample, Instant::now());
        }
        // Somebody watches.
        if let Some(programme) = stage.programme(presentation) {
            let get = async |rest: &str| {
                let answer = faces::answer(&programme, &blobs, (rest, None), None, &HeaderMap::new()).await;
                assert_eq!(answer.status(), 200, "{rest}");
                to_bytes(answer.into_body(), 1 << 20).await.unwrap()
            };
            let list = get("v36p/playlist.m3u8").await;
            let last = str::from_utf8(&list)
                .unwrap()
                .lines()
                .rfind(|line| line.ends_with(".m4s") && !line.starts_with('#'));
            get(&format!("v36p/{}", last.unwrap())).await;
        }
        let hour = (turn + 1) * CLIP / HOUR;
        if hour > told {
            told = hour;
            eprintln!("{hour} h: {} MB resident", resident_mb());
            if hour <= 2 {
                after_two = resident_mb();
            }
        }
    }
    let grown = resident_mb().saturating_sub(after_two);
    drop(writer);
    stage.gone("soak", Slot::Primary, &Ended::Finished);
    assert!(stage.end("soak"));
    let recorded = ended.recv().await.unwrap().unwrap();
    let kept = record::find(&blobs, presentation).await.unwrap();
    let length = |name: &str| -> f64 {
        let track = kept.descriptor.as_ref().unwrap().tracks.iter().find(|track| track.id == name).unwrap();
        track.duration() as f64 / f64::from(track.timescale)
    };
    let (picture, sound) = (length("v36p"), length("a0"));
    eprintln!("{} s of pictures, {} s of sound, {} MB more than after two hours", picture, sound, grown);
    assert_eq!(kept.next(), recorded.duration_ms.div_ceil(2000));
    assert!((picture - sound).abs() < 0.05, "{picture} s of pictures, {sound} s of sound");
    assert!((picture - hours as f64 * 3600.0).abs() < 40.0);
    assert!(blobs.list(&names::descriptors(presentation)).await.unwrap().len() <= 2);
    // What is listed of what is stored grows: some hundred bytes for a segment.
    let listed = u64::try_from((hours - 2).max(0)).unwrap() * 1800 * 2 * 600 / 1_000_000;
    assert!(grown < 25 + listed, "{grown} MB more after {hours} h");
}
