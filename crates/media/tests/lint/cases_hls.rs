//! Rules of playlists as text and of multivariant playlists.

use media::lint::rules::hls as rules;

use crate::rules::{Case, run, text};

pub const MAIN: &str = r#"#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="low",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a/low.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="low",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="b/low.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="high",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="6",URI="a/high.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="high",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="6",URI="b/high.m3u8"
#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="subs",NAME="English",LANGUAGE="en",FORCED=NO,AUTOSELECT=YES,URI="s/en.m3u8"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="English",LANGUAGE="en",INSTREAM-ID="CC1"
#EXT-X-SESSION-DATA:DATA-ID="org.example.title",VALUE="A film"
#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://key",KEYFORMAT="com.apple.streamingkeydelivery",KEYFORMATVERSIONS="1"
#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1500000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000,AUDIO="high",SUBTITLES="subs",CLOSED-CAPTIONS="cc"
v/high.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=900000,AVERAGE-BANDWIDTH=700000,CODECS="avc1.64001e,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,AUDIO="low",SUBTITLES="subs",CLOSED-CAPTIONS="cc"
v/low.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=200000,CODECS="avc1.64001f",RESOLUTION=1280x720,URI="v/iframes.m3u8"
"#;

pub fn cases() -> Vec<Case> {
    let mut cases = syntax();
    cases.extend(variants());
    cases
}

fn syntax() -> Vec<Case> {
    let main = |rule, from, to| text(rule, MAIN, from, to);
    vec![
        main(&rules::ENCODING, "#EXTM3U", "\u{feff}#EXTM3U"),
        main(&rules::ENCODING, "VALUE=\"A film\"", "VALUE=\"A\u{7}film\""),
        main(&rules::EXTM3U, "#EXTM3U\n", "#EXTM3U8\n"),
        main(&rules::TAG_SYNTAX, "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-INDEPENDENT-SEGMENTS:YES"),
        main(&rules::TAG_SYNTAX, "CHANNELS=\"2\"", "Channels=\"2\""),
        main(&rules::TAG_SYNTAX, "CHANNELS=\"2\",", "CHANNELS=\"2\""),
        main(&rules::TAG_DUPLICATE, "#EXT-X-VERSION:7", "#EXT-X-VERSION:7\n#EXT-X-VERSION:7"),
        main(&rules::TAG_MIXED, "#EXT-X-VERSION:7", "#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4"),
        main(&rules::TAG_UNKNOWN, "#EXT-X-VERSION:7", "#EXT-X-VERSION:7\n#EXT-X-TARGETDURTION:4"),
        main(&rules::ATTRIBUTE_TYPE, "NAME=\"Deutsch\"", "NAME=Deutsch"),
        main(&rules::ATTRIBUTE_TYPE, "BANDWIDTH=200000,", "BANDWIDTH=\"200000\","),
        main(&rules::ATTRIBUTE_TYPE, "RESOLUTION=1280x720", "RESOLUTION=1280*720"),
        main(&rules::ATTRIBUTE_TYPE, "FRAME-RATE=25.000", "FRAME-RATE=25fps"),
        main(&rules::ATTRIBUTE_VALUE, "FORCED=NO", "FORCED=MAYBE"),
        main(&rules::ATTRIBUTE_DUPLICATE, "CHANNELS=\"2\"", "CHANNELS=\"2\",CHANNELS=\"2\""),
        main(&rules::ATTRIBUTE_MISSING, "BANDWIDTH=200000,", ""),
        main(&rules::URI_MISSING, "v/low.m3u8\n", ""),
        main(&rules::URI_MISSING, "v/low.m3u8\n", "v/low.m3u8\nv/lower.m3u8\n"),
        main(&rules::VERSION, "#EXT-X-VERSION:7\n", ""),
        text(&rules::VERSION, &MAIN.replace("VERSION:7", "VERSION:6"), "\"CC1\"", "\"SERVICE1\""),
        main(&rules::VERSION, "FRAME-RATE=25.000", "FRAME-RATE=25.000,REQ-VIDEO-LAYOUT=\"CH-STEREO\""),
        main(&rules::VARIABLE, "v/low.m3u8", "{$place}/low.m3u8"),
        main(&rules::DEFINE, "#EXT-X-VERSION:7", "#EXT-X-VERSION:8\n#EXT-X-DEFINE:NAME=\"a\""),
        main(&rules::DEFINE, "#EXT-X-VERSION:7", "#EXT-X-VERSION:11\n#EXT-X-DEFINE:QUERYPARAM=\"b\""),
        main(
            &rules::DEFINE,
            "#EXT-X-VERSION:7",
            "#EXT-X-VERSION:8\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"1\",IMPORT=\"a\"",
        ),
        crate::rules::broken(&rules::URI_INVALID, |w| {
            w.replace("storyboard/playlist.m3u8", "1.jpg", "1 2.jpg")
        }),
    ]
}

fn variants() -> Vec<Case> {
    let main = |rule, from, to| text(rule, MAIN, from, to);
    let subtitles =
        "TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"English\",LANGUAGE=\"en\",FORCED=NO,AUTOSELECT=YES";
    vec![
        main(&rules::MEDIA_URI, ",URI=\"s/en.m3u8\"", ""),
        main(&rules::MEDIA_URI, "INSTREAM-ID=\"CC1\"", "INSTREAM-ID=\"CC1\",URI=\"c.m3u8\""),
        main(&rules::MEDIA_URI, ",INSTREAM-ID=\"CC1\"", ""),
        main(&rules::MEDIA_URI, subtitles, &format!("{subtitles},INSTREAM-ID=\"CC1\"")),
        main(&rules::MEDIA_FORCED, "CLOSED-CAPTIONS,", "CLOSED-CAPTIONS,FORCED=NO,"),
        main(
            &rules::LANGUAGE,
            "NAME=\"English\",LANGUAGE=\"en\",FORCED",
            "NAME=\"English\",LANGUAGE=\"english language\",FORCED",
        ),
        main(
            &rules::GROUP_NAME,
            subtitles,
            &format!(
                "{subtitles},URI=\"s/2.m3u8\"\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"English\""
            ),
        ),
        main(
            &rules::GROUP_DEFAULT,
            "FORCED=NO,AUTOSELECT=YES",
            "DEFAULT=YES,FORCED=NO,AUTOSELECT=YES,URI=\"s/2.m3u8\"\n#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"subs\",NAME=\"More\",DEFAULT=YES",
        ),
        main(&rules::DEFAULT_AUTOSELECT, "FORCED=NO,AUTOSELECT=YES", "DEFAULT=YES,FORCED=NO,AUTOSELECT=NO"),
        main(
            &rules::AUTOSELECT_SAME,
            subtitles,
            &format!("{subtitles},URI=\"s/2.m3u8\"\n#EXT-X-MEDIA:{}", subtitles.replace("English", "More")),
        ),
        main(
            &rules::GROUPS_DIFFER,
            "GROUP-ID=\"high\",NAME=\"Deutsch\"",
            "GROUP-ID=\"high\",NAME=\"German\"",
        ),
        main(&rules::GROUP_MISSING, "AUDIO=\"low\"", "AUDIO=\"lower\""),
        main(&rules::GROUP_UNUSED, "AUDIO=\"low\"", "AUDIO=\"high\""),
        main(&rules::CAPTIONS_NONE, "CLOSED-CAPTIONS=\"cc\"\nv/low", "CLOSED-CAPTIONS=NONE\nv/low"),
        main(&rules::CODECS_MISSING, "CODECS=\"avc1.64001e,mp4a.40.2\",", ""),
        main(&rules::CODECS_SYNTAX, "avc1.64001e", "avc1.66.30"),
        main(&rules::RESOLUTION_MISSING, "RESOLUTION=640x360,", ""),
        main(&rules::FRAME_RATE_MISSING, "FRAME-RATE=25.000,", ""),
        main(&rules::AVERAGE_ABOVE_PEAK, "AVERAGE-BANDWIDTH=700000", "AVERAGE-BANDWIDTH=1700000"),
        text(
            &rules::NO_VARIANTS,
            "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"b\",URI=\"c\"\n",
            "c",
            "c",
        ),
        main(&rules::IFRAMES_MISSING, "#EXT-X-I-FRAME-STREAM-INF", "#EXT-X-NONE"),
        main(&rules::SESSION_DATA, ",VALUE=\"A film\"", ""),
        main(
            &rules::SESSION_DATA,
            "VALUE=\"A film\"",
            "VALUE=\"A film\"\n#EXT-X-SESSION-DATA:DATA-ID=\"org.example.title\",VALUE=\"B\"",
        ),
        main(&rules::KEY, "URI=\"skd://key\",", ""),
        main(&rules::KEY, "URI=\"skd://key\"", "URI=\"skd://key\",IV=0x01"),
        main(&rules::KEY, "KEYFORMATVERSIONS=\"1\"", "KEYFORMATVERSIONS=\"1/x\""),
        main(
            &rules::SESSION_KEY,
            "METHOD=SAMPLE-AES,URI=\"skd://key\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\"",
            "METHOD=NONE",
        ),
    ]
}

#[test]
fn each_rule_is_broken_alone() {
    assert_eq!(crate::rules::bad(&crate::rules::read(MAIN)), Vec::<&str>::new());
    run(cases());
}

#[test]
fn variables_are_put_in() {
    let with = MAIN.replace(
        "#EXT-X-VERSION:7",
        "#EXT-X-VERSION:11\n#EXT-X-DEFINE:NAME=\"p\",VALUE=\"v\"\n#EXT-X-DEFINE:QUERYPARAM=\"a\"",
    );
    let with = with.replace("v/low.m3u8", "{$p}/low.m3u8?{$a}");
    assert_eq!(crate::rules::bad(&crate::rules::read(&with)), Vec::<&str>::new());
}

#[test]
fn findings_repeat_a_few_times_and_are_counted() {
    let many = MAIN.replace("TYPE=", "TYPE=X");
    let report = crate::rules::read(&many);
    assert_eq!(report.count(&rules::ATTRIBUTE_VALUE), 6);
    assert_eq!(report.findings().iter().filter(|f| f.rule.id == rules::ATTRIBUTE_VALUE.id).count(), 4);
}
