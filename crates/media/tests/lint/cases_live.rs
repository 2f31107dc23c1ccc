//! Rules of playlists that grow, and of low latency.

use media::lint::rules::hls_live as rules;

use crate::{
    rules::{Case, bad, case, ended, read, run, text},
    world::World,
};

const PARTS: &str = r#"#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:4
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0,HOLD-BACK=12,CAN-SKIP-UNTIL=24
#EXT-X-PART-INF:PART-TARGET=1.0
#EXT-X-MEDIA-SEQUENCE:100
#EXT-X-MAP:URI="init.mp4"
#EXTINF:4.0,
s100.m4s
#EXT-X-PART:DURATION=1.0,URI="s101.0.m4s",INDEPENDENT=YES
#EXT-X-PART:DURATION=1.0,URI="s101.1.m4s"
#EXT-X-PART:DURATION=1.0,URI="s101.2.m4s"
#EXT-X-PART:DURATION=0.5,URI="s101.3.m4s"
#EXTINF:3.5,
s101.m4s
#EXT-X-PART:DURATION=1.0,URI="s102.0.m4s",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="s102.1.m4s"
#EXT-X-RENDITION-REPORT:URI="../a/list.m3u8",LAST-MSN=102,LAST-PART=0
"#;

const LIST: &str = r#"#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:10
#EXT-X-DISCONTINUITY-SEQUENCE:2
#EXT-X-PROGRAM-DATE-TIME:2025-06-15T12:00:00.000Z
#EXTINF:4.000,
#EXT-X-GAP
10.m4s
#EXT-X-DISCONTINUITY
#EXT-X-PROGRAM-DATE-TIME:2025-06-15T12:00:04.000Z
#EXTINF:4.000,
#EXT-X-GAP
11.m4s
#EXTINF:4.000,
#EXT-X-GAP
12.m4s
#EXTINF:4.000,
#EXT-X-GAP
13.m4s
"#;

const NEXT: &str = "#EXTINF:4.000,\n#EXT-X-GAP\n14.m4s\n";

/// A playlist, and what it is at its next load; then it ends.
fn live(rule: &'static media::lint::Rule, first: &str, from: &str, to: &str) -> Case {
    let mut world = World::default();
    world.files.insert("list.m3u8".into(), first.as_bytes().to_vec());
    let next = format!("{first}{NEXT}");
    assert!(next.contains(from), "{from}");
    case(rule, world, "list.m3u8", |w| {
        w.then("list.m3u8", |_| next.replacen(from, to, 1));
        w.then("list.m3u8", ended);
    })
}

pub fn cases() -> Vec<Case> {
    let mut cases = reloads();
    cases.extend(parts());
    cases
}

fn reloads() -> Vec<Case> {
    let list = |rule, from, to| live(rule, LIST, from, to);
    let event = LIST.replace("#EXT-X-MEDIA", "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA");
    let first = "#EXT-X-PROGRAM-DATE-TIME:2025-06-15T12:00:00.000Z\n#EXTINF:4.000,\n#EXT-X-GAP\n10.m4s\n";
    let cut = |rule, playlist: &str, ahead: &str| {
        let from = format!("SEQUENCE:10\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n{first}");
        live(rule, playlist, &from, &format!("SEQUENCE:11\n#EXT-X-DISCONTINUITY-SEQUENCE:{ahead}\n"))
    };
    vec![
        list(&rules::SEQUENCE_BACK, "#EXT-X-MEDIA-SEQUENCE:10", "#EXT-X-MEDIA-SEQUENCE:9"),
        list(&rules::SEGMENT_CHANGED, "13.m4s", "13b.m4s"),
        list(&rules::SEGMENT_CHANGED, "#EXTINF:4.000,\n#EXT-X-GAP\n13", "#EXTINF:3.000,\n#EXT-X-GAP\n13"),
        cut(&rules::EVENT_REMOVED, &event, "2"),
        live(&rules::TARGET_CHANGED, LIST, "DURATION:4", "DURATION:5"),
        live(&rules::TYPE_CHANGED, &event, "#EXT-X-PLAYLIST-TYPE:EVENT\n", ""),
        cut(&rules::DISCONTINUITY_SEQUENCE, LIST, "3"),
        list(&rules::DATE_CHANGED, "12:00:04.000Z", "12:00:04.050Z"),
        case(&rules::STALLED, World::default(), "list.m3u8", |w| {
            w.files.insert("list.m3u8".into(), LIST.as_bytes().to_vec());
        }),
        live(
            &rules::WINDOW_SHORT,
            &LIST.replacen("#EXTINF:4.000,\n#EXT-X-GAP\n12.m4s\n", "", 1).replacen(
                "#EXTINF:4.000,\n#EXT-X-GAP\n11",
                "#EXTINF:1.000,\n#EXT-X-GAP\n11",
                1,
            ),
            &format!("SEQUENCE:10\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n{first}"),
            "SEQUENCE:11\n#EXT-X-DISCONTINUITY-SEQUENCE:2\n",
        ),
    ]
}

fn parts() -> Vec<Case> {
    let parts = |rule, from, to| text(rule, PARTS, from, to);
    let shorter = PARTS.replace("#EXTINF:3.5", "#EXTINF:3.2");
    vec![
        parts(&rules::PART_INF, "#EXT-X-PART-INF:PART-TARGET=1.0\n", ""),
        parts(&rules::PART_DURATION, "DURATION=1.0,URI=\"s102.0", "DURATION=1.2,URI=\"s102.0"),
        text(&rules::PART_SHORT, &shorter, "DURATION=1.0,URI=\"s101.1", "DURATION=0.7,URI=\"s101.1"),
        parts(&rules::PART_SUM, "#EXTINF:3.5", "#EXTINF:3.9"),
        parts(&rules::PART_HOLD_BACK, "PART-HOLD-BACK=3.0,", ""),
        parts(&rules::PART_HOLD_BACK, "PART-HOLD-BACK=3.0", "PART-HOLD-BACK=1.5"),
        parts(&rules::PART_HOLD_BACK_SHORT, "PART-HOLD-BACK=3.0", "PART-HOLD-BACK=2.5"),
        parts(&rules::HOLD_BACK, "HOLD-BACK=12", "HOLD-BACK=8"),
        parts(&rules::CAN_SKIP, "CAN-SKIP-UNTIL=24", "CAN-SKIP-UNTIL=12"),
        parts(&rules::CAN_SKIP, "CAN-SKIP-UNTIL=24", "CAN-SKIP-DATERANGES=YES"),
        parts(&rules::CAN_BLOCK, "CAN-BLOCK-RELOAD=YES,", ""),
        parts(&rules::SKIP, "#EXT-X-MAP", "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n#EXT-X-MAP"),
        parts(
            &rules::PRELOAD_HINT,
            "#EXT-X-PRELOAD-HINT",
            "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"x\"\n#EXT-X-PRELOAD-HINT",
        ),
        parts(&rules::PRELOAD_HINT, "#EXT-X-RENDITION-REPORT", "#EXT-X-ENDLIST\n#EXT-X-RENDITION-REPORT"),
        parts(&rules::RENDITION_REPORT, "../a/list", "https://example.org/a/list"),
    ]
}

#[test]
fn good_playlists_are_clean() {
    assert_eq!(bad(&read(PARTS)), Vec::<&str>::new());
    let mut world = World::default();
    world.files.insert("list.m3u8".into(), LIST.as_bytes().to_vec());
    world.then("list.m3u8", |text| format!("{text}{NEXT}"));
    world.then("list.m3u8", ended);
    let report = world.check("list.m3u8");
    assert_eq!(report.broken(), Vec::<&str>::new(), "{:?}", report.findings());
}

#[test]
fn each_rule_is_broken_alone() {
    run(cases());
}
