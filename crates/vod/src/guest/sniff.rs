//! Which container a file is, told from its first bytes and never from its name, so that the decoder's demuxer is forced.

/// How many first bytes [`container`] wants to see.
pub const PREFIX: usize = 4096;

/// A container that we open, by the name of ffmpeg's demuxer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Container {
    Mov,
    Matroska,
    MpegTs,
    M2ts,
    MpegPs,
    Avi,
    Flv,
    Asf,
    Ogg,
    Mxf,
    Wav,
    Mp3,
    Flac,
    Aac,
}

impl Container {
    /// The demuxer's name for `-f`.
    pub fn demuxer(self) -> &'static str {
        match self {
            Self::Mov => "mov",
            Self::Matroska => "matroska",
            Self::MpegTs | Self::M2ts => "mpegts",
            Self::MpegPs => "mpeg",
            Self::Avi => "avi",
            Self::Flv => "flv",
            Self::Asf => "asf",
            Self::Ogg => "ogg",
            Self::Mxf => "mxf",
            Self::Wav => "wav",
            Self::Mp3 => "mp3",
            Self::Flac => "flac",
            Self::Aac => "aac",
        }
    }

    /// Does seeking land on a key frame, by the file's own index? Otherwise anywhere before the wanted time.
    pub fn seeks_to_key_frames(self) -> bool {
        !matches!(self, Self::MpegTs | Self::M2ts | Self::MpegPs | Self::Asf | Self::Ogg | Self::Mxf)
    }
}

/// The container whose first bytes are `head`.
pub fn container(head: &[u8]) -> Option<Container> {
    let at = |offset: usize, magic: &[u8]| head.get(offset..offset + magic.len()) == Some(magic);
    if [&b"ftyp"[..], b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"moof", b"styp", b"uuid"]
        .iter()
        .any(|name| at(4, name))
    {
        return Some(Container::Mov);
    }
    if at(0, &[0x1A, 0x45, 0xDF, 0xA3]) {
        return Some(Container::Matroska);
    }
    if at(0, b"RIFF") && at(8, b"AVI ") {
        return Some(Container::Avi);
    }
    if (at(0, b"RIFF") || at(0, b"RF64")) && at(8, b"WAVE") {
        return Some(Container::Wav);
    }
    if at(0, b"FLV\x01") {
        return Some(Container::Flv);
    }
    if at(0, b"OggS") {
        return Some(Container::Ogg);
    }
    if at(0, b"fLaC") {
        return Some(Container::Flac);
    }
    if at(0, &[0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11]) {
        return Some(Container::Asf);
    }
    if at(0, &[0, 0, 1, 0xBA]) {
        return Some(Container::MpegPs);
    }
    // SMPTE 377-1 §6.5: a run-in of less than 64 KiB may come first; in practice there is none.
    if at(0, &[0x06, 0x0E, 0x2B, 0x34, 0x02, 0x05, 0x01, 0x01, 0x0D, 0x01, 0x02]) {
        return Some(Container::Mxf);
    }
    transport(head).or_else(|| bare_audio(head))
}

/// Does a file begin like a list of other files: HLS, DASH, ffconcat, SDP, and what players of old used? Such a file is
/// never opened; this is for telling its creator what it is.
pub fn is_playlist(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{FEFF}').trim_start();
    let begins =
        ["#extm3u", "ffconcat", "v=0", "[playlist]", "<asx", "<smil", "<mpd", "<smoothstreamingmedia"];
    if begins.iter().any(|word| text.starts_with(word)) {
        return true;
    }
    let inside = ["<mpd", "<playlist", "<smil", "<asx", "<smoothstreamingmedia"];
    text.starts_with("<?xml") && inside.iter().any(|word| text.contains(word))
}

/// MPEG transport streams: a sync byte every 188 bytes, or every 192 with a time code before each packet (M2TS).
fn transport(head: &[u8]) -> Option<Container> {
    let steady = |start: usize, step: usize| {
        (0..4).all(|i| head.get(start + i * step) == Some(&0x47)) && head.len() >= start + 3 * step
    };
    if (0..188).any(|start| steady(start, 188)) {
        return Some(Container::MpegTs);
    }
    steady(4, 192).then_some(Container::M2ts)
}

/// Files of one audio stream without a container: MP3 (also behind ID3 tags) and ADTS.
fn bare_audio(head: &[u8]) -> Option<Container> {
    let mut start = 0;
    if head.starts_with(b"ID3") && head.len() >= 10 {
        // Tags may be longer than what we see (cover art): believe them, the demuxer decides.
        let size = head[6..10].iter().fold(0_usize, |size, byte| size << 7 | usize::from(byte & 0x7F));
        start = 10 + size;
        if start + 2 > head.len() {
            return Some(Container::Mp3);
        }
        if head[start..].starts_with(b"fLaC") {
            return Some(Container::Flac);
        }
    }
    let (first, second) = (*head.get(start)?, *head.get(start + 1)?);
    if first != 0xFF || second & 0xE0 != 0xE0 {
        return None;
    }
    // ISO/IEC 13818-7 §6.2: ADTS has layer 0 and twelve sync bits; MPEG audio has layer 1 to 3.
    match second & 0x06 {
        0 if second & 0xF0 == 0xF0 => Some(Container::Aac),
        0 => None,
        _ => Some(Container::Mp3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_beginnings() {
        assert_eq!(container(b"\0\0\0\x20ftypisom\0\0\x02\0"), Some(Container::Mov));
        assert_eq!(container(&[0x1A, 0x45, 0xDF, 0xA3, 1]), Some(Container::Matroska));
        assert_eq!(container(b"RIFF\x10\0\0\0AVI LIST"), Some(Container::Avi));
        assert_eq!(container(b"RIFF\x10\0\0\0WAVEfmt "), Some(Container::Wav));
        let mut ts = vec![0; 188 * 5];
        (0..5).for_each(|i| ts[i * 188] = 0x47);
        assert_eq!(container(&ts), Some(Container::MpegTs));
        assert_eq!(container(&[0xFF, 0xFB, 0x90, 0]), Some(Container::Mp3));
        assert_eq!(container(&[0xFF, 0xF1, 0x50, 0x80]), Some(Container::Aac));
    }

    #[test]
    fn playlists_texts_and_pictures_are_not_media() {
        let texts: [&[u8]; 6] = [
            b"#EXTM3U\n#EXT-X-VERSION:3\nfile:///etc/passwd\n",
            b"ffconcat version 1.0\nfile /etc/passwd\n",
            b"hello world, this is not a film",
            b"\xFF\xD8\xFF\xE0\0\x10JFIF",
            b"\x89PNG\r\n\x1A\n",
            b"",
        ];
        for text in texts {
            let found = container(text);
            assert!(found.is_none(), "{text:?} was taken for {found:?}");
        }
    }

    #[test]
    fn playlists_are_known_as_such() {
        for text in [
            "#EXTM3U\n",
            "\u{FEFF}#EXTM3U",
            "\n ffconcat version 1.0",
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1",
            "<?xml version=\"1.0\"?>\n<!-- x --><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\">",
            "<ASX version=\"3.0\">",
        ] {
            assert!(is_playlist(text.as_bytes()), "{text}");
        }
        for text in ["", "<?xml version=\"1.0\"?><svg/>", "a text about #EXTM3U", "\u{FEFF}"] {
            assert!(!is_playlist(text.as_bytes()), "{text}");
        }
    }
}
