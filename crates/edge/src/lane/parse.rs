//! Requests that the lane answers itself: `GET` and `HEAD` below `/media/` over HTTP/1.1, plain in every way. Anything else is
//! somebody else's, with all its bytes. The parser is the one that the other way uses, so that both see the same requests.

use std::str;

use api::accept::list_takes_coding;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use httparse::Status;

/// Most fields of a head that are looked at here.
const MAX_FIELDS: usize = 48;
/// What requests of ours begin with.
const STARTS: [&[u8]; 2] = [b"GET /media/", b"HEAD /media/"];
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Fields that an answer depends on.
const HEEDED: [HeaderName; 7] = [
    header::ACCEPT_ENCODING,
    header::RANGE,
    header::IF_RANGE,
    header::IF_NONE_MATCH,
    HeaderName::from_static("cdn-loop"),
    header::USER_AGENT,
    HeaderName::from_static("x-forwarded-for"),
];
/// Those with which an answer is another than the whole that is held.
const CHANGING: [&str; 4] = ["range", "if-range", "if-none-match", "cdn-loop"];
/// Fields with which a request is more than its head, or wants another protocol.
const ODD: [&str; 9] = [
    "content-length",
    "transfer-encoding",
    "upgrade",
    "expect",
    "te",
    "trailer",
    "keep-alive",
    "proxy-connection",
    "http2-settings",
];

#[derive(Debug)]
pub enum Parsed<'a> {
    /// More must come before anything can be told.
    Partial,
    Ours(Request<'a>),
    /// Not for the lane.
    Other,
}

#[derive(Debug)]
pub struct Request<'a> {
    pub head_only: bool,
    pub path: &'a str,
    pub query: Option<&'a str>,
    /// Asks for the whole, whatever the client has.
    pub plain: bool,
    /// Takes texts in gzip.
    pub gzip: bool,
    /// Its head as it came.
    pub head: &'a [u8],
}

impl Request<'_> {
    /// The fields that an answer depends on. Few requests need them.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut request = httparse::Request::new(&mut fields);
        // It was read before.
        let _ = request.parse(self.head);
        for field in request.headers.iter() {
            let named = |name: &HeaderName| field.name.eq_ignore_ascii_case(name.as_str());
            let name = HEEDED.into_iter().find(named);
            if let (Some(name), Ok(value)) = (name, HeaderValue::from_bytes(field.value)) {
                headers.append(name, value);
            }
        }
        headers
    }
}

/// Looks at the beginning of what a client sent.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    let begins = |start: &&[u8]| {
        let length = start.len().min(bytes.len());
        bytes[..length] == start[..length]
    };
    // Who speaks HTTP/2 is known only when all of its preface has come (RFC 9113 §3.4).
    if bytes.len() < PREFACE.len() && PREFACE.starts_with(bytes) {
        return Parsed::Partial;
    }
    if !STARTS.iter().any(begins) {
        return Parsed::Other;
    }
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(bytes) {
        Ok(Status::Partial) => Parsed::Partial,
        Ok(Status::Complete(length)) => ours(&request, &bytes[..length]).map_or(Parsed::Other, Parsed::Ours),
        Err(_) => Parsed::Other,
    }
}

fn ours<'a>(request: &httparse::Request<'_, 'a>, head: &'a [u8]) -> Option<Request<'a>> {
    let head_only = match request.method? {
        "GET" => false,
        "HEAD" => true,
        _ => return None,
    };
    let target = request.path.filter(|_| request.version == Some(1))?;
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let in_path = |b: u8| b.is_ascii_alphanumeric() || b"/.-_".contains(&b);
    let in_query = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&b);
    if !path.bytes().all(in_path) || !query.is_none_or(|query| query.bytes().all(in_query)) {
        return None;
    }
    let (mut plain, mut gzip) = (true, false);
    for field in request.headers.iter() {
        let same = |name: &&str| field.name.eq_ignore_ascii_case(name);
        if same(&"connection") {
            if !field.value.eq_ignore_ascii_case(b"keep-alive") {
                return None;
            }
        } else if ODD.iter().any(same) {
            return None;
        } else if same(&"accept-encoding") {
            gzip |= str::from_utf8(field.value).is_ok_and(|list| list_takes_coding(list, "gzip"));
        } else if CHANGING.iter().any(same) {
            plain = false;
        }
    }
    Some(Request { head_only, path, query, plain, gzip, head })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> &'static str {
        match parse(text.as_bytes()) {
            Parsed::Partial => "partial",
            Parsed::Ours(_) => "ours",
            Parsed::Other => "other",
        }
    }

    #[test]
    fn plain_requests_are_ours() {
        let text = "GET /media/t/p/a.m3u8?x=1 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: Keep-Alive\r\n\r\nGET";
        let Parsed::Ours(request) = parse(text.as_bytes()) else { panic!("not ours") };
        assert_eq!((request.path, request.query, request.plain), ("/media/t/p/a.m3u8", Some("x=1"), true));
        assert_eq!((request.head.len(), request.gzip), (text.len() - 3, true));
        let Parsed::Ours(request) = parse(b"HEAD /media/x HTTP/1.1\r\nrAnGe: bytes=0-1\r\n\r\n") else {
            panic!("not ours")
        };
        assert!(request.head_only && !request.plain && request.headers()["range"] == "bytes=0-1");
    }

    #[test]
    fn what_is_not_complete_is_waited_for() {
        for text in [
            "",
            "G",
            "HEAD /me",
            "GET /media/",
            "GET /media/t HTTP/1.1\r\nHost: a\r\n",
            "GET /media/t HTTP/1.1\r\nHost",
        ] {
            assert_eq!(kind(text), "partial", "{text:?}");
        }
    }

    #[test]
    fn odd_ones_are_not_ours() {
        let with = |field: &str| format!("GET /media/t HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n");
        for field in [
            "Content-Length: 0",
            "Content-Length: 3",
            "Transfer-Encoding: chunked",
            "transfer-encoding : chunked",
            "Connection: close",
            "Connection: upgrade",
            "Upgrade: h2c",
            "Expect: 100-continue",
            "TE: trailers",
            "X : y",
            " folded: 1",
            "X: a\r\n\tfolded",
            "no colon",
        ] {
            assert_eq!(kind(&with(field)), "other", "{field:?}");
        }
        for text in [
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            "\r\nGET /media/t HTTP/1.1\r\n\r\n",
            "GET  /media/t HTTP/1.1\r\n\r\n",
            "get /media/t HTTP/1.1\r\n\r\n",
            "GET /media/t HTTP/1.0\r\n\r\n",
            "GET /media/t\r\n\r\n",
            "GET http://a/media/t HTTP/1.1\r\n\r\n",
            "GET /media/t#x HTTP/1.1\r\n\r\n",
            "GET /media/%74 HTTP/1.1\r\n\r\n",
            "GET /media/t?<x> HTTP/1.1\r\n\r\n",
            "GET /api/v1 HTTP/1.1\r\n\r\n",
            "POST /media/t HTTP/1.1\r\n\r\n",
        ] {
            assert_eq!(kind(text), "other", "{text:?}");
        }
        let many: String = (0..60).map(|n| format!("x{n}: 1\r\n")).collect();
        assert_eq!(kind(&with(many.trim_end())), "other");
    }
}
