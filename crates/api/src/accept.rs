//! What a caller takes (RFC 9110 §12.5). Of types we negotiate none: we only refuse callers who take nothing that we make.

use axum::http::{HeaderMap, header};
use domain::accept::range;

/// Types that the API answers with.
const OURS: [&str; 3] = ["application/json", "application/problem+json", "text/event-stream"];

/// May any answer of the API be sent to this caller? Without `Accept` everything may.
pub fn takes_ours(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(header::ACCEPT)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("*/*").split(','))
        .filter(|text| !text.trim().is_empty())
        .map(range)
        .peekable();
    ranges.peek().is_none() || ranges.any(|(kind, taken)| taken && is_ours(kind))
}

fn is_ours(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    kind == "*/*" || kind == "application/*" || kind.starts_with("image/") || OURS.contains(&kind.as_str())
}

/// May an answer have this content coding? Only where it is named.
pub fn takes_coding(headers: &HeaderMap, coding: &str) -> bool {
    let mut lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.any(|list| list_takes_coding(list, coding))
}

/// The same of one value of `Accept-Encoding`.
pub fn list_takes_coding(list: &str, coding: &str) -> bool {
    list.split(',').map(range).any(|(name, taken)| taken && name.eq_ignore_ascii_case(coding))
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

    #[test]
    fn codings_are_accepted_as_the_header_says() {
        let headers = |text: &str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, text.parse().unwrap())]);
        assert!(takes_coding(&headers("gzip, deflate, br;q=0.5"), "br"));
        assert!(!takes_coding(&headers("gzip, br;q=0"), "br"));
        assert!(!takes_coding(&HeaderMap::new(), "gzip"));
        let takes = |value| takes_coding(&headers(value), "gzip");
        assert!(takes("gzip") && takes("br, GZIP;q=0.5") && takes("deflate,gzip"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes("gzip; q=0.0") && !takes(""));
    }
}
