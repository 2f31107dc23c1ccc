//! Odd pictures: sizes, rates, pixels, orientation, and bombs.

use crate::{build::*, rows, wanted::*};

async fn x264(source: &str) -> std::path::PathBuf {
    pictures(source, "-c:v libx264 -preset ultrafast -bf 2 -threads 1", "mkv").await
}

/// A film whose top left quarter is white, turned by a display matrix.
async fn turned(matrix: [i32; 4]) -> Vec<u8> {
    let file = make(
        &format!("-f lavfi -i color=black:s=128x96:r=25:d=0.4,drawbox=c=white:t=fill:w=64:h=48 {X264}"),
        "mp4",
    )
    .await;
    change(&file, |bytes| {
        let [a, b, c, d] = matrix.map(|one| (one << 16) as u32);
        let (x, y) = (
            if matrix[0] + matrix[2] < 0 { 128 << 16 } else { 0 },
            if matrix[1] + matrix[3] < 0 { 96 << 16 } else { 0 },
        );
        iso::overwrite(bytes, &["moov", "trak", "tkhd"], 40, &[a, b, 0, c, d, 0, x, y, 1 << 30]);
    })
}

/// A film whose sample description tells of another size than its pictures have.
async fn described(width: u16, height: u16, encoder: &str) -> Vec<u8> {
    let file = make(&format!("-f lavfi -i testsrc2=s=64x48:r=25:d=0.4 {encoder}"), "mov").await;
    change(&file, |bytes| {
        let words = u32::from(width) << 16 | u32::from(height);
        // Past the entry's own header (16 bytes of stsd and box) and 24 bytes of it.
        iso::overwrite(bytes, &["moov", "trak", "mdia", "minf", "stbl", "stsd"], 16 + 24, &[words]);
    })
}

rows! {
    one_pixel(place): pictures("testsrc2=s=16x16:r=25:d=0.4,format=rgb24,crop=1:1", "-c:v ffv1", "mkv").await
        => film(10).silent().repeating().size(1, 1);
    two_by_two(place): pictures("testsrc2=s=16x16:r=25:d=0.4,format=rgb24,crop=2:2", "-c:v ffv1", "mkv").await
        => film(10).silent().repeating().size(2, 2);
    a_column(place): pictures("testsrc2=s=16x98:r=25:d=0.4,format=rgb24,crop=1:97", "-c:v ffv1", "mkv").await
        => film(10).silent().repeating().size(1, 97);
    a_line(place): pictures("testsrc2=s=1000x16:r=25:d=0.4,format=rgb24,crop=999:1", "-c:v ffv1", "mkv").await
        => film(10).silent().repeating().size(999, 1);
    odd_sides(place): x264("testsrc2=s=122x92:r=25:d=0.4,format=yuv444p,crop=121:91").await => film(10).silent().size(121, 91);
    eight_k(place): pictures("testsrc2=s=7680x4320:r=25:d=0.12", "-c:v mjpeg -q:v 20", "mov").await
        => film(3).silent().size(7680, 4320).lasting(0.12);
    larger_than_eight_k(place): pictures("color=s=16000x9000:r=25:d=0.04", "-c:v mjpeg -q:v 31", "mov").await => refused(TOO_LARGE);
    a_tape_of_pixels(place): pictures("color=s=16386x16:r=25:d=0.04", "-c:v ffv1", "mkv").await => refused(TOO_LARGE);
    pictures_240_a_second(place): x264("testsrc2=s=128x96:r=240:d=1").await => film(240).silent().lasting(1.0);
    pictures_1000_a_second(place): x264("testsrc2=s=128x96:r=1000:d=0.3").await => film(300).silent().repeating().lasting(0.3);
    pictures_one_in_five_seconds(place): x264("testsrc2=s=128x96:r=1/5:d=20").await
        => film(4).silent().repeating().about(600, 0.3).lasting(20.0);
    a_tenth_of_a_second(place): make("-f lavfi -i testsrc2=s=128x96:r=30:d=0.1 -f lavfi -i sine=d=0.1 -c:v libx264 -c:a aac", "mp4").await
        => film(3).lasting(0.1);
    one_picture(place): x264("testsrc2=s=128x96:r=25:d=0.04").await => film(1).silent().lasting(0.04);
    ten_minutes_of_black(place): pictures("color=black:s=32x24:r=1:d=600", "-c:v libx264 -preset ultrafast -g 600", "mkv").await
        => film(600).silent().repeating().lasting(600.0).about(0, 1.0).patience(170);
    #[ignore = "minutes of work in hundreds of chunks: ./test --all runs it"]
    six_hours_of_black(place): pictures("color=black:s=32x24:r=1:d=21600", "-c:v libx264 -preset ultrafast -g 600", "mkv").await
        => film(21_600).silent().repeating().lasting(21_600.0).about(0, 1.0).patience(900);
    turned_by_90(place): place.file(turned([0, 1, -1, 0]).await) => film(10).silent().size(96, 128).bright(1);
    turned_by_180(place): place.file(turned([-1, 0, 0, -1]).await) => film(10).silent().size(128, 96).bright(3);
    turned_by_270(place): place.file(turned([0, -1, 1, 0]).await) => film(10).silent().size(96, 128).bright(2);
    mirrored_across(place): place.file(turned([-1, 0, 0, 1]).await) => film(10).silent().size(128, 96).bright(1);
    mirrored_down(place): place.file(turned([1, 0, 0, -1]).await) => film(10).silent().size(128, 96).bright(2);
    transposed(place): place.file(turned([0, 1, 1, 0]).await) => film(10).silent().size(96, 128).bright(0);
    a_matrix_of_zeros(place): place.file(turned([0, 0, 0, 0]).await) => film(10).silent().size(128, 96).bright(0);
    wide_pixels(place): x264("testsrc2=s=128x96:r=25:d=0.4,setsar=64/45").await => film(10).silent().size(182, 96);
    tall_pixels(place): x264("testsrc2=s=128x96:r=25:d=0.4,setsar=1/2").await => film(10).silent().size(128, 192);
    absurdly_wide_pixels(place): x264("testsrc2=s=128x96:r=25:d=0.4,setsar=1000/1").await => film(10).silent().size(128, 96);
    absurdly_tall_pixels(place): x264("testsrc2=s=128x96:r=25:d=0.4,setsar=1/1000").await => film(10).silent().size(128, 96);
    yuv444(place): x264("testsrc2=s=128x96:r=25:d=0.4,format=yuv444p").await => film(10).silent();
    ten_bit(place): x264("testsrc2=s=128x96:r=25:d=0.4,format=yuv422p10le").await => film(10).silent();
    twelve_bit(place): pictures("testsrc2=s=128x96:r=25:d=0.4,format=yuv444p12le", "-c:v ffv1 -level 3", "mkv").await => film(10).silent();
    planar_rgb(place): pictures("testsrc2=s=128x96:r=25:d=0.4,format=gbrp", "-c:v libx264rgb -preset ultrafast", "mkv").await => film(10).silent();
    planar_rgb_16_bit(place): pictures("testsrc2=s=128x96:r=25:d=0.4,format=gbrp16le", "-c:v ffv1 -level 3", "mkv").await => film(10).silent();
    a_palette(place): pictures("testsrc2=s=128x96:r=25:d=0.4,format=pal8", "-c:v png", "mov").await => film(10).silent();
    gray(place): pictures("testsrc2=s=128x96:r=25:d=0.4,format=gray", "-c:v ffv1", "mkv").await => film(10).silent();
    gray_16_bit(place): pictures("testsrc2=s=128x96:r=25:d=0.4,format=gray16le", "-c:v ffv1 -level 3", "mkv").await => film(10).silent();
    black_or_white_pixels(place): pictures("testsrc2=s=128x96:r=25:d=0.4,format=monob", "-c:v png", "mov").await => film(10).silent().repeating();
    hdr_pq(place): hdr("smpte2084").await => film(10).silent();
    hdr_hlg(place): hdr("arib-std-b67").await => film(10).silent();
    alpha_in_prores(place): pictures("testsrc2=s=128x96:r=25:d=0.4:alpha=128,format=yuva444p10le", "-c:v prores_ks -profile:v 4444", "mov").await => film(10).silent();
    alpha_in_vp9(place): pictures("testsrc2=s=128x96:r=25:d=0.4:alpha=128,format=yuva420p", "-c:v libvpx-vp9 -deadline realtime -cpu-used 8", "webm").await => film(10).silent();
    alpha_in_animation(place): pictures("testsrc2=s=128x96:r=25:d=0.4:alpha=128,format=argb", "-c:v qtrle", "mov").await => film(10).silent();
    interlaced_top_first(place): interlaced("interleave_top", "tff=1").await => film(10).silent();
    interlaced_bottom_first(place): interlaced("interleave_bottom", "bff=1").await => film(10).silent();
    interlaced_in_ts(place): pictures("testsrc2=s=128x96:r=50:d=1,tinterlace=mode=interleave_top", "-c:v mpeg2video -flags +ildct+ilme -top 1", "ts").await
        => film(25).silent().about(1, 0.05);
    telecined(place): pictures("testsrc2=s=128x96:r=24000/1001:d=2,telecine", "-c:v mpeg2video -flags +ildct+ilme", "mpg").await
        => film(60).silent().repeating().lasting(2.0).about(2, 0.1);
    described_larger_than_it_is(place): place.file(described(640, 480, X264).await) => film(10).silent();
    described_as_a_bomb(place): place.file(described(60_000, 60_000, "-c:v png").await) => film(10).silent();
    a_bomb_behind_small_words(place): place.file(bomb().await) => film(5).silent().about(5, 0.4).repeating();
    size_changes_in_ts(place): place.file(resized("ts").await) => film(50).silent().lasting(2.0).about(1, 0.05).size(128, 96);
    size_changes_in_mjpeg(place): place.file(mjpeg_resized().await) => film(20).silent().about(1, 0.1);
}

async fn hdr(transfer: &str) -> std::path::PathBuf {
    let colours = format!("colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc:log-level=error");
    pictures(
        "testsrc2=s=128x96:r=25:d=0.4,format=yuv420p10le",
        &format!("-c:v libx265 -preset ultrafast -color_primaries bt2020 -color_trc {transfer} -colorspace bt2020nc -x265-params {colours}"),
        "mp4",
    )
    .await
}

async fn interlaced(mode: &str, order: &str) -> std::path::PathBuf {
    let encoder = format!("-c:v libx264 -preset ultrafast -flags +ildct+ilme -x264-params {order}");
    pictures(&format!("testsrc2=s=128x96:r=50:d=0.4,tinterlace=mode={mode}"), &encoder, "mp4").await
}

/// Two halves of different size, one after the other with going-on times.
async fn resized(extension: &str) -> Vec<u8> {
    let a =
        pictures("testsrc2=s=128x96:r=25:d=1", "-c:v libx264 -preset ultrafast -g 25 -bf 0", extension).await;
    let b = pictures(
        "testsrc2=s=192x144:r=25:d=1",
        "-c:v libx264 -preset ultrafast -g 25 -bf 0 -output_ts_offset 1",
        extension,
    )
    .await;
    [read(&a), read(&b)].concat()
}

/// Motion JPEG whose second half has pictures of another size: the frames of one film patched into another of equal sizes
/// would be too much work, so the sizes in the second half's headers lie.
async fn mjpeg_resized() -> Vec<u8> {
    let file = pictures("testsrc2=s=128x96:r=25:d=0.8", "-c:v mjpeg", "avi").await;
    change(&file, |bytes| {
        // SOF0, length 17, 8 bits, height 96, width 128.
        let header = [0xFF, 0xC0, 0, 17, 8, 0, 96, 0, 128];
        let places: Vec<usize> =
            bytes.windows(9).enumerate().filter(|(_, w)| *w == header).map(|(i, _)| i).collect();
        for at in &places[places.len() / 2..] {
            bytes[at + 6] = 64;
        }
    })
}

/// PNG pictures of 64 × 48 whose own headers tell of 30,000 × 30,000, in a film that says 64 × 48.
async fn bomb() -> Vec<u8> {
    let file = make("-f lavfi -i testsrc2=s=64x48:r=25:d=0.4 -c:v png", "mov").await;
    change(&file, |bytes| {
        let places: Vec<usize> =
            bytes.windows(4).enumerate().filter(|(_, w)| *w == b"IHDR").map(|(i, _)| i).collect();
        for at in &places[places.len() / 2..] {
            bytes[at + 4..at + 12].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
        }
    })
}
