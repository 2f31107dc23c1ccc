//! Odd sources, through probe, plan and encode, judged by ffprobe and ffmpeg.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{ladder::Rung, profile::Profile};
use tokio::{process::Command, sync::mpsc};

mod codecs;
mod dolby;
mod hardware;
mod joints;
mod reach;

use super::*;
use crate::{
    plan::{self, Mode, Plan},
    probe,
    testing::media,
    tools::Tools,
};

/// A ladder that two cores encode quickly.
fn profile() -> Profile {
    Profile::of_ladder(vec![
        Rung { height: 240, bitrate_bps: 800_000 },
        Rung { height: 120, bitrate_bps: 300_000 },
    ])
}

/// A title in one file for each track.
struct Made {
    plan: Plan,
    tracks: Vec<PathBuf>,
    _dir: tempfile::TempDir,
}

async fn make(name: &str, args: &[&str]) -> Made {
    let dir = tempfile::tempdir().unwrap();
    let source = media(dir.path(), name, args).await;
    make_from(dir, &source).await
}

async fn make_from(dir: tempfile::TempDir, source: &Path) -> Made {
    make_as(dir, source, &profile()).await
}

async fn make_as(dir: tempfile::TempDir, source: &Path, profile: &Profile) -> Made {
    let tools = Tools::default();
    let (info, index) = probe::probe(&tools, source, &probe::Limits::default()).await.unwrap();
    let plan = plan::plan(&info, &index, profile).unwrap();
    let mut tracks: Vec<(String, Vec<u8>)> = Vec::new();
    if let Some(video) = &plan.video {
        let listed = plan::listed_times(video, &index);
        let chunks =
            video.codecs().into_iter().flat_map(|codec| (0..video.chunks.len()).map(move |n| (codec, n)));
        for (codec, n) in chunks {
            let scratch = dir.path().join(format!("chunk{n}{}", codec.word()));
            std::fs::create_dir(&scratch).unwrap();
            let files =
                chunk(&tools, &video.only(codec), n, &listed, source, &scratch, |_| ()).await.unwrap().files;
            for file in files {
                let bytes = std::fs::read(&file.path).unwrap();
                let told: u64 = file.segments.iter().map(|s| u64::from(s.bytes)).sum();
                assert_eq!(bytes.len() as u64, told, "the index tells every byte");
                append(&mut tracks, &file.id, &file.head, &bytes);
            }
        }
    }
    for track in &plan.audio {
        let (to, mut from) = mpsc::channel(1);
        let work = audio(&tools, track, info.container.demuxer(), source, 0, to);
        let collect = async {
            let mut all = Vec::new();
            while let Some(stretch) = from.recv().await {
                all.push(stretch);
            }
            all
        };
        let (done, stretches) = tokio::join!(work, collect);
        done.unwrap();
        assert_eq!(stretches.len(), track.stretches.len());
        let samples: u64 = stretches.iter().flat_map(|s| &s.segments).map(|s| u64::from(s.duration)).sum();
        assert_eq!(samples, track.samples);
        for stretch in stretches {
            append(&mut tracks, &track.id, &stretch.head, &stretch.bytes);
        }
    }
    let write = |(id, bytes): (String, Vec<u8>)| {
        let path = dir.path().join(format!("{id}.mp4"));
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let tracks = tracks.into_iter().map(write).collect();
    Made { plan, tracks, _dir: dir }
}

fn append(tracks: &mut Vec<(String, Vec<u8>)>, id: &str, head: &TrackHead, bytes: &[u8]) {
    let init = STANDARD.decode(&head.init).unwrap();
    match tracks.iter_mut().find(|(known, _)| known == id) {
        Some((_, all)) => {
            assert!(all.starts_with(&init), "all chunks share one header");
            all.extend_from_slice(bytes);
        }
        None => tracks.push((id.to_owned(), [&init, bytes].concat())),
    }
}

/// Runs an ordinary program that must neither fail nor complain.
async fn judge(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stderr), "", "{program} {args:?}");
    String::from_utf8(out.stdout).unwrap()
}

/// Presentation times of all decoded frames, microseconds.
async fn decoded(path: &Path) -> Vec<i64> {
    let args = ["-v", "warning", "-show_entries", "frame=pts_time", "-of", "csv=p=0", path.to_str().unwrap()];
    let text = judge("ffprobe", &args).await;
    let times = text.lines().filter_map(|line| line.trim_end_matches(',').parse::<f64>().ok());
    times.map(|t| (t * 1e6).round() as i64).collect()
}

async fn size(path: &Path) -> String {
    let args =
        ["-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", path.to_str().unwrap()];
    judge("ffprobe", &args).await.trim().replace(',', "x")
}

/// Encodes a source and checks each rung: frames, sizes, even times.
async fn check(name: &str, args: &[&str], frames: usize, sizes: &[&str], seconds: f64) -> Made {
    let made = make(name, args).await;
    check_made(&made, frames, sizes, seconds).await;
    made
}

async fn check_made(made: &Made, frames: usize, sizes: &[&str], seconds: f64) {
    let rungs = made.plan.video.as_ref().map_or(0, |v| v.rungs.len());
    assert_eq!(rungs, sizes.len());
    for (path, expected) in made.tracks.iter().zip(sizes) {
        let times = decoded(path).await;
        assert_eq!(times.len(), frames, "{}", path.display());
        assert_eq!(times[0], 0, "the first picture stands at 0");
        assert!(times.is_sorted_by(|a, b| a < b), "frames in order");
        assert_eq!(size(path).await, *expected);
    }
    assert!((made.plan.duration_ms as f64 / 1000.0 - seconds).abs() < 0.05, "{} ms", made.plan.duration_ms);
}

const SINE: [&str; 4] = ["-f", "lavfi", "-i", "sine=f=440:r=48000:d=30"];

fn with_sound<'a>(video: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["-f", "lavfi", "-i", video];
    args.extend(SINE);
    args.extend(["-shortest", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]);
    args.extend(rest);
    args
}

#[tokio::test]
async fn ntsc_with_sound_over_several_chunks() {
    let source = "testsrc2=s=426x240:r=30000/1001:d=17";
    let made =
        check("a.mp4", &with_sound(source, &["-bf", "3", "-g", "71"]), 510, &["426x240", "214x120"], 17.017)
            .await;
    let video = made.plan.video.as_ref().unwrap();
    assert_eq!((video.chunks.len(), video.mode), (2, Mode::Indexed));
    let times = decoded(&made.tracks[0]).await;
    assert!(
        times
            .iter()
            .enumerate()
            .all(|(i, t)| (t - i as i64 * 1_001_000_000 / 30_000_000 * 1000).abs() < 1_000_000)
    );
    assert_eq!(times[509], 509 * 1_001_000 / 30);
}

#[tokio::test]
async fn other_containers_and_open_gops() {
    let source = "testsrc2=s=426x240:r=25:d=14";
    for name in ["a.mkv", "a.ts", "a.flv", "a.mov"] {
        let args = with_sound(source, &["-bf", "2", "-g", "50", "-x264-params", "open-gop=1"]);
        let made = check(name, &args, 350, &["426x240", "214x120"], 14.0).await;
        let video = made.plan.video.unwrap();
        assert_eq!((video.mode, video.chunks.len()), (Mode::Indexed, 2), "{name}");
    }
    // AVI has no presentation times: one piece at the nominal rate.
    let args = ["-f", "lavfi", "-i", source, "-c:v", "mpeg4"];
    let made = check("a.avi", &args, 350, &["426x240", "214x120"], 14.0).await;
    assert_eq!(made.plan.video.unwrap().mode, Mode::Sequential);
}

#[tokio::test]
async fn the_last_picture_stays_while_the_sound_goes_on() {
    // A film of 9 s, one of uneven times, and a still: each with 30 s of sound.
    let uneven = "testsrc2=s=426x240:r=30:d=9,select='gt(mod(n,3),0)'";
    for (name, source, frames) in [
        ("film.mkv", "testsrc2=s=426x240:r=25:d=9", 750),
        ("uneven.mp4", uneven, 0),
        ("still.mp4", "testsrc2=s=426x240:r=5,trim=end_frame=1", 150),
    ] {
        let mut args = vec!["-f", "lavfi", "-i", source];
        args.extend(SINE);
        args.extend([
            "-fps_mode",
            "vfr",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-bf",
            "2",
            "-c:a",
            "aac",
        ]);
        let made = make(name, &args).await;
        let planned = made.plan.video.as_ref().unwrap().frames() as usize;
        assert!(frames == 0 || planned.abs_diff(frames) <= 1, "{name}: {planned}");
        check_made(&made, planned, &["426x240", "214x120"], 30.0).await;
        assert_eq!(made.plan.video.unwrap().mode, Mode::Indexed);
    }
}

#[tokio::test]
async fn portrait_square_and_odd_sizes() {
    check("portrait.mp4", &with_sound("testsrc2=s=240x426:r=24:d=1", &[]), 24, &["240x426", "120x214"], 1.0)
        .await;
    check("square.mp4", &with_sound("testsrc2=s=240x240:r=24:d=1", &[]), 24, &["240x240", "120x120"], 1.0)
        .await;
    let odd = ["-f", "lavfi", "-i", "testsrc2=s=641x361:r=24:d=1", "-c:v", "ffv1"];
    let made = make("odd.mkv", &odd).await;
    check_made(&made, 24, &["428x240", "214x120"], 1.0).await;
}

#[tokio::test]
async fn rotation_and_pixel_aspect_are_applied() {
    let dir = tempfile::tempdir().unwrap();
    let flat = media(dir.path(), "flat.mp4", &with_sound("testsrc2=s=426x240:r=24:d=1", &[])).await;
    let args = ["-i", flat.to_str().unwrap(), "-c", "copy", "-metadata:s:v", "rotate=90"];
    check("turned.mp4", &args, 24, &["240x426", "120x214"], 1.0).await;
    let wide = with_sound("testsrc2=s=320x240:r=24:d=1", &["-vf", "setsar=4/3"]);
    check("wide.mp4", &wide, 24, &["426x240", "214x120"], 1.0).await;
}

#[tokio::test]
async fn variable_frame_rate_keeps_every_frame_and_time() {
    // 10 s at 30 frames per second, of which a third is left out unevenly.
    let filter = "select='not(eq(mod(n,7),2)+eq(mod(n,5),3))'";
    let args = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=426x240:r=30:d=15",
        "-vf",
        filter,
        "-fps_mode",
        "vfr",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-bf",
        "2",
    ];
    let frames = (0..450).filter(|n| n % 7 != 2 && n % 5 != 3).count();
    let made = check("vfr.mp4", &args, frames, &["426x240", "214x120"], 15.0).await;
    let want: Vec<i64> = (0..450).filter(|n| n % 7 != 2 && n % 5 != 3).map(|n| n * 1_000_000 / 30).collect();
    let got = decoded(&made.tracks[0]).await;
    assert!(got.iter().zip(&want).all(|(a, b)| (a - b).abs() <= 1), "{got:?}");
    assert!(made.plan.video.unwrap().chunks.len() > 1);
}

#[tokio::test]
async fn interlaced_ten_bit_and_high_dynamic_range() {
    let interlaced = with_sound(
        "testsrc2=s=426x240:r=50:d=2",
        &["-vf", "tinterlace=interleave_top,fieldorder=tff", "-flags", "+ilme+ildct"],
    );
    check("i.mp4", &interlaced, 50, &["426x240", "214x120"], 2.0).await;
    let ten = with_sound("testsrc2=s=426x240:r=25:d=1", &["-pix_fmt", "yuv420p10le"]);
    check("ten.mp4", &ten, 25, &["426x240", "214x120"], 1.0).await;
    let hdr = [
        "-f",
        "lavfi",
        "-i",
        "testsrc2=s=426x240:r=25:d=1",
        "-c:v",
        "libx264",
        "-pix_fmt",
        "yuv420p10le",
        "-color_primaries",
        "bt2020",
        "-color_trc",
        "smpte2084",
        "-colorspace",
        "bt2020nc",
    ];
    check("hdr.mp4", &hdr, 25, &["426x240", "214x120"], 1.0).await;
}

#[tokio::test]
async fn no_sound_only_sound_and_two_sounds() {
    let made = check(
        "mute.mp4",
        &["-f", "lavfi", "-i", "testsrc2=s=426x240:r=25:d=1", "-c:v", "libx264"],
        25,
        &["426x240", "214x120"],
        1.0,
    )
    .await;
    assert!(made.plan.audio.is_empty());

    let made = make("only.mp3", &["-f", "lavfi", "-i", "sine=f=440:r=44100:d=9", "-c:a", "libmp3lame"]).await;
    assert!(made.plan.video.is_none());
    assert_eq!((made.plan.audio[0].sample_rate, made.plan.audio[0].stretches[0].len()), (44_100, 3));
    assert!((made.plan.duration_ms as i64 - 9_000).abs() < 60, "{}", made.plan.duration_ms);

    let mut args = vec!["-f", "lavfi", "-i", "testsrc2=s=426x240:r=25:d=1"];
    args.extend(["-f", "lavfi", "-i", "sine=f=440:d=1", "-f", "lavfi", "-i", "sine=f=880:d=1"]);
    args.extend(["-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-c:a", "aac"]);
    args.extend(["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"]);
    let made = check("two.mp4", &args, 25, &["426x240", "214x120"], 1.0).await;
    let labels: Vec<&str> = made.plan.audio.iter().map(|a| a.label.as_str()).collect();
    assert_eq!(labels, ["English", "German"]);
}

#[tokio::test]
async fn a_cut_off_stream_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let whole =
        media(dir.path(), "whole.ts", &with_sound("testsrc2=s=426x240:r=25:d=4", &["-bf", "0"])).await;
    let bytes = std::fs::read(&whole).unwrap();
    let cut = dir.path().join("cut.ts");
    std::fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let made = make_from(dir, &cut).await;
    let frames = made.plan.video.as_ref().unwrap().frames() as usize;
    assert!((30..100).contains(&frames), "{frames}");
    check_made(&made, frames, &["426x240", "214x120"], frames as f64 / 25.0).await;
}

#[tokio::test]
async fn a_flash_and_a_beep_stay_together() {
    // White for 0.1 s in every second, a beep in the same tenth, in a file whose sound begins late.
    let video = "color=black:s=426x240:r=25:d=14,geq=lum='if(lt(mod(T,1),0.1),235,16)':cb=128:cr=128";
    let audio = "aevalsrc='if(lt(mod(t,1),0.1),sin(2000*PI*t),0)':s=48000:d=14";
    for name in ["av.mp4", "av.ts", "av.mkv"] {
        let made = make(
            name,
            &[
                "-f",
                "lavfi",
                "-i",
                video,
                "-f",
                "lavfi",
                "-i",
                audio,
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-c:a",
                "aac",
            ],
        )
        .await;
        let (picture, sound) = (flashes(&made.tracks[0]).await, beeps(&made.tracks[2]).await);
        assert_eq!((picture.len(), sound.len()), (14, 14), "{name}: {picture:?} {sound:?}");
        for (flash, beep) in picture.iter().zip(&sound) {
            assert!((flash - beep).abs() < 0.02, "{name}: {flash} s against {beep} s");
        }
    }
}

/// When the picture turns white.
async fn flashes(path: &Path) -> Vec<f64> {
    let filter = format!("movie={},signalstats", path.display());
    let args = [
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        &filter,
        "-show_entries",
        "frame=pts_time:frame_tags=lavfi.signalstats.YAVG",
        "-of",
        "csv=p=0",
    ];
    let text = judge("ffprobe", &args).await;
    let frames = text.lines().filter_map(|line| {
        let (time, luma) = line.split_once(',')?;
        Some((time.parse::<f64>().ok()?, luma.parse::<f64>().ok()? > 120.0))
    });
    rising(frames)
}

/// When the sound sets in.
async fn beeps(path: &Path) -> Vec<f64> {
    let args = ["-v", "error", "-i", path.to_str().unwrap(), "-ac", "1", "-f", "s16le", "-"];
    let out = Command::new("ffmpeg").args(args).output().await.unwrap().stdout;
    let windows = out.chunks(2 * 48);
    rising(windows.enumerate().map(|(ms, window)| {
        let peak = window
            .chunks_exact(2)
            .map(|b| i16::from_le_bytes([b[0], b[1]]).unsigned_abs())
            .max()
            .unwrap_or(0);
        // The sine crosses zero twice in a window of 1 ms, so that silence lasts longer than one.
        (ms as f64 / 1000.0, peak > 3000)
    }))
}

fn rising(states: impl Iterator<Item = (f64, bool)>) -> Vec<f64> {
    let (mut last_on, mut starts) = (-1.0, Vec::new());
    for (time, on) in states {
        if on {
            if time - last_on > 0.3 {
                starts.push(time);
            }
            last_on = time;
        }
    }
    starts
}

#[tokio::test]
async fn sheets_and_posters_come_from_key_frames() {
    let made = make("a.mp4", &with_sound("testsrc2=s=426x240:r=25:d=9", &[])).await;
    let file = std::fs::read(&made.tracks[1]).unwrap();
    let (mut reader, mut film) =
        (::media::mp4::FragmentReader::new(::media::mp4::Limits::default()), Frames::default());
    reader.feed(&file);
    while reader.next().unwrap().is_some() {}
    let moof = file.windows(4).position(|w| w == b"moof").unwrap() - 4;
    let segment = bytes::Bytes::from(file[moof..].to_vec());
    let mut runs = Frames::default();
    film.push(&segment, 0).unwrap();
    film.push(&segment, 1).unwrap();
    let counts = [runs.push_run(&segment, 0, RUN).unwrap(), runs.push_run(&segment, 1, RUN).unwrap()];
    assert_eq!(counts, [RUN; 2]);
    let dir = tempfile::tempdir().unwrap();
    let (path, run_path) = (dir.path().join("film.mp4"), dir.path().join("runs.mp4"));
    frame_file(film, &file[..moof], 25_000, &path).await.unwrap();
    frame_file(runs, &file[..moof], 25_000, &run_path).await.unwrap();
    let tools = Tools::default();
    let sheets = sheets(&tools, &path, 2, (214, 120), dir.path()).await.unwrap();
    assert_eq!((sheets.files.len(), sheets.looks.len()), (1, 2));
    assert!(sheets.looks.iter().all(|look| look.merit > 0.2), "{:?}", sheets.looks);
    let (width, height) = image::image_dimensions(&sheets.files[0]).unwrap();
    assert_eq!((width, height), (214 * 5, 120 * 5));
    let sharp = sharpness(&tools, &path, dir.path()).await.unwrap();
    assert!(sharp.len() == 2 && sharp.iter().all(|s| *s > 0.0), "{sharp:?}");
    let unrest = unrests(&tools, &run_path, &counts, dir.path()).await.unwrap();
    assert_eq!(std::fs::metadata(dir.path().join("small.gray")).unwrap().len(), 2 * RUN as u64 * 64 * 36);
    assert!(unrest.iter().all(|u| !u.blending && u.action > 0.0), "{unrest:?}");
    let posters = posters(&tools, &path, 2, 214, dir.path()).await.unwrap();
    assert_eq!(posters.len(), 2);
    for poster in &posters {
        let widths: Vec<u32> = poster.widths.iter().map(|(width, _)| *width).collect();
        assert_eq!(widths, [160, 214]);
        for (width, file) in &poster.widths {
            assert_eq!(image::image_dimensions(file).unwrap().0, *width);
        }
        assert!(
            poster.blur.starts_with("data:image/webp;base64,UklGR") && poster.blur.len() < 500,
            "{}",
            poster.blur.len()
        );
    }
}

#[tokio::test]
async fn a_picture_comes_in_all_forms_and_in_its_colours() {
    let dir = tempfile::tempdir().unwrap();
    let tools = Tools::default();
    // Four colours in the quarters.
    let colours = [[200, 30, 40], [20, 150, 60], [40, 60, 200], [230, 220, 60]];
    let pixel = |x: u32, y: u32| colours[(usize::from(y >= 180)) * 2 + usize::from(x >= 320)];
    let rgba: Vec<u8> = (0..360)
        .flat_map(|y| (0..640).map(move |x| (x, y)))
        .flat_map(|(x, y)| [&pixel(x, y)[..], &[255]].concat())
        .collect();
    let raw = artwork::Raw { width: 640, height: 360, rgba };
    let forms = artwork::encode(&tools, raw, dir.path()).await.unwrap();
    assert_eq!(forms.files.len(), 9);
    assert!(
        forms.blur.starts_with("data:image/webp;base64,UklGR") && forms.blur.len() < 500,
        "{}",
        forms.blur.len()
    );
    for (variant, file) in &forms.files {
        let out = dir.path().join("out.rgb");
        let args = [
            "-v",
            "error",
            "-y",
            "-i",
            file.to_str().unwrap(),
            "-pix_fmt",
            "rgb24",
            "-f",
            "rawvideo",
            out.to_str().unwrap(),
        ];
        assert!(Command::new("ffmpeg").args(args).status().await.unwrap().success());
        let (bytes, width) = (std::fs::read(&out).unwrap(), variant.width as usize);
        assert_eq!(bytes.len(), width * (width * 9 / 16) * 3, "{variant:?}");
        for (quarter, wanted) in colours.iter().enumerate() {
            let (x, y) = (width / 4 + quarter % 2 * width / 2, width * 9 / 64 + quarter / 2 * width * 9 / 32);
            let found = &bytes[(y * width + x) * 3..][..3];
            assert!(
                found.iter().zip(wanted).all(|(a, b)| a.abs_diff(*b) <= 8),
                "{variant:?}: {found:?} for {wanted:?}"
            );
        }
    }
}

/// CPU seconds of all children that have ended, from `/proc/self/stat` (clock ticks of 10 ms).
fn children_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[13..15].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

#[tokio::test]
#[ignore = "prints what finding candidates in a film of ten minutes costs, see docs/measurements.md"]
async fn cost_of_candidates() {
    let dir = tempfile::tempdir().unwrap();
    let keys = dir.path().join("keys.mp4");
    // A tile every four seconds, as for any title of ten to thirty minutes; all of them key frames.
    let source = "testsrc2=s=854x480:r=1/4:d=600";
    let args =
        ["-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-g", "1", keys.to_str().unwrap()];
    assert!(Command::new("ffmpeg").args(args).status().await.unwrap().success());
    let (tools, (began, cpu)) = (Tools::default(), (std::time::Instant::now(), children_cpu()));
    let sheets = sheets(&tools, &keys, 150, (320, 180), dir.path()).await.unwrap();
    let storyboard = (began.elapsed(), children_cpu() - cpu);
    let candidates: Vec<score::Candidate> = (0..)
        .zip(&sheets.looks)
        .map(|(index, look)| score::Candidate {
            index,
            at_ms: 4000 * index as u64,
            merit: look.merit,
            hash: look.hash,
        })
        .collect();
    let short = score::choose(&candidates, 600_000, 24);
    let some = dir.path().join("some.mp4");
    let frames = format!("select=lt(n\\,{})", short.len());
    let args = [
        "-v",
        "error",
        "-i",
        keys.to_str().unwrap(),
        "-vf",
        &frames,
        "-fps_mode",
        "passthrough",
        some.to_str().unwrap(),
    ];
    assert!(Command::new("ffmpeg").args(args).status().await.unwrap().success());
    let (began, cpu) = (std::time::Instant::now(), children_cpu());
    sharpness(&tools, &some, dir.path()).await.unwrap();
    unrests(&tools, &keys, &[RUN; 16], dir.path()).await.unwrap();
    posters(&tools, &some, 8, 854, dir.path()).await.unwrap();
    println!("storyboard and first look: {:.2?}, {:.2} CPU-s", storyboard.0, storyboard.1);
    println!("closer look and eight candidates: {:.2?}, {:.2} CPU-s", began.elapsed(), children_cpu() - cpu);
}
