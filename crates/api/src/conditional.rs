//! Conditional and range requests (RFC 9110 §13, §14).

use std::ops::Range;

use axum::http::{HeaderMap, HeaderName, header};

/// Does `If-None-Match` name this entity? The weak comparison of §13.1.2.
pub fn not_modified(headers: &HeaderMap, tag: &str) -> bool {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let mut values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    values.any(|value| {
        value.split(',').map(str::trim).any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == tag)
    })
}

/// The part of an entity that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    Whole,
    /// Never empty.
    Part(Range<u64>),
    Unsatisfiable,
}

/// What part of an entity of `len` bytes is asked for. Several ranges at once and other units are ignored, as §14.2
/// allows; so is a range for an entity that has changed, as far as can be told (`If-Range` compares strongly, §13.1.5).
pub fn wanted(headers: &HeaderMap, tag: &str, len: u64) -> Wanted {
    let text = |name: HeaderName| headers.get(name).and_then(|v| v.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|told| told != tag || tag.starts_with("W/")) {
        return Wanted::Whole;
    }
    let Some((first, last)) = text(header::RANGE)
        .and_then(|r| r.strip_prefix("bytes="))
        .filter(|r| !r.contains(','))
        .and_then(|r| r.trim().split_once('-'))
    else {
        return Wanted::Whole;
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Wanted::Whole,
        (Some(first), _) if first >= len => Wanted::Unsatisfiable,
        (Some(first), Some(last)) => Wanted::Part(first..last.saturating_add(1).min(len)),
        (Some(first), None) if last.is_empty() => Wanted::Part(first..len),
        (None, Some(0)) if first.is_empty() => Wanted::Unsatisfiable,
        (None, Some(suffix)) if first.is_empty() && len > 0 => Wanted::Part(len.saturating_sub(suffix)..len),
        _ => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(HeaderName, &str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn ranges_follow_the_standard() {
        let of = |range: &str| wanted(&headers(&[(header::RANGE, range)]), "\"t\"", 100);
        assert_eq!(of("bytes=0-9"), Wanted::Part(0..10));
        assert_eq!(of("bytes=90-"), Wanted::Part(90..100));
        assert_eq!(of("bytes=90-500"), Wanted::Part(90..100));
        assert_eq!(of("bytes=-10"), Wanted::Part(90..100));
        assert_eq!(of("bytes=-1000"), Wanted::Part(0..100));
        assert_eq!(of("bytes=100-"), Wanted::Unsatisfiable);
        assert_eq!(of("bytes=-0"), Wanted::Unsatisfiable);
        for ignored in
            ["bytes=5-3", "bytes=0-1,5-6", "items=0-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=+1-2"]
        {
            assert_eq!(of(ignored), Wanted::Whole, "{ignored}");
        }
        assert_eq!(of("bytes=99999999999999999999-"), Wanted::Whole);
    }

    #[test]
    fn a_range_of_something_older_gets_the_whole() {
        let asked =
            |tag| wanted(&headers(&[(header::RANGE, "bytes=0-1"), (header::IF_RANGE, tag)]), "\"t\"", 9);
        assert_eq!(asked("\"t\""), Wanted::Part(0..2));
        assert_eq!(asked("\"old\""), Wanted::Whole);
        let weak = headers(&[(header::RANGE, "bytes=0-1"), (header::IF_RANGE, "W/\"t\"")]);
        assert_eq!(wanted(&weak, "W/\"t\"", 9), Wanted::Whole);
    }

    #[test]
    fn tags_match_weakly() {
        let match_of = |value| not_modified(&headers(&[(header::IF_NONE_MATCH, value)]), "\"t\"");
        assert!(match_of("\"t\"") && match_of("W/\"t\"") && match_of("\"a\", \"t\"") && match_of("*"));
        assert!(not_modified(&headers(&[(header::IF_NONE_MATCH, "\"t\"")]), "W/\"t\""));
        assert!(!match_of("\"x\"") && !match_of("t"));
    }
}
