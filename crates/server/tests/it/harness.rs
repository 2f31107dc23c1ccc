//! A whole Kinora in a test: throw-away database and objects, a clock moved by hand, port 0.

use std::sync::atomic::{AtomicU32, Ordering};

use app::App;
use backends::{blob::names, clock::Clock};
use bytes::Bytes;
use domain::{
    PresentationId, SourceId, UserId, VideoId, Visibility,
    artwork::{Format, Variant},
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use server::{
    config::{Config, Role},
    serve::{self, Server},
};
use store::{
    artwork::{self, Frame},
    videos::{self, NewVideo},
};

use crate::engines::Engines;

/// Runs each test on both pairs of engines: `on_both!(name, …)` for `async fn name(house: House)`.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite_and_directory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::harness::House::embedded().await).await; })+
        }
        mod postgres_and_s3 {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() { super::$name($crate::harness::House::cluster().await).await; })+
        }
    };
}

/// A running Kinora that nobody has set up yet.
pub struct House {
    pub server: Server,
    pub clock: Clock,
    pub base: String,
    // Dropped last.
    pub engines: Engines,
}

pub const PASSWORD: &str = "a long password";

impl House {
    pub async fn embedded() -> Self {
        Self::resting(Engines::embedded()).await
    }

    pub async fn cluster() -> Self {
        Self::resting(Engines::cluster().await).await
    }

    /// Without a worker, its clock moved by hand.
    async fn resting(engines: Engines) -> Self {
        Self::start(engines, &[Role::Api, Role::Origin], testkit::fake_clock()).await
    }

    /// All roles by the real time.
    pub async fn working(engines: Engines) -> Self {
        Self::start(engines, &Role::ALL, Clock::system()).await
    }

    pub async fn start(engines: Engines, roles: &[Role], clock: Clock) -> Self {
        Self::configured(engines, roles, clock, |_| {}).await
    }

    /// With another configuration than the usual one.
    pub async fn configured(
        engines: Engines,
        roles: &[Role],
        clock: Clock,
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = engines.config(roles);
        change(&mut config);
        Self::start_with(engines, config, clock).await
    }

    async fn start_with(engines: Engines, config: Config, clock: Clock) -> Self {
        let server = serve::start(config, clock.clone()).await.unwrap();
        let base = format!("http://{}", server.address);
        Self { server, clock, base, engines }
    }

    /// Stops and starts again, as after an update. What is done from time to time is done first thing.
    pub async fn restarted(self, roles: &[Role]) -> Self {
        self.server.stop();
        self.server.wait().await.unwrap();
        Self::start(self.engines, roles, self.clock).await
    }

    /// Stops and starts again with another configuration.
    pub async fn reconfigured(self, roles: &[Role], change: impl FnOnce(&mut Config)) -> Self {
        self.server.stop();
        self.server.wait().await.unwrap();
        let mut config = self.engines.config(roles);
        change(&mut config);
        Self::start_with(self.engines, config, self.clock).await
    }

    pub fn app(&self) -> &App {
        self.server.app().unwrap()
    }

    /// Somebody without an account.
    pub fn visitor(&self) -> Caller {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Caller { http, base: self.base.clone(), cookie: None, bearer: None, id: None }
    }

    /// Sets the instance up and signs its administrator in.
    pub async fn admin(&self) -> Caller {
        let mut caller = self.visitor();
        let body = json!({ "name": "Ada Admin", "email": "ada@example.org", "password": PASSWORD });
        let answer = caller.post("/api/v1/setup", body).await.expect(201);
        caller.take_cookie(&answer);
        caller.id = answer.json["user"]["id"].as_str().unwrap().parse().ok();
        caller
    }

    /// Another account with `role`, signed in.
    pub async fn person(&self, admin: &Caller, name: &str, role: &str) -> Caller {
        let email = format!("{name}@example.org");
        let body = json!({ "name": name, "email": email, "password": PASSWORD, "role": role });
        admin.post("/api/v1/users", body).await.expect(201);
        self.sign_in(&email).await
    }

    pub async fn sign_in(&self, email: &str) -> Caller {
        let mut caller = self.visitor();
        let answer =
            caller.post("/api/v1/session", json!({ "email": email, "password": PASSWORD })).await.expect(201);
        caller.take_cookie(&answer);
        caller.id = answer.json["user"]["id"].as_str().unwrap().parse().ok();
        caller
    }

    /// A playable title with a poster, as the workflow leaves it behind.
    pub async fn title(&self, owner: &Caller, title: &str, visibility: Visibility) -> Title {
        let id = self.unfinished(owner, title, visibility).await;
        let (presentation, now) = (PresentationId::new(), self.clock.now());
        let widths = [320, 640, 1280];
        let poster = Frame {
            id: format!("p{:07}", SERIAL.fetch_add(1, Ordering::Relaxed)),
            at_ms: 1000,
            size: (1280, 720),
            variants: widths.map(|width| Variant { format: Format::Jpeg, width }).to_vec(),
            blur: "data:image/webp;base64,AAAA".into(),
        };
        let store = &self.app().store;
        let mut tx = store.begin().await.unwrap();
        videos::processing(&mut tx, id, SourceId::new(), now).await.unwrap();
        videos::describe(&mut tx, id, Some(600_000), Some((1280, 720)), now).await.unwrap();
        artwork::insert_frame(&mut tx, id, presentation, &poster, 0, now).await.unwrap();
        artwork::propose(&mut tx, id, &poster.id, now).await.unwrap();
        videos::playable(&mut tx, id, presentation, true, now).await.unwrap();
        tx.commit().await.unwrap();
        for width in widths {
            let bytes = Bytes::from_static(b"\xff\xd8jpeg");
            self.app().blobs.put(&names::picture(id, &poster.id, width), bytes).await.unwrap();
        }
        // Titles have an order.
        self.clock.advance(std::time::Duration::from_secs(1));
        Title { id, presentation, poster: poster.id }
    }

    /// A title whose upload has begun.
    pub async fn unfinished(&self, owner: &Caller, title: &str, visibility: Visibility) -> VideoId {
        let new = NewVideo {
            id: VideoId::new(),
            owner: owner.id.unwrap(),
            title: title.into(),
            description: format!("About {title}."),
            attribution: String::new(),
            visibility,
        };
        let mut tx = self.app().store.begin().await.unwrap();
        videos::insert(&mut tx, &new, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        new.id
    }
}

static SERIAL: AtomicU32 = AtomicU32::new(1);

pub struct Title {
    pub id: VideoId,
    pub presentation: PresentationId,
    pub poster: String,
}

impl Title {
    pub fn path(&self) -> String {
        format!("/api/v1/videos/{}", self.id)
    }
}

/// Someone who sends requests, as a browser or a program does.
#[derive(Clone)]
pub struct Caller {
    http: reqwest::Client,
    base: String,
    pub cookie: Option<String>,
    pub bearer: Option<String>,
    pub id: Option<UserId>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Bytes,
    /// `null` when the body is not JSON.
    pub json: Value,
}

impl Caller {
    /// Someone at a server in another process.
    pub fn at(base: &str, token: impl Into<String>) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { http, base: base.to_owned(), cookie: None, bearer: Some(token.into()), id: None }
    }

    /// The same person after a server has moved.
    pub fn moved_to(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    pub fn with_bearer(&self, token: impl Into<String>) -> Self {
        Self { bearer: Some(token.into()), cookie: None, ..self.clone() }
    }

    pub fn with_cookie(&self, cookie: impl Into<String>) -> Self {
        Self { cookie: Some(cookie.into()), bearer: None, ..self.clone() }
    }

    pub fn take_cookie(&mut self, answer: &Answer) {
        let text = answer.headers["set-cookie"].to_str().unwrap();
        self.cookie = Some(text.split(';').next().unwrap().to_owned());
    }

    /// A request as this caller would send it; to be altered and sent.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie).header("sec-fetch-site", "same-origin");
        }
        match &self.bearer {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    /// A new API token of this account.
    pub async fn token(&self, scopes: &[&str]) -> String {
        let answer =
            self.post("/api/v1/me/tokens", json!({ "name": "test", "scopes": scopes })).await.expect(201);
        answer.json["token"].as_str().unwrap().to_owned()
    }
}

pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Answer { status, headers, bytes, json }
}

impl Answer {
    /// This answer, which must have `status`.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.bytes));
        self
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// One field of each item.
    pub fn each(&self, field: &str) -> Vec<String> {
        let items = self.json.get("items").unwrap_or(&self.json).as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item[field].as_str().unwrap_or_default().to_owned()).collect()
    }
}
