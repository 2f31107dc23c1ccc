//! How the work on titles ends other than well, and how titles end: cancelled, failed, in the trash, deleted for good.

use std::time::{Duration, Instant};

use domain::{VideoId, Visibility::Public};
use reqwest::Method;
use serde_json::json;
use server::config::Role;
use store::{artwork, jobs, presentations, sources, steps};

use crate::{
    engines::Engines,
    film::{every_frame_once, film, strays},
    harness::{Caller, House, send},
};

crate::on_both_engines!(
    a_cancelled_title_leaves_no_strays_and_can_be_retried,
    a_broken_file_fails_in_words,
    a_deleted_title_comes_back_or_goes_for_good,
    the_trash_is_emptied_after_thirty_days,
    cancelling_ends_the_upload,
);

/// Waits until no worker is busy with the title any more.
async fn settled(house: &House, id: VideoId) {
    let began = Instant::now();
    loop {
        let mut reader = house.app().store.reader().await.unwrap();
        let jobs = jobs::list(&mut reader, &id.to_string()).await.unwrap();
        let busy = |job: &&jobs::Job| {
            job.state == jobs::State::Running
                || job.state == jobs::State::Queued
                || (job.state == jobs::State::Cancelled && job.lease_until > house.clock.now())
        };
        if !jobs.iter().any(|job| busy(&job)) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{jobs:#?}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// Waits until the title is no more.
async fn gone(caller: &Caller, id: VideoId) {
    let began = Instant::now();
    while caller.get(&format!("/api/v1/videos/{id}")).await.status != 404 {
        assert!(began.elapsed() < Duration::from_secs(60), "the title is still there");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

async fn a_cancelled_title_leaves_no_strays_and_can_be_retried(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let film = film(60).await;
    let id = admin.upload("changed my mind", &film.file).await;
    let encoding = |video: &serde_json::Value| {
        let steps = video["steps"].as_array().unwrap();
        steps.iter().any(|step| step["name"] == "encode" && step["state"] == "running")
    };
    admin.until(id, encoding).await;
    let cancelled = admin.post(&format!("/api/v1/videos/{id}/cancel"), json!({})).await.expect(200);
    assert_eq!(cancelled.json["state"], "cancelled");
    settled(&house, id).await;
    let video = admin.video(id).await;
    assert_eq!((&video["state"], &video["complete"]), (&"cancelled".into(), &false.into()));
    for step in video["steps"].as_array().unwrap() {
        assert!(step["state"] == "done" || step["state"] == "cancelled", "{step}");
    }
    assert_eq!(strays(&house, &[id]).await, [""; 0]);
    let again = admin.post(&format!("/api/v1/videos/{id}/cancel"), json!({})).await;
    again.expect(409);
    admin.post(&format!("/api/v1/videos/{id}/playback"), json!({})).await.expect(409);

    let retried = admin.post(&format!("/api/v1/videos/{id}/retry"), json!({})).await.expect(200);
    assert_eq!(retried.json["state"], "processing");
    admin.until_complete(id).await;
    settled(&house, id).await;
    let playback = house.visitor().playback(id).await;
    let hls = format!("{}{}", house.base, playback["hls_url"].as_str().unwrap());
    assert_eq!(every_frame_once(&film, &hls).await, 2);
    assert_eq!(strays(&house, &[id]).await, [""; 0]);
}

async fn a_broken_file_fails_in_words(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let whole = std::fs::read(film(3).await.file).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("film.mp4");
    let mut titles = Vec::new();
    for bytes in [crate::upload::noise(50_000).to_vec(), whole[..whole.len() / 2].to_vec()] {
        std::fs::write(&file, bytes).unwrap();
        let id = admin.upload("broken", &file).await;
        titles.push(id);
        for attempt in 0..2 {
            let video = admin.until(id, |video| video["state"] == "failed").await;
            let words = video["error"].as_str().unwrap();
            assert!(words.ends_with('.') && words.len() > 20, "{words}");
            let told =
                video["steps"].as_array().unwrap().iter().find(|step| step["name"] == "probe").unwrap();
            assert_eq!((&told["state"], &told["message"]), (&"failed".into(), &words.into()));
            assert!(house.visitor().get(&format!("/api/v1/videos/{id}")).await.status == 404);
            if attempt == 0 {
                let retried = admin.post(&format!("/api/v1/videos/{id}/retry"), json!({})).await.expect(200);
                assert_eq!(
                    (&retried.json["state"], &retried.json["error"]),
                    (&"processing".into(), &json!(null))
                );
            }
        }
        settled_or_dead(&house, id).await;
    }
    assert_eq!(strays(&house, &titles).await, [""; 0]);
}

async fn settled_or_dead(house: &House, id: VideoId) {
    settled(house, id).await;
    let mut reader = house.app().store.reader().await.unwrap();
    assert!(presentations::of_video(&mut reader, id).await.unwrap().len() <= 1);
}

async fn a_deleted_title_comes_back_or_goes_for_good(engines: Engines) {
    let house = House::working(engines).await;
    let (admin, visitor) = (house.admin().await, house.visitor());
    let id = admin.upload("film", &film(3).await.file).await;
    let path = format!("/api/v1/videos/{id}");
    admin.until_complete(id).await;
    settled(&house, id).await;
    let poster = admin.video(id).await["poster_url"].as_str().unwrap().to_owned();
    visitor.get(&poster).await.expect(200);
    let history = json!({ "position_ms": 1000, "duration_ms": 3000 });
    admin.put(&format!("/api/v1/me/history/{id}"), history).await.expect(204);

    let trashed = admin.delete(&path).await.expect(200);
    assert!(trashed.json["deleted_at"].is_string());
    for gone in [path.clone(), poster.clone()] {
        visitor.get(&gone).await.expect(404);
    }
    visitor.post(&format!("{path}/playback"), json!({})).await.expect(404);
    assert!(visitor.get("/api/v1/videos").await.each("id").is_empty());
    assert_eq!(admin.get("/api/v1/studio/videos?trash=true").await.each("id"), [id.to_string()]);

    let restored = admin.post(&format!("{path}/restore"), json!({})).await.expect(200);
    assert!(restored.json["deleted_at"].is_null());
    visitor.get(&poster).await.expect(200);
    let playback = visitor.playback(id).await;
    visitor.get(playback["hls_url"].as_str().unwrap()).await.expect(200);
    assert_eq!(visitor.get("/api/v1/videos").await.each("id"), [id.to_string()]);

    admin.delete(&format!("{path}?permanent=true")).await.expect(204);
    visitor.get(&path).await.expect(404);
    gone(&admin, id).await;
    assert_eq!(strays(&house, &[]).await, [""; 0]);
    let mut reader = house.app().store.reader().await.unwrap();
    assert!(presentations::of_video(&mut reader, id).await.unwrap().is_empty());
    assert!(sources::of_video(&mut reader, id).await.unwrap().is_empty());
    assert!(steps::list(&mut reader, id).await.unwrap().is_empty());
    assert!(artwork::ids(&mut reader, id).await.unwrap().is_empty());
    assert!(admin.get("/api/v1/me/history").await.each("id").is_empty());
    // Its bytes no longer count.
    let session = admin.get("/api/v1/session").await.expect(200);
    assert_eq!(session.json["user"]["used_bytes"], 0);
}

async fn the_trash_is_emptied_after_thirty_days(engines: Engines) {
    let house = House::start(engines, &[Role::Api, Role::Origin], testkit::fake_clock()).await;
    let admin = house.admin().await;
    let (old, young) = (house.title(&admin, "Old", Public).await, house.title(&admin, "Young", Public).await);
    admin.delete(&old.path()).await.expect(200);
    house.clock.advance(Duration::from_secs(2 * 86_400));
    admin.delete(&young.path()).await.expect(200);
    house.clock.advance(Duration::from_secs(28 * 86_400 - 60));
    // The round that the start begins with finds nothing: both are still to be had back.
    let house = house.restarted(&Role::ALL).await;
    let admin = house.sign_in("ada@example.org").await;
    let trash = admin.get("/api/v1/studio/videos?trash=true").await.expect(200);
    assert_eq!(trash.each("id").len(), 2);
    house.clock.advance(Duration::from_secs(120));
    let house = house.restarted(&Role::ALL).await;
    gone(&admin.moved_to(&house.base), old.id).await;
    let admin = house.sign_in("ada@example.org").await;
    let trash = admin.get("/api/v1/studio/videos?trash=true").await.expect(200);
    assert_eq!(trash.each("id"), [young.id.to_string()]);
    let kept = [320, 640, 1280].map(|width| backends::blob::names::picture(young.id, &young.poster, width));
    let left = strays(&house, &[]).await;
    assert!(left.len() == 3 && kept.iter().all(|object| left.contains(object)), "{left:?}");
}

async fn cancelling_ends_the_upload(engines: Engines) {
    let house = House::start(engines, &[Role::Api, Role::Origin], testkit::fake_clock()).await;
    let admin = house.admin().await;
    let bytes = std::fs::read(film(3).await.file).unwrap();
    let (upload, id) = admin.begin_upload("changed my mind", bytes.len()).await;
    let half = bytes.len() / 2;
    admin.send_bytes(&upload, 0, bytes[..half].to_vec()).await.expect(204);
    assert_eq!(admin.get("/api/v1/me/uploads").await.expect(200).json.as_array().unwrap().len(), 1);
    admin.post(&format!("/api/v1/videos/{id}/cancel"), json!({})).await.expect(200);
    send(admin.tus(Method::HEAD, &upload)).await.expect(410);
    let late = admin.send_bytes(&upload, half, bytes[half..].to_vec()).await.expect(410);
    assert_eq!(late.code(), "gone");
    assert_eq!(admin.video(id).await["state"], "cancelled");
    admin.post(&format!("/api/v1/videos/{id}/retry"), json!({})).await.expect(409);
    // The bytes go with the next round of maintenance.
    let house = house.restarted(&[Role::Api]).await;
    let admin = admin.moved_to(&house.base);
    let began = Instant::now();
    while send(admin.tus(Method::HEAD, &upload)).await.status != 404 {
        assert!(began.elapsed() < Duration::from_secs(30), "the upload is still there");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    assert!(admin.get("/api/v1/me/uploads").await.expect(200).json.as_array().unwrap().is_empty());
    assert_eq!(strays(&house, &[id]).await, [""; 0]);
    let staging = house.engines.dir().join("blobs/.staging");
    assert!(std::fs::read_dir(staging).map_or(0, Iterator::count) == 0);
    let session = admin.get("/api/v1/session").await.expect(200);
    assert_eq!(session.json["user"]["used_bytes"], 0);
}
