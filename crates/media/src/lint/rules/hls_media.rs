//! HLS media playlists, and whether playlists tell the truth about their media.

rules! {
    TARGET_MISSING: "hls-targetduration-missing" Error Hls "4.4.3.1",
        "A media playlist has EXT-X-TARGETDURATION",
        "Add it: the longest segment in seconds, rounded.";
    TARGET_EXCEEDED: "hls-targetduration-exceeded" Error Hls "4.4.3.1",
        "EXTINF, rounded to the nearest second, does not exceed the target duration",
        "Raise EXT-X-TARGETDURATION, or cut shorter segments.";
    TARGET_SLACK: "hls-targetduration-slack" Note Hls "4.4.3.1",
        "The target duration is near the longest segment: players derive delays from it",
        "Lower EXT-X-TARGETDURATION.";
    EXTINF_MISSING: "hls-extinf-missing" Error Hls "4.4.4.1",
        "Each segment has an EXTINF",
        "Add EXTINF above the URI.";
    BYTERANGE: "hls-byterange" Error Hls "4.4.4.2",
        "A byte range without offset follows a range of the same resource",
        "Tell the offset.";
    MAP_MISSING: "hls-map-missing" Error Hls "3.1.2",
        "Fragmented MP4 segments have an EXT-X-MAP",
        "Add EXT-X-MAP with the header.";
    DATE_TIME: "hls-program-date-time" Error Hls "4.4.4.6",
        "EXT-X-PROGRAM-DATE-TIME is an ISO 8601 date and time",
        "Write it as 2025-06-15T12:00:00.000Z.";
    DATE_TIME_ZONE: "hls-program-date-time-zone" Warning Hls "4.4.4.6",
        "EXT-X-PROGRAM-DATE-TIME tells its time zone",
        "Add Z or an offset.";
    DATE_TIME_DRIFT: "hls-program-date-time-drift" Warning Hls "4.4.4.6",
        "Between discontinuities, program date times advance by the segments' durations",
        "Derive the dates from media time, or mark a discontinuity.";
    DATERANGE: "hls-daterange" Error Hls "4.4.5.1",
        "A date range does not end before it starts, and END-ON-NEXT has a CLASS and neither DURATION nor END-DATE",
        "Mend the date range.";
    VOD_WITHOUT_END: "hls-vod-without-end" Warning Hls "4.4.3.5",
        "A playlist that will not change (VOD) has EXT-X-ENDLIST",
        "Add EXT-X-ENDLIST, or call it EVENT.";
    NO_SEGMENTS: "hls-no-segments" Warning Hls "4.4.4",
        "A media playlist has segments",
        "Publish the playlist when there is something to play.";
    BITRATE_TAG: "hls-bitrate-tag" Warning Hls "4.4.4.8",
        "EXT-X-BITRATE is within 10 % of the segment's bit rate",
        "Measure it again.";
    SEGMENT_FORMAT: "hls-segment-format" Error Hls "3.1",
        "Segments are fragmented MP4, MPEG-2 TS, packed audio or WebVTT",
        "Use one of the formats of the standard.";
    SEGMENT_FORMATS_MIXED: "hls-segment-formats-mixed" Error Hls "3.1",
        "Segments of a playlist have one format, unless a discontinuity parts them",
        "Use one format for the playlist.";
    TS_PACKETS: "hls-ts-packets" Error Hls "3.1.1",
        "A TS segment is whole packets of 188 bytes that begin with 0x47",
        "Cut segments at packet boundaries.";
    TS_PAT: "hls-ts-pat" Warning Hls "3.1.1",
        "A TS segment begins with PAT and PMT, unless EXT-X-MAP has them",
        "Repeat PAT and PMT at the start of each segment.";
    WEBVTT: "hls-webvtt" Error Hls "3.1.4",
        "A WebVTT segment begins with WEBVTT, and its X-TIMESTAMP-MAP has MPEGTS and LOCAL",
        "Begin each segment with the WebVTT header.";
    PACKED_AUDIO: "hls-packed-audio-timestamp" Error Hls "3.1.3",
        "A packed audio segment begins with an ID3 tag that tells its timestamp",
        "Add the PRIV frame com.apple.streaming.transportStreamTimestamp.";
    FMP4_SELF_INIT: "hls-segment-with-header" Warning Hls "3.1.2",
        "A fragmented MP4 segment does not repeat the header (moov)",
        "Put the header in EXT-X-MAP alone.";
    INDEPENDENT: "hls-independent-segments" Error Hls "4.4.2.1",
        "With EXT-X-INDEPENDENT-SEGMENTS each segment begins with a picture that decodes on its own",
        "Cut segments at key frames, or remove the tag.";
    NO_KEY_FRAME: "hls-segment-without-key-frame" Warning Hls "3",
        "A video segment has a key frame",
        "Cut segments at key frames.";
    EXTINF_DIFFERS: "hls-extinf-differs" Warning Hls "4.4.4.1",
        "EXTINF is the duration of the media within a frame",
        "Write the duration of the samples with at least three decimals.";
    EXTINF_SUM_DIFFERS: "hls-extinf-sum-differs" Error Hls "4.4.4.1",
        "EXTINFs add up to the place of a segment on the media's timeline: errors do not accumulate beyond a second",
        "Write EXTINF with more decimals, and no rounded values.";
    TIMELINE_BREAK: "hls-discontinuity-missing" Error Hls "4.4.4.3",
        "Where timestamps jump or the header changes its tracks, there is an EXT-X-DISCONTINUITY",
        "Mark the discontinuity.";
    IFRAME: "hls-iframe" Error Hls "4.4.3.6",
        "An entry of an I-frame playlist holds a picture that decodes on its own, whole, as its first sample",
        "Point the entry at the fragment's header and the key frame.";
    IFRAME_ONLY: "hls-iframe-single" Warning Hls "4.4.3.6",
        "An entry of an I-frame playlist holds one picture and no more",
        "End the range behind the key frame.";
    CODECS_DIFFER: "hls-codecs-differ" Error Hls "4.4.6.2",
        "CODECS lists every format of the variant and its renditions, as the headers have them",
        "Copy the codecs from the sample entries.";
    CODECS_SUPERFLUOUS: "hls-codecs-superfluous" Warning Hls "4.4.6.2",
        "CODECS lists no format that is not there: players may refuse the variant for it",
        "Remove the entry.";
    RESOLUTION_DIFFERS: "hls-resolution-differs" Warning Hls "4.4.6.2",
        "RESOLUTION is the size of the pictures",
        "Write the width and height of the pictures.";
    VIDEO_RANGE_DIFFERS: "hls-video-range-differs" Error Hls "4.4.6.2",
        "VIDEO-RANGE is that of the pictures: PQ or HLG where their transfer characteristics say so, else SDR or none",
        "Take VIDEO-RANGE from colr or the bitstream.";
    FRAME_RATE_DIFFERS: "hls-frame-rate-differs" Warning Hls "4.4.6.2",
        "FRAME-RATE is the greatest frame rate, to three decimals",
        "Measure it on the samples.";
    BANDWIDTH_EXCEEDED: "hls-bandwidth-exceeded" Error Hls "4.4.6.2",
        "BANDWIDTH is no less than the measured peak segment bit rate (error beyond the 10 % of Apple's authoring specification)",
        "Measure the peak over all segments and renditions.";
    BANDWIDTH_BELOW: "hls-bandwidth-below-peak" Warning Hls "4.4.6.2",
        "BANDWIDTH is no less than the measured peak segment bit rate, not even within 10 %",
        "Measure the peak over all segments and renditions.";
    BANDWIDTH_ABOVE: "hls-bandwidth-above-peak" Warning Apple "",
        "BANDWIDTH of a complete presentation is within 10 % of the measured peak",
        "Measure the peak over all segments and renditions.";
    AVERAGE_DIFFERS: "hls-average-bandwidth" Warning Apple "",
        "AVERAGE-BANDWIDTH of a complete presentation is within 10 % of the measured average",
        "Measure the average over all segments and renditions.";
    TARGETS_DIFFER: "hls-targetduration-differs" Error Hls "6.2.4",
        "All playlists of video and audio have the same target duration",
        "Write the longest segment of all into each playlist.";
    DURATIONS_DIFFER: "hls-durations-differ" Error Hls "6.2.4",
        "Variants and renditions last equally long, within a target duration",
        "Fill up what is missing.";
    DISCONTINUITIES_DIFFER: "hls-discontinuities-differ" Error Hls "6.2.4",
        "Variants and renditions have the same discontinuities",
        "Mark each discontinuity in all playlists.";
    BOUNDARIES_DIFFER: "hls-boundaries-differ" Warning Hls "6.2.4",
        "Video segments begin at the same times in all variants",
        "Cut all variants at the same frames.";
    TIMESTAMPS_DIFFER: "hls-timestamps-differ" Error Hls "6.2.4",
        "Matching content has matching timestamps in all variants and renditions",
        "Use one timeline for all.";
    TYPES_DIFFER: "hls-playlist-types-differ" Error Hls "6.2.4",
        "Variants have the same EXT-X-PLAYLIST-TYPE",
        "Tell one type in all playlists.";
    ENDS_DIFFER: "hls-ends-differ" Warning Hls "6.2.4",
        "Either all playlists have ended or none",
        "End all playlists at once.";
    KEY_MISSING: "hls-key-missing" Error Hls "4.4.4.4",
        "Segments with encrypted samples have an EXT-X-KEY",
        "Add EXT-X-KEY with METHOD=SAMPLE-AES or SAMPLE-AES-CTR.";
    KEY_METHOD: "hls-key-method-differs" Error Hls "4.4.4.4",
        "METHOD=SAMPLE-AES goes with the scheme cbcs, SAMPLE-AES-CTR with cenc",
        "Tell the method of the scheme in the header.";
    IMAGES: "hls-images" Error Images "",
        "An image playlist has EXT-X-TILES, and its sheets are JPEG or PNG with room for their tiles",
        "Write EXT-X-TILES with RESOLUTION, LAYOUT and DURATION for the sheets.";
}
