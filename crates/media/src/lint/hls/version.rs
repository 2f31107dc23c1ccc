//! The protocol version that tags and attributes need (RFC 8216bis §4.4.1.2 and its section on version compatibility).

use super::text::{Kind, Line, Text};
use crate::lint::{Place, Report, rules::hls as rules};

pub fn check(text: &Text, report: &mut Report) {
    let told = text.integer("EXT-X-VERSION");
    let (line, needed, why) = needed(text);
    if told.unwrap_or(1) < needed {
        let told = told.map_or("there is no EXT-X-VERSION".into(), |v| format!("EXT-X-VERSION is {v}"));
        let place = Place::line(&text.url, line);
        report.add(&rules::VERSION, place, format!("{told}, but {why} needs version {needed}"));
    }
}

/// The greatest version that something needs, with its line and name.
fn needed(text: &Text) -> (usize, u64, String) {
    let iframes = text.has("EXT-X-I-FRAMES-ONLY");
    let mut greatest = (1, 1, String::new());
    let mut need = |line: usize, version: u64, why: String| {
        if version > greatest.1 {
            greatest = (line, version, why);
        }
    };
    for (number, line) in &text.lines {
        let Line::Tag { name, value, attributes } = line else { continue };
        let has = |attribute: &str| attributes.get(attribute).is_some();
        match *name {
            "EXTINF" if value.split(',').next().is_some_and(|d| d.contains('.')) => {
                need(*number, 3, "a fractional EXTINF".into());
            }
            "EXT-X-BYTERANGE" | "EXT-X-I-FRAMES-ONLY" => need(*number, 4, (*name).to_owned()),
            "EXT-X-KEY" | "EXT-X-SESSION-KEY" => {
                if has("IV") {
                    need(*number, 2, format!("IV of {name}"));
                }
                if has("KEYFORMAT") || has("KEYFORMATVERSIONS") {
                    need(*number, 5, format!("KEYFORMAT of {name}"));
                }
                if attributes.get("METHOD").is_some_and(|m| m.starts_with("SAMPLE-AES")) {
                    need(*number, 5, "METHOD=SAMPLE-AES".into());
                }
            }
            "EXT-X-MAP" if iframes => need(*number, 5, "EXT-X-MAP".into()),
            "EXT-X-MAP" => need(*number, 6, "EXT-X-MAP in a playlist of whole segments".into()),
            "EXT-X-MEDIA" if attributes.get("INSTREAM-ID").is_some_and(|id| id.starts_with("SERVICE")) => {
                need(*number, 7, "INSTREAM-ID=SERVICE".into());
            }
            "EXT-X-DEFINE" => {
                let version = if has("QUERYPARAM") { 11 } else { 8 };
                need(*number, version, "EXT-X-DEFINE".into());
            }
            "EXT-X-SKIP" => {
                let version = if has("RECENTLY-REMOVED-DATERANGES") { 10 } else { 9 };
                need(*number, version, "EXT-X-SKIP".into());
            }
            "EXT-X-STREAM-INF" if text.kind == Kind::Multivariant => {
                if let Some(attribute) = attributes.names().find(|n| n.starts_with("REQ-")) {
                    need(*number, 12, format!("{attribute} of {name}"));
                }
            }
            _ => {}
        }
    }
    greatest
}
