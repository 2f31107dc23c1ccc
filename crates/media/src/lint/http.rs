//! How something was served: status, type, compression, ranges, access from other origins.

use super::{Answer, Place, Report, Want, rules::http as rules};

/// What the thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Playlist,
    Manifest,
    /// Fragmented MP4, header or segment.
    Mp4,
    Ts,
    WebVtt,
    PackedAudio,
    Image,
}

/// Checks an answer that was successful. Files have no header fields and are not judged.
pub fn check(answer: &Answer, kind: Kind, report: &mut Report) {
    if !answer.is_http() {
        return;
    }
    let place = Place::whole(&answer.url);
    let told = answer.header("content-type").unwrap_or_default();
    let told = told.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let wanted: &[&str] = match kind {
        Kind::Playlist => &["application/vnd.apple.mpegurl", "audio/mpegurl", "application/x-mpegurl"],
        Kind::Manifest => &["application/dash+xml"],
        Kind::Mp4 => &["video/mp4", "audio/mp4", "application/mp4", "video/iso.segment", "audio/iso.segment"],
        Kind::Ts => &["video/mp2t"],
        Kind::WebVtt => &["text/vtt"],
        Kind::PackedAudio => {
            &["audio/aac", "audio/mpeg", "audio/ac3", "audio/eac3", "audio/aacp", "audio/x-aac"]
        }
        Kind::Image => &["image/jpeg", "image/png"],
    };
    let path = answer.url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let by_path = path.ends_with(".m3u8") || path.ends_with(".m3u");
    let good = wanted.contains(&told.as_str()) && told != "application/x-mpegurl";
    if kind == Kind::Playlist && !good && !by_path {
        report.add(
            &rules::PLAYLIST_TYPE,
            place.clone(),
            format!("the Content-Type is `{told}`, the path ends otherwise"),
        );
    } else if !wanted.contains(&told.as_str()) {
        report.add(
            &rules::CONTENT_TYPE,
            place.clone(),
            format!("the Content-Type is `{told}`, not {}", wanted[0]),
        );
    }
    let text = matches!(kind, Kind::Playlist | Kind::Manifest);
    if text && answer.body.len() > 4096 && answer.header("content-encoding").is_none() {
        let what = format!("{} bytes of text came without Content-Encoding", answer.body.len());
        report.add(&rules::GZIP, place.clone(), what);
    }
    if answer.header("access-control-allow-origin").is_none() {
        report.add(&rules::CORS, place, "there is no Access-Control-Allow-Origin");
    }
}

/// Whether an answer can be used; what is wrong with it otherwise.
pub fn usable(want: &Want, answer: &Answer, report: &mut Report) -> bool {
    let place = Place::whole(&want.url);
    let asked = want.range.as_ref().map(|r| r.end.saturating_sub(r.start));
    if let (206, Some(asked)) = (answer.status, asked)
        && answer.body.len() as u64 != asked
    {
        let what = format!("asked for {asked} bytes, it sent {}", answer.body.len());
        report.add(&rules::RANGE, place, what);
        return false;
    }
    match (answer.status, &want.range) {
        (0 | 206, _) | (200, None) => true,
        (200, Some(range)) => {
            let what =
                format!("asked for bytes {} to {}, it answered with 200 and all", range.start, range.end);
            report.add(&rules::RANGE, place, what);
            false
        }
        (416, Some(range)) => {
            let what = format!("there are no bytes {} to {}", range.start, range.end);
            report.add(&rules::RANGE, place, what);
            false
        }
        (status, _) => {
            report.add(&rules::UNAVAILABLE, place, format!("it answered with status {status}"));
            false
        }
    }
}
