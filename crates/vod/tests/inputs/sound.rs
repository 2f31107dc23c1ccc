//! Odd sound: many tracks, layouts, rates, and cover art beside it.

use crate::{build::*, rows, wanted::*};

/// Pictures with these sounds: `(lavfi source, language)`.
async fn with_sound(sources: &[(&str, &str)], encoder: &str, extension: &str) -> std::path::PathBuf {
    let inputs: String = sources.iter().map(|(source, _)| format!(" -f lavfi -i {source}")).collect();
    let maps: String = (0..=sources.len()).map(|i| format!(" -map {i}")).collect();
    let tags: String = sources
        .iter()
        .enumerate()
        .filter(|(_, (_, language))| !language.is_empty())
        .map(|(i, (_, language))| format!(" -metadata:s:a:{i} language={language}"))
        .collect();
    make(&format!("{PICTURE}{inputs}{maps} {X264} {encoder}{tags}"), extension).await
}

/// Sound with a picture attached.
async fn with_cover(encoder: &str, extension: &str) -> std::path::PathBuf {
    let cover = make("-f lavfi -i testsrc2=s=64x64:d=0.04 -frames:v 1", "png").await;
    let line = format!(
        "{TONE} -i {} -map 0 -map 1 {encoder} -c:v copy -disposition:v attached_pic",
        cover.display()
    );
    make(&line, extension).await
}

const FIVE: [(&str, &str); 5] = [
    ("sine=300:d=2", "eng"),
    ("sine=400:d=2", "deu"),
    ("sine=500:d=2", "fre"),
    ("sine=600:d=2", "gsw"),
    ("sine=700:d=2", "und"),
];

rows! {
    five_languages(place): with_sound(&FIVE, "-c:a aac", "mp4").await
        => film(50).tracks(&[(Some("en"), 1), (Some("de"), 1), (Some("fr"), 1), (Some("gsw"), 1), (None, 1)]);
    five_languages_in_mkv(place): with_sound(&FIVE, "-c:a aac", "mkv").await
        => film(50).tracks(&[(Some("en"), 1), (Some("de"), 1), (Some("fr"), 1), (Some("gsw"), 1), (None, 1)]);
    odd_language_tags(place): with_sound(&[("sine=300:d=2", "pt-BR"), ("sine=400:d=2", "<b>x</b>"), ("sine=500:d=2", "zh-Hans-CN-x-mine"), ("sine=600:d=2", "zxx")], "-c:a flac", "mkv").await
        => film(50).tracks(&[(Some("pt-BR"), 1), (None, 1), (Some("zh-Hans-CN"), 1), (Some("zxx"), 1)]);
    a_hundred_tracks(place): many().await => film(50).tracks(&[(None, 1); 16]).patience(150);
    seven_one(place): with_sound(&[("anoisesrc=d=2:a=0.1,pan=7.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0|c6=c0|c7=c0", "")], "-c:a pcm_s16le", "mov").await => film(50).stereo();
    mono_at_8_khz(place): with_sound(&[("sine=r=8000:d=2", "")], "-c:a pcm_s16le", "avi").await => film(50).about(1, 0.05).repeating();
    at_96_khz(place): with_sound(&[("sine=r=96000:d=2", "")], "-c:a pcm_s24le", "mov").await => film(50);
    at_44_1_khz(place): with_sound(&[("sine=r=44100:d=2", "")], "-c:a aac", "mp4").await => film(50);
    at_11_hz_told(place): place.file(told_rate(11).await) => film(50).about(2, 0.1);
    mp3_with_cover(place): with_cover("-c:a mp3 -id3v2_version 3", "mp3").await => sound(2.0).about(0, 0.1);
    m4a_with_cover(place): with_cover("-c:a aac", "m4a").await => sound(2.0).about(0, 0.1);
    flac_with_cover(place): with_cover("-c:a flac", "flac").await => sound(2.0);
    cover_without_sound(place): cover_alone().await => refused(NO_STREAMS);
    sound_that_cannot_be_decoded(place): place.file(garbled().await) => film(50).about(0, 0.05);
    silence_of_no_length(place): make("-f lavfi -i anullsrc=d=0 -t 0", "wav").await => refused(EMPTY);
}

async fn many() -> std::path::PathBuf {
    let maps: String = (0..100).map(|_| " -map 1").collect();
    make(&format!("{PICTURE} {TONE} -map 0{maps} {X264} -c:a pcm_u8"), "mov").await
}

/// Sound whose description tells of another sample rate.
async fn told_rate(rate: u32) -> Vec<u8> {
    let file = make(&format!("{PICTURE} {TONE} {X264} -c:a aac"), "mp4").await;
    change(&file, |bytes| {
        let at = bytes.windows(4).position(|w| w == b"mp4a").unwrap();
        bytes[at + 28..at + 32].copy_from_slice(&(rate << 16).to_be_bytes());
    })
}

async fn cover_alone() -> std::path::PathBuf {
    let cover = make("-f lavfi -i testsrc2=s=64x64:d=0.04 -frames:v 1", "png").await;
    make(&format!("-i {} -c:v copy -disposition:v attached_pic", cover.display()), "mp4").await
}

/// All of the sound's bytes are noise.
async fn garbled() -> Vec<u8> {
    let file = make(&format!("{PICTURE} {TONE} {X264} -c:a aac -movflags +faststart"), "mp4").await;
    let entries =
        ["-v", "error", "-select_streams", "a", "-show_entries", "packet=pos,size", "-of", "csv=p=0"];
    let told = std::process::Command::new("ffprobe").args(entries).arg(&file).output().unwrap().stdout;
    let places: Vec<(usize, usize)> = String::from_utf8(told)
        .unwrap()
        .lines()
        .filter_map(|line| line.trim_end_matches(',').split_once(','))
        .map(|(size, at)| (at.parse().unwrap(), size.parse().unwrap()))
        .collect();
    change(&file, |bytes| {
        for (at, size) in places {
            bytes[at..at + size].iter_mut().enumerate().for_each(|(i, byte)| *byte = (i * 89 + 255) as u8);
        }
    })
}
