//! What a client is answered: the same for every way in which it is sent.

use std::{fs::File, ops::Range, sync::Arc};

use api::{
    Problem,
    conditional::{self, Wanted},
    cors,
};
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::Micros;
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::{
    flight::Reader,
    object::{Head, Object, http_date},
    read::read_at,
};

const STATUS: HeaderName = HeaderName::from_static("cache-status");
/// Most bytes that are read of a file at once.
const PIECE: u64 = 256 << 10;

/// How an answer came about, for `Cache-Status` (RFC 9211) and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Hit,
    /// Held and not fresh, but good enough for now.
    Stale,
    /// Held, and the upstream said that it is still the present one.
    Revalidated,
    Miss,
    /// A miss that another request was asking for already.
    Coalesced,
    /// A held "there is nothing".
    Negative,
    Refused,
    Failed,
}

pub struct Reply {
    pub status: StatusCode,
    /// With the length of the body when it is known.
    pub headers: HeaderMap,
    pub payload: Payload,
}

pub enum Payload {
    Nothing,
    Memory(Bytes),
    File(Arc<File>, Range<u64>),
    /// Arrives still.
    Flight(Reader),
}

/// A held body, ready to be sent.
pub enum Ready {
    Memory(Bytes),
    File(Arc<File>),
}

impl How {
    pub const ALL: [Self; 8] = [
        Self::Hit,
        Self::Stale,
        Self::Revalidated,
        Self::Miss,
        Self::Coalesced,
        Self::Negative,
        Self::Refused,
        Self::Failed,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Revalidated => "expired",
            Self::Miss => "miss",
            Self::Coalesced => "coalesced",
            Self::Negative => "negative",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// What `Cache-Status` says of it after the cache's name.
    fn parameters(self) -> &'static str {
        match self {
            Self::Hit | Self::Negative => "hit",
            Self::Stale => "hit; detail=stale",
            Self::Revalidated => "fwd=stale; fwd-status=304",
            Self::Miss => "fwd=uri-miss",
            Self::Coalesced => "fwd=uri-miss; collapsed",
            Self::Refused | Self::Failed => "detail=refused",
        }
    }
}

/// The values of `Cache-Status` of one edge.
pub struct Statuses([HeaderValue; How::ALL.len()]);

impl Statuses {
    /// `name` is a token (RFC 8941 §3.3.4).
    pub fn new(name: &str) -> Self {
        let value = |how: How| HeaderValue::try_from(format!("{name}; {}", how.parameters()));
        Self(How::ALL.map(|how| value(how).unwrap_or(HeaderValue::from_static("kinora"))))
    }

    pub fn of(&self, how: How) -> &HeaderValue {
        &self.0[how as usize]
    }
}

impl Reply {
    /// Of something held.
    pub fn held(object: &Object, ready: Ready, asked: &HeaderMap, now: Micros) -> Self {
        let age = Some(object.freshness.age_s(now));
        let payload = |range: Range<u64>| match &ready {
            Ready::Memory(bytes) => Payload::Memory(bytes.slice(range.start as usize..range.end as usize)),
            Ready::File(file) => Payload::File(file.clone(), range),
        };
        Self::choose(&object.head, Some(object.length), asked, age, payload)
    }

    /// Of something that arrives.
    pub fn flight(head: &Head, mut reader: Reader, asked: &HeaderMap) -> Self {
        let payload = |range: Range<u64>| {
            if range.end != u64::MAX {
                reader.limit(range);
            }
            Payload::Flight(reader)
        };
        Self::choose(head, head.length, asked, None, payload)
    }

    fn choose(
        head: &Head,
        length: Option<u64>,
        asked: &HeaderMap,
        age: Option<u64>,
        payload: impl FnOnce(Range<u64>) -> Payload,
    ) -> Self {
        let tag = head.etag().unwrap_or_default();
        let good = head.status == StatusCode::OK;
        if good && !tag.is_empty() && conditional::not_modified(asked, tag) {
            return Self::unchanged(head, age);
        }
        let all = 0..length.unwrap_or(u64::MAX);
        let wanted = match length {
            Some(length) if good => conditional::wanted(asked, tag, length),
            // Nothing can be told of a part before the whole is known.
            _ => Wanted::Whole,
        };
        let mut headers = head.headers.clone();
        let (status, range) = match wanted {
            Wanted::Whole => (head.status, all.clone()),
            Wanted::Part(range) if range == all => (head.status, range),
            Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
            Wanted::Unsatisfiable => return Self::unsatisfiable(all.end),
        };
        if length.is_some() {
            headers.append(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        }
        if good {
            headers.append(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        }
        if status == StatusCode::PARTIAL_CONTENT {
            let text = format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), all.end);
            put(&mut headers, header::CONTENT_RANGE, text);
        }
        tell_age(&mut headers, age);
        Self { status, headers, payload: payload(range) }
    }

    /// RFC 9110 §15.4.5.
    fn unchanged(head: &Head, age: Option<u64>) -> Self {
        const DROPPED: [HeaderName; 3] =
            [header::CONTENT_TYPE, header::CONTENT_ENCODING, header::LAST_MODIFIED];
        let mut headers = HeaderMap::with_capacity(16);
        for (name, value) in head.headers.iter().filter(|(name, _)| !DROPPED.contains(name)) {
            headers.append(name.clone(), value.clone());
        }
        tell_age(&mut headers, age);
        Self { status: StatusCode::NOT_MODIFIED, headers, payload: Payload::Nothing }
    }

    fn unsatisfiable(size: u64) -> Self {
        let words = format!("There are only {size} bytes.");
        let problem = Problem::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", words);
        let mut reply = Self::problem(problem);
        put(&mut reply.headers, header::CONTENT_RANGE, format!("bytes */{size}"));
        reply
    }

    /// Made here, not upstream.
    pub fn problem(problem: Problem) -> Self {
        let status = problem.status();
        let body = serde_json::to_vec(&problem.body()).unwrap_or_default();
        let mut headers = std::mem::take(problem.into_response().headers_mut());
        headers.remove(header::CONTENT_LENGTH);
        headers.append(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        cors::allow(&mut headers);
        Self { status, headers, payload: Payload::Memory(body.into()) }
    }

    /// Everything but what goes with the head of an answer to `HEAD`.
    #[must_use]
    pub fn for_method(mut self, head_only: bool) -> Self {
        if head_only {
            self.payload = Payload::Nothing;
        }
        self
    }

    /// With the date, if it has none, and how it came about.
    pub fn signed(mut self, now: Micros, status: &HeaderValue) -> Self {
        if !self.headers.contains_key(header::DATE) {
            put(&mut self.headers, header::DATE, http_date(now));
        }
        self.headers.append(STATUS, status.clone());
        self
    }

    /// Bytes of the body, if that is known.
    pub fn length(&self) -> Option<u64> {
        match &self.payload {
            Payload::Nothing => Some(0),
            Payload::Memory(bytes) => Some(bytes.len() as u64),
            Payload::File(_, range) => Some(range.end - range.start),
            Payload::Flight(_) => self.headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok(),
        }
    }
}

fn tell_age(headers: &mut HeaderMap, age: Option<u64>) {
    if let Some(age) = age {
        headers.append(header::AGE, HeaderValue::from(age));
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

impl Payload {
    /// The next piece of the body; `None` at its end.
    pub async fn next(&mut self) -> Option<std::io::Result<Bytes>> {
        match self {
            Self::Nothing => None,
            Self::Memory(bytes) => {
                let bytes = std::mem::take(bytes);
                (!bytes.is_empty()).then_some(Ok(bytes))
            }
            Self::File(_, range) if range.is_empty() => None,
            Self::File(file, range) => {
                let length = (range.end - range.start).min(PIECE) as usize;
                let read = read_at(file, range.start, length).await;
                let read = read.and_then(|bytes| {
                    let short = bytes.is_empty();
                    if short { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(bytes) }
                });
                if let Ok(bytes) = &read {
                    range.start += bytes.len() as u64;
                }
                Some(read)
            }
            Self::Flight(reader) => Some(reader.next().await?.map_err(std::io::Error::other)),
        }
    }
}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Self {
        let body = match reply.payload {
            Payload::Memory(bytes) if !bytes.is_empty() => Body::from(bytes),
            // Of an empty body others would tell the length, which is not always that of the whole.
            Payload::Nothing | Payload::Memory(_) => {
                Body::from_stream(stream::empty::<std::io::Result<Bytes>>())
            }
            payload => Body::from_stream(stream::unfold(payload, async |mut payload| {
                let piece = payload.next().await?;
                Some((piece, payload))
            })),
        };
        let mut response = Self::new(body);
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        response
    }
}
