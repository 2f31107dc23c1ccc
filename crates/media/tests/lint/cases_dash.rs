//! Rules of DASH manifests.

use media::lint::rules::{Rule, dash as rules};

use crate::{
    boxes,
    cases_media::later,
    rules::{Case, bad, case, run},
    world::{World, good, growing},
};

const MPD: &str = "main.mpd";

/// Changes the manifest of the complete presentation.
fn text(rule: &'static Rule, from: &str, to: &str) -> Case {
    case(rule, good(), MPD, |w| w.replace(MPD, from, to))
}

/// Changes the manifest of the growing one.
fn dynamic(rule: &'static Rule, from: &str, to: &str) -> Case {
    case(rule, growing(), MPD, |w| w.replace(MPD, from, to))
}

pub fn cases() -> Vec<Case> {
    let mut cases = manifests();
    cases.extend(timelines());
    cases.extend(media());
    cases.extend(updates());
    cases
}

fn manifests() -> Vec<Case> {
    let image = "contentType=\"image\" mimeType=\"image/jpeg\"";
    vec![
        text(&rules::XML, "</Period>", "</Periode>"),
        text(&rules::XML, "<MPD", "<!DOCTYPE MPD [<!ENTITY a \"b\">]>\n<MPD"),
        text(&rules::ROOT, "urn:mpeg:dash:schema:mpd:2011", "urn:mpeg:DASH:schema:MPD:2011"),
        text(&rules::ATTRIBUTE_MISSING, "minBufferTime=", "maxBufferTime="),
        text(&rules::ATTRIBUTE_VALUE, "startWithSAP=\"1\"", "startWithSAP=\"9\""),
        text(&rules::ATTRIBUTE_VALUE, "type=\"static\"", "type=\"fixed\""),
        text(
            &rules::PROFILE,
            "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019",
            "urn:example:mine",
        ),
        case(&rules::PERIOD, good(), MPD, |w| {
            w.replace(MPD, "start=\"PT0S\"", "start=\"PT0S\" duration=\"PT8S\"");
            w.replace(MPD, "</Period>", SECOND);
        }),
        text(&rules::NO_CONTENT, "</Period>", "<AdaptationSet contentType=\"text\"/></Period>"),
        text(&rules::DURATION_MISSING, "mediaPresentationDuration=", "presentationDuration="),
        text(&rules::ID_DUPLICATE, "AdaptationSet id=\"1\"", "AdaptationSet id=\"0\""),
        text(&rules::ID_DUPLICATE, "Representation id=\"storyboard\"", "Representation id=\"a0\""),
        text(&rules::CODECS_MISSING, "codecs=\"mp4a.40.2\" ", ""),
        text(
            &rules::MIME_TYPE,
            "contentType=\"audio\" mimeType=\"audio/mp4\"",
            "contentType=\"audio\" mimeType=\"video/mp4\"",
        ),
        text(&rules::LANGUAGE, "lang=\"en\"", "lang=\"english!\""),
        text(&rules::AUDIO_CHANNELS, "audioSamplingRate=", "rate="),
        text(&rules::VIDEO_ATTRIBUTES, "frameRate=", "fps="),
        text(&rules::ALIGNMENT_MISSING, "segmentAlignment=\"true\"", "segmentAlignment=\"false\""),
        text(&rules::THUMBNAILS, "value=\"2x2\"", "value=\"four\""),
        case(&rules::THUMBNAILS, good(), MPD, |w| {
            let text = w.text(MPD);
            let at = text.find("Representation id=\"storyboard\"").unwrap();
            let changed = text[at..].replacen("width=\"128\"", "width=\"256\"", 1);
            w.files.insert(MPD.into(), format!("{}{changed}", &text[..at]).into_bytes());
        }),
        text(&rules::THUMBNAILS, image, &image.replace("image/jpeg", "image/gif")),
        text(&rules::UPDATE_STATIC, "type=\"static\"", "type=\"static\" minimumUpdatePeriod=\"PT2S\""),
        dynamic(&rules::AVAILABILITY_START, "publishTime=", "published="),
        dynamic(&rules::UTC_TIMING, "urn:mpeg:dash:utc:http-head:2014", "urn:example:clock"),
        dynamic(&rules::UPDATE_PERIOD, "minimumUpdatePeriod=", "update="),
    ]
}

/// A second period, from one second on.
const SECOND: &str = "</Period><Period start=\"PT1S\"><AdaptationSet contentType=\"text\">\
    <Representation id=\"t\" bandwidth=\"1\" mimeType=\"text/vtt\"><BaseURL>t.vtt</BaseURL></Representation>\
    </AdaptationSet></Period>";

fn timelines() -> Vec<Case> {
    vec![
        text(
            &rules::ADDRESSING,
            "<Representation id=\"storyboard\"",
            "<SegmentBase/><Representation id=\"storyboard\"",
        ),
        text(&rules::TEMPLATE, "storyboard/$Number$.jpg", "storyboard/$Number%d$.jpg"),
        text(&rules::TEMPLATE, "storyboard/$Number$.jpg", "storyboard/$Number$-$Time$.jpg"),
        text(&rules::TEMPLATE, "storyboard/$Number$.jpg", "storyboard/$Number$-$RepID$.jpg"),
        text(&rules::TIMELINE_VALUE, "<S t=\"0\"", "<S t=\"0\" d=\"0\"/><S t=\"0\""),
        case(&rules::TIMELINE_OVERLAP, good(), MPD, |w| split(w, -1)),
        case(&rules::TIMELINE_GAP, good(), MPD, |w| split(w, 1)),
        text(&rules::PERIOD_COVERED, "mediaPresentationDuration=\"PT8", "mediaPresentationDuration=\"PT18"),
        case(&rules::DURATION_DIFFERS, good(), MPD, |w| {
            w.replace(MPD, "start=\"PT0S\"", "start=\"PT0S\" duration=\"PT7.5S\"");
        }),
        text(&rules::MAX_SEGMENT, "maxSegmentDuration=\"PT2", "maxSegmentDuration=\"PT1"),
    ]
}

/// Tells the start of the video's third segment, off by some ticks that are no frame.
fn split(world: &mut World, off: i64) {
    let text = world.text(MPD);
    let line = text.lines().find(|l| l.contains("<S t=\"0\"") && l.contains("r=\"3\"")).unwrap();
    let duration: i64 = line.split("d=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    let start = 2 * duration + off;
    let lines = format!("<S t=\"0\" d=\"{duration}\" r=\"1\"/><S t=\"{start}\" d=\"{duration}\" r=\"1\"/>");
    world.files.insert(MPD.into(), text.replacen(line.trim(), &lines, 1).into_bytes());
}

fn media() -> Vec<Case> {
    vec![
        case(&rules::ALIGNMENT_FALSE, good(), MPD, |w| {
            for n in 0..4 {
                w.edit(&format!("v48p/{n}.m4s"), |b| later(b, 128));
            }
        }),
        case(&rules::SAP_FALSE, good(), MPD, |w| {
            w.edit("v96p/1.m4s", crate::cases_media::demoted);
            crate::cases_media::cmaf_less(w);
        }),
        case(&rules::SEGMENT_TIME, good(), MPD, |w| {
            for name in ["v96p", "v48p"] {
                for n in 0..4 {
                    w.edit(&format!("{name}/{n}.m4s"), |b| later(b, 12_288));
                }
            }
        }),
        case(&rules::SEGMENT_DURATION, good(), MPD, |w| {
            let text = w.text(MPD);
            let line = text
                .lines()
                .find(|l| l.contains("<S t=\"0\"") && l.contains("r=\"3\""))
                .unwrap()
                .trim()
                .to_owned();
            let d: i64 = line.split("d=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
            let lines = format!("<S t=\"0\" d=\"{d}\" r=\"2\"/><S d=\"{}\"/>", d * 3 / 4);
            w.replace(MPD, &line, &lines);
        }),
        case(&rules::BANDWIDTH, good(), MPD, |w| {
            w.replace(MPD, "bandwidth=\"", "bandwidth=\"1000\" was=\"");
        }),
        text(&rules::CODECS_DIFFER, "codecs=\"avc1.", "codecs=\"avc1.640001\" was=\""),
        text(&rules::SIZE_DIFFERS, "width=\"128\" height=\"96\"", "width=\"160\" height=\"120\""),
        text(&rules::FRAME_RATE_DIFFERS, "frameRate=\"24\"", "frameRate=\"30\""),
        text(
            &rules::TRANSFER_DIFFERS,
            "maxHeight=\"96\">",
            "maxHeight=\"96\"><EssentialProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:TransferCharacteristics\" value=\"16\"/>",
        ),
        text(&rules::SAMPLING_RATE_DIFFERS, "audioSamplingRate=\"48000\"", "audioSamplingRate=\"44100\""),
        case(&rules::HEADER_MISSING, good(), MPD, |w| {
            let text = w.text(MPD);
            let header = " initialization=\"$RepresentationID$/init.mp4\"";
            let at = text.rfind(header).unwrap();
            let changed = text[at..].replacen(header, "", 1);
            w.files.insert(MPD.into(), format!("{}{changed}", &text[..at]).into_bytes());
        }),
        case(&rules::INDEX_RANGE, indexed(), MPD, |w| w.edit("a.mp4", |b| boxes::free(b, "sidx"))),
    ]
}

/// The audio as one file with an index, as the on-demand profile has it.
fn indexed() -> World {
    let good = good();
    let init = good.files["a0/init.mp4"].clone();
    let segments: Vec<&Vec<u8>> = (0..4).map(|n| &good.files[&format!("a0/{n}.m4s")]).collect();
    let mut fields = vec![0, 1, 48_000, 0, 0, 4];
    for segment in &segments {
        fields.extend([segment.len() as u32, 94 * 1024, 0x9000_0000]);
    }
    let sidx = boxes::new(b"sidx", &fields.iter().flat_map(|f| f.to_be_bytes()).collect::<Vec<_>>());
    let (start, end) = (init.len(), init.len() + sidx.len() - 1);
    let mut file = [init, sidx].concat();
    segments.iter().for_each(|s| file.extend_from_slice(s));
    let mpd = format!(
        "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\" \
         minBufferTime=\"PT2S\" mediaPresentationDuration=\"PT8S\"><Period><AdaptationSet mimeType=\"audio/mp4\" \
         lang=\"en\"><AudioChannelConfiguration schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" \
         value=\"2\"/><Representation id=\"a\" bandwidth=\"200000\" codecs=\"mp4a.40.2\" audioSamplingRate=\"48000\">\
         <BaseURL>a.mp4</BaseURL><SegmentBase indexRange=\"{start}-{end}\"><Initialization range=\"0-{}\"/></SegmentBase>\
         </Representation></AdaptationSet></Period></MPD>",
        start - 1
    );
    let files = [(MPD.to_owned(), mpd.into_bytes()), ("a.mp4".to_owned(), file)];
    World { files: files.into_iter().collect(), ..World::default() }
}

fn updates() -> Vec<Case> {
    let reload = |from: &str, to: &str| {
        case(&rules::RELOAD, growing(), MPD, |w| {
            w.then(MPD, |text| {
                assert!(text.contains(from), "{text}");
                text.replacen(from, to, 1)
            })
        })
    };
    vec![
        reload("availabilityStartTime=\"2025", "availabilityStartTime=\"2024"),
        reload("publishTime=\"2025", "publishTime=\"2024"),
        reload("r=\"2\"", "r=\"1\""),
        reload("start=\"PT0S\"", "start=\"PT1S\""),
    ]
}

#[test]
fn what_is_indexed_is_clean() {
    let report = indexed().check(MPD);
    assert_eq!(bad(&report), Vec::<&str>::new(), "{:#?}", report.findings());
    assert_eq!(report.looked_at["segments"], 4);
}

#[test]
fn each_rule_is_broken_alone() {
    run(cases());
}
