//! Tiny media made with the system's ffmpeg, and ffprobe as a judge.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "test support; each test binary uses a part"
)]

use std::{
    path::Path,
    process::{Command, Stdio},
};

use bytes::Bytes;
use media::{
    cmaf::{self, Kind, TrackSpec},
    mp4::{FragmentReader, Header, Item, Sample},
};

/// Standard output of a program that must succeed and say nothing on standard error.
pub fn quiet(program: &str, args: &[&str], dir: &Path) -> Vec<u8> {
    let out = Command::new(program)
        .args(["-hide_banner", "-loglevel", "warning"])
        .args(args)
        .current_dir(dir)
        .env("SVT_LOG", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|e| panic!("{program} does not start: {e}"));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.trim().is_empty(), "{program} {args:?}: {said}");
    out.stdout
}

pub fn text(program: &str, args: &[&str], dir: &Path) -> String {
    String::from_utf8(quiet(program, args, dir)).unwrap()
}

/// H.264 with B-frames, a GOP of 24 frames, in fragments of one GOP, as an encoder's pipe writes it.
pub fn video(dir: &Path, frames: u32, rate: &str, size: &str) -> Vec<u8> {
    let source = format!("testsrc2=size={size}:rate={rate}");
    let frames = frames.to_string();
    quiet(
        "ffmpeg",
        &[
            "-f",
            "lavfi",
            "-i",
            &source,
            "-frames:v",
            &frames,
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-g",
            "24",
            "-keyint_min",
            "24",
            "-sc_threshold",
            "0",
            "-bf",
            "3",
            "-pix_fmt",
            "yuv420p",
            "-colorspace",
            "bt709",
            "-color_primaries",
            "bt709",
            "-color_trc",
            "bt709",
            "-movflags",
            "+frag_keyframe+empty_moov+default_base_moof",
            "-f",
            "mp4",
            "pipe:1",
        ],
        dir,
    )
}

/// AAC in fragments of about half a second.
pub fn audio(dir: &Path, seconds: u32, rate: u32, channels: u32) -> Vec<u8> {
    let source = format!("sine=frequency=440:sample_rate={rate}:duration={seconds}");
    let channels = channels.to_string();
    quiet(
        "ffmpeg",
        &[
            "-f",
            "lavfi",
            "-i",
            &source,
            "-ac",
            &channels,
            "-c:a",
            "aac",
            "-b:a",
            "96k",
            "-frag_duration",
            "500000",
            "-movflags",
            "+empty_moov+default_base_moof",
            "-f",
            "mp4",
            "pipe:1",
        ],
        dir,
    )
}

const FRAGMENTED: &str = "-movflags +frag_keyframe+empty_moov+default_base_moof -f mp4 pipe:1";

/// What ffmpeg makes of `arguments` with spaces between them.
pub fn encode(dir: &Path, arguments: &str) -> Vec<u8> {
    quiet("ffmpeg", &arguments.split_whitespace().collect::<Vec<_>>(), dir)
}

/// Two seconds of a test picture at 25 frames a second, in fragments of one group of pictures.
pub fn picture(dir: &Path, encoder: &str) -> Vec<u8> {
    encode(dir, &format!("-f lavfi -i testsrc2=size=192x108:rate=25 -frames:v 50 {encoder} {FRAGMENTED}"))
}

/// Two seconds of sound at 48 kHz.
pub fn sound(dir: &Path, encoder: &str) -> Vec<u8> {
    let fragments = "-frag_duration 500000 -movflags +empty_moov+default_base_moof+delay_moov -f mp4 pipe:1";
    encode(dir, &format!("-f lavfi -i sine=sample_rate=48000:duration=2 {encoder} {fragments}"))
}

/// Header and all samples of the only track, read in pieces of `piece` bytes.
pub fn read(bytes: &[u8], piece: usize) -> (Header, Vec<Sample>) {
    let mut reader = FragmentReader::default();
    let (mut header, mut samples) = (None, Vec::new());
    for part in bytes.chunks(piece) {
        reader.feed(part);
        while let Some(item) = reader.next().unwrap() {
            match item {
                Item::Header(h) => header = Some(h),
                Item::Fragment(f) => samples.extend(f.samples),
            }
        }
    }
    reader.finish().unwrap();
    (header.unwrap(), samples)
}

/// Start of each group of `per_segment` sync samples.
pub fn cuts(samples: &[Sample], per_segment: usize) -> Vec<usize> {
    let sync = samples.iter().enumerate().filter(|(_, s)| s.is_sync).map(|(i, _)| i);
    sync.step_by(per_segment).chain([samples.len()]).collect()
}

/// A header and segments with `per_segment` sync samples each.
pub fn rewrite(bytes: &[u8], per_segment: usize, kind: Kind) -> (Vec<u8>, Vec<cmaf::Segment>) {
    let (header, mut samples) = read(bytes, 64 * 1024);
    let delay = if let Kind::Video { delay } = kind { delay } else { 0 };
    let mut spec = TrackSpec::from_header(&header.tracks[0], delay).unwrap();
    spec.learn(&samples[0].data).unwrap();
    samples.iter_mut().for_each(|s| s.data = spec.stored(&s.data, s.is_sync).unwrap());
    let kind = spec.kind();
    let delay = if let Kind::Video { delay } = kind { delay } else { 0 };
    let mut times: Vec<u64> = samples.iter().map(Sample::pts).collect();
    times.sort_unstable();
    let first = times[0];
    times.iter_mut().for_each(|t| *t -= first);
    let end = times[times.len() - 1] + u64::from(samples[0].duration);
    cmaf::retime(&mut samples, &times, end, delay).unwrap();
    let init = cmaf::init_segment(&spec).unwrap();
    let segments = cuts(&samples, per_segment)
        .windows(2)
        .enumerate()
        .map(|(n, cut)| {
            let run = &samples[cut[0]..cut[1]];
            cmaf::segment(n as u32 + 1, run[0].dts, run, kind).unwrap()
        })
        .collect();
    (init, segments)
}

/// The whole track as one file.
pub fn file(init: &[u8], segments: &[cmaf::Segment]) -> Bytes {
    let mut out = init.to_vec();
    segments.iter().for_each(|s| s.write_to(&mut out));
    out.into()
}
