//! Titles: editing, trash, paging, pictures, live events, playback, history.

use std::time::Duration;

use domain::Visibility::{Private, Public, Unlisted};
use futures::StreamExt;
use reqwest::Method;
use serde_json::json;
use store::{jobs, steps, videos};

use crate::harness::{House, send};

crate::on_both!(
    edits_need_the_present_revision,
    the_trash_gives_back_and_empties_itself,
    lists_are_paged_newest_first,
    pictures_are_served_with_care,
    playback_resumes_where_one_stopped,
    live_events_follow_a_title,
    work_can_be_cancelled_and_retried,
    shared_links_tell_the_title,
);

async fn edits_need_the_present_revision(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "First", Private).await;
    let read = admin.get(&title.path()).await.expect(200);
    let tag = read.headers["etag"].to_str().unwrap().to_owned();
    let change = |tag: &str, body| {
        send(admin.request(Method::PATCH, &title.path()).header("if-match", tag.to_owned()).json(&body))
    };
    let changed = change(&tag, json!({ "title": " Second ", "visibility": "public" })).await.expect(200);
    assert_eq!((&changed.json["title"], &changed.json["visibility"]), (&json!("Second"), &json!("public")));
    change(&tag, json!({ "title": "Third" })).await.expect(412);
    admin.patch(&title.path(), json!({ "title": "Third" })).await.expect(200);
    for (body, field) in [
        (json!({ "title": " " }), "title"),
        (json!({ "title": "x".repeat(201) }), "title"),
        (json!({ "description": "x".repeat(10_001) }), "description"),
        (json!({ "poster_id": "../../secret" }), "poster_id"),
    ] {
        assert_eq!(admin.patch(&title.path(), body).await.expect(422).json["field"], field);
    }
    let unknown = admin.patch(&title.path(), json!({ "owner": "me" })).await.expect(422);
    assert!(unknown.json["detail"].as_str().unwrap().contains("unknown field `owner`"));
}

async fn the_trash_gives_back_and_empties_itself(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Gone", Public).await;
    let trashed = admin.delete(&title.path()).await.expect(200);
    assert!(trashed.json["deleted_at"].is_string());
    house.visitor().get(&title.path()).await.expect(404);
    assert!(house.visitor().get("/api/v1/videos").await.each("id").is_empty());
    admin.post(&format!("{}/playback", title.path()), json!({})).await.expect(409);
    assert_eq!(admin.get("/api/v1/studio/videos?trash=true").await.each("title"), ["Gone"]);
    admin.post(&format!("{}/restore", title.path()), json!({})).await.expect(200);
    house.visitor().get(&title.path()).await.expect(200);

    admin.delete(&format!("{}?permanent=true", title.path())).await.expect(204);
    let jobs =
        jobs::list(&mut house.app().store.reader().await.unwrap(), &title.id.to_string()).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["purge"]);
    admin.post(&format!("{}/restore", title.path()), json!({})).await.expect(409);
}

async fn lists_are_paged_newest_first(house: House) {
    let admin = house.admin().await;
    for n in 0..5 {
        house.title(&admin, &format!("Film {n}"), Public).await;
    }
    house.title(&admin, "Secret", Unlisted).await;
    let mut seen = Vec::new();
    let mut path = "/api/v1/videos?limit=2".to_owned();
    loop {
        let page = house.visitor().get(&path).await.expect(200);
        seen.extend(page.each("title"));
        match page.json["next_cursor"].as_str() {
            Some(cursor) => path = format!("/api/v1/videos?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, ["Film 4", "Film 3", "Film 2", "Film 1", "Film 0"]);
    let studio = admin.get("/api/v1/studio/videos?state=ready&limit=1").await.expect(200);
    assert_eq!(studio.each("title"), ["Secret"]);
    let cursor = studio.json["next_cursor"].as_str().unwrap();
    let next = admin.get(&format!("/api/v1/studio/videos?limit=1&cursor={cursor}")).await;
    assert_eq!(next.each("title"), ["Film 4"]);
    assert!(next.json["items"][0]["steps"].is_array());
    for bad in ["limit=0", "limit=1000", "limit=x", "cursor=x", "sort=oldest"] {
        let status = house.visitor().get(&format!("/api/v1/videos?{bad}")).await.status.as_u16();
        assert!(matches!(status, 400 | 422), "{bad}: {status}");
    }
}

async fn pictures_are_served_with_care(house: House) {
    let admin = house.admin().await;
    let public = house.title(&admin, "Public", Public).await;
    let private = house.title(&admin, "Private", Private).await;
    let url = admin.get(&public.path()).await.json["poster_url"].as_str().unwrap().to_owned();
    let picture = house.visitor().get(&url).await.expect(200);
    assert_eq!(picture.headers["content-type"], "image/jpeg");
    assert!(picture.headers["cache-control"].to_str().unwrap().starts_with("public"));
    let again = house.visitor().request(Method::GET, &url).header("if-none-match", &picture.headers["etag"]);
    send(again).await.expect(304);
    let url = admin.get(&private.path()).await.json["poster_url"].as_str().unwrap().to_owned();
    let picture = admin.get(&url).await.expect(200);
    assert!(picture.headers["cache-control"].to_str().unwrap().starts_with("private"));
    let posters = admin.get(&format!("{}/posters", private.path())).await.expect(200);
    assert_eq!(posters.json[0]["chosen"], true);
    assert_eq!(admin.get(&format!("{}/renditions", private.path())).await.expect(200).json, json!([]));
}

async fn playback_resumes_where_one_stopped(house: House) {
    let admin = house.admin().await;
    let vera = house.person(&admin, "vera", "viewer").await;
    let title = house.title(&admin, "Long", Public).await;
    let history = format!("/api/v1/me/history/{}", title.id);
    vera.put(&history, json!({ "position_ms": 120_000, "duration_ms": 600_000 })).await.expect(204);
    let start = vera.post(&format!("{}/playback", title.path()), json!({})).await.expect(200);
    assert_eq!(start.json["resume_ms"], 120_000);
    assert_eq!(start.json["presentation_id"], title.presentation.to_string());
    assert_eq!(start.json["expires_at"], "2026-01-01T06:10:01.000Z");
    assert!(start.json["storyboard_url"].is_null());
    let token = start.json["hls_url"].as_str().unwrap().split('/').nth(2).unwrap().to_owned();
    assert!(
        start.json["dash_url"]
            .as_str()
            .unwrap()
            .starts_with(&format!("/media/{token}/{}/", title.presentation))
    );
    assert_eq!(vera.get("/api/v1/me/continue").await.each("title"), ["Long"]);
    assert_eq!(vera.get(&title.path()).await.json["progress"]["position_ms"], 120_000);

    vera.put(&history, json!({ "position_ms": 599_000, "duration_ms": 600_000 })).await.expect(204);
    let start = vera.post(&format!("{}/playback", title.path()), json!({})).await.expect(200);
    assert_eq!(start.json["resume_ms"], 0, "seen to the end");
    assert!(vera.get("/api/v1/me/continue").await.each("title").is_empty());
    assert_eq!(vera.get("/api/v1/me/history").await.each("title"), ["Long"]);
    vera.delete(&history).await.expect(204);
    assert!(vera.get("/api/v1/me/history").await.each("title").is_empty());
    vera.put(&history, json!({ "position_ms": -1, "duration_ms": 5 })).await.expect(422);

    // A title that is made private leaves the histories of others.
    vera.put(&history, json!({ "position_ms": 10, "duration_ms": 600_000 })).await.expect(204);
    admin.patch(&title.path(), json!({ "visibility": "private" })).await.expect(200);
    assert!(vera.get("/api/v1/me/history").await.each("title").is_empty());
    assert!(vera.get("/api/v1/me/continue").await.each("title").is_empty());
}

async fn live_events_follow_a_title(house: House) {
    let admin = house.admin().await;
    let id = house.unfinished(&admin, "Growing", Private).await;
    let response = admin.request(Method::GET, &format!("/api/v1/videos/{id}/events")).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut events = response.bytes_stream();
    let mut text = String::new();
    let mut until = async |words: &str| {
        let wait = async {
            while !text.contains(words) {
                text.push_str(std::str::from_utf8(&events.next().await.unwrap().unwrap()).unwrap());
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.expect(words);
    };
    until("event: progress").await;
    until("\"state\":\"uploading\"").await;
    house.clock.advance(Duration::from_millis(10));
    let mut tx = house.app().store.begin().await.unwrap();
    steps::set(&mut tx, id, steps::Name::Encode, steps::State::Running, 3, 7, "", house.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    until("\"name\":\"encode\",\"state\":\"running\",\"done\":3,\"total\":7").await;
}

async fn work_can_be_cancelled_and_retried(house: House) {
    let admin = house.admin().await;
    let id = house.unfinished(&admin, "Work", Private).await;
    let path = format!("/api/v1/videos/{id}");
    let store = &house.app().store;
    let mut tx = store.begin().await.unwrap();
    let source = domain::SourceId::new();
    videos::processing(&mut tx, id, source, house.clock.now()).await.unwrap();
    let subject = id.to_string();
    jobs::enqueue(&mut tx, &jobs::NewJob::new("probe", &subject, "{}"), house.clock.now()).await.unwrap();
    steps::set(&mut tx, id, steps::Name::Probe, steps::State::Running, 0, 1, "", house.clock.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    admin.post(&format!("{path}/retry"), json!({})).await.expect(409);
    let cancelled = admin.post(&format!("{path}/cancel"), json!({})).await.expect(200);
    assert_eq!(cancelled.json["state"], "cancelled");
    assert_eq!(cancelled.json["steps"][0]["state"], "cancelled");
    admin.post(&format!("{path}/cancel"), json!({})).await.expect(409);
    let retried = admin.post(&format!("{path}/retry"), json!({})).await.expect(200);
    assert_eq!(retried.json["state"], "processing");
    let all = jobs::list(&mut store.reader().await.unwrap(), &subject).await.unwrap();
    let states: Vec<_> = all.iter().map(|job| (job.kind.as_str(), job.state.as_str())).collect();
    assert_eq!(states, [("probe", "cancelled"), ("probe", "queued")]);
    assert!(all[1].payload.contains(&source.to_string()));
}

async fn shared_links_tell_the_title(house: House) {
    let admin = house.admin().await;
    let open = house.title(&admin, "Open <b>& shut", Unlisted).await;
    let closed = house.title(&admin, "Closed", Private).await;
    let page = |id: domain::VideoId| {
        let visitor = house.visitor();
        async move { visitor.get(&format!("/watch/{id}")).await.expect(200) }
    };
    let shown = page(open.id).await;
    assert_eq!(shown.headers["cache-control"], "no-cache");
    // A program that was built without the web app has no head to put tags into.
    let html = String::from_utf8_lossy(&shown.bytes).into_owned();
    if html.contains("</head>") {
        assert!(html.contains("Open &lt;b&gt;&amp; shut") && html.contains("noindex"), "{html}");
    }
    assert!(!html.contains("<b>&"));
    let hidden = page(closed.id).await;
    assert!(!String::from_utf8_lossy(&hidden.bytes).contains("Closed"));
}
