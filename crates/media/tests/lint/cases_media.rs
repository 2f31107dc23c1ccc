//! Rules of media playlists, and of what they say about their media.

use media::lint::rules::{hls, hls_media as rules, http};

use crate::{
    boxes,
    rules::{Case, broken, case, run, text},
    world::{World, good},
};

const LIST: &str = r#"#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:4
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-DISCONTINUITY-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-START:TIME-OFFSET=4
#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x000102030405060708090a0b0c0d0e0f
#EXT-X-MAP:URI="init.mp4"
#EXT-X-DATERANGE:ID="ad",CLASS="ads",START-DATE="2025-06-15T12:00:00Z",END-DATE="2025-06-15T12:00:30Z",DURATION=30
#EXT-X-PROGRAM-DATE-TIME:2025-06-15T12:00:00.000Z
#EXTINF:4.000,
#EXT-X-BYTERANGE:1000@0
all.m4s
#EXTINF:4.000,
#EXT-X-BYTERANGE:1000
all.m4s
#EXT-X-PROGRAM-DATE-TIME:2025-06-15T12:00:08.000Z
#EXTINF:3.000,
#EXT-X-BYTERANGE:900
all.m4s
#EXT-X-ENDLIST
"#;

pub fn cases() -> Vec<Case> {
    let mut cases = playlists();
    cases.extend(media());
    cases.extend(across());
    cases.extend(served());
    cases
}

fn playlists() -> Vec<Case> {
    let list = |rule, from, to| text(rule, LIST, from, to);
    let late = LIST.replace("#EXT-X-MEDIA-SEQUENCE:0\n", "");
    vec![
        text(&hls::TAG_PLACEMENT, &late, "#EXT-X-ENDLIST", "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-ENDLIST"),
        list(&hls::TAG_SYNTAX, "#EXT-X-PLAYLIST-TYPE:VOD", "#EXT-X-PLAYLIST-TYPE:LIVE"),
        list(&hls::TAG_SYNTAX, "#EXTINF:3.000", "#EXTINF:3s"),
        list(&hls::TAG_SYNTAX, "#EXT-X-BYTERANGE:900", "#EXT-X-BYTERANGE:0-899"),
        list(&hls::URI_MISSING, "#EXT-X-ENDLIST", "#EXTINF:1,\n#EXT-X-ENDLIST"),
        list(&hls::START, "TIME-OFFSET=4", "TIME-OFFSET=-40"),
        list(&hls::KEY, "0x000102030405060708090a0b0c0d0e0f", "0x0001"),
        list(&hls::KEY, "METHOD=AES-128", "METHOD=NONE"),
        list(&hls::VERSION, "#EXT-X-VERSION:7", "#EXT-X-VERSION:5"),
        list(&rules::TARGET_MISSING, "#EXT-X-TARGETDURATION:4\n", ""),
        list(&rules::TARGET_EXCEEDED, "#EXTINF:3.000", "#EXTINF:4.500"),
        list(&rules::TARGET_SLACK, "DURATION:4", "DURATION:9"),
        list(&rules::EXTINF_MISSING, "#EXTINF:3.000,\n", ""),
        list(&rules::BYTERANGE, "1000@0", "1000"),
        list(&rules::DATE_TIME, "2025-06-15T12:00:00.000Z\n#EXTINF", "15.6.2025 12:00\n#EXTINF"),
        list(&rules::DATE_TIME_ZONE, "12:00:08.000Z", "12:00:08.000"),
        list(&rules::DATE_TIME_DRIFT, "12:00:08.000Z", "12:00:09.000Z"),
        list(&rules::DATERANGE, "12:00:30Z\",DURATION=30", "11:00:30Z\""),
        list(&rules::DATERANGE, "DURATION=30", "END-ON-NEXT=YES"),
        list(&rules::VOD_WITHOUT_END, "#EXT-X-ENDLIST\n", ""),
        text(&rules::NO_SEGMENTS, "#EXTM3U\n#EXT-X-TARGETDURATION:4\n", "4", "4"),
    ]
}

const LIST_A: &str = "v96p/playlist.m3u8";

/// Changes a number in the line that tells about the greater rung.
fn told(world: &mut World, name: &str, change: impl Fn(u64) -> u64) {
    let text = world.text("main.m3u8");
    let line = text.lines().find(|l| l.starts_with("#EXT-X-STREAM-INF") && l.contains("128x96")).unwrap();
    let start = line.find(&format!("{name}=")).unwrap() + name.len() + 1;
    let end = start + line[start..].find(',').unwrap();
    let value: u64 = line[start..end].parse().unwrap();
    let changed = format!("{}{}{}", &line[..start], change(value), &line[end..]);
    world.files.insert("main.m3u8".into(), text.replace(line, &changed).into_bytes());
}

/// Peak and average of a playlist's segments, as the files are now.
fn rates(world: &World, playlist: &str) -> (u64, u64) {
    let text = world.text(playlist);
    let folder = playlist.rsplit_once('/').unwrap().0;
    let durations = text.lines().filter_map(|l| l.strip_prefix("#EXTINF:"));
    let micros = durations.map(|d| (d.trim_end_matches(',').parse::<f64>().unwrap() * 1e6).round() as u64);
    let names = text.lines().filter(|l| !l.starts_with('#'));
    let pieces: Vec<(u64, u64)> =
        micros.zip(names).map(|(m, n)| (m, world.files[&format!("{folder}/{n}")].len() as u64)).collect();
    let rate = |run: &[(u64, u64)]| {
        run.iter().map(|p| p.1).sum::<u64>() * 8_000_000 / run.iter().map(|p| p.0).sum::<u64>()
    };
    let runs = (0..pieces.len()).flat_map(|a| (a + 1..=pieces.len()).map(move |b| (a, b)));
    let fits = |run: &&[(u64, u64)]| (1_000_000..=3_000_000).contains(&run.iter().map(|p| p.0).sum::<u64>());
    let peak = runs.map(|(a, b)| &pieces[a..b]).filter(fits).map(rate).max().unwrap();
    (peak, rate(&pieces))
}

/// Tells the bandwidths of files that a test has changed.
fn honest(world: &mut World) {
    let audio = rates(world, "a0/playlist.m3u8");
    for (name, size) in [("v96p", "128x96"), ("v48p", "64x48")] {
        let (peak, average) = rates(world, &format!("{name}/playlist.m3u8"));
        let variant = (peak + audio.0, average + audio.1);
        let pictures = rates(world, &format!("{name}/iframes.m3u8"));
        for (tag, (peak, average)) in
            [("#EXT-X-STREAM-INF", variant), ("#EXT-X-I-FRAME-STREAM-INF", pictures)]
        {
            let text = world.text("main.m3u8");
            let line = text.lines().find(|l| l.starts_with(tag) && l.contains(size)).unwrap();
            let rest: Vec<&str> = line.split(',').skip(2).collect();
            let changed =
                format!("{tag}:BANDWIDTH={},AVERAGE-BANDWIDTH={average},{}", peak + 1, rest.join(","));
            world.files.insert("main.m3u8".into(), text.replace(line, &changed).into_bytes());
        }
    }
}

fn media() -> Vec<Case> {
    vec![
        broken(&rules::MAP_MISSING, |w| w.replace(LIST_A, "#EXT-X-MAP:URI=\"init.mp4\"\n", "")),
        broken(&rules::FMP4_SELF_INIT, |w| {
            let moov = boxes::find(&w.files["v96p/init.mp4"], "moov");
            w.edit("v96p/3.m4s", |bytes| [&moov[..], bytes].concat());
            honest(w);
        }),
        broken(&rules::INDEPENDENT, |w| {
            w.edit("v96p/1.m4s", demoted);
            cmaf_less(w);
        }),
        broken(&rules::NO_KEY_FRAME, |w| {
            for name in ["main.m3u8", LIST_A] {
                w.replace(name, "#EXT-X-INDEPENDENT-SEGMENTS\n", "");
            }
            w.edit("v96p/1.m4s", all_demoted);
            cmaf_less(w);
        }),
        broken(&rules::EXTINF_DIFFERS, |w| {
            w.replace(LIST_A, "#EXTINF:2.000000", "#EXTINF:2.200000");
            honest(w);
        }),
        case(&rules::EXTINF_SUM_DIFFERS, crate::formats::slideshow(), "list.m3u8", |w| {
            for _ in 0..4 {
                w.replace("list.m3u8", "#EXTINF:2.000", "#EXTINF:2.400");
            }
        }),
        broken(&rules::TIMELINE_BREAK, |w| {
            w.edit("v96p/3.m4s", |bytes| later(bytes, 1 << 20));
            w.edit("v48p/3.m4s", |bytes| later(bytes, 1 << 20));
        }),
        broken(&rules::IFRAME, |w| {
            w.edit("v96p/i2.m4s", demoted);
            cmaf_less(w);
        }),
        broken(&rules::IFRAME_ONLY, |w| {
            let segment = w.files["v96p/0.m4s"].clone();
            w.files.insert("v96p/i0.m4s".into(), segment);
            honest(w);
        }),
        broken(&rules::BITRATE_TAG, |w| w.replace(LIST_A, "#EXTINF", "#EXT-X-BITRATE:9000\n#EXTINF")),
        broken(&rules::IMAGES, |w| w.replace("storyboard/playlist.m3u8", "64x48", "640x480")),
        broken(&rules::IMAGES, |w| w.replace("storyboard/playlist.m3u8", "#EXT-X-TILES", "#EXT-X-NONE")),
        case(&rules::SEGMENT_FORMAT, good(), LIST_A, |w| w.edit("v96p/3.m4s", |_| b"<html>".to_vec())),
        case(&rules::SEGMENT_FORMATS_MIXED, good(), LIST_A, |w| {
            w.edit("v96p/3.m4s", |_| b"WEBVTT\n\n".to_vec());
        }),
    ]
}

/// The first sample is no sync sample any more: neither by its flags nor by its NAL units.
pub fn demoted(bytes: &[u8]) -> Vec<u8> {
    let bytes = boxes::edit(bytes, "moof/traf/trun", &|whole| {
        let mut whole = whole.to_vec();
        let flags = u32::from_be_bytes(whole[8..12].try_into().unwrap());
        if flags & 4 != 0 {
            whole[20..24].copy_from_slice(&0x0101_0000u32.to_be_bytes());
        } else if flags & 0x400 != 0 {
            let fields = [0x100, 0x200].iter().filter(|bit| flags & **bit != 0).count();
            let at = 20 + 4 * fields;
            whole[at..at + 4].copy_from_slice(&0x0101_0000u32.to_be_bytes());
        }
        whole
    });
    let bytes = boxes::edit(&bytes, "moof/traf/tfhd", &|whole| {
        let mut whole = whole.to_vec();
        let end = whole.len();
        // A single sample takes its flags from here.
        if whole[end - 4..] == 0x0200_0000u32.to_be_bytes() {
            whole[end - 4..].copy_from_slice(&0x0101_0000u32.to_be_bytes());
        }
        whole
    });
    renamed(&bytes, true)
}

/// As `demoted`, for all samples of a segment of two GOPs.
fn all_demoted(bytes: &[u8]) -> Vec<u8> {
    let bytes = boxes::edit(bytes, "moof/traf/trun", &|whole| {
        let mut whole = whole.to_vec();
        for at in (20..whole.len() - 3).step_by(4) {
            if whole[at..at + 4] == 0x0200_0000u32.to_be_bytes() {
                whole[at..at + 4].copy_from_slice(&0x0101_0000u32.to_be_bytes());
            }
        }
        whole
    });
    renamed(&bytes, false)
}

/// Turns IDR slices into others, in the first sample or in all.
fn renamed(bytes: &[u8], only_first: bool) -> Vec<u8> {
    boxes::edit(bytes, "mdat", &|whole| {
        let mut whole = whole.to_vec();
        let mut at = 8;
        let mut pictures = 0;
        while at + 4 < whole.len() {
            let length = u32::from_be_bytes(whole[at..at + 4].try_into().unwrap()) as usize;
            let kind = whole[at + 4] & 31;
            if kind == 5 && (pictures == 0 || !only_first) {
                whole[at + 4] = whole[at + 4] & !31 | 1;
            }
            pictures += usize::from(matches!(kind, 1 | 5));
            at += 4 + length;
        }
        whole
    })
}

/// Without the brand, rules of CMAF alone say nothing.
pub fn cmaf_less(world: &mut World) {
    for name in ["v96p/init.mp4", "v48p/init.mp4", "a0/init.mp4"] {
        world.edit(name, |bytes| {
            boxes::edit(bytes, "ftyp", &|_| boxes::new(b"ftyp", b"iso6\0\0\0\0iso6iso6mp41"))
        });
    }
}

/// Moves a segment on the timeline.
pub fn later(bytes: &[u8], ticks: i64) -> Vec<u8> {
    boxes::edit(bytes, "moof/traf/tfdt", &|whole| {
        let mut whole = whole.to_vec();
        let old = i64::from_be_bytes(whole[12..20].try_into().unwrap());
        whole[12..20].copy_from_slice(&(old + ticks).to_be_bytes());
        whole
    })
}

fn across() -> Vec<Case> {
    let codec = |w: &World| w.text("main.m3u8").split("CODECS=\"").nth(1).unwrap()[..11].to_owned();
    vec![
        broken(&rules::CODECS_DIFFER, |w| w.replace("main.m3u8", &codec(w), "avc1.42c01f")),
        broken(&rules::CODECS_SUPERFLUOUS, |w| w.replace("main.m3u8", "mp4a.40.2\"", "mp4a.40.2,ec-3\"")),
        broken(&rules::VIDEO_RANGE_DIFFERS, |w| {
            w.replace("main.m3u8", "FRAME-RATE=24.000", "FRAME-RATE=24.000,VIDEO-RANGE=PQ")
        }),
        broken(&rules::RESOLUTION_DIFFERS, |w| w.replace("main.m3u8", "128x96", "160x120")),
        broken(&rules::FRAME_RATE_DIFFERS, |w| {
            w.replace("main.m3u8", "FRAME-RATE=24.000", "FRAME-RATE=30.000")
        }),
        broken(&rules::BANDWIDTH_EXCEEDED, |w| {
            told(w, "AVERAGE-BANDWIDTH", |n| n * 92 / 100);
            told(w, "INF:BANDWIDTH", |n| n * 90 / 100);
        }),
        broken(&rules::BANDWIDTH_BELOW, |w| {
            told(w, "AVERAGE-BANDWIDTH", |n| n * 92 / 100);
            told(w, "INF:BANDWIDTH", |n| n * 98 / 100);
        }),
        broken(&rules::BANDWIDTH_ABOVE, |w| told(w, "INF:BANDWIDTH", |n| n * 2)),
        broken(&rules::AVERAGE_DIFFERS, |w| told(w, "AVERAGE-BANDWIDTH", |n| n / 2)),
        broken(&rules::TARGETS_DIFFER, |w| {
            w.replace("v48p/playlist.m3u8", "TARGETDURATION:2", "TARGETDURATION:3")
        }),
        broken(&rules::DURATIONS_DIFFER, |w| {
            let text = w.text("a0/playlist.m3u8");
            let at = text.match_indices("#EXTINF").nth(2).unwrap().0;
            w.files
                .insert("a0/playlist.m3u8".into(), format!("{}#EXT-X-ENDLIST\n", &text[..at]).into_bytes());
            honest(w);
        }),
        broken(&rules::DISCONTINUITIES_DIFFER, |w| {
            w.replace("v48p/playlist.m3u8", ",\n2.m4s", ",\n#EXT-X-DISCONTINUITY\n2.m4s");
        }),
        broken(&rules::BOUNDARIES_DIFFER, |w| {
            for n in 0..4 {
                w.edit(&format!("v48p/{n}.m4s"), |bytes| later(bytes, 600));
            }
        }),
        broken(&rules::TIMESTAMPS_DIFFER, |w| {
            for n in 0..4 {
                w.edit(&format!("v48p/{n}.m4s"), |bytes| later(bytes, 12_288 * 5));
            }
        }),
        broken(&rules::TYPES_DIFFER, |w| w.replace("v48p/playlist.m3u8", "#EXT-X-PLAYLIST-TYPE:VOD\n", "")),
        broken(&rules::ENDS_DIFFER, |w| {
            for name in ["v96p", "v48p", "a0"] {
                w.replace(&format!("{name}/playlist.m3u8"), "#EXT-X-PLAYLIST-TYPE:VOD\n", "");
            }
            w.replace("v48p/playlist.m3u8", "#EXT-X-ENDLIST\n", "");
            // It goes on, and ends, once it is loaded again.
            w.then("v48p/playlist.m3u8", crate::rules::ended);
        }),
    ]
}

fn served() -> Vec<Case> {
    let over_http = |rule, change: fn(&mut World)| {
        broken(rule, |w| {
            w.http = true;
            change(w);
        })
    };
    vec![
        broken(&http::UNAVAILABLE, |w| drop(w.files.remove("v96p/i7.m4s"))),
        over_http(&http::PLAYLIST_TYPE, |w| {
            let list = w.files.remove("a0/playlist.m3u8").unwrap();
            w.replace("main.m3u8", "a0/playlist.m3u8", "a0/playlist.txt");
            w.headers.insert(
                "a0/playlist.txt".into(),
                vec![("content-type", "text/plain"), ("access-control-allow-origin", "*")],
            );
            w.files.insert("a0/playlist.txt".into(), list);
        }),
        over_http(&http::CONTENT_TYPE, |w| {
            w.headers.insert(
                "v96p/1.m4s".into(),
                vec![("content-type", "text/html"), ("access-control-allow-origin", "*")],
            );
        }),
        over_http(&http::CORS, |w| {
            drop(w.headers.insert("v96p/1.m4s".into(), vec![("content-type", "video/mp4")]))
        }),
        case(&http::RANGE, crate::formats::ranges(), "list.m3u8", |w| (w.http, w.no_ranges) = (true, true)),
    ]
}

#[test]
fn each_rule_is_broken_alone() {
    assert_eq!(crate::rules::bad(&crate::rules::read(LIST)), Vec::<&str>::new());
    run(cases());
}
