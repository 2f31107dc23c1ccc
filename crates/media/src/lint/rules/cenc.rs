//! Common encryption in ISO base media files.

rules! {
    SINF: "cenc-sinf" Error IsoBmff "8.12",
        "A protected sample entry has `sinf` with `frma`, `schm` and `schi`/`tenc`",
        "Write the protection scheme information.";
    SCHEME: "cenc-scheme" Error Cenc "10",
        "The scheme is cenc or cbcs (CMAF), or cens or cbc1",
        "Encrypt by cenc or cbcs.";
    TENC: "cenc-tenc" Error Cenc "8.2",
        "`tenc`: an IV of 8 or 16 bytes for each sample, or a constant IV; a key ID; a pattern only in cbcs and cens",
        "Write tenc as the scheme requires.";
    SENC: "cenc-senc" Error Cenc "7.2",
        "A fragment of protected samples tells their IVs in `senc`: as many as samples, within the box",
        "Write one entry for each sample.";
    SAIZ_SAIO: "cenc-saiz-saio" Error IsoBmff "8.7.8",
        "`saiz` and `saio` agree with `senc`: count, sizes and place",
        "Point saio at the first entry of senc, and write the sizes of the entries.";
    SUBSAMPLES: "cenc-subsamples" Error Cenc "7.2",
        "The subsamples of a sample add up to its size",
        "Count clear and protected bytes of each NAL unit.";
    PSSH: "cenc-pssh" Error Cenc "8.1",
        "`pssh` has a system ID and the data sizes that it tells",
        "Write pssh as its section defines it.";
}
