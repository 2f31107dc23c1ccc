//! Asking for a file, from the beginning or from where we stand.

use backends::{
    blob,
    outbound::{self, Answer, HeaderMap, HeaderValue, header},
};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};

use super::{Imports, link::Link};

/// Why a fetch broke off.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{words} ({detail})")]
pub struct Trouble {
    /// Might another try succeed?
    pub passing: bool,
    /// For the creator.
    pub words: String,
    /// For operators.
    pub detail: String,
}

impl Trouble {
    pub fn passing(words: impl Into<String>, detail: impl ToString) -> Self {
        Self { passing: true, words: words.into(), detail: detail.to_string() }
    }

    pub fn lasting(words: impl Into<String>, detail: impl ToString) -> Self {
        Self { passing: false, words: words.into(), detail: detail.to_string() }
    }
}

/// What a server tells of a file.
#[derive(Debug, Clone)]
pub struct Told {
    /// Bytes of the whole file.
    pub length: u64,
    /// What tells whether it is still the same file; empty when nothing does.
    pub validator: String,
    pub content_type: String,
}

/// A file that is being sent to us.
pub struct Opened {
    pub told: Told,
    /// Where the body begins.
    pub start: u64,
    pub body: BoxStream<'static, Result<Bytes, Trouble>>,
}

impl Imports {
    /// Asks for the file from `offset` on, provided that it is still the one with `validator`; else from its beginning.
    pub(super) async fn open(&self, link: &Link, offset: u64, validator: &str) -> Result<Opened, Trouble> {
        match link {
            Link::Web(url) => {
                let headers = question(offset, validator);
                let answer = self.outbound.get(url, &headers, self.config.max_redirects).await;
                let answer = answer.map_err(broken)?;
                if answer.status == 416 && offset > 0 {
                    // It has become shorter.
                    let headers = question(0, "");
                    let again = self.outbound.get(url, &headers, self.config.max_redirects).await;
                    return read(again.map_err(broken)?, 0);
                }
                read(answer, offset)
            }
            Link::Bucket(name, key) => self.open_object(name, key, offset, validator).await,
        }
    }

    async fn open_object(
        &self,
        name: &str,
        key: &str,
        offset: u64,
        validator: &str,
    ) -> Result<Opened, Trouble> {
        let gone = || Trouble::lasting("There is no such bucket to import from any more.", name);
        let bucket = self.buckets.get(name).ok_or_else(gone)?;
        let found = bucket.find(key).await.map_err(from_bucket)?;
        let same = offset > 0 && !validator.is_empty() && validator == found.tag && offset <= found.size;
        let start = if same { offset } else { 0 };
        let body = bucket.read(key, &found.tag, start).await.map_err(from_bucket)?;
        Ok(Opened {
            told: Told { length: found.size, validator: found.tag, content_type: String::new() },
            start,
            body: body.map_err(from_bucket).boxed(),
        })
    }
}

fn question(offset: u64, validator: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
    // A film is compressed already, and a bomb is easily made.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // Also from the beginning: a server that streams without a length tells it in the answer to a range.
    if let Ok(range) = HeaderValue::from_str(&format!("bytes={offset}-")) {
        headers.insert(header::RANGE, range);
    }
    if offset > 0
        && let Ok(validator) = HeaderValue::from_str(validator)
    {
        headers.insert(header::IF_RANGE, validator);
    }
    headers
}

fn read(answer: Answer, offset: u64) -> Result<Opened, Trouble> {
    let text = |name: header::HeaderName| {
        answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim).unwrap_or_default()
    };
    let status = answer.status;
    let (start, length) = match status.as_u16() {
        200 => (0, text(header::CONTENT_LENGTH).parse::<u64>().ok()),
        206 => {
            let range = content_range(text(header::CONTENT_RANGE));
            let lies = || {
                Trouble::lasting(
                    "That server answers with another part of the file than was asked for.",
                    "Content-Range",
                )
            };
            let (start, length) =
                range.filter(|(start, _)| *start == offset || *start == 0).ok_or_else(lies)?;
            (start, Some(length))
        }
        401 | 403 => {
            return Err(Trouble::lasting(
                "That server does not let us fetch this file. Is the link public, or did it expire?",
                status,
            ));
        }
        404 | 410 => return Err(Trouble::lasting("There is no file at this link.", status)),
        408 | 425 | 429 | 500.. => {
            return Err(Trouble::passing("That server cannot give the file at the moment.", status));
        }
        _ => return Err(Trouble::lasting("That server does not give the file.", status)),
    };
    if !matches!(text(header::CONTENT_ENCODING), "" | "identity") {
        return Err(Trouble::lasting(
            "That server sends the file compressed, which was not asked for.",
            "Content-Encoding",
        ));
    }
    let length = length.ok_or_else(|| {
        Trouble::lasting("That server does not tell how large the file is, so it cannot be imported. Download it and upload it instead.", "no length")
    })?;
    // A weak tag cannot vouch for bytes (RFC 9110 §13.1.5).
    let tag = Some(text(header::ETAG)).filter(|tag| tag.starts_with('"'));
    let validator = tag.unwrap_or_else(|| text(header::LAST_MODIFIED)).to_owned();
    let content_type = text(header::CONTENT_TYPE).to_ascii_lowercase();
    let told = Told { length, validator, content_type };
    Ok(Opened { told, start, body: answer.body.map_err(broken).boxed() })
}

/// `bytes START-END/LENGTH` (RFC 9110 §14.4).
fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, end) = range.split_once('-')?;
    let (start, end, length): (u64, u64, u64) =
        (start.parse().ok()?, end.parse().ok()?, length.parse().ok()?);
    (start <= end && end < length).then_some((start, length))
}

fn broken(error: outbound::Error) -> Trouble {
    match &error {
        outbound::Error::Refused(_) => {
            Trouble::lasting(format!("This link cannot be imported: {error}."), "refused")
        }
        outbound::Error::Unknown => {
            Trouble::passing("There is no server of that name, or it cannot be found at the moment.", error)
        }
        outbound::Error::Redirects => {
            Trouble::lasting("This link redirects too often, or to nowhere.", error)
        }
        outbound::Error::Network(_) => Trouble::passing("The connection to that server broke.", error),
    }
}

fn from_bucket(error: blob::Error) -> Trouble {
    match &error {
        blob::Error::NotFound(_) => Trouble::lasting("There is no such file in the bucket.", error),
        error if error.is_transient() => Trouble::passing("The bucket does not answer.", error),
        blob::Error::Exists(_) => {
            Trouble::passing("The file in the bucket changed while it was fetched.", error)
        }
        _ => Trouble::lasting("The bucket does not give the file.", error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_strictly() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, 10)));
        for bad in
            ["", "bytes */10", "bytes 5-9/*", "bytes 9-5/10", "bytes 0-10/10", "items 0-1/2", "bytes 0-/2"]
        {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }
}
