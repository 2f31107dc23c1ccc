//! Beats of players, from the request to what operators see; who may send them, and what a death of the receiver costs.

use std::time::{Duration, Instant};

use domain::Visibility::Public;
use reqwest::Method;
use serde_json::{Value, json};
use server::config::Role;

use crate::{
    engines::Engines,
    film::film,
    harness::{Answer, Caller, House, send},
};

crate::on_both!(
    what_players_tell_is_shown_to_operators,
    a_beat_counts_once_however_often_it_is_sent,
    hostile_beats_are_refused_in_words,
    quality_is_for_administrators,
);
mod at_work {
    use super::{cmcd_changes_no_byte, two_receivers_add_up_and_a_killed_one_loses_nothing};

    crate::on_both_engines!(two_receivers_add_up_and_a_killed_one_loses_nothing, cmcd_changes_no_byte,);
}

/// The token of a new playback.
async fn token(caller: &Caller, path: &str) -> String {
    let playback = caller.post(&format!("{path}/playback"), json!({})).await.expect(200);
    playback.json["dash_url"].as_str().unwrap().split('/').nth(2).unwrap().to_owned()
}

fn body(token: &str, beats: &[Value]) -> Value {
    json!({ "v": 1, "token": token, "beats": beats })
}

/// As `navigator.sendBeacon` sends it.
async fn beacon(caller: &Caller, body: &Value) -> Answer {
    let request =
        caller.request(Method::POST, "/api/v1/beats").header("content-type", "text/plain;charset=UTF-8");
    send(request.body(body.to_string())).await
}

fn play(seq: u32, playing_ms: u32, stalled_ms: u32) -> Value {
    json!({ "seq": seq, "kind": "play", "playing_ms": playing_ms, "stalled_ms": stalled_ms, "stalls": 1, "switches": 2,
        "bitrate_bps": 4_000_000, "bytes": 5_000_000, "height": 1080 })
}

async fn quality(admin: &Caller, window: &str) -> Value {
    admin.get(&format!("/api/v1/control/quality?window={window}")).await.expect(200).json
}

/// The quality when `fits`, which must be soon.
async fn soon(admin: &Caller, fits: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let told = quality(admin, "1h").await;
        if fits(&told) {
            return told;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "{told:#}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn what_players_tell_is_shown_to_operators(house: House) {
    let admin = house.admin().await;
    let [first, second] =
        [house.title(&admin, "First", Public).await, house.title(&admin, "Second", Public).await];
    let empty = quality(&admin, "5m").await;
    assert_eq!((&empty["playing_sessions"], &empty["total"]["rebuffer_ratio"]), (&json!(0), &Value::Null));

    // A visitor without an account, and somebody signed in.
    let visitor = house.visitor();
    let one = token(&visitor, &first.path()).await;
    let start = json!({ "seq": 0, "age_ms": 9000, "kind": "start", "startup_ms": 440 });
    let mut edge = play(2, 9000, 1000);
    edge["edge"] = "edge-1".into();
    let answer = beacon(&visitor, &body(&one, &[start.clone(), play(1, 9000, 1000), edge])).await.expect(200);
    assert_eq!(answer.json, json!({ "accepted": 3, "repeated": 0 }));
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    let other = token(&admin, &second.path()).await;
    let failure = json!({ "seq": 0, "kind": "error", "code": "PLAY-3016", "fatal": true, "started": false });
    admin.post("/api/v1/beats", body(&other, &[failure])).await.expect(200);

    let told = soon(&admin, |told| told["total"]["errors"] == 1 && told["playing_sessions"] == 1).await;
    let total = &told["total"];
    assert_eq!((&total["starts"], &total["start_failures"]), (&json!(1), &json!(1)));
    assert_eq!((&total["start_failure_ratio"], &total["rebuffer_ratio"]), (&json!(0.5), &json!(0.1)));
    assert_eq!((&total["mean_bitrate_bps"], &total["stalls"]), (&json!(4_000_000), &json!(2)));
    assert!((400..=500).contains(&total["startup_p50_ms"].as_i64().unwrap()), "{total}");
    let edges: Vec<_> = told["edges"].as_array().unwrap().iter().map(|edge| edge["edge"].clone()).collect();
    assert_eq!(edges, ["origin", "edge-1"]);
    let titles = told["titles"].as_array().unwrap();
    assert_eq!(
        (&titles[0]["title"], &titles[0]["video_id"]),
        (&"First".into(), &first.id.to_string().into())
    );
    assert_eq!((&titles[0]["playing_sessions"], &titles[1]["title"]), (&json!(1), &"Second".into()));
    assert_eq!(told["series"].as_array().unwrap().len(), 61);

    // Over, and no longer counted as playing; the sums stay.
    beacon(&visitor, &body(&one, &[json!({ "seq": 3, "kind": "end" })])).await.expect(200);
    soon(&admin, |told| told["playing_sessions"] == 0 && told["total"]["starts"] == 1).await;
    house.clock.advance(Duration::from_secs(600));
    assert_eq!(quality(&admin, "5m").await["total"]["starts"], 0);
    assert_eq!(quality(&admin, "24h").await["total"]["starts"], 1);
    let metrics = String::from_utf8(admin.get("/metrics").await.expect(200).bytes.to_vec()).unwrap();
    assert!(metrics.contains("kinora_qoe_playing_milliseconds_total{edge=\"edge-1\"}"), "{metrics}");
}

async fn a_beat_counts_once_however_often_it_is_sent(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Title", Public).await;
    let token = token(&admin, &title.path()).await;
    let beats = [play(0, 1000, 0), play(1, 1000, 0)];
    let twice =
        futures::future::join(beacon(&admin, &body(&token, &beats)), beacon(&admin, &body(&token, &beats)))
            .await;
    let taken =
        [twice.0.expect(200).json, twice.1.expect(200).json].map(|told| told["accepted"].as_u64().unwrap());
    assert_eq!(taken.iter().sum::<u64>(), 2);
    let more = beacon(&admin, &body(&token, &[play(1, 1000, 0), play(2, 1000, 0)])).await.expect(200);
    assert_eq!(more.json, json!({ "accepted": 1, "repeated": 1 }));
    soon(&admin, |told| told["total"]["playing_ms"] == 3000).await;

    // Also over a restart, and what was stored is not stored again.
    let house = house.restarted(&[Role::Api, Role::Origin]).await;
    let admin = admin.moved_to(&house.base);
    let again = beacon(&admin, &body(&token, &[play(0, 1000, 0), play(2, 1000, 0), play(3, 500, 0)]))
        .await
        .expect(200);
    assert_eq!(again.json, json!({ "accepted": 1, "repeated": 2 }));
    soon(&admin, |told| told["total"]["playing_ms"] == 3500).await;
}

async fn hostile_beats_are_refused_in_words(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Title", Public).await;
    let good = token(&admin, &title.path()).await;
    let beat = || play(0, 1, 0);
    let altered = format!("{}x{}", &good[..10], &good[11..]);
    let session = json!({ "v": 1, "session": "019303f0-7a4e-7bb0-a1c2-0d7f3b5c9e11", "beats": [beat()] });
    for (body, status, code) in [
        (json!(null), 422, "invalid"),
        (json!({ "v": 2, "token": good, "beats": [beat()] }), 422, "invalid"),
        (session, 422, "invalid"),
        (body("", &[beat()]), 403, "token_refused"),
        (body(&altered, &[beat()]), 403, "token_refused"),
        (body(&"a.".repeat(3000), &[beat()]), 403, "token_refused"),
        (body(&good, &[]), 422, "invalid"),
        (
            body(&good, &[json!({ "seq": 0, "kind": "play", "playing_ms": -5, "stalled_ms": 0 })]),
            422,
            "invalid",
        ),
        (body(&good, &vec![beat(); 2]), 422, "invalid"),
        (body(&good, &[json!({ "seq": 0, "kind": "end", "edge": "x".repeat(300_000) })]), 413, "too_large"),
    ] {
        let answer = beacon(&admin, &body).await.expect(status);
        assert_eq!(answer.code(), code);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.json["detail"].as_str().unwrap().len() > 10);
    }
    let form = admin
        .request(Method::POST, "/api/v1/beats")
        .header("content-type", "application/x-www-form-urlencoded");
    send(form.body(body(&good, &[beat()]).to_string())).await.expect(415);
    admin.get("/api/v1/beats").await.expect(405);
    let preflight = send(admin.request(Method::OPTIONS, "/api/v1/beats")).await.expect(204);
    assert_eq!(preflight.headers["access-control-allow-methods"], "POST");

    // Hours after its end a token is still good for what was held back, days after it is not.
    house.clock.advance(Duration::from_secs(8 * 3600));
    beacon(&admin, &body(&good, &[beat()])).await.expect(200);
    house.clock.advance(Duration::from_secs(8 * 3600));
    assert_eq!(beacon(&admin, &body(&good, &[play(1, 1, 0)])).await.expect(403).code(), "token_refused");
}

async fn quality_is_for_administrators(house: House) {
    let admin = house.admin().await;
    let creator = house.person(&admin, "carl", "creator").await;
    house.visitor().get("/api/v1/control/quality").await.expect(401);
    creator.get("/api/v1/control/quality").await.expect(403);
    let limited = admin.with_bearer(admin.token(&["read"]).await);
    limited.get("/api/v1/control/quality").await.expect(403);
    admin.get("/api/v1/control/quality?window=2h").await.expect(422);
    admin.get("/api/v1/control/quality?hours=2").await.expect(422);
    for window in ["5m", "1h", "24h"] {
        assert_eq!(quality(&admin, window).await["window"], window);
    }
}

/// Two processes receive beats; one of them is killed before its sums are stored, and starts again.
async fn two_receivers_add_up_and_a_killed_one_loses_nothing(engines: Engines) {
    // SQLite serves one machine, and there any number of processes.
    let first = engines.start("api,worker,origin");
    let admin = Caller::at(&first.base, engines.token());
    let id = admin.upload("Film", &film(2).await.file).await;
    admin.until_complete(id).await;
    let path = format!("/api/v1/videos/{id}");
    let second = engines.start("api");
    let there = admin.moved_to(&second.base);
    let (one, two) = (token(&admin, &path).await, token(&there, &path).await);
    beacon(&admin, &body(&one, &[play(0, 1000, 0), play(1, 1000, 0)])).await.expect(200);
    soon(&there, |told| told["total"]["playing_ms"] == 2000).await;
    beacon(&there, &body(&two, &[play(0, 500, 0)])).await.expect(200);
    beacon(&there, &body(&two, &[play(1, 500, 0)])).await.expect(200);
    second.kill();
    let second = engines.start("api");
    let there = admin.moved_to(&second.base);
    soon(&admin, |told| told["total"]["playing_ms"] == 3000).await;
    // Acknowledged before the death: known again.
    let again = beacon(&there, &body(&two, &[play(1, 500, 0), play(2, 500, 0)])).await.expect(200);
    assert_eq!(again.json, json!({ "accepted": 1, "repeated": 1 }));
    let told = soon(&admin, |told| told["total"]["playing_ms"] == 3500).await;
    assert_eq!((&told["playing_sessions"], &told["titles"][0]["title"]), (&json!(2), &"Film".into()));
}

/// What players add to media addresses for those who keep logs.
async fn cmcd_changes_no_byte(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let id = admin.upload("Film", &film(2).await.file).await;
    admin.until_complete(id).await;
    let playback = admin.playback(id).await;
    let base = playback["hls_url"].as_str().unwrap().rsplit_once('/').unwrap().0.to_owned();
    let cmcd = "CMCD=bl%3D12000%2Cbr%3D4000%2Ccid%3D%22x%22%2Cot%3Dv%2Csf%3Dd%2Csid%3D%22y%22%2Cv%3D2";
    for file in [
        "main.m3u8",
        "main.mpd",
        "v90p/playlist.m3u8",
        "v90p/init.mp4",
        "v90p/0.m4s",
        "a0/0.m4s",
        "storyboard.vtt",
    ] {
        let plain = admin.get(&format!("{base}/{file}")).await.expect(200);
        let with = admin.get(&format!("{base}/{file}?{cmcd}")).await.expect(200);
        assert_eq!(plain.bytes, with.bytes, "{file}");
        assert_eq!(plain.headers.get("etag"), with.headers.get("etag"), "{file}");
    }
}
