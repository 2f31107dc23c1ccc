//! HLS: what changes from one load of a playlist to the next, and low latency.

rules! {
    SEQUENCE_BACK: "hls-reload-media-sequence" Error Hls "6.2.2",
        "EXT-X-MEDIA-SEQUENCE never goes back, and grows by as many as segments were removed",
        "Number segments once and for all.";
    SEGMENT_CHANGED: "hls-reload-segment-changed" Error Hls "6.2.1",
        "A segment that was listed keeps its URI, duration, byte range and header",
        "Only append segments at the end, and remove them at the start.";
    EVENT_REMOVED: "hls-reload-event-removed" Error Hls "4.4.3.5",
        "An EVENT playlist only appends",
        "Keep all segments, or do not call it EVENT.";
    TARGET_CHANGED: "hls-reload-targetduration" Error Hls "4.4.3.1",
        "The target duration never changes",
        "Plan the longest segment ahead.";
    TYPE_CHANGED: "hls-reload-playlist-type" Error Hls "6.2.1",
        "EXT-X-PLAYLIST-TYPE does not change while the playlist grows; a playlist that has ended, or of type VOD, does not change at all",
        "Publish what changed under another URI.";
    DISCONTINUITY_SEQUENCE: "hls-reload-discontinuity-sequence" Error Hls "6.2.2",
        "EXT-X-DISCONTINUITY-SEQUENCE grows by one for each discontinuity that was removed",
        "Count removed discontinuities.";
    DATE_CHANGED: "hls-reload-date-time" Error Hls "6.2.1",
        "A segment keeps its program date time",
        "Write the date of a segment once.";
    STALLED: "hls-reload-stalled" Warning Hls "6.2.2",
        "A playlist that has not ended gets a new segment within 1.5 target durations",
        "Publish in time, or end the playlist.";
    WINDOW_SHORT: "hls-live-window" Error Hls "6.2.2",
        "A live playlist from which segments were removed still lasts three target durations",
        "Keep more segments.";
    PART_INF: "hls-part-inf" Error Hls "4.4.3.7",
        "A playlist with parts has EXT-X-PART-INF",
        "Add EXT-X-PART-INF:PART-TARGET=….";
    PART_DURATION: "hls-part-duration" Error Hls "4.4.4.9",
        "A part does not last longer than PART-TARGET",
        "Raise PART-TARGET, or cut shorter parts.";
    PART_SHORT: "hls-part-short" Warning Hls "4.4.4.9",
        "Parts last at least 85 % of PART-TARGET, but for the last of a segment",
        "Lower PART-TARGET, or cut longer parts.";
    PART_SUM: "hls-part-sum" Warning Hls "4.4.4.9",
        "The parts of a segment last as long as the segment",
        "Write the durations of the samples.";
    PART_HOLD_BACK: "hls-part-hold-back" Error Hls "4.4.3.8",
        "A playlist with parts tells PART-HOLD-BACK of at least two part targets",
        "Add PART-HOLD-BACK to EXT-X-SERVER-CONTROL.";
    PART_HOLD_BACK_SHORT: "hls-part-hold-back-short" Warning Hls "4.4.3.8",
        "PART-HOLD-BACK is at least three part targets",
        "Raise PART-HOLD-BACK.";
    HOLD_BACK: "hls-hold-back" Error Hls "4.4.3.8",
        "HOLD-BACK is at least three target durations",
        "Raise HOLD-BACK.";
    CAN_SKIP: "hls-can-skip-until" Error Hls "4.4.3.8",
        "CAN-SKIP-UNTIL is at least six target durations, and CAN-SKIP-DATERANGES needs it",
        "Raise CAN-SKIP-UNTIL.";
    CAN_BLOCK: "hls-can-block-reload" Error Hls "B.1",
        "A server of parts can block reloads (CAN-BLOCK-RELOAD=YES)",
        "Support _HLS_msn and _HLS_part, and say so.";
    SKIP: "hls-skip" Error Hls "4.4.5.2",
        "EXT-X-SKIP stands only in answers to a request with _HLS_skip",
        "Answer a plain request with the whole playlist.";
    PRELOAD_HINT: "hls-preload-hint" Error Hls "4.4.5.3",
        "A playlist hints at most once at each TYPE, and not after its end",
        "Keep one EXT-X-PRELOAD-HINT of each TYPE.";
    RENDITION_REPORT: "hls-rendition-report" Error Hls "4.4.5.4",
        "URI of EXT-X-RENDITION-REPORT is relative",
        "Write a relative URI.";
}
