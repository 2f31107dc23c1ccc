//! ffmpeg publishes; what lies in the rings is what lies in its file.

use std::path::Path;

use live::{Ended, Knock, Protocol};

use crate::{
    house::{Ffmpeg, House, certificate},
    probe::{file, ring, same, track},
};

const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=30000/1001:d=4";
const SOUND: &str = "-f lavfi -i sine=r=48000:d=4";
const X264: &str = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 30 -bf 2";

/// Makes a file, publishes it as it is, and compares both tracks. Gives the codecs strings.
async fn compare(ffmpeg: Ffmpeg, encode: &str, publish: &str) -> (String, String) {
    let dir = tempfile::tempdir().unwrap();
    ffmpeg.make(dir.path(), &format!("{PICTURE} {SOUND} {encode} source.mp4")).await;
    let mut house = House::open().await;
    let url = house.url("key");
    let line = format!("-i source.mp4 -c copy {publish} -f flv {url}");
    let out = ffmpeg.run(dir.path(), &line).await;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let feed = house.opened().await;
    assert_eq!(house.closed().await, Ended::Finished);
    let (video, audio) = (track(&feed, "video 0"), track(&feed, "audio 0"));
    let source = dir.path().join("source.mp4");
    let shift = same(&file(&source, "v:0"), &ring(&video).await, None);
    same(&file(&source, "a:0"), &ring(&audio).await, Some(shift));
    (video.spec.codec().unwrap(), audio.spec.codec().unwrap())
}

#[tokio::test]
async fn h264_with_b_frames_and_aac() {
    let codecs = compare(Ffmpeg::System, &format!("{X264} -c:a aac"), "").await;
    assert_eq!(codecs, ("avc1.64000d".into(), "mp4a.40.2".into()));
}

#[tokio::test]
async fn the_same_from_a_recent_ffmpeg() {
    compare(Ffmpeg::Recent, &format!("{X264} -c:a aac"), "").await;
}

#[tokio::test]
async fn hevc_and_opus() {
    let encode = "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=2 -tag:v hvc1 -pix_fmt yuv420p -g 30 -c:a libopus";
    let (video, audio) = compare(Ffmpeg::Recent, encode, "-rtmp_enhanced_codecs hvc1,Opus").await;
    assert!(video.starts_with("hvc1.1.6.L") && audio == "opus", "{video} {audio}");
}

#[tokio::test]
async fn av1_and_ac3() {
    let encode = "-c:v libsvtav1 -preset 12 -g 30 -pix_fmt yuv420p -c:a ac3";
    let (video, audio) = compare(Ffmpeg::Recent, encode, "-rtmp_enhanced_codecs av01,ac-3").await;
    assert!(video.starts_with("av01.0.00M.08") && audio == "ac-3", "{video} {audio}");
}

#[tokio::test]
async fn vp9() {
    let encode = "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 30 -pix_fmt yuv420p -c:a aac";
    let (video, _) = compare(Ffmpeg::Recent, encode, "-rtmp_enhanced_codecs vp09").await;
    assert!(video.starts_with("vp09.00."), "{video}");
}

/// Two pictures and two sounds in one connection.
#[tokio::test]
async fn several_tracks() {
    let dir = tempfile::tempdir().unwrap();
    let other = "-f lavfi -i testsrc=s=160x90:r=25:d=4 -f lavfi -i sine=f=880:r=44100:d=4";
    let maps = "-map 0:v -map 2:v -map 1:a -map 3:a";
    Ffmpeg::Recent
        .make(dir.path(), &format!("{PICTURE} {SOUND} {other} {maps} {X264} -c:a aac source.mp4"))
        .await;
    let mut house = House::open().await;
    let line = format!("-i source.mp4 -map 0 -c copy -f flv {}", house.url("key"));
    let out = Ffmpeg::Recent.run(dir.path(), &line).await;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let feed = house.opened().await;
    assert_eq!(house.closed().await, Ended::Finished);
    let source = dir.path().join("source.mp4");
    let mut shift = None;
    for (stream, name) in [("v:0", "video 0"), ("v:1", "video 1"), ("a:0", "audio 0"), ("a:1", "audio 1")] {
        shift = Some(same(&file(&source, stream), &ring(&track(&feed, name)).await, shift));
    }
}

/// ffmpeg's times have 31 bits: they begin again in the middle of the stream.
#[tokio::test]
async fn times_that_begin_again() {
    compare(Ffmpeg::System, &format!("{X264} -c:a aac"), "-output_ts_offset 2147482").await;
}

#[tokio::test]
async fn within_tls() {
    let dir = tempfile::tempdir().unwrap();
    Ffmpeg::System.make(dir.path(), &format!("{PICTURE} {SOUND} {X264} -c:a aac source.mp4")).await;
    let listen = |config: &mut live::Config| config.rtmp.listen_tls = Some("127.0.0.1:0".parse().unwrap());
    let mut house = House::start(listen, Some(certificate(dir.path()).await)).await;
    let url = format!("rtmps://{}/live/key", house.listening.encrypted.unwrap());
    Ffmpeg::System.make(dir.path(), &format!("-i source.mp4 -c copy -f flv {url}")).await;
    let feed = house.opened().await;
    house.closed().await;
    same(&file(&dir.path().join("source.mp4"), "v:0"), &ring(&track(&feed, "video 0")).await, None);
    let knocks = house.door.knocks.lock().unwrap();
    let Knock { protocol, app, encrypted, .. } = &knocks[0];
    assert_eq!((*protocol, app.as_str(), *encrypted), (Protocol::Rtmp, "live", true));
}

/// Another implementation of the protocol, where Debian's gstreamer1.0-tools, -plugins-good and -plugins-bad are installed.
#[tokio::test]
async fn gstreamer() {
    if tokio::process::Command::new("gst-launch-1.0").arg("--version").output().await.is_err() {
        eprintln!("gst-launch-1.0 is not installed; not checked");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    Ffmpeg::System.make(dir.path(), &format!("{PICTURE} {SOUND} {X264} -c:a aac source.flv")).await;
    let mut house = House::open().await;
    // It moves times in ways of its own: what it publishes is written into a file as well.
    let sinks = format!(
        "tee name=t ! queue ! rtmp2sink location={} t. ! queue ! filesink location=sent.flv",
        house.url("key")
    );
    let line = format!(
        "-q filesrc location=source.flv ! flvdemux name=d flvmux name=m streamable=true ! {sinks} d.video ! queue ! h264parse ! m. d.audio ! queue ! aacparse ! m."
    );
    let mut command = tokio::process::Command::new("gst-launch-1.0");
    let out = command.args(line.split_whitespace()).current_dir(dir.path()).output().await.unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let feed = house.opened().await;
    assert_eq!(house.closed().await, Ended::Finished);
    let source = dir.path().join("sent.flv");
    let shift = same(&file(&source, "v:0"), &ring(&track(&feed, "video 0")).await, None);
    same(&file(&source, "a:0"), &ring(&track(&feed, "audio 0")).await, Some(shift));
}

/// As fast as real time, so that what is measured can be checked.
#[tokio::test]
async fn a_live_stream_is_measured() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::open().await;
    let url = house.url("key");
    let line = format!("-re {PICTURE} -re {SOUND} {X264} -b:v 400k -c:a aac -b:a 64k -f flv {url}");
    let publishing = publish(dir.path(), &line);
    let feed = house.opened().await;
    tokio::time::sleep(std::time::Duration::from_millis(3500)).await;
    let snapshot = feed.snapshot(tokio::time::Instant::now());
    publishing.await.unwrap();
    assert!(snapshot.tracks.len() == 2 && snapshot.silence_ms < 2000, "{snapshot:?}");
    let video = snapshot.tracks.iter().find(|track| track.track == "video 0").unwrap();
    assert!((15_000..45_000).contains(&video.frame_rate_milli), "{snapshot:?}");
    assert!((990..1010).contains(&video.key_interval_ms.unwrap()), "{snapshot:?}");
    assert_eq!((video.width, video.height, video.dropped, video.missing), (Some(320), Some(180), 0, 0));
    assert!(snapshot.encoder.as_ref().is_some_and(|name| name.starts_with("Lavf")), "{snapshot:?}");
    assert_eq!(snapshot.advice(), []);
    assert!(snapshot.bitrate_bps > 50_000 && snapshot.lead_ms.abs() < 2000, "{snapshot:?}");
}

fn publish(dir: &Path, line: &str) -> tokio::task::JoinHandle<()> {
    let mut command = Ffmpeg::System.command(dir, line);
    tokio::spawn(async move {
        assert!(command.status().await.unwrap().success());
    })
}
