//! The encoding farm in the hands of operators: what they see, pausing, draining, turns, and encoding profiles.

use domain::{Micros, VideoId, Visibility::Public};
use reqwest::Method;
use serde_json::{Value, json};
use store::{
    attempts::{self, Attempt},
    jobs, settings,
    workers::{self, Sign},
};

use crate::harness::{Answer, Caller, House, Title, send};

crate::on_both!(
    the_farm_shows_what_was_done_and_what_it_took,
    the_farm_is_paused_and_workers_are_drained,
    titles_are_given_their_turn,
    profiles_are_made_changed_chosen_and_deleted,
    profiles_that_cannot_work_are_refused,
    what_a_profile_takes_is_estimated,
    only_administrators_run_the_farm,
);

const FARM: &str = "/api/v1/control/farm";
const ATTEMPTS: &str = "/api/v1/control/attempts";
const PROFILES: &str = "/api/v1/control/profiles";
/// As a worker without a configured name is called.
const WORKER: &str = "1f2e 9c:/var/lib/kinora/work/0 %";
const WORKER_IN_PATH: &str = "1f2e%209c%3A%2Fvar%2Flib%2Fkinora%2Fwork%2F0%20%25";

async fn farm(caller: &Caller, hours: u32) -> Value {
    caller.get(&format!("{FARM}?hours={hours}")).await.expect(200).json
}

/// A worker with two slots that told of its machine.
async fn worker(house: &House, name: &str) {
    let now = house.clock.now();
    let about = json!({ "version": "1.2.3", "cores": 4, "memory_bytes": 8_000_000_000_u64, "codecs": ["h264", "av1"] });
    let mut tx = house.app().store.begin().await.unwrap();
    let (about, started_at) = (about.to_string(), now.plus(-3 * 3600 * Micros::SECOND));
    let sign = Sign { name, slots: 2, about: &about, kinds: &["chunk"], started_at };
    workers::beat(&mut tx, &sign, now).await.unwrap();
    tx.commit().await.unwrap();
}

/// An attempt at a chunk of `title` that began and ended so many minutes ago.
fn attempt(house: &House, title: &Title, outcome: &str, minutes: (i64, i64)) -> Attempt {
    let ago = |minutes: i64| house.clock.now().plus(-minutes * Micros::MINUTE);
    Attempt {
        id: attempts::new_id(),
        job_id: uuid::Uuid::now_v7().to_string(),
        kind: "chunk".into(),
        subject: title.id.to_string(),
        worker: WORKER.into(),
        outcome: outcome.into(),
        started_at: ago(minutes.0),
        ended_at: ago(minutes.1),
        cpu_ms: 60_000,
        error: (outcome != "done").then(|| "x264 [error]: malloc failed".into()),
        has_log: 0,
    }
}

async fn the_farm_shows_what_was_done_and_what_it_took(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Long film", Public).await;
    let (subject, now) = (title.id.to_string(), house.clock.now());
    worker(&house, WORKER).await;
    let mut tx = house.app().store.begin().await.unwrap();
    let other =
        Attempt { subject: "gone".into(), worker: "away".into(), ..attempt(&house, &title, "done", (9, 8)) };
    let failed = attempt(&house, &title, "retry", (20, 10));
    for attempt in [
        attempt(&house, &title, "done", (30, 20)),
        failed.clone(),
        // Half of it lies before the hour.
        attempt(&house, &title, "done", (80, 40)),
        attempt(&house, &title, "done", (150, 140)),
        other,
    ] {
        attempts::insert(&mut tx, &attempt).await.unwrap();
    }
    let said = "$ ffmpeg -i a.mp4 <b>\nx264 [error]: malloc failed\nexit status: 1\n";
    attempts::keep_log(&mut tx, &failed, said).await.unwrap();
    for kind in ["chunk", "audio"] {
        jobs::enqueue(&mut tx, &jobs::NewJob::new(kind, &subject, "{}"), now).await.unwrap();
    }
    jobs::claim(&mut tx, WORKER, &["chunk"], now.plus(-6 * Micros::MINUTE), Micros::MINUTE).await.unwrap();
    jobs::claim(&mut tx, WORKER, &["chunk"], now, Micros::MINUTE).await.unwrap();
    tx.commit().await.unwrap();

    let seen = farm(&admin, 1).await;
    let [worker] = seen["workers"].as_array().unwrap().as_slice() else { panic!("{seen:#}") };
    assert_eq!((&worker["name"], &worker["slots"]), (&json!(WORKER), &json!(2)));
    assert_eq!((&worker["drained"], &worker["silent"]), (&json!(false), &json!(false)));
    assert_eq!(worker["machine"]["codecs"], json!(["h264", "av1"]));
    assert_eq!(worker["machine"]["cores"], 4);
    assert_eq!(worker["jobs"][0]["video"]["title"], "Long film");
    let outcomes: Vec<_> =
        seen["attempts"].as_array().unwrap().iter().map(|one| one["outcome"].clone()).collect();
    assert_eq!(outcomes, ["done", "retry", "done", "done"], "the latest first, none before the hour");
    let failed = &seen["attempts"][1];
    assert_eq!(failed["video"], json!({ "id": subject, "title": "Long film" }));
    assert_eq!(
        (&failed["error"], &failed["cpu_ms"]),
        (&json!("x264 [error]: malloc failed"), &json!(60_000))
    );
    let log = admin.get(&format!("{ATTEMPTS}/{}/log", failed["id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&log.bytes[..], &failed["has_log"]), (said.as_bytes(), &json!(true)));
    assert_eq!(
        log.headers["content-type"], "text/plain; charset=utf-8",
        "no page, whatever a file was called"
    );
    let other = &seen["attempts"][0];
    assert_eq!(other["has_log"], false);
    admin.get(&format!("{ATTEMPTS}/{}/log", other["id"].as_str().unwrap())).await.expect(404);
    admin.get(&format!("{ATTEMPTS}/x/log")).await.expect(404);
    assert_eq!(seen["attempts"][0]["video"], Value::Null, "about no title");
    assert_eq!(seen["attempts_left_out"], false);

    let all = &seen["throughput"];
    assert_eq!((&all["done"], &all["failed"], &all["cpu_seconds"]), (&json!(3), &json!(1), &json!(240.0)));
    let one = |name: &str| {
        all["workers"].as_array().unwrap().iter().find(|row| row["worker"] == name).unwrap().clone()
    };
    // 10 + 10 + 20 minutes of 2 × 60; the job at work was only now begun.
    assert_eq!((&one(WORKER)["busy_seconds"], &one(WORKER)["done"]), (&json!(2400.0), &json!(2)));
    assert!((one(WORKER)["busy_share"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-6, "{all}");
    assert_eq!(one("away")["busy_share"], Value::Null, "a worker that is gone");
    assert!((all["busy_share"].as_f64().unwrap() - 1.0 / 3.0).abs() < 1e-6, "{all}");

    let cost = &seen["costliest"][0];
    assert_eq!((&cost["attempts"], &cost["wasted"]), (&json!(3), &json!(1)));
    assert_eq!(cost["cpu_seconds"], 180.0);
    assert_eq!(cost["cpu_seconds_per_minute"], 18.0, "ten minutes of film");
    assert_eq!(seen["waiting"][0]["video"]["title"], "Long film");
    assert_eq!((&seen["waiting"][0]["jobs"], &seen["waiting"][0]["priority"]), (&json!(1), &json!("normal")));

    let day = farm(&admin, 24).await;
    assert_eq!(day["attempts"].as_array().unwrap().len(), 5);
    for hours in ["0", "25", "-1", "x", "1.5"] {
        admin.get(&format!("{FARM}?hours={hours}")).await.expect(422);
    }
    admin.get(&format!("{FARM}?days=1")).await.expect(422);
}

async fn the_farm_is_paused_and_workers_are_drained(house: House) {
    let admin = house.admin().await;
    worker(&house, WORKER).await;
    let store = &house.app().store;
    let may_work = async || workers::may_work(&mut store.reader().await.unwrap(), WORKER).await.unwrap();
    assert_eq!(may_work().await, (true, true));

    admin.post(&format!("{FARM}/pause"), json!({})).await.expect(204);
    admin.post(&format!("{FARM}/pause"), json!({})).await.expect(204);
    assert_eq!(farm(&admin, 1).await["paused"], true);
    assert!(settings::is_farm_paused(&mut store.reader().await.unwrap()).await.unwrap());
    assert_eq!(may_work().await, (true, false));
    app::control::sample(house.app()).await.unwrap();
    admin.post(&format!("{FARM}/resume"), json!({})).await.expect(204);
    assert_eq!(farm(&admin, 1).await["paused"], false);

    let door = |what: &str| format!("/api/v1/control/workers/{WORKER_IN_PATH}/{what}");
    admin.post(&door("drain"), json!({})).await.expect(204);
    assert_eq!(farm(&admin, 1).await["workers"][0]["drained"], true);
    assert_eq!(may_work().await, (false, false));
    worker(&house, WORKER).await;
    assert_eq!(may_work().await, (false, false), "a sign of life changes nothing");
    admin.post(&door("resume"), json!({})).await.expect(204);
    assert_eq!(farm(&admin, 1).await["workers"][0]["drained"], false);
    for nobody in ["nobody", "%00", "a%0Ab", "%FF"] {
        admin.post(&format!("/api/v1/control/workers/{nobody}/drain"), json!({})).await.expect(404);
    }
}

async fn titles_are_given_their_turn(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Urgent", Public).await;
    let (subject, now) = (title.id.to_string(), house.clock.now());
    let mut tx = house.app().store.begin().await.unwrap();
    for priority in [jobs::priority::URGENT, jobs::priority::NORMAL] {
        let job = jobs::NewJob::new("chunk", &subject, "{}").priority(priority);
        jobs::enqueue(&mut tx, &job, now).await.unwrap();
    }
    tx.commit().await.unwrap();
    let door = format!("/api/v1/control/titles/{}/priority", title.id);
    for (word, priority) in [("later", 1000), ("first", 0), ("normal", 100)] {
        let moved = admin.post(&door, json!({ "priority": word })).await.expect(200);
        assert_eq!(moved.json, json!({ "jobs": 2 }));
        let rows = jobs::list(&mut house.app().store.reader().await.unwrap(), &subject).await.unwrap();
        assert!(rows.iter().all(|job| job.priority == priority), "{rows:?}");
        assert_eq!(farm(&admin, 1).await["waiting"][0]["priority"], word);
    }
    let wrong = admin.post(&door, json!({ "priority": "now" })).await.expect(422);
    assert_eq!(wrong.json["field"], "priority");
    admin.post(&door, json!({})).await.expect(422);
    let nothing = format!("/api/v1/control/titles/{}/priority", VideoId::new());
    admin.post(&nothing, json!({ "priority": "first" })).await.expect(404);
}

fn profile() -> Value {
    json!({
        "ladder": [{ "height": 1080, "bitrate_bps": 8_000_000 }, { "height": 720, "bitrate_bps": 5_000_000 }],
        "video": [{ "codec": "h264" }, { "codec": "av1", "effort": "balanced", "crf": 32, "from_height": 1080 }],
        "audio": ["aac", "opus"],
        "keep_dolby": true,
    })
}

async fn put(caller: &Caller, name: &str, condition: Option<(&str, &str)>, body: Value) -> Answer {
    let request = caller.request(Method::PUT, &format!("{PROFILES}/{name}")).json(&body);
    send(match condition {
        Some((header, value)) => request.header(header, value),
        None => request,
    })
    .await
}

async fn profiles_are_made_changed_chosen_and_deleted(house: House) {
    let admin = house.admin().await;
    let empty = admin.get(PROFILES).await.expect(200).json;
    assert_eq!((&empty["items"], &empty["standard"]), (&json!([]), &Value::Null));
    assert_eq!(empty["built_in"]["video"], json!([{ "codec": "h264", "effort": "fast" }]));
    assert_eq!(empty["built_in"]["ladder"], json!(house.app().limits.ladder), "the configured rungs");

    let new = Some(("if-none-match", "*"));
    let made = put(&admin, "Film%20archive", new, profile()).await.expect(200);
    assert_eq!((&made.json["name"], &made.json["revision"]), (&json!("Film archive"), &json!(1)));
    assert_eq!(made.headers["etag"], "\"r1\"");
    assert_eq!(made.json["profile"]["video"][1]["crf"], 32);
    let taken = put(&admin, "Film%20archive", new, profile()).await.expect(412);
    assert_eq!((taken.code(), &taken.json["revision"]), ("changed_meanwhile", &json!(1)));

    let mut better = profile();
    better["video"][1]["crf"] = json!(28);
    let first = Some(("if-match", "\"r1\""));
    let changed = put(&admin, "Film%20archive", first, better.clone()).await.expect(200);
    assert_eq!(
        (&changed.json["revision"], &changed.headers["etag"]),
        (&json!(2), &"\"r2\"".parse().unwrap())
    );
    let stale = put(&admin, "Film%20archive", first, profile()).await.expect(412);
    assert_eq!((&stale.json["revision"], &stale.headers["etag"]), (&json!(2), &"\"r2\"".parse().unwrap()));
    let kept = admin.get(PROFILES).await.expect(200).json;
    assert_eq!(kept["items"][0]["profile"]["video"][1]["crf"], 28, "nobody's change is overwritten");
    put(&admin, "Nothing", first, profile()).await.expect(412);
    put(&admin, "Film%20archive", None, better).await.expect(200);

    let choose = |name: &str| format!("{PROFILES}/{name}/choose");
    admin.post(&choose("Film%20archive"), json!({})).await.expect(204);
    let chosen = admin.get(PROFILES).await.expect(200).json;
    assert_eq!(
        (&chosen["standard"], &chosen["items"][0]["standard"]),
        (&json!("Film archive"), &json!(true))
    );
    let stored = store::profiles::standard(&mut house.app().store.reader().await.unwrap()).await.unwrap();
    assert_eq!(stored.unwrap().name, "Film archive");
    admin.post(&choose("Nothing"), json!({})).await.expect(404);
    assert_eq!(admin.get(PROFILES).await.expect(200).json["standard"], "Film archive", "still");
    let door = format!("{PROFILES}/Film%20archive");
    admin.delete(&door).await.expect(409);
    admin.post(&choose("built-in"), json!({})).await.expect(204);
    assert_eq!(admin.get(PROFILES).await.expect(200).json["standard"], Value::Null);

    let old = admin.request(Method::DELETE, &door).header("if-match", "\"r1\"");
    send(old).await.expect(412);
    admin.delete(&door).await.expect(204);
    admin.delete(&door).await.expect(404);
}

async fn profiles_that_cannot_work_are_refused(house: House) {
    let admin = house.admin().await;
    let with = |change: fn(&mut Value)| {
        let mut body = profile();
        change(&mut body);
        body
    };
    let wrong = [
        (with(|p| p["ladder"][0]["height"] = json!(1081)), "ladder", "must be even"),
        (with(|p| p["ladder"][1]["bitrate_bps"] = json!(9_000_000)), "ladder", "not above"),
        (with(|p| p["ladder"] = json!([])), "ladder", "1 to 12 rungs"),
        (with(|p| p["video"][1]["crf"] = json!(70)), "video", "crf of AV1 must be between 15 and 58"),
        (with(|p| p["video"][1]["from_height"] = json!(2160)), "video", "No rung of AV1 is left"),
        (with(|p| p["video"] = json!([{ "codec": "av1" }])), "video", "first video codec must be h264"),
        (with(|p| p["audio"] = json!([])), "audio", "at least one audio codec"),
    ];
    for (body, field, words) in wrong {
        let answer = put(&admin, "Wrong", None, body.clone()).await.expect(422);
        assert_eq!(answer.json["field"], field, "{body}");
        assert!(answer.json["detail"].as_str().unwrap().contains(words), "{}", answer.json);
        let source =
            json!({ "profile": body, "width": 64, "height": 64, "frame_rate": 25, "duration_seconds": 1 });
        let estimated = admin.post(&format!("{PROFILES}/estimate"), source).await.expect(422);
        assert_eq!(estimated.json["detail"], answer.json["detail"]);
    }
    put(&admin, "Wrong", None, with(|p| p["colour"] = json!("red"))).await.expect(422);
    put(&admin, "Wrong", None, with(|p| p["video"][0]["codec"] = json!("mpeg2"))).await.expect(422);
    for name in ["built-in", "%20x", "x%20", "a%2Fb", "..%2Fx", &"x".repeat(61), "%3Cb%3E"] {
        let answer = put(&admin, name, None, profile()).await.expect(422);
        assert_eq!(answer.json["field"], "name", "{name}");
    }
    put(&admin, "x%00", None, profile()).await.expect(404);
    assert_eq!(admin.get(PROFILES).await.expect(200).json["items"], json!([]));
    put(&admin, "Fa%C3%A7ade%202.0", None, profile()).await.expect(200);
}

async fn what_a_profile_takes_is_estimated(house: House) {
    let admin = house.admin().await;
    let source = |height: u32, change: fn(&mut Value)| {
        let mut body = json!({ "profile": profile(), "width": height * 16 / 9, "height": height, "frame_rate": 25,
            "duration_seconds": 600, "hdr": true });
        change(&mut body);
        body
    };
    let door = format!("{PROFILES}/estimate");
    let full = admin.post(&door, source(1080, |_| {})).await.expect(200).json;
    let [h264, av1] = full["codecs"].as_array().unwrap().as_slice() else { panic!("{full:#}") };
    assert_eq!((&h264["codec"], &h264["hdr"], &av1["hdr"]), (&json!("h264"), &json!(false), &json!(true)));
    let rung = &h264["rungs"][0];
    assert_eq!(
        (&rung["label"], &rung["width"], &rung["max_bps"]),
        (&json!("1080p"), &json!(1920), &json!(8_000_000))
    );
    assert_eq!((&rung["max_bytes"], &rung["cpu_seconds"]), (&json!(600_000_000), &json!(622.08)));
    assert_eq!(av1["rungs"].as_array().unwrap().len(), 1, "from 1080 on");
    // 2.5 for the codec, 2.5 for the effort.
    assert_eq!(av1["rungs"][0]["cpu_seconds"], 3888.0);
    assert_eq!(av1["rungs"][0]["max_bps"], 4_400_000);
    let sum = |what: &str| h264[what].as_f64().unwrap() + av1[what].as_f64().unwrap();
    assert_eq!(full["max_bytes"].as_f64().unwrap(), sum("max_bytes"));
    assert!((full["cpu_seconds"].as_f64().unwrap() - sum("cpu_seconds")).abs() < 1e-6);
    let small = admin.post(&door, source(720, |_| {})).await.expect(200).json;
    assert_eq!(small["codecs"].as_array().unwrap().len(), 1, "nothing is enlarged: {small:#}");
    let twice =
        admin.post(&door, source(1080, |body| body["duration_seconds"] = json!(1200))).await.expect(200);
    assert_eq!(twice.json["max_bytes"].as_u64().unwrap(), 2 * full["max_bytes"].as_u64().unwrap());
    type Change = fn(&mut Value);
    let wrong: [(&str, Change); 6] = [
        ("width", |body| body["width"] = json!(0)),
        ("height", |body| body["height"] = json!(20_000)),
        ("frame_rate", |body| body["frame_rate"] = json!(0.5)),
        ("frame_rate", |body| body["frame_rate"] = json!(1e300)),
        ("duration_seconds", |body| body["duration_seconds"] = json!(90_000)),
        ("duration_seconds", |body| body["duration_seconds"] = json!(-1)),
    ];
    for (field, change) in wrong {
        let answer = admin.post(&door, source(1080, change)).await.expect(422);
        assert_eq!(answer.json["field"], field);
    }
}

async fn only_administrators_run_the_farm(house: House) {
    let admin = house.admin().await;
    let creator = house.person(&admin, "carl", "creator").await;
    let title = house.title(&creator, "Mine", Public).await;
    worker(&house, "w").await;
    let narrow = admin.with_bearer(admin.token(&["manage"]).await);
    let estimate =
        json!({ "profile": profile(), "width": 64, "height": 64, "frame_rate": 25, "duration_seconds": 1 });
    let doors = [
        (Method::GET, FARM.to_owned(), json!({})),
        (Method::GET, format!("{ATTEMPTS}/{}/log", uuid::Uuid::now_v7()), json!({})),
        (Method::POST, format!("{FARM}/pause"), json!({})),
        (Method::POST, format!("{FARM}/resume"), json!({})),
        (Method::POST, "/api/v1/control/workers/w/drain".to_owned(), json!({})),
        (Method::POST, "/api/v1/control/workers/w/resume".to_owned(), json!({})),
        (
            Method::POST,
            format!("/api/v1/control/titles/{}/priority", title.id),
            json!({ "priority": "first" }),
        ),
        (Method::GET, PROFILES.to_owned(), json!({})),
        (Method::PUT, format!("{PROFILES}/x"), profile()),
        (Method::DELETE, format!("{PROFILES}/x"), json!({})),
        (Method::POST, format!("{PROFILES}/built-in/choose"), json!({})),
        (Method::POST, format!("{PROFILES}/estimate"), estimate),
    ];
    for (method, path, body) in doors {
        for (caller, status) in [(&house.visitor(), 401), (&creator, 403), (&narrow, 403)] {
            send(caller.request(method.clone(), &path).json(&body)).await.expect(status);
        }
    }
    let seen = farm(&admin, 1).await;
    assert_eq!((&seen["paused"], &seen["workers"][0]["drained"]), (&json!(false), &json!(false)));
}
