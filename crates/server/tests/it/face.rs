//! What programs of others rely on: problems everywhere, idempotency keys, conditional edits, quotas, paging, streams that end.

use std::time::Duration;

use domain::Visibility;
use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::{Value, json};
use server::{config::Role, openapi};
use store::idempotency;

use crate::{
    engines::Engines,
    harness::{Answer, Caller, House, send},
};

crate::on_both!(
    a_repeated_request_has_its_effect_once,
    edits_can_be_bound_to_a_revision,
    refusals_are_problems,
    only_open_operations_answer_strangers,
    pages_are_stable_while_rows_are_added,
    shared_links_are_absolute,
    pages_hold_the_picture_that_is_seen_first,
);

/// With a configuration of their own.
mod configured {
    use super::{quotas_are_told_and_kept, streams_are_limited_and_end_with_the_session};

    crate::on_both_engines!(quotas_are_told_and_kept, streams_are_limited_and_end_with_the_session);
}

const API: &[Role] = &[Role::Api, Role::Origin];

async fn keyed(caller: &Caller, key: &str, path: &str, body: &Value) -> Answer {
    send(caller.request(Method::POST, path).header("idempotency-key", key).json(body)).await
}

async fn a_repeated_request_has_its_effect_once(house: House) {
    let admin = house.admin().await;
    let body = json!({ "name": "robot", "scopes": ["read"] });
    let path = "/api/v1/me/tokens";
    let first = keyed(&admin, "\"k-1\"", path, &body).await.expect(201);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = keyed(&admin, "k-1", path, &body).await.expect(201);
    assert_eq!(
        (&first.json, &again.headers["idempotency-replayed"]),
        (&again.json, &"true".parse().unwrap())
    );
    assert_eq!(again.headers["content-type"], "application/json");
    assert_eq!(admin.get(path).await.expect(200).each("name"), ["robot"]);
    // Another request under the same key.
    let other = json!({ "name": "other", "scopes": ["read"] });
    assert_eq!(keyed(&admin, "k-1", path, &other).await.expect(422).code(), "idempotency_key_reused");
    let elsewhere =
        json!({ "email": "x@example.org", "name": "x", "password": "a long password", "role": "viewer" });
    keyed(&admin, "k-1", "/api/v1/users", &elsewhere).await.expect(422);
    // Keys of one account mean nothing to another.
    let ben = house.person(&admin, "ben", "creator").await;
    keyed(&ben, "k-1", path, &other).await.expect(201);
    // What was refused had no effect and may be sent again, corrected.
    keyed(&admin, "k-2", "/api/v1/users", &json!({ "email": "no" })).await.expect(422);
    keyed(&admin, "k-2", "/api/v1/users", &elsewhere).await.expect(201);
    keyed(&admin, "k-2", "/api/v1/users", &elsewhere).await.expect(201);
    keyed(&admin, "a b", path, &body).await.expect(400);
    assert_eq!(kept_answers(&house).await, 3);
    // The day is over.
    house.clock.advance(Duration::from_secs(24 * 3600 + 1));
    assert_ne!(keyed(&admin, "k-1", path, &body).await.expect(201).json["token"], first.json["token"]);
    at_work(&admin).await;
}

async fn kept_answers(house: &House) -> i64 {
    idempotency::count(&mut house.app().store.reader().await.unwrap()).await.unwrap()
}

/// A key whose first request is at work, or has died.
async fn at_work(admin: &Caller) {
    let body = json!({ "name": "slow", "scopes": ["read"] });
    let path = "/api/v1/me/tokens";
    let slow = admin.clone();
    let racing: Vec<_> = (0..4)
        .map(|_| {
            let (slow, body) = (slow.clone(), body.clone());
            tokio::spawn(async move { keyed(&slow, "race", path, &body).await })
        })
        .collect();
    let (mut made, mut firsts) = (std::collections::BTreeSet::new(), 0);
    for answer in racing {
        let answer = answer.await.unwrap();
        match answer.status.as_u16() {
            201 => {
                made.insert(answer.json["token"].to_string());
                firsts += u32::from(!answer.headers.contains_key("idempotency-replayed"));
            }
            409 => {
                assert_eq!(answer.code(), "idempotency_key_in_use");
                assert!(answer.headers.contains_key("retry-after"));
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!((made.len(), firsts), (1, 1), "{made:?}");
}

async fn edits_can_be_bound_to_a_revision(house: House) {
    let admin = house.admin().await;
    let ben = house.person(&admin, "ben", "creator").await;
    let path = format!("/api/v1/users/{}", ben.id.unwrap());
    let title = house.title(&ben, "A film", Visibility::Public).await;
    let edit = |path: String, tag: String, body: Value| {
        send(admin.request(Method::PATCH, &path).header("if-match", tag).json(&body))
    };
    for (path, body) in
        [(path, json!({ "name": "Benjamin" })), (title.path(), json!({ "title": "Another film" }))]
    {
        let tag = admin.get(&path).await.expect(200).headers["etag"].to_str().unwrap().to_owned();
        let done = edit(path.clone(), tag.clone(), body.clone()).await.expect(200);
        let now = done.headers["etag"].to_str().unwrap().to_owned();
        assert_ne!(now, tag);
        let stale = edit(path.clone(), tag, body.clone()).await.expect(412);
        assert_eq!(
            (stale.code(), stale.headers["etag"].to_str().unwrap()),
            ("changed_meanwhile", now.as_str())
        );
        assert_eq!(format!("\"r{}\"", stale.json["revision"]), now);
        edit(path.clone(), "W/\"x\"".into(), body.clone()).await.expect(412);
        edit(path.clone(), "*".into(), body.clone()).await.expect(200);
        admin.patch(&path, body).await.expect(200);
    }
    ben.get(&format!("/api/v1/users/{}", admin.id.unwrap())).await.expect(403);
    let mine = send(
        ben.request(Method::PATCH, "/api/v1/me").header("if-match", "\"r0\"").json(&json!({ "name": "B" })),
    );
    mine.await.expect(412);
}

async fn refusals_are_problems(house: House) {
    let admin = house.admin().await;
    let visitor = house.visitor();
    let request = |method: Method, path: &str| admin.request(method, path);
    let json = |text: &'static str| {
        request(Method::POST, "/api/v1/users").header("content-type", "application/json").body(text)
    };
    let cases = [
        (request(Method::GET, "/api/v1/nothing"), 404),
        (request(Method::GET, "/api/"), 404),
        (request(Method::GET, "/api"), 404),
        (request(Method::PUT, "/api/v1/videos"), 405),
        (request(Method::GET, "/api/v1/videos").header("accept", "text/html"), 406),
        (request(Method::POST, "/api/v1/users").header("content-type", "text/plain").body("{}"), 415),
        (json("{"), 422),
        (json("[]"), 422),
        (request(Method::POST, "/api/v1/users").json(&"x".repeat(300_000)), 413),
        (request(Method::GET, "/api/v1/videos?limit=0"), 422),
        (request(Method::GET, "/api/v1/videos?limit=many"), 422),
        (request(Method::GET, "/api/v1/videos?cursor=x"), 422),
        (request(Method::GET, "/api/v1/videos/no-id"), 404),
        (visitor.request(Method::GET, "/api/v1/users"), 401),
        (visitor.request(Method::GET, "/api/v1/videos").header("authorization", "Bearer nonsense"), 401),
    ];
    for (request, status) in cases {
        let answer = send(request).await.expect(status);
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{status}");
        assert_eq!(answer.json["status"], status);
        assert!(!answer.code().is_empty() && answer.json["detail"].is_string(), "{}", answer.json);
        assert!(answer.headers.contains_key("x-request-id"));
        if status == 405 {
            let allow = answer.headers["allow"].to_str().unwrap();
            assert!(allow.contains("GET"), "{allow}");
        }
    }
}

/// Every operation that is not listed as open turns strangers away before it looks at anything else.
async fn only_open_operations_answer_strangers(house: House) {
    house.admin().await;
    let document = openapi::document();
    let id = "019303f0-7a4e-7bb0-a1c2-0d7f3b5c9e11";
    let mut closed = 0;
    for (path, method, operation) in openapi::operations(&document) {
        let name = operation["operationId"].as_str().unwrap();
        if openapi::OPEN.contains(&name) {
            continue;
        }
        closed += 1;
        let mut path = path.to_owned();
        while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
            path.replace_range(from..=to, id);
        }
        let method: Method = method.to_uppercase().parse().unwrap();
        let mut request = house.visitor().request(method.clone(), &path);
        if let Some(body) = operation.pointer("/requestBody/content/application~1json/example") {
            request = request.json(body);
        }
        let status = request.send().await.unwrap().status();
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path} ({name})");
    }
    assert!(closed >= 20, "{closed}");
}

async fn pages_are_stable_while_rows_are_added(house: House) {
    let admin = house.admin().await;
    for n in 0..5 {
        house.title(&admin, &format!("Old {n}"), Visibility::Public).await;
    }
    for list in ["/api/v1/videos", "/api/v1/studio/videos"] {
        let first = admin.get(&format!("{list}?limit=2")).await.expect(200);
        house.title(&admin, "Newer", Visibility::Public).await;
        let mut seen = first.each("id");
        let mut cursor = first.json["next_cursor"].as_str().map(str::to_owned);
        while let Some(at) = cursor {
            let page = admin.get(&format!("{list}?limit=2&cursor={at}")).await.expect(200);
            seen.extend(page.each("id"));
            cursor = page.json["next_cursor"].as_str().map(str::to_owned);
        }
        let unique: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(unique.len(), seen.len(), "{list} repeats");
        let now = admin.get(&format!("{list}?limit=100")).await.expect(200).each("id");
        assert_eq!(seen, now[1..], "{list} misses or has another order");
    }
}

async fn shared_links_are_absolute(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "A film", Visibility::Public).await;
    let page = |host: &str| {
        let request = house.visitor().request(Method::GET, &format!("/watch/{}", title.id));
        send(request.header("host", host.to_owned()))
    };
    let text = String::from_utf8(page("video.example.org").await.expect(200).bytes.to_vec()).unwrap();
    let url = format!("<meta property=\"og:url\" content=\"http://video.example.org/watch/{}\">", title.id);
    assert!(text.contains(&url), "{text}");
    assert!(text.contains("og:image\" content=\"http://video.example.org/api/"), "{text}");
    let text = String::from_utf8(page("a\"b").await.bytes.to_vec()).unwrap();
    assert!(!text.contains("og:url"), "{text}");
}

async fn pages_hold_the_picture_that_is_seen_first(house: House) {
    let admin = house.admin().await;
    let page = async |caller: &Caller, path: String| {
        String::from_utf8(caller.get(&path).await.expect(200).bytes.to_vec()).unwrap()
    };
    let frame = page(&house.visitor(), "/".into()).await;
    let Some((_, sizes)) = frame.split_once("data-backdrop-sizes=\"") else {
        return assert!(frame.contains("built without"), "{frame}");
    };
    let sizes = sizes.split_once('"').unwrap().0;
    let film = house.title(&admin, "A film", Visibility::Public).await;
    let picture = format!("/api/v1/videos/{}/artwork/{}", film.id, film.poster);
    let text = page(&house.visitor(), format!("/title/{}", film.id)).await;
    let set = [160, 320, 640, 1280].map(|width| format!("{picture}?width={width} {width}w")).join(", ");
    assert!(text.contains(&format!("<img srcset=\"{set}\" sizes=\"{sizes}\"")), "{text}");
    let text = page(&house.visitor(), format!("/watch/{}", film.id)).await;
    let still = format!("<img class=\"still\" src=\"{picture}?width=640\"");
    assert!(text.contains(&still) && !text.contains("data-not-yet"), "{text}");
    // Pages do not depend on who is signed in: what only some may see gets there by the app.
    let secret = house.title(&admin, "A secret", Visibility::Private).await;
    for path in [format!("/title/{}", secret.id), format!("/watch/{}", secret.id)] {
        assert!(page(&admin, path).await.contains("<main></main>"));
    }
    // Nothing plays yet.
    let begun = house.unfinished(&admin, "Soon", Visibility::Public).await;
    assert!(page(&house.visitor(), format!("/watch/{begun}")).await.contains("<main></main>"));
    // Nobody need ask for the playback of an event that is to come.
    let plan = serde_json::json!({ "title": "To come", "visibility": "public" });
    let event = admin.post("/api/v1/events", plan).await.expect(201).json["id"].as_str().unwrap().to_owned();
    let text = page(&house.visitor(), format!("/watch/{event}")).await;
    assert!(text.contains(&format!("<html data-not-yet=\"{event}\"")), "{text}");
}

/// Remaining requests as `RateLimit` tells them.
fn left(headers: &HeaderMap) -> u32 {
    let text = headers["ratelimit"].to_str().unwrap();
    text.split(';').find_map(|part| part.strip_prefix("r=")).unwrap().parse().unwrap()
}

async fn quotas_are_told_and_kept(engines: Engines) {
    let house = House::configured(engines, API, testkit::fake_clock(), |config| {
        config.http.visitor_requests_per_minute = 4;
        config.http.account_requests_per_minute = 60;
    })
    .await;
    let admin = house.admin().await;
    let visitor = house.visitor();
    house.clock.advance(Duration::from_secs(60));
    for remaining in [3, 2, 1, 0] {
        let answer = visitor.get("/api/v1/videos").await.expect(200);
        assert_eq!(left(&answer.headers), remaining);
        assert_eq!(answer.headers["ratelimit-policy"], "\"address\";q=4;w=60");
    }
    let refused = visitor.get("/api/v1/videos").await.expect(429);
    assert_eq!(
        (refused.code(), refused.headers["retry-after"].to_str().unwrap()),
        ("too_many_requests", "15")
    );
    assert_eq!(refused.headers["ratelimit"], "\"address\";r=0;t=60");
    // Somebody signed in has a quota of their own, and pages cost nothing.
    let mine = admin.get("/api/v1/videos").await.expect(200);
    assert_eq!(mine.headers["ratelimit-policy"], "\"account\";q=60;w=60");
    visitor.get("/").await.expect(200);
    house.clock.advance(Duration::from_secs(15));
    visitor.get("/api/v1/videos").await.expect(200);
    visitor.get("/api/v1/videos").await.expect(429);
}

async fn streams_are_limited_and_end_with_the_session(engines: Engines) {
    let house = House::configured(engines, API, testkit::fake_clock(), |config| {
        config.app.event_streams = 2;
        config.app.event_stream_check_seconds = 1;
    })
    .await;
    let admin = house.admin().await;
    let ben = house.person(&admin, "ben", "creator").await;
    let open = async || ben.request(Method::GET, "/api/v1/studio/events").send().await.unwrap();
    let (mut one, mut two) = (open().await, open().await);
    assert_eq!((one.status().as_u16(), two.status().as_u16()), (200, 200));
    let third = send(ben.request(Method::GET, "/api/v1/studio/events")).await.expect(429);
    assert_eq!(third.code(), "too_many_streams");
    // Others have places of their own.
    assert_eq!(admin.request(Method::GET, "/api/v1/studio/events").send().await.unwrap().status(), 200);
    ben.delete("/api/v1/session").await.expect(204);
    for stream in [&mut one, &mut two] {
        let ended = async { while let Ok(Some(_)) = stream.chunk().await {} };
        tokio::time::timeout(Duration::from_secs(30), ended).await.expect("the stream ends with the session");
    }
    let ben = house.sign_in("ben@example.org").await;
    let mut again = ben.request(Method::GET, "/api/v1/studio/events").send().await.unwrap();
    assert_eq!(again.status(), 200);
    let path = format!("/api/v1/users/{}", ben.id.unwrap());
    admin.patch(&path, json!({ "disabled": true })).await.expect(200);
    let ended = async { while let Ok(Some(_)) = again.chunk().await {} };
    tokio::time::timeout(Duration::from_secs(30), ended).await.expect("the stream ends with the account");
}
