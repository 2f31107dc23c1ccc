//! Whether what came of a row is right, as ffprobe and ffmpeg see it.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use media::descriptor::{Track, TrackKind};
use store::{steps, videos};

use crate::{
    house::{CANARY, House, Outcome},
    wanted::{Title, VOCABULARY, Wanted},
};

/// Runs a row and compares.
pub async fn check(house: &House, file: &Path, wanted: impl Into<Wanted>) {
    let wanted = wanted.into();
    let patience = match &wanted {
        Wanted::Title(title) => title.patience_s,
        Wanted::Refused(_) => 60,
    };
    let outcome = house.run(file, Duration::from_secs(patience)).await;
    house.place.assert_silent();
    nothing_leaked(house, &outcome).await;
    match wanted {
        Wanted::Refused(words) => refused(&outcome, words),
        Wanted::Title(title) => title_is(house, &outcome, &title).await,
    }
}

async fn nothing_leaked(house: &House, outcome: &Outcome) {
    let canary = CANARY.as_bytes();
    for (object, bytes) in house.products().await {
        assert!(!bytes.windows(canary.len()).any(|part| part == canary), "{object} holds the canary");
    }
    assert!(!format!("{:?}", outcome.row).contains(CANARY), "{:?}", outcome.row);
}

fn refused(outcome: &Outcome, words: &str) {
    let row = &outcome.row;
    assert_eq!(row.state, videos::State::Failed, "{row:#?}");
    let told = row.error.as_deref().unwrap_or_default();
    assert!(told.starts_with(words), "{told:?} and not {words:?}");
    assert!(VOCABULARY.iter().any(|known| told.starts_with(known)), "{told:?} are not our words");
    // No names of files, programs or addresses, and something to do.
    for alien in ["/", "ffmpeg", "ffprobe", "0x", "[", "Invalid data", "error"] {
        assert!(!told.contains(alien), "{told:?} says {alien:?}");
    }
    assert!(
        told.split(['.', ':']).filter(|part| !part.trim().is_empty()).count() >= 2,
        "{told:?} gives no advice"
    );
    assert!(outcome.peak < 16 << 20, "{} bytes for a refused file", outcome.peak);
}

async fn title_is(house: &House, outcome: &Outcome, wanted: &Title) {
    let row = &outcome.row;
    assert_eq!(row.state, videos::State::Ready, "{:?}\n{row:#?}", row.error);
    let descriptor = house.descriptor(row).await;
    assert!(descriptor.complete);
    let (video, audio): (Vec<&Track>, Vec<&Track>) = descriptor.tracks.iter().partition(|t| t.is_video());

    let seconds = row.duration_ms.unwrap() as f64 / 1e3;
    assert!((seconds - wanted.seconds).abs() <= wanted.within, "{seconds} s, not {} s", wanted.seconds);
    if let Some(size) = wanted.size {
        assert_eq!((row.width.unwrap(), row.height.unwrap()), size);
    }
    let heard: Vec<(Option<&str>, u32)> =
        audio.iter().map(|track| (track.language.as_deref(), channels(track))).collect();
    assert_eq!(heard, wanted.audio, "languages and channels");
    assert_eq!(video.is_empty(), wanted.frames.is_none(), "{} video tracks", video.len());

    let notice = outcome
        .steps
        .iter()
        .filter(|s| s.name == steps::Name::Probe)
        .map(|s| s.message.as_str())
        .collect::<String>();
    match wanted.notice {
        Some(words) => assert!(notice.contains(words), "{notice:?} and not {words:?}"),
        None => assert_eq!(notice, "", "a notice"),
    }
    for step in &outcome.steps {
        let done = matches!(step.state, steps::State::Done) || step.name == steps::Name::Upload;
        assert!(done, "{step:?}");
    }
    assert!(outcome.peak <= wanted.most_bytes, "{} bytes at work", outcome.peak);

    let mut starts = Vec::new();
    for track in &descriptor.tracks {
        let path = write(house, track).await;
        starts.push(start(&path).await);
        let lasts = track.duration() as f64 / f64::from(track.timescale);
        assert!((lasts - seconds).abs() < 0.05, "{}: {lasts} s of {seconds} s", track.id);
        if track.is_video() {
            pictures(&path, wanted).await;
        } else {
            run("ffmpeg", &["-v", "warning", "-i", text(&path), "-f", "null", "-"]).await;
        }
    }
    let apart =
        starts.iter().copied().fold(f64::MIN, f64::max) - starts.iter().copied().fold(f64::MAX, f64::min);
    assert!(apart < 0.02, "tracks start {apart} s apart: {starts:?}");
    if let (Some(at), Some(video), Some(audio)) = (wanted.signal, video.first(), audio.first()) {
        signal(house, video, audio, at).await;
    }
    if let (Some(quarter), Some(video)) = (wanted.bright, video.first()) {
        bright(&write(house, video).await, quarter).await;
    }
}

fn channels(track: &Track) -> u32 {
    match track.kind {
        TrackKind::Audio { channels, .. } => channels,
        TrackKind::Video { .. } => 0,
    }
}

/// The track as one file: its header and all its segments.
async fn write(house: &House, track: &Track) -> PathBuf {
    let mut bytes = STANDARD.decode(&track.init).unwrap();
    for extent in &track.extents {
        let length: u64 = extent.segments.iter().map(|segment| u64::from(segment.bytes)).sum();
        let range = extent.offset..extent.offset + length;
        bytes.extend_from_slice(&house.blobs.range(&extent.object, range).await.unwrap());
    }
    let path = house.place.dir.join(format!("{}.mp4", track.id));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Every picture once: as many as wanted, in growing order, all decodable, no two alike.
async fn pictures(path: &Path, wanted: &Title) {
    let (frames, tolerance) = wanted.frames.unwrap();
    let entries =
        ["-v", "warning", "-select_streams", "v:0", "-show_entries", "packet=pts", "-of", "csv=p=0"];
    let told = run("ffprobe", &[&entries[..], &[text(path)]].concat()).await;
    let mut times: Vec<i64> =
        told.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect();
    times.sort_unstable();
    assert!(times.len().abs_diff(frames) <= tolerance, "{} pictures, not {frames}", times.len());
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "two pictures at one time");
    let told = run(
        "ffmpeg",
        &["-v", "warning", "-i", text(path), "-fps_mode", "passthrough", "-f", "framemd5", "-"],
    )
    .await;
    let sums: Vec<&str> =
        told.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.rsplit(',').next()).collect();
    assert_eq!(sums.len(), times.len(), "decoded pictures");
    let distinct: HashSet<&str> = sums.iter().copied().collect();
    assert!(
        !wanted.distinct || distinct.len() + tolerance >= sums.len(),
        "{} of {} pictures differ",
        distinct.len(),
        sums.len()
    );
}

async fn start(path: &Path) -> f64 {
    let entries = ["-v", "warning", "-show_entries", "stream=start_time", "-of", "csv=p=0"];
    run("ffprobe", &[&entries[..], &[text(path)]].concat())
        .await
        .trim()
        .trim_end_matches(',')
        .parse()
        .unwrap()
}

/// White and tone begin at the same moment, and at the right one.
async fn signal(house: &House, video: &Track, audio: &Track, at: f64) {
    let path = write(house, video).await;
    let entries =
        ["-v", "error", "-select_streams", "v:0", "-show_entries", "packet=pts_time", "-of", "csv=p=0"];
    let told = run("ffprobe", &[&entries[..], &[text(&path)]].concat()).await;
    let mut times: Vec<f64> =
        told.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect();
    times.sort_by(f64::total_cmp);
    let gray = raw(&[
        "-i",
        text(&path),
        "-fps_mode",
        "passthrough",
        "-vf",
        "scale=1:1:flags=area,format=gray",
        "-f",
        "rawvideo",
        "-",
    ])
    .await;
    let white = gray.iter().position(|luma| *luma > 128).expect("no white picture");
    let seen = times[white];
    let path = write(house, audio).await;
    let pcm = raw(&["-i", text(&path), "-ac", "1", "-ar", "48000", "-f", "s16le", "-"]).await;
    let samples: Vec<i16> = pcm.as_chunks::<2>().0.iter().map(|two| i16::from_le_bytes(*two)).collect();
    let loud = samples.iter().position(|sample| sample.unsigned_abs() > 1500).expect("no tone");
    let heard = loud as f64 / 48_000.0 + start(&path).await;
    assert!((seen - heard).abs() < 0.02, "seen at {seen} s, heard at {heard} s");
    assert!((seen - at).abs() < 0.045, "seen at {seen} s, not {at} s");
}

/// One quarter is white, the others are not.
async fn bright(path: &Path, quarter: usize) {
    let luma = raw(&[
        "-i",
        text(path),
        "-frames:v",
        "1",
        "-vf",
        "scale=2:2:flags=area,format=gray",
        "-f",
        "rawvideo",
        "-",
    ])
    .await;
    let bright: Vec<usize> = (0..4).filter(|i| luma[*i] > 128).collect();
    assert_eq!(bright, [quarter], "{luma:?}");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs a program that must succeed and complain of nothing; gives its standard output.
async fn run(program: &str, args: &[&str]) -> String {
    let done = tokio::process::Command::new(program).args(args).output().await.unwrap();
    let words = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && words.trim().is_empty(), "{program} {args:?}: {} {words}", done.status);
    String::from_utf8(done.stdout).unwrap()
}

async fn raw(args: &[&str]) -> Vec<u8> {
    let done =
        tokio::process::Command::new("ffmpeg").args(["-v", "error"]).args(args).output().await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}
