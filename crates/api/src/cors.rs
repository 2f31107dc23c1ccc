//! Media may be read from pages of any origin, so that players can be embedded anywhere (Fetch §3.2).

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const TIMING: HeaderName = HeaderName::from_static("timing-allow-origin");

/// On every answer, errors included.
pub fn allow(headers: &mut HeaderMap) {
    let fixed = |text| HeaderValue::from_static(text);
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, fixed("*"));
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        fixed(
            "Accept-Ranges, Age, Cache-Status, Content-Encoding, Content-Length, Content-Range, Date, ETag",
        ),
    );
    headers.insert(TIMING, fixed("*"));
    headers.insert(CORP, fixed("cross-origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
}

/// The answer to `OPTIONS`.
pub fn preflight() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    let fixed = |text| HeaderValue::from_static(text);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, fixed("GET, HEAD, OPTIONS"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        fixed(
            "Range, If-Match, If-None-Match, If-Range, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status",
        ),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, fixed("86400"));
    headers.insert(header::ALLOW, fixed("GET, HEAD, OPTIONS"));
    response
}
