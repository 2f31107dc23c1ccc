//! CMAF headers and fragments, and the ISO base media file format where CMAF and HLS rely on it.

rules! {
    BOX_SIZE: "mp4-box-size" Error IsoBmff "4.2",
        "Boxes lie whole within the box or file that holds them",
        "Write the sizes that the boxes have; the file may be cut off.";
    BOX_MISSING: "mp4-box-missing" Error IsoBmff "6.2.3",
        "Boxes that are mandatory are there",
        "Add the box.";
    BOX_DUPLICATE: "mp4-box-duplicate" Error IsoBmff "6.2.3",
        "A box of which there is one stands once",
        "Remove the second one.";
    BOX_CONTENT: "mp4-box-content" Error IsoBmff "8",
        "The content of a box has the fields that its version and flags announce",
        "Write the box as its section defines it.";
    HEADER_ORDER: "mp4-header-order" Error Hls "3.1.2",
        "A header is `ftyp` followed by `moov`",
        "Begin the header with ftyp and moov.";
    BRAND: "mp4-brand" Error Hls "3.1.2",
        "`ftyp` has a brand compatible with iso6 or later",
        "Add the brand iso6 or cmfc.";
    NOT_CMAF: "cmaf-brand" Note Cmaf "7.2",
        "`ftyp` has the brand cmfc or cmf2; the rules of CMAF are applied only where it says so",
        "Add the brand if the tracks shall be CMAF.";
    ONE_TRACK: "cmaf-one-track" Error Cmaf "7.3",
        "A CMAF header describes one track",
        "Put each track into files of its own.";
    MVEX: "mp4-mvex" Error Hls "3.1.2",
        "`moov` has `mvex` with a `trex` for each track",
        "Add mvex and trex.";
    SAMPLES_IN_MOOV: "mp4-samples-in-moov" Error Cmaf "7.3",
        "The sample tables of a header are empty",
        "Write all samples into fragments.";
    HEADER_DURATION: "cmaf-header-duration" Warning Cmaf "7.5",
        "Durations in mvhd, tkhd and mdhd of a CMAF header are 0: fragments tell them",
        "Write 0.";
    TIMESCALE: "mp4-timescale" Error IsoBmff "8.4.2",
        "A track has a timescale that is not 0",
        "Choose a timescale in which frames have whole durations.";
    EDIT_LIST: "cmaf-edit-list" Error Cmaf "7.5.13",
        "An edit list of a CMAF track has one entry that takes off the composition delay: duration 0, rate 1; none in video of brand cmf2",
        "Use one such entry, or negative composition offsets.";
    HANDLER: "mp4-handler" Error IsoBmff "8.4.3",
        "Handler, media header box (vmhd, smhd, nmhd, sthd) and sample entry agree on the kind of media",
        "Write the boxes of the track's kind.";
    CODEC_CONFIG: "mp4-codec-config" Error NalFile "5.3",
        "A sample entry has the configuration of its codec (avcC, hvcC, av1C, vpcC, esds, dac3, dec3, dOps)",
        "Copy the configuration from the encoder.";
    PICTURE_SIZE: "mp4-picture-size" Warning NalFile "5.3",
        "Width and height of the sample entry are those of the sequence parameter set",
        "Write the size of the coded pictures.";
    PASP: "cmaf-pasp" Warning Cmaf "9.2",
        "The sample entry of a CMAF video track has a `pasp`",
        "Add pasp, 1:1 for square pixels.";
    COLR: "cmaf-colr" Warning Cmaf "9.2",
        "The sample entry of a CMAF video track has a `colr` where the parameter set tells the colours",
        "Add colr with nclx, from the stream's VUI.";
    COLR_DIFFERS: "mp4-colr-differs" Warning IsoBmff "12.1.5",
        "`colr` tells the colours that the bitstream tells",
        "Copy the code points from the sequence parameter set or header.";
    OPUS_PRE_SKIP: "mp4-opus-pre-skip" Warning Opus "4.4",
        "The edit list of an Opus track begins after the samples that `dOps` says are skipped",
        "Write an edit list whose media time is the pre-skip.";
    SEGMENT_ORDER: "mp4-segment-order" Error Hls "3.1.2",
        "A segment is pairs of `moof` and `mdat`, after `styp`, `prft`, `emsg` or `sidx` if any",
        "Write each moof before its mdat.";
    BASE_IS_MOOF: "mp4-base-is-moof" Error Hls "3.1.2",
        "Offsets count from the `moof`: default-base-is-moof, no base-data-offset",
        "Set the flag 0x020000 in tfhd, and leave base-data-offset out.";
    TFDT: "mp4-tfdt" Error Hls "3.1.2",
        "Each `traf` has a `tfdt`",
        "Add tfdt.";
    TRAF_TRACK: "mp4-traf-track" Error IsoBmff "8.8.7",
        "A `traf` is of a track that the header describes",
        "Use the track number of the header.";
    ONE_TRAF: "cmaf-one-traf" Error Cmaf "7.3.2.3",
        "A CMAF fragment has one `traf` with one `trun`",
        "Write one run of samples for each fragment.";
    TRUN_BOUNDS: "mp4-sample-outside" Error IsoBmff "8.8.8",
        "The samples of a fragment lie in the `mdat` that follows it",
        "Write the data offset and the sizes that the samples have.";
    MDAT_LEFTOVER: "mp4-mdat-leftover" Warning Cmaf "7.3.2.3",
        "All bytes of `mdat` belong to samples",
        "Write samples only into mdat.";
    SEQUENCE: "mp4-sequence-number" Warning IsoBmff "8.8.5",
        "Sequence numbers of fragments grow",
        "Number fragments in order.";
    TIMELINE_GAP: "mp4-timeline" Error Cmaf "7.3.2.2",
        "`tfdt` is the sum of the durations before: no gap and no overlap between fragments",
        "Write the decode time where the fragment before ends.";
    SYNC_FLAGS: "mp4-sync-flag" Error IsoBmff "8.8.3",
        "A sample that is flagged as sync is one: IDR in H.264, IRAP in H.265",
        "Take the flag from the NAL unit type.";
    SYNC_UNFLAGGED: "mp4-sync-unflagged" Warning IsoBmff "8.8.3",
        "An IDR picture is flagged as sync",
        "Take the flag from the NAL unit type.";
    FRAGMENT_SAP: "cmaf-fragment-sap" Error Cmaf "7.3.2.4",
        "A CMAF fragment of video begins with a stream access point of type 1 or 2",
        "Cut fragments at key frames of closed groups of pictures; use chunks of one fragment otherwise.";
    SAMPLE_EMPTY: "mp4-sample-empty" Warning IsoBmff "8.8.8",
        "Samples have a size and a duration",
        "Leave empty samples out.";
    NAL_LENGTHS: "mp4-nal-lengths" Error NalFile "5.3.3",
        "The NAL units of a sample fill it exactly",
        "Write length-prefixed NAL units; start codes do not belong into MP4.";
    INBAND: "mp4-inband-parameters" Warning NalFile "5.3",
        "Samples of avc1 and hvc1 tracks hold no parameter sets",
        "Call the sample entry avc3 or hev1, or keep parameter sets in the header.";
    SIDX: "mp4-sidx" Error IsoBmff "8.16.3",
        "A segment index tells the sizes, durations and earliest time of what it lists",
        "Write the index after the fragments are known.";
}
