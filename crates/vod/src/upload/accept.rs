//! What is obviously no film and no sound is refused before it is stored, in words. Everything else is for the probe.

use super::{
    error::{Error, Result},
    metadata::Metadata,
};

/// How many first bytes [`beginning`] wants to see.
pub const PREFIX: usize = 512;

/// Extensions of files that hold pictures and sound.
const MEDIA: &[&str] = &[
    "mp4", "m4v", "mov", "qt", "mkv", "webm", "avi", "mpg", "mpeg", "mpe", "m2v", "vob", "ts", "m2ts", "mts",
    "m2t", "flv", "f4v", "wmv", "asf", "ogv", "ogg", "oga", "opus", "mxf", "3gp", "3g2", "dv", "wav", "mp3",
    "flac", "aac", "m4a", "mka",
];

/// Types of the `application` family that hold pictures and sound, or may.
const CONTAINERS: &[&str] =
    &["octet-stream", "mp4", "ogg", "mxf", "x-matroska", "vnd.ms-asf", "x-troff-msvideo", "quicktime"];

/// By name and declared type.
pub fn declared(metadata: &Metadata) -> Result<()> {
    let extension =
        metadata.filename.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default();
    // A known name outweighs the type, which clients guess from it, often wrongly (`.ts`).
    if MEDIA.contains(&extension.as_str()) {
        return Ok(());
    }
    let kind = metadata.content_type.split(';').next().unwrap_or_default().trim();
    let fits = match kind.split_once('/') {
        Some(("video" | "audio", _)) => true,
        Some(("application", container)) => CONTAINERS.contains(&container),
        Some(_) => false,
        None => true,
    };
    if !fits {
        return Err(refusal(&format!("of the type {kind}")));
    }
    let other = match extension.as_str() {
        "html" | "htm" | "xhtml" => "a web page",
        "zip" | "rar" | "7z" | "gz" | "xz" | "tar" | "iso" => "an archive; unpack it first",
        "pdf" | "doc" | "docx" | "odt" | "xls" | "xlsx" | "ppt" | "pptx" | "txt" | "rtf" | "csv" => {
            "a document"
        }
        "exe" | "dll" | "msi" | "apk" | "deb" | "rpm" | "sh" | "bat" | "js" | "jar" => "a program",
        "jpg" | "jpeg" | "png" | "gif" | "webp" | "bmp" | "tif" | "tiff" | "svg" | "heic" => "a picture",
        "m3u8" | "m3u" | "mpd" | "pls" => "a playlist; upload the film itself",
        "srt" | "vtt" | "ass" => "subtitles",
        _ => return Ok(()),
    };
    Err(refusal(other))
}

/// By the file's first bytes.
pub fn beginning(bytes: &[u8]) -> Result<()> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
    let says = |words: &[u8]| text.get(..words.len()).is_some_and(|start| start.eq_ignore_ascii_case(words));
    let is = |magic: &[u8]| bytes.starts_with(magic);
    let other = if says(b"<!doctype") || says(b"<html") || says(b"<?xml") || says(b"<svg") {
        "a web page or another text"
    } else if is(b"PK\x03\x04")
        || is(b"PK\x05\x06")
        || is(b"Rar!\x1A\x07")
        || is(b"7z\xBC\xAF\x27\x1C")
        || is(b"\x1F\x8B\x08")
    {
        "an archive; unpack it first"
    } else if is(b"%PDF-") || is(b"{\\rtf") || is(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1") {
        "a document"
    } else if is(b"MZ") || is(b"\x7FELF") || is(b"#!") || is(b"\xCF\xFA\xED\xFE") || is(b"\xCA\xFE\xBA\xBE") {
        "a program"
    } else if is(b"\x89PNG\r\n\x1A\n")
        || is(b"\xFF\xD8\xFF")
        || is(b"GIF8")
        || (is(b"RIFF") && bytes.get(8..12) == Some(b"WEBP"))
    {
        "a picture"
    } else if is(b"#EXTM3U") || is(b"ffconcat") {
        "a playlist; upload the film itself"
    } else {
        return Ok(());
    };
    Err(refusal(other))
}

fn refusal(what: &str) -> Error {
    Error::NotMedia(format!("Only video and audio files can become titles; this one is {what}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(filename: &str, content_type: &str) -> bool {
        let (filename, content_type) = (filename.to_owned(), content_type.to_owned());
        let visibility = domain::Visibility::Private;
        declared(&Metadata { filename, content_type, title: String::new(), visibility, replaces: None })
            .is_ok()
    }

    #[test]
    fn films_and_sounds_are_taken_by_name_or_type() {
        for (name, kind) in [
            ("a.mp4", "video/mp4"),
            ("a.MTS", ""),
            ("a.ts", "text/vnd.trolltech.linguist"),
            ("a.mxf", "application/mxf"),
            ("", ""),
            ("film", "application/octet-stream"),
            ("a.xyz", "video/x-unheard-of"),
        ] {
            assert!(offered(name, kind), "{name} {kind}");
        }
        for (name, kind) in [
            ("a.html", ""),
            ("a", "text/html"),
            ("a.zip", "application/zip"),
            ("a.PDF", ""),
            ("x", "image/png"),
            ("setup.exe", ""),
        ] {
            assert!(!offered(name, kind), "{name} {kind}");
        }
    }

    #[test]
    fn beginnings_give_other_files_away() {
        let others: [&[u8]; 9] = [
            b"<!DOCTYPE html>",
            b"\xEF\xBB\xBF  <HTML><body>",
            b"PK\x03\x04....",
            b"%PDF-1.7",
            b"MZ\x90\0",
            b"\x7FELF\x02",
            b"\x89PNG\r\n\x1A\n",
            b"#!/bin/sh",
            b"#EXTM3U\n",
        ];
        for other in others {
            assert!(beginning(other).is_err(), "{other:?}");
        }
        let films: [&[u8]; 6] =
            [b"\0\0\0\x20ftypisom", b"\x1A\x45\xDF\xA3", b"RIFF....AVI LIST", b"\x47\x40", b"ID3\x04", b""];
        for film in films {
            assert!(beginning(film).is_ok(), "{film:?}");
        }
    }
}
