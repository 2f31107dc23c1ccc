//! Texts that are worth compressing: made once, in two forms, with an entity tag each.

use std::io::Write;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};

use crate::{accept::takes_coding, conditional, digest};

/// A text ready to be sent.
#[derive(Debug, Clone)]
pub struct Text {
    content_type: &'static str,
    plain: Form,
    gzip: Form,
}

#[derive(Debug, Clone)]
struct Form {
    bytes: Bytes,
    /// Strong: the two forms have different bytes.
    tag: String,
}

impl Text {
    pub fn new(content_type: &'static str, text: String) -> Self {
        let plain = Bytes::from(text);
        let tag = digest(&[&plain]);
        let gzip =
            Form { bytes: compress(&plain).unwrap_or_else(|| plain.clone()), tag: format!("\"{tag}-gz\"") };
        Self { content_type, plain: Form { bytes: plain, tag: format!("\"{tag}\"") }, gzip }
    }

    /// Bytes of both forms.
    pub fn size(&self) -> usize {
        self.plain.bytes.len() + self.gzip.bytes.len()
    }

    /// The answer to a request with these headers; `cache` is its `Cache-Control`.
    pub fn answer(&self, headers: &HeaderMap, cache: &'static str) -> Response {
        let gzip = takes_coding(headers, "gzip");
        let Form { bytes, tag } = if gzip { &self.gzip } else { &self.plain };
        let mut response = if conditional::not_modified(headers, tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = Response::new(Body::from(bytes.clone()));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            if gzip {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Ok(tag) = HeaderValue::from_str(tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }
}

/// Never fails in memory, but the type cannot say so.
fn compress(plain: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::default());
    encoder.write_all(plain).ok()?;
    encoder.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_sent_and_known_again() {
        let text = Text::new("text/plain", "a".repeat(1000));
        let mut headers = HeaderMap::new();
        let plain = text.answer(&headers, "no-cache");
        assert_eq!(plain.headers()[header::CONTENT_LENGTH], "1000");
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let gzip = text.answer(&headers, "no-cache");
        assert_eq!(gzip.headers()[header::CONTENT_ENCODING], "gzip");
        assert_ne!(plain.headers()[header::ETAG], gzip.headers()[header::ETAG]);
        headers.insert(header::IF_NONE_MATCH, gzip.headers()[header::ETAG].clone());
        let known = text.answer(&headers, "no-cache");
        assert_eq!(
            (known.status(), &known.headers()[header::VARY]),
            (StatusCode::NOT_MODIFIED, &HeaderValue::from_static("Accept-Encoding"))
        );
    }
}
