//! Conditional requests by revision: strong entity tags and `If-Match` (RFC 9110 §8.8.3, §13.1.1).

use axum::http::{HeaderMap, HeaderValue, header};

use crate::Problem;

/// The entity tag of a revision: `"r12"`.
pub fn of_revision(revision: i64) -> HeaderValue {
    HeaderValue::try_from(format!("\"r{revision}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"r\""))
}

/// The revision that `If-Match` asks for. `None` when the header is absent or `*`; 412 when no tag in it is ours.
pub fn if_match(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().map_err(|_| Problem::precondition_failed())?.trim();
    if text == "*" {
        return Ok(None);
    }
    text.strip_prefix("\"r")
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|number| number.parse().ok())
        .map(Some)
        .ok_or_else(Problem::precondition_failed)
}

/// 412 with the present revision when `If-Match` asks for another one.
pub fn check(headers: &HeaderMap, revision: i64) -> Result<(), Problem> {
    match if_match(headers) {
        Ok(Some(wanted)) if wanted != revision => Err(Problem::changed_to(revision)),
        Err(_) => Err(Problem::changed_to(revision)),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_round_trips_and_foreign_ones_fail() {
        let mut headers = HeaderMap::new();
        assert_eq!(if_match(&headers), Ok(None));
        headers.insert(header::IF_MATCH, of_revision(12));
        assert_eq!(if_match(&headers), Ok(Some(12)));
        for bad in ["W/\"r12\"", "\"12\"", "r12", "\"rx\""] {
            headers.insert(header::IF_MATCH, bad.parse().unwrap());
            assert!(if_match(&headers).is_err(), "{bad}");
            assert_eq!(check(&headers, 12), Err(Problem::changed_to(12)), "{bad}");
        }
        headers.insert(header::IF_MATCH, of_revision(12));
        assert_eq!(check(&headers, 12), Ok(()));
        assert_eq!(check(&headers, 13), Err(Problem::changed_to(13)));
    }
}
