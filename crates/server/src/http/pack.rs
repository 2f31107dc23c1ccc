//! Compresses what is made anew for each request: pages and answers of the API. Files of the web app are compressed when it is
//! built, playlists by the origin; media never.

use std::io::Write;

use axum::{
    body::{Body, HttpBody},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use flate2::{Compression, write::GzEncoder};

/// Smaller answers fit into a packet or two as they are.
const LEAST: u64 = 1024;
/// Larger ones would hold up the thread for more than about a millisecond.
const MOST: u64 = 256 * 1024;
/// Nearly as small as with the usual level, in half the time.
const LEVEL: Compression = Compression::new(4);

/// The answer in gzip for those who take it, if that is worth the work. Answers with an entity tag stay as they are: it names
/// these very bytes.
pub async fn packed(takes_gzip: bool, response: Response) -> Response {
    let size = response.body().size_hint().exact().unwrap_or_default();
    if !(LEAST..=MOST).contains(&size) || !is_text(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if !takes_gzip {
        return Response::from_parts(parts, body);
    }
    // What is told to be so large lies in memory.
    let Ok(plain) = axum::body::to_bytes(body, MOST as usize).await else {
        return Response::from_parts(parts, Body::empty());
    };
    let mut gzip = GzEncoder::new(Vec::with_capacity(plain.len() / 2), LEVEL);
    match gzip.write_all(&plain).and_then(|()| gzip.finish()) {
        Ok(gzip) => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(gzip))
        }
        Err(_) => Response::from_parts(parts, Body::from(plain)),
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_text = kind.starts_with("application/json") || kind.starts_with("text/html");
    is_text && !headers.contains_key(header::ETAG) && !headers.contains_key(header::CONTENT_ENCODING)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    async fn sent(takes_gzip: bool, kind: &str, tag: Option<&str>, size: usize) -> (HeaderMap, Vec<u8>) {
        let mut response = Response::new(Body::from(vec![b'a'; size]));
        response.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
        if let Some(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag.parse().unwrap());
        }
        let (parts, body) = packed(takes_gzip, response).await.into_parts();
        (parts.headers, axum::body::to_bytes(body, 1 << 20).await.unwrap().to_vec())
    }

    #[tokio::test]
    async fn large_texts_are_packed_for_those_who_take_it() {
        let (headers, body) = sent(true, "text/html; charset=utf-8", None, 5000).await;
        assert_eq!(
            (&headers["content-encoding"], &headers["vary"]),
            (&"gzip".parse().unwrap(), &"Accept-Encoding".parse().unwrap())
        );
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut plain).unwrap();
        assert_eq!(plain, [b'a'; 5000]);
        let (headers, body) = sent(false, "application/json", None, 5000).await;
        assert!(
            !headers.contains_key("content-encoding") && headers.contains_key("vary") && body.len() == 5000
        );
    }

    #[tokio::test]
    async fn others_stay_as_they_are() {
        for (kind, tag, size) in [
            ("application/json", Some("\"r1\""), 5000),
            ("application/json", None, 500),
            ("application/json", None, 300_000),
            ("image/jpeg", None, 5000),
            ("text/event-stream", None, 5000),
        ] {
            let (headers, body) = sent(true, kind, tag, size).await;
            assert_eq!((headers.contains_key("vary"), body.len()), (false, size), "{kind} {tag:?} {size}");
        }
    }
}
