//! `/media/…`: who may, then what.

use std::time::{Duration, Instant};

use api::{
    Problem, Time,
    conditional::{self, Wanted},
    cors, digest,
};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::any,
};
use backends::blob;
use bytes::Bytes;
use domain::{Micros, PresentationId, playback_token::Claims};
use media::{iframe, rebase::rebase, resource::Resource, selection::Selection};

use crate::{
    Origin, body,
    path::MediaPath,
    presentation::{LoadError, Located, Presentation},
};

const FOREVER: &str = "public, max-age=31536000, immutable";
const GROWING: &str = "public, max-age=1";
const COMPLETE: &str = "public, max-age=60";
const TAGS: HeaderName = HeaderName::from_static("cache-tag");
/// What is missing may come: caches in front may spare us its seekers for a moment.
const MISSING: &str = "public, max-age=1";

pub fn router(origin: Origin) -> Router {
    Router::new().route("/media/{*path}", any(handle)).with_state(origin)
}

async fn handle(State(origin): State<Origin>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let began = Instant::now();
    let path = MediaPath::parse(uri.path());
    let kind = path.as_ref().map_or("other", |p| p.resource.kind());
    let mut response = match (&method, path) {
        (&Method::OPTIONS, _) => cors::preflight(),
        (&Method::GET | &Method::HEAD, Some(path)) => {
            let mut response =
                origin.answer(path, uri.query(), &headers).await.unwrap_or_else(IntoResponse::into_response);
            if response.status() == StatusCode::NOT_FOUND {
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(MISSING));
            }
            tag(&mut response, path.presentation, kind);
            response
        }
        (&Method::GET | &Method::HEAD, None) => Problem::not_found().into_response(),
        _ => not_allowed(),
    };
    cors::allow(response.headers_mut());
    measure(kind, &response, began.elapsed());
    response
}

/// By what caches in front may be told to forget it: its presentation, and its kind.
fn tag(response: &mut Response, presentation: PresentationId, kind: &str) {
    if let Ok(tags) = HeaderValue::try_from(format!("{presentation},{kind}")) {
        response.headers_mut().insert(TAGS, tags);
    }
}

fn not_allowed() -> Response {
    let words = "Media can only be read: use GET or HEAD.";
    let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", words);
    let mut response = problem.into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    response
}

fn measure(kind: &'static str, response: &Response, took: Duration) {
    let status = response.status().as_u16().to_string();
    let length = response.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    metrics::counter!("kinora_origin_requests_total", "kind" => kind, "status" => status).increment(1);
    metrics::counter!("kinora_origin_bytes_total", "kind" => kind).increment(length.unwrap_or(0));
    metrics::histogram!("kinora_origin_seconds", "kind" => kind).record(took.as_secs_f64());
}

impl Origin {
    async fn answer(
        &self,
        path: MediaPath<'_>,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let claims = self.authorise(&path).await?;
        if path.resource == Resource::Clock {
            return Ok(clock(self.0.clock.now()));
        }
        let id = path.presentation;
        let live = self.0.live.as_ref().map(|live| (live, path.asked(query, claims.max_height)));
        if let Some((live, asked)) = &live
            && let Some(answer) = live.here(asked.clone(), headers.clone()).await
        {
            return Ok(answer);
        }
        let mut presentation = self.0.presentations.get(id).await.map_err(refuse)?;
        if let Some((live, asked)) = live.filter(|_| !presentation.descriptor.complete)
            && let Some(answer) = live.elsewhere(asked, headers.clone()).await
        {
            return Ok(answer);
        }
        if !has(&presentation, path.resource) {
            presentation = self.0.presentations.get_newer(id, &presentation).await.map_err(refuse)?;
        }
        self.permit(&presentation, path.resource, &claims)?;
        match path.resource {
            Resource::Init(track) => {
                let bytes = presentation.init(track).ok_or_else(Problem::not_found)?;
                Ok(whole(headers, content_type(&presentation, track), &bytes))
            }
            // What of an event came part by part is whole by now.
            Resource::Segment(track, n) | Resource::Chunks(track, n) => {
                self.segment(&presentation, track, n, headers).await
            }
            Resource::Iframe(track, n) => self.picture(&presentation, track, n, headers).await,
            // Only events have parts, and only while they go on.
            Resource::Part(..) => Err(Problem::not_found()),
            Resource::Sheet(n) => {
                let (object, size) = presentation.sheet(n).ok_or_else(Problem::not_found)?;
                self.object(headers, "image/jpeg", object, 0, size).await
            }
            resource => {
                let made = self.0.manifests.get(id, &presentation, resource, claims.max_height).await;
                let made = made.ok_or_else(Problem::not_found)?;
                let cache = if presentation.descriptor.complete { COMPLETE } else { GROWING };
                Ok(made.answer(headers, cache))
            }
        }
    }

    /// The claims of a token that is good for this.
    async fn authorise(&self, path: &MediaPath<'_>) -> Result<Claims, Problem> {
        let now = self.0.clock.now();
        let claims = match self.0.tokens.get(path.token).await {
            Some(claims) => claims,
            None => {
                let claims = self.0.keys.check(path.token, now).await.map_err(Problem::unavailable)??;
                self.0.tokens.insert(path.token.to_owned(), claims.clone()).await;
                claims
            }
        };
        claims.permit(path.presentation, now)?;
        Ok(claims)
    }

    /// A rung above the token's cap is refused, not only hidden.
    fn permit(
        &self,
        presentation: &Presentation,
        resource: Resource<'_>,
        claims: &Claims,
    ) -> Result<(), Problem> {
        let Some(track) = resource.track() else { return Ok(()) };
        let descriptor = &presentation.descriptor;
        let known = descriptor.tracks.iter().find(|t| t.id == track).ok_or_else(Problem::not_found)?;
        let selection = Selection { cap: claims.max_height, ..Selection::ALL };
        if !selection.permits(descriptor, known) {
            let words = "This token does not cover this picture size.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "rung_not_allowed", words));
        }
        Ok(())
    }

    async fn segment(
        &self,
        presentation: &Presentation,
        track: &str,
        n: u32,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let place = presentation.segment(track, n).ok_or_else(Problem::not_found)?;
        let kind = content_type(presentation, track);
        if place.shift != 0 {
            return self.moved(headers, kind, &place, n).await;
        }
        self.object(headers, kind, place.object, place.offset, place.bytes.into()).await
    }

    /// A stored segment at another place on the time line: only its `moof` is not as it is stored.
    async fn moved(
        &self,
        headers: &HeaderMap,
        kind: &'static str,
        place: &Located<'_>,
        n: u32,
    ) -> Result<Response, Problem> {
        let size = u64::from(place.bytes);
        let tag = identity(place, &format!("moved {n}"));
        let range = match prepare(headers, &tag, size) {
            Ok(range) => range,
            Err(response) => return Ok(*response),
        };
        let (start, moof) = self.start(place, n).await?;
        let head = start.slice(range.start.min(moof) as usize..range.end.min(moof) as usize);
        let rest = place.offset + range.start.max(moof)..place.offset + range.end.max(moof);
        let body = body::of_object(&self.0.blobs, place.object, rest, Some(head)).await.map_err(broken)?;
        Ok(part(body, kind, &tag, range, size))
    }

    /// The beginning of a segment with its whole `moof`, moved to its place, and the size of that.
    async fn start(&self, place: &Located<'_>, n: u32) -> Result<(Bytes, u64), Problem> {
        let size = u64::from(place.bytes);
        let read =
            |bytes: u64| self.0.blobs.range(place.object, place.offset..place.offset + bytes.min(size));
        let mut start = read(FIRST_READ).await.map_err(broken)?;
        let moof = iframe::moof_size(&start).map_err(Problem::internal)?.unwrap_or(0);
        if moof > start.len() {
            start = read(moof as u64).await.map_err(broken)?;
        }
        if place.shift != 0 {
            let mut bytes = start.to_vec();
            let own = bytes.get_mut(..moof).ok_or_else(|| Problem::internal("a segment lacks its moof"))?;
            rebase(own, place.shift, n.saturating_add(1)).map_err(Problem::internal)?;
            start = bytes.into();
        }
        Ok((start, moof as u64))
    }

    async fn picture(
        &self,
        presentation: &Presentation,
        track: &str,
        n: u32,
        headers: &HeaderMap,
    ) -> Result<Response, Problem> {
        let (place, k) = presentation.picture(track, n).ok_or_else(Problem::not_found)?;
        let (start, _) = self.start(&place, n).await?;
        let found = iframe::locate(&start, k, n.saturating_add(1)).map_err(Problem::internal)?;
        let length = found.head.len() as u64 + found.range.end.saturating_sub(found.range.start);
        let tag = identity(&place, &format!("picture {k} {n}"));
        if conditional::not_modified(headers, &tag) {
            return Ok(unchanged(&tag, FOREVER));
        }
        let range = place.offset + found.range.start..place.offset + found.range.end;
        let body = body::of_object(&self.0.blobs, place.object, range, Some(found.head.into()));
        let body = body.await.map_err(broken)?;
        let mut response = Response::new(body);
        describe(&mut response, "video/mp4", FOREVER, &tag, length);
        Ok(response)
    }

    /// A part of a stored object, which never changes.
    async fn object(
        &self,
        headers: &HeaderMap,
        content_type: &'static str,
        object: &str,
        offset: u64,
        size: u64,
    ) -> Result<Response, Problem> {
        let place = Located { object, offset, bytes: u32::try_from(size).unwrap_or(u32::MAX), shift: 0 };
        let tag = identity(&place, "");
        let range = match prepare(headers, &tag, size) {
            Ok(range) => range,
            Err(response) => return Ok(*response),
        };
        let bytes = offset + range.start..offset + range.end;
        let body = body::of_object(&self.0.blobs, object, bytes, None).await.map_err(broken)?;
        Ok(part(body, content_type, &tag, range, size))
    }
}

/// Enough for the `moof` of a segment of 4 s at 60 frames a second.
const FIRST_READ: u64 = 8 << 10;

fn has(presentation: &Presentation, resource: Resource<'_>) -> bool {
    match resource {
        Resource::Segment(track, n) | Resource::Chunks(track, n) => presentation.segment(track, n).is_some(),
        Resource::Part(..) => false,
        Resource::Iframe(track, n) => presentation.picture(track, n).is_some(),
        Resource::Init(track) | Resource::Playlist(track) | Resource::IframePlaylist(track) => {
            presentation.init(track).is_some()
        }
        Resource::Sheet(n) => presentation.sheet(n).is_some(),
        Resource::StoryboardCues | Resource::StoryboardPlaylist => {
            presentation.descriptor.storyboard.is_some()
        }
        Resource::Multivariant | Resource::Mpd | Resource::LowMpd | Resource::Clock => true,
    }
}

/// What time it is (ISO/IEC 23009-1 §5.8.5.7): for this one who asks, now.
fn clock(now: Micros) -> Response {
    let mut response = Time(now).to_string().into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn content_type(presentation: &Presentation, track: &str) -> &'static str {
    let video = presentation.descriptor.tracks.iter().any(|t| t.id == track && t.is_video());
    if video { "video/mp4" } else { "audio/mp4" }
}

/// Bytes in memory that never change.
fn whole(headers: &HeaderMap, content_type: &'static str, bytes: &Bytes) -> Response {
    let tag = format!("\"{}\"", digest(&[bytes]));
    match prepare(headers, &tag, bytes.len() as u64) {
        Ok(range) => {
            let body = bytes.slice(range.start as usize..range.end as usize);
            part(Body::from(body), content_type, &tag, range, bytes.len() as u64)
        }
        Err(response) => *response,
    }
}

/// The range to send, or the answer that needs none.
fn prepare(headers: &HeaderMap, tag: &str, size: u64) -> Result<std::ops::Range<u64>, Box<Response>> {
    if conditional::not_modified(headers, tag) {
        return Err(Box::new(unchanged(tag, FOREVER)));
    }
    match conditional::wanted(headers, tag, size) {
        Wanted::Whole => Ok(0..size),
        Wanted::Part(range) => Ok(range),
        Wanted::Unsatisfiable => {
            let words = format!("There are only {size} bytes.");
            let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", words);
            let mut response = problem.into_response();
            set(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{size}"));
            Err(Box::new(response))
        }
    }
}

fn part(
    body: Body,
    content_type: &'static str,
    tag: &str,
    range: std::ops::Range<u64>,
    size: u64,
) -> Response {
    let mut response = Response::new(body);
    describe(&mut response, content_type, FOREVER, tag, range.end - range.start);
    response.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if range != (0..size) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let text = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
        set(response.headers_mut(), header::CONTENT_RANGE, &text);
    }
    response
}

fn unchanged(tag: &str, cache: &'static str) -> Response {
    let mut response = StatusCode::NOT_MODIFIED.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    set(response.headers_mut(), header::ETAG, tag);
    response
}

fn describe(
    response: &mut Response,
    content_type: &'static str,
    cache: &'static str,
    tag: &str,
    length: u64,
) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    set(headers, header::ETAG, tag);
}

fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Stored objects never change, so that their place says what they are.
fn identity(place: &Located<'_>, part: &str) -> String {
    let at = format!("{}+{}>{}#{part}", place.offset, place.bytes, place.shift);
    format!("\"{}\"", digest(&[place.object.as_bytes(), b"\n", at.as_bytes()]))
}

fn refuse(error: LoadError) -> Problem {
    match error {
        LoadError::Missing => Problem::not_found(),
        LoadError::Unreadable => Problem::internal(error),
        LoadError::Blob(error) => broken(error),
    }
}

/// An object that a descriptor lists is missing, or the store fails.
fn broken(error: blob::Error) -> Problem {
    match error {
        error if error.is_transient() => Problem::unavailable(error),
        // Purged meanwhile.
        blob::Error::NotFound(_) => Problem::not_found(),
        error => Problem::internal(error),
    }
}
