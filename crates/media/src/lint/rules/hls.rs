//! HLS playlists as text, and multivariant playlists.

rules! {
    ENCODING: "hls-encoding" Error Hls "4.1",
        "A playlist is UTF-8 without a byte order mark and without control characters other than CR and LF",
        "Write the playlist as plain UTF-8.";
    EXTM3U: "hls-extm3u" Error Hls "4.4.1.1",
        "The first line is `#EXTM3U`",
        "Begin the playlist with #EXTM3U.";
    TAG_SYNTAX: "hls-tag-syntax" Error Hls "4.2",
        "The value of a tag has the form that the tag prescribes",
        "Write the value as the tag's section defines it.";
    TAG_DUPLICATE: "hls-tag-duplicate" Error Hls "4.4",
        "A tag that tells about the whole playlist stands in it once",
        "Remove all but one.";
    TAG_PLACEMENT: "hls-tag-placement" Error Hls "4.4.3",
        "Sequence numbers are told before the first segment, and the discontinuity sequence before the first discontinuity",
        "Move the tag to the head of the playlist.";
    TAG_MIXED: "hls-tag-mixed" Error Hls "4.4",
        "Tags of media playlists and of multivariant playlists do not meet in one playlist",
        "Split the playlist in two.";
    TAG_UNKNOWN: "hls-tag-unknown" Note Hls "4.1",
        "Tags are those of the standard; players ignore others",
        "Check the spelling; leave it if it is an extension that you mean.";
    ATTRIBUTE_TYPE: "hls-attribute-type" Error Hls "4.2",
        "An attribute's value has the type that the attribute prescribes: quoted or not, decimal, hexadecimal, resolution",
        "Write the value in its type.";
    ATTRIBUTE_VALUE: "hls-attribute-value" Error Hls "4.2",
        "An enumerated attribute has one of the values that the standard lists",
        "Use one of the listed values.";
    ATTRIBUTE_DUPLICATE: "hls-attribute-duplicate" Error Hls "4.2",
        "An attribute stands once in a list",
        "Remove the second one.";
    ATTRIBUTE_MISSING: "hls-attribute-missing" Error Hls "4.4",
        "Attributes that a tag requires are there",
        "Add the attribute.";
    URI_MISSING: "hls-uri-missing" Error Hls "4.4.6.2",
        "A URI line follows EXT-X-STREAM-INF, and EXTINF and other segment tags",
        "Add the URI, or remove the tags.";
    URI_INVALID: "hls-uri-invalid" Error Hls "4.1",
        "URIs can be resolved against the playlist's own",
        "Write an absolute or relative URI (RFC 3986).";
    VERSION: "hls-version" Error Hls "4.4.1.2",
        "EXT-X-VERSION is at least what the tags and attributes in use require",
        "Raise EXT-X-VERSION.";
    VARIABLE: "hls-variable-undefined" Error Hls "4.3",
        "A variable is defined before it is used",
        "Define it with EXT-X-DEFINE above its first use.";
    DEFINE: "hls-define" Error Hls "4.4.2.3",
        "EXT-X-DEFINE names a variable in one of the three ways, and each name once",
        "Use exactly one of NAME with VALUE, IMPORT, QUERYPARAM.";
    START: "hls-start-offset" Warning Hls "4.4.2.2",
        "TIME-OFFSET of EXT-X-START lies within the playlist",
        "Choose an offset no longer than the playlist.";
    MEDIA_URI: "hls-media-uri" Error Hls "4.4.6.1",
        "SUBTITLES renditions have a URI, CLOSED-CAPTIONS renditions have none but an INSTREAM-ID, which others lack",
        "Add or remove URI and INSTREAM-ID as the TYPE requires.";
    MEDIA_FORCED: "hls-media-forced" Error Hls "4.4.6.1",
        "FORCED stands on SUBTITLES only",
        "Remove FORCED.";
    LANGUAGE: "hls-language" Error Hls "4.4.6.1",
        "LANGUAGE and ASSOC-LANGUAGE are language tags (BCP 47)",
        "Write a language tag such as en or pt-BR.";
    GROUP_NAME: "hls-group-name" Error Hls "4.4.6.1.1",
        "Renditions of a group have different NAMEs",
        "Rename one of them.";
    GROUP_DEFAULT: "hls-group-default" Error Hls "4.4.6.1.1",
        "A group has at most one rendition with DEFAULT=YES",
        "Leave DEFAULT=YES to one rendition of the group.";
    DEFAULT_AUTOSELECT: "hls-default-autoselect" Error Hls "4.4.6.1",
        "A rendition with DEFAULT=YES is not AUTOSELECT=NO",
        "Set AUTOSELECT=YES.";
    AUTOSELECT_SAME: "hls-autoselect-same" Warning Hls "4.4.6.1.1",
        "AUTOSELECT=YES renditions of a group differ in language, FORCED or CHARACTERISTICS",
        "Leave AUTOSELECT=YES to one of them, or tell their CHARACTERISTICS.";
    GROUPS_DIFFER: "hls-groups-differ" Error Hls "4.4.6.2.1",
        "Groups of one TYPE have the same renditions, alike but for URI, CHANNELS and the like",
        "Give all groups of the type the same NAMEs and attributes.";
    GROUP_MISSING: "hls-group-missing" Error Hls "4.4.6.2",
        "AUDIO, VIDEO, SUBTITLES and CLOSED-CAPTIONS of a variant name a group of that TYPE",
        "Add the EXT-X-MEDIA tags of the group, or remove the attribute.";
    GROUP_UNUSED: "hls-group-unused" Note Hls "4.4.6.1.1",
        "Groups are named by a variant",
        "Remove the group, or name it in a variant.";
    CAPTIONS_NONE: "hls-captions-none" Error Hls "4.4.6.2",
        "If one variant says CLOSED-CAPTIONS=NONE, all do",
        "Say NONE on all variants or on none.";
    CODECS_MISSING: "hls-codecs-missing" Warning Hls "4.4.6.2",
        "A variant tells its CODECS",
        "Add CODECS with one entry for each format of the variant and its renditions.";
    CODECS_SYNTAX: "hls-codecs-syntax" Error Rfc6381 "3.3",
        "CODECS entries have the form that their format prescribes",
        "Write the entries as RFC 6381 and the codec's registration define them.";
    RESOLUTION_MISSING: "hls-resolution-missing" Warning Hls "4.4.6.2",
        "A variant with video tells its RESOLUTION",
        "Add RESOLUTION.";
    FRAME_RATE_MISSING: "hls-frame-rate-missing" Warning Apple "",
        "A variant with video tells its FRAME-RATE",
        "Add FRAME-RATE with three decimals.";
    AVERAGE_ABOVE_PEAK: "hls-average-above-peak" Error Hls "4.4.6.2",
        "AVERAGE-BANDWIDTH does not exceed BANDWIDTH",
        "Measure both again.";
    NO_VARIANTS: "hls-no-variants" Error Hls "4.4.6.2",
        "A multivariant playlist has a variant",
        "Add EXT-X-STREAM-INF tags.";
    IFRAMES_MISSING: "hls-iframes-missing" Note Apple "",
        "There are I-frame playlists for scrubbing and trick play",
        "Add EXT-X-I-FRAME-STREAM-INF.";
    SESSION_DATA: "hls-session-data" Error Hls "4.4.6.4",
        "EXT-X-SESSION-DATA has either VALUE or URI, and each DATA-ID once in a language",
        "Keep one of them.";
    KEY: "hls-key" Error Hls "4.4.4.4",
        "EXT-X-KEY and EXT-X-SESSION-KEY: URI unless METHOD=NONE, which has no other attribute; IV of 128 bits; KEYFORMATVERSIONS are numbers with slashes",
        "Write the key tag as its section defines it.";
    SESSION_KEY: "hls-session-key" Error Hls "4.4.6.5",
        "METHOD of EXT-X-SESSION-KEY is not NONE",
        "Remove the tag.";
}
