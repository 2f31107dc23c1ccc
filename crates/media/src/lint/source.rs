//! The port through which a check sees the world.

use std::{ops::Range, time::Duration};

use bytes::Bytes;

/// Something to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    pub url: String,
    /// Part of it, in bytes.
    pub range: Option<Range<u64>>,
    /// Its size is enough.
    pub size_only: bool,
}

impl Want {
    pub fn whole(url: &str) -> Self {
        Self { url: url.to_owned(), range: None, size_only: false }
    }
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Where it came from, after redirects.
    pub url: String,
    /// HTTP status; 0 where there is no HTTP.
    pub status: u16,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Decoded: without `Content-Encoding`.
    pub body: Bytes,
    /// Size of the representation; of the whole body unless only a size was asked for.
    pub size: Option<u64>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether rules of HTTP apply.
    pub fn is_http(&self) -> bool {
        self.status != 0
    }
}

/// Why something could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It is not there, or refused: a fault of the stream.
    #[error("{0}")]
    Unavailable(String),
    /// A limit of ours: no fault of the stream.
    #[error("{0}")]
    Limit(String),
}

/// Where things are fetched from.
pub trait Source {
    /// One answer for each want, in order.
    fn fetch(&mut self, wants: &[Want]) -> Vec<Result<Answer, Failure>>;

    /// An absolute address of `reference` (RFC 3986 §5); `None` when it is no address.
    fn resolve(&self, base: &str, reference: &str) -> Option<String>;

    /// Lets time go by, for what is live; `false` when there is none left.
    fn pause(&mut self, how_long: Duration) -> bool;
}
