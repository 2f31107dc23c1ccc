//! Films sent and judged: what arrives is compared with what was sent, by ffprobe and ffmpeg.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use backends::blob::names;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::VideoId;
use reqwest::Method;
use serde_json::Value;
use store::{artwork, jobs, presentations, sources, units, videos};
use testkit::media::Clip;

use crate::harness::{Answer, Caller, House, send};

/// Far more than any of these films takes.
const PATIENCE: Duration = Duration::from_secs(100);

/// A film on disk and what is true of it.
pub struct Film {
    pub file: PathBuf,
    pub frames: usize,
    pub seconds: f64,
}

/// A small film with sound, at 25 frames a second.
pub async fn film(seconds: u32) -> Film {
    let file = Clip::new(160, 90, f64::from(seconds)).make().await.unwrap();
    Film { file, frames: seconds as usize * 25, seconds: f64::from(seconds) }
}

impl Caller {
    /// Begins an upload: its address, and its title.
    pub async fn begin_upload(&self, title: &str, length: usize) -> (String, VideoId) {
        let metadata: Vec<String> = [("filename", "film.mp4"), ("title", title), ("visibility", "public")]
            .iter()
            .map(|(name, value)| format!("{name} {}", STANDARD.encode(value)))
            .collect();
        let request = self.tus(Method::POST, "/api/v1/uploads").header("upload-length", length);
        let answer = send(request.header("upload-metadata", metadata.join(","))).await.expect(201);
        let text = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        (text("location"), text("kinora-video-id").parse().unwrap())
    }

    pub async fn send_bytes(&self, upload: &str, offset: usize, bytes: Vec<u8>) -> Answer {
        let request = self.tus(Method::PATCH, upload).header("upload-offset", offset);
        send(request.header("content-type", "application/offset+octet-stream").body(bytes)).await
    }

    pub fn tus(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request(method, path).header("tus-resumable", "1.0.0")
    }

    /// Sends a whole file by tus, in two requests.
    pub async fn upload(&self, title: &str, file: &Path) -> VideoId {
        let mut bytes = std::fs::read(file).unwrap();
        let (upload, video) = self.begin_upload(title, bytes.len()).await;
        let rest = bytes.split_off(bytes.len() / 3);
        let offset = bytes.len();
        self.send_bytes(&upload, 0, bytes).await.expect(204);
        self.send_bytes(&upload, offset, rest).await.expect(204);
        video
    }

    pub async fn video(&self, id: VideoId) -> Value {
        self.get(&format!("/api/v1/videos/{id}")).await.expect(200).json
    }

    /// Waits until the title is as `wanted`.
    pub async fn until(&self, id: VideoId, wanted: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let video = self.video(id).await;
            if wanted(&video) {
                return video;
            }
            assert!(began.elapsed() < PATIENCE, "still {video:#}");
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    pub async fn until_complete(&self, id: VideoId) -> Value {
        let ended = |video: &Value| video["complete"] == true || video["state"] == "failed";
        let video = self.until(id, ended).await;
        assert_eq!(video["state"], "ready", "{video:#}");
        video
    }

    pub async fn playback(&self, id: VideoId) -> Value {
        self.post(&format!("/api/v1/videos/{id}/playback"), serde_json::json!({})).await.expect(200).json
    }
}

/// Runs a program that must succeed and complain of nothing; gives its standard output.
pub async fn run(program: &str, args: &[&str]) -> String {
    let command = tokio::process::Command::new(program).args(args).output();
    let done = tokio::time::timeout(PATIENCE, command).await.unwrap().unwrap();
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && words.trim().is_empty(), "{program} {args:?}: {} {words}", done.status);
    String::from_utf8(done.stdout).unwrap()
}

/// When the packets of a stream are shown, in order, in microseconds.
pub async fn times(input: &str, stream: &str) -> Vec<i64> {
    let entries = ["-show_entries", "packet=pts_time", "-of", "csv=p=0"];
    let told =
        run("ffprobe", &[&["-v", "warning", "-select_streams", stream], &entries[..], &[input]].concat())
            .await;
    let mut times: Vec<i64> = told
        .lines()
        .map(|line| (line.trim_end_matches(',').parse::<f64>().unwrap() * 1e6).round() as i64)
        .collect();
    times.sort_unstable();
    times
}

/// Paths of the variants in a multivariant playlist, best first.
pub async fn variants(hls: &str) -> Vec<String> {
    let text = reqwest::get(hls).await.unwrap().text().await.unwrap();
    let mut found: Vec<String> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("#EXT-X-STREAM-INF:") {
            found.push(lines.next().unwrap().to_owned());
        }
    }
    let unique: BTreeSet<&String> = found.iter().collect();
    assert_eq!(unique.len(), found.len(), "{text}");
    found
}

/// Every frame of the source stands once, at its time, on every rung. Gives the number of rungs.
pub async fn every_frame_once(film: &Film, hls: &str) -> usize {
    let wanted = times(film.file.to_str().unwrap(), "v").await;
    assert_eq!(wanted.len(), film.frames);
    let base = hls.rsplit_once('/').unwrap().0;
    let variants = variants(hls).await;
    for variant in &variants {
        let shown = times(&format!("{base}/{variant}"), "v").await;
        assert_eq!(shown.len(), film.frames, "{variant}");
        for (n, (shown_at, wanted_at)) in shown.iter().zip(&wanted).enumerate() {
            let off = (shown_at - shown[0]) - (wanted_at - wanted[0]);
            assert!(off.abs() < 1000, "{variant}: frame {n} is {off} µs from its time");
        }
    }
    variants.len()
}

/// Where each stream of a presentation starts and how long it is, in seconds.
pub async fn shape(url: &str) -> (Vec<f64>, f64) {
    let entries = ["-show_entries", "stream=codec_type,start_time:format=duration", "-of", "json"];
    let told = run("ffprobe", &[&["-v", "warning"], &entries[..], &[url]].concat()).await;
    let told: Value = serde_json::from_str(&told).unwrap();
    let seconds = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let streams = told["streams"].as_array().unwrap().iter();
    let media = streams.filter(|stream| stream["codec_type"] == "video" || stream["codec_type"] == "audio");
    (media.map(|stream| seconds(&stream["start_time"])).collect(), seconds(&told["format"]["duration"]))
}

/// HLS and DASH of a whole title are the film: all frames, equal durations, sound in step, no warning from a full
/// decode, nothing that our own lint finds.
pub async fn judge(film: &Film, base: &str, playback: &Value) {
    let url = |field: &str| format!("{base}{}", playback[field].as_str().unwrap());
    let (hls, dash) = (url("hls_url"), url("dash_url"));
    let rungs = every_frame_once(film, &hls).await;
    assert_eq!(rungs, 2);
    let mut durations = Vec::new();
    for manifest in [&hls, &dash] {
        let (starts, duration) = shape(manifest).await;
        assert_eq!(starts.len(), rungs + 1, "{manifest}");
        let apart =
            starts.iter().fold(f64::MIN, |a, b| a.max(*b)) - starts.iter().fold(f64::MAX, |a, b| a.min(*b));
        assert!(apart < 0.02, "{manifest}: streams start {apart} s apart: {starts:?}");
        assert!((duration - film.seconds).abs() < 0.05, "{manifest}: {duration} s");
        durations.push(duration);
        run("ffmpeg", &["-v", "warning", "-i", manifest, "-map", "0", "-f", "null", "-"]).await;
    }
    crate::conformance::both_clean(base, playback).await;
    assert!((durations[0] - durations[1]).abs() < 0.02, "HLS and DASH: {durations:?} s");
    // Through DASH, too: each stream by its number.
    for stream in 0..rungs {
        assert_eq!(times(&dash, &format!("v:{stream}")).await.len(), film.frames, "DASH stream {stream}");
    }
}

/// The newest descriptor of a title.
pub async fn descriptor(house: &House, id: VideoId) -> Value {
    let row = videos::get(&mut house.app().store.reader().await.unwrap(), id).await.unwrap();
    let list = house.server.blobs.list(&names::descriptors(row.presentation().unwrap())).await.unwrap();
    let newest = list.iter().map(|entry| &entry.object).max().unwrap();
    serde_json::from_slice(&house.server.blobs.get(newest).await.unwrap()).unwrap()
}

/// Objects in the store that neither a row of `titles` nor a descriptor refers to. A whole title has one descriptor, one
/// that was stopped half-way also has the earlier ones.
pub async fn strays(house: &House, titles: &[VideoId]) -> Vec<String> {
    let began = Instant::now();
    loop {
        let found = unnamed(house, titles).await;
        // A picture's forms are stored one by one, and named together.
        if found.is_empty() || pictures_are_made(house).await || began.elapsed() > PATIENCE {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// No job makes or removes a picture, nor waits to.
pub async fn pictures_are_made(house: &House) -> bool {
    let counts = jobs::stats(&mut house.app().store.reader().await.unwrap()).await.unwrap();
    let busy = |count: &jobs::Count| {
        matches!(&*count.kind, "artwork" | "forget-picture")
            && matches!(count.state, jobs::State::Queued | jobs::State::Running)
    };
    !counts.iter().any(busy)
}

async fn unnamed(house: &House, titles: &[VideoId]) -> Vec<String> {
    let (blobs, mut reader) = (&house.server.blobs, house.app().store.reader().await.unwrap());
    let mut wanted = BTreeSet::new();
    for title in titles {
        for source in sources::of_video(&mut reader, *title).await.unwrap() {
            wanted.extend(source.parts.0.into_iter().map(|part| part.object));
        }
        for picture in artwork::list(&mut reader, *title).await.unwrap() {
            let own = picture.variants.0.iter();
            wanted.extend(own.map(|v| names::picture_in(*title, &picture.id, v.width, v.format)));
        }
        for presentation in presentations::of_video(&mut reader, *title).await.unwrap() {
            let list = blobs.list(&names::descriptors(presentation.id)).await.unwrap();
            let mut descriptors: Vec<String> = list.into_iter().map(|entry| entry.object).collect();
            descriptors.sort();
            if presentation.state == "complete" {
                descriptors = descriptors.pop().into_iter().collect();
            }
            for descriptor in descriptors {
                let bytes = blobs.get(&descriptor).await.unwrap();
                objects_in(&serde_json::from_slice(&bytes).unwrap(), &mut wanted);
                wanted.insert(descriptor);
            }
            for unit in units::list(&mut reader, presentation.id).await.unwrap() {
                objects_in(&serde_json::from_str(&unit.result).unwrap(), &mut wanted);
            }
        }
    }
    let all = blobs.list("").await.unwrap().into_iter().map(|entry| entry.object);
    all.filter(|object| !wanted.contains(object) && !object.starts_with("keys/playback/")).collect()
}

/// Names of objects anywhere in a stored record.
pub fn objects_in(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.starts_with("presentations/") => {
            found.insert(text.clone());
        }
        Value::Array(list) => list.iter().for_each(|value| objects_in(value, found)),
        Value::Object(map) => map.values().for_each(|value| objects_in(value, found)),
        _ => {}
    }
}
