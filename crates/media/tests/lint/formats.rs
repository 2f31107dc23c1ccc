//! Streams of other formats: transport streams, WebVTT, packed audio, byte ranges, and slow slides.

use std::{collections::BTreeMap, sync::OnceLock};

use media::lint::rules::hls_media as rules;

use crate::{
    rules::{Case, bad, case, run},
    support,
    world::{World, good},
};

pub fn cases() -> Vec<Case> {
    let vtt = || list("vtt", "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n".as_bytes());
    let aac = || list("aac", &packed());
    vec![
        case(&rules::TS_PACKETS, transport(), "list.m3u8", |w| {
            w.edit("s1.ts", |bytes| [bytes, b"x"].concat());
        }),
        case(&rules::TS_PAT, transport(), "list.m3u8", |w| {
            w.edit("s1.ts", |bytes| {
                let first =
                    bytes.chunks(188).position(|p| !matches!((p[1] & 31, p[2]), (0, 0 | 17))).unwrap();
                bytes[first * 188..].to_vec()
            });
        }),
        case(&rules::WEBVTT, vtt(), "list.m3u8", |w| {
            w.edit("0.vtt", |_| b"WEBVTT\nX-TIMESTAMP-MAP=LOCAL\n\n".to_vec())
        }),
        case(&rules::WEBVTT, vtt(), "list.m3u8", |w| w.edit("0.vtt", |_| b"WEBVTTX\n\n".to_vec())),
        case(&rules::PACKED_AUDIO, aac(), "list.m3u8", |w| {
            w.edit("0.aac", |bytes| bytes[bytes.len() - 4..].to_vec())
        }),
    ]
}

fn list(kind: &str, segment: &[u8]) -> World {
    let list = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n0.{kind}\n#EXTINF:4,\n1.{kind}\n#EXT-X-ENDLIST\n"
    );
    let files = [("list.m3u8".to_owned(), list.into_bytes())]
        .into_iter()
        .chain([0, 1].map(|n| (format!("{n}.{kind}"), segment.to_vec())));
    World { files: files.collect(), ..World::default() }
}

/// An ID3 tag with a timestamp, and the start of an ADTS frame.
fn packed() -> Vec<u8> {
    let owner = b"com.apple.streaming.transportStreamTimestamp\0";
    let frame = owner.len() as u8 + 8;
    let mut out =
        [&b"ID3\x04\0\0\0\0\0"[..], &[frame + 10], b"PRIV\0\0\0", &[frame, 0, 0], owner, &[0; 8]].concat();
    out.extend([0xff, 0xf1, 0x50, 0x80]);
    out
}

/// ffmpeg's transport streams.
pub fn transport() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    let make = || {
        let dir = tempfile::tempdir().unwrap();
        let args = "-f lavfi -i testsrc2=s=64x48:r=24:d=6 -c:v libx264 -g 48 -pix_fmt yuv420p -hls_time 2 -hls_playlist_type vod -hls_segment_filename s%d.ts list.m3u8";
        support::quiet("ffmpeg", &args.split(' ').collect::<Vec<_>>(), dir.path());
        World { files: folder(dir.path()), ..World::default() }
    };
    WORLD.get_or_init(make).clone()
}

/// All files of a folder and those in it.
pub fn folder(dir: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            files
                .extend(folder(&path).into_iter().map(|(inside, bytes)| (format!("{name}/{inside}"), bytes)));
        } else {
            files.insert(name, std::fs::read(path).unwrap());
        }
    }
    files
}

/// One picture a second: EXTINF may be off by one in each segment.
pub fn slideshow() -> World {
    static WORLD: OnceLock<World> = OnceLock::new();
    let make = || {
        let dir = tempfile::tempdir().unwrap();
        let args = "-f lavfi -i testsrc2=s=64x48:r=1:d=16 -c:v libx264 -g 2 -bf 0 -pix_fmt yuv420p -hls_time 2 -hls_segment_type fmp4 -hls_playlist_type vod list.m3u8";
        support::quiet("ffmpeg", &args.split(' ').collect::<Vec<_>>(), dir.path());
        let mut world = World { files: folder(dir.path()), ..World::default() };
        while world.text("list.m3u8").contains("#EXTINF:2.000000") {
            world.replace("list.m3u8", "#EXTINF:2.000000", "#EXTINF:2.000");
        }
        world
    };
    WORLD.get_or_init(make).clone()
}

/// A rung of the good presentation in one file.
pub fn ranges() -> World {
    let good = good();
    let mut world = World::default();
    let mut file = good.files["v96p/init.mp4"].clone();
    let mut list = good.text("v96p/playlist.m3u8");
    list = list.replace("URI=\"init.mp4\"", &format!("URI=\"all.mp4\",BYTERANGE=\"{}@0\"", file.len()));
    for n in 0..4 {
        let segment = &good.files[&format!("v96p/{n}.m4s")];
        let range = format!("\n#EXT-X-BYTERANGE:{}@{}\nall.mp4\n", segment.len(), file.len());
        list = list.replace(&format!("\n{n}.m4s\n"), &range);
        file.extend_from_slice(segment);
    }
    world.files.insert("list.m3u8".into(), list.into_bytes());
    world.files.insert("all.mp4".into(), file);
    world
}

#[test]
fn other_formats_are_clean() {
    let worlds = [
        transport(),
        slideshow(),
        ranges(),
        list("aac", &packed()),
        list("vtt", b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"),
    ];
    for (n, world) in worlds.iter().enumerate() {
        let report = world.check("list.m3u8");
        assert_eq!(bad(&report), Vec::<&str>::new(), "{n}: {:#?}", report.findings());
    }
    let unseen = transport().check("list.m3u8");
    assert!(unseen.not_checked().iter().any(|what| what.contains("not demultiplexed")), "{unseen:?}");
}

#[test]
fn each_rule_is_broken_alone() {
    run(cases());
}
