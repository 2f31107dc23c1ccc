//! DASH manifests, and whether they tell the truth about their media.

rules! {
    XML: "dash-xml" Error Xml "2.1",
        "The manifest is well-formed XML, without a document type and within limits of size and depth",
        "Write well-formed XML.";
    ROOT: "dash-root" Error Dash "5.2",
        "The root element is MPD in the namespace urn:mpeg:dash:schema:mpd:2011",
        "Write the namespace of the schema.";
    ATTRIBUTE_MISSING: "dash-attribute-missing" Error Dash "5.3",
        "Attributes that an element requires are there, on it or on the element above",
        "Add the attribute.";
    ATTRIBUTE_VALUE: "dash-attribute-value" Error Dash "5.3",
        "Attributes have the type that the schema prescribes",
        "Write the value in its type.";
    PROFILE: "dash-profile" Warning Dash "8",
        "@profiles names a profile that is known, and the manifest keeps its rules for addressing",
        "Name the profile that the manifest follows.";
    PERIOD: "dash-period" Error Dash "5.3.2",
        "There is a Period, and start and duration of periods follow one another",
        "Mend start and duration of the periods.";
    NO_CONTENT: "dash-no-content" Error Dash "5.3.3",
        "Periods have adaptation sets, and these have representations",
        "Remove what is empty.";
    DURATION_MISSING: "dash-duration-missing" Error Dash "5.3.1.2",
        "A static presentation tells its duration",
        "Add mediaPresentationDuration or the duration of the last Period.";
    DURATION_DIFFERS: "dash-duration-differs" Warning Dash "5.3.1.2",
        "The duration that is told is that of the segments",
        "Write the duration of the longest representation.";
    ID_DUPLICATE: "dash-id-duplicate" Error Dash "5.3.5.2",
        "Ids of periods, of adaptation sets and of representations within a period are unique",
        "Rename one of them.";
    CODECS_MISSING: "dash-codecs-missing" Error DashIf "3.2.4",
        "Representations of video and audio tell their @codecs",
        "Add @codecs.";
    MIME_TYPE: "dash-mime-type" Error Dash "5.3.7.2",
        "@mimeType and @contentType agree",
        "Tell one of them, or both alike.";
    LANGUAGE: "dash-language" Error Dash "5.3.3.2",
        "@lang is a language tag (BCP 47)",
        "Write a language tag such as en or pt-BR.";
    AUDIO_CHANNELS: "dash-audio-channels" Warning DashIf "3.2.4",
        "Audio tells its channels (AudioChannelConfiguration) and @audioSamplingRate",
        "Add both.";
    VIDEO_ATTRIBUTES: "dash-video-attributes" Warning DashIf "3.2.4",
        "Video tells @width, @height and @frameRate",
        "Add them.";
    ALIGNMENT_MISSING: "dash-alignment-missing" Warning DashIf "3.2.2",
        "Sets of several representations say segmentAlignment or subsegmentAlignment",
        "Add segmentAlignment=\"true\".";
    ALIGNMENT_FALSE: "dash-alignment" Error Dash "5.3.3.2",
        "With segmentAlignment, segments of all representations of the set begin and end at the same times",
        "Cut all representations at the same frames, or remove the attribute.";
    SAP_FALSE: "dash-start-with-sap" Error Dash "5.3.7.2",
        "With startWithSAP, each segment begins with a stream access point of at most that type",
        "Cut segments at key frames, or remove the attribute.";
    ADDRESSING: "dash-addressing" Error Dash "5.3.9.1",
        "A representation has one of SegmentTemplate, SegmentList, SegmentBase, or a BaseURL alone",
        "Tell how segments are addressed.";
    TEMPLATE: "dash-template" Error Dash "5.3.9.4.4",
        "A template holds $RepresentationID$, $Number$ or $Time$ (one of the two in media, none in initialization), $Bandwidth$ and $$ only, with a width such as %05d",
        "Mend the template.";
    TIMELINE_VALUE: "dash-timeline" Error Dash "5.3.9.6",
        "S has a duration above 0 and r of at least -1, and a timeline has at least one S",
        "Mend the SegmentTimeline.";
    TIMELINE_OVERLAP: "dash-timeline-overlap" Error Dash "5.3.9.6",
        "Segments of a timeline do not overlap",
        "Begin each S where the one before ends.";
    TIMELINE_GAP: "dash-timeline-gap" Warning DashIfTiming "7",
        "Segments of a timeline leave no gap",
        "Begin each S where the one before ends.";
    PERIOD_COVERED: "dash-period-covered" Warning DashIfTiming "9.2.1",
        "The segments of a static presentation cover the whole period",
        "Add the segments that are missing, or shorten the period.";
    MAX_SEGMENT: "dash-max-segment-duration" Error Dash "5.3.1.2",
        "No segment of video, audio or text lasts longer than maxSegmentDuration",
        "Raise maxSegmentDuration.";
    SEGMENT_TIME: "dash-segment-time" Error Dash "5.3.9.6",
        "A segment's media begins at the time that the manifest tells",
        "Take the times of the manifest from the media.";
    SEGMENT_DURATION: "dash-segment-duration" Error Dash "5.3.9.6",
        "A segment's media lasts as long as the manifest tells",
        "Take the durations of the manifest from the media.";
    BANDWIDTH: "dash-bandwidth" Error Dash "5.3.5.2",
        "Over a channel of @bandwidth, after minBufferTime, each segment is there in time",
        "Raise @bandwidth or minBufferTime.";
    CODECS_DIFFER: "dash-codecs-differ" Error Dash "5.3.7.2",
        "@codecs is what the header says",
        "Copy the codecs from the sample entry.";
    SIZE_DIFFERS: "dash-size-differs" Warning Dash "5.3.7.2",
        "@width and @height are the size of the pictures",
        "Write the size of the pictures.";
    FRAME_RATE_DIFFERS: "dash-frame-rate-differs" Warning Dash "5.3.7.2",
        "@frameRate is that of the samples",
        "Measure it on the samples.";
    TRANSFER_DIFFERS: "dash-transfer-differs" Error Dash "5.8.5.12",
        "Pictures in PQ or HLG have a property urn:mpeg:mpegB:cicp:TransferCharacteristics, and it is that of the header",
        "Add an EssentialProperty with the code point of colr.";
    SAMPLING_RATE_DIFFERS: "dash-sampling-rate-differs" Warning Dash "5.3.7.2",
        "@audioSamplingRate is that of the header",
        "Write the sampling rate of the header.";
    HEADER_MISSING: "dash-header-missing" Error Dash "6.3.3",
        "Segments without a header have an initialization segment",
        "Add @initialization.";
    INDEX_RANGE: "dash-index-range" Error Dash "5.3.9.2",
        "@indexRange is exactly the segment index (sidx)",
        "Write the place of the sidx box.";
    AVAILABILITY_START: "dash-availability-start" Error Dash "5.3.1.2",
        "A dynamic presentation tells availabilityStartTime and publishTime",
        "Add both.";
    UPDATE_STATIC: "dash-static-attributes" Error Dash "5.3.1.2",
        "A static presentation has no minimumUpdatePeriod, timeShiftBufferDepth or suggestedPresentationDelay",
        "Remove them.";
    UTC_TIMING: "dash-utc-timing" Warning DashIf "4.7",
        "A dynamic presentation tells a clock (UTCTiming) by a known scheme",
        "Add UTCTiming with http-head, http-iso, http-xsdate, ntp or direct.";
    UPDATE_PERIOD: "dash-update-period" Note Dash "5.3.1.2",
        "A dynamic presentation tells minimumUpdatePeriod, unless it never changes",
        "Add minimumUpdatePeriod.";
    THUMBNAILS: "dash-thumbnails" Error DashIf "6.2.6",
        "A set of thumbnails has image/jpeg or image/png, numbered segments of one duration, width and height of a sheet, and thumbnail_tile with columns x rows",
        "Mend the set of thumbnails.";
    PROTECTION_MISSING: "dash-protection-missing" Error Dash "5.8.4.1",
        "Sets with encrypted media have a ContentProtection of urn:mpeg:dash:mp4protection:2011 with the scheme of the header",
        "Add ContentProtection.";
    PROTECTION_KEY: "dash-protection-key" Error Cenc "11.2",
        "cenc:default_KID is the key ID of the header",
        "Copy default_KID from tenc.";
    RELOAD: "dash-reload" Error Dash "5.4",
        "An update keeps availabilityStartTime, period starts, ids and the segments that were listed, and publishTime does not go back",
        "Only append to a presentation.";
}
