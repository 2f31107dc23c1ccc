//! Starting and stopping: readiness, drain, supervision, delivery without a database.

use std::time::{Duration, Instant};

use domain::Visibility::Public;
use reqwest::Method;
use serde_json::json;
use server::{
    config::{Config, Role},
    serve,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::House;

crate::on_both!(readiness_and_metrics_tell_the_state, a_drain_finishes_requests_and_ends_live_views);

async fn readiness_and_metrics_tell_the_state(house: House) {
    let visitor = house.visitor();
    assert_eq!(visitor.get("/healthz").await.expect(200).bytes, "ok\n");
    let ready = visitor.get("/readyz").await.expect(200);
    assert_eq!(ready.json["roles"], json!({ "api": true, "origin": true }));
    visitor.get("/api/v1/instance").await.expect(200);
    let metrics = visitor.get("/metrics").await.expect(200);
    let metrics = String::from_utf8_lossy(&metrics.bytes).into_owned();
    assert!(
        metrics.contains("kinora_http_requests_total{route=\"/api/v1/instance\",method=\"GET\""),
        "{metrics}"
    );
    // Behind a proxy the outside world asks from a near address: that does not count as near.
    let forwarded = |caller: &crate::harness::Caller| {
        let request = caller.request(Method::GET, "/metrics").header("x-forwarded-for", "203.0.113.9");
        crate::harness::send(request)
    };
    forwarded(&visitor).await.expect(401);
    let admin = house.admin().await;
    forwarded(&visitor.with_bearer(admin.token(&["read"]).await)).await.expect(403);
    forwarded(&visitor.with_bearer(admin.token(&["admin"]).await)).await.expect(200);
    for header in ["forwarded", "via", "x-real-ip", "x-forwarded-host"] {
        let request = visitor.request(Method::GET, "/metrics").header(header, "x");
        crate::harness::send(request).await.expect(401);
    }
    house.app().store.close().await;
    let ill = visitor.get("/readyz").await.expect(503);
    assert_eq!(ill.json["database"], false);
    let down = visitor.get("/api/v1/home").await.expect(503);
    assert_eq!(down.code(), "unavailable");
}

/// A token of its own for Prometheus, and nobody without one, not even this machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_have_a_token_and_networks_of_their_own() {
    let engines = crate::engines::Engines::embedded();
    let mut config = engines.config(&[server::config::Role::Api]);
    config.metrics.token = Some("s3cret".into());
    config.metrics.allow.clear();
    let server = server::serve::start(config, testkit::fake_clock()).await.unwrap();
    let ask = async |token: Option<&str>| {
        let mut request = reqwest::Client::new().get(format!("http://{}/metrics", server.address));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask(None).await, 401);
    assert_eq!(ask(Some("s3cre")).await, 401);
    assert_eq!(ask(Some("s3cret!")).await, 401);
    assert_eq!(ask(Some("s3cret")).await, 200);
    server.stop();
    server.wait().await.unwrap();

    // Where only objects are served, nobody has an account: the token alone counts.
    let mut config = engines.config(&[server::config::Role::Origin]);
    config.metrics.allow = vec!["192.0.2.0/24".to_owned().try_into().unwrap()];
    let server = server::serve::start(config, testkit::fake_clock()).await.unwrap();
    let status = reqwest::get(format!("http://{}/metrics", server.address)).await.unwrap().status();
    assert_eq!(status.as_u16(), 403);
    server.stop();
    server.wait().await.unwrap();
}

async fn a_drain_finishes_requests_and_ends_live_views(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Film", Public).await;
    let mut live = admin.request(Method::GET, &format!("{}/events", title.path())).send().await.unwrap();
    live.chunk().await.unwrap().expect("the present state");
    // A request of which only half has arrived when the stop comes.
    let body = json!({ "position_ms": 7, "duration_ms": 100_000 }).to_string();
    let mut stream = tokio::net::TcpStream::connect(house.server.address).await.unwrap();
    let head = format!(
        "PUT /api/v1/me/history/{} HTTP/1.1\r\nhost: k\r\ncookie: {}\r\nsec-fetch-site: same-origin\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
        title.id,
        admin.cookie.clone().unwrap(),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 4096];
    let n = stream.read(&mut answer).await.unwrap();
    assert!(answer[..n].starts_with(b"HTTP/1.1 100"), "the handler waits for the body");
    house.server.stop();
    stream.write_all(body.as_bytes()).await.unwrap();
    let n = stream.read(&mut answer).await.unwrap();
    assert!(answer[..n].starts_with(b"HTTP/1.1 204"), "{}", String::from_utf8_lossy(&answer[..n]));
    while let Some(_rest) =
        tokio::time::timeout(Duration::from_secs(10), live.chunk()).await.unwrap().unwrap()
    {}
    let started = Instant::now();
    let address = house.server.address;
    house.server.wait().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(10), "nothing was left to wait for");
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn an_origin_alone_needs_no_database() {
    let dir = tempfile::tempdir().unwrap();
    let mut config =
        Config { data_dir: dir.path().to_owned(), roles: [Role::Origin].into(), ..Config::default() };
    config.blob.url = format!("file:{}", dir.path().join("blobs").display());
    config.database.url = "postgres://nobody@127.0.0.1:1/none".into();
    config.http.listen = ([127, 0, 0, 1], 0).into();
    let server = serve::start(config, testkit::fake_clock()).await.unwrap();
    let url = format!("http://{}", server.address);
    let ready: serde_json::Value = reqwest::get(format!("{url}/readyz")).await.unwrap().json().await.unwrap();
    assert_eq!((&ready["ready"], &ready["database"]), (&json!(true), &json!(null)));
    assert_eq!(reqwest::get(format!("{url}/api/v1/home")).await.unwrap().status(), 404);
    server.stop();
    server.wait().await.unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_an_error_that_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut config =
        Config { data_dir: dir.path().to_owned(), roles: [Role::Origin].into(), ..Config::default() };
    config.blob.url = format!("file:{}", dir.path().display());
    config.http.listen = taken.local_addr().unwrap();
    let Err(error) = serve::start(config, testkit::fake_clock()).await else { panic!("two on one port") };
    assert!(format!("{error:#}").contains("http.listen"), "{error:#}");
}
