//! A presentation on a web server, fetched within limits.

use std::{io::Read, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream};
use media::lint::{Answer, Failure, Source, Want};
use reqwest::{
    Client, Method,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderName, HeaderValue, RANGE},
    redirect::Policy,
};
use tokio::runtime::Handle;
use url::{Origin, Url};

use super::{Budget, MOST_BYTES};

/// Requests at once.
const PARALLEL: usize = 6;
/// Redirects of one request.
const REDIRECTS: usize = 5;

pub struct Remote {
    http: Client,
    /// Only this origin gets the headers that the user gave.
    home: Origin,
    headers: Vec<(HeaderName, HeaderValue)>,
    budget: Budget,
    handle: Handle,
}

impl Remote {
    pub fn new(
        root: &Url,
        headers: Vec<(HeaderName, HeaderValue)>,
        budget: Budget,
        handle: Handle,
    ) -> Result<Self, String> {
        let (home, secret) = (root.origin(), !headers.is_empty());
        let kept = home.clone();
        let policy = Policy::custom(move |attempt| {
            if attempt.previous().len() > REDIRECTS {
                attempt.error("too many redirects")
            } else if !matches!(attempt.url().scheme(), "http" | "https") {
                attempt.error("redirected to what is not http")
            } else if secret && attempt.url().origin() != kept {
                attempt.error("redirected to another host, which must not get --header")
            } else {
                attempt.follow()
            }
        });
        let http = Client::builder()
            .user_agent(concat!("kinora-check/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(30))
            .redirect(policy)
            .build()
            .map_err(|e| format!("cannot make an HTTP client: {e}"))?;
        Ok(Self { http, home, headers, budget, handle })
    }

    fn request(&self, want: &Want) -> Result<reqwest::RequestBuilder, Failure> {
        let url = Url::parse(&want.url).map_err(|e| Failure::Unavailable(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Failure::Unavailable(format!("{}: addresses are fetched only", url.scheme())));
        }
        let method = if want.size_only { Method::HEAD } else { Method::GET };
        let home = url.origin() == self.home;
        let mut request = self.http.request(method, url);
        if let Some(range) = &want.range {
            let last = range.end.saturating_sub(1);
            request = request.header(RANGE, format!("bytes={}-{last}", range.start));
        } else if !want.size_only {
            request = request.header(ACCEPT_ENCODING, "gzip");
        }
        if home {
            for (name, value) in &self.headers {
                request = request.header(name, value);
            }
        }
        Ok(request)
    }
}

impl Source for Remote {
    fn fetch(&mut self, wants: &[Want]) -> Vec<Result<Answer, Failure>> {
        let mut requests = Vec::with_capacity(wants.len());
        for want in wants {
            let request = self.budget.take().and_then(|()| self.request(want));
            requests.push((request, want.size_only));
        }
        let left = self.budget.until.saturating_duration_since(std::time::Instant::now());
        let answers = stream::iter(requests).map(|(request, size_only)| async move {
            let answer = tokio::time::timeout(left, answer(request?, size_only)).await;
            answer.unwrap_or_else(|_| Err(Failure::Limit("the time is over (--timeout)".into())))
        });
        self.handle.block_on(answers.buffered(PARALLEL).collect())
    }

    fn resolve(&self, base: &str, reference: &str) -> Option<String> {
        let url = Url::parse(base).ok()?.join(reference).ok()?;
        matches!(url.scheme(), "http" | "https").then(|| url.into())
    }

    fn pause(&mut self, how_long: Duration) -> bool {
        self.budget.pause(how_long)
    }
}

async fn answer(request: reqwest::RequestBuilder, size_only: bool) -> Result<Answer, Failure> {
    let response = request.send().await.map_err(|e| Failure::Unavailable(reason(&e)))?;
    let field = |name: HeaderName| response.headers().get(name).and_then(|v| v.to_str().ok());
    let length = field(CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
    let gzip = field(CONTENT_ENCODING).is_some_and(|e| e.eq_ignore_ascii_case("gzip"));
    let mut answer = Answer {
        url: response.url().to_string(),
        status: response.status().as_u16(),
        headers: response
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
            .collect(),
        size: length,
        ..Answer::default()
    };
    if size_only {
        return Ok(answer);
    }
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|e| Failure::Unavailable(reason(&e)))?;
        if (body.len() + chunk.len()) as u64 > MOST_BYTES {
            return Err(Failure::Limit(format!("{} has more than {MOST_BYTES} bytes", answer.url)));
        }
        body.extend_from_slice(&chunk);
    }
    answer.body = if gzip { unpacked(&body)? } else { body.into() };
    answer.size = Some(answer.body.len() as u64);
    Ok(answer)
}

/// Text that came compressed; a few kilobytes may not become gigabytes.
fn unpacked(body: &[u8]) -> Result<Bytes, Failure> {
    let most = 64 << 20;
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(body)
        .take(most + 1)
        .read_to_end(&mut out)
        .map_err(|e| Failure::Unavailable(format!("its gzip cannot be read: {e}")))?;
    if out.len() as u64 > most {
        return Err(Failure::Limit(format!("unpacked it has more than {most} bytes")));
    }
    Ok(out.into())
}

/// The innermost cause, which is what people understand.
fn reason(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
