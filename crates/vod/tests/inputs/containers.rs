//! Every container that is taken in, with codecs that are usual there.

use crate::{build::*, rows, wanted::*};

/// The ordinary picture and tone through these encoders.
async fn both(encoders: &str, extension: &str) -> std::path::PathBuf {
    make(&format!("{PICTURE} {TONE} {encoders}"), extension).await
}

rows! {
    mp4_film(place): plain("mp4").await => film(50).size(128, 96);
    mkv_film(place): plain("mkv").await => film(50).size(128, 96);
    mov_with_prores_and_pcm(place): both("-c:v prores_ks -profile:v 0 -c:a pcm_s16be", "mov").await => film(50);
    webm_with_vp8_and_vorbis(place): both("-c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis", "webm").await => film(50);
    webm_with_vp9_and_opus(place): both("-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus", "webm").await => film(50);
    avi_with_b_frames(place): both("-c:v mpeg4 -bf 2 -c:a mp3", "avi").await => film(50).about(3, 0.13);
    avi_without_b_frames(place): both("-c:v mpeg4 -c:a mp3", "avi").await => film(50).about(1, 0.05).repeating();
    avi_with_motion_jpeg(place): both("-c:v mjpeg -c:a pcm_s16le", "avi").await => film(50);
    flv_film(place): both(&format!("{X264} -c:a aac"), "flv").await => film(50);
    flv_with_sorenson_and_mp3(place): both("-c:v flv1 -ar 44100 -c:a mp3", "flv").await => film(50);
    mpeg_program_stream(place): both("-c:v mpeg2video -bf 2 -c:a mp2", "mpg").await => film(50).about(2, 0.1);
    vob_with_ac3(place): both("-c:v mpeg2video -c:a ac3 -f vob", "vob").await => film(50).about(2, 0.1);
    ts_film(place): plain("ts").await => film(50);
    m2ts_with_ac3(place): both(&format!("{X264} -c:a ac3 -mpegts_m2ts_mode 1 -f mpegts"), "m2ts").await => film(50);
    wmv_film(place): both("-c:v wmv2 -c:a wmav2", "wmv").await => film(50).about(2, 0.1);
    mxf_film(place): both("-c:v mpeg2video -ar 48000 -c:a pcm_s16le", "mxf").await => film(50);
    three_gp_film(place): make("-f lavfi -i testsrc2=s=176x144:r=25:d=2 -f lavfi -i sine=d=2 -c:v h263 -c:a aac", "3gp").await => film(50);
    ogg_theora_and_vorbis(place): both("-c:v libtheora -c:a libvorbis", "ogv").await => film(50);
    mkv_with_hevc(place): both("-c:v libx265 -preset ultrafast -x265-params log-level=error -c:a aac", "mkv").await => film(50);
    mkv_with_ffv1_and_flac(place): both("-c:v ffv1 -c:a flac", "mkv").await => film(50);
    mkv_live_without_cues(place): both(&format!("{X264} -c:a aac -live 1"), "mkv").await => film(50);
    fragmented_mp4(place): both(&format!("{X264} -c:a aac -movflags +frag_keyframe+empty_moov"), "mp4").await => film(50);
    wav_alone(place): make(TONE, "wav").await => sound(2.0);
    flac_alone(place): make(TONE, "flac").await => sound(2.0);
    mp3_alone(place): make(TONE, "mp3").await => sound(2.0).about(0, 0.1);
    aac_alone(place): make(TONE, "aac").await => sound(2.0).about(0, 0.1);
    opus_alone(place): make(&format!("{TONE} -c:a libopus"), "ogg").await => sound(2.0);
    m4a_alone(place): make(TONE, "m4a").await => sound(2.0).about(0, 0.1);
    raw_h264(place): make(&format!("{PICTURE} {X264}"), "h264").await => refused(NOT_MEDIA);
    yuv4mpeg(place): make(PICTURE, "y4m").await => refused(NOT_MEDIA);
    gif_animation(place): make("-f lavfi -i testsrc2=s=128x96:r=10:d=1", "gif").await => refused(NOT_MEDIA);
    nut_film(place): make(&format!("{PICTURE} -c:v mpeg4"), "nut").await => refused(NOT_MEDIA);
}
