//! What lies beside picture and sound: subtitles, data, keys, attachments, and words in tags.

use std::path::PathBuf;

use crate::{build::*, rows, wanted::*};

const SUBTITLES: &str = "1\n00:00:00,000 --> 00:00:01,000\nHello\n\n";

/// The ordinary film with more arguments before the output.
async fn tagged(options: &[&str], place: &crate::house::Place, extension: &str) -> PathBuf {
    let (film, out) = (plain("mp4").await, place.dir.join(format!("tagged.{extension}")));
    let done = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-i"])
        .arg(film)
        .args(["-map", "0", "-c", "copy"])
        .args(options)
        .arg(&out)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    out
}

fn subtitles(place: &crate::house::Place) -> String {
    let path = place.dir.join("words.srt");
    std::fs::write(&path, SUBTITLES).unwrap();
    path.display().to_string()
}

rows! {
    subtitles_alone(place): { let words = subtitles(place); without_picture(place, &["-i", &words, "-c:s", "mov_text"], "mp4") } => refused(NO_STREAMS);
    subtitles_alone_in_mkv(place): { let words = subtitles(place); without_picture(place, &["-i", &words, "-c:s", "subrip"], "mkv") } => refused(NO_STREAMS);
    a_text_of_subtitles(place): place.file(SUBTITLES) => refused(NOT_MEDIA);
    subtitles_beside(place): { let words = subtitles(place); beside(&words, place).await } => film(50);
    a_data_track_alone(place): place.file(data_alone().await) => refused(NO_STREAMS);
    a_time_code_track_beside(place): tagged(&["-timecode", "01:00:00:00"], place, "mov").await => film(50);
    chapters_and_attachments(place): { let secret = subtitles(place); tagged(&["-attach", &secret, "-metadata:s:t", "mimetype=text/plain"], place, "mkv").await } => film(50);
    encrypted_in_cenc(place): make(&format!("{PICTURE} {TONE} {X264} -c:a aac -encryption_scheme cenc-aes-ctr -encryption_key 76a6c65c5ea762046bd749a2e632ccbb -encryption_kid a7e61c373e219033c21091fa607bf3b8"), "mp4").await
        => refused(ENCRYPTED);
    long_tags(place): { let long = format!("title={}", "Long ".repeat(20_000)); tagged(&["-metadata", &long, "-metadata:s:a", &long], place, "mkv").await } => film(50);
    tags_of_control_and_direction(place): tagged(&["-metadata", "title=\u{202E}gpj.exe\u{2066}\u{7}\u{1B}[31m", "-metadata:s:a", "title=\u{202E}\u{200F}lodger\u{2069}\u{1}"], place, "mkv").await
        => film(50);
    tags_that_are_not_utf8(place): place.file(change(&tagged(&["-metadata", "title=QQQQQQQQ"], place, "mkv").await, |b| replace(b, b"QQQQQQQQ", b"\xFF\xFE\xC0\x80\xED\xA0\x80\xFF"))) => film(50);
    languages_of_control_characters(place): place.file(change(&tagged(&["-metadata:s:a", "language=qqq"], place, "mkv").await, |b| replace(b, b"qqq", b"\"\n#"))) => film(50);
    many_video_tracks(place): many(30).await => film(50).silent();
    a_second_film_in_the_file(place): make(&format!("{PICTURE} -f lavfi -i color=s=64x48:r=25:d=5 -map 0 -map 1 {X264}"), "mkv").await => film(50).silent().size(128, 96);
    a_picture_first_and_then_the_film(place): poster_first(place).await => film(50);
}

async fn beside(words: &str, place: &crate::house::Place) -> PathBuf {
    let film = plain("mp4").await;
    let args = [
        "-i",
        film.to_str().unwrap(),
        "-i",
        words,
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-c:s",
        "mov_text",
    ];
    without_picture(place, &args, "mp4")
}

fn without_picture(place: &crate::house::Place, args: &[&str], extension: &str) -> PathBuf {
    let out = place.dir.join(format!("alone.{extension}"));
    let done = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(args)
        .arg(&out)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    out
}

/// A film whose picture track is made into one of an unknown kind.
async fn data_alone() -> Vec<u8> {
    let file = make(&format!("{PICTURE} {X264} -movflags +faststart"), "mp4").await;
    change(&file, |bytes| {
        let header = iso::body(bytes, &["moov"]);
        replace(&mut bytes[header.clone()], b"vide", b"meta");
        replace(&mut bytes[header], b"avc1", b"mett");
    })
}

async fn many(count: usize) -> PathBuf {
    let maps = " -map 0".repeat(count);
    make(&format!("{PICTURE}{maps} -c:v mpeg4"), "mkv").await
}

async fn poster_first(place: &crate::house::Place) -> PathBuf {
    let cover = make("-f lavfi -i testsrc2=s=640x640:d=0.04 -frames:v 1", "png").await;
    let (film, out) = (plain("mp4").await, place.dir.join("poster.mp4"));
    let done = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y", "-i"])
        .arg(cover)
        .arg("-i")
        .arg(film)
        .args(["-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    out
}
