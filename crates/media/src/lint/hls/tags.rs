//! The tags of the standard: where each may stand, how often, and what its value looks like (RFC 8216bis §4.4).

use super::attributes::{
    Spec,
    Type::{self, Any, Decimal, Enumerated, Hexadecimal, Integer, Quoted, Resolution, SignedDecimal},
};

/// In which playlists a tag may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Both,
    Media,
    /// About the next segment.
    Segment,
    Multivariant,
}

#[derive(Debug, Clone, Copy)]
pub enum Value {
    None,
    Integer,
    /// Told by the module that reads the tag.
    Own,
    List(&'static [Spec]),
}

#[derive(Debug)]
pub struct Tag {
    pub name: &'static str,
    pub scope: Scope,
    pub once: bool,
    pub value: Value,
}

const fn must(name: &'static str, kind: Type) -> Spec {
    Spec { name, kind, required: true }
}

const fn may(name: &'static str, kind: Type) -> Spec {
    Spec { name, kind, required: false }
}

const fn tag(name: &'static str, scope: Scope, once: bool, value: Value) -> Tag {
    Tag { name, scope, once, value }
}

const YES: Type = Enumerated(&["YES"]);
const YES_NO: Type = Enumerated(&["YES", "NO"]);
const METHODS: Type = Enumerated(&["NONE", "AES-128", "SAMPLE-AES", "SAMPLE-AES-CTR"]);

const KEY: &[Spec] = &[
    must("METHOD", METHODS),
    may("URI", Quoted),
    may("IV", Hexadecimal),
    may("KEYFORMAT", Quoted),
    may("KEYFORMATVERSIONS", Quoted),
];

const STREAM: &[Spec] = &[
    must("BANDWIDTH", Integer),
    may("AVERAGE-BANDWIDTH", Integer),
    may("SCORE", Decimal),
    may("CODECS", Quoted),
    may("SUPPLEMENTAL-CODECS", Quoted),
    may("RESOLUTION", Resolution),
    may("FRAME-RATE", Decimal),
    may("HDCP-LEVEL", Enumerated(&["TYPE-0", "TYPE-1", "NONE"])),
    may("ALLOWED-CPC", Quoted),
    may("VIDEO-RANGE", Enumerated(&["SDR", "HLG", "PQ"])),
    may("REQ-VIDEO-LAYOUT", Quoted),
    may("STABLE-VARIANT-ID", Quoted),
    may("AUDIO", Quoted),
    may("VIDEO", Quoted),
    may("SUBTITLES", Quoted),
    may("CLOSED-CAPTIONS", Any),
    may("PATHWAY-ID", Quoted),
];

const IFRAME_STREAM: &[Spec] = &[
    must("BANDWIDTH", Integer),
    must("URI", Quoted),
    may("AVERAGE-BANDWIDTH", Integer),
    may("SCORE", Decimal),
    may("CODECS", Quoted),
    may("RESOLUTION", Resolution),
    may("HDCP-LEVEL", Enumerated(&["TYPE-0", "TYPE-1", "NONE"])),
    may("VIDEO-RANGE", Enumerated(&["SDR", "HLG", "PQ"])),
    may("VIDEO", Quoted),
    may("PATHWAY-ID", Quoted),
];

const MEDIA: &[Spec] = &[
    must("TYPE", Enumerated(&["AUDIO", "VIDEO", "SUBTITLES", "CLOSED-CAPTIONS"])),
    must("GROUP-ID", Quoted),
    must("NAME", Quoted),
    may("URI", Quoted),
    may("LANGUAGE", Quoted),
    may("ASSOC-LANGUAGE", Quoted),
    may("STABLE-RENDITION-ID", Quoted),
    may("DEFAULT", YES_NO),
    may("AUTOSELECT", YES_NO),
    may("FORCED", YES_NO),
    may("INSTREAM-ID", Quoted),
    may("BIT-DEPTH", Integer),
    may("SAMPLE-RATE", Integer),
    may("CHARACTERISTICS", Quoted),
    may("CHANNELS", Quoted),
];

const DATERANGE: &[Spec] = &[
    must("ID", Quoted),
    may("CLASS", Quoted),
    may("START-DATE", Quoted),
    may("CUE", Quoted),
    may("END-DATE", Quoted),
    may("DURATION", Decimal),
    may("PLANNED-DURATION", Decimal),
    may("SCTE35-CMD", Hexadecimal),
    may("SCTE35-OUT", Hexadecimal),
    may("SCTE35-IN", Hexadecimal),
    may("END-ON-NEXT", YES),
];

const PART: &[Spec] = &[
    must("URI", Quoted),
    must("DURATION", Decimal),
    may("INDEPENDENT", YES),
    may("BYTERANGE", Quoted),
    may("GAP", YES),
];

const SERVER_CONTROL: &[Spec] = &[
    may("CAN-SKIP-UNTIL", Decimal),
    may("CAN-SKIP-DATERANGES", YES),
    may("HOLD-BACK", Decimal),
    may("PART-HOLD-BACK", Decimal),
    may("CAN-BLOCK-RELOAD", YES),
];

const TAGS: &[Tag] = &[
    tag("EXTM3U", Scope::Both, true, Value::None),
    tag("EXT-X-VERSION", Scope::Both, true, Value::Integer),
    tag("EXT-X-INDEPENDENT-SEGMENTS", Scope::Both, true, Value::None),
    tag(
        "EXT-X-START",
        Scope::Both,
        true,
        Value::List(&[must("TIME-OFFSET", SignedDecimal), may("PRECISE", YES_NO)]),
    ),
    tag(
        "EXT-X-DEFINE",
        Scope::Both,
        false,
        Value::List(&[
            may("NAME", Quoted),
            may("VALUE", Quoted),
            may("IMPORT", Quoted),
            may("QUERYPARAM", Quoted),
        ]),
    ),
    tag("EXT-X-TARGETDURATION", Scope::Media, true, Value::Integer),
    tag("EXT-X-MEDIA-SEQUENCE", Scope::Media, true, Value::Integer),
    tag("EXT-X-DISCONTINUITY-SEQUENCE", Scope::Media, true, Value::Integer),
    tag("EXT-X-ENDLIST", Scope::Media, true, Value::None),
    tag("EXT-X-PLAYLIST-TYPE", Scope::Media, true, Value::Own),
    tag("EXT-X-I-FRAMES-ONLY", Scope::Media, true, Value::None),
    tag("EXT-X-IMAGES-ONLY", Scope::Media, true, Value::None),
    tag("EXT-X-PART-INF", Scope::Media, true, Value::List(&[must("PART-TARGET", Decimal)])),
    tag("EXT-X-SERVER-CONTROL", Scope::Media, true, Value::List(SERVER_CONTROL)),
    tag("EXT-X-ALLOW-CACHE", Scope::Media, true, Value::Own),
    tag("EXTINF", Scope::Segment, false, Value::Own),
    tag("EXT-X-BYTERANGE", Scope::Segment, false, Value::Own),
    tag("EXT-X-DISCONTINUITY", Scope::Segment, false, Value::None),
    tag("EXT-X-KEY", Scope::Segment, false, Value::List(KEY)),
    tag("EXT-X-MAP", Scope::Segment, false, Value::List(&[must("URI", Quoted), may("BYTERANGE", Quoted)])),
    tag("EXT-X-PROGRAM-DATE-TIME", Scope::Segment, false, Value::Own),
    tag("EXT-X-GAP", Scope::Segment, false, Value::None),
    tag("EXT-X-BITRATE", Scope::Segment, false, Value::Integer),
    tag("EXT-X-PART", Scope::Segment, false, Value::List(PART)),
    tag(
        "EXT-X-TILES",
        Scope::Segment,
        false,
        Value::List(&[must("RESOLUTION", Resolution), must("LAYOUT", Resolution), may("DURATION", Decimal)]),
    ),
    tag("EXT-X-DATERANGE", Scope::Media, false, Value::List(DATERANGE)),
    tag(
        "EXT-X-SKIP",
        Scope::Media,
        true,
        Value::List(&[must("SKIPPED-SEGMENTS", Integer), may("RECENTLY-REMOVED-DATERANGES", Quoted)]),
    ),
    tag(
        "EXT-X-PRELOAD-HINT",
        Scope::Media,
        false,
        Value::List(&[
            must("TYPE", Enumerated(&["PART", "MAP"])),
            must("URI", Quoted),
            may("BYTERANGE-START", Integer),
            may("BYTERANGE-LENGTH", Integer),
        ]),
    ),
    tag(
        "EXT-X-RENDITION-REPORT",
        Scope::Media,
        false,
        Value::List(&[must("URI", Quoted), may("LAST-MSN", Integer), may("LAST-PART", Integer)]),
    ),
    tag("EXT-X-MEDIA", Scope::Multivariant, false, Value::List(MEDIA)),
    tag("EXT-X-STREAM-INF", Scope::Multivariant, false, Value::List(STREAM)),
    tag("EXT-X-I-FRAME-STREAM-INF", Scope::Multivariant, false, Value::List(IFRAME_STREAM)),
    tag("EXT-X-IMAGE-STREAM-INF", Scope::Multivariant, false, Value::List(IFRAME_STREAM)),
    tag(
        "EXT-X-SESSION-DATA",
        Scope::Multivariant,
        false,
        Value::List(&[
            must("DATA-ID", Quoted),
            may("VALUE", Quoted),
            may("URI", Quoted),
            may("FORMAT", Enumerated(&["JSON", "RAW"])),
            may("LANGUAGE", Quoted),
        ]),
    ),
    tag("EXT-X-SESSION-KEY", Scope::Multivariant, false, Value::List(KEY)),
    tag(
        "EXT-X-CONTENT-STEERING",
        Scope::Multivariant,
        true,
        Value::List(&[must("SERVER-URI", Quoted), may("PATHWAY-ID", Quoted)]),
    ),
];

/// The tag of this name, without `#`.
pub fn find(name: &str) -> Option<&'static Tag> {
    TAGS.iter().find(|tag| tag.name == name)
}
