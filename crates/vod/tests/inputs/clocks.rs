//! Odd time stamps: negative, jumping, missing, uneven, and sound that does not lie beside the picture.

use std::path::PathBuf;

use crate::{build::*, rows, wanted::*};

/// The signal film, with more options for the output.
async fn marked(options: &str, extension: &str) -> PathBuf {
    make(&format!("{SIGNAL} {X264} -c:a aac {options}"), extension).await
}

/// The signal film put together again with one input moved in time.
async fn moved(video: &str, audio: &str, extension: &str) -> PathBuf {
    let film = marked("", "mkv").await;
    let film = film.display();
    make(&format!("{video} -i {film} {audio} -i {film} -map 0:v -map 1:a -c copy"), extension).await
}

/// A part of an ordinary film in a transport stream, beginning at `offset` seconds of its clock.
async fn part(offset: f64, seconds: u32) -> Vec<u8> {
    let line = format!(
        "-f lavfi -i testsrc2=s=128x96:r=25:d={seconds} -f lavfi -i sine=d={seconds} {X264} -c:a aac -output_ts_offset {offset}"
    );
    read(&make(&line, "ts").await)
}

rows! {
    in_step(place): marked("", "mp4").await => film(75).signal(1.0);
    in_step_in_ts(place): marked("", "ts").await => film(75).signal(1.0);
    in_step_in_flv(place): marked("", "flv").await => film(75).signal(1.0);
    in_step_in_webm(place): make(&format!("{SIGNAL} -c:v libvpx -deadline realtime -cpu-used 8 -c:a libopus"), "webm").await => film(75).signal(1.0);
    in_step_in_mpeg_ps(place): make(&format!("{SIGNAL} -c:v mpeg2video -bf 2 -c:a mp2"), "mpg").await => film(75).signal(1.0).about(1, 0.1);
    in_step_in_avi(place): make(&format!("{SIGNAL} -c:v mpeg4 -c:a mp3"), "avi").await => film(75).signal(1.0).about(1, 0.05);
    in_step_in_asf(place): make(&format!("{SIGNAL} -c:v wmv2 -c:a wmav2"), "wmv").await => film(75).signal(1.0).about(2, 0.1);
    sound_begins_late(place): moved("", "-ss 0.5 -itsoffset 0.5", "mp4").await => film(75).signal(1.0);
    sound_begins_late_in_mkv(place): moved("", "-ss 0.5 -itsoffset 0.5", "mkv").await => film(75).signal(1.0);
    // Nothing is shown until the picture begins, but all is heard.
    sound_begins_before_the_picture(place): moved("-itsoffset 0.8", "-itsoffset 0.8", "mp4").await => film(75).signal(1.0);
    sound_of_its_own_before_the_picture(place): early("mp4").await => film(100).signal(2.0).about(3, 0.1);
    sound_of_its_own_before_the_picture_in_mkv(place): early("mkv").await => film(100).signal(2.0).about(3, 0.1);
    sound_ends_early(place): make(&format!("-f lavfi -i testsrc2=s=128x96:r=25:d=4 -f lavfi -i sine=d=1 {X264} -c:a aac"), "mp4").await => film(100);
    sound_goes_on(place): make(&format!("{PICTURE} -f lavfi -i sine=d=6 {X264} -c:a aac"), "mp4").await
        => film(150).repeating().about(1, 0.1);
    sound_goes_on_a_little(place): make(&format!("{PICTURE} -f lavfi -i sine=d=2.5 {X264} -c:a aac"), "mp4").await => film(50);
    negative_in_mkv(place): marked("-output_ts_offset -0.4 -avoid_negative_ts disabled", "mkv").await => film(75).about(11, 0.44).repeating();
    negative_in_mp4(place): marked("-use_editlist 1 -output_ts_offset -0.4 -avoid_negative_ts disabled", "mp4").await => film(75).about(11, 0.44).repeating();
    far_from_zero(place): marked("-output_ts_offset 50000", "ts").await => film(75).signal(1.0);
    clock_wraps_in_the_middle(place): marked("-output_ts_offset 95442.3", "ts").await => film(75).signal(1.0);
    cut_at_a_picture_between_keys(place): trimmed().await => film(60).about(3, 0.1).repeating().signal(0.4);
    an_empty_edit_first(place): marked("-output_ts_offset 2", "mp4").await => film(75).signal(1.0);
    uneven(place): uneven_times("mp4").await => film(60).silent().lasting(4.0).about(0, 0.1);
    uneven_in_mkv(place): uneven_times("mkv").await => film(60).silent().lasting(4.0).about(0, 0.1);
    rate_changes(place): make(&format!("-f lavfi -i testsrc2=s=128x96:r=30:d=4 -vf select='lt(t,2)+gte(t,2)*not(mod(n,3))' -fps_mode vfr {X264}"), "mp4").await
        => film(80).silent().lasting(4.0).about(0, 0.1);
    a_pause_of_twenty_seconds(place): make(&format!("-f lavfi -i testsrc2=s=128x96:r=25:d=2 -vf setpts='PTS+gte(N,25)*20/TB' -fps_mode vfr {X264}"), "mkv").await
        => film(550).silent().repeating().about(3, 0.2);
    a_pause_of_ten_minutes(place): make(&format!("-f lavfi -i testsrc2=s=32x24:r=5:d=2 -vf setpts='PTS+gte(N,5)*600/TB' -fps_mode vfr {X264}"), "mkv").await
        => film(3010).silent().repeating().lasting(602.0).about(20, 2.0).patience(150);
    ts_joined_and_its_clock_begins_again(place): place.file([part(0.0, 2).await, part(0.0, 2).await].concat()) => film(100).repeating().about(2, 0.1);
    ts_joined_and_its_clock_jumps_hours(place): place.file([part(0.0, 2).await, part(20_000.0, 2).await].concat()) => film(100).repeating().about(2, 0.1);
    ts_joined_and_its_clock_jumps_back(place): place.file([part(20_000.0, 2).await, part(10.0, 2).await].concat()) => film(100).repeating().about(2, 0.1);
    mkv_whose_times_jump_back(place): place.file(times_of_mkv(|n, time| if n > 1 { time / 2 } else { time }).await) => film(50).silent().repeating().about(30, 1.2);
    mkv_whose_times_are_all_equal(place): place.file(times_of_mkv(|_, _| 0).await) => film(50).silent().repeating().about(40, 1.6).notice(ENDS_EARLY);
    a_pause_of_thirty_hours(place): make(&format!("-f lavfi -i testsrc2=s=32x24:r=5:d=2 -vf setpts='PTS+gte(N,5)*108000/TB' -fps_mode vfr {X264}"), "mkv").await
        => refused(TOO_LONG);
    avi_without_any_times(place): make(&format!("{PICTURE} -c:v rawvideo -pix_fmt yuv420p"), "avi").await => film(50).silent();
    open_groups_of_pictures(place): make(&format!("-f lavfi -i testsrc2=s=128x96:r=25:d=4 {X264} -flags -cgop -x264-params open-gop=1:keyint=12"), "mp4").await => film(100).silent();
    no_key_frame_first(place): place.file(without_first_key("ts").await) => film(75).silent().about(2, 0.1);
    one_key_frame_alone(place): make(&format!("-f lavfi -i testsrc2=s=128x96:r=25:d=20 {X264} -x264-params keyint=infinite"), "mp4").await => film(500).silent();
    intra_refresh_and_no_key_frames(place): make(&format!("-f lavfi -i testsrc2=s=128x96:r=25:d=4 {X264} -x264-params intra-refresh=1:bframes=0"), "ts").await => film(100).silent();
}

/// Sound begins two seconds before the picture does.
async fn early(extension: &str) -> PathBuf {
    let line = "-itsoffset 1 -f lavfi -i color=black:s=128x96:r=25:d=3,drawbox=c=white:t=fill:enable='gte(t,0.999)' \
        -f lavfi -i aevalsrc='if(gte(t,2),sin(2*PI*1000*t),0)':s=48000:d=4";
    make(&format!("{line} {X264} -c:a aac"), extension).await
}

/// A phone's trim: the file holds pictures from the key frame on, an edit list shows them from later.
async fn trimmed() -> PathBuf {
    let film = marked("-g 50", "mp4").await;
    make(&format!("-ss 0.6 -i {} -c copy", film.display()), "mp4").await
}

/// Of each five pictures the second and third are left out.
async fn uneven_times(extension: &str) -> PathBuf {
    let select = "-vf select='not(between(mod(n,5),1,2))' -fps_mode vfr";
    make(&format!("-f lavfi -i testsrc2=s=128x96:r=25:d=4 {select} {X264}"), extension).await
}

/// A Matroska film whose clusters have other times.
async fn times_of_mkv(new: impl Fn(usize, u32) -> u32) -> Vec<u8> {
    let file = make(&format!("{PICTURE} {X264} -bf 0 -g 10 -cluster_time_limit 400"), "mkv").await;
    change(&file, |bytes| {
        // Cluster, its size in eight bytes, and its time in one or two.
        let clusters: Vec<usize> = bytes
            .windows(4)
            .enumerate()
            .filter(|(_, w)| *w == [0x1F, 0x43, 0xB6, 0x75])
            .map(|(i, _)| i)
            .collect();
        assert!(clusters.len() > 2);
        for (n, at) in clusters.into_iter().enumerate() {
            let at = at + bytes[at..].iter().position(|byte| *byte == 0xE7).unwrap();
            let length = usize::from(bytes[at + 1] & 0x7F);
            let time =
                bytes[at + 2..at + 2 + length].iter().fold(0, |time, byte| time << 8 | u32::from(*byte));
            let time = new(n, time).to_be_bytes();
            bytes[at + 2..at + 2 + length].copy_from_slice(&time[4 - length..]);
        }
    })
}

/// A transport stream from the middle of its first group of pictures on: 25 of 100 pictures cannot be decoded.
async fn without_first_key(extension: &str) -> Vec<u8> {
    let file =
        make(&format!("-f lavfi -i testsrc2=s=128x96:r=25:d=4 {X264} -bf 0 -muxdelay 0"), extension).await;
    let told = std::process::Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "packet=pos,flags", "-of", "csv=p=0"])
        .arg(&file)
        .output()
        .unwrap()
        .stdout;
    let told = String::from_utf8(told).unwrap();
    let at: usize = told.lines().nth(8).unwrap().split(',').next().unwrap().parse().unwrap();
    read(&file)[at..].to_vec()
}
