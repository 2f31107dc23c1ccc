//! Whatever a stream holds, the lint ends with a report: no panic, no endless work.

use std::time::{Duration, Instant};

use media::lint::{
    Report, dash,
    hls::{self, Variables},
    mp4::{fragments, header},
};
use proptest::prelude::*;

use crate::world::{World, good};

/// Places in a file and what is written there.
fn damage() -> impl Strategy<Value = Vec<(prop::sample::Index, u8)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12)
}

fn damaged(bytes: &[u8], damage: &[(prop::sample::Index, u8)], length: prop::sample::Index) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for (at, byte) in damage {
        let at = at.index(out.len());
        out[at] = *byte;
    }
    if damage.len().is_multiple_of(3) {
        out.truncate(length.index(out.len()));
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn damaged_media_are_survived(header_damage in damage(), damage in damage(), length: prop::sample::Index) {
        let good = good();
        let mut report = Report::default();
        let init = damaged(&good.files["v96p/init.mp4"], &header_damage, length);
        // Mostly where the structure is.
        let segment = &good.files["v96p/1.m4s"];
        let head = damaged(&segment[..700.min(segment.len())], &damage, length);
        let segment = [&head[..], &segment[head.len()..]].concat();
        let found = header::read(&init, "init", &mut report).unwrap_or_default();
        fragments::read(&segment, "segment", &found, damage.len().is_multiple_of(2), &mut report);
    }

    #[test]
    fn damaged_presentations_are_survived(damage in damage(), length: prop::sample::Index, file in 0usize..5) {
        let mut world: World = good();
        let name = ["main.m3u8", "v96p/playlist.m3u8", "v96p/iframes.m3u8", "main.mpd", "storyboard/playlist.m3u8"][file];
        let changed = damaged(&world.files[name], &damage, length);
        world.files.insert(name.into(), changed);
        let root = if name == "main.mpd" { "main.mpd" } else { "main.m3u8" };
        // What is no playlist any more cannot be checked, which is an answer as well.
        let _ = std::panic::catch_unwind(|| world.try_check(root)).expect("it panics");
    }

    #[test]
    fn any_text_is_survived(text in "(#EXT-X-[A-Z]{3,12}:?[ -~]{0,40}\n|[ -~]{0,30}\n){0,30}") {
        let mut report = Report::default();
        hls::read(format!("#EXTM3U\n{text}").as_bytes(), "u", &Variables::new(), &mut report);
        dash::read(text.as_bytes(), "u", &mut report);
    }
}

#[test]
fn great_numbers_do_not_make_great_work() {
    let began = Instant::now();
    let mut report = Report::default();
    let timeline = |s: &str| {
        format!(
            "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" mediaPresentationDuration=\"PT99999999H\" minBufferTime=\"PT1S\">\
             <Period><AdaptationSet><SegmentTemplate timescale=\"4294967295\" media=\"$Time$\"><SegmentTimeline>{s}\
             </SegmentTimeline></SegmentTemplate><Representation id=\"r\" bandwidth=\"1\"/></AdaptationSet></Period></MPD>"
        )
    };
    for s in [
        "<S d=\"1\" r=\"9223372036854775807\"/>",
        "<S d=\"1\" r=\"-1\"/>",
        "<S t=\"9223372036854775807\" d=\"9223372036854775807\" r=\"5\"/>",
        "<S t=\"18446744073709551615\" d=\"1\"/>",
    ] {
        dash::read(timeline(s).as_bytes(), "m", &mut report).unwrap();
    }
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:9999999999999999999\n#EXT-X-MEDIA-SEQUENCE:9999999999999999999\n\
                #EXTINF:999999999999,\n#EXT-X-BYTERANGE:18446744073709551615@18446744073709551615\na\n";
    let many = format!(
        "#EXTM3U\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{}\"\n{}",
        "x".repeat(1000),
        "{$a}".repeat(100_000)
    );
    for text in [list, &many, &list.replace(":9999999999999999999", ":99999999999999999999")] {
        hls::read(text.as_bytes(), "u", &Variables::new(), &mut report);
    }
    // A run of samples that tells nothing of each takes no bytes to be long.
    let init = &good().files["v96p/init.mp4"];
    let header = header::read(init, "init", &mut report).unwrap();
    let trun = crate::boxes::new(b"trun", &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    let tfhd = crate::boxes::new(b"tfhd", &[0, 2, 0, 0, 0, 0, 0, 1]);
    let traf = crate::boxes::new(b"traf", &[&tfhd[..], &trun.repeat(50)].concat());
    let moof = crate::boxes::new(b"moof", &traf);
    fragments::read(
        &[&moof[..], &crate::boxes::new(b"mdat", &[])].concat(),
        "s",
        &header,
        false,
        &mut report,
    );
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn great_numbers_in_a_whole_presentation_are_survived() {
    let huge = "18446744073709551615";
    let changes = [
        ("v96p/playlist.m3u8", "#EXTINF:2.000000", "#EXTINF:999999999".to_owned()),
        ("v96p/playlist.m3u8", "TARGETDURATION:2", format!("TARGETDURATION:{huge}")),
        (
            "v96p/playlist.m3u8",
            "MEDIA-SEQUENCE:0",
            format!("MEDIA-SEQUENCE:{huge}\n#EXT-X-DISCONTINUITY-SEQUENCE:{huge}\n#EXT-X-DISCONTINUITY"),
        ),
        ("v96p/playlist.m3u8", "0.m4s", format!("#EXT-X-BYTERANGE:{huge}@0\n0.m4s")),
        ("main.m3u8", "BANDWIDTH=", format!("BANDWIDTH={huge},X=")),
        ("main.m3u8", "FRAME-RATE=", "FRAME-RATE=999999999.".to_owned()),
        ("main.mpd", "PT8.", "PT999999999H8.".to_owned()),
        ("main.mpd", "bandwidth=\"", format!("bandwidth=\"{huge}\" was=\"")),
        ("main.mpd", " d=\"", " d=\"9223372036854775807\" was=\"".to_owned()),
        ("main.mpd", "t=\"0\"", "t=\"9223372036854775807\"".to_owned()),
        (
            "main.mpd",
            "timescale=\"",
            "timescale=\"1\" presentationTimeOffset=\"9223372036854775807\" was=\"".to_owned(),
        ),
        ("main.mpd", "frameRate=\"24\"", format!("frameRate=\"{huge}/1\"")),
    ];
    for (name, from, to) in changes {
        let mut world = good();
        world.replace(name, from, &to);
        let root = if name == "main.mpd" { name } else { "main.m3u8" };
        // A bandwidth may be as great as it likes in DASH; all else is told.
        let told = !world.check(root).broken().is_empty();
        assert!(told || from == "bandwidth=\"", "{name} {from}");
    }
    for ticks in [i64::MAX, 1 << 62, -1] {
        let mut world = good();
        world.edit("v96p/1.m4s", |b| crate::boxes::poke(b, "moof/traf/tfdt", 4, &ticks.to_be_bytes()));
        for root in ["main.m3u8", "main.mpd"] {
            assert!(!world.check(root).broken().is_empty());
        }
    }
}
