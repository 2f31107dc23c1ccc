//! A minimal server with nothing but uploads; who is asking is told by a header instead of a session.

use std::time::Duration;

use api::{Principal, Via};
use axum::{extract::Request, middleware, middleware::Next, response::Response};
use backends::{blob::Blobs, clock::Clock};
use bytes::Bytes;
use domain::{Role, Scope, TokenId, UploadId, UserId, VideoId};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use store::{Store, sources, users, videos};
use tokio_util::sync::CancellationToken;
use vod::upload::{self, Config, Timing, Uploads};

pub struct App {
    pub base: String,
    pub uploads: Uploads,
    pub store: Store,
    pub blobs: Blobs,
    pub clock: Clock,
    pub stop: CancellationToken,
    pub http: reqwest::Client,
    /// A creator.
    pub user: UserId,
    _database: std::sync::Arc<testkit::Database>,
    _dir: std::sync::Arc<tempfile::TempDir>,
}

/// Short enough for tests to wait for; the order of the three is that of the real ones.
pub const TIMING: Timing = Timing {
    silence: Duration::from_millis(1500),
    suspend: Duration::from_millis(300),
    lease: Duration::from_secs(15),
};

impl App {
    pub async fn embedded() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = backends::blob::Config {
            url: format!("file:{}", dir.path().join("blobs").display()),
            ..backends::blob::Config::default()
        };
        Self::start(testkit::sqlite().unwrap(), Blobs::open(&config).unwrap(), dir).await
    }

    pub async fn cluster() -> Self {
        let (database, bucket) = tokio::try_join!(testkit::postgres(), testkit::s3()).unwrap();
        let blobs = Blobs::open(&bucket.config("kinora")).unwrap();
        Self::start(database, blobs, tempfile::tempdir().unwrap()).await
    }

    async fn start(database: testkit::Database, blobs: Blobs, dir: tempfile::TempDir) -> Self {
        let store = database.store().await.unwrap();
        let clock = testkit::fake_clock();
        let stop = CancellationToken::new();
        let config = Config { max_bytes: 50_000_000, quota_bytes: Some(100_000_000), ..Config::default() };
        let uploads =
            Uploads::with_timing(config, TIMING, store.clone(), blobs.clone(), clock.clone(), stop.clone());
        let user = add_user(&store, &clock, Role::Creator).await;
        Self {
            base: serve(uploads.clone()).await,
            uploads,
            store,
            blobs,
            clock,
            stop,
            http: reqwest::Client::new(),
            user,
            _database: database.into(),
            _dir: dir.into(),
        }
    }

    /// The address of another process-like server on the same database and object store.
    pub async fn replica(&self) -> String {
        let (store, blobs, clock) = (self.store.clone(), self.blobs.clone(), self.clock.clone());
        let config = self.uploads.config.clone();
        serve(Uploads::with_timing(config, TIMING, store, blobs, clock, self.stop.clone())).await
    }

    pub async fn add_user(&self, role: Role) -> UserId {
        add_user(&self.store, &self.clock, role).await
    }

    /// A tus request of our creator to `path`, which may be a whole URL.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_as(&identity(self.user, Role::Creator, None), method, path)
    }

    pub fn request_as(&self, identity: &str, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        self.http.request(method, url).header("tus-resumable", "1.0.0").header("test-identity", identity)
    }

    pub fn post(&self) -> RequestBuilder {
        self.request(Method::POST, upload::PATH)
    }

    /// Creates an upload and gives its path.
    pub async fn create(&self, length: usize) -> String {
        let answer = self.post().header("upload-length", length).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        header(answer.headers(), "location")
    }

    pub fn patch(&self, path: &str, offset: usize, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.request(Method::PATCH, path)
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", offset)
            .body(body)
    }

    /// What HEAD tells: the status, and the offset if there is one.
    pub async fn head(&self, path: &str) -> (u16, Option<usize>) {
        let answer = self.request(Method::HEAD, path).send().await.unwrap();
        let offset = answer.headers().get("upload-offset").map(|v| v.to_str().unwrap().parse().unwrap());
        (answer.status().as_u16(), offset)
    }

    pub async fn offset(&self, path: &str) -> usize {
        let (status, offset) = self.head(path).await;
        assert_eq!(status, 200);
        offset.expect("an offset")
    }

    pub async fn video_of(&self, path: &str) -> VideoId {
        let id: UploadId = path.rsplit('/').next().unwrap().parse().unwrap();
        let mut reader = self.store.reader().await.unwrap();
        store::uploads::get(&mut reader, self.user, id).await.unwrap().video().unwrap()
    }

    pub async fn video(&self, id: VideoId) -> store::Result<videos::Video> {
        videos::get(&mut self.store.reader().await?, id).await
    }

    /// The bytes of a title's only source.
    pub async fn source(&self, video: VideoId) -> Vec<u8> {
        let mut reader = self.store.reader().await.unwrap();
        let found = sources::of_video(&mut reader, video).await.unwrap();
        assert_eq!(found.len(), 1, "one source");
        let mut bytes = Vec::new();
        for part in &found[0].parts.0 {
            let stored = self.blobs.get(&part.object).await.unwrap();
            assert_eq!(stored.len() as u64, part.length);
            bytes.extend_from_slice(&stored);
        }
        assert_eq!(found[0].size, bytes.len() as i64);
        bytes
    }

    /// Objects that are stored, finished or not.
    pub async fn stored(&self) -> usize {
        self.blobs.list("").await.unwrap().len()
    }

    pub async fn probe_jobs(&self, video: VideoId) -> usize {
        let mut reader = self.store.reader().await.unwrap();
        let jobs = store::jobs::list(&mut reader, &video.to_string()).await.unwrap();
        jobs.iter().filter(|job| job.kind == "probe").count()
    }
}

async fn add_user(store: &Store, clock: &Clock, role: Role) -> UserId {
    let id = UserId::new();
    let new = users::NewUser {
        id,
        email: format!("{id}@example.org"),
        name: "Someone".into(),
        password_hash: "none".into(),
        role,
    };
    let mut tx = store.begin().await.unwrap();
    users::insert(&mut tx, &new, clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn serve(uploads: Uploads) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = upload::routes(uploads).layer(middleware::from_fn(identify));
    tokio::spawn(async move { axum::serve(listener, router).await });
    base
}

/// Stands in for the accounts: `user role scopes`.
pub fn identity(user: UserId, role: Role, scopes: Option<&[Scope]>) -> String {
    let scopes =
        scopes.map_or("*".into(), |scopes| scopes.iter().map(|s| s.word()).collect::<Vec<_>>().join(","));
    format!("{user} {role} {scopes}")
}

async fn identify(mut request: Request, next: Next) -> Response {
    if let Some(identity) = request.headers().get("test-identity") {
        let words: Vec<&str> = identity.to_str().unwrap().split(' ').collect();
        let scopes = (words[2] != "*")
            .then(|| words[2].split(',').filter(|w| !w.is_empty()).map(|w| w.parse().unwrap()).collect());
        let principal = Principal {
            user: words[0].parse().unwrap(),
            role: words[1].parse().unwrap(),
            scopes,
            token: TokenId::new(),
            via: Via::Bearer,
        };
        request.extensions_mut().insert(principal);
    }
    next.run(request).await
}

pub fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap().to_owned()
}

/// Bytes that differ at every place and look like no known file.
pub fn noise(length: usize) -> Bytes {
    let mut x = 0x9e37_79b9_u32;
    (0..length)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            x as u8
        })
        .collect()
}

/// A header value `key base64,…`.
pub fn metadata(pairs: &[(&str, &str)]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    pairs.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).collect::<Vec<_>>().join(",")
}

/// A body whose pieces a test sends one by one; it ends well when the sender is dropped, badly after an error.
pub fn slow_body() -> (tokio::sync::mpsc::Sender<std::io::Result<Bytes>>, reqwest::Body) {
    let (sender, receiver) = tokio::sync::mpsc::channel(1);
    (sender, reqwest::Body::wrap_stream(tokio_stream::wrappers::ReceiverStream::new(receiver)))
}

/// Waits until something is so, at most ten seconds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    for _ in 0..500 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("waited in vain: {what}");
}
