//! How many streams an account plays at once, on how many devices, and how they are stopped.

use std::time::Duration;

use backends::{blob::names, clock::Clock};
use domain::{VideoId, Visibility, revocation::Revocation};
use serde_json::{Value, json};
use server::config::{Config, Role};
use uuid::Uuid;

use crate::{
    engines::Engines,
    harness::{Answer, Caller, House},
};

crate::on_both_engines!(
    one_stream_too_many_is_refused_until_another_is_stopped,
    streams_that_lapse_make_room_and_end,
    looks_and_visitors_are_not_counted,
    one_device_too_many_is_refused_until_another_is_signed_out,
    whoever_is_signed_out_watches_no_longer,
);

async fn house(engines: Engines, change: impl FnOnce(&mut Config)) -> House {
    House::configured(engines, &[Role::Api, Role::Origin], testkit::fake_clock(), change).await
}

/// The same account, signed in on another device.
async fn device(house: &House) -> Caller {
    house.sign_in("ada@example.org").await
}

async fn public(house: &House, admin: &Caller) -> VideoId {
    house.title(admin, "Film", Visibility::Public).await.id
}

async fn watch(caller: &Caller, id: VideoId) -> Answer {
    caller.post(&format!("/api/v1/videos/{id}/playback"), json!({})).await
}

async fn session(caller: &Caller, id: VideoId) -> Uuid {
    watch(caller, id).await.expect(200).json["session"].as_str().unwrap().parse().unwrap()
}

async fn keep(caller: &Caller, session: Uuid) -> Answer {
    caller.put(&format!("/api/v1/me/streams/{session}"), json!({})).await
}

async fn streams(caller: &Caller) -> Vec<Value> {
    caller.get("/api/v1/me/streams").await.expect(200).json.as_array().unwrap().clone()
}

/// Sessions whose tokens edges no longer let pass.
async fn revoked(house: &House) -> Vec<Uuid> {
    let entries = house.engines.blobs().list(&names::revocations()).await.unwrap();
    let found = entries.iter().filter_map(|entry| match names::revocation_of(&entry.object)? {
        Revocation::Session { session, .. } => Some(session),
        Revocation::Title { .. } => None,
    });
    found.collect()
}

async fn one_stream_too_many_is_refused_until_another_is_stopped(engines: Engines) {
    let house = house(engines, |config| config.app.streams_per_account = 2).await;
    let tv = house.admin().await;
    let (phone, laptop) = (device(&house).await, device(&house).await);
    let film = public(&house, &tv).await;
    let first = session(&tv, film).await;
    let second = session(&phone, film).await;
    assert_eq!(watch(&laptop, film).await.expect(403).code(), "too_many_streams");
    for session in [first, second] {
        keep(&tv, session).await.expect(204);
    }
    let told = streams(&laptop).await;
    let sessions: Vec<&str> = told.iter().map(|stream| stream["session"].as_str().unwrap()).collect();
    assert_eq!(sessions.len(), 2);
    assert!(told.iter().all(|stream| stream["title"] == "Film" && stream["here"] == false), "{told:?}");
    assert_eq!(streams(&phone).await.iter().filter(|stream| stream["here"] == true).count(), 1);
    // Nobody else sees or stops them.
    let stranger = house.person(&tv, "eve", "viewer").await;
    assert_eq!(streams(&stranger).await, Vec::<Value>::new());
    stranger.delete(&format!("/api/v1/me/streams/{first}")).await.expect(404);
    house.visitor().get("/api/v1/me/streams").await.expect(401);
    assert!(revoked(&house).await.is_empty());

    laptop.delete(&format!("/api/v1/me/streams/{first}")).await.expect(204);
    assert_eq!(revoked(&house).await, [first]);
    assert_eq!(keep(&tv, first).await.expect(410).code(), "stopped_elsewhere");
    let again = format!("/api/v1/videos/{film}/playback?after={first}");
    assert_eq!(tv.post(&again, json!({})).await.expect(403).code(), "stopped_elsewhere");
    let third = session(&laptop, film).await;
    assert_eq!(watch(&tv, film).await.expect(403).code(), "too_many_streams");
    laptop.delete(&format!("/api/v1/me/streams/{first}")).await.expect(404);

    // A player that goes on with its own stream needs no second place, and one that leaves gives its place back.
    let again = format!("/api/v1/videos/{film}/playback?after={third}");
    let fourth =
        laptop.post(&again, json!({})).await.expect(200).json["session"].as_str().unwrap().to_owned();
    assert!(revoked(&house).await.contains(&third), "the addresses before it end");
    laptop.delete(&format!("/api/v1/me/streams/{fourth}?left=true")).await.expect(204);
    session(&tv, film).await;
}

async fn streams_that_lapse_make_room_and_end(engines: Engines) {
    let house = house(engines, |config| config.app.streams_per_account = 1).await;
    let tv = house.admin().await;
    let phone = device(&house).await;
    let film = public(&house, &tv).await;
    let first = session(&tv, film).await;
    for _ in 0..4 {
        house.clock.advance(Duration::from_secs(60));
        keep(&tv, first).await.expect(204);
        watch(&phone, film).await.expect(403);
    }
    house.clock.advance(Duration::from_secs(91));
    let second = session(&phone, film).await;
    assert_eq!(revoked(&house).await, [first], "it would play uncounted");
    assert_eq!(keep(&tv, first).await.expect(410).code(), "stream_lapsed");
    let again = format!("/api/v1/videos/{film}/playback?after={first}");
    assert_eq!(tv.post(&again, json!({})).await.expect(403).code(), "too_many_streams");
    keep(&phone, second).await.expect(204);
    // Revocations are forgotten when the tokens have ended by themselves.
    house.app().tidy_revocations().await.unwrap();
    assert_eq!(revoked(&house).await, [first]);
    house.clock.advance(Duration::from_secs(7 * 3600));
    house.app().tidy_revocations().await.unwrap();
    assert!(revoked(&house).await.is_empty());
}

async fn looks_and_visitors_are_not_counted(engines: Engines) {
    let house = house(engines, |config| config.app.streams_per_account = 1).await;
    let admin = house.admin().await;
    let film = public(&house, &admin).await;
    let viewer = house.person(&admin, "vera", "viewer").await;
    let look = format!("/api/v1/videos/{film}/playback?purpose=preview");
    for _ in 0..3 {
        let answer = viewer.post(&look, json!({})).await.expect(200);
        assert_eq!(answer.json["keep_alive_seconds"], Value::Null);
        let visitor = watch(&house.visitor(), film).await.expect(200);
        assert_eq!(visitor.json["keep_alive_seconds"], Value::Null);
    }
    assert_eq!(streams(&viewer).await, Vec::<Value>::new());
    let main = viewer.post(&look, json!({})).await.expect(200).json["hls_url"].as_str().unwrap().to_owned();
    // The title has no media; the token is looked at first.
    viewer.get(&main).await.expect(404);
    house.clock.advance(Duration::from_secs(181));
    assert_eq!(viewer.get(&main).await.expect(401).code(), "token_expired");
    assert_eq!(watch(&viewer, film).await.expect(200).json["keep_alive_seconds"], 30);
    viewer.post(&format!("/api/v1/videos/{film}/playback?purpose=steal"), json!({})).await.expect(422);
}

async fn one_device_too_many_is_refused_until_another_is_signed_out(engines: Engines) {
    let house = house(engines, |config| config.app.devices_per_account = 2).await;
    let tv = house.admin().await;
    let (phone, laptop) = (device(&house).await, device(&house).await);
    let film = public(&house, &tv).await;
    for caller in [&tv, &phone, &tv] {
        watch(caller, film).await.expect(200);
    }
    assert_eq!(watch(&laptop, film).await.expect(403).code(), "too_many_devices");
    let told = laptop.get("/api/v1/me/sessions").await.expect(200).json;
    let other = told.as_array().unwrap().iter().find(|one| one["watched_at"] != Value::Null).unwrap();
    laptop.delete(&format!("/api/v1/me/sessions/{}", other["id"].as_str().unwrap())).await.expect(204);
    watch(&laptop, film).await.expect(200);
    // A device that nobody has watched on for a month counts no longer.
    let tablet = device(&house).await;
    watch(&tablet, film).await.expect(403);
    house.clock.advance(Duration::from_secs(29 * 86_400));
    watch(&tablet, film).await.expect(403);
    house.clock.advance(Duration::from_secs(86_401));
    watch(&device(&house).await, film).await.expect(200);
}

async fn whoever_is_signed_out_watches_no_longer(engines: Engines) {
    let house = house(engines, |_| {}).await;
    let tv = house.admin().await;
    let (phone, laptop) = (device(&house).await, device(&house).await);
    let film = public(&house, &tv).await;
    let (on_tv, on_phone, on_laptop) =
        (session(&tv, film).await, session(&phone, film).await, session(&laptop, film).await);
    phone.delete("/api/v1/session").await.expect(204);
    assert_eq!(revoked(&house).await, [on_phone]);
    let body =
        json!({ "current_password": crate::harness::PASSWORD, "new_password": "another long password" });
    tv.post("/api/v1/me/password", body).await.expect(204);
    let ended = revoked(&house).await;
    assert!(ended.contains(&on_laptop) && !ended.contains(&on_tv), "{ended:?}");
    keep(&tv, on_tv).await.expect(204);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_watch_while_the_cache_is_away() {
    let engines = Engines::embedded().cache_away();
    let roles = [Role::Api, Role::Origin];
    let one = |config: &mut Config| config.app.streams_per_account = 1;
    let house = House::configured(engines, &roles, Clock::system(), one).await;
    let admin = house.admin().await;
    let film = public(&house, &admin).await;
    for _ in 0..2 {
        let session = session(&admin, film).await;
        keep(&admin, session).await.expect(204);
    }
    admin.get("/api/v1/me/streams").await.expect(503);
    admin.delete("/api/v1/session").await.expect(204);
}
