//! Which requests are for the same bytes: the cache key. Nothing that a client sends takes part in it, or reaches an
//! upstream, unless it is named here.

use std::fmt::Write;

use domain::PresentationId;
use serde::{Deserialize, Serialize};

/// Longest path that is looked at: a token may have 1,024 characters.
const MAX_PATH: usize = 1280;
/// Longest address within a presentation.
const MAX_REST: usize = 192;
/// Longest value of a parameter.
const MAX_VALUE: usize = 20;
/// Parameters that change bytes (RFC 8216bis §6.2.5), in the order in which they are written.
const QUERY: [&str; 3] = ["_HLS_msn", "_HLS_part", "_HLS_skip"];
/// Names of what is worth compressing, and is made in two forms.
const TEXTS: [&str; 3] = [".m3u8", ".mpd", ".vtt"];

/// A media URL, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked<'a> {
    pub token: &'a str,
    pub presentation: PresentationId,
    rest: &'a str,
    query: Box<str>,
}

/// What a stored answer is found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub presentation: PresentationId,
    rest: Box<str>,
    query: Box<str>,
    max_height: Option<u32>,
    gzip: bool,
}

impl<'a> Asked<'a> {
    /// From path and query as they were sent. `None`: none of ours, and no upstream need be asked.
    pub fn parse(path: &'a str, query: Option<&str>) -> Option<Self> {
        if path.len() > MAX_PATH {
            return None;
        }
        let (token, rest) = path.strip_prefix("/media/")?.split_once('/')?;
        let (presentation, rest) = rest.split_once('/')?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        let named = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain);
        if !named(token) || rest.len() > MAX_REST || !rest.split('/').all(named) {
            return None;
        }
        let query = query.map_or(Some(Box::default()), canonical)?;
        Some(Self { token, presentation: presentation.parse().ok()?, rest, query })
    }

    /// Is this made in a compressed form as well?
    pub fn is_text(&self) -> bool {
        TEXTS.iter().any(|end| self.rest.ends_with(end))
    }

    /// `gzip` is whether the client takes it.
    pub fn key(&self, max_height: Option<u32>, gzip: bool) -> Key {
        Key {
            presentation: self.presentation,
            rest: self.rest.into(),
            query: self.query.clone(),
            max_height,
            gzip: gzip && self.is_text(),
        }
    }
}

impl Key {
    /// Path and query for an upstream.
    pub fn address(&self, token: &str) -> String {
        let mut address = format!("/media/{token}/{}/{}", self.presentation, self.rest);
        if !self.query.is_empty() {
            address.push('?');
            address.push_str(&self.query);
        }
        address
    }

    pub fn gzip(&self) -> bool {
        self.gzip
    }

    /// Asks for something that may not exist yet: the upstream may wait for it.
    pub fn may_block(&self) -> bool {
        // What is asked for while it is being made has a second dot: parts, and segments that come part by part.
        let part = || self.rest.strip_suffix(".m4s").is_some_and(|name| name.contains('.'));
        !self.query.is_empty() || part()
    }

    /// Is it asked for before it exists, and comes all at once then?
    pub fn comes_whole(&self) -> bool {
        self.may_block() && !self.rest.ends_with(".chunks.m4s")
    }

    /// All of it in one spelling.
    pub fn text(&self) -> String {
        let mut text = self.address("");
        // Cannot fail on a text.
        let _ = write!(text, " {:?} {}", self.max_height, self.gzip);
        text
    }
}

/// The parameters that count, in their order. `None` when one of them is given twice or has a strange value.
fn canonical(query: &str) -> Option<Box<str>> {
    let mut values = [None; QUERY.len()];
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let Some(at) = QUERY.iter().position(|known| *known == name) else { continue };
        let good = (1..=MAX_VALUE).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_alphanumeric());
        if !good || values[at].replace(value).is_some() {
            return None;
        }
    }
    let mut out = String::new();
    for (name, value) in QUERY.iter().zip(values) {
        if let Some(value) = value {
            let between = if out.is_empty() { "" } else { "&" };
            let _ = write!(out, "{between}{name}={value}");
        }
    }
    Some(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PID: &str = "0192f0c1-7e5a-7b3c-8d4e-5f6a7b8c9d0e";

    fn key(rest: &str, query: Option<&str>) -> Option<Key> {
        let path = format!("/media/tok.en/{PID}/{rest}");
        Some(Asked::parse(&path, query)?.key(None, false))
    }

    fn address(rest: &str, query: Option<&str>) -> Option<String> {
        Some(key(rest, query)?.address("T"))
    }

    #[test]
    fn what_may_not_exist_yet_is_known() {
        for (rest, query) in
            [("v1/playlist.m3u8", Some("_HLS_msn=3")), ("v1/3.0.m4s", None), ("v1/3.chunks.m4s", None)]
        {
            assert!(key(rest, query).unwrap().may_block(), "{rest}");
        }
        for rest in ["v1/playlist.m3u8", "v1/3.m4s", "v1/i3.m4s", "main.mpd"] {
            assert!(!key(rest, None).unwrap().may_block(), "{rest}");
        }
    }

    #[test]
    fn only_parameters_that_change_bytes_stay() {
        let plain = Some(format!("/media/T/{PID}/v1/playlist.m3u8"));
        let rest = "v1/playlist.m3u8";
        for query in [None, Some(""), Some("CMCD=br%3D3200"), Some("x=1&y"), Some("&&=&"), Some("_hls_msn=3")]
        {
            assert_eq!(address(rest, query), plain, "{query:?}");
        }
        let with = |query| address(rest, Some(query)).unwrap().split_once('?').map(|(_, q)| q.to_owned());
        assert_eq!(with("_HLS_part=2&CMCD=a&_HLS_msn=17").unwrap(), "_HLS_msn=17&_HLS_part=2");
        assert_eq!(with("_HLS_skip=v2").unwrap(), "_HLS_skip=v2");
        for bad in
            ["_HLS_msn=", "_HLS_msn", "_HLS_msn=1&_HLS_msn=1", "_HLS_msn=-1", "_HLS_msn=%31", "_HLS_skip=a b"]
        {
            assert_eq!(address(rest, Some(bad)), None, "{bad}");
        }
        assert_eq!(address(rest, Some(&format!("_HLS_msn={}", "9".repeat(21)))), None);
    }

    #[test]
    fn what_is_not_ours_is_nothing() {
        for rest in
            ["", "/", "a//b", "a/", "/a", "..", "a/../b", ".hidden", "a/.b", "a b", "a%2fb", "ä", "a\0b"]
        {
            assert_eq!(address(rest, None), None, "{rest:?}");
        }
        assert_eq!(address(&"a".repeat(193), None), None);
        for path in [
            "",
            "/media/",
            "/media/t",
            "/media/t/x/main.m3u8",
            &format!("/media//{PID}/main.m3u8"),
            &format!("/media/../{PID}/main.m3u8"),
            &format!("/media/t/{}/main.m3u8", PID.to_uppercase()),
            &format!("/Media/t/{PID}/main.m3u8"),
            &format!("/media/{}/{PID}/main.m3u8", "a".repeat(1300)),
        ] {
            assert_eq!(Asked::parse(path, None), None, "{path}");
        }
    }

    #[test]
    fn claims_and_codings_are_in_the_key_where_they_matter() {
        let path = format!("/media/t/{PID}/main.m3u8");
        let list = Asked::parse(&path, None).unwrap();
        assert_ne!(list.key(None, false), list.key(Some(720), false));
        assert_ne!(list.key(None, false), list.key(None, true));
        assert_ne!(list.key(None, true).text(), list.key(None, false).text());
        let path = format!("/media/t/{PID}/v1/3.m4s");
        let segment = Asked::parse(&path, None).unwrap();
        assert_eq!(segment.key(None, false), segment.key(None, true));
        let other = format!("/media/another/{PID}/v1/3.m4s");
        assert_eq!(segment.key(None, false), Asked::parse(&other, None).unwrap().key(None, false));
    }
}
