//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): a `POST` that is sent again with the same key is
//! answered as it was the first time, and has its effect once.
//!
//! Keys belong to the account that sends them and are kept for a day. Only successes are kept: a request that was refused had
//! no effect and may be sent again. Answers can hold secrets, so they are sealed with the key itself, of which we keep a hash.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use api::{Principal, Problem};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Micros, UserId};
use futures::{StreamExt, future::Either};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::idempotency::{self, Kept};
use tracing::Instrument;

use crate::{App, Error, Result};

const HEADER: &str = "idempotency-key";
/// On answers that were given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key.
const MAX_KEY: usize = 255;
/// How long an answer is kept.
const KEEP: i64 = 24 * 3600 * Micros::SECOND;
/// How long a request keeps its key while it is at work: longer than any handler may take.
const LEASE: i64 = 90 * Micros::SECOND;
/// Largest answer that is kept.
const MAX_ANSWER: usize = 1 << 20;
/// Largest body that is read to compare it with the first one.
const MAX_REPEATED: usize = 64 << 20;

/// A request's key, and what is derived of it.
#[derive(Clone)]
struct Key {
    user: UserId,
    name: String,
    /// What the key is known by in the database.
    sha256: String,
    head_sha256: String,
    holder: String,
}

/// An answer as it is kept.
#[derive(Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Answers repeated `POST` requests of a signed-in caller from memory.
pub async fn remember<N, F>(app: &App, request: Request, next: N) -> Response
where
    N: FnOnce(Request) -> F + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let caller = request.extensions().get::<Principal>().map(|principal| principal.user);
    match caller {
        // Few requests have a key. Aside, so that the others are not as large as those.
        Some(user) if request.method() == Method::POST && request.headers().contains_key(HEADER) => {
            Box::pin(once(app, user, request, next)).await
        }
        _ => next(request).await,
    }
}

/// Does what a request with a key asks, unless it was done before.
async fn once<N, F>(app: &App, user: UserId, request: Request, next: N) -> Response
where
    N: FnOnce(Request) -> F + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let key = match Key::of(user, &request) {
        Ok(key) => key,
        Err(problem) => return problem.into_response(),
    };
    match begin(app, &key).await {
        Err(error) => error.into_response(),
        Ok(Some(kept)) => repeat(&key, kept, request, app.clock.now()).await.into_response(),
        // In a task of its own: the caller may go away, the effect and its answer stay together.
        Ok(None) => match tokio::spawn(first(app.clone(), key, request, next).in_current_span()).await {
            Ok(response) => response,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(failed) => Problem::internal(failed).into_response(),
            },
        },
    }
}

/// Does the work and keeps the answer.
async fn first<N, F>(app: App, key: Key, request: Request, next: N) -> Response
where
    N: FnOnce(Request) -> F + Send + 'static,
    F: Future<Output = Response> + Send + 'static,
{
    let (request, read) = counted(request);
    let response = next(request).await;
    let kept = if response.status().is_success() { split(response).await } else { Either::Right(response) };
    let (response, done) = match kept {
        Either::Left((answer, response)) => {
            let body = read.digest();
            (response, keep(&app, &key, body.as_deref(), &answer).await)
        }
        Either::Right(response) => (response, abandon(&app, &key).await),
    };
    if let Err(error) = done {
        // The effect stands; a repetition within the lease is refused, and later ones would have it again.
        tracing::error!(%error, "the answer to a request with an idempotency key could not be kept");
    }
    response
}

impl Key {
    fn of(user: UserId, request: &Request) -> Result<Self, Problem> {
        let bad = || {
            Problem::bad_request(
                "An Idempotency-Key is one text of 1 to 255 visible characters, such as a UUID in double quotes.",
            )
        };
        let mut values = request.headers().get_all(HEADER).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Err(bad()) };
        let text = value.to_str().map_err(|_| bad())?.trim();
        // The draft says a structured string; many clients send it bare.
        let name = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        if name.is_empty() || name.len() > MAX_KEY || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(bad());
        }
        Ok(Self {
            sha256: hex::encode(derived("id", user, name)),
            head_sha256: head(request),
            holder: uuid::Uuid::now_v7().to_string(),
            name: name.to_owned(),
            user,
        })
    }

    fn row(&self) -> idempotency::Request<'_> {
        idempotency::Request {
            user: self.user,
            key_sha256: &self.sha256,
            head_sha256: &self.head_sha256,
            holder: &self.holder,
        }
    }

    fn cipher(&self) -> Result<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, &derived("seal", self.user, &self.name));
        Ok(LessSafeKey::new(key.map_err(|_| broken())?))
    }
}

fn broken() -> Error {
    Error::Internal("a kept answer could not be sealed or opened".into())
}

/// Independent values of one key: what it is found by, and what its answer is sealed with.
fn derived(purpose: &str, user: UserId, name: &str) -> [u8; 32] {
    Sha256::digest(format!("kinora idempotency {purpose}\0{user}\0{name}")).into()
}

/// What makes two requests the same, but for their bodies.
fn head(request: &Request) -> String {
    let mut hash = Sha256::new();
    hash.update(request.method().as_str());
    hash.update([0]);
    hash.update(request.uri().path_and_query().map_or("", |path| path.as_str()));
    let headers = request.headers();
    for name in ["content-type", "upload-length", "upload-metadata", "upload-concat"] {
        hash.update([0]);
        hash.update(headers.get(name).map_or(&b""[..], HeaderValue::as_bytes));
    }
    hex::encode(hash.finalize())
}

/// The hash of a body that someone else reads.
#[derive(Clone, Default)]
struct Read(Arc<Mutex<(Sha256, bool)>>);

impl Read {
    fn note(&self, bytes: Option<&[u8]>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match bytes {
            Some(bytes) => state.0.update(bytes),
            None => state.1 = true,
        }
    }

    /// `None` unless the body was read to its end.
    fn digest(&self) -> Option<String> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.then(|| hex::encode(state.0.clone().finalize()))
    }
}

/// The request with a body that is hashed while the handler reads it.
fn counted(request: Request) -> (Request, Read) {
    let read = Read::default();
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        read.note(None);
        return (Request::from_parts(parts, body), read);
    }
    let (noting, ending) = (read.clone(), read.clone());
    let chunks = body.into_data_stream().inspect(move |chunk| {
        if let Ok(bytes) = chunk {
            noting.note(Some(bytes));
        }
    });
    let end = futures::stream::poll_fn(move |_| {
        ending.note(None);
        std::task::Poll::Ready(None)
    });
    (Request::from_parts(parts, Body::from_stream(chunks.chain(end))), read)
}

async fn begin(app: &App, key: &Key) -> Result<Option<Kept>> {
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let kept = idempotency::begin(&mut tx, &key.row(), now.plus(LEASE), now).await?;
    tx.commit().await?;
    Ok(kept)
}

async fn keep(app: &App, key: &Key, body_sha256: Option<&str>, answer: &Answer) -> Result<()> {
    let answer = seal(key, answer)?;
    let mut tx = app.store.begin().await?;
    idempotency::finish(&mut tx, &key.row(), body_sha256, &answer, app.clock.now().plus(KEEP)).await?;
    Ok(tx.commit().await?)
}

async fn abandon(app: &App, key: &Key) -> Result<()> {
    let mut tx = app.store.begin().await?;
    idempotency::abandon(&mut tx, &key.row()).await?;
    Ok(tx.commit().await?)
}

/// Answers a request whose key was used before.
async fn repeat(key: &Key, kept: Kept, request: Request, now: Micros) -> Result<Response> {
    let reused = || {
        Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request. Give each request a key of its own.",
        )
    };
    if kept.head_sha256 != key.head_sha256 {
        return Err(reused().into());
    }
    let Some(answer) = kept.answer else {
        let wait = Duration::from_micros(kept.lease_until.0.saturating_sub(now.0).clamp(1, 5_000_000) as u64);
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "idempotency_key_in_use",
            "The first request with this Idempotency-Key is still at work. Try again shortly.",
        )
        .after(wait)
        .into());
    };
    let body = api::body::whole(request.into_body(), MAX_REPEATED).await?;
    if kept.body_sha256.is_some_and(|first| first != hex::encode(Sha256::digest(&body))) {
        return Err(reused().into());
    }
    let mut response = open(key, &answer)?.into_response()?;
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// The answer to be kept and the same answer to be sent; only the latter where it cannot be repeated.
async fn split(response: Response) -> Either<(Answer, Response), Response> {
    let size = response.body().size_hint().exact();
    let is_new_session = response.headers().contains_key(header::SET_COOKIE);
    if is_new_session || size.is_none_or(|size| size > MAX_ANSWER as u64) {
        return Either::Right(response);
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, MAX_ANSWER).await else {
        return Either::Right(Problem::internal("an answer broke off").into_response());
    };
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let answer = Answer {
        status: parts.status.as_u16(),
        headers: parts
            .headers
            .iter()
            .filter(|(name, _)| *name != header::CONTENT_LENGTH)
            .filter_map(text)
            .collect(),
        body: STANDARD.encode(&bytes),
    };
    Either::Left((answer, Response::from_parts(parts, Body::from(bytes))))
}

impl Answer {
    fn into_response(self) -> Result<Response> {
        let body = STANDARD.decode(&self.body).map_err(|_| broken())?;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = StatusCode::from_u16(self.status).map_err(|_| broken())?;
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.append(name, value);
            }
        }
        *response.headers_mut() = headers;
        Ok(response)
    }
}

fn seal(key: &Key, answer: &Answer) -> Result<String> {
    let nonce = rand::random::<[u8; NONCE_LEN]>();
    let mut bytes = serde_json::to_vec(answer).map_err(|_| broken())?;
    let aad = Aad::from(key.head_sha256.as_bytes());
    key.cipher()?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes)
        .map_err(|_| broken())?;
    Ok(STANDARD.encode([&nonce[..], &bytes].concat()))
}

fn open(key: &Key, sealed: &str) -> Result<Answer> {
    let mut bytes = STANDARD.decode(sealed).map_err(|_| broken())?;
    let (nonce, bytes) = bytes.split_at_mut_checked(NONCE_LEN).ok_or_else(broken)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
    let aad = Aad::from(key.head_sha256.as_bytes());
    let plain = key.cipher()?.open_in_place(nonce, aad, bytes).map_err(|_| broken())?;
    serde_json::from_slice(plain).map_err(|_| broken())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(key: &str, path: &str) -> Request {
        Request::post(path).header(HEADER, key).body(Body::from("{}")).unwrap()
    }

    #[test]
    fn keys_are_quoted_or_bare_and_never_kept() {
        let user = UserId::new();
        let quoted = Key::of(user, &request("\"a-1\"", "/x")).unwrap();
        let bare = Key::of(user, &request("a-1", "/x")).unwrap();
        assert_eq!(quoted.sha256, bare.sha256);
        assert_ne!(Key::of(UserId::new(), &request("a-1", "/x")).unwrap().sha256, bare.sha256);
        assert_ne!(Key::of(user, &request("a-1", "/y")).unwrap().head_sha256, bare.head_sha256);
        for bad in ["", "\"\"", "a b", &"x".repeat(256)] {
            assert_eq!(Key::of(user, &request(bad, "/x")).err().unwrap().status(), 400, "{bad}");
        }
    }

    #[test]
    fn an_answer_opens_with_its_own_key_only() {
        let user = UserId::new();
        let key = Key::of(user, &request("a", "/x")).unwrap();
        let answer =
            Answer { status: 201, headers: vec![("etag".into(), "\"r1\"".into())], body: "aGk=".into() };
        let sealed = seal(&key, &answer).unwrap();
        let opened = open(&key, &sealed).unwrap().into_response().unwrap();
        assert_eq!(
            (opened.status().as_u16(), &opened.headers()["etag"]),
            (201, &HeaderValue::from_static("\"r1\""))
        );
        let other = Key::of(user, &request("b", "/x")).unwrap();
        assert!(open(&other, &sealed).is_err());
        assert!(open(&key, "AAAA").is_err());
    }

    #[tokio::test]
    async fn a_body_is_hashed_once_it_was_read_to_its_end() {
        let (request, read) = counted(request("a", "/x"));
        assert_eq!(read.digest(), None);
        assert_eq!(api::body::whole(request.into_body(), 10).await.unwrap(), "{}");
        assert_eq!(read.digest(), Some(hex::encode(Sha256::digest("{}"))));
    }
}
