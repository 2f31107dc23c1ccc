//! Files that are no films, and files that point elsewhere: at local files, at addresses, at themselves.

use crate::{build::*, house::Place, rows, wanted::*};

/// A playlist with these lines, its addresses filled in.
fn list(place: &Place, text: &str) -> std::path::PathBuf {
    let text = text
        .replace("SECRET", &place.secret.display().to_string())
        .replace("SELF", &place.dir.join("upload.bin").display().to_string())
        .replace("HOST", &format!("127.0.0.1:{}", place.port));
    place.file(text)
}

const HLS: &str = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n";

rows! {
    nothing(place): place.file(b"") => refused(NOT_MEDIA);
    one_byte(place): place.file(b"\0") => refused(NOT_MEDIA);
    zeros(place): place.file(vec![0; 1 << 20]) => refused(NOT_MEDIA);
    a_text(place): place.file("this is not a film\n".repeat(500)) => refused(NOT_MEDIA);
    a_web_page(place): place.file("<!DOCTYPE html><html><body><video src=film.mp4></video></body></html>") => refused(NOT_MEDIA);
    a_pdf(place): place.file("%PDF-1.7\n%\u{e2}\u{e3}\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n%%EOF\n") => refused(NOT_MEDIA);
    a_zip(place): place.file(b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0film.mp4PK\x05\x06") => refused(NOT_MEDIA);
    a_picture(place): make("-f lavfi -i testsrc2=s=64x64:d=0.04 -frames:v 1", "png").await => refused(NOT_MEDIA);
    a_photograph(place): make("-f lavfi -i testsrc2=s=64x64:d=0.04 -frames:v 1", "jpg").await => refused(NOT_MEDIA);
    a_program(place): place.file(read(std::path::Path::new("/usr/bin/true"))) => refused(NOT_MEDIA);
    a_database(place): place.file([&b"SQLite format 3\0"[..], &[0; 4080]].concat()) => refused(NOT_MEDIA);
    a_drawing_with_a_reference(place): list(place, "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"file://SECRET\"/></svg>") => refused(NOT_MEDIA);

    hls_of_a_local_file(place): list(place, &format!("{HLS}file://SECRET\n#EXT-X-ENDLIST\n")) => refused(PLAYLIST);
    hls_of_passwd(place): list(place, &format!("{HLS}/etc/passwd\n#EXT-X-ENDLIST\n")) => refused(PLAYLIST);
    hls_of_an_address(place): list(place, &format!("{HLS}http://HOST/a.ts\n#EXT-X-ENDLIST\n")) => refused(PLAYLIST);
    hls_of_itself(place): list(place, &format!("{HLS}SELF\n#EXT-X-ENDLIST\n")) => refused(PLAYLIST);
    hls_without_end(place): list(place, &format!("{HLS}{}", "#EXTINF:4,\nSECRET\n".repeat(20_000))) => refused(PLAYLIST);
    hls_with_a_key_elsewhere(place): list(place, &format!("#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"http://HOST/key\"\n{HLS}SELF\n")) => refused(PLAYLIST);
    hls_after_a_byte_order_mark(place): list(place, &format!("\u{FEFF}{HLS}http://HOST/a.ts\n")) => refused(PLAYLIST);
    concat_of_a_local_file(place): list(place, "ffconcat version 1.0\nfile SECRET\n") => refused(PLAYLIST);
    concat_of_an_address(place): list(place, "ffconcat version 1.0\nfile http://HOST/a.mp4\n") => refused(PLAYLIST);
    concat_of_itself(place): list(place, "ffconcat version 1.0\nfile SELF\n") => refused(PLAYLIST);
    dash_of_a_local_file(place): list(place, "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"><Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" bandwidth=\"1\"><BaseURL>file://SECRET</BaseURL></Representation></AdaptationSet></Period></MPD>") => refused(PLAYLIST);
    dash_of_an_address(place): list(place, "<MPD type=\"dynamic\"><Period><AdaptationSet><Representation id=\"1\"><BaseURL>http://HOST/</BaseURL></Representation></AdaptationSet></Period></MPD>") => refused(PLAYLIST);
    sdp(place): list(place, "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video HOST RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n") => refused(PLAYLIST);
    asx(place): list(place, "<ASX version=\"3.0\"><ENTRY><REF HREF=\"http://HOST/a.wmv\"/></ENTRY></ASX>") => refused(PLAYLIST);
    pls(place): list(place, "[playlist]\nFile1=http://HOST/a.mp3\nNumberOfEntries=1\n") => refused(PLAYLIST);
    xspf(place): list(place, "<?xml version=\"1.0\"?><playlist version=\"1\" xmlns=\"http://xspf.org/ns/0/\"><trackList><track><location>http://HOST/a</location></track></trackList></playlist>") => refused(PLAYLIST);
    smil(place): list(place, "<smil><body><video src=\"rtsp://HOST/a\"/></body></smil>") => refused(PLAYLIST);
    image_sequence_script(place): list(place, "#!/usr/bin/env ffmpeg\n-i SECRET\n") => refused(NOT_MEDIA);

    hls_behind_an_mp4_head(place): list(place, &format!("\0\0\0\u{20}ftypisom\n{HLS}http://HOST/a.ts\n")) => refused(TRUNCATED);
    mov_with_its_data_elsewhere(place): place.file(elsewhere(place, false).await) => refused(EMPTY);
    mov_with_its_data_at_an_address(place): place.file(elsewhere(place, true).await) => refused(EMPTY);
    avi_with_a_playlist_as_subtitles(place): place.file(avi_with_playlist(place).await) => film(50).about(1, 0.05).repeating();
    mkv_that_links_to_another(place): place.file(linked(place).await) => film(50).silent();
    mp4_called_something_else(place): place.file(read(&plain("mp4").await)) => film(50);
}

/// A film whose data reference (ISO/IEC 14496-12 §8.7.2) names another file instead of its own.
async fn elsewhere(place: &Place, address: bool) -> Vec<u8> {
    // The film that it points at is a good one, and not to be had.
    let film = make(&format!("{PICTURE} {X264}"), "mov").await;
    let private = place.dir.join("private.mov");
    std::fs::copy(&film, &private).unwrap();
    let name = if address {
        format!("http://127.0.0.1:{}/private.mov", place.port)
    } else {
        private.display().to_string()
    };
    let mut bytes = read(&film);
    let entry = [&b"url "[..], &[0, 0, 0, 0], name.as_bytes(), &[0]].concat();
    let dinf_path = ["moov", "trak", "mdia", "minf", "dinf"];
    let dref = iso::body(&bytes, &[&dinf_path[..], &["dref"]].concat());
    let sized = [&u32::to_be_bytes(entry.len() as u32 + 4)[..], &entry].concat();
    let old = dref.len() - 8;
    let grown = sized.len() as i64 - old as i64;
    bytes.splice(dref.start + 8..dref.end, sized);
    // Every box around it grows; the index lies behind the data, so that no offset moves.
    for depth in 1..=dinf_path.len() + 1 {
        let path = [&dinf_path[..], &["dref"]].concat();
        let at = iso::body(&bytes, &path[..depth]).start - 8;
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        bytes[at..at + 4].copy_from_slice(&((i64::from(size) + grown) as u32).to_be_bytes());
    }
    let data = iso::body(&bytes, &["mdat"]);
    bytes[data].fill(0);
    bytes
}

/// An AVI film with a text track that holds a playlist: ffmpeg looks into such tracks for subtitles of any format.
async fn avi_with_playlist(place: &Place) -> Vec<u8> {
    let playlist =
        format!("{HLS}http://127.0.0.1:{}/a.ts\n#EXTINF:4,\n{}\n", place.port, place.secret.display());
    let mut gab2 = b"GAB2\0\x02\0".to_vec();
    let title: Vec<u8> = "x\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    gab2.extend((title.len() as u32).to_le_bytes());
    gab2.extend(title);
    gab2.extend(4_u16.to_le_bytes());
    gab2.extend((playlist.len() as u32).to_le_bytes());
    gab2.extend(playlist.as_bytes());
    let file = make(&format!("{PICTURE} {TONE} -c:v mpeg4 -c:a mp3"), "avi").await;
    change(&file, |bytes| {
        let chunk = |name: &[u8], body: &[u8]| {
            let pad = vec![0; body.len() % 2];
            [name, &(body.len() as u32).to_le_bytes(), body, &pad].concat()
        };
        let mut head = vec![0; 56];
        head[..4].copy_from_slice(b"txts");
        head[20..28].copy_from_slice(&[1, 0, 0, 0, 1, 0, 0, 0]);
        head[32] = 1;
        let list = chunk(b"LIST", &[&b"strl"[..], &chunk(b"strh", &head), &chunk(b"strf", &[])].concat());
        let data = chunk(b"02tx", &gab2);
        // The third stream's header goes behind the second's, which is the last in `hdrl`; its data first into `movi`.
        let hdrl = bytes.windows(4).position(|w| w == b"hdrl").unwrap() - 8;
        let size = u32::from_le_bytes(bytes[hdrl + 4..hdrl + 8].try_into().unwrap()) as usize;
        let end = hdrl + 8 + size;
        bytes.splice(end..end, list.iter().copied());
        bytes[hdrl + 4..hdrl + 8].copy_from_slice(&((size + list.len()) as u32).to_le_bytes());
        let movi = bytes.windows(4).position(|w| w == b"movi").unwrap();
        let size = u32::from_le_bytes(bytes[movi - 4..movi].try_into().unwrap());
        bytes.splice(movi + 4..movi + 4, data.iter().copied());
        bytes[movi - 4..movi].copy_from_slice(&(size + data.len() as u32).to_le_bytes());
        let whole = (bytes.len() - 8) as u32;
        bytes[4..8].copy_from_slice(&whole.to_le_bytes());
        // Streams in the main header, and no index, whose offsets are wrong now.
        bytes[56] = 3;
        if let Some(at) = bytes.windows(4).position(|w| w == b"idx1") {
            bytes[at..at + 4].copy_from_slice(b"JUNK");
        }
    })
}

/// A Matroska film that says that another one goes before it.
async fn linked(place: &Place) -> Vec<u8> {
    let file = make(&format!("{PICTURE} {X264} -metadata previous={}", place.secret.display()), "mkv").await;
    read(&file)
}
