//! What a caller takes (RFC 9110 §12.5.1). We do not negotiate: we only refuse callers who take nothing that we make.

use axum::http::{HeaderMap, header};

/// Types that the API answers with.
const OURS: [&str; 3] = ["application/json", "application/problem+json", "text/event-stream"];

/// May any answer of the API be sent to this caller? Without `Accept` everything may.
pub fn takes_ours(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("*/*").split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    ranges.peek().is_none() || ranges.any(is_ours)
}

fn is_ours(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
    let refused = parts.any(|part| {
        part.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|weight| weight == 0.0))
    });
    let matches = kind == "*/*"
        || kind == "application/*"
        || kind.starts_with("image/")
        || OURS.contains(&kind.as_str());
    matches && !refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_take_nothing_of_ours_are_refused() {
        let takes = |text: &str| takes_ours(&HeaderMap::from_iter([(header::ACCEPT, text.parse().unwrap())]));
        for good in
            ["*/*", "application/json", "text/html, */*;q=0.1", "Application/*;q=0.5", "image/avif", ""]
        {
            assert!(takes(good), "{good}");
        }
        for bad in
            ["text/html", "application/xml", "application/json;q=0", "text/html;q=1, application/json; q=0.0"]
        {
            assert!(!takes(bad), "{bad}");
        }
        assert!(takes_ours(&HeaderMap::new()));
    }
}
