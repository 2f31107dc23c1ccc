//! What operators see, what they can do, and who may not.

use std::{collections::BTreeSet, time::Duration};

use domain::{Micros, VideoId, Visibility::Public};
use reqwest::Method;
use serde_json::{Value, json};
use store::{jobs, videos, workers};

use crate::{
    engines::Engines,
    film::film,
    harness::{Caller, House, send},
};

crate::on_both!(
    the_overview_shows_what_there_is,
    jobs_that_were_given_up_begin_again_or_are_put_away,
    only_administrators_operate,
    accounts_are_found_by_a_part_of_their_name,
);
mod at_work {
    use super::what_is_measured_is_what_dashboards_and_alerts_ask_for;

    crate::on_both_engines!(what_is_measured_is_what_dashboards_and_alerts_ask_for);
}

async fn overview(caller: &Caller) -> Value {
    caller.get("/api/v1/control/overview").await.expect(200).json
}

/// A job of `kind` about `subject`, given up after its only attempt.
async fn given_up(house: &House, kind: &str, subject: &str, reason: &str) -> String {
    let now = house.clock.now();
    let mut tx = house.app().store.begin().await.unwrap();
    let new = jobs::NewJob::new(kind, subject, "{}").max_attempts(1);
    let id = jobs::enqueue(&mut tx, &new, now).await.unwrap().id;
    let claim = jobs::claim(&mut tx, "w", &[kind], now, Micros::MINUTE).await.unwrap().unwrap();
    assert_eq!(jobs::fail(&mut tx, &claim, reason, true, now).await.unwrap(), jobs::Outcome::Dead);
    tx.commit().await.unwrap();
    id
}

async fn the_overview_shows_what_there_is(house: House) {
    let admin = house.admin().await;
    let ready = house.title(&admin, "Ready", Public).await;
    let failed = house.unfinished(&admin, "Broken", Public).await;
    let (upload, uploading) = admin.begin_upload("On its way", 1_000_000).await;
    admin.send_bytes(&upload, 0, vec![7; 5000]).await.expect(204);
    let now = house.clock.now();
    let mut tx = house.app().store.begin().await.unwrap();
    videos::failed(&mut tx, failed, "The file holds no picture.", now).await.unwrap();
    let subject = ready.id.to_string();
    for kind in ["chunk", "audio"] {
        jobs::enqueue(&mut tx, &jobs::NewJob::new(kind, &subject, "{}"), now).await.unwrap();
    }
    for (name, seen_at) in [("alive", now), ("gone", now.plus(-5 * Micros::MINUTE))] {
        let sign = workers::Sign { name, slots: 2, about: "{}", kinds: &["chunk"], started_at: now };
        workers::beat(&mut tx, &sign, seen_at).await.unwrap();
    }
    jobs::claim(&mut tx, "alive", &["chunk"], now, Micros::MINUTE).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    house.clock.advance(Duration::from_secs(30));
    app::control::sample(house.app()).await.unwrap();

    let seen = overview(&admin).await;
    let queue: Vec<_> = seen["queue"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| {
            (
                kind["kind"].as_str().unwrap(),
                kind["queued"].as_i64().unwrap(),
                kind["running"].as_i64().unwrap(),
                kind["oldest_wait_seconds"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(queue, [("audio", 1, 0, 30), ("chunk", 0, 1, 0)]);
    let [alive, gone] = seen["workers"].as_array().unwrap().as_slice() else { panic!("{seen:#}") };
    assert_eq!(
        (&alive["name"], &alive["silent"], &alive["slots"]),
        (&json!("alive"), &json!(false), &json!(2))
    );
    assert_eq!((&gone["name"], &gone["silent"]), (&json!("gone"), &json!(true)));
    let job = &alive["jobs"][0];
    assert_eq!(job["video"], json!({ "id": subject, "title": "Ready" }));
    assert_eq!(
        (&job["kind"], &job["attempt"], &job["lease_seconds"]),
        (&json!("chunk"), &json!(1), &json!(30))
    );
    assert_eq!(job["since"], json!(api::Time::from(now).to_string()));
    assert_eq!(seen["failures"][0]["video"]["id"], json!(failed.to_string()));
    assert_eq!(seen["failures"][0]["message"], "The file holds no picture.");
    assert_eq!(seen["open_uploads"], 1);
    let upload = &seen["uploads"][0];
    assert_eq!(upload["video"]["id"], json!(uploading.to_string()));
    assert_eq!(
        (&upload["owner"], &upload["received"], &upload["length"]),
        (&json!("Ada Admin"), &json!(5000), &json!(1_000_000))
    );
    let titles = &seen["titles"];
    assert_eq!(
        (&titles["ready"], &titles["failed"], &titles["uploading"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert!(seen["storage"]["database_bytes"].as_i64().unwrap() > 4096);
    let places: Vec<_> =
        seen["storage"]["disks"].as_array().unwrap().iter().map(|disk| disk["place"].clone()).collect();
    if seen["storage"]["database"] == "sqlite" {
        assert_eq!(places, ["objects", "database"]);
    } else {
        assert!(places.is_empty(), "a bucket and PostgreSQL are on other machines: {places:?}");
    }
    assert!(seen["requests"]["total"].as_u64().unwrap() >= 3);
    let trend = seen["trends"].as_array().unwrap().last().unwrap();
    assert_eq!((&trend["queued"], &trend["running"]), (&json!(1), &json!(1)));
    admin.delete(&ready.path()).await.expect(200);
    assert_eq!(overview(&admin).await["titles"]["trashed"], 1);
}

async fn jobs_that_were_given_up_begin_again_or_are_put_away(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Broken", Public).await;
    let mut tx = house.app().store.begin().await.unwrap();
    videos::failed(&mut tx, title.id, "The source could not be read.", house.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let about_title = given_up(&house, "probe", &title.id.to_string(), "no space left").await;
    let purge = given_up(&house, "purge", &VideoId::new().to_string(), "the store refused").await;
    let unwanted = given_up(&house, "pictures", &VideoId::new().to_string(), "no frame").await;

    let listed = admin.get("/api/v1/control/jobs?limit=2").await.expect(200);
    assert_eq!(listed.each("id"), [unwanted.clone(), purge.clone()]);
    let cursor = listed.json["next_cursor"].as_str().unwrap();
    let rest = admin.get(&format!("/api/v1/control/jobs?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(rest.each("id"), std::slice::from_ref(&about_title));
    assert_eq!(rest.json["items"][0]["error"], "no space left");
    assert_eq!(rest.json["items"][0]["video"]["title"], "Broken");

    let retry = |id: &str| format!("/api/v1/control/jobs/{id}/retry");
    admin.post(&retry(&about_title), json!({})).await.expect(204);
    assert_eq!(admin.video(title.id).await["state"], "processing");
    admin.post(&retry(&purge), json!({})).await.expect(204);
    admin.delete(&format!("/api/v1/control/jobs/{unwanted}")).await.expect(204);
    assert!(admin.get("/api/v1/control/jobs").await.expect(200).each("id").is_empty());

    let mut reader = house.app().store.reader().await.unwrap();
    let state = async |id: &str, reader: &mut store::Reader| jobs::find(reader, id).await.unwrap().state;
    assert_eq!(state(&purge, &mut reader).await, jobs::State::Queued);
    assert_eq!(state(&about_title, &mut reader).await, jobs::State::Cancelled);
    assert_eq!(state(&unwanted, &mut reader).await, jobs::State::Cancelled);
    let about = jobs::list(&mut reader, &title.id.to_string()).await.unwrap();
    assert!(about.iter().any(|job| job.kind == "probe" && job.state == jobs::State::Queued), "{about:?}");
    drop(reader);
    admin.post(&retry(&purge), json!({})).await.expect(409);
    admin.delete(&format!("/api/v1/control/jobs/{purge}")).await.expect(409);
    for nothing in [VideoId::new().to_string(), "%00".into(), "x".into()] {
        admin.post(&retry(&nothing), json!({})).await.expect(404);
    }
}

async fn only_administrators_operate(house: House) {
    let admin = house.admin().await;
    let creator = house.person(&admin, "carl", "creator").await;
    let job = given_up(&house, "purge", &VideoId::new().to_string(), "the store refused").await;
    let narrow = admin.with_bearer(admin.token(&["manage"]).await);
    let doors = [
        (Method::GET, "/api/v1/control/overview".to_owned()),
        (Method::GET, "/api/v1/control/jobs".to_owned()),
        (Method::POST, format!("/api/v1/control/jobs/{job}/retry")),
        (Method::DELETE, format!("/api/v1/control/jobs/{job}")),
        (Method::GET, "/api/v1/control/edges".to_owned()),
        (Method::DELETE, format!("/api/v1/control/edges/warmings/{job}")),
    ];
    for (method, path) in doors {
        for (caller, status) in [(&house.visitor(), 401), (&creator, 403), (&narrow, 403)] {
            send(caller.request(method.clone(), &path)).await.expect(status);
        }
    }
    assert_eq!(admin.get("/api/v1/control/jobs").await.expect(200).each("id"), [job]);
}

async fn accounts_are_found_by_a_part_of_their_name(house: House) {
    let admin = house.admin().await;
    for name in ["carl", "carla", "per_cent"] {
        house.person(&admin, name, "viewer").await;
    }
    let found = async |q: &str| admin.get(&format!("/api/v1/users?q={q}")).await.expect(200).each("name");
    assert_eq!(found("CARL").await, ["carla", "carl"]);
    assert_eq!(found("ada@").await, ["Ada Admin"]);
    assert_eq!(found("r_c").await, ["per_cent"]);
    assert_eq!(found("r%25c").await, Vec::<String>::new());
    assert_eq!(found("%5C").await, Vec::<String>::new());
    assert_eq!(found("").await.len(), 4);
    admin.get(&format!("/api/v1/users?q={}", "x".repeat(300))).await.expect(422);
    admin.get("/api/v1/users?q=%00").await.expect(422);
}

/// Every metric that the dashboard and the alert rules name is one that a Kinora at work shows.
async fn what_is_measured_is_what_dashboards_and_alerts_ask_for(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let film = film(2).await;
    let id = admin.upload("Film", &film.file).await;
    admin.until_complete(id).await;
    let playback = admin.playback(id).await;
    let hls = playback["hls_url"].as_str().unwrap();
    let hls = if hls.starts_with('/') { format!("{}{hls}", house.base) } else { hls.to_owned() };
    reqwest::get(hls).await.unwrap().error_for_status().unwrap();
    // The histogram of start-up times needs one.
    let token = playback["hls_url"].as_str().unwrap().split('/').nth(2).unwrap();
    let start =
        json!({ "v": 1, "token": token, "beats": [{ "seq": 0, "kind": "start", "startup_ms": 400 }] });
    admin.post("/api/v1/beats", start).await.expect(200);
    app::control::sample(house.app()).await.unwrap();
    let worker = &overview(&admin).await["workers"][0];
    assert_eq!(worker["silent"], false, "{worker}");
    // The queue is counted every ten seconds.
    let known = loop {
        let text = String::from_utf8(admin.get("/metrics").await.expect(200).bytes.to_vec()).unwrap();
        let names: BTreeSet<String> = names(&text);
        if names.contains("kinora_jobs_oldest_wait_seconds") {
            break names;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    for (file, text) in [
        ("rules.yml", include_str!("../../../../deploy/prometheus/rules.yml")),
        ("kinora.json", include_str!("../../../../deploy/grafana/kinora.json")),
    ] {
        let asked = names(text);
        assert!(asked.len() > 5, "{file}: {asked:?}");
        // Gauges of jobs have a series only while there is such a job.
        let unknown: Vec<_> =
            asked.iter().filter(|name| !known.contains(*name) && *name != "kinora_jobs").collect();
        // A bucket and PostgreSQL have no disk here, but the work directory does.
        assert!(unknown.is_empty(), "{file} asks for {unknown:?}");
    }
}

/// Names of metrics in a text, without what Prometheus appends to those of histograms.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = words.filter(|word| word.starts_with("kinora_") && *word != "kinora_session");
    let bare = |word: &str| {
        ["_bucket", "_count", "_sum"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word).to_owned()
    };
    ours.map(bare).collect()
}
