//! ffprobe's list of a file's packets, and the same of a ring.

use std::{path::Path, process::Command};

use live::{
    Feed, FeedWriter, Kind, Track,
    ring::{Item, Start},
};
use media::{flv, frame::Event};
use serde_json::Value;
use tokio::time::Instant;

/// A packet as both sides tell it; times in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    pub dts: i64,
    pub pts: i64,
    pub key: bool,
    pub size: usize,
    pub crc: u32,
}

/// Packets of the file's stream, `v:0` or `a:0`.
pub fn file(path: &Path, stream: &str) -> Vec<Packet> {
    let out = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", stream, "-show_packets", "-show_data_hash", "crc32"])
        .args(["-print_format", "json"])
        .arg(path)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    let packet = |p: &Value| {
        let text = |name: &str| p[name].as_str().unwrap_or_else(|| panic!("{name}: {p}"));
        let micros = |name: &str| (text(name).parse::<f64>().unwrap() * 1e6).round() as i64;
        let crc = text("data_hash").strip_prefix("CRC32:").unwrap();
        Packet {
            dts: micros("dts_time"),
            pts: micros("pts_time"),
            key: text("flags").starts_with('K'),
            size: text("size").parse().unwrap(),
            crc: u32::from_str_radix(crc, 16).unwrap(),
        }
    };
    report["packets"].as_array().unwrap().iter().map(packet).collect()
}

/// All frames of a track to its end; none may be lost.
pub async fn ring(track: &Track) -> Vec<Packet> {
    let mut reader = track.ring.reader(Start::Oldest);
    let mut packets = Vec::new();
    while let Some(item) = reader.next().await {
        let Item::Frame(frame) = item else { panic!("{item:?}") };
        let scale = i64::from(frame.spec.timescale);
        let micros = |ticks: i64| ticks * 1_000_000 / scale;
        packets.push(Packet {
            dts: micros(frame.dts),
            pts: micros(frame.pts),
            key: frame.key,
            size: frame.data.len(),
            crc: crc32fast::hash(&frame.data),
        });
    }
    packets
}

/// What came is what was sent: every packet, in its bytes and its flags to the bit, in its times to the millisecond that RTMP has.
/// `shift` is what all of the publisher's times were moved by; found by the first packet when it is not known.
pub fn same(sent: &[Packet], came: &[Packet], shift: Option<i64>) -> i64 {
    assert!(sent.len() >= 100, "{} packets", sent.len());
    let shift = shift.unwrap_or_else(|| came[0].dts - sent[0].dts);
    assert_eq!(came.len(), sent.len());
    for (n, (sent, came)) in sent.iter().zip(came).enumerate() {
        let near = |a: i64, b: i64| (a + shift - b).abs() <= 1_500;
        assert!(
            near(sent.dts, came.dts) && near(sent.pts, came.pts),
            "{n}: {sent:?} {came:?}, moved by {shift}"
        );
        assert_eq!((sent.key, sent.size, sent.crc), (came.key, came.size, came.crc), "{n}");
    }
    shift
}

/// The feed's track of a name such as `video 0`.
pub fn track(feed: &Feed, name: &str) -> Track {
    let tracks = feed.tracks();
    let found = tracks.iter().find(|track| track.id.to_string() == name);
    found.unwrap_or_else(|| panic!("no {name} among {tracks:?}")).clone()
}

/// What an FLV file tells, in its order.
pub fn events(bytes: &[u8]) -> Vec<Event> {
    let (mut reader, mut demuxer, mut events) = (flv::Reader::new(1 << 20), flv::Demuxer::new(8), Vec::new());
    reader.feed(bytes);
    while let Some(tag) = reader.next().unwrap() {
        let kind = match tag.kind {
            flv::VIDEO => Kind::Video,
            flv::AUDIO => Kind::Audio,
            _ => continue,
        };
        demuxer.read(kind, tag.time_ms.into(), &tag.body, &mut events).unwrap();
    }
    events
}

/// Writes an FLV file into a feed.
pub fn fill(writer: &mut FeedWriter, bytes: &[u8]) {
    for event in events(bytes) {
        match event {
            Event::Track(id, spec) => writer.describe(id, spec),
            Event::Sample(id, sample) => writer.push(id, sample, Instant::now()),
            _ => {}
        }
    }
}
