//! Reading one cookie of a request (RFC 6265 §5.4).

use axum::http::{HeaderMap, header};

/// The value of the cookie `name`. `None` also when it is sent twice with different values: someone may have planted one.
pub fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = None;
    for header in headers.get_all(header::COOKIE) {
        for pair in header.to_str().ok()?.split(';') {
            let Some((key, value)) = pair.trim().split_once('=') else { continue };
            if key == name {
                match found {
                    Some(earlier) if earlier != value => return None,
                    _ => found = Some(value),
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cookie_among_many() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; session=abc; b".parse().unwrap());
        assert_eq!(get(&headers, "session"), Some("abc"));
        assert_eq!(get(&headers, "sess"), None);
        headers.append(header::COOKIE, "session=other".parse().unwrap());
        assert_eq!(get(&headers, "session"), None);
    }
}
