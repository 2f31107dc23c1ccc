//! SRT: who is not let in and what it is told, silence, publishers that come again, and streams that are none.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use live::{Config, Ended, Passphrase, ring::Start};
use sapflow_srt::CallerCloseReason::{PeerClosed, Rejected};
use tokio::time::{sleep, timeout};

use crate::{
    house::{Ffmpeg, House, SOON},
    probe::{ring, track},
    srt_client::SrtClient,
};

const LIVE: &str = "-re -f lavfi -i testsrc2=s=160x90:r=25 -re -f lavfi -i sine=r=48000 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25 -c:a aac";

/// The numbers of the access control guidelines: 1000, and 1000 for those that an application gives, and one of HTTP.
async fn refused(house: &House, stream_id: &str, passphrase: Option<&str>) -> u32 {
    match SrtClient::knock(house.srt.addresses[0], stream_id, passphrase).await {
        Err(Rejected(code)) => code,
        Err(other) => panic!("{stream_id}: {other:?}"),
        Ok(_) => panic!("{stream_id} was let in"),
    }
}

#[tokio::test]
async fn a_wrong_key_learns_nothing() {
    let house = House::with(|config| config.srt.refusal_ms = 300).await;
    for id in ["wrong", "ke", "key2", "#!::r=wrong,m=publish", "publish:../key", " key"] {
        let since = Instant::now();
        assert_eq!(refused(&house, id, None).await, 2401, "{id}");
        let after = since.elapsed();
        assert!(after >= Duration::from_millis(300) && after < Duration::from_millis(900), "{id}: {after:?}");
    }
    assert!(house.slots.is_empty());
}

#[tokio::test]
async fn each_refusal_has_its_number() {
    let mut house = House::open().await;
    for (id, code) in
        [("early", 2423), ("away", 2503), ("", 2400), ("#!::m=publish", 2400), ("#!::r=key,m=request", 2405)]
    {
        assert_eq!(refused(&house, id, None).await, code, "{id}");
    }
    let first = SrtClient::knock(house.srt.addresses[0], "key", None).await.unwrap();
    house.opened().await;
    first.send(&[0x47; 188]);
    assert_eq!(refused(&house, "key", None).await, 2409, "another is there");
    let second = SrtClient::knock(house.srt.addresses[0], "spare", None).await.unwrap();
    house.opened().await;
    drop((first, second));
}

#[tokio::test]
async fn who_does_not_know_the_passphrase_learns_nothing_of_keys() {
    let secret =
        |config: &mut Config| config.srt.listen[0].passphrase = Some(Passphrase::new("correct-horse"));
    let house = House::with(secret).await;
    for key in ["key", "wrong"] {
        assert_eq!(refused(&house, key, Some("wrong-horse")).await, 1010, "SRT_REJ_BADSECRET");
    }
    assert!(house.door.knocks.lock().unwrap().is_empty(), "nobody has been asked");
    assert_eq!(refused(&house, "wrong", Some("correct-horse")).await, 2401);
    let open = House::open().await;
    assert_eq!(refused(&open, "key", Some("correct-horse")).await, 1011);
}

#[tokio::test]
async fn each_port_has_its_own_passphrase() {
    let two = |config: &mut Config| {
        let mut other = config.srt.listen[0].clone();
        other.passphrase = Some(Passphrase::new("correct-horse"));
        config.srt.listen.push(other);
    };
    let mut house = House::with(two).await;
    let [open, secret] = house.srt.addresses[..] else { panic!("two ports") };
    let plain = SrtClient::knock(open, "key", None).await.unwrap();
    house.opened().await;
    let encrypted = SrtClient::knock(secret, "spare", Some("correct-horse")).await.unwrap();
    house.opened().await;
    assert!(SrtClient::knock(open, "spare", Some("correct-horse")).await.is_err());
    for client in [plain, encrypted] {
        client.finish();
        assert_eq!(house.closed().await, Ended::Finished);
    }
    let encrypted: Vec<bool> =
        house.door.knocks.lock().unwrap().iter().map(|knock| knock.encrypted).collect();
    assert_eq!(encrypted, [false, true]);
}

/// What the person at ffmpeg sees.
#[tokio::test]
async fn ffmpeg_is_told_why() {
    let dir = tempfile::tempdir().unwrap();
    let secret =
        |config: &mut Config| config.srt.listen[0].passphrase = Some(Passphrase::new("correct-horse"));
    let house = House::with(secret).await;
    for (options, words) in [
        ("streamid=key&passphrase=wrong-horse", "Incorrect passphrase"),
        ("streamid=key", "Password required or unexpected"),
        ("streamid=wrong&passphrase=correct-horse", "Application-defined rejection reason"),
    ] {
        let line = format!("{LIVE} -t 3 -f mpegts {}", house.srt_url(options));
        let out =
            Ffmpeg::System.command(dir.path(), &line).arg("-loglevel").arg("warning").output().await.unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && said.contains(words), "{options}: {said}");
    }
}

#[tokio::test]
async fn as_many_as_there_may_be() {
    let mut house = House::with(|config| config.srt.max_connections_per_address = 1).await;
    let first = SrtClient::knock(house.srt.addresses[0], "key", None).await.unwrap();
    house.opened().await;
    assert_eq!(refused(&house, "spare", None).await, 2402);
    first.finish();
    assert_eq!(house.closed().await, Ended::Finished);
    sleep(Duration::from_millis(100)).await;
    assert!(SrtClient::knock(house.srt.addresses[0], "spare", None).await.is_ok());
}

/// The connection lives, but nothing comes.
#[tokio::test]
async fn silence_ends_a_publisher() {
    let mut house = House::with(|config| config.srt.idle_ms = 1500).await;
    let client = SrtClient::knock(house.srt.addresses[0], "key", None).await.unwrap();
    house.opened().await;
    assert_eq!(house.closed().await, Ended::Silent(2));
    assert_eq!(client.closed().await, PeerClosed);
    assert!(house.slots.is_empty());
}

/// Packets come, and there is nothing in them.
#[tokio::test]
async fn a_stream_without_frames_is_sent_away() {
    let mut house = House::with(|config| config.srt.idle_ms = 1000).await;
    let client = SrtClient::knock(house.srt.addresses[0], "key", None).await.unwrap();
    house.opened().await;
    let mut nothing = [0xff; 188];
    nothing[..4].copy_from_slice(&[0x47, 0x1f, 0xff, 0x10]);
    let sending = async {
        loop {
            client.send(&nothing);
            sleep(Duration::from_millis(50)).await;
        }
    };
    let ended = tokio::select! {
        ended = house.closed() => ended,
        () = sending => unreachable!(),
    };
    assert!(matches!(&ended, Ended::Unfit(words) if words.starts_with("Nothing in the stream")), "{ended}");
}

/// An encoder that is killed is noticed, and its place is free for the next before that.
#[tokio::test]
async fn a_killed_publisher_gives_way() {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::with(|config| {
        (config.srt.takeover_ms, config.srt.lost_ms) = (1000, 20_000);
    })
    .await;
    let line = format!("{LIVE} -f mpegts {}", house.srt_url("streamid=key"));
    let mut first = Ffmpeg::System.command(dir.path(), &line).stderr(Stdio::null()).spawn().unwrap();
    let feed = house.opened().await;
    frames(&feed, 20).await;
    first.start_kill().unwrap();
    sleep(Duration::from_millis(2000)).await;
    let _second = Ffmpeg::System.command(dir.path(), &line).stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(house.closed().await, Ended::Replaced);
    frames(&house.opened().await, 20).await;
}

#[tokio::test]
async fn a_lost_connection_is_noticed() {
    let mut house = House::with(|config| config.srt.lost_ms = 1000).await;
    let client = SrtClient::knock(house.srt.addresses[0], "key", None).await.unwrap();
    house.opened().await;
    drop(client);
    assert_eq!(house.closed().await, Ended::Lost);
}

#[tokio::test]
async fn who_is_sent_away_is_hung_up_on() {
    let mut house = House::open().await;
    let client = SrtClient::knock(house.srt.addresses[0], "key", None).await.unwrap();
    house.opened().await.dismiss("Enough.");
    assert_eq!(house.closed().await, Ended::Dismissed("Enough.".into()));
    assert_eq!(client.closed().await, PeerClosed);
    let client = SrtClient::knock(house.srt.addresses[0], "key", None).await.unwrap();
    house.opened().await;
    let House { srt, .. } = house;
    timeout(SOON, srt.stop()).await.unwrap();
    assert_eq!(client.closed().await, PeerClosed);
}

/// What a publisher may not do, and what nobody can use.
#[tokio::test]
async fn limits_hold() {
    let dir = tempfile::tempdir().unwrap();
    type Change = fn(&mut Config);
    let cases: [(Change, &str, &str); 4] = [
        (
            |config| (config.limits.width, config.limits.height) = (120, 80),
            "",
            "The picture has 160 x 90 points",
        ),
        (|config| config.limits.duration_seconds = 2, "", "The stream has reached the 2 s"),
        (|config| config.limits.tracks = 1, "", "The stream has more than 1 tracks."),
        (
            |_| {},
            "-c:a mp2",
            "MPEG audio (MP2, MP3) is not supported. Set H.264 or HEVC and AAC or Opus in your encoder.",
        ),
    ];
    for (change, codec, words) in cases {
        let mut house = House::with(change).await;
        let line = format!("{LIVE} {codec} -t 20 -f mpegts {}", house.srt_url("streamid=key"));
        let mut ffmpeg = Ffmpeg::System.command(dir.path(), &line).stderr(Stdio::null()).spawn().unwrap();
        match house.closed().await {
            Ended::Unfit(said) => assert!(said.starts_with(words), "{said}"),
            other => panic!("{words}: {other}"),
        }
        assert!(!timeout(SOON, ffmpeg.wait()).await.unwrap().unwrap().success(), "ffmpeg was not stopped");
    }
}

/// Forty streams with something wrong in each: whoever sends one harms nobody, and memory stays as it is.
#[tokio::test]
async fn malformed_streams_harm_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let good = stream(dir.path()).await;
    let mut house = House::with(|config| {
        (config.srt.max_frame_bytes, config.srt.max_partial_bytes) = (100_000, 150_000);
        config.windows.video_bytes = 1 << 20;
        config.srt.listen[0].latency_ms = 20;
    })
    .await;
    let mut seed = 1u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    for n in 0..40 {
        let mut bytes = good.clone();
        match n % 8 {
            // Bytes that were changed, anywhere, and in headers alone.
            0 => (0..400).for_each(|_| bytes[next() % good.len()] = next() as u8),
            1 => (0..200).for_each(|_| bytes[next() % (good.len() / 188) * 188 + next() % 24] = next() as u8),
            // Packets in a wrong order, and again and again.
            2 => (0..100).for_each(|_| {
                let (from, to) = (next() % (good.len() / 188) * 188, next() % (good.len() / 188) * 188);
                bytes.copy_within(from..from + 188, to);
            }),
            // Pieces that are missing.
            3 => (0..20).for_each(|_| {
                let from = next() % (bytes.len() - 2000);
                bytes.drain(from..from + next() % 1000);
            }),
            // A frame that never ends.
            4 => bytes.chunks_mut(188).skip(200).for_each(|packet| packet[1] &= 0xbf),
            // No tables; all counters alike; noise.
            5 => bytes.chunks_mut(188).for_each(|packet| packet[1] |= u8::from(packet[1] & 0x1f == 0)),
            6 => bytes.chunks_mut(188).for_each(|packet| packet[3] &= 0xf0),
            _ => bytes.iter_mut().for_each(|byte| *byte = next() as u8),
        }
        let client = SrtClient::knock(house.srt.addresses[0], "key", None).await.unwrap();
        let feed = house.opened().await;
        client.send(&bytes);
        client.finish();
        let ended = house.closed().await;
        assert!(matches!(ended, Ended::Finished | Ended::Unfit(_)), "{n}: {ended}");
        let held: u64 = feed.tracks().iter().map(|track| track.ring.held().bytes).sum();
        assert!(held < 6 << 20, "{n}: {held} bytes");
        drop(client);
    }
    let client = SrtClient::knock(house.srt.addresses[0], "key", None).await.unwrap();
    let feed = house.opened().await;
    client.send(&good);
    client.finish();
    assert_eq!(house.closed().await, Ended::Finished);
    assert_eq!(ring(&track(&feed, "video 0")).await.len(), 75);
}

/// Three seconds.
async fn stream(dir: &Path) -> Vec<u8> {
    let sources = LIVE.replace("-re ", "");
    Ffmpeg::System.make(dir, &format!("{sources} -t 3 -f mpegts good.ts")).await;
    std::fs::read(dir.join("good.ts")).unwrap()
}

/// Waits for so many frames of the picture.
async fn frames(feed: &live::Feed, count: usize) {
    let mut tracks = feed.watch_tracks();
    let seen = timeout(SOON, tracks.wait_for(|tracks| !tracks.is_empty())).await.unwrap();
    drop(seen.unwrap());
    let mut reader = track(feed, "video 0").ring.reader(Start::Oldest);
    for _ in 0..count {
        timeout(SOON, reader.next()).await.unwrap().unwrap();
    }
}
