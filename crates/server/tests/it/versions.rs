//! Versions of a title: replaced and trimmed sources, going back, and what is removed when.

use std::{path::Path, time::Duration};

use backends::{blob::names, clock::Clock};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::VideoId;
use reqwest::Method;
use serde_json::{Value, json};
use server::config::Role;
use store::{jobs, presentations, units, versions, videos};
use testkit::media::{Clip, Video};

use crate::{
    engines::Engines,
    film::{Film, film, judge, run, shape, strays, times, variants},
    harness::{Answer, Caller, House, send},
};

crate::on_both_engines!(
    a_replaced_source_keeps_the_address_and_the_viewers,
    a_failed_or_cancelled_replacement_changes_nothing,
    a_trimmed_title_has_exactly_what_was_kept,
    versions_are_for_those_who_manage_the_title,
);

/// Begins an upload that replaces the source of `video`.
async fn begin(caller: &Caller, video: VideoId, length: usize) -> Answer {
    let metadata: Vec<String> = [("filename", "next.mp4"), ("replaces", &video.to_string())]
        .iter()
        .map(|(name, value)| format!("{name} {}", STANDARD.encode(value)))
        .collect();
    let request = caller.tus(Method::POST, "/api/v1/uploads").header("upload-length", length);
    send(request.header("upload-metadata", metadata.join(","))).await
}

async fn replace(caller: &Caller, video: VideoId, file: &Path) {
    let bytes = std::fs::read(file).unwrap();
    let answer = begin(caller, video, bytes.len()).await.expect(201);
    assert_eq!(answer.headers["kinora-video-id"], video.to_string());
    let upload = answer.headers["location"].to_str().unwrap().to_owned();
    caller.send_bytes(&upload, 0, bytes).await.expect(204);
}

async fn listed(caller: &Caller, video: VideoId) -> Vec<Value> {
    caller.get(&format!("/api/v1/videos/{video}/versions")).await.expect(200).json.as_array().unwrap().clone()
}

/// Waits until the newest version is `wanted`.
async fn until(caller: &Caller, video: VideoId, wanted: &str) -> Value {
    let began = std::time::Instant::now();
    loop {
        let newest = listed(caller, video).await.remove(0);
        if newest["state"] == wanted {
            return newest;
        }
        assert!(began.elapsed() < Duration::from_secs(100), "still {newest:#}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

/// Waits until no job is left to do.
async fn until_idle(house: &House) {
    let idle = async {
        loop {
            let stats = jobs::stats(&mut house.app().store.reader().await.unwrap()).await.unwrap();
            if stats.iter().all(|count| count.state == jobs::State::Dead) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(100), idle).await.expect("jobs that never end");
}

/// Waits until nothing is stored that no row refers to.
async fn until_clean(house: &House, titles: &[VideoId]) {
    let began = std::time::Instant::now();
    loop {
        until_idle(house).await;
        let left = strays(house, titles).await;
        if left.is_empty() {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{left:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn fetched(base: &str, playback: &Value) -> u16 {
    let url = format!("{base}{}", playback["hls_url"].as_str().unwrap());
    reqwest::get(url).await.unwrap().status().as_u16()
}

async fn a_replaced_source_keeps_the_address_and_the_viewers(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let visitor = house.visitor();
    let (first, second) = (film(14).await, film(9).await);
    let id = admin.upload("A film", &first.file).await;
    let before = admin.until_complete(id).await;
    assert_eq!(listed(&admin, id).await.len(), 1);
    let watching = visitor.playback(id).await;
    judge(&first, &house.base, &watching).await;

    replace(&admin, id, &second.file).await;
    // The old version plays on, for everybody, until the new one is complete.
    let row = visitor.get(&format!("/api/v1/videos/{id}")).await.expect(200).json;
    assert_eq!((&row["state"], &row["duration_ms"]), (&json!("ready"), &before["duration_ms"]));
    begin(&admin, id, 100).await.expect(409);
    until(&admin, id, "ready").await;
    let after = admin.video(id).await;
    assert_eq!(
        (&after["id"], &after["page_url"], &after["published_at"]),
        (&before["id"], &before["page_url"], &before["published_at"])
    );
    assert_eq!((&after["complete"], &after["duration_ms"]), (&json!(true), &json!(9000)));
    let fresh = visitor.playback(id).await;
    assert_ne!(fresh["presentation_id"], watching["presentation_id"]);
    judge(&second, &house.base, &fresh).await;
    // Whoever was in mid-film sees the old one to its end.
    judge(&first, &house.base, &watching).await;
    until_idle(&house).await;
    assert_eq!(strays(&house, &[id]).await, [""; 0]);

    // Back and forth.
    let history = listed(&admin, id).await;
    let (old, new) = (&history[1], &history[0]);
    assert_eq!(
        (&old["kind"], &old["current"], &new["kind"], &new["current"]),
        (&json!("original"), &json!(false), &json!("replaced"), &json!(true))
    );
    assert!(old["kept_until"].is_string() && new["kept_until"].is_null());
    let restore = format!("/api/v1/videos/{id}/versions/{}/restore", old["id"].as_str().unwrap());
    let back = admin.post(&restore, json!({})).await.expect(200).json;
    assert_eq!(back["duration_ms"], 14_000);
    assert_eq!(visitor.playback(id).await["presentation_id"], watching["presentation_id"]);
    let delete =
        |version: &Value| format!("/api/v1/videos/{id}/versions/{}", version["id"].as_str().unwrap());
    admin.delete(&delete(old)).await.expect(409);
    admin.delete(&delete(new)).await.expect(204);
    admin.delete(&delete(new)).await.expect(404);
    admin.post(&format!("{}/restore", delete(new)), json!({})).await.expect(404);

    // Only when the last playback of it must have ended do its objects go. Time passes between two lives of the server.
    let engines = house.engines.clone();
    house.server.stop();
    house.server.wait().await.unwrap();
    for (hours, gone) in [(6, false), (8, true)] {
        let clock = Clock::manual(Clock::system().now().plus(hours * domain::Micros::HOUR));
        let house = House::start(engines.clone(), &Role::ALL, clock).await;
        let presentation = fresh["presentation_id"].as_str().unwrap().parse().unwrap();
        let began = std::time::Instant::now();
        loop {
            tokio::time::sleep(Duration::from_secs(3)).await;
            until_idle(&house).await;
            let kept = house.server.blobs.list(&names::presentation(presentation)).await.unwrap();
            if kept.is_empty() == gone {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "after {hours} h: {} objects", kept.len());
        }
        house.server.stop();
        house.server.wait().await.unwrap();
    }
    let house = House::working(engines).await;
    until_clean(&house, &[id]).await;
    assert_eq!(
        house.server.blobs.list("masters").await.unwrap().len(),
        1,
        "the other source went with its version"
    );
    assert_eq!(fetched(&house.base, &watching).await, 200);
}

async fn a_failed_or_cancelled_replacement_changes_nothing(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let film = film(9).await;
    let id = admin.upload("A film", &film.file).await;
    let before = admin.until_complete(id).await;
    let playing = house.visitor().playback(id).await;

    let broken = house.engines.dir().join("broken.mp4");
    std::fs::write(&broken, crate::upload::noise(40_000)).unwrap();
    replace(&admin, id, &broken).await;
    let failed = until(&admin, id, "failed").await;
    assert!(failed["error"].as_str().is_some_and(|words| words.len() > 10), "{failed}");

    // Cancelled while its bytes arrive, while it is converted, and by ending the upload.
    let bytes = std::fs::read(&film.file).unwrap();
    let answer = begin(&admin, id, bytes.len()).await.expect(201);
    let upload = answer.headers["location"].to_str().unwrap().to_owned();
    admin.send_bytes(&upload, 0, bytes[..1000].to_vec()).await.expect(204);
    let cancel = format!("/api/v1/videos/{id}/cancel");
    admin.post(&cancel, json!({})).await.expect(200);
    until(&admin, id, "cancelled").await;
    admin.send_bytes(&upload, 1000, bytes[1000..].to_vec()).await.expect(410);
    let answer = begin(&admin, id, bytes.len()).await.expect(201);
    let ended = answer.headers["location"].to_str().unwrap().to_owned();
    send(admin.tus(Method::DELETE, &ended)).await.expect(204);
    until(&admin, id, "cancelled").await;
    replace(&admin, id, &crate::film::film(14).await.file).await;
    until(&admin, id, "processing").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    admin.post(&cancel, json!({})).await.expect(200);
    admin.post(&cancel, json!({})).await.expect(409);

    let after = admin.video(id).await;
    for field in ["state", "complete", "duration_ms", "error"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    assert_eq!(house.visitor().playback(id).await["presentation_id"], playing["presentation_id"]);
    judge(&film, &house.base, &playing).await;
    let states: Vec<String> = listed(&admin, id)
        .await
        .iter()
        .map(|version| version["state"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(states, ["cancelled", "cancelled", "cancelled", "failed", "ready"]);
    until_idle(&house).await;
    let house = house.restarted(&Role::ALL).await;
    until_clean(&house, &[id]).await;
    assert_eq!(house.server.blobs.list("masters").await.unwrap().len(), 1);
}

fn keep(parts: &[(u64, u64)]) -> Value {
    json!(
        parts
            .iter()
            .map(|(start_ms, end_ms)| json!({ "start_ms": start_ms, "end_ms": end_ms }))
            .collect::<Vec<_>>()
    )
}

async fn trim(caller: &Caller, id: VideoId, keep: Value, dry_run: bool) -> Answer {
    caller.post(&format!("/api/v1/videos/{id}/trim"), json!({ "keep": keep, "dry_run": dry_run })).await
}

/// The kept frames stand once each on every rung, at their times; the sound is as long as the picture; nothing complains.
async fn judge_trimmed(house: &House, film: &Film, parts: &[(u64, u64)], playback: &Value) {
    let source = times(film.file.to_str().unwrap(), "v").await;
    let mut wanted = Vec::new();
    let mut start = 0;
    for (from, to) in parts {
        let own = source.iter().map(|at| at - source[0]);
        wanted.extend(
            own.filter(|at| *at >= *from as i64 * 1000 - 500 && *at < *to as i64 * 1000 - 500)
                .map(|at| start + at - *from as i64 * 1000),
        );
        start += (*to - *from) as i64 * 1000;
    }
    let url = |field: &str| format!("{}{}", house.base, playback[field].as_str().unwrap());
    let (hls, dash) = (url("hls_url"), url("dash_url"));
    let base = hls.rsplit_once('/').unwrap().0;
    for variant in variants(&hls).await {
        let shown = times(&format!("{base}/{variant}"), "v").await;
        assert_eq!(shown.len(), wanted.len(), "{variant}");
        for (n, (shown_at, wanted_at)) in shown.iter().zip(&wanted).enumerate() {
            let off = (shown_at - shown[0]) - wanted_at;
            assert!(off.abs() < 1000, "{variant}: frame {n} is {off} µs from its time");
        }
    }
    for manifest in [&hls, &dash] {
        let (starts, duration) = shape(manifest).await;
        let apart =
            starts.iter().fold(f64::MIN, |a, b| a.max(*b)) - starts.iter().fold(f64::MAX, |a, b| a.min(*b));
        assert!(apart < 0.02, "{manifest}: streams start {apart} s apart");
        // ffprobe knows whole seconds of an MPD only.
        let told = if manifest == &dash { duration + start as f64 / 1e6 % 1.0 } else { duration };
        assert!((told - start as f64 / 1e6).abs() < 0.05, "{manifest}: {duration} s");
        run("ffmpeg", &["-v", "warning", "-i", manifest, "-map", "0", "-f", "null", "-"]).await;
    }
    // Which frames they are: the running picture has no two alike. The encoder blurs, so each must be nearest to its own.
    let rung = format!("{base}/{}", variants(&hls).await[0]);
    nearest(film, &rung, parts).await;
}

/// Every shown picture is nearer to the source picture that it should be than to those around it.
async fn nearest(film: &Film, shown: &str, parts: &[(u64, u64)]) {
    let source = raw(film.file.to_str().unwrap()).await;
    let shown = raw(shown).await;
    let wanted: Vec<usize> =
        parts.iter().flat_map(|(from, to)| (*from as usize / 40)..(*to as usize / 40)).collect();
    assert_eq!(shown.len(), wanted.len());
    let distance =
        |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum::<u64>();
    for (n, own) in wanted.iter().enumerate() {
        let mine = distance(&shown[n], &source[*own]);
        for other in [own.wrapping_sub(1), own + 1] {
            if let Some(other) = source.get(other) {
                assert!(mine < distance(&shown[n], other), "picture {n} is not source frame {own}");
            }
        }
    }
}

/// Decoded pictures, gray, 160 × 90.
async fn raw(input: &str) -> Vec<Vec<u8>> {
    let args = [
        "-v",
        "error",
        "-i",
        input,
        "-map",
        "0:v:0",
        "-vf",
        "scale=160:90,format=gray",
        "-fps_mode",
        "passthrough",
        "-f",
        "rawvideo",
        "-",
    ];
    let done = tokio::process::Command::new("ffmpeg").args(args).output().await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout.chunks_exact(160 * 90).map(<[u8]>::to_vec).collect()
}

async fn a_trimmed_title_has_exactly_what_was_kept(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let film = film(30).await;
    let id = admin.upload("A film", &film.file).await;
    admin.until_complete(id).await;
    let whole = house.visitor().playback(id).await;

    let parts = [(1_000, 9_480), (13_200, 26_040)];
    let dry = trim(&admin, id, keep(&parts), true).await.expect(200).json;
    assert_eq!((&dry["duration_ms"], &dry["version_id"]), (&json!(21_320), &Value::Null));
    assert_eq!(dry["segments_encoded"], 4, "{dry}");
    assert_eq!(listed(&admin, id).await.len(), 1, "a dry run changes nothing");
    let told = trim(&admin, id, keep(&parts), false).await.expect(202).json;
    trim(&admin, id, keep(&parts), false).await.expect(409);
    let version = until(&admin, id, "ready").await;
    assert_eq!((&version["id"], &version["kind"]), (&told["version_id"], &json!("trimmed")));
    let video = admin.video(id).await;
    assert_eq!((&video["duration_ms"], &video["width"]), (&json!(21_320), &json!(160)));
    let playback = house.visitor().playback(id).await;
    judge_trimmed(&house, &film, &parts, &playback).await;
    judge(&film, &house.base, &whole).await;
    // Only the segments at the cuts were encoded: one job for each.
    let mut reader = house.app().store.reader().await.unwrap();
    let row = videos::get(&mut reader, id).await.unwrap();
    let own = units::list(&mut reader, row.presentation().unwrap()).await.unwrap();
    let prefix = names::presentation(row.presentation().unwrap());
    let fresh =
        own.iter().filter(|unit| unit.name.starts_with("v:") && unit.result.contains(&prefix)).count();
    assert_eq!(fresh, 4);
    drop(reader);

    // Again: pieces of pieces, and a cut through what was encoded for the first.
    trim(&admin, id, keep(&[(400, 8_560), (9_000, 20_000)]), false).await.expect(202);
    let twice = [(1_400, 9_480), (13_200, 13_280), (13_720, 24_720)];
    let third = loop {
        let list = listed(&admin, id).await;
        if list.len() == 3 && list[0]["state"] == "ready" {
            break list[0].clone();
        }
        assert_ne!(list[0]["state"], "failed", "{list:#?}");
        tokio::time::sleep(Duration::from_millis(40)).await;
    };
    let playback = house.visitor().playback(id).await;
    judge_trimmed(&house, &film, &twice, &playback).await;

    // The first two go; what the third still plays of them stays.
    until_idle(&house).await;
    let history = listed(&admin, id).await;
    let mut tx = house.app().store.begin().await.unwrap();
    for version in &history[1..] {
        let version = version["id"].as_str().unwrap().parse().unwrap();
        assert!(versions::purging(&mut tx, version, Clock::system().now()).await.unwrap());
        versions::discard(&mut tx, version, Clock::system().now()).await.unwrap();
    }
    tx.commit().await.unwrap();
    let gone = async {
        while listed(&admin, id).await.len() > 1 || !remaining(&house, id).await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), gone).await.unwrap();
    until_idle(&house).await;
    judge_trimmed(&house, &film, &twice, &playback).await;
    assert_eq!(strays(&house, &[id]).await, [""; 0]);
    assert_eq!(listed(&admin, id).await[0]["id"], third["id"]);
    // And with the title everything goes.
    admin.delete(&format!("/api/v1/videos/{id}?permanent=true")).await.expect(204);
    until_clean(&house, &[]).await;

    variable(&house, &admin).await;
}

/// Only one presentation is left.
async fn remaining(house: &House, id: VideoId) -> bool {
    let mut reader = house.app().store.reader().await.unwrap();
    presentations::of_video(&mut reader, id).await.unwrap().len() == 1
}

/// A source of uneven frames, and one of sound alone.
async fn variable(house: &House, admin: &Caller) {
    let file = Clip::new(160, 90, 20.0).video(Video::H264Variable).make().await.unwrap();
    let id = admin.upload("Uneven", &file).await;
    admin.until_complete(id).await;
    trim(admin, id, keep(&[(2_500, 9_000), (11_000, 17_300)]), false).await.expect(202);
    let version = until_trimmed(admin, id).await;
    let playback = house.visitor().playback(id).await;
    let hls = format!("{}{}", house.base, playback["hls_url"].as_str().unwrap());
    let dry = version["duration_ms"].as_i64().unwrap();
    assert!((dry - 12_800).abs() < 150, "{version}");
    let base = hls.rsplit_once('/').unwrap().0;
    let mut counts = Vec::new();
    for variant in variants(&hls).await {
        counts.push(times(&format!("{base}/{variant}"), "v").await.len());
    }
    let source = times(file.to_str().unwrap(), "v").await;
    let within = |at: &&i64| (2_450_000..9_000_000).contains(*at) || (10_950_000..17_300_000).contains(*at);
    let wanted = source.iter().filter(within).count();
    assert!(
        counts.iter().all(|count| count.abs_diff(wanted) <= 3 && *count == counts[0]),
        "{counts:?}, about {wanted}"
    );
    run("ffmpeg", &["-v", "warning", "-i", &hls, "-map", "0", "-f", "null", "-"]).await;

    let sound = Clip::new(160, 90, 20.0).video(Video::None).make().await.unwrap();
    let id = admin.upload("Sound", &sound).await;
    admin.until_complete(id).await;
    trim(admin, id, keep(&[(1_000, 6_000), (8_500, 12_000)]), false).await.expect(202);
    until_trimmed(admin, id).await;
    let playback = house.visitor().playback(id).await;
    let hls = format!("{}{}", house.base, playback["hls_url"].as_str().unwrap());
    let (_, duration) = shape(&hls).await;
    assert!((duration - 8.5).abs() < 0.05, "{duration}");
    run("ffmpeg", &["-v", "warning", "-i", &hls, "-map", "0", "-f", "null", "-"]).await;
}

async fn until_trimmed(admin: &Caller, id: VideoId) -> Value {
    let trimmed = async {
        loop {
            let newest = listed(admin, id).await.remove(0);
            assert_ne!(newest["state"], "failed", "{newest:#}");
            if newest["kind"] == "trimmed" && newest["state"] == "ready" {
                return newest;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(100), trimmed).await.unwrap()
}

async fn versions_are_for_those_who_manage_the_title(engines: Engines) {
    let house = House::start(engines, &[Role::Api], testkit::fake_clock()).await;
    let admin = house.admin().await;
    let owner = house.person(&admin, "olga", "creator").await;
    let other = house.person(&admin, "carl", "creator").await;
    let viewer = house.person(&admin, "vera", "viewer").await;
    let title = house.title(&owner, "Film", domain::Visibility::Public).await;
    let id = title.id;
    let list = format!("{}/versions", title.path());
    let parts = keep(&[(0, 1000)]);
    let import = |caller: &Caller| {
        let (caller, body) = (caller.clone(), json!({ "url": "https://example.org/a.mp4", "replaces": id }));
        async move { caller.post("/api/v1/imports", body).await }
    };
    let nobody = house.visitor();
    nobody.get(&list).await.expect(401);
    trim(&nobody, id, parts.clone(), false).await.expect(401);
    begin(&nobody, id, 10).await.expect(401);
    for stranger in [&other, &viewer] {
        stranger.get(&list).await.expect(403);
        trim(stranger, id, parts.clone(), true).await.expect(404);
        let version = "0192f0c1-7e5a-7b3c-8d4e-5f6a7b8c9d0e";
        stranger.post(&format!("{list}/{version}/restore"), json!({})).await.expect(403);
        stranger.delete(&format!("{list}/{version}")).await.expect(403);
    }
    begin(&other, id, 10).await.expect(404);
    begin(&viewer, id, 10).await.expect(403);
    import(&other).await.expect(404);
    import(&viewer).await.expect(403);
    // A token needs both scopes.
    let weak = owner.with_bearer(owner.token(&["upload"]).await);
    begin(&weak, id, 10).await.expect(403);
    import(&weak).await.expect(403);
    let weak = owner.with_bearer(owner.token(&["manage"]).await);
    begin(&weak, id, 10).await.expect(403);
    trim(&owner.with_bearer(owner.token(&["upload"]).await), id, parts.clone(), true).await.expect(403);
    assert_eq!(listed(&owner, id).await.len(), 1, "nothing was begun");
    // Neither a title that grows nor one in the trash.
    let young = house.unfinished(&owner, "Young", domain::Visibility::Private).await;
    begin(&owner, young, 10).await.expect(409);
    owner.delete(&title.path()).await.expect(200);
    begin(&owner, id, 10).await.expect(409);
    trim(&owner, id, parts, false).await.expect(409);
    begin(&owner, VideoId::new(), 10).await.expect(404);
    let both = owner.with_bearer(owner.token(&["upload", "manage"]).await);
    owner.post(&format!("{}/restore", title.path()), json!({})).await.expect(200);
    begin(&both, id, 10).await.expect(201);
    begin(&admin, id, 10).await.expect(409);
}
