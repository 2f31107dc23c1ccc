//! Live events over HTTP: planned, shown, sent, ended, by those who may.

use std::time::Duration;

use backends::bus::Heard;
use domain::{
    Message, Micros, PresentationId, Topic, VideoId,
    event::{Latency, Slot},
    live::{Ladder, OnAir, Order, Publisher, Report, Rung, State, Track, Warning, What},
};
use reqwest::Method;
use serde_json::{Value, json};
use store::events;

use crate::harness::{Caller, House};

crate::on_both!(
    an_event_is_planned_shown_and_changed,
    keys_are_for_the_owner_and_can_be_changed,
    a_live_event_is_watched_and_ends,
    what_is_not_kept_is_over,
    health_is_told_every_second,
    the_command_line_looks_after_events
);

async fn event(of: &Caller, more: Value) -> Value {
    let mut body = json!({ "title": "Launch", "visibility": "public", "starts_at": "2026-01-01T18:00:00Z" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    of.post("/api/v1/events", body).await.expect(201).json
}

fn id_of(event: &Value) -> VideoId {
    event["id"].as_str().unwrap().parse().unwrap()
}

fn path(event: &Value, rest: &str) -> String {
    format!("/api/v1/events/{}{rest}", event["id"].as_str().unwrap())
}

fn report(house: &House, event: VideoId, second: i64) -> Report {
    let video = Track {
        kind: "video".into(),
        codec: "avc1.640028".into(),
        width: Some(1920),
        height: Some(1080),
        bitrate_bps: 6_000_000,
        frame_rate_milli: 29_970,
        key_interval_ms: Some(2000),
        frames: 300,
        dropped: 2,
        missing: 3,
        ..Track::default()
    };
    Report {
        event,
        node: "live-1".into(),
        at: house.clock.now().plus(second * Micros::SECOND),
        state: State::Live,
        latency: Latency::Low,
        since: house.clock.now(),
        publishers: vec![Publisher {
            slot: Slot::Primary,
            protocol: "rtmp".into(),
            encoder: Some("OBS".into()),
            since: house.clock.now(),
            bitrate_bps: 6_160_000,
            bytes: 5_000_000,
            silence_ms: 3,
            lead_ms: -12,
            av_drift_ms: Some(8),
            tracks: vec![video],
            warnings: vec![Warning { code: "key_frames".into(), words: "Set 2 s.".into() }],
        }],
        on_air: OnAir::Primary,
        ladder: Ladder {
            rungs: vec![Rung {
                width: 1920,
                height: 1080,
                bitrate_bps: 6_000_000,
                is_source: true,
                on: true,
            }],
            deaths: 0,
            speed_milli: Some(1010),
        },
        segments: 5,
        viewers: 42,
    }
}

/// Tells a report and waits until it was heard.
async fn told(house: &House, event: VideoId, second: i64) {
    let report = report(house, event, second);
    for _ in 0..200 {
        house.app().bus.tell(&report);
        tokio::time::sleep(Duration::from_millis(10)).await;
        if house.app().reports.newest(event, house.clock.now()).is_some_and(|heard| heard.report == report) {
            return;
        }
    }
    panic!("nobody heard the report");
}

async fn begin(house: &House, event: VideoId) -> PresentationId {
    let mut tx = house.app().store.begin().await.unwrap();
    let sent = events::begin(&mut tx, event, PresentationId::new(), house.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    sent
}

async fn finish(house: &House, event: VideoId, keep: bool) {
    let mut tx = house.app().store.begin().await.unwrap();
    events::finish(&mut tx, event, 60_000, keep, house.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn an_event_is_planned_shown_and_changed(house: House) {
    let admin = house.admin().await;
    let vera = house.person(&admin, "vera", "creator").await;
    let walt = house.person(&admin, "walt", "viewer").await;
    let other = house.person(&admin, "otto", "creator").await;
    walt.post("/api/v1/events", json!({ "title": "Mine" })).await.expect(403);
    let wrong = json!({ "visibility": "nowhere", "latency": "none", "dvr_seconds": -1, "starts_at": "soon" });
    let wrong = vera.post("/api/v1/events", wrong).await.expect(422).json;
    let fields: Vec<_> = wrong["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["starts_at", "title", "visibility", "latency", "dvr_seconds"]);

    let plain = vera.post("/api/v1/events", json!({ "title": " Plain  talk " })).await.expect(201).json;
    assert_eq!(
        (&plain["state"], &plain["latency"], &plain["dvr_seconds"], &plain["record"], &plain["connected"]),
        (&json!("upcoming"), &json!("low"), &json!(7200), &json!(true), &json!(false))
    );
    let video = &plain["video"];
    assert_eq!(
        (&video["title"], &video["visibility"], &video["state"], &video["kind"], &video["live"]),
        (&json!("Plain talk"), &json!("private"), &json!("upcoming"), &json!("recording"), &json!(false))
    );
    let launch = event(&vera, json!({ "description": "We launch." })).await;

    // Strangers find the announced one, and can open it; nobody can play it.
    let title = format!("/api/v1/videos/{}", launch["id"].as_str().unwrap());
    let seen = house.visitor().get(&title).await.expect(200).json;
    assert_eq!((&seen["state"], &seen["event"]["state"]), (&json!("upcoming"), &json!("upcoming")));
    assert_eq!(seen["event"]["starts_at"], "2026-01-01T18:00:00.000Z");
    assert!(seen["event"]["viewers"].is_null() && seen.get("can_manage") == Some(&json!(false)));
    let refused = house.visitor().post(&format!("{title}/playback"), json!({})).await.expect(409);
    assert_eq!(refused.json["detail"], "This event has not begun yet.");
    let now = house.visitor().get("/api/v1/live").await.expect(200).json;
    assert_eq!((now["live"].as_array().unwrap().len(), &now["upcoming"][0]["title"]), (0, &json!("Launch")));
    let home = house.visitor().get("/api/v1/home").await.expect(200).json;
    assert_eq!(
        (&home["rows"][0]["id"], &home["rows"][0]["items"][0]["event"]["state"]),
        (&json!("upcoming"), &json!("upcoming"))
    );
    assert!(house.visitor().get("/api/v1/videos").await.each("title").is_empty(), "it does not play");
    house.visitor().get(&format!("/api/v1/videos/{}", plain["id"].as_str().unwrap())).await.expect(404);

    // Changes: by the owner and administrators, against a revision, with all that is wrong.
    house.visitor().get(&path(&launch, "")).await.expect(401);
    other.get(&path(&launch, "")).await.expect(403);
    other.get(&path(&plain, "")).await.expect(404);
    other.patch(&path(&launch, ""), json!({ "title": "Taken" })).await.expect(403);
    other.delete(&path(&launch, "")).await.expect(403);
    let read = vera.get(&path(&launch, "")).await.expect(200);
    let change = json!({ "title": "Lift-off", "latency": "standard", "dvr_seconds": 0, "record": false, "starts_at": null });
    let edit =
        |etag: &str| vera.request(Method::PATCH, &path(&launch, "")).header("if-match", etag).json(&change);
    assert_eq!(edit("\"r999\"").send().await.unwrap().status(), 412);
    let etag = read.headers["etag"].to_str().unwrap();
    let edited: Value = edit(etag).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (
            &edited["video"]["title"],
            &edited["latency"],
            &edited["dvr_seconds"],
            &edited["record"],
            &edited["starts_at"]
        ),
        (&json!("Lift-off"), &json!("standard"), &json!(0), &json!(false), &Value::Null)
    );
    admin.patch(&path(&launch, ""), json!({ "starts_at": "2026-01-02T18:00:00Z" })).await.expect(200);
    assert_eq!(house.visitor().get(&title).await.json["event"]["starts_at"], "2026-01-02T18:00:00.000Z");
    let both = json!({ "title": "", "latency": "never" });
    let wrong = vera.patch(&path(&launch, ""), both).await.expect(422).json;
    assert_eq!(
        (&wrong["errors"][0]["field"], &wrong["errors"][1]["field"]),
        (&json!("latency"), &json!("title"))
    );

    // Lists: one's own, by state.
    let mine = vera.get("/api/v1/events?state=upcoming&limit=1").await.expect(200).json;
    assert_eq!(mine["items"][0]["video"]["title"], "Lift-off");
    let next = format!("/api/v1/events?state=upcoming&cursor={}", mine["next_cursor"].as_str().unwrap());
    let next = vera.get(&next).await.expect(200).json;
    assert_eq!(
        (&next["items"][0]["video"]["title"], &next["next_cursor"]),
        (&json!("Plain talk"), &Value::Null)
    );
    assert!(admin.get("/api/v1/events?state=upcoming").await.json["items"].as_array().unwrap().is_empty());
    vera.get("/api/v1/events?state=past").await.expect(422);

    // To the trash and back.
    let gone = vera.delete(&path(&plain, "")).await.expect(200).json;
    assert_eq!(gone["state"], "cancelled");
    assert_eq!(vera.get("/api/v1/events?state=upcoming").await.json["items"].as_array().unwrap().len(), 1);
    vera.post(&format!("/api/v1/videos/{}/restore", plain["id"].as_str().unwrap()), json!({}))
        .await
        .expect(200);
    assert_eq!(vera.get(&path(&plain, "")).await.expect(200).json["state"], "upcoming");
    // What is no event is none here.
    let film = house.title(&vera, "Film", domain::Visibility::Public).await;
    vera.get(&format!("/api/v1/events/{}", film.id)).await.expect(404);
}

async fn keys_are_for_the_owner_and_can_be_changed(house: House) {
    let admin = house.admin().await;
    let vera = house.person(&admin, "vera", "creator").await;
    let launch = event(&vera, json!({})).await;
    admin.get(&path(&launch, "/ingest")).await.expect(403);
    house.visitor().get(&path(&launch, "/ingest")).await.expect(401);
    let mut orders = house.app().bus.subscribe(Topic::LiveOrder).await;
    let first = vera.get(&path(&launch, "/ingest")).await.expect(200).json;
    assert_eq!(first, vera.get(&path(&launch, "/ingest")).await.json, "as often as one likes");
    assert!(first["servers"].as_array().unwrap().is_empty(), "this process takes none");
    let slots: Vec<_> = first["keys"].as_array().unwrap().iter().map(|key| &key["slot"]).collect();
    assert_eq!(slots, ["primary", "backup"]);
    let keys = &house.app().stream_keys;
    let backup = first["keys"][1]["key"].as_str().unwrap();
    assert_eq!(keys.slot(backup, id_of(&launch), 1), Some(Slot::Backup));

    admin.post(&path(&launch, "/keys/rotate"), json!({})).await.expect(403);
    let second = vera.post(&path(&launch, "/keys/rotate"), json!({})).await.expect(200).json;
    assert_ne!(first["keys"], second["keys"]);
    assert_eq!(second, vera.get(&path(&launch, "/ingest")).await.json);
    assert_eq!(keys.slot(backup, id_of(&launch), 2), None);
    for slot in [Slot::Primary, Slot::Backup] {
        let Heard::Message(bytes) = orders.next().await else { panic!("told") };
        let Order { event, order } = Order::from_bytes(&bytes).unwrap();
        assert!(event == id_of(&launch) && matches!(order, What::Dismiss { slot: of, .. } if of == slot));
    }

    let house = house
        .reconfigured(&[server::config::Role::Api], |config| {
            config.app.live.rtmps_url = Some("rtmps://in.example.org/live".into());
        })
        .await;
    let third = vera.moved_to(&house.base).get(&path(&launch, "/ingest")).await.expect(200).json;
    assert_eq!(third["servers"], json!([{ "protocol": "rtmps", "url": "rtmps://in.example.org/live" }]));
    assert_eq!(third["keys"], second["keys"], "a restart changes no key");
}

async fn a_live_event_is_watched_and_ends(house: House) {
    let admin = house.admin().await;
    let vera = house.person(&admin, "vera", "creator").await;
    let launch = event(&vera, json!({})).await;
    let (id, title) = (id_of(&launch), format!("/api/v1/videos/{}", launch["id"].as_str().unwrap()));
    vera.post(&path(&launch, "/end"), json!({})).await.expect(409);
    let before = house.visitor().get(&title).await.expect(200).json;
    let sent = begin(&house, id).await;
    told(&house, id, 1).await;

    let seen = house.visitor().get(&title).await.expect(200).json;
    assert!(seen["revision"].as_i64() > before["revision"].as_i64());
    assert_eq!(
        (
            &seen["state"],
            &seen["complete"],
            &seen["live"],
            &seen["event"]["state"],
            &seen["event"]["viewers"]
        ),
        (&json!("ready"), &json!(false), &json!(true), &json!("live"), &json!(42))
    );
    let playback = house.visitor().post(&format!("{title}/playback"), json!({})).await.expect(200).json;
    assert_eq!(
        (&playback["presentation_id"], &playback["event"]["state"], &playback["event"]["latency"]),
        (&json!(sent.to_string()), &json!("live"), &json!("low"))
    );
    assert_eq!(playback["expires_at"].as_str().unwrap()[..10], *"2026-01-02", "a day");
    let now = house.visitor().get("/api/v1/live").await.expect(200).json;
    assert_eq!((&now["live"][0]["title"], now["upcoming"].as_array().unwrap().len()), (&json!("Launch"), 0));
    let home = house.visitor().get("/api/v1/home").await.expect(200).json;
    assert_eq!((&home["rows"][0]["id"], &home["rows"][0]["title"]), (&json!("live"), &json!("Live now")));
    let mine = vera.get("/api/v1/events?state=live").await.expect(200).json;
    assert_eq!((&mine["items"][0]["connected"], &mine["items"][0]["ending"]), (&json!(true), &json!(false)));

    // It cannot be deleted, stopped as other work, or changed in what encoders and players rely on.
    vera.delete(&path(&launch, "")).await.expect(409);
    vera.delete(&title).await.expect(409);
    let bulk = json!({ "ids": [launch["id"]], "action": "delete" });
    let bulk = vera.post("/api/v1/studio/videos/bulk", bulk).await;
    assert!(!bulk.status.is_success() || bulk.bytes.windows(4).any(|part| part == b"live"), "{bulk:?}");
    vera.post(&format!("{title}/cancel"), json!({})).await.expect(409);
    vera.patch(&path(&launch, ""), json!({ "latency": "standard" })).await.expect(422);
    vera.patch(&path(&launch, ""), json!({ "dvr_seconds": 60, "title": "Launched" })).await.expect(200);

    let mut orders = house.app().bus.subscribe(Topic::LiveOrder).await;
    let ending = vera.post(&path(&launch, "/end"), json!({})).await.expect(202).json;
    assert_eq!((&ending["state"], &ending["ending"]), (&json!("live"), &json!(true)));
    let Heard::Message(bytes) = orders.next().await else { panic!("told") };
    assert_eq!(Order::from_bytes(&bytes), Some(Order { event: id, order: What::End }));
    finish(&house, id, true).await;
    let over = house.visitor().get(&title).await.expect(200).json;
    assert_eq!(
        (
            &over["complete"],
            &over["live"],
            &over["event"]["state"],
            &over["event"]["viewers"],
            &over["duration_ms"]
        ),
        (&json!(true), &json!(false), &json!("ended"), &Value::Null, &json!(60_000))
    );
    assert_eq!(house.visitor().get("/api/v1/videos").await.each("title"), ["Launched"]);
    vera.post(&path(&launch, "/end"), json!({})).await.expect(409);
    let ended = vera.get("/api/v1/events?state=ended").await.expect(200).json;
    assert_eq!(ended["items"][0]["id"], launch["id"]);
    vera.patch(&path(&launch, ""), json!({ "record": false })).await.expect(422);
    vera.delete(&path(&launch, "")).await.expect(200);

    // Asked to end, and no node there that could: it can be deleted.
    let lost = event(&vera, json!({})).await;
    begin(&house, id_of(&lost)).await;
    vera.post(&path(&lost, "/end"), json!({})).await.expect(202);
    vera.delete(&path(&lost, "")).await.expect(409);
    house.clock.advance(Duration::from_secs(61));
    vera.delete(&path(&lost, "")).await.expect(200);
}

async fn what_is_not_kept_is_over(house: House) {
    let admin = house.admin().await;
    let launch = event(&admin, json!({ "record": false })).await;
    let (id, title) = (id_of(&launch), format!("/api/v1/videos/{}", launch["id"].as_str().unwrap()));
    begin(&house, id).await;
    finish(&house, id, false).await;
    let over = house.visitor().get(&title).await.expect(200).json;
    assert_eq!((&over["state"], &over["event"]["state"]), (&json!("ended"), &json!("ended")));
    let refused = house.visitor().post(&format!("{title}/playback"), json!({})).await.expect(409);
    assert_eq!(refused.json["detail"], "This event is over, and was not kept.");
    assert!(house.visitor().get("/api/v1/videos").await.each("title").is_empty());
    let ended = admin.get("/api/v1/events?state=ended").await.expect(200).json;
    assert_eq!(ended["items"][0]["video"]["state"], "ended");
}

async fn health_is_told_every_second(house: House) {
    let admin = house.admin().await;
    let vera = house.person(&admin, "vera", "creator").await;
    let launch = event(&vera, json!({})).await;
    let (id, health) = (id_of(&launch), path(&launch, "/health"));
    house.person(&admin, "otto", "creator").await.get(&health).await.expect(403);
    assert_eq!(vera.get(&health).await.expect(404).code(), "no_publisher");
    let request = vera.request(Method::GET, &format!("{health}/stream"));
    let mut stream = request.send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut hear = async |word: &str| {
        for _ in 0..20 {
            let chunk = tokio::time::timeout(Duration::from_secs(10), stream.chunk()).await.unwrap();
            let heard = String::from_utf8_lossy(&chunk.unwrap().unwrap()).into_owned();
            text += &heard;
            if heard.contains(word) {
                return;
            }
        }
        panic!("no `{word}` came: {text}");
    };
    hear("event: waiting\n").await;
    for second in 1..=3 {
        told(&house, id, second).await;
        hear("event: health\n").await;
    }
    assert!(text.contains("event: health\n") && text.contains("\"encoder\":\"OBS\""), "{text}");
    let now = admin.get(&health).await.expect(200).json;
    let publisher = &now["publishers"][0];
    assert_eq!(
        (&now["node"], &now["on_air"], &now["viewers"], &now["ladder"]["speed"], &now["segments"]),
        (&json!("live-1"), &json!("primary"), &json!(42), &json!(1.01), &json!(5))
    );
    assert_eq!(
        (&publisher["slot"], &publisher["bitrate_bps"], &publisher["warnings"][0]["code"]),
        (&json!("primary"), &json!(6_160_000), &json!("key_frames"))
    );
    assert_eq!(publisher["tracks"][0]["frames_per_second"], 29.97);
    let newest = now["trend"].as_array().unwrap().last().unwrap();
    assert_eq!((&newest["lost"], &newest["key_interval_ms"]), (&json!(5), &json!(2000)));
    // Silent for a while: nobody publishes it any more.
    house.clock.advance(Duration::from_secs(6));
    vera.get(&health).await.expect(404);
}

/// Runs `kinora event`; gives its exit code and both outputs.
pub async fn command(house: &House, token: &str, args: &[&str]) -> (i32, String, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_kinora"));
    command.env("KINORA_SERVER", &house.base).env("KINORA_TOKEN", token);
    command.arg("event").args(args).current_dir(house.engines.dir()).kill_on_drop(true);
    let done = tokio::time::timeout(Duration::from_secs(60), command.output()).await.unwrap().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

async fn the_command_line_looks_after_events(house: House) {
    let admin = house.admin().await;
    let token = admin.token(&["read", "manage"]).await;
    let plan = ["create", "--title", "By command", "--starts-at", "2026-01-01T18:00:00Z", "--no-record"];
    let (code, out, err) = command(&house, &token, &plan).await;
    assert_eq!(code, 0, "{err}");
    let id = out.lines().next().unwrap().to_owned();
    assert_eq!(out.lines().nth(1), Some(format!("{}/watch/{id}", house.base).as_str()));
    let event = admin.get(&format!("/api/v1/events/{id}")).await.expect(200).json;
    assert_eq!((&event["record"], &event["video"]["title"]), (&json!(false), &json!("By command")));
    let (_, out, _) = command(&house, &token, &["list"]).await;
    assert!(out.starts_with(&id) && out.contains("2026-01-01T18:00:00.000Z  By command"), "{out}");

    let (_, first, _) = command(&house, &token, &["key", &id, "--json"]).await;
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first, admin.get(&format!("/api/v1/events/{id}/ingest")).await.json);
    let (_, second, _) = command(&house, &token, &["key", &id, "--rotate"]).await;
    let backup = second.lines().last().unwrap().strip_prefix("backup  ").unwrap();
    assert_eq!(house.app().stream_keys.slot(backup, id.parse().unwrap(), 2), Some(Slot::Backup));

    let (code, _, err) = command(&house, &token, &["end", &id]).await;
    assert_eq!((code, err.as_str()), (1, "kinora event: This event is not live.\n"));
    begin(&house, id.parse().unwrap()).await;
    assert_eq!(command(&house, &token, &["end", &id]).await.0, 0);
    let (code, _, err) = command(&house, &token, &["key", "../users"]).await;
    assert!(code == 1 && err.contains("is no id of an event"), "{err}");
    let (code, _, err) = command(&house, "kin_wrong", &["list"]).await;
    assert!(code == 1 && err.contains("the token is not") && !err.contains("kin_wrong"), "{err}");
}
