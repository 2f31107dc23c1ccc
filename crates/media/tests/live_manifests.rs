//! Manifests of events: what they tell of segments and parts, and what an update leaves out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use media::{
    dash,
    descriptor::{self, Descriptor, Extent, Track, TrackKind},
    hls,
    live::{Newest, Part, Rules, Segment, Window},
    selection::Selection,
};

const STARTED: i64 = 1_767_225_600_000_000;

fn rules(low: bool) -> Rules {
    Rules { target_s: 2, part_ms: low.then_some(340), started_at: STARTED }
}

fn part(independent: bool) -> Part {
    Part { duration: 30_000, independent }
}

/// Two seconds each; those at `breaks` begin with another encoder.
fn segments(from: u64, count: u64, breaks: &[u64]) -> Vec<Segment> {
    let segment = |number: u64| Segment {
        start: number * 180_000,
        duration: 180_000,
        bytes: 500_000,
        breaks: breaks.contains(&number),
        parts: (0..6).map(|n| part(n == 0)).collect(),
    };
    (from..from + count).map(segment).collect()
}

fn window<'a>(first: u64, segments: &'a [Segment], open: &'a [Part]) -> Window<'a> {
    Window { timescale: 90_000, first, breaks: 0, segments, open, open_breaks: false, ended: false }
}

#[test]
fn parts_are_told_near_the_end_and_what_comes_next() {
    let (list, open) = (segments(40, 6, &[]), [part(true), part(false)]);
    let siblings = [Newest { track: "a0", segment: 46, part: Some(1) }];
    let text = hls::live_playlist(&window(40, &list, &open), &rules(true), false, &siblings);
    let expected = "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:2\n\
        #EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0,PART-HOLD-BACK=1.105\n\
        #EXT-X-PART-INF:PART-TARGET=0.340\n#EXT-X-MEDIA-SEQUENCE:40\n#EXT-X-INDEPENDENT-SEGMENTS\n\
        #EXT-X-MAP:URI=\"init.mp4\"\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:20.000Z\n#EXTINF:2.000000,\n40.m4s\n";
    assert!(text.starts_with(expected), "{text}");
    // Those that begin within six seconds of the end, which lies in the middle of segment 46.
    assert!(!text.contains("URI=\"43.0.m4s\"") && text.contains("URI=\"44.0.m4s\""), "{text}");
    let end = "#EXT-X-PART:DURATION=0.333333,URI=\"46.0.m4s\",INDEPENDENT=YES\n\
        #EXT-X-PART:DURATION=0.333334,URI=\"46.1.m4s\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"46.2.m4s\"\n\
        #EXT-X-RENDITION-REPORT:URI=\"../a0/playlist.m3u8\",LAST-MSN=46,LAST-PART=1\n";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn an_update_leaves_out_what_is_old() {
    let list = segments(100, 60, &[]);
    let window = window(100, &list, &[]);
    let whole = hls::live_playlist(&window, &rules(true), false, &[]);
    let update = hls::live_playlist(&window, &rules(true), true, &[]);
    assert!(
        update.contains("#EXT-X-MEDIA-SEQUENCE:100\n")
            && update.contains("#EXT-X-SKIP:SKIPPED-SEGMENTS=54\n")
    );
    assert!(!update.contains("\n153.m4s") && update.contains("\n154.m4s"), "{update}");
    assert!(update.len() * 2 < whole.len());
    // With nothing to leave out it is the whole list.
    let few = hls::live_playlist(&Window { segments: &list[..5], ..window }, &rules(true), true, &[]);
    assert!(!few.contains("EXT-X-SKIP"), "{few}");
}

#[test]
fn another_encoder_is_told_and_counted() {
    let list = segments(3, 4, &[5]);
    let past = Window { breaks: 2, ..window(3, &list, &[]) };
    let text = hls::live_playlist(&past, &rules(false), false, &[]);
    assert!(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:2\n"), "{text}");
    assert!(
        text.contains("4.m4s\n#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:10.000Z\n"),
        "{text}"
    );
    assert!(!text.contains("#EXT-X-PART") && text.contains("CAN-BLOCK-RELOAD=YES"), "{text}");
    let ended = hls::live_playlist(&Window { ended: true, ..past }, &rules(true), false, &[]);
    assert!(ended.ends_with("#EXT-X-ENDLIST\n") && !ended.contains("PRELOAD-HINT"), "{ended}");
}

fn track(id: &str, kind: TrackKind, codec: &str, timescale: u32) -> Track {
    let segments = vec![descriptor::Segment { duration: timescale * 2, bytes: 625_000, sync: Vec::new() }];
    Track {
        id: id.into(),
        kind,
        codec: codec.into(),
        timescale,
        language: None,
        label: id.into(),
        default: true,
        init: String::new(),
        extents: vec![Extent { object: String::new(), offset: 0, shift: 0, segments }],
    }
}

fn event() -> Descriptor {
    let video = TrackKind::Video { width: 1280, height: 720, frame_rate: (30, 1), range: Default::default() };
    let audio = TrackKind::Audio { sample_rate: 90_000, channels: 2, joc: None };
    let tracks = vec![track("v720p", video, "avc1.64001f", 90_000), track("a0", audio, "mp4a.40.2", 90_000)];
    Descriptor {
        format: 1,
        presentation: String::new(),
        version: 0,
        complete: false,
        created_at: STARTED,
        planned_duration_ms: 0,
        longest_segment_ms: 2000,
        tracks,
        storyboard: None,
    }
}

#[test]
fn a_dynamic_manifest_has_the_numbers_of_the_window() {
    let (event, list) = (event(), segments(40, 6, &[]));
    let windows = [window(40, &list, &[]), window(40, &list, &[])];
    let text = dash::live_mpd(&event, &windows, &rules(false), Selection::ALL);
    for told in [
        "availabilityStartTime=\"2026-01-01T00:00:00.000Z\"",
        "publishTime=\"2026-01-01T00:01:32.000Z\"",
        "minimumUpdatePeriod=\"PT2S\"",
        "timeShiftBufferDepth=\"PT12S\"",
        "startNumber=\"40\"",
        "<S t=\"7200000\" d=\"180000\" r=\"5\"/>",
        // What it may need, and not what it has needed.
        "bandwidth=\"2500000\"",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let over = windows.map(|window| Window { ended: true, ..window });
    let text = dash::live_mpd(&event, &over, &rules(false), Selection::ALL);
    assert!(
        text.contains("mediaPresentationDuration=\"PT92S\"") && !text.contains("minimumUpdatePeriod"),
        "{text}"
    );
}

#[test]
fn low_latency_tells_what_is_being_made() {
    let (event, mut list) = (event(), segments(40, 6, &[]));
    // Those that follow are expected to be as long as the longest of the last four.
    list[3].duration = 186_000;
    list[4].start += 6_000;
    list[5].start += 6_000;
    let windows = [window(40, &list, &[]), window(40, &list, &[])];
    let text = dash::live_mpd(&event, &windows, &rules(true), Selection::ALL);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "media=\"$RepresentationID$/$Number$.chunks.m4s\"",
        "availabilityTimeOffset=\"1.660\" availabilityTimeComplete=\"false\"",
        "suggestedPresentationDelay=\"PT1.02S\"",
        "<Latency referenceId=\"0\" target=\"2040\" min=\"1020\" max=\"6000\"/>",
        "<PlaybackRate min=\"0.96\" max=\"1.04\"/>",
        "<ProducerReferenceTime id=\"0\" inband=\"true\" type=\"encoder\" wallClockTime=\"2026-01-01T00:00:00.000Z\" presentationTime=\"0\">",
        "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"time.txt\"/>",
        "<S d=\"186000\"/> <S d=\"180000\" r=\"1\"/> <S d=\"186000\" r=\"1\"/>",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    let plain = dash::live_mpd(&event, &windows, &rules(false), Selection::ALL);
    let over = windows.map(|window| Window { ended: true, ..window });
    let over = dash::live_mpd(&event, &over, &rules(true), Selection::ALL);
    for text in [plain, over] {
        for told in
            ["chunks", "availabilityTimeOffset", "ServiceDescription", "ProducerReferenceTime", "http-iso"]
        {
            assert!(!text.contains(told), "{told}: {text}");
        }
    }
}
