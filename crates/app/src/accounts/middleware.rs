//! Who a request belongs to: session cookie or bearer token; and the rule against cross-site requests.

use api::{Principal, Problem, Via, cookie};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, header, uri::Authority},
    response::{IntoResponse, Response},
};
use domain::{Micros, Scope};
use store::tokens::{self, Bearer, Kind};

use super::{routes::session_cookie, secret};
use crate::{App, Result};

/// Name of the session cookie.
pub(super) const COOKIE: &str = "kinora_session";
/// A use is noted at most this often, so that reading does not mean writing.
const TOUCH_EVERY: i64 = 10 * Micros::MINUTE;

/// Fills in the [`Principal`]. A bearer token that is no good is refused at once; a session that is no good counts as none.
pub async fn authenticate<F: Future<Output = Response>>(
    app: &App,
    mut request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let https = request.extensions().get::<api::Client>().is_some_and(|client| client.https);
    match identify(app, request.method(), request.headers(), https).await {
        Ok((principal, renewed)) => {
            if let Some(principal) = principal {
                request.extensions_mut().insert(principal);
            }
            let mut response = next(request).await;
            if let Some(cookie) = renewed
                && !response.headers().contains_key(header::SET_COOKIE)
            {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) => error.into_response(),
    }
}

/// May the bearer of this request read the metrics? For the metrics page, which needs the scope `admin`.
pub async fn metrics_principal(app: &App, headers: &HeaderMap) -> Result<()> {
    let secret = bearer(headers).ok_or_else(Problem::unauthorized)?;
    let principal = by_api_token(app, secret).await?;
    Ok(principal.require_role(domain::Role::Admin)?)
}

async fn identify(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    https: bool,
) -> Result<(Option<Principal>, Option<HeaderValue>)> {
    if headers.contains_key(header::AUTHORIZATION) {
        let secret = bearer(headers).ok_or_else(Problem::unauthorized)?;
        return Ok((Some(Box::pin(by_api_token(app, secret)).await?), None));
    }
    let secret = cookie::get(headers, COOKIE).filter(|secret| secret::is_plausible(secret));
    if !is_safe(method) && !is_same_origin(headers, secret.is_some()) {
        return Err(Problem::forbidden("Requests from other sites are not accepted here.").into());
    }
    let Some(secret) = secret else { return Ok((None, None)) };
    Box::pin(by_session(app, secret, https)).await
}

async fn by_session(
    app: &App,
    secret: &str,
    https: bool,
) -> Result<(Option<Principal>, Option<HeaderValue>)> {
    let now = app.clock.now();
    let found =
        tokens::good(&mut app.store.reader().await?, Kind::Session, &secret::hash(secret), now).await?;
    let Some(found) = found else { return Ok((None, None)) };
    let mut renewed = None;
    if now.0 - found.token.last_used_at.0 >= TOUCH_EVERY {
        let expires_at = app.session_end(now);
        touch(app, &found, expires_at, now).await;
        renewed = Some(session_cookie(secret, expires_at.0.saturating_sub(now.0) / Micros::SECOND, https));
    }
    let Bearer { token, role } = found;
    let principal = Principal { user: token.user_id, role, scopes: None, token: token.id, via: Via::Cookie };
    Ok((Some(principal), renewed))
}

async fn by_api_token(app: &App, secret: &str) -> Result<Principal> {
    if !secret::is_plausible(secret) {
        return Err(Problem::unauthorized().into());
    }
    let now = app.clock.now();
    let found = tokens::good(&mut app.store.reader().await?, Kind::Api, &secret::hash(secret), now).await?;
    let found = found.ok_or_else(Problem::unauthorized)?;
    if now.0 - found.token.last_used_at.0 >= TOUCH_EVERY {
        touch(app, &found, found.token.expires_at, now).await;
    }
    let Bearer { token, role } = found;
    let scopes: Vec<Scope> = token.scopes.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    Ok(Principal { user: token.user_id, role, scopes: Some(scopes), token: token.id, via: Via::Bearer })
}

/// Notes the use. That this fails (a read-only moment of the database) is no reason to turn anyone away.
async fn touch(app: &App, found: &Bearer, expires_at: Micros, now: Micros) {
    let done = async {
        let mut tx = app.store.begin().await?;
        tokens::touch(&mut tx, found.token.id, expires_at, now).await?;
        tx.commit().await
    };
    if let Err(error) = done.await {
        tracing::warn!(%error, "the use of a token could not be noted");
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, secret) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Does the request come from one of our own pages? Told by `Sec-Fetch-Site`, or by `Origin` where a browser does not send
/// it. Without either no browser page is behind it, which is fine only when it carries no cookie.
fn is_same_origin(headers: &HeaderMap, has_cookie: bool) -> bool {
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return !has_cookie };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let origin =
        origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    match (origin.map(str::parse::<Authority>), host.map(str::parse::<Authority>)) {
        (Some(Ok(origin)), Some(Ok(host))) => origin == host,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_our_own_pages_may_use_the_cookie() {
        let same = |pairs: &[(&'static str, &str)]| is_same_origin(&headers(pairs), true);
        assert!(same(&[("sec-fetch-site", "same-origin")]));
        assert!(same(&[("sec-fetch-site", "none")]));
        assert!(!same(&[("sec-fetch-site", "same-site")]));
        assert!(!same(&[("sec-fetch-site", "cross-site"), ("origin", "http://a:1"), ("host", "a:1")]));
        assert!(same(&[("origin", "http://a:1"), ("host", "a:1")]));
        assert!(!same(&[("origin", "http://a:2"), ("host", "a:1")]));
        assert!(!same(&[("origin", "null"), ("host", "a:1")]));
        assert!(!same(&[("origin", "http://evil.example")]));
        assert!(!same(&[]));
        assert!(is_same_origin(&HeaderMap::new(), false));
        assert!(!is_same_origin(&headers(&[("sec-fetch-site", "cross-site")]), false));
    }
}
