//! Webhooks: who is told what, signed, tried again, sent again, given up; and where messages are never sent.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use aws_lc_rs::hmac;
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Network, Visibility};
use serde_json::{Value, json};
use server::config::{Config, Role};

use crate::{
    engines::Engines,
    harness::{Caller, House},
};

crate::on_both_engines!(
    messages_are_signed_and_reach_whom_they_concern,
    failures_are_tried_again_and_end,
    others_webhooks_and_private_networks_are_out_of_reach,
);

/// Somebody's program.
#[derive(Clone, Default)]
struct Receiver {
    got: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    /// What it answers; 204 unless told.
    answer: Arc<Mutex<Option<u16>>>,
}

impl Receiver {
    async fn start() -> (Self, String) {
        let receiver = Self::default();
        let app = Router::new().route("/hook", post(receive)).with_state(receiver.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (receiver, url)
    }

    fn answers(&self, status: u16) {
        *self.answer.lock().unwrap() = Some(status);
    }

    /// What it was told so far.
    fn told(&self) -> Vec<Value> {
        let got = self.got.lock().unwrap();
        got.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    fn types(&self) -> Vec<String> {
        self.told().iter().map(|message| message["type"].as_str().unwrap().to_owned()).collect()
    }

    fn last(&self) -> (HeaderMap, String) {
        self.got.lock().unwrap().last().cloned().unwrap()
    }

    async fn until(&self, count: usize) {
        let waiting = async {
            while self.got.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        assert!(done.is_ok(), "{count} messages, got {:?}", self.types());
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> (StatusCode, String) {
    receiver.got.lock().unwrap().push((headers, String::from_utf8(body.to_vec()).unwrap()));
    let status = receiver.answer.lock().unwrap().unwrap_or(204);
    (StatusCode::from_u16(status).unwrap(), if status == 204 { String::new() } else { "x".repeat(5000) })
}

async fn house(engines: Engines) -> House {
    House::configured(engines, &Role::ALL, testkit::fake_clock(), |config: &mut Config| {
        config.webhooks.allow_networks = vec![Network::try_from("127.0.0.0/8".to_owned()).unwrap()];
    })
    .await
}

async fn hook(caller: &Caller, body: Value) -> (String, String) {
    let made = caller.post("/api/v1/webhooks", body).await.expect(201);
    assert!(made.json["secret"].as_str().unwrap().starts_with("whsec_"));
    (
        format!("/api/v1/webhooks/{}", made.json["id"].as_str().unwrap()),
        made.json["secret"].as_str().unwrap().into(),
    )
}

fn is_signed_by(secret: &str, headers: &HeaderMap, body: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let content = format!("{}.{}.{body}", text("webhook-id"), text("webhook-timestamp"));
    text("webhook-signature").split(' ').any(|signature| {
        let tag = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
        hmac::verify(&key, content.as_bytes(), &tag).is_ok()
    })
}

async fn messages_are_signed_and_reach_whom_they_concern(engines: Engines) {
    let house = house(engines).await;
    let admin = house.admin().await;
    let ben = house.person(&admin, "ben", "creator").await;
    let (mine, url) = Receiver::start().await;
    let (all, all_url) = Receiver::start().await;
    let (some, some_url) = Receiver::start().await;
    let (path, secret) = hook(&ben, json!({ "url": url })).await;
    hook(&admin, json!({ "url": all_url, "all_titles": true })).await;
    hook(&admin, json!({ "url": some_url, "events": ["title.deleted"] })).await;
    let title = house.title(&ben, "A film", Visibility::Private).await;
    ben.patch(&title.path(), json!({ "visibility": "public" })).await.expect(200);
    mine.until(2).await;
    all.until(2).await;
    assert_eq!(mine.types(), ["title.edited", "title.published"]);
    let (headers, body) = mine.last();
    assert!(is_signed_by(&secret, &headers, &body));
    assert!(!is_signed_by(&secret, &headers, &format!("{body} ")), "another body is not signed");
    let message = &mine.told()[1];
    assert_eq!(message["data"]["id"], title.id.to_string());
    assert_eq!(
        (&message["data"]["title"], &message["data"]["visibility"]),
        (&"A film".into(), &"public".into())
    );
    // Two secrets for a day, then the new one alone.
    let new = ben.post(&format!("{path}/secret"), Value::Null).await.expect(200).json["secret"].clone();
    ben.post(&format!("{path}/test"), Value::Null).await.expect(202);
    mine.until(3).await;
    let (headers, body) = mine.last();
    assert!(is_signed_by(&secret, &headers, &body) && is_signed_by(new.as_str().unwrap(), &headers, &body));
    house.clock.advance(Duration::from_secs(86_401));
    ben.post(&format!("{path}/test"), Value::Null).await.expect(202);
    mine.until(4).await;
    let (headers, body) = mine.last();
    assert!(!is_signed_by(&secret, &headers, &body) && is_signed_by(new.as_str().unwrap(), &headers, &body));
    // What is gone for good is told, too.
    ben.delete(&format!("{}?permanent=true", title.path())).await.expect(204);
    mine.until(6).await;
    assert_eq!(mine.told()[4]["data"]["permanent"], false, "into the trash first");
    let gone = &mine.told()[5];
    assert_eq!((&gone["type"], &gone["data"]["permanent"]), (&"title.deleted".into(), &true.into()));
    assert_eq!(
        (&gone["data"]["title"], &gone["data"]["id"]),
        (&"A film".into(), &title.id.to_string().into())
    );
    // The administrator's second one hears of their own titles only, and of deletions only.
    let own = house.title(&admin, "Own", Visibility::Public).await;
    admin.patch(&own.path(), json!({ "title": "Mine" })).await.expect(200);
    admin.delete(&own.path()).await.expect(200);
    some.until(1).await;
    assert_eq!(some.types(), ["title.deleted"]);
    assert_eq!(some.told()[0]["data"]["title"], "Mine");
    // Sent again, a message is the same.
    let log = ben.get(&format!("{path}/deliveries")).await.expect(200);
    let first = log.each("id").pop().unwrap();
    let replay = format!("{path}/deliveries/{first}/replay");
    ben.post(&replay, Value::Null).await.expect(202);
    mine.until(7).await;
    assert_eq!(mine.last().0["webhook-id"], first.as_str());
    assert_eq!(mine.last().1, mine.got.lock().unwrap()[0].1);
    house.server.stop();
}

async fn settled(caller: &Caller, path: &str, state: &str) -> Value {
    for _ in 0..600 {
        let log = caller.get(path).await.expect(200);
        if log.json["state"] == state {
            return log.json;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{path} is not {state}")
}

async fn failures_are_tried_again_and_end(engines: Engines) {
    let house = house(engines).await;
    let admin = house.admin().await;
    let (receiver, url) = Receiver::start().await;
    receiver.answers(500);
    let (path, _) = hook(&admin, json!({ "url": url })).await;
    let sent = admin.post(&format!("{path}/test"), Value::Null).await.expect(202);
    let log = format!("{path}/deliveries/{}", sent.json["id"].as_str().unwrap());
    for (tries, pause) in [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400].into_iter().enumerate()
    {
        receiver.until(tries + 1).await;
        // The try is recorded after the answer.
        while admin.get(&log).await.json["attempts"] != tries + 1 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        house.clock.advance(Duration::from_secs(pause));
    }
    let failed = settled(&admin, &log, "failed").await;
    assert_eq!((&failed["attempts"], &failed["status"]), (&10.into(), &500.into()));
    assert_eq!(failed["log"].as_array().unwrap().len(), 10);
    assert_eq!(failed["log"][0]["answer"].as_str().unwrap().len(), 1024, "the first kilobyte");
    let hook = admin.get(&path).await.expect(200).json;
    assert_eq!(hook["enabled"], false);
    assert!(hook["disabled_reason"].as_str().unwrap().contains("three days"), "{hook}");
    admin.post(&format!("{path}/test"), Value::Null).await.expect(409);
    // Mended, switched on, and what was missed sent again.
    receiver.answers(204);
    admin.patch(&path, json!({ "enabled": true })).await.expect(200);
    let since = json!({ "since": "2000-01-01T00:00:00Z" });
    let again = admin.post(&format!("{path}/replay"), since).await.expect(202);
    assert_eq!(again.json["deliveries"], 1);
    receiver.until(11).await;
    let done = settled(&admin, &log, "delivered").await;
    assert_eq!(done["attempts"], 11);
    assert_eq!(admin.get(&path).await.json["failing_since"], Value::Null);
    // An address that says so is given up at once.
    receiver.answers(410);
    let sent = admin.post(&format!("{path}/test"), Value::Null).await.expect(202);
    settled(&admin, &format!("{path}/deliveries/{}", sent.json["id"].as_str().unwrap()), "failed").await;
    assert_eq!(admin.get(&path).await.json["enabled"], false);
    house.server.stop();
}

async fn others_webhooks_and_private_networks_are_out_of_reach(engines: Engines) {
    let house = House::start(engines, &Role::ALL, testkit::fake_clock()).await;
    let admin = house.admin().await;
    let ben = house.person(&admin, "ben", "creator").await;
    let eve = house.person(&admin, "eve", "creator").await;
    let viewer = house.person(&admin, "vic", "viewer").await;
    let (receiver, url) = Receiver::start().await;
    let body = json!({ "url": url });
    let (path, _) = hook(&ben, body.clone()).await;
    viewer.post("/api/v1/webhooks", body.clone()).await.expect(403);
    house.visitor().post("/api/v1/webhooks", body.clone()).await.expect(401);
    let reading = ben.token(&["read"]).await;
    ben.with_bearer(reading).post("/api/v1/webhooks", body.clone()).await.expect(403);
    ben.post("/api/v1/webhooks", json!({ "url": url, "all_titles": true })).await.expect(403);
    ben.patch(&path, json!({ "all_titles": true })).await.expect(403);
    ben.get("/api/v1/webhooks?all=true").await.expect(403);
    for (method, at) in [
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("POST", "/secret"),
        ("GET", "/deliveries"),
        ("POST", "/replay"),
        ("GET", "/deliveries/msg_x"),
    ] {
        let request = eve.request(method.parse().unwrap(), &format!("{path}{at}"));
        let request = if at == "/replay" {
            request.json(&json!({ "since": "2020-01-01T00:00:00Z" }))
        } else {
            request.json(&json!({}))
        };
        crate::harness::send(request).await.expect(404);
    }
    assert!(eve.get("/api/v1/webhooks").await.expect(200).each("id").is_empty());
    assert_eq!(admin.get("/api/v1/webhooks?all=true").await.expect(200).each("id").len(), 1);
    for bad in ["ftp://example.org/", "http://u:p@example.org/", "x", "file:///etc/passwd"] {
        ben.post("/api/v1/webhooks", json!({ "url": bad })).await.expect(422);
    }
    // The receiver listens on this machine, which is no public address.
    for address in
        [url.clone(), url.replace("127.0.0.1", "localhost"), url.replace("127.0.0.1", "2130706433")]
    {
        ben.patch(&path, json!({ "url": address })).await.expect(200);
        let sent = ben.post(&format!("{path}/test"), Value::Null).await.expect(202);
        let log = format!("{path}/deliveries/{}", sent.json["id"].as_str().unwrap());
        let mut seen = ben.get(&log).await.json;
        for _ in 0..300 {
            if seen["attempts"] != 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            seen = ben.get(&log).await.json;
        }
        let words = seen["log"][0]["error"].as_str().unwrap_or_default();
        assert!(words.contains("private network"), "{address}: {seen}");
    }
    assert!(receiver.told().is_empty());
    ben.delete(&path).await.expect(204);
    ben.get(&path).await.expect(404);
    house.server.stop();
}
