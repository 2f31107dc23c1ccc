//! Importing from links: from a server that breaks off, from hostile ones, from a bucket; and who may not.

use std::time::Duration;

use backends::{blob::Blobs, clock::Clock};
use domain::VideoId;
use serde_json::{Value, json};
use server::config::{Config, Role};

use crate::{
    engines::Engines,
    file_server::{FileServer, Manner},
    film::{film, judge, strays},
    harness::{Answer, Caller, House},
};

crate::on_both_engines!(
    a_link_becomes_a_title_over_broken_connections,
    hostile_servers_end_in_words_and_leave_nothing,
    a_cancelled_import_leaves_nothing_and_can_be_retried,
    a_restart_goes_on_where_the_file_stands,
    only_creators_import_and_only_from_outside,
);

fn allowing(port: u16) -> impl Fn(&mut Config) {
    move |config| {
        config.import.allow_networks = vec!["127.0.0.1/32".to_owned().try_into().unwrap()];
        config.import.ports = vec![port, 80];
        config.import.retry_pause_ms = 10;
        config.import.retries = 2;
        config.import.silence_s = 3;
        config.import.speed_window_s = 2;
    }
}

async fn working(engines: Engines, port: u16) -> House {
    House::configured(engines, &Role::ALL, Clock::system(), allowing(port)).await
}

async fn import(caller: &Caller, body: Value) -> Answer {
    caller.post("/api/v1/imports", body).await
}

async fn imported(caller: &Caller, url: &str) -> VideoId {
    let told = import(caller, json!({ "url": url, "visibility": "public" })).await.expect(201);
    assert!(!told.json.to_string().contains("secret"), "{}", told.json);
    told.json["video_id"].as_str().unwrap().parse().unwrap()
}

async fn a_link_becomes_a_title_over_broken_connections(engines: Engines) {
    let server = FileServer::start().await;
    let film = film(14).await;
    let body = bytes::Bytes::from(std::fs::read(&film.file).unwrap());
    let house = working(engines, server.port).await;
    let admin = house.admin().await;
    let manner = Manner { body: body.clone(), ranges: true, etag: Some("\"v1\""), ..Manner::default() };
    let third = body.len() / 3;
    let kind = server.put("/My%20film.mp4", Manner { cuts: (third, 2), ..manner.clone() });
    // Without ranges what is known is passed over; without a tag everything is fetched again.
    let rude = server.put("/rude.mp4", Manner { cuts: (third, 1), ranges: false, ..manner.clone() });
    let loose = server.put("/loose.mp4", Manner { cuts: (third, 1), etag: None, ..manner.clone() });
    let sent_on = server.put(
        "/sent-on.mp4",
        Manner {
            status: Some("302 Found"),
            headers: vec!["location: /rude.mp4".into()],
            ..Manner::default()
        },
    );
    let mut titles = vec![imported(&admin, &format!("{kind}?signature=secret")).await];
    for link in [&rude, &loose, &sent_on] {
        titles.push(imported(&admin, link).await);
    }
    for title in &titles {
        admin.until_complete(*title).await;
    }
    let video = admin.video(titles[0]).await;
    assert_eq!(video["title"], "My film");
    judge(&film, &house.base, &house.visitor().playback(titles[0]).await).await;
    let asked = server.requests("/my%20film.mp4");
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(
        asked[1].contains(&format!("range: bytes={third}-")) && asked[1].contains("if-range: \"v1\""),
        "{}",
        asked[1]
    );
    assert!(asked.iter().all(|head| head.contains("accept-encoding: identity") && !head.contains("gzip")));
    assert_eq!(strays(&house, &titles).await, [""; 0]);
    let masters = house.server.blobs.list("masters").await.unwrap();
    assert_eq!(masters.len(), 4);
    for master in masters {
        assert!(house.server.blobs.get(&master.object).await.unwrap() == body, "{}", master.object);
    }
}

/// Each of these must fail in words that fit, within its limits.
async fn hostile_servers_end_in_words_and_leave_nothing(engines: Engines) {
    let server = FileServer::start().await;
    let house = House::configured(engines, &Role::ALL, Clock::system(), |config| {
        allowing(server.port)(config);
        config.upload.max_bytes = 50_000_000;
        // All at once.
        config.worker.transfer_slots = 20;
    })
    .await;
    let admin = house.admin().await;
    let film = bytes::Bytes::from(std::fs::read(film(14).await.file).unwrap());
    let noise = crate::upload::noise(30_000);
    let plain = |body: &bytes::Bytes| Manner {
        body: body.clone(),
        etag: Some("\"x\""),
        ranges: true,
        ..Manner::default()
    };
    let with = |header: &str| Manner { headers: vec![header.to_owned()], ..plain(&noise) };
    let status = |status| Manner { status: Some(status), ..plain(&noise) };
    let cases: Vec<(&str, Manner, &str)> = vec![
        ("gone", status("404 Not Found"), "no file at this link"),
        ("forbidden", status("403 Forbidden"), "does not let us"),
        ("teapot", status("418 I'm a teapot"), "does not give"),
        ("page", with("content-type: text/html"), "Only video and audio"),
        ("disguise", plain(&"<!doctype html><p>no film".repeat(100).into()), "Only video and audio"),
        ("archive", plain(&[&b"PK\x03\x04"[..], &noise].concat().into()), "archive"),
        ("bomb", with("content-encoding: gzip"), "compressed"),
        ("endless", Manner { told_length: Some(None), ranges: false, ..plain(&noise) }, "how large"),
        ("huge", Manner { told_length: Some(Some(1 << 50)), ranges: false, ..plain(&noise) }, "larger than"),
        ("empty", plain(&bytes::Bytes::new()), "empty"),
        (
            "loop",
            Manner { headers: vec!["location: /loop".into()], ..status("302 Found") },
            "redirects too often",
        ),
        (
            "inwards",
            Manner {
                headers: vec!["location: http://169.254.169.254/latest/meta-data/".into()],
                ..status("302 Found")
            },
            "private network",
        ),
        (
            "inwards6",
            Manner {
                headers: vec!["location: http://[::ffff:10.0.0.1]/".into()],
                ..status("307 Temporary Redirect")
            },
            "private network",
        ),
        (
            "other-port",
            Manner { headers: vec!["location: http://127.0.0.1:1/".into()], ..status("302 Found") },
            "port",
        ),
        (
            "short",
            Manner { told_length: Some(Some(film.len() as u64 + 9)), ranges: false, ..plain(&film) },
            "connection",
        ),
        ("slow", Manner { bps: Some(2000), ..plain(&film) }, "slowly"),
    ];
    let mut titles = Vec::new();
    for (name, manner, words) in cases {
        let path = format!("/{name}");
        titles.push((imported(&admin, &server.put(&path, manner)).await, name, words));
    }
    for (title, name, words) in &titles {
        let video = admin.until(*title, |video| video["state"] != "uploading").await;
        assert_eq!(video["state"], "failed", "{name}: {video:#}");
        let told = video["error"].as_str().unwrap();
        assert!(told.contains(words), "{name}: {told}");
        assert!(!told.contains("127.0.0.1") && !told.contains("169.254"), "{name}: {told}");
    }
    // What broken ones had staged goes with the next round of maintenance, which a start begins with.
    let titles: Vec<VideoId> = titles.into_iter().map(|(title, _, _)| title).collect();
    let house = house.restarted(&[Role::Api]).await;
    let leftovers = async {
        while !unfinished(&house).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), leftovers).await.unwrap();
    assert_eq!(strays(&house, &titles).await, [""; 0]);
    let admin = house.sign_in("ada@example.org").await;
    for title in titles {
        assert_eq!(admin.video(title).await["state"], "failed", "the title stays, to tell what happened");
    }
}

/// Uploads that hold staged bytes.
async fn unfinished(house: &House) -> Vec<Value> {
    let admin = house.sign_in("ada@example.org").await;
    admin.get("/api/v1/me/uploads").await.expect(200).json.as_array().unwrap().clone()
}

async fn a_cancelled_import_leaves_nothing_and_can_be_retried(engines: Engines) {
    let server = FileServer::start().await;
    let house = working(engines, server.port).await;
    let admin = house.admin().await;
    let film = film(14).await;
    let body = bytes::Bytes::from(std::fs::read(&film.file).unwrap());
    let manner = Manner { body: body.clone(), ranges: true, etag: Some("\"x\""), ..Manner::default() };
    let slow = Manner { bps: Some(body.len() / 20), ..manner.clone() };
    let link = server.put("/film.mp4", slow);
    let title = imported(&admin, &link).await;
    let begun = |video: &Value| video["steps"][0]["done"].as_i64().unwrap_or(0) > 0;
    admin.until(title, begun).await;
    admin.post(&format!("/api/v1/videos/{title}/cancel"), json!({})).await.expect(200);
    server.put("/film.mp4", manner);
    let house = house.restarted(&[Role::Api]).await;
    let leftovers = async {
        while !unfinished(&house).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), leftovers).await.unwrap();
    assert_eq!(strays(&house, &[title]).await, [""; 0]);
    let admin = house.sign_in("ada@example.org").await;
    assert_eq!(admin.video(title).await["state"], "cancelled");
    house.server.stop();
    house.server.wait().await.unwrap();
    let house = working(house.engines, server.port).await;
    let admin = admin.moved_to(&house.base);
    admin.post(&format!("/api/v1/videos/{title}/retry"), json!({})).await.expect(200);
    admin.until_complete(title).await;
    judge(&film, &house.base, &house.visitor().playback(title).await).await;
}

async fn a_restart_goes_on_where_the_file_stands(engines: Engines) {
    let server = FileServer::start().await;
    let house = working(engines, server.port).await;
    let admin = house.admin().await;
    let film = film(14).await;
    let body = bytes::Bytes::from(std::fs::read(&film.file).unwrap());
    let manner = Manner { body: body.clone(), ranges: true, etag: Some("\"x\""), ..Manner::default() };
    let link = server.put("/film.mp4", Manner { bps: Some(body.len() / 10), ..manner.clone() });
    let title = imported(&admin, &link).await;
    admin.until(title, |video| video["steps"][0]["done"].as_i64().unwrap_or(0) > 0).await;
    house.server.stop();
    house.server.wait().await.unwrap();
    server.put("/film.mp4", manner);
    let house = working(house.engines, server.port).await;
    let admin = admin.moved_to(&house.base);
    admin.until_complete(title).await;
    judge(&film, &house.base, &house.visitor().playback(title).await).await;
    let asked = server.requests("/film.mp4");
    let last = asked.last().unwrap();
    assert!(asked.len() == 2 && last.contains("if-range") && !last.contains("bytes=0-"), "{asked:?}");

    // And from a bucket that the operator named, under its prefix alone.
    house.server.stop();
    house.server.wait().await.unwrap();
    let bucket = testkit::s3().await.unwrap();
    let theirs = Blobs::open(&bucket.config("")).unwrap();
    theirs.put("films/a.mp4", body.clone()).await.unwrap();
    theirs.put("other/a.mp4", body).await.unwrap();
    let house = House::configured(house.engines, &Role::ALL, Clock::system(), |config| {
        let s3 = bucket.config("").s3;
        let named = vod::import::BucketConfig {
            bucket: Some(bucket.name.clone()),
            prefix: "films/".into(),
            s3,
            ..Default::default()
        };
        config.import.buckets = [("footage".to_owned(), named)].into();
    })
    .await;
    let admin = admin.moved_to(&house.base);
    let from_bucket = imported(&admin, "s3://footage/films/a.mp4").await;
    let missing = imported(&admin, "s3://footage/films/b.mp4").await;
    for link in
        ["s3://footage/other/a.mp4", "s3://elsewhere/films/a.mp4", "s3://footage/films/../other/a.mp4"]
    {
        import(&admin, json!({ "url": link })).await.expect(422);
    }
    admin.until_complete(from_bucket).await;
    judge(&film, &house.base, &house.visitor().playback(from_bucket).await).await;
    let video = admin.until(missing, |video| video["state"] != "uploading").await;
    assert!(video["error"].as_str().unwrap().contains("no such file in the bucket"), "{video}");
}

async fn only_creators_import_and_only_from_outside(engines: Engines) {
    let house = House::configured(engines, &[Role::Api], testkit::fake_clock(), |_| {}).await;
    let admin = house.admin().await;
    let link = json!({ "url": "https://films.example.org/film.mp4" });
    import(&house.visitor(), link.clone()).await.expect(401);
    let viewer = house.person(&admin, "vera", "viewer").await;
    import(&viewer, link.clone()).await.expect(403);
    let creator = house.person(&admin, "carl", "creator").await;
    for scopes in [&["read"][..], &["manage"]] {
        import(&creator.with_bearer(creator.token(scopes).await), link.clone()).await.expect(403);
    }
    import(&creator.with_bearer(creator.token(&["upload"]).await), link.clone()).await.expect(201);
    for url in [
        "",
        "film.mp4",
        "file:///etc/passwd",
        "ftp://example.org/film.mp4",
        "http://user:pw@example.org/film.mp4",
        "http://127.0.0.1/film.mp4",
        "http://2130706433/film.mp4",
        "http://0177.0.0.1/film.mp4",
        "http://[::1]/film.mp4",
        "http://[::ffff:10.0.0.1]/film.mp4",
        "http://169.254.169.254/latest/",
        "http://10.0.0.1/film.mp4",
        "http://example.org:22/film.mp4",
        "https://example.org/film.zip",
        "s3://nobody/film.mp4",
        "s3://",
        "data:video/mp4;base64,AAAA",
    ] {
        let answer = import(&creator, json!({ "url": url })).await;
        assert!([415, 422].contains(&answer.status.as_u16()), "{url}: {:?}", answer.json);
    }
    let long = format!("https://example.org/{}.mp4", "a".repeat(5000));
    import(&creator, json!({ "url": long })).await.expect(422);
    import(&creator, json!({ "url": "https://example.org/a.mp4", "more": 1 })).await.expect(422);
    import(&creator, json!({ "url": "https://example.org/a.mp4", "visibility": "all" })).await.expect(400);
    // One has been accepted above.
    for _ in 1..50 {
        import(&creator, link.clone()).await.expect(201);
    }
    import(&creator, link.clone()).await.expect(409);
    import(&admin, link).await.expect(201);
}
