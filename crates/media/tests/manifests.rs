//! Manifests of a small presentation, as text.

use media::{
    dash,
    descriptor::{Descriptor, Extent, FORMAT, Range, Segment, Storyboard, SyncSample, Track, TrackKind},
    hls,
    selection::Selection,
    webvtt,
};

fn video(id: &str, height: u32, bytes: u32, frame_rate: (u32, u32)) -> Track {
    let ticks = 24 * 4 * 1001;
    let segment = |duration: u32, bytes: u32| Segment {
        duration,
        bytes,
        sync: (0..duration).step_by(24 * 2 * 1001).map(|at| SyncSample { at, bytes: bytes / 8 }).collect(),
    };
    Track {
        id: id.into(),
        kind: TrackKind::Video { width: height * 16 / 9, height, frame_rate, range: Range::Sdr },
        codec: "avc1.64001f".into(),
        timescale: 24_000,
        language: None,
        label: format!("{height}p"),
        default: false,
        init: String::new(),
        extents: vec![
            Extent {
                object: "a".into(),
                offset: 0,
                shift: 0,
                segments: vec![segment(ticks, bytes), segment(ticks, bytes * 2)],
            },
            Extent { object: "b".into(), offset: 0, shift: 0, segments: vec![segment(ticks / 4, bytes / 4)] },
        ],
    }
}

fn audio(id: &str, language: Option<&str>, label: &str, default: bool) -> Track {
    let segment = |frames: u32| Segment { duration: frames * 1024, bytes: frames * 340, sync: Vec::new() };
    Track {
        id: id.into(),
        kind: TrackKind::Audio { sample_rate: 48_000, channels: 2, joc: None },
        codec: "mp4a.40.2".into(),
        timescale: 48_000,
        language: language.map(str::to_owned),
        label: label.into(),
        default,
        init: String::new(),
        extents: vec![Extent {
            object: "a".into(),
            offset: 0,
            shift: 0,
            segments: vec![segment(188), segment(187), segment(47)],
        }],
    }
}

fn presentation() -> Descriptor {
    Descriptor {
        format: FORMAT,
        presentation: "p".into(),
        version: 3,
        complete: true,
        created_at: 1_750_000_000_000_000,
        planned_duration_ms: 9009,
        longest_segment_ms: 4011,
        tracks: vec![
            video("v720p", 720, 2_000_000, (24_000, 1001)),
            video("v360p", 360, 500_000, (24_000, 1001)),
            audio("a1", Some("de"), "Deutsch", false),
            audio("a0", Some("en"), "English \"A & B\"", true),
            audio("a2", Some("en"), "Deutsch", false),
        ],
        storyboard: Some(Storyboard {
            tile_width: 160,
            tile_height: 90,
            columns: 2,
            rows: 2,
            interval_ms: 1500,
            tiles: 6,
            sheets: vec![("s0".into(), 9000), ("s1".into(), 5000)],
        }),
    }
}

#[test]
fn a_multivariant_playlist_lists_all() {
    insta::assert_snapshot!(hls::multivariant(&presentation(), Selection::ALL), @r#"
    #EXTM3U
    #EXT-X-VERSION:7
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English 'A & B'",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a0/playlist.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Deutsch",LANGUAGE="de",DEFAULT=NO,AUTOSELECT=YES,CHANNELS="2",URI="a1/playlist.m3u8"
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="Deutsch 2",LANGUAGE="en",DEFAULT=NO,AUTOSELECT=NO,CHANNELS="2",URI="a2/playlist.m3u8"
    #EXT-X-STREAM-INF:BANDWIDTH=8119508,AVERAGE-BANDWIDTH=5899506,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=23.976,AUDIO="audio"
    v720p/playlist.m3u8
    #EXT-X-STREAM-INF:BANDWIDTH=2125502,AVERAGE-BANDWIDTH=1570502,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=23.976,AUDIO="audio"
    v360p/playlist.m3u8
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1998450,AVERAGE-BANDWIDTH=1387999,CODECS="avc1.64001f",RESOLUTION=1280x720,URI="v720p/iframes.m3u8"
    #EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=499949,AVERAGE-BANDWIDTH=347373,CODECS="avc1.64001f",RESOLUTION=640x360,URI="v360p/iframes.m3u8"
    #EXT-X-IMAGE-STREAM-INF:BANDWIDTH=13334,RESOLUTION=160x90,CODECS="jpeg",URI="storyboard/playlist.m3u8"
    "#);
}

#[test]
fn a_cap_hides_rungs_but_never_all() {
    let codecs = |cap| {
        let capped = Selection { cap: Some(cap), ..Selection::ALL };
        let text = hls::multivariant(&presentation(), capped);
        let mpd = dash::mpd(&presentation(), capped, 0);
        ["v720p", "v360p"].map(|id| (text.contains(id), mpd.contains(id)))
    };
    assert_eq!(codecs(1080), [(true, true), (true, true)]);
    assert_eq!(codecs(719), [(false, false), (true, true)]);
    assert_eq!(codecs(100), [(false, false), (true, true)]);
}

#[test]
fn audio_alone_is_a_variant_of_its_own() {
    let mut descriptor = presentation();
    descriptor.tracks.retain(|t| t.id == "a0");
    descriptor.storyboard = None;
    insta::assert_snapshot!(hls::multivariant(&descriptor, Selection::ALL), @r#"
    #EXTM3U
    #EXT-X-VERSION:7
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English 'A & B'",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a0/playlist.m3u8"
    #EXT-X-STREAM-INF:BANDWIDTH=127500,AVERAGE-BANDWIDTH=127500,CODECS="mp4a.40.2",AUDIO="audio"
    a0/playlist.m3u8
    "#);
}

#[test]
fn a_complete_playlist_has_an_end() {
    insta::assert_snapshot!(hls::media_playlist(&presentation(), &presentation().tracks[0]), @r#"
    #EXTM3U
    #EXT-X-VERSION:7
    #EXT-X-TARGETDURATION:4
    #EXT-X-MEDIA-SEQUENCE:0
    #EXT-X-PLAYLIST-TYPE:VOD
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MAP:URI="init.mp4"
    #EXTINF:4.004000,
    0.m4s
    #EXTINF:4.004000,
    1.m4s
    #EXTINF:1.001000,
    2.m4s
    #EXT-X-ENDLIST
    "#);
}

#[test]
fn a_growing_playlist_is_an_event_that_begins_at_the_start() {
    let growing = Descriptor { complete: false, ..presentation() };
    insta::assert_snapshot!(hls::media_playlist(&growing, &growing.tracks[2]), @r#"
    #EXTM3U
    #EXT-X-VERSION:7
    #EXT-X-TARGETDURATION:4
    #EXT-X-MEDIA-SEQUENCE:0
    #EXT-X-PLAYLIST-TYPE:EVENT
    #EXT-X-START:TIME-OFFSET=0,PRECISE=YES
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-MAP:URI="init.mp4"
    #EXTINF:4.010667,
    0.m4s
    #EXTINF:3.989333,
    1.m4s
    #EXTINF:1.002667,
    2.m4s
    "#);
}

#[test]
fn what_is_told_of_all_segments_never_changes() {
    let mut descriptor = Descriptor { longest_segment_ms: 4900, ..presentation() };
    let segments = descriptor.tracks[0].extents[0].segments.clone();
    let told = |descriptor: &Descriptor| {
        let track = &descriptor.tracks[0];
        let manifest = dash::mpd(descriptor, Selection::ALL, 0);
        [hls::media_playlist(descriptor, track), hls::iframe_playlist(descriptor, track)]
            .map(|list| list.contains("#EXT-X-TARGETDURATION:5\n"))
            .into_iter()
            .chain([manifest.contains("maxSegmentDuration=\"PT4.9S\"")])
            .all(|right| right)
    };
    for upto in 1..=segments.len() {
        for complete in [false, true] {
            descriptor.tracks[0].extents[0].segments = segments[..upto].to_vec();
            descriptor.complete = complete;
            assert!(told(&descriptor), "{upto} segments");
        }
    }
}

#[test]
fn pictures_have_one_url_each() {
    insta::assert_snapshot!(hls::iframe_playlist(&presentation(), &presentation().tracks[0]), @r#"
    #EXTM3U
    #EXT-X-VERSION:7
    #EXT-X-TARGETDURATION:4
    #EXT-X-MEDIA-SEQUENCE:0
    #EXT-X-PLAYLIST-TYPE:VOD
    #EXT-X-INDEPENDENT-SEGMENTS
    #EXT-X-I-FRAMES-ONLY
    #EXT-X-MAP:URI="init.mp4"
    #EXTINF:2.002000,
    i0.m4s
    #EXTINF:2.002000,
    i1.m4s
    #EXTINF:2.002000,
    i2.m4s
    #EXTINF:2.002000,
    i3.m4s
    #EXTINF:1.001000,
    i4.m4s
    #EXT-X-ENDLIST
    "#);
}

#[test]
fn storyboards_are_playlists_of_images() {
    insta::assert_snapshot!(hls::image_playlist(&presentation().storyboard.unwrap()), @r"
    #EXTM3U
    #EXT-X-VERSION:7
    #EXT-X-TARGETDURATION:6
    #EXT-X-MEDIA-SEQUENCE:0
    #EXT-X-PLAYLIST-TYPE:VOD
    #EXT-X-IMAGES-ONLY
    #EXTINF:6.000000,
    #EXT-X-TILES:RESOLUTION=160x90,LAYOUT=2x2,DURATION=1.500000
    1.jpg
    #EXTINF:3.000000,
    #EXT-X-TILES:RESOLUTION=160x90,LAYOUT=2x2,DURATION=1.500000
    2.jpg
    #EXT-X-ENDLIST
    ");
}

#[test]
fn storyboards_are_cues() {
    insta::assert_snapshot!(webvtt::storyboard(&presentation().storyboard.unwrap()), @r"
    WEBVTT

    00:00:00.000 --> 00:00:01.500
    storyboard/1.jpg#xywh=0,0,160,90

    00:00:01.500 --> 00:00:03.000
    storyboard/1.jpg#xywh=160,0,160,90

    00:00:03.000 --> 00:00:04.500
    storyboard/1.jpg#xywh=0,90,160,90

    00:00:04.500 --> 00:00:06.000
    storyboard/1.jpg#xywh=160,90,160,90

    00:00:06.000 --> 00:00:07.500
    storyboard/2.jpg#xywh=0,0,160,90

    00:00:07.500 --> 00:00:09.000
    storyboard/2.jpg#xywh=160,0,160,90
    ");
}

#[test]
fn a_finished_presentation_has_a_static_manifest() {
    insta::assert_snapshot!(dash::mpd(&presentation(), Selection::ALL, 0), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019" type="static" minBufferTime="PT4.011S" mediaPresentationDuration="PT9.009S" maxSegmentDuration="PT4.011S">
      <Period id="0" start="PT0S">
        <AdaptationSet id="0" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1" maxWidth="1280" maxHeight="720">
          <SegmentTemplate timescale="24000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="96096" r="1"/>
              <S d="24024"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="v720p" codecs="avc1.64001f" bandwidth="7992008" width="1280" height="720" sar="1:1" frameRate="24000/1001"/>
          <Representation id="v360p" codecs="avc1.64001f" bandwidth="1998002" width="640" height="360" sar="1:1" frameRate="24000/1001"/>
        </AdaptationSet>
        <AdaptationSet id="1" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" lang="en" startWithSAP="1">
          <Label>English &quot;A &amp; B&quot;</Label>
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="main"/>
          <SegmentTemplate timescale="48000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="192512"/>
              <S d="191488"/>
              <S d="48128"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="a0" codecs="mp4a.40.2" bandwidth="127500" audioSamplingRate="48000">
            <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
          </Representation>
        </AdaptationSet>
        <AdaptationSet id="2" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" lang="de" startWithSAP="1">
          <Label>Deutsch</Label>
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="alternate"/>
          <SegmentTemplate timescale="48000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="192512"/>
              <S d="191488"/>
              <S d="48128"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="a1" codecs="mp4a.40.2" bandwidth="127500" audioSamplingRate="48000">
            <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
          </Representation>
        </AdaptationSet>
        <AdaptationSet id="3" contentType="audio" mimeType="audio/mp4" segmentAlignment="true" lang="en" startWithSAP="1">
          <Label>Deutsch 2</Label>
          <Role schemeIdUri="urn:mpeg:dash:role:2011" value="alternate"/>
          <SegmentTemplate timescale="48000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
            <SegmentTimeline>
              <S t="0" d="192512"/>
              <S d="191488"/>
              <S d="48128"/>
            </SegmentTimeline>
          </SegmentTemplate>
          <Representation id="a2" codecs="mp4a.40.2" bandwidth="127500" audioSamplingRate="48000">
            <AudioChannelConfiguration schemeIdUri="urn:mpeg:dash:23003:3:audio_channel_configuration:2011" value="2"/>
          </Representation>
        </AdaptationSet>
        <AdaptationSet id="4" contentType="image" mimeType="image/jpeg" segmentAlignment="true">
          <SegmentTemplate media="storyboard/$Number$.jpg" timescale="1000" duration="6000" startNumber="1" endNumber="2"/>
          <Representation id="storyboard" bandwidth="12000" width="320" height="180">
            <EssentialProperty schemeIdUri="http://dashif.org/guidelines/thumbnail_tile" value="2x2"/>
          </Representation>
        </AdaptationSet>
      </Period>
    </MPD>
    "#);
}

#[test]
fn a_growing_presentation_has_a_dynamic_manifest() {
    let mut descriptor = presentation();
    descriptor.complete = false;
    descriptor.planned_duration_ms = 60_000;
    descriptor.tracks.retain(|t| t.is_video());
    descriptor.tracks[1].extents.pop();
    insta::assert_snapshot!(dash::mpd(&descriptor, Selection::ALL, 1_750_000_100_000_000), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019" type="dynamic" minBufferTime="PT4.011S" availabilityStartTime="2025-06-14T15:05:40Z" publishTime="2025-06-15T15:08:20Z" minimumUpdatePeriod="PT2S" suggestedPresentationDelay="PT0S" mediaPresentationDuration="PT60S" maxSegmentDuration="PT4.011S">
      <Period id="0" start="PT0S">
        <AdaptationSet id="0" contentType="video" mimeType="video/mp4" segmentAlignment="true" startWithSAP="1" maxWidth="1280" maxHeight="720">
          <Representation id="v720p" codecs="avc1.64001f" bandwidth="7992008" width="1280" height="720" sar="1:1" frameRate="24000/1001">
            <SegmentTemplate timescale="24000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
              <SegmentTimeline>
                <S t="0" d="96096" r="1"/>
                <S d="24024"/>
              </SegmentTimeline>
            </SegmentTemplate>
          </Representation>
          <Representation id="v360p" codecs="avc1.64001f" bandwidth="1998002" width="640" height="360" sar="1:1" frameRate="24000/1001">
            <SegmentTemplate timescale="24000" initialization="$RepresentationID$/init.mp4" media="$RepresentationID$/$Number$.m4s" startNumber="0">
              <SegmentTimeline>
                <S t="0" d="96096" r="1"/>
              </SegmentTimeline>
            </SegmentTemplate>
          </Representation>
        </AdaptationSet>
      </Period>
      <UTCTiming schemeIdUri="urn:mpeg:dash:utc:http-head:2014" value="main.mpd"/>
    </MPD>
    "#);
}
