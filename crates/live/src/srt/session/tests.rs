//! A publisher that stays for days, driven faster than the clock, and one whose times jump.

use super::*;
use crate::{
    Windows,
    ring::{Item, Reader, Start},
};

/// Sound's PIDs, the first of which tells the clock.
const PIDS: [u16; 2] = [0x101, 0x102];
const WRAP: u64 = 1 << 33;

/// The CRC of sections (ISO/IEC 13818-1 annex A).
fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum >> 31 == 1 { sum << 1 ^ 0x04c1_1db7 } else { sum << 1 };
    bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte) << 24, step))
}

fn packet(pid: u16, counter: u8, marks: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x47, 0x40 | (pid >> 8) as u8, pid as u8, 0x30 | counter & 15];
    let fill = 182 - payload.len();
    out.extend([fill as u8 + 1, marks]);
    out.extend(std::iter::repeat_n(0xff, fill));
    out.extend_from_slice(payload);
    out
}

fn section(pid: u16, table: u8, body: &[u8]) -> Vec<u8> {
    let mut section = vec![table, 0xb0, body.len() as u8 + 9, 0, 1, 0xc1, 0, 0];
    section.extend_from_slice(body);
    section.extend(crc(&section).to_be_bytes());
    packet(pid, 0, 0, &[&[0], &section[..]].concat())
}

fn tables() -> Vec<u8> {
    let [one, two] = PIDS.map(|pid| [0x0f, 0xe0 | (pid >> 8) as u8, pid as u8, 0xf0, 0]);
    let map = [&[0xe1, 0x01, 0xf0, 0][..], &one, &two].concat();
    [section(0, 0, &[0, 1, 0xe1, 0]), section(0x100, 2, &map)].concat()
}

/// One frame of sound: 48 kHz, stereo.
fn frame(pid: u16, counter: u8, marks: u8, time: u64) -> Vec<u8> {
    let time = time % WRAP;
    let mut pes = vec![0, 0, 1, 0xc0, 0, 20, 0x80, 0x80, 5];
    let low = |shift: u32| ((time >> shift) as u8) << 1 | 1;
    pes.extend([
        0x20 | ((time >> 30) as u8 & 7) << 1 | 1,
        (time >> 22) as u8,
        low(15),
        (time >> 7) as u8,
        low(0),
    ]);
    pes.extend([0xff, 0xf1, 0x4c, 0x80, 0x01, 0x9f, 0xfc, 1, 2, 3, 4, 5]);
    packet(pid, counter, marks, &pes)
}

fn publisher(start: Instant) -> (Publisher, feed::Feed) {
    let (writer, feed) = feed::feed(Windows { seconds: 60, ..Windows::default() }, start);
    let mut publisher = Publisher::new(writer, Limits::default(), &Srt::default());
    publisher.take(&tables(), start).unwrap();
    (publisher, feed)
}

fn readers(feed: &feed::Feed) -> Vec<Reader> {
    feed.tracks().iter().map(|track| track.ring.reader(Start::Oldest)).collect()
}

/// Four days across three ends of 33 bits: times go on without a break, tracks stay together, and memory stays as it is.
#[test]
fn days_change_nothing() {
    let start = Instant::now();
    let (mut publisher, feed) = publisher(start);
    let first = WRAP - 90_000 * 3600;
    let (mut reading, mut held) = (Vec::new(), 0);
    for n in 0..4 * 86_400 / 4u64 {
        let now = start + Duration::from_secs(n * 4);
        for pid in PIDS {
            publisher.take(&frame(pid, n as u8, 0, first + n * 360_000), now).unwrap();
        }
        if n == 0 {
            reading = readers(&feed);
        }
        for reader in &mut reading {
            let Some(Item::Frame(frame)) = reader.try_next() else { panic!("{n}: a frame is missing") };
            assert_eq!((frame.dts, frame.discontinuity), ((first + n * 360_000) as i64, false), "{n}");
        }
        let holds: u64 = feed.tracks().iter().map(|track| track.ring.held().bytes).sum();
        if n == 1000 {
            held = holds;
        }
        assert!(n < 1000 || holds <= held, "{n}: {held} {holds}");
    }
    assert_eq!(reading.len(), 2);
}

/// A publisher that begins anew in the middle, with a word about it and without: times go on, and the next frame of each track says so.
#[test]
fn jumps_are_told() {
    let start = Instant::now();
    // Of an hour without a word; of two seconds with one.
    for (jump, marks) in [(3600 * 90_000, 0), (180_000, 0x90)] {
        let (mut publisher, feed) = publisher(start);
        let mut reading = Vec::new();
        let mut got = Vec::new();
        for n in 0..6u64 {
            let time = if n < 3 { jump + n * 1920 } else { (n - 3) * 1920 };
            for pid in PIDS {
                let marks = if n == 3 && pid == PIDS[0] { marks } else { 0 };
                publisher.take(&frame(pid, n as u8, marks, time), start).unwrap();
            }
            if n == 0 {
                reading = readers(&feed);
            }
            for reader in &mut reading {
                let Some(Item::Frame(frame)) = reader.try_next() else { panic!("{n}: a frame is missing") };
                got.push((frame.dts - jump as i64, frame.discontinuity));
            }
        }
        let expected = [0, 1920, 3840, 3841, 5761, 7681].map(|time| [(time, time == 3841); 2]);
        assert_eq!(got, expected.concat(), "{jump}");
    }
}
