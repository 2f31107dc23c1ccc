//! A publisher that stays for days, driven faster than the clock.

use bytes::Bytes;
use media::flv::amf;

use super::*;
use crate::{
    Windows,
    ring::{Item, Start},
    rtmp::chunk::{self, Message, write},
};

fn message(kind: u8, time: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, 4, &Message { kind, stream: 1, time, body: Bytes::copy_from_slice(body) }, 128);
    out
}

fn command(name: &str, rest: &[Value]) -> Vec<u8> {
    let mut body = Vec::new();
    for value in [&[Value::text(name), Value::Number(1.0)], rest].concat() {
        amf::write(&mut body, &value);
    }
    message(chunk::COMMAND, 0, &body)
}

/// Four days across the end of 32 bits: times go on without a break, tracks stay together, and memory stays as it is.
#[test]
fn days_change_nothing() {
    let limits = session::Limits { message: 1 << 20, partial: 1 << 20, chunk_streams: 8 };
    let mut session = Session::new(limits, [0; 1528]);
    let publish = command("publish", &[Value::Null, Value::text("key")]);
    session.feed(&[&[3][..], &[0; 3072], &command("connect", &[]), &publish].concat());
    assert!(matches!(session.next(), Ok(Some(Event::Publish { .. }))));
    session.admit();

    let start = Instant::now();
    let (writer, feed) = feed::feed(Windows { seconds: 60, ..Windows::default() }, start);
    let mut publisher = Publisher::new(writer, Limits::default());
    // Two tracks of sound, the second in extended tags.
    let first = u32::MAX - 2 * 86_400_000;
    let config = [&[0x95, 0][..], b"mp4a", &[1, 0x11, 0x90]].concat();
    for body in [&[0xaf, 0, 0x11, 0x90][..], &config] {
        session.feed(&message(chunk::AUDIO, first, body));
    }
    let mut readers: Option<Vec<_>> = None;
    let (mut seen, mut last) = (0u64, None);
    let mut held = 0;
    for n in 0..4 * 86_400 / 4 {
        let (time, now) = (first.wrapping_add(n * 4000), start + Duration::from_secs(u64::from(n) * 4));
        session.feed(&message(chunk::AUDIO, time, &[0xaf, 1, 1, 2, 3]));
        session.feed(&message(chunk::AUDIO, time, &[&[0x95, 1][..], b"mp4a", &[1, 9, 9]].concat()));
        publisher.take(&mut session, 100, now).unwrap();
        session.take_output();
        let readers = readers
            .get_or_insert_with(|| feed.tracks().iter().map(|t| t.ring.reader(Start::Oldest)).collect());
        let mut times = Vec::new();
        for reader in readers {
            let Some(Item::Frame(frame)) = reader.try_next() else { panic!("{n}: a frame is missing") };
            assert!(!frame.discontinuity, "{n}");
            times.push(frame.dts);
        }
        assert_eq!(times[0], times[1], "the tracks stay together");
        assert_eq!(last.map_or(4_000_000, |last| times[0] - last), 4_000_000, "{n}");
        (seen, last) = (seen + 1, Some(times[0]));
        let now_held =
            session.held() + feed.tracks().iter().map(|t| t.ring.held().bytes as usize).sum::<usize>();
        if n == 1000 {
            held = now_held;
        }
        assert!(n < 1000 || now_held <= held + 4096, "{n}: {held} {now_held}");
    }
    assert_eq!(seen, 86_400);
    let end = i64::from(first) * 1000 + 86_399 * 4_000_000;
    assert_eq!(feed.snapshot(start).media_time_us, Some(end));
}
