//! What a publisher may not do, and the words that it gets for it.

use live::{Config, Ended};
use tokio::io::AsyncWriteExt;

use crate::{
    client::{Client, message},
    house::{Ffmpeg, House},
};

/// Publishes in real time until the house ends it, and gives the words.
async fn sent_away(change: impl FnOnce(&mut Config), line: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut house = House::with(change).await;
    let out = Ffmpeg::System.run(dir.path(), &format!("{line} -f flv {}", house.url("key"))).await;
    assert!(!out.status.success(), "ffmpeg was not stopped");
    match house.closed().await {
        Ended::Unfit(words) => words,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn resolution() {
    let line = "-re -f lavfi -i testsrc2=s=640x360:d=20 -c:v libx264 -preset ultrafast";
    let limit = |config: &mut Config| (config.limits.width, config.limits.height) = (480, 270);
    let words = sent_away(limit, line).await;
    assert_eq!(
        words,
        "The picture has 640 x 360 points; 480 x 270 are allowed. Lower the resolution in your encoder."
    );
}

#[tokio::test]
async fn bitrate() {
    let line =
        "-re -f lavfi -i color=s=64x64:d=20,noise=alls=100:allf=t -c:v libx264 -preset ultrafast -qp 1";
    let words = sent_away(|config| config.limits.bitrate_bps = 100_000, line).await;
    assert!(words.ends_with("Mb/s; 0.1 Mb/s are allowed. Lower the bitrate in your encoder."), "{words}");
}

#[tokio::test]
async fn duration() {
    let line = "-re -f lavfi -i testsrc2=s=64x64:d=20 -c:v libx264 -preset ultrafast";
    let words = sent_away(|config| config.limits.duration_seconds = 2, line).await;
    assert_eq!(words, "The stream has reached the 2 s that are allowed.");
}

#[tokio::test]
async fn tracks() {
    let mut house = House::with(|config| config.limits.tracks = 2).await;
    let mut client = Client::publish(house.address(), "key").await;
    for number in 0..3 {
        // One track in a multitrack tag: what AAC needs to know.
        let body = [&[0x95, 0][..], b"mp4a", &[number, 0x11, 0x90]].concat();
        client.send(&message(8, 0, &body)).await;
    }
    assert_eq!(client.status().await.unwrap().1, "The stream has more than 2 tracks.");
    assert!(matches!(house.closed().await, Ended::Unfit(_)));
}

/// A key frame and then never another: the ring stays within its bytes.
#[tokio::test]
async fn memory() {
    let mut house = House::with(|config| config.windows.audio_bytes = 100_000).await;
    let mut client = Client::publish(house.address(), "key").await;
    client.sound(0, 2000, 1000).await;
    let feed = house.opened().await;
    drop(client);
    house.closed().await;
    let held = feed.tracks()[0].ring.held();
    assert!(held.bytes <= 100_000 && held.frames > 80, "{held:?}");
}

/// Media right behind the wish to publish are not taken in before the door has opened.
#[tokio::test]
async fn nothing_is_taken_in_before_the_door_opens() {
    let house = House::open().await;
    let mut stream = tokio::net::TcpStream::connect(house.address()).await.unwrap();
    let picture = [3u8, 0, 0, 0, 0, 0, 9, 9, 1, 0, 0, 0, 0x17, 0, 0, 0, 0, 1, 2, 3, 4];
    stream.write_all(&[&[3][..], &[0; 3072], &picture].concat()).await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
    assert_eq!(answer.len(), 3073, "the handshake, and no word");
    assert!(house.door.knocks.lock().unwrap().is_empty());
}
