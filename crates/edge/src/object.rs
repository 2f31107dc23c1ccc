//! An answer that is held: what is sent of it, and how long it is good.

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use domain::{Micros, PresentationId};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use crate::{freshness::Freshness, key::Key, store::policy::Uses};

/// What an upstream says that is kept and passed on. Anything else it says concerns the connection to it, or nobody.
const KEPT: [HeaderName; 11] = [
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::CACHE_CONTROL,
    header::EXPIRES,
    header::ETAG,
    header::LAST_MODIFIED,
    header::VARY,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    header::DATE,
    TAGS,
];
/// Names under which an upstream wants an answer to be purged. Passed on to the caches in front.
const TAGS: HeaderName = HeaderName::from_static("cache-tag");
/// Most tags of one answer, and the longest.
const MAX_TAGS: usize = 16;
const MAX_TAG: usize = 64;
/// Largest head that is kept.
const MAX_HEAD: usize = 8 << 10;

/// The head of an upstream's answer, cleaned.
#[derive(Debug, Clone)]
pub struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Of the whole body, when the upstream told.
    pub length: Option<u64>,
    pub tags: Box<[Box<str>]>,
}

/// A whole answer that is held.
pub struct Object {
    pub key: Key,
    pub head: Head,
    pub freshness: Freshness,
    pub length: u64,
    pub body: Held,
    pub uses: Uses,
    /// The head of `200` over HTTP/1.1 up to what changes with time, made when it is first needed.
    pub written: OnceLock<Bytes>,
}

/// Where the body is.
#[derive(Debug, Clone)]
pub enum Held {
    Memory(Bytes),
    File(std::sync::Arc<Filed>),
}

/// A body in a file.
#[derive(Debug)]
pub struct Filed {
    /// Unique: a newer body for the same key has another.
    pub name: Box<str>,
    /// What the file takes on disk.
    pub disk_bytes: u64,
    pub crc: u32,
    /// Found after a restart and not read since.
    pub doubtful: AtomicBool,
}

impl Head {
    /// `None` when it is unreasonably large.
    pub fn of(status: StatusCode, told: &HeaderMap, now: Micros) -> Option<Self> {
        let mut headers = HeaderMap::with_capacity(20);
        let mut size = 0;
        for name in KEPT {
            for value in told.get_all(&name) {
                size += value.len() + name.as_str().len();
                headers.append(name.clone(), value.clone());
            }
        }
        // RFC 9110 §6.6.1: who receives an answer without a date gives it one.
        if !headers.contains_key(header::DATE)
            && let Ok(date) = HeaderValue::try_from(http_date(now))
        {
            headers.insert(header::DATE, date);
        }
        let text = |name: &HeaderName| told.get(name).and_then(|value| value.to_str().ok());
        let tags = text(&TAGS).unwrap_or_default().split(',').map(str::trim);
        let tags =
            tags.filter(|tag| (1..=MAX_TAG).contains(&tag.len())).take(MAX_TAGS).map(Box::from).collect();
        let length = text(&header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        api::cors::allow(&mut headers);
        (size <= MAX_HEAD).then_some(Self { status, headers, length, tags })
    }

    pub fn etag(&self) -> Option<&str> {
        self.headers.get(header::ETAG)?.to_str().ok()
    }

    /// This head with what a `304` says anew (RFC 9111 §3.2, §4.3.4).
    pub fn refreshed(&self, newer: &Self) -> Self {
        let mut headers = self.headers.clone();
        for name in [header::CACHE_CONTROL, header::EXPIRES, header::DATE, header::ETAG, header::VARY] {
            if let Some(value) = newer.headers.get(&name) {
                headers.insert(name, value.clone());
            }
        }
        Self { headers, ..self.clone() }
    }
}

impl Object {
    pub fn new(key: Key, head: Head, freshness: Freshness, length: u64, body: Held) -> Self {
        Self { key, head, freshness, length, body, uses: Uses::default(), written: OnceLock::new() }
    }

    /// The same body with another head.
    pub fn with(&self, head: Head, freshness: Freshness) -> Self {
        let (key, body) = (self.key.clone(), self.body.clone());
        Self { uses: self.uses.clone(), ..Self::new(key, head, freshness, self.length, body) }
    }

    pub fn is_about(&self, what: &About) -> bool {
        match what {
            About::Presentation(id) => self.key.presentation == *id,
            About::Tag(tag) => self.head.tags.iter().any(|known| known == tag),
        }
    }
}

impl Filed {
    pub fn is_doubtful(&self) -> bool {
        self.doubtful.load(Ordering::Relaxed)
    }
}

/// What is purged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    Presentation(PresentationId),
    Tag(Box<str>),
}

/// RFC 9110 §5.6.7.
pub fn http_date(now: Micros) -> String {
    let seconds = u64::try_from(now.seconds()).unwrap_or(0);
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}
