//! What stays of live events: pictures while they are sent and of their recordings, and clips that outlive both.

use std::time::{Duration, Instant};

use domain::{Scope, VideoId};
use serde_json::{Value, json};

use crate::{
    broadcast::{Event, folder, get, house, publish},
    engines::Engines,
    film::run,
    harness::{Caller, House},
    live_events::command,
};

crate::on_both_engines!(clips_outlive_the_event_and_its_recording);

const SOON: Duration = Duration::from_secs(60);

/// Asks until `good` likes the title.
async fn until(caller: &Caller, id: VideoId, what: &str, good: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let video = caller.get(&format!("/api/v1/videos/{id}")).await.expect(200).json;
        if good(&video) {
            return video;
        }
        assert!(began.elapsed() < SOON, "{what}: {video:#}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Cuts a clip; gives its id, and its length in seconds.
async fn clip(caller: &Caller, event: &Event, from_ms: u64, to_ms: u64) -> (VideoId, f64) {
    let body = json!({ "from_ms": from_ms, "to_ms": to_ms, "title": "The best of it" });
    let made = caller.post(&event.path("/clips"), body).await.expect(201).json;
    let (from, to) = (made["from_ms"].as_u64().unwrap(), made["to_ms"].as_u64().unwrap());
    assert!(from <= from_ms && from + 2500 > from_ms && to >= to_ms && to < to_ms + 2500, "{made}");
    (made["id"].as_str().unwrap().parse().unwrap(), (to - from) as f64 / 1000.0)
}

/// Plays a clip to its end with programs nobody here wrote, and looks at its pictures.
async fn plays(house: &House, caller: &Caller, id: VideoId, seconds: f64) {
    let video = caller.until_complete(id).await;
    let told = video["duration_ms"].as_f64().unwrap() / 1000.0;
    assert!((told - seconds).abs() < 0.1, "{told} s, not {seconds}");
    let folder = folder(&house.base, caller, id).await;
    for track in ["v480p", "v360p", "a0"] {
        let list = format!("{folder}/{track}/playlist.m3u8");
        let args = ["-v", "error", "-show_entries", "packet=dts_time,duration_time", "-of", "csv=p=0", &list];
        let packets = run("ffprobe", &args).await;
        // Where each begins and ends.
        let spans: Vec<(f64, f64)> = packets
            .lines()
            .filter_map(|line| {
                let mut numbers = line.split(',').map_while(|number| number.parse::<f64>().ok());
                let (at, lasts) = (numbers.next()?, numbers.next()?);
                Some((at, at + lasts))
            })
            .collect();
        let hole = spans.windows(2).map(|pair| (pair[1].0 - pair[0].1).abs()).fold(0.0, f64::max);
        assert!(
            spans[0].0.abs() < 0.2 && hole < 0.01,
            "{track} begins at {} s, holes of {hole} s",
            spans[0].0
        );
        let all = spans[spans.len() - 1].1 - spans[0].0;
        assert!((all - seconds).abs() < 0.1, "{all} of {seconds} s of {track}");
    }
    let args = ["-v", "error", "-i", &format!("{folder}/main.m3u8"), "-map", "0:v:0", "-f", "null", "-"];
    run("ffmpeg", &args).await;
    let cues = get(&format!("{folder}/storyboard.vtt")).await.expect(200).text();
    assert!(cues.contains("#xywh=0,0,"), "{cues}");
    let poster = video["poster_url"].as_str();
    caller.get(poster.unwrap_or_else(|| panic!("a poster: {video:#}"))).await.expect(200);
}

async fn clips_outlive_the_event_and_its_recording(engines: Engines) {
    let house = house(engines).await;
    let admin = house.admin().await;
    let event = Event::new(&admin, json!({ "title": "Launch" })).await;
    let early = json!({ "from_ms": 0, "to_ms": 2000, "title": "Early" });
    admin.post(&event.path("/clips"), early).await.expect(409);
    let mut encoder = publish(&event.primary, "640x480", 48_000, 24);
    event.until(&admin, "live").await;

    // Its card shows a picture of it.
    let live = until(&admin, event.id, "a picture", |video| !video["artwork"]["poster"].is_null()).await;
    assert_eq!(live["live"], true, "{live}");

    // The end is still to come, and is waited for.
    let (first, first_length) = clip(&admin, &event, 3000, 12_000).await;
    let of_first = admin.get(&format!("/api/v1/videos/{first}")).await.expect(200).json;
    assert_eq!(
        (&of_first["title"], &of_first["visibility"], &of_first["kind"], &of_first["live"]),
        (&json!("The best of it"), &json!("private"), &json!("clip"), &json!(false))
    );
    assert_eq!(of_first["description"], "A clip of the live event “Launch”.");
    refusals(&house, &admin, &event).await;
    plays(&house, &admin, first, first_length).await;

    assert!(encoder.wait().await.unwrap().success());
    event.end(&admin).await;
    let recording = until(&admin, event.id, "pictures of the recording", |video| {
        video["steps"].as_array().is_some_and(|steps| {
            steps.iter().any(|step| step["name"] == "pictures" && step["state"] == "done")
        })
    })
    .await;
    assert_ne!(recording["poster_url"], live["poster_url"], "one of its own");
    let folder = folder(&house.base, &admin, event.id).await;
    let cues = get(&format!("{folder}/storyboard.vtt")).await.expect(200).text();
    let tiles = cues.matches("#xywh=").count();
    let length = recording["duration_ms"].as_u64().unwrap();
    assert_eq!(tiles as u64, length.div_ceil(2000), "{cues}");
    let sheet = get(&format!("{folder}/storyboard/1.jpg")).await.expect(200);
    assert_eq!(sheet.headers["content-type"], "image/jpeg");
    let playback = admin.playback(event.id).await;
    assert!(playback["storyboard_url"].is_string(), "{playback}");

    let outside = json!({ "from_ms": 0, "to_ms": length + 5000, "title": "Too much" });
    let refused = admin.post(&event.path("/clips"), outside).await.expect(422);
    assert_eq!(refused.json["errors"][0]["field"], "to_ms", "{}", refused.text());
    let (second, second_length) = clip(&admin, &event, 6500, 8500).await;
    by_command(&house, &admin, &event).await;
    plays(&house, &admin, second, second_length).await;
    shortened(&house, &admin, &event, length).await;

    let path = format!("/api/v1/videos/{}", event.id);
    admin.delete(&path).await.expect(200);
    admin
        .post(&event.path("/clips"), json!({ "from_ms": 0, "to_ms": 2000, "title": "Late" }))
        .await
        .expect(409);
    admin.delete(&format!("{path}?permanent=true")).await.expect(204);
    let began = Instant::now();
    while admin.get(&path).await.status != 404 {
        assert!(began.elapsed() < SOON, "it is still there");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let stored = house.engines.blobs().list("presentations").await.unwrap();
    let sent = playback["presentation_id"].as_str().unwrap();
    assert!(stored.iter().all(|entry| !entry.object.contains(sent)), "something is left");
    plays(&house, &admin, first, first_length).await;
    plays(&house, &admin, second, second_length).await;
}

async fn by_command(house: &House, admin: &Caller, event: &Event) {
    let token = admin.token(&["read", "manage"]).await;
    let id = event.id.to_string();
    let of =
        |from, to| ["clip", &id, "--from", from, "--to", to, "--title", "Typed", "--visibility", "unlisted"];
    let (code, out, err) = command(house, &token, &of("0:03", "5.5")).await;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((code, lines.len()), (0, 3), "{out}{err}");
    assert_eq!(lines[1], format!("{}/watch/{}", house.base, lines[0]));
    assert!(lines[2].starts_with("0:00:0") && lines[2].contains(" to 0:00:0"), "{out}");
    let video = admin.get(&format!("/api/v1/videos/{}", lines[0])).await.expect(200).json;
    assert_eq!((&video["title"], &video["visibility"]), (&json!("Typed"), &json!("unlisted")));
    let (code, _, err) = command(house, &token, &of("5", "1:00:00")).await;
    assert!(code == 1 && err.contains("lasts"), "{err}");
}

/// The beginning and the end of the recording are cut away, and come back.
async fn shortened(house: &House, admin: &Caller, event: &Event, length: u64) {
    let path = format!("/api/v1/videos/{}", event.id);
    let keep = |parts: Value, dry_run: bool| json!({ "keep": parts, "dry_run": dry_run });
    let part = |start: u64, end: u64| json!([{ "start_ms": start, "end_ms": end }]);
    let trim = async |body| admin.post(&format!("{path}/trim"), body).await;
    for wrong in [
        json!([{ "start_ms": 0, "end_ms": 2000 }, { "start_ms": 4000, "end_ms": 6000 }]),
        part(0, length),
        part(0, length + 1000),
        part(3000, 3000),
    ] {
        assert_eq!(trim(keep(wrong, true)).await.expect(422).json["errors"][0]["field"], "keep");
    }
    let told = trim(keep(part(4500, 9000), true)).await.expect(200).json;
    let (start, end) = (&told["keep"][0]["start_ms"], &told["keep"][0]["end_ms"]);
    assert!(start.as_u64().unwrap() <= 4500 && end.as_u64().unwrap() >= 9000, "{told}");
    assert_eq!((&told["segments_encoded"], &told["version_id"]), (&json!(0), &Value::Null));
    trim(keep(part(4500, 9000), false)).await.expect(202);
    trim(keep(part(4500, 9000), false)).await.expect(409);
    let until_lasts = async |wanted: u64| {
        let near = |video: &Value| video["duration_ms"].as_u64().is_some_and(|ms| ms.abs_diff(wanted) < 100);
        until(admin, event.id, "it is cut", near).await
    };
    let wanted = told["duration_ms"].as_u64().unwrap();
    until_lasts(wanted).await;
    plays(house, admin, event.id, wanted as f64 / 1000.0).await;
    let versions = admin.get(&format!("{path}/versions")).await.expect(200).json;
    assert_eq!((&versions[0]["kind"], &versions[0]["current"]), (&json!("trimmed"), &json!(true)));
    let first = versions[1]["id"].as_str().unwrap();
    admin.post(&format!("{path}/versions/{first}/restore"), json!({})).await.expect(200);
    until_lasts(length).await;
    // The cut version is kept no longer: what plays stays whole.
    let cut = versions[0]["id"].as_str().unwrap();
    admin.delete(&format!("{path}/versions/{cut}")).await.expect(204);
}

async fn refusals(house: &House, admin: &Caller, event: &Event) {
    let otto = house.person(admin, "otto", "creator").await;
    let body = |from: u64, to: u64| json!({ "from_ms": from, "to_ms": to, "title": "No" });
    let path = event.path("/clips");
    otto.post(&path, body(0, 2000)).await.expect(404);
    house.visitor().post(&path, body(0, 2000)).await.expect(401);
    let reading = admin.with_bearer(admin.token(&[Scope::Read.word()]).await);
    reading.post(&path, body(0, 2000)).await.expect(403);
    for (from, to, field, words) in [
        (2000, 2000, "to_ms", "A clip ends after it begins."),
        (2000, 1000, "to_ms", "A clip ends after it begins."),
        (2000, 2500, "to_ms", "A clip lasts at least one second."),
        (0, 90_000_000, "to_ms", "A clip lasts at most four hours."),
    ] {
        let refused = admin.post(&path, body(from, to)).await.expect(422);
        let error = &refused.json["errors"][0];
        assert_eq!((&error["field"], &error["detail"]), (&json!(field), &json!(words)));
    }
    let ahead = admin.post(&path, body(600_000, 610_000)).await.expect(422);
    assert_eq!(ahead.json["errors"][0]["field"], "from_ms");
    assert!(ahead.text().contains("so far"), "{}", ahead.text());
    let mut nameless = body(0, 2000);
    nameless["title"] = json!(" ");
    assert_eq!(admin.post(&path, nameless).await.expect(422).json["errors"][0]["field"], "title");
    let mut odd = body(0, 2000);
    for word in ["everybody", "scheduled"] {
        odd["visibility"] = json!(word);
        let refused = admin.post(&path, odd.clone()).await.expect(422);
        assert_eq!(refused.json["errors"][0]["field"], "visibility");
    }
}
