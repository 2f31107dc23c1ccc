//! Wrong keys, silence, publishers that come again, and those who send anything at all.

use std::time::Duration;

use live::{
    Ended,
    ring::{Item, Start},
    rtmp::chunk,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::{
    client::{Client, message},
    house::{Ffmpeg, House, SOON},
    probe::{ring, track},
};

#[tokio::test]
async fn a_wrong_key_learns_nothing() {
    let house = House::with(|config| config.rtmp.refusal_ms = 300).await;
    for key in ["wrong", "ke", "key2", "", "../key", "key\0"] {
        let since = Instant::now();
        let mut client = Client::knock(house.address(), key).await;
        let said = client.status().await.unwrap();
        let took = since.elapsed();
        assert_eq!(
            said,
            ("NetStream.Publish.Denied".into(), "This stream key is not valid.".into()),
            "{key}"
        );
        assert!(took.as_millis() >= 300, "{key}: {took:?}");
        assert_eq!(client.status().await, None, "and that was all");
    }
    assert!(house.slots.is_empty());
    let knocks = format!("{:?}", house.door.knocks.lock().unwrap());
    assert!(!knocks.contains("wrong"), "keys are not written into logs");
}

#[tokio::test]
async fn ffmpeg_is_told_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let house = House::open().await;
    let publish = |key| format!("-f lavfi -i testsrc2=s=64x64:d=1 -c:v libx264 -f flv {}", house.url(key));
    for (key, words) in [
        ("wrong", "This stream key is not valid."),
        ("early", "The event begins at 20:00."),
        ("away", "The server cannot check the stream key at the moment."),
    ] {
        let out = Ffmpeg::System.run(dir.path(), &publish(key)).await;
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success() && said.contains(words), "{key}: {said}");
    }
}

#[tokio::test]
async fn one_publisher_has_a_place() {
    let mut house = House::open().await;
    let mut first = Client::publish(house.address(), "key").await;
    first.sound(0, 1, 10).await;
    let (code, words) = Client::knock(house.address(), "key").await.status().await.unwrap();
    assert_eq!(
        (code.as_str(), words.contains("Another encoder")),
        ("NetStream.Publish.BadName", true),
        "{words}"
    );
    let _spare = Client::publish(house.address(), "spare").await;
    let places = [house.opened().await, house.opened().await];
    assert_eq!((house.slots.len(), places.len()), (2, 2));
    drop(first);
    assert_eq!(house.closed().await, Ended::Lost);
    Client::publish(house.address(), "key").await;
}

#[tokio::test]
async fn who_comes_again_takes_the_place_of_a_silent_self() {
    let mut house = House::with(|config| config.rtmp.takeover_ms = 200).await;
    let mut stalled = Client::publish(house.address(), "key").await;
    stalled.sound(0, 5, 10).await;
    let first = house.opened().await;
    sleep(Duration::from_millis(300)).await;
    let mut again = Client::publish(house.address(), "key").await;
    assert_eq!(house.closed().await, Ended::Replaced);
    again.sound(0, 3, 10).await;
    let second = house.opened().await;
    assert_eq!(ring(&track(&first, "audio 0")).await.len(), 5, "what was sent before is there");
    drop(again);
    assert_eq!(house.closed().await, Ended::Lost);
    assert_eq!(ring(&track(&second, "audio 0")).await.len(), 3);
}

#[tokio::test]
async fn silence_ends_a_session_and_is_seen_before() {
    let mut house = House::with(|config| config.rtmp.idle_ms = 700).await;
    let mut client = Client::publish(house.address(), "key").await;
    client.sound(0, 5, 10).await;
    let feed = house.opened().await;
    sleep(Duration::from_millis(400)).await;
    let snapshot = feed.snapshot(Instant::now());
    assert!(snapshot.silence_ms >= 300 && snapshot.media_time_us == Some(80_000), "{snapshot:?}");
    assert_eq!(house.closed().await, Ended::Silent(1));
    assert_eq!(client.status().await.unwrap().0, "NetStream.Publish.Idle");
}

#[tokio::test]
async fn nobody_may_stand_in_the_door() {
    let mut house = House::with(|config| {
        config.rtmp.handshake_ms = 300;
        config.rtmp.max_connections = 2;
    })
    .await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        waiting.push(TcpStream::connect(house.address()).await.unwrap());
    }
    sleep(Duration::from_millis(50)).await;
    let mut third = TcpStream::connect(house.address()).await.unwrap();
    assert!(matches!(third.read(&mut [0]).await, Ok(0) | Err(_)), "there is no room");
    for mut stream in waiting {
        assert!(matches!(timeout(SOON, stream.read(&mut [0])).await.unwrap(), Ok(0) | Err(_)), "too slow");
    }
    sleep(Duration::from_millis(50)).await;
    Client::publish(house.address(), "key").await;
    house.opened().await;
}

#[tokio::test]
async fn publishers_are_sent_away_with_words() {
    let mut house = House::open().await;
    let mut client = Client::publish(house.address(), "key").await;
    house.opened().await.dismiss("The key was changed.");
    let expected = ("NetStream.Publish.Rejected".to_owned(), "The key was changed.".to_owned());
    assert_eq!(client.status().await, Some(expected));
    assert_eq!(house.closed().await, Ended::Dismissed("The key was changed.".into()));
    let mut client = Client::publish(house.address(), "key").await;
    let feed = house.opened().await;
    client.sound(0, 2, 10).await;
    let watch = async {
        let mut tracks = feed.watch_tracks();
        let track = tracks.wait_for(|tracks| !tracks.is_empty()).await.unwrap()[0].clone();
        let mut reader = track.ring.reader(Start::Oldest);
        let mut frames = 0;
        while let Some(item) = reader.next().await {
            assert!(matches!(item, Item::Frame(_)));
            frames += 1;
        }
        frames
    };
    let stop = async {
        sleep(Duration::from_millis(100)).await;
        house.listening.stop().await;
    };
    let said = async { client.status().await.unwrap().0 };
    let (frames, (), code) = timeout(SOON, async { tokio::join!(watch, stop, said) }).await.unwrap();
    assert_eq!((frames, code.as_str()), (2, "NetConnection.Connect.AppShutdown"));
}

/// The protocol's own 32 bits begin again in the middle of the stream.
#[tokio::test]
async fn times_of_32_bits_go_on() {
    let mut house = House::open().await;
    let mut client = Client::publish(house.address(), "key").await;
    let start = u32::MAX - 999;
    client.sound(start, 100, 10).await;
    drop(client);
    let feed = house.opened().await;
    house.closed().await;
    let came = ring(&track(&feed, "audio 0")).await;
    let times: Vec<i64> = came.iter().map(|packet| packet.dts).collect();
    let expected: Vec<i64> = (0..100).map(|n| (i64::from(start) + n * 20) * 1000).collect();
    assert_eq!(times, expected);
}

/// Damaged media are passed over or end the session; the next publisher is served as if nothing had been.
#[tokio::test]
async fn damaged_media_harm_nobody() {
    let mut house = House::open().await;
    let damaged: [(&str, u8, &[u8], bool); 14] = [
        ("VP6", chunk::VIDEO, &[0x14, 0], true),
        ("H.263", chunk::VIDEO, &[0x12, 0], true),
        ("MP3", chunk::AUDIO, &[0x2f, 0], true),
        ("Speex", chunk::AUDIO, &[0xbf, 0], true),
        ("VVC", chunk::VIDEO, b"\x90vvc1\x01", true),
        ("FLAC", chunk::AUDIO, b"\x90fLaC\x01", true),
        ("half a header", chunk::VIDEO, &[0x17, 1, 0], false),
        ("half a codec's name", chunk::VIDEO, b"\x90hv", false),
        ("a configuration of nothing", chunk::VIDEO, &[0x17, 0, 0, 0, 0, 1, 2, 3], false),
        ("a sample rate that does not exist", chunk::AUDIO, &[0xaf, 0, 0x17, 0x10], false),
        ("a frame before its track", chunk::VIDEO, &[0x27, 1, 0, 0, 0, 1], false),
        ("an endless modifier", chunk::VIDEO, &[0x97, 0xff, 0xff, 0xff], false),
        ("tracks of wrong size", chunk::VIDEO, b"\x96\x11av01\x00\xff\xff\xff", false),
        ("Opus without its name", chunk::AUDIO, b"\x90OpusOpusTags", false),
    ];
    for (what, kind, body, ends) in damaged {
        let mut client = Client::publish(house.address(), "key").await;
        let feed = house.opened().await;
        client.send(&message(kind, 0, body)).await;
        client.sound(20, 3, 10).await;
        if ends {
            let (code, words) = client.status().await.unwrap();
            assert_eq!(
                (code.as_str(), words.contains("is not supported")),
                ("NetStream.Publish.Rejected", true),
                "{what}: {words}"
            );
        } else {
            drop(client);
        }
        let ended = house.closed().await;
        assert_eq!(matches!(ended, Ended::Unfit(_)), ends, "{what}: {ended}");
        if !ends {
            assert_eq!(ring(&track(&feed, "audio 0")).await.len(), 3, "{what}");
        }
    }
    // One after another, they are too many.
    let mut client = Client::publish(house.address(), "key").await;
    for _ in 0..100 {
        client.send(&message(chunk::VIDEO, 0, &[0x17, 1])).await;
    }
    let (_, words) = client.status().await.unwrap();
    assert!(words.contains("cannot be read"), "{words}");
}

/// Bytes of no sense, at each stage of a conversation: the listener lives on.
#[tokio::test]
async fn noise_ends_connections_and_nothing_else() {
    let mut house = House::with(|config| config.rtmp.handshake_ms = 1000).await;
    let mut seed = 1u64;
    let mut noise = |n: usize| {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as u8
        };
        (0..n).map(|_| next()).collect::<Vec<u8>>()
    };
    let mut ends = tokio::task::JoinSet::new();
    for n in 0..24 {
        let bytes = [&[3][..], &noise(1536 + n * 100)].concat();
        let address = house.address();
        ends.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let _ = stream.write_all(&bytes).await;
            let mut all = Vec::new();
            let _ = timeout(SOON, stream.read_to_end(&mut all)).await.unwrap();
        });
    }
    while let Some(end) = ends.join_next().await {
        end.unwrap();
    }
    for _ in 0..12 {
        let mut client = Client::publish(house.address(), "key").await;
        house.opened().await;
        let _ = client.raw(&noise(5000)).await;
        drop(client);
        let ended = house.closed().await;
        assert!(matches!(ended, Ended::Broken(_) | Ended::Lost), "{ended}");
    }
    let mut client = Client::publish(house.address(), "key").await;
    client.sound(0, 3, 10).await;
}
