//! The protocol's headers, read with limits and written in one place.

use api::Problem;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use domain::{Micros, UploadId};
use time::{OffsetDateTime, macros::format_description};

use super::{
    PATH,
    error::{Error, Result, bad},
};

pub const VERSION: &str = "1.0.0";
pub const EXTENSIONS: &str = "creation,creation-with-upload,termination,checksum,expiration,concatenation";
/// The media type of upload bodies.
pub const BODY_TYPE: &str = "application/offset+octet-stream";
/// Most pieces of one file.
const MAX_PIECES: usize = 1000;

/// A header as text; absent and unreadable are told apart.
pub fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>> {
    match headers.get(name) {
        None => Ok(None),
        Some(value) => value
            .to_str()
            .map(|text| Some(text.trim()))
            .map_err(|_| bad(format!("The header {name} is not plain text."))),
    }
}

/// A header that holds a whole number.
pub fn number(headers: &HeaderMap, name: &'static str) -> Result<Option<u64>> {
    let Some(text) = text(headers, name)? else { return Ok(None) };
    let digits = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits => Ok(Some(number)),
        _ => Err(bad(format!("The header {name} must be a whole number of bytes."))),
    }
}

/// 412 unless the client speaks our version (§ Tus-Resumable).
pub fn check_version(headers: &HeaderMap) -> Result<()> {
    if headers.get("tus-resumable").is_some_and(|version| version == VERSION) {
        return Ok(());
    }
    Err(Error::Problem(Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "wrong_version",
        "This server speaks tus 1.0.0: send the header Tus-Resumable: 1.0.0.",
    )))
}

pub fn is_upload_body(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(BODY_TYPE))
}

/// What a POST says about concatenation.
#[derive(Debug, PartialEq, Eq)]
pub enum Concat {
    Single,
    Partial,
    Final(Vec<UploadId>),
}

impl Concat {
    /// Reads `Upload-Concat`: `partial`, or `final;` and the pieces' URLs with a space between them.
    pub fn read(headers: &HeaderMap) -> Result<Self> {
        let Some(value) = text(headers, "upload-concat")? else { return Ok(Self::Single) };
        if value == "partial" {
            return Ok(Self::Partial);
        }
        let urls = value
            .strip_prefix("final;")
            .ok_or_else(|| bad("Upload-Concat is `partial` or `final;` with URLs."))?;
        let pieces: Vec<_> = urls.split_ascii_whitespace().map(piece).collect::<Result<_>>()?;
        if pieces.is_empty() || pieces.len() > MAX_PIECES {
            return Err(bad(format!("A joined upload has 1 to {MAX_PIECES} pieces.")));
        }
        let distinct: std::collections::HashSet<_> = pieces.iter().collect();
        if distinct.len() != pieces.len() {
            return Err(bad("A joined upload names each piece once."));
        }
        Ok(Self::Final(pieces))
    }
}

/// The id in an upload's URL, absolute or not.
fn piece(url: &str) -> Result<UploadId> {
    let id = url.rsplit_once(PATH).and_then(|(_, rest)| rest.strip_prefix('/'));
    id.and_then(|id| id.parse().ok())
        .ok_or_else(|| bad("Upload-Concat names something that is no upload here."))
}

pub fn location(id: UploadId) -> String {
    format!("{PATH}/{id}")
}

/// `Upload-Expires` (§ Expiration): the date format of HTTP (RFC 9110 §5.6.7).
pub fn http_date(at: Micros) -> Option<HeaderValue> {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let text = OffsetDateTime::from_unix_timestamp(at.seconds()).ok()?.format(&format).ok()?;
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn numbers_are_digits_only() {
        let read = |value| number(&headers("upload-offset", value), "upload-offset");
        assert_eq!(read("0").unwrap(), Some(0));
        assert_eq!(read("100000000000").unwrap(), Some(100_000_000_000));
        for wrong in ["", "-1", "+1", "1.0", "0x1", "1e3", "99999999999999999999"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(number(&HeaderMap::new(), "upload-offset").unwrap(), None);
    }

    #[test]
    fn pieces_are_named_by_url_or_path() {
        let (a, b) = (UploadId::new(), UploadId::new());
        let read = |value: &str| Concat::read(&headers("upload-concat", value));
        assert_eq!(
            read(&format!("final;https://host{PATH}/{a} {PATH}/{b}")).unwrap(),
            Concat::Final(vec![a, b])
        );
        assert_eq!(read("partial").unwrap(), Concat::Partial);
        assert_eq!(Concat::read(&HeaderMap::new()).unwrap(), Concat::Single);
        for wrong in ["final;", "final", "final;/files/1", "whole", &format!("final;{PATH}/{a} {PATH}/{a}")] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(Micros(784_111_777_000_000)).unwrap(), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
