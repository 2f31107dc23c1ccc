//! Manifests of a presentation in several codecs, as text.

#![allow(clippy::unwrap_used, reason = "tests, helpers included")]

use media::{
    codec::{Codecs, Family},
    dash,
    descriptor::{Descriptor, Extent, FORMAT, Range, Segment, SyncSample, Track, TrackKind},
    hls,
    selection::Selection,
};

fn track(id: &str, kind: TrackKind, codec: &str, bytes: u32) -> Track {
    let video = matches!(kind, TrackKind::Video { .. });
    let sync = if video { vec![SyncSample { at: 0, bytes: bytes / 4 }] } else { Vec::new() };
    Track {
        id: id.into(),
        kind,
        codec: codec.into(),
        timescale: 1000,
        language: None,
        label: id.into(),
        default: false,
        init: String::new(),
        extents: vec![Extent {
            object: "o".into(),
            offset: 0,
            shift: 0,
            segments: vec![Segment { duration: 4000, bytes, sync }; 2],
        }],
    }
}

fn video(id: &str, height: u32, codec: &str, range: Range, bytes: u32) -> Track {
    let kind = TrackKind::Video { width: height * 16 / 9, height, frame_rate: (25, 1), range };
    track(id, kind, codec, bytes)
}

fn audio(
    id: &str,
    (language, label): (&str, &str),
    codec: &str,
    kind: (u32, Option<u8>),
    bytes: u32,
) -> Track {
    let kind = TrackKind::Audio { sample_rate: 48_000, channels: kind.0, joc: kind.1 };
    let (language, label) = (Some(language.to_owned()), label.to_owned());
    Track { language, label, ..track(id, kind, codec, bytes) }
}

/// Pictures in three codecs, HEVC in both ranges; English in three codecs, German in one.
fn presentation() -> Descriptor {
    let (english, german) = (("en", "English"), ("de", "Deutsch"));
    Descriptor {
        format: FORMAT,
        presentation: "p".into(),
        version: 1,
        complete: true,
        created_at: 0,
        planned_duration_ms: 8000,
        longest_segment_ms: 4000,
        tracks: vec![
            video("q720", 720, "hvc1.2.4.L93.90", Range::Pq, 1_000_000),
            video("h720", 720, "hvc1.1.6.L93.90", Range::Sdr, 900_000),
            video("x720", 720, "av01.0.05M.08", Range::Sdr, 800_000),
            video("v720", 720, "avc1.64001f", Range::Sdr, 1_500_000),
            video("v360", 360, "avc1.64001e", Range::Sdr, 400_000),
            audio("s0", english, "ec-3", (6, Some(16)), 320_000),
            Track { default: true, ..audio("a0", english, "mp4a.40.2", (2, None), 64_000) },
            audio("o0", english, "opus", (2, None), 48_000),
            audio("a1", german, "mp4a.40.2", (2, None), 64_000),
        ],
        storyboard: None,
    }
}

#[test]
fn each_picture_goes_with_each_sound() {
    insta::assert_snapshot!(hls::multivariant(&presentation(), Selection::ALL), @r#"
    #EXTM3U
    #EXT-X-VERSION:7
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a0/playlist.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="a1/playlist.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="opus",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="o0/playlist.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="opus",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="a1/playlist.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="ec3",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="16/JOC",URI="s0/playlist.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="ec3",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="a1/playlist.m3u8"
    #EXT-X-STREAM-INF:BANDWIDTH=3128000,AVERAGE-BANDWIDTH=3128000,CODECS="avc1.64001f,mp4a.40.2",SCORE=4,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="aac"
    v720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=928000,AVERAGE-BANDWIDTH=928000,CODECS="avc1.64001e,mp4a.40.2",SCORE=1,RESOLUTION=640x360,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="aac"
    v360/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=3128000,AVERAGE-BANDWIDTH=3128000,CODECS="avc1.64001f,opus,mp4a.40.2",SCORE=5,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="opus"
    v720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=928000,AVERAGE-BANDWIDTH=928000,CODECS="avc1.64001e,opus,mp4a.40.2",SCORE=2,RESOLUTION=640x360,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="opus"
    v360/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=3640000,AVERAGE-BANDWIDTH=3640000,CODECS="avc1.64001f,ec-3,mp4a.40.2",SCORE=6,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="ec3"
    v720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=1440000,AVERAGE-BANDWIDTH=1440000,CODECS="avc1.64001e,ec-3,mp4a.40.2",SCORE=3,RESOLUTION=640x360,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="ec3"
    v360/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=2128000,AVERAGE-BANDWIDTH=2128000,CODECS="hvc1.2.4.L93.90,mp4a.40.2",SCORE=13,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=PQ,AUDIO="aac"
    q720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=1928000,AVERAGE-BANDWIDTH=1928000,CODECS="hvc1.1.6.L93.90,mp4a.40.2",SCORE=7,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="aac"
    h720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=2128000,AVERAGE-BANDWIDTH=2128000,CODECS="hvc1.2.4.L93.90,opus,mp4a.40.2",SCORE=14,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=PQ,AUDIO="opus"
    q720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=1928000,AVERAGE-BANDWIDTH=1928000,CODECS="hvc1.1.6.L93.90,opus,mp4a.40.2",SCORE=8,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="opus"
    h720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=2640000,AVERAGE-BANDWIDTH=2640000,CODECS="hvc1.2.4.L93.90,ec-3,mp4a.40.2",SCORE=15,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=PQ,AUDIO="ec3"
    q720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=2440000,AVERAGE-BANDWIDTH=2440000,CODECS="hvc1.1.6.L93.90,ec-3,mp4a.40.2",SCORE=9,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="ec3"
    h720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=1728000,AVERAGE-BANDWIDTH=1728000,CODECS="av01.0.05M.08,mp4a.40.2",SCORE=10,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="aac"
    x720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=1728000,AVERAGE-BANDWIDTH=1728000,CODECS="av01.0.05M.08,opus,mp4a.40.2",SCORE=11,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="opus"
    x720/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=2240000,AVERAGE-BANDWIDTH=2240000,CODECS="av01.0.05M.08,ec-3,mp4a.40.2",SCORE=12,RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="ec3"
    x720/playlist.m3u8
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=750224,AVERAGE-BANDWIDTH=750224,CODECS="avc1.64001f",RESOLUTION=1280x720,SCORE=6,VIDEO-RANGE=SDR,URI="v720/iframes.m3u8"
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=200224,AVERAGE-BANDWIDTH=200224,CODECS="avc1.64001e",RESOLUTION=640x360,SCORE=3,VIDEO-RANGE=SDR,URI="v360/iframes.m3u8"
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=500224,AVERAGE-BANDWIDTH=500224,CODECS="hvc1.2.4.L93.90",RESOLUTION=1280x720,SCORE=15,VIDEO-RANGE=PQ,URI="q720/iframes.m3u8"
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=450224,AVERAGE-BANDWIDTH=450224,CODECS="hvc1.1.6.L93.90",RESOLUTION=1280x720,SCORE=9,VIDEO-RANGE=SDR,URI="h720/iframes.m3u8"
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=400224,AVERAGE-BANDWIDTH=400224,CODECS="av01.0.05M.08",RESOLUTION=1280x720,SCORE=12,VIDEO-RANGE=SDR,URI="x720/iframes.m3u8"
    "#);
}

#[test]
fn each_codec_and_range_is_a_set() {
    insta::assert_snapshot!(dash::mpd(&presentation(), Selection::ALL, 0), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019" type="static" minBufferTime="PT4S" mediaPresentationDuration="PT8S" maxSegmentDuration="PT4S">
      <Period id="0" start="PT0S">
        <AdaptationSet id="0" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1" selectionPriority="1" maxWidth="1280" maxHeight="720">
          <SupplementalProperty schemeIdUri="urn:mpeg:dash:adaptation-set-switching:2016" value="1,3"/>
          <SegmentTemplate timescale="1000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="4000" r="1"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="v720" codecs="avc1.64001f" bandwidth="3000000" width="1280" height="720" sar="1:1" frameRate="25"/>
          <Representation id="v360" codecs="avc1.64001e" bandwidth="800000" width="640" height="360" sar="1:1" frameRate="25"/>
        </AdaptationSet>
        <AdaptationSet id="1" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1" selectionPriority="2" maxWidth="1280" maxHeight="720">
          <SupplementalProperty schemeIdUri="urn:mpeg:dash:adaptation-set-switching:2016" value="0,3"/>
          <SegmentTemplate timescale="1000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="4000" r="1"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="h720" codecs="hvc1.1.6.L93.90" bandwidth="1800000" width="1280" height="720" sar="1:1" frameRate="25"/>
        </AdaptationSet>
        <AdaptationSet id="2" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1" selectionPriority="3" maxWidth="1280" maxHeight="720">
          <EssentialProperty schemeIdUri="urn:mpeg:mpegB:cicp:ColourPrimaries" value="9"/>
          <EssentialProperty schemeIdUri="urn:mpeg:mpegB:cicp:TransferCharacteristics" value="16"/>
          <EssentialProperty schemeIdUri="urn:mpeg:mpegB:cicp:MatrixCoefficients" value="9"/>
          <SegmentTemplate timescale="1000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="4000" r="1"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="q720" codecs="hvc1.2.4.L93.90" bandwidth="2000000" width="1280" height="720" sar="1:1" frameRate="25"/>
        </AdaptationSet>
        <AdaptationSet id="3" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1" selectionPriority="4" maxWidth="1280" maxHeight="720">
          <SupplementalProperty schemeIdUri="urn:mpeg:dash:adaptation-set-switching:2016" value="0,1"/>
          <SegmentTemplate timescale="1000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="4000" r="1"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="x720" codecs="av01.0.05M.08" bandwidth="1600000" width="1280" height="720" sar="1:1" frameRate="25"/>
        </AdaptationSet>
        <AdaptationSet id="4" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" lang="en" startWithSAP="1">
          <Label>English</Label>
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
          <SegmentTemplate timescale="1000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="4000" r="1"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="a0" codecs="mp4a.40.2" bandwidth="128000" audioSamplingRate="48000">
            <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
          </Representation>
        </AdaptationSet>
        <AdaptationSet id="5" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" lang="en" startWithSAP="1">
          <Label>English</Label>
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
          <SegmentTemplate timescale="1000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="4000" r="1"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="o0" codecs="opus" bandwidth="96000" audioSamplingRate="48000">
            <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
          </Representation>
        </AdaptationSet>
        <AdaptationSet id="6" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" lang="en" startWithSAP="1">
          <Label>English</Label>
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
          <SegmentTemplate timescale="1000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="4000" r="1"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="s0" codecs="ec-3" bandwidth="640000" audioSamplingRate="48000">
            <AudioChannelConfiguration schemeIdUri="tag:dolby.com,2014:dash:audio_channel_configuration:2011" value="F801"/>
            <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="6"/>
            <SupplementalProperty schemeIdUri="tag:dolby.com,2018:dash:EC3_ExtensionType:2018" value="JOC"/>
            <SupplementalProperty schemeIdUri="tag:dolby.com,2018:dash:EC3_ExtensionComplexityIndex:2018" value="16"/>
          </Representation>
        </AdaptationSet>
        <AdaptationSet id="7" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" lang="de" startWithSAP="1">
          <Label>Deutsch</Label>
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="alternate"/>
          <SegmentTemplate timescale="1000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="4000" r="1"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="a1" codecs="mp4a.40.2" bandwidth="128000" audioSamplingRate="48000">
            <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
          </Representation>
        </AdaptationSet>
      </Period>
    </MPD>
    "#);
}

/// Ids of tracks that both manifests show.
fn shown(selection: Selection) -> Vec<String> {
    let descriptor = presentation();
    let (main, mpd) = (hls::multivariant(&descriptor, selection), dash::mpd(&descriptor, selection, 0));
    let ids = descriptor.tracks.iter().map(|t| t.id.clone());
    let listed = |id: &String| {
        let (hls, dash) = (format!("{id}/playlist.m3u8"), format!("<Representation id=\"{id}\""));
        assert_eq!(main.contains(&hls), mpd.contains(&dash), "{id}");
        main.contains(&hls)
    };
    ids.filter(listed).collect()
}

#[test]
fn a_selection_restricts_codecs_and_sizes() {
    let of = |text: &str| Selection { codecs: Codecs::parse(text), ..Selection::ALL };
    assert_eq!(shown(of("avc,aac")), ["v720", "v360", "a0", "a1"]);
    assert_eq!(shown(of("av1,opus")), ["x720", "o0"]);
    assert_eq!(shown(of("hevc,aac,ec3")), ["q720", "h720", "s0", "a0", "a1"]);
    assert_eq!(shown(Selection { cap: Some(480), ..of("av1,avc,aac") }), ["v360", "a0", "a1"]);
    // What the player does not decode at all is no restriction: it may find a way, or tell its viewer.
    assert_eq!(shown(of("vp9,opus")), ["q720", "h720", "x720", "v720", "v360", "o0"]);
    // The smallest that is there when none lies within the cap.
    assert_eq!(shown(Selection { cap: Some(100), ..of("hevc,opus") }), ["h720", "o0"]);
}

#[test]
fn a_choice_without_a_choice_is_told_as_ever() {
    let codecs = Some(Codecs::from_iter([Family::Avc, Family::Aac]));
    let text = hls::multivariant(&presentation(), Selection { codecs, ..Selection::ALL });
    assert!(text.contains("GROUP-ID=\"audio\"") && !text.contains("SCORE") && !text.contains("VIDEO-RANGE"));
    let text = dash::mpd(&presentation(), Selection { codecs, ..Selection::ALL }, 0);
    assert!(!text.contains("selectionPriority") && !text.contains("Property"), "{text}");
}

#[test]
fn descriptors_of_old_are_read_and_new_ones_are_marked() {
    let old = r#"{"id":"v","kind":"video","width":16,"height":9,"frame_rate":[25,1],"codec":"avc1.64001f","timescale":1,
        "label":"","default":true,"init":"","extents":[]}"#;
    let track: Track = serde_json::from_str(old).unwrap();
    assert_eq!(track.range(), Range::Sdr);
    assert!(!serde_json::to_string(&track).unwrap().contains("range"));
    assert_eq!(Descriptor::format_of(std::slice::from_ref(&track)), 1);
    let hdr = video("q", 720, "hvc1.2.4.L93.90", Range::Pq, 1);
    let json = serde_json::to_string(&hdr).unwrap();
    assert!(json.contains("\"range\":\"pq\""), "{json}");
    assert_eq!(serde_json::from_str::<Track>(&json).unwrap(), hdr);
    assert_eq!(Descriptor::format_of(&[track, hdr]), 3);
    let atmos = &presentation().tracks[5];
    let json = serde_json::to_string(atmos).unwrap();
    assert!(json.contains("\"joc\":16"));
    assert_eq!(&serde_json::from_str::<Track>(&json).unwrap(), atmos);
}
