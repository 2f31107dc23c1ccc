//! ffmpeg publishes over SRT; what lies in the rings is what lies in its file, though packets are lost on the way.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use live::{Ended, Feed, Knock, Passphrase, Protocol};
use tokio::net::UdpSocket;

use crate::{
    house::{Ffmpeg, House},
    probe::{Packet, file, ring, track},
};

const PICTURE: &str = "-f lavfi -i testsrc2=s=320x180:r=30000/1001:d=6";
const SOUND: &str = "-f lavfi -i sine=r=48000:d=6";
const X264: &str = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 30 -bf 2 -b:v 1500k";
/// Frames that may be missing at the end, where packets are lost.
const LOSSY: usize = 40;
const X265: &str = "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=2:info=0 -tag:v hvc1 -pix_fmt yuv420p -g 30";

/// What came is what was sent, frame by frame. ffmpeg hangs up when its last packet has been written, whether or not it has arrived: of the end, up
/// to `tail` frames may be missing. Times are those of the stream, 90 kHz.
fn same(sent: &[Packet], came: &[Packet], tail: usize, shift: Option<i64>) -> i64 {
    assert!(came.len() <= sent.len() && came.len() + tail >= sent.len(), "{} of {}", came.len(), sent.len());
    let shift = shift.unwrap_or_else(|| came[0].dts - sent[0].dts);
    for (n, (sent, came)) in sent.iter().zip(came).enumerate() {
        let near = |a: i64, b: i64| (a + shift - b).abs() <= 50;
        assert!(
            near(sent.dts, came.dts) && near(sent.pts, came.pts),
            "{n}: {sent:?} {came:?}, moved by {shift}"
        );
        assert_eq!((sent.key, sent.size, sent.crc), (came.key, came.size, came.crc), "{n}");
    }
    shift
}

async fn compare(dir: &Path, feed: &Feed, tail: usize) {
    let source = dir.join("source.mp4");
    let (video, audio) = (ring(&track(feed, "video 0")).await, ring(&track(feed, "audio 0")).await);
    let shift = same(&file(&source, "v:0"), &video, tail, None);
    same(&file(&source, "a:0"), &audio, tail * 2, Some(shift));
    let snapshot = feed.snapshot(tokio::time::Instant::now());
    // What began and did not end when ffmpeg hung up is dropped.
    assert!(snapshot.tracks.iter().all(|track| track.dropped <= 1), "{snapshot:?}");
}

/// Makes a file and publishes it in real time.
async fn publish(house: &mut House, encode: &str, mux: &str, url: &str, tail: usize) -> Feed {
    let dir = tempfile::tempdir().unwrap();
    Ffmpeg::System.make(dir.path(), &format!("{PICTURE} {SOUND} {encode} source.mp4")).await;
    let out =
        Ffmpeg::System.run(dir.path(), &format!("-re -i source.mp4 -c copy {mux} -f mpegts {url}")).await;
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let feed = house.opened().await;
    let ended = house.closed().await;
    // The goodbye is said once, and may be lost.
    assert!(ended == Ended::Finished || (tail == LOSSY && ended == Ended::Lost), "{ended}");
    compare(dir.path(), &feed, tail).await;
    feed
}

#[tokio::test]
async fn h264_and_aac() {
    let mut house = House::open().await;
    let url = house.srt_url("streamid=#!::r=key,m=publish");
    let feed = publish(&mut house, &format!("{X264} -c:a aac"), "", &url, 20).await;
    assert_eq!(track(&feed, "video 0").spec.timescale, 90_000);
    let knocks = house.door.knocks.lock().unwrap();
    let Knock { protocol, app, encrypted, .. } = &knocks[0];
    assert_eq!((*protocol, app.as_str(), *encrypted), (Protocol::Srt, "", false));
}

#[tokio::test]
async fn hevc_within_encryption() {
    for (bits, option) in [(128, ""), (256, ""), (128, "&pbkeylen=32"), (256, "&pbkeylen=16")] {
        let mut house = House::with(|config| {
            config.srt.listen[0].passphrase = Some(Passphrase::new("correct-horse"));
            config.srt.listen[0].key_bits = bits;
        })
        .await;
        let url = house.srt_url(&format!("streamid=publish:key&passphrase=correct-horse{option}"));
        let feed = publish(&mut house, &format!("{X265} -c:a aac -t 4"), "", &url, 20).await;
        assert!(track(&feed, "video 0").spec.codec().unwrap().starts_with("hvc1.1.6.L"));
        assert!(house.door.knocks.lock().unwrap()[0].encrypted);
    }
}

/// Times of 33 bits begin again in the middle of the stream.
#[tokio::test]
async fn times_that_begin_again() {
    let mut house = House::open().await;
    let url = house.srt_url("streamid=key");
    let feed = publish(&mut house, &format!("{X264} -c:a aac"), "-output_ts_offset 95440", &url, 20).await;
    let video = ring(&track(&feed, "video 0")).await;
    let (first, last) = (video[0].dts, video[video.len() - 1].dts);
    let end = (1i64 << 33) * 100 / 9;
    assert!(first < end && end < last, "{first} {last}");
}

/// One in twenty packets is lost, there and back: all frames arrive within the latency.
#[tokio::test]
async fn lost_packets_are_sent_again() {
    for secret in [None, Some("correct-horse")] {
        let mut house = House::with(|config| {
            config.srt.listen[0].passphrase = secret.map(Passphrase::new);
        })
        .await;
        let (relay, lost) = relay(house.srt.addresses[0], 20).await;
        let passphrase = secret.map(|secret| format!("&passphrase={secret}")).unwrap_or_default();
        let url = format!("srt://{relay}?pkt_size=1316&streamid=key&latency=600000{passphrase}");
        publish(&mut house, &format!("{X264} -c:a aac"), "", &url, LOSSY).await;
        assert!(lost.load(Ordering::Relaxed) > 40, "{lost:?} packets were lost");
    }
}

/// Twenty megabits in a second, encrypted.
#[tokio::test]
async fn a_large_stream() {
    let dir = tempfile::tempdir().unwrap();
    let noise = "-f lavfi -i color=s=640x360:r=25:d=4,noise=alls=100:allf=t -c:v libx264 -preset ultrafast -g 25 -b:v 20M -minrate 20M -maxrate 20M -bufsize 10M";
    Ffmpeg::System.make(dir.path(), &format!("{noise} source.mp4")).await;
    // Where much runs beside this, packets are late.
    let patient = |config: &mut live::Config| {
        config.srt.listen[0].passphrase = Some(Passphrase::new("correct-horse"));
        (config.srt.listen[0].latency_ms, config.srt.max_buffer_packets) = (3000, 16_384);
    };
    let mut house = House::with(patient).await;
    let url = house.srt_url("streamid=key&passphrase=correct-horse");
    Ffmpeg::System.make(dir.path(), &format!("-re -i source.mp4 -c copy -f mpegts {url}")).await;
    let feed = house.opened().await;
    assert_eq!(house.closed().await, Ended::Finished);
    let sent = file(&dir.path().join("source.mp4"), "v:0");
    let bytes: usize = sent.iter().map(|packet| packet.size).sum();
    assert!(bytes > 7_000_000, "{bytes}");
    same(&sent, &ring(&track(&feed, "video 0")).await, 10, None);
}

/// Far more is lost than can be sent again in time: what comes in are whole frames all the same, with their times.
#[tokio::test]
async fn what_never_comes_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    Ffmpeg::System.make(dir.path(), &format!("{PICTURE} {SOUND} {X264} -c:a aac source.mp4")).await;
    let mut house = House::with(|config| config.srt.listen[0].latency_ms = 20).await;
    let (relay, _) = relay(house.srt.addresses[0], 4).await;
    let url = format!("srt://{relay}?pkt_size=1316&streamid=key&latency=20000&connect_timeout=20000");
    Ffmpeg::System.run(dir.path(), &format!("-re -i source.mp4 -c copy -f mpegts {url}")).await;
    let feed = house.opened().await;
    house.closed().await;
    let source = dir.path().join("source.mp4");
    let mut left_out = 0;
    for (stream, name) in [("v:0", "video 0"), ("a:0", "audio 0")] {
        let (sent, came) = (file(&source, stream), ring(&track(&feed, name)).await);
        left_out += sent.len() - came.len();
        assert!(came.len() > 10, "{name}: {}", came.len());
        let (mut rest, mut shift) = (sent.iter(), None);
        for packet in &came {
            let found = rest.find(|sent| (sent.crc, sent.size) == (packet.crc, packet.size));
            let moved = packet.dts - found.unwrap_or_else(|| panic!("{name}: {packet:?} was never sent")).dts;
            assert!((moved - *shift.get_or_insert(moved)).abs() < 50, "{name}: {packet:?}");
        }
    }
    let dropped: u64 =
        feed.snapshot(tokio::time::Instant::now()).tracks.iter().map(|track| track.dropped).sum();
    assert!(left_out > 20 && dropped > 10, "{left_out} left out, {dropped} counted");
}

/// Another implementation of the demuxer's other side, where GStreamer's tools and its bad plugins are installed.
#[tokio::test]
async fn gstreamer() {
    let inspect = tokio::process::Command::new("gst-inspect-1.0").arg("srtsink").output().await;
    if !inspect.is_ok_and(|out| out.status.success()) {
        eprintln!("GStreamer's srtsink is not installed; not checked");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    Ffmpeg::System.make(dir.path(), &format!("{PICTURE} {SOUND} {X264} -c:a aac source.mp4")).await;
    let mut house = House::open().await;
    // What srtsink is given before it is connected is gone: parameter sets come with each key frame.
    let line = format!(
        "-q filesrc location=source.mp4 ! qtdemux name=d mpegtsmux name=m ! srtsink sync=true uri=srt://{}?streamid=key d. ! queue ! h264parse config-interval=-1 ! m. d. ! queue ! aacparse ! m.",
        house.srt.addresses[0]
    );
    let mut command = tokio::process::Command::new("gst-launch-1.0");
    let out = command.args(line.split_whitespace()).current_dir(dir.path()).output().await.unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let feed = house.opened().await;
    house.closed().await;
    let came = ring(&track(&feed, "video 0")).await;
    assert!(came.len() >= 120 && came[0].key, "{}", came.len());
}

/// Stands between a caller and `to`, and loses one in `every` packets of both.
async fn relay(to: SocketAddr, every: u64) -> (SocketAddr, Arc<AtomicU64>) {
    let (front, back) =
        (UdpSocket::bind("127.0.0.1:0").await.unwrap(), UdpSocket::bind("127.0.0.1:0").await.unwrap());
    back.connect(to).await.unwrap();
    let (address, lost) = (front.local_addr().unwrap(), Arc::new(AtomicU64::new(0)));
    let count = lost.clone();
    tokio::spawn(async move {
        let (mut caller, mut seed) = (None, 1u64);
        let (mut there, mut here) = ([0; 2048], [0; 2048]);
        loop {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let loses = (seed >> 33).is_multiple_of(every);
            tokio::select! {
                Ok((size, peer)) = front.recv_from(&mut there) => {
                    caller = Some(peer);
                    if loses {
                        count.fetch_add(1, Ordering::Relaxed);
                    } else {
                        let _ = back.send(&there[..size]).await;
                    }
                }
                Ok(size) = back.recv(&mut here) => match caller {
                    Some(peer) if !loses => drop(front.send_to(&here[..size], peer).await),
                    _ => drop(count.fetch_add(1, Ordering::Relaxed)),
                }
            }
        }
    });
    (address, lost)
}
