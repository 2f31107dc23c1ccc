//! Files that end early or begin late: a broken copy, a battery that died, a disk that was full.

use crate::{build::*, rows, wanted::*};

rows! {
    mp4_cut_after_a_quarter(place): place.file(first(&long("mp4").await, 25))
        => film(60).lasting(2.5).about(60, 2.0).notice(ENDS_EARLY);
    mp4_cut_in_the_middle(place): place.file(first(&long("mp4").await, 50))
        => film(150).lasting(6.0).about(75, 2.0).notice(ENDS_EARLY);
    mp4_cut_after_three_quarters(place): place.file(first(&long("mp4").await, 75))
        => film(225).lasting(9.0).about(75, 2.0).notice(ENDS_EARLY);
    mp4_cut_before_its_last_bytes(place): place.file(first(&long("mp4").await, 99))
        => film(298).lasting(11.9).about(8, 0.4).notice(ENDS_EARLY);
    mp4_cut_within_its_index(place): place.file(&read(&long("mp4").await)[..600]) => refused(TRUNCATED);
    mp4_cut_after_its_index(place): place.file(without_data(&read(&long("mp4").await))) => refused(EMPTY);
    mp4_with_the_index_last_cut(place): place.file(first(&plain("mp4").await, 50)) => refused(TRUNCATED);
    mp4_with_the_index_last_cut_within_it(place): place.file(first(&plain("mp4").await, 97)) => refused(TRUNCATED);
    fragmented_mp4_cut(place): place.file(first(&fragmented().await, 60))
        => film(180).lasting(7.2).about(60, 2.4).notice(ENDS_EARLY);
    mkv_cut_after_a_tenth(place): place.file(first(&long("mkv").await, 10))
        => film(30).lasting(1.2).about(25, 1.0).notice(ENDS_EARLY);
    mkv_cut_in_the_middle(place): place.file(first(&long("mkv").await, 50))
        => film(150).lasting(6.0).about(50, 2.0).notice(ENDS_EARLY);
    mkv_cut_near_its_end(place): place.file(first(&long("mkv").await, 90))
        => film(270).lasting(10.8).about(25, 1.0).notice(ENDS_EARLY);
    mkv_without_its_head(place): place.file(last(&long("mkv").await, 30)) => refused(NOT_MEDIA);
    // Nothing in a transport stream tells that there was more.
    ts_cut_in_the_middle(place): place.file(first(&long("ts").await, 50)) => film(150).lasting(6.0).about(50, 2.0);
    ts_cut_after_its_first_packets(place): place.file(&read(&long("ts").await)[..1000]) => refused(EMPTY);
    ts_without_its_head(place): place.file(last(&long("ts").await, 33)) => film(200).lasting(8.0).about(50, 2.0);
    avi_cut(place): place.file(first(&make("-f lavfi -i testsrc2=s=128x96:r=25:d=12 -f lavfi -i sine=d=12 -c:v mpeg4 -c:a mp3", "avi").await, 50))
        => film(150).lasting(6.0).about(50, 2.0).notice(ENDS_EARLY);
    flv_cut(place): place.file(first(&long("flv").await, 50)) => film(150).lasting(6.0).about(50, 2.0).notice(ENDS_EARLY);
    wav_cut(place): place.file(first(&make("-f lavfi -i sine=d=12", "wav").await, 50))
        => sound(6.0).about(0, 0.3).notice(ENDS_EARLY);
    flac_cut(place): place.file(first(&make("-f lavfi -i sine=d=12", "flac").await, 50))
        => sound(6.0).about(0, 0.5).notice(ENDS_EARLY);
    mp3_cut(place): place.file(first(&make("-f lavfi -i sine=d=12", "mp3").await, 50))
        => sound(6.0).about(0, 0.3).notice(ENDS_EARLY);
    ogg_cut(place): place.file(first(&make("-f lavfi -i testsrc2=s=128x96:r=25:d=12 -c:v libtheora", "ogg").await, 50))
        => film(150).lasting(6.0).about(75, 3.0).silent();
}

async fn fragmented() -> std::path::PathBuf {
    let line = "-f lavfi -i testsrc2=s=128x96:r=25:d=12 -f lavfi -i sine=d=12";
    make(&format!("{line} {X264} -c:a aac -movflags +frag_keyframe+empty_moov"), "mp4").await
}

/// Up to the media data, which is announced but missing.
fn without_data(file: &[u8]) -> &[u8] {
    &file[..iso::body(file, &["mdat"]).start]
}
