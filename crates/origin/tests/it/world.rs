//! A small presentation in a directory, an origin on a real port, and a client.

use std::time::Duration;

use backends::{
    blob::{Blobs, Config as BlobConfig, names},
    clock::Clock,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use domain::{
    Micros, PresentationId,
    playback_token::{Claims, Minter},
};
use media::{
    cmaf::{self, Kind},
    descriptor::{Descriptor, Extent, FORMAT, Range, Segment, Storyboard, Track, TrackKind},
    mp4::Header,
};
use origin::{Config, Origin};

use crate::clips;

pub struct World {
    pub dir: tempfile::TempDir,
    pub blobs: Blobs,
    pub clock: Clock,
    pub minter: Minter,
    pub id: PresentationId,
    pub descriptor: Descriptor,
    pub http: reqwest::Client,
    address: std::net::SocketAddr,
}

/// Every rung: 10 s, 24000/1001 frames a second, key frames each second, segments of two seconds.
pub const FRAMES: u32 = 240;
pub const START: i64 = 1_750_000_000;
const DELAY: u32 = 2002;

impl World {
    /// With the key that signs tokens already stored.
    pub async fn start() -> Self {
        let world = Self::without_key().await;
        world.store_key("k1", &world.minter).await;
        world
    }

    pub async fn without_key() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("file:{}", dir.path().join("blobs").display());
        let blobs = Blobs::open(&BlobConfig { url, ..BlobConfig::default() }).unwrap();
        let clock = Clock::manual(Micros(START * Micros::SECOND));
        let config = Config {
            key_refresh_ms: 0,
            growing_max_age_ms: 20,
            complete_max_age_ms: 20,
            ..Config::default()
        };
        let router = Origin::new(config, blobs.clone(), clock.clone(), None).router();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let id = PresentationId::new();
        let mut world = Self {
            dir,
            blobs,
            clock,
            minter: Minter::from_seed(&[7; 32]),
            id,
            descriptor: empty(id),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            address,
        };
        world.fill().await;
        world
    }

    pub async fn store_key(&self, kid: &str, minter: &Minter) {
        let hex: String = minter.public_key().iter().map(|b| format!("{b:02x}")).collect();
        let json = format!("{{\"alg\":\"Ed25519\",\"public_key\":\"{hex}\"}}");
        self.blobs.put(&names::playback_key(kid), json.into()).await.unwrap();
    }

    async fn fill(&mut self) {
        let dir = self.dir.path().to_owned();
        let mut tracks = Vec::new();
        for (name, size, (width, height)) in
            [("v240p", "426x240", (426, 240)), ("v120p", "214x120", (214, 120))]
        {
            let source = clips::video(&dir, FRAMES, "24000/1001", size);
            let kind = TrackKind::Video { width, height, frame_rate: (24_000, 1001), range: Range::Sdr };
            tracks.push(self.track(name, &source, 2, Kind::Video { delay: DELAY }, kind).await);
        }
        let source = clips::audio(&dir, 10, 48_000, 2);
        let kind = TrackKind::Audio { sample_rate: 48_000, channels: 2, joc: None };
        tracks.push(self.track("a0", &source, 94, Kind::Audio, kind).await);
        let jpeg = clips::quiet(
            "ffmpeg",
            &[
                "-loglevel",
                "error",
                "-f",
                "lavfi",
                "-i",
                "testsrc2=size=320x180",
                "-frames:v",
                "1",
                "-f",
                "mjpeg",
                "pipe:1",
            ],
            &dir,
        );
        let sheet = names::storyboard(self.id, 0);
        let storyboard = Storyboard {
            tile_width: 160,
            tile_height: 90,
            columns: 2,
            rows: 2,
            interval_ms: 2500,
            tiles: 4,
            sheets: vec![(sheet.clone(), jpeg.len() as u64)],
        };
        self.blobs.put(&sheet, jpeg.into()).await.unwrap();
        self.descriptor.tracks = tracks;
        self.descriptor.storyboard = Some(storyboard);
        self.publish(1, true, usize::MAX).await;
    }

    /// Stores a descriptor that tells the first `segments` of each track.
    pub async fn publish(&mut self, version: u64, complete: bool, segments: usize) {
        let mut descriptor = Descriptor { version, complete, ..self.descriptor.clone() };
        for track in &mut descriptor.tracks {
            let mut left = segments;
            for extent in &mut track.extents {
                extent.segments.truncate(left);
                left -= extent.segments.len();
            }
        }
        let json = serde_json::to_vec(&descriptor).unwrap();
        self.blobs.put_new(&names::descriptor(self.id, version), json.into()).await.unwrap();
    }

    /// Stores a track as two objects, the second with something before its first segment.
    async fn track(
        &self,
        name: &str,
        source: &[u8],
        per_segment: usize,
        kind: Kind,
        shape: TrackKind,
    ) -> Track {
        let (init, segments) = clips::rewrite(source, per_segment, kind);
        let header = Header::parse_file(&init).unwrap();
        let (first, second) = segments.split_at(segments.len() / 2);
        let mut extents = Vec::new();
        for (unit, (list, before)) in [(first, &b""[..]), (second, b"before")].into_iter().enumerate() {
            let object = names::track(self.id, &format!("c{unit}"), name, "cmfv");
            self.blobs.put(&object, [before, &written(list)].concat().into()).await.unwrap();
            let index: Vec<Segment> = list.iter().map(|s| s.index.clone()).collect();
            extents.push(Extent { object, offset: before.len() as u64, shift: 0, segments: index });
        }
        Track {
            id: name.into(),
            kind: shape,
            codec: header.tracks[0].codec.clone(),
            timescale: header.tracks[0].timescale,
            language: matches!(kind, Kind::Audio).then(|| "en".into()),
            label: name.into(),
            default: true,
            init: STANDARD.encode(init),
            extents,
        }
    }

    pub fn claims(&self) -> Claims {
        Claims::new(self.id, START + 3600, uuid::Uuid::now_v7())
    }

    /// The URL of something of the presentation, with a good token.
    pub fn url(&self, rest: &str) -> String {
        self.url_with(&self.minter.mint(&self.claims()), rest)
    }

    pub fn url_with(&self, token: &str, rest: &str) -> String {
        format!("http://{}/media/{token}/{}/{rest}", self.address, self.id)
    }

    pub fn root(&self) -> String {
        format!("http://{}", self.address)
    }

    pub async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.http.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Answer::of(request.send().await.unwrap()).await
    }

    /// Asks until the text is as expected: descriptors may be a little old.
    pub async fn wait(&self, rest: &str, good: impl Fn(&str) -> bool) -> String {
        let url = self.url(rest);
        for _ in 0..500 {
            let text = self.get(&url, &[]).await.text();
            if good(&text) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{rest} never became what was expected");
    }

    /// Runs a program without blocking the origin.
    pub async fn run(&self, program: &'static str, args: &[&str]) -> String {
        let args: Vec<String> = args.iter().map(|a| (*a).to_owned()).collect();
        let dir = self.dir.path().to_owned();
        let run = move || {
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            clips::text(program, &args, &dir)
        };
        tokio::time::timeout(Duration::from_secs(60), tokio::task::spawn_blocking(run))
            .await
            .unwrap()
            .unwrap()
    }
}

fn written(segments: &[cmaf::Segment]) -> Vec<u8> {
    let mut out = Vec::new();
    segments.iter().for_each(|s| s.write_to(&mut out));
    out
}

fn empty(id: PresentationId) -> Descriptor {
    Descriptor {
        format: FORMAT,
        presentation: id.to_string(),
        version: 1,
        complete: true,
        created_at: START * Micros::SECOND,
        planned_duration_ms: 10_010,
        longest_segment_ms: 2006,
        tracks: Vec::new(),
        storyboard: None,
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.bytes().await.unwrap() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// The `code` of a problem.
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        json["code"].as_str().unwrap().to_owned()
    }
}
