//! An edge on a directory of its own, an upstream made of a closure, tokens, and a clock moved by hand.

use std::{
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use backends::{
    blob::{Blobs, Config as BlobConfig, names},
    clock::Clock,
};
use bytes::Bytes;
use domain::{
    Micros, PresentationId,
    playback_token::{Claims, Minter},
};
use edge::{Bound, Config, Edge};
use http::{HeaderMap, StatusCode};
use tower::ServiceExt;

pub const START: i64 = 1_750_000_000;

type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;
type Handler = Arc<dyn Fn(Request) -> Answering + Send + Sync>;

/// What the edge asks.
#[derive(Clone)]
pub struct Upstream {
    handler: Arc<Mutex<Handler>>,
    pub asked: Arc<AtomicUsize>,
    /// Address and headers of each question.
    pub seen: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

pub struct World {
    pub dir: tempfile::TempDir,
    pub blobs: Blobs,
    pub clock: Clock,
    pub minter: Minter,
    pub id: PresentationId,
    pub upstream: Upstream,
    pub edge: Edge,
    pub config: Config,
}

pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// `None` when it broke off.
    pub body: Option<Bytes>,
}

impl Upstream {
    pub fn new() -> Self {
        let handler: Handler = Arc::new(|_| Box::pin(async { StatusCode::NOT_FOUND.into_response() }));
        Self { handler: Arc::new(Mutex::new(handler)), asked: Arc::default(), seen: Arc::default() }
    }

    /// From now on it answers so.
    pub fn does<F: Future<Output = Response> + Send + 'static>(
        &self,
        handler: impl Fn(Request) -> F + Send + Sync + 'static,
    ) {
        *self.handler.lock().unwrap() = Arc::new(move |request| Box::pin(handler(request)));
    }

    pub fn says(&self, headers: &'static [(&'static str, &'static str)], body: impl Into<Bytes>) {
        let body = body.into();
        self.does(move |_| {
            let response = answer(headers, body.clone());
            async move { response }
        });
    }

    pub fn count(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    pub fn router(&self) -> Router {
        let upstream = self.clone();
        Router::new().fallback(async move |request: Request| {
            upstream.asked.fetch_add(1, Ordering::SeqCst);
            upstream.seen.lock().unwrap().push((request.uri().to_string(), request.headers().clone()));
            let handler = upstream.handler.lock().unwrap().clone();
            handler(request).await
        })
    }
}

pub fn answer(headers: &[(&'static str, &'static str)], body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    for (name, value) in headers {
        response.headers_mut().append(*name, value.parse().unwrap());
    }
    response
}

impl World {
    pub async fn start() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        Self::bound(config, Bound::default()).await
    }

    pub async fn bound(config: Config, bound: Bound) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("file:{}", dir.path().join("blobs").display());
        let blobs = Blobs::open(&BlobConfig { url, ..BlobConfig::default() }).unwrap();
        let clock = Clock::manual(Micros(START * Micros::SECOND));
        let config = Config { dir: dir.path().join("edge"), key_refresh_ms: 0, ..config };
        let upstream = Upstream::new();
        let minter = Minter::from_seed(&[7; 32]);
        let hex: String = minter.public_key().iter().map(|b| format!("{b:02x}")).collect();
        let json = format!("{{\"alg\":\"Ed25519\",\"public_key\":\"{hex}\"}}");
        blobs.put(&names::playback_key("k1"), json.into()).await.unwrap();
        let edge = edge::start(config.clone(), Some(upstream.router()), blobs.clone(), clock.clone(), bound)
            .await
            .unwrap();
        Self { dir, blobs, clock, minter, id: PresentationId::new(), upstream, edge, config }
    }

    /// Where its files are.
    pub fn part(&self) -> PathBuf {
        self.config.dir.join("0")
    }

    /// The same directory with a new edge, as after a restart.
    pub async fn restart(&mut self) {
        let (config, router) = (self.config.clone(), self.upstream.router());
        let other = Config { dir: self.dir.path().join("other"), ..config.clone() };
        // The old one lets go of its part before the new one looks for one.
        self.edge = edge::start(
            other,
            Some(router.clone()),
            self.blobs.clone(),
            self.clock.clone(),
            Bound::default(),
        )
        .await
        .unwrap();
        self.edge =
            edge::start(config, Some(router), self.blobs.clone(), self.clock.clone(), Bound::default())
                .await
                .unwrap();
    }

    pub fn claims(&self) -> Claims {
        Claims::new(self.id, START + 3600, uuid::Uuid::now_v7())
    }

    pub fn token(&self) -> String {
        self.minter.mint(&self.claims())
    }

    /// With a token of its own.
    pub fn path(&self, rest: &str) -> String {
        format!("/media/{}/{}/{rest}", self.token(), self.id)
    }

    pub async fn get(&self, rest: &str) -> Got {
        self.ask("GET", &self.path(rest), &[]).await
    }

    /// Gives the edge a moment to put away what it fetched.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Got {
        let got = ask(&self.edge, method, path, headers).await;
        for _ in 0..50 {
            if self.edge.report().fetching == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        got
    }

    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

pub async fn ask(edge: &Edge, method: &str, path: &str, headers: &[(&str, &str)]) -> Got {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let Ok(response) = edge.router().oneshot(request.body(Body::empty()).unwrap()).await;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.ok();
    Got { status: parts.status, headers: parts.headers, body }
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn body(&self) -> &[u8] {
        self.body.as_deref().expect("a whole body")
    }

    pub fn cache(&self) -> &str {
        self.header("cache-status").strip_prefix("kinora; ").unwrap_or_default()
    }

    pub fn code(&self) -> String {
        let json: serde_json::Value = serde_json::from_slice(self.body()).unwrap();
        json["code"].as_str().unwrap().to_owned()
    }
}

/// Waits until something is so.
pub async fn until(mut done: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it did not come to be");
}

pub fn bytes(count: usize) -> Bytes {
    (0..count).map(|n| (n * 31 % 251) as u8).collect::<Vec<_>>().into()
}
