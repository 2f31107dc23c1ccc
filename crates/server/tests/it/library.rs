//! What editors say of a title: fields, faults by field, availability, the vocabulary.

use std::time::Duration;

use domain::Visibility::{Private, Public, Unlisted};
use reqwest::Method;
use serde_json::json;

use crate::harness::{House, send};

crate::on_both!(
    fields_are_kept_normalised_and_emptied,
    every_wrong_field_is_named,
    outside_its_window_a_title_is_for_its_owner_only,
    the_vocabulary_counts_what_everybody_finds,
);

async fn fields_are_kept_normalised_and_emptied(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "The Third Man", Public).await;
    let fresh = admin.get(&title.path()).await.expect(200).json;
    assert_eq!(fresh["kind"], "clip");
    for (field, empty) in
        [("genres", json!([])), ("tags", json!([])), ("cast", json!([])), ("directors", json!([]))]
    {
        assert_eq!(fresh[field], empty, "{field}");
    }
    for field in ["language", "release_year", "maturity_rating", "publish_at", "available_from", "countries"]
    {
        assert!(fresh[field].is_null(), "{field}");
    }
    let change = json!({
        "kind": "movie", "genres": ["thriller", "mystery"], "tags": ["#Vienna", " vienna ", "Film  Noir"],
        "cast": [{ "name": "Orson Welles", "role": "Harry Lime" }, { "name": "Alida Valli" }],
        "directors": ["Carol Reed"], "language": "EN-gb", "release_year": 1949, "maturity_rating": "PG",
        "available_from": "2020-06-01T02:00:00+02:00", "available_until": "2030-01-01T00:00:00Z",
    });
    let changed = admin.patch(&title.path(), change).await.expect(200).json;
    let seen = house.visitor().get(&title.path()).await.expect(200).json;
    for of in [&changed, &seen] {
        assert_eq!(of["kind"], "movie");
        assert_eq!(of["genres"], json!(["thriller", "mystery"]));
        assert_eq!(of["tags"], json!(["vienna", "film noir"]));
        assert_eq!(of["cast"][0], json!({ "name": "Orson Welles", "role": "Harry Lime" }));
        assert_eq!(of["cast"][1], json!({ "name": "Alida Valli", "role": "" }));
        assert_eq!(of["directors"], json!(["Carol Reed"]));
        assert_eq!((&of["language"], &of["release_year"]), (&json!("en-GB"), &json!(1949)));
        assert_eq!(of["maturity_rating"], "PG");
        assert_eq!(of["available_from"], "2020-06-01T00:00:00.000Z");
    }
    let emptied = json!({ "language": null, "release_year": null, "maturity_rating": null, "available_from": null, "cast": [] });
    let emptied = admin.patch(&title.path(), emptied).await.expect(200).json;
    assert!(
        emptied["language"].is_null()
            && emptied["release_year"].is_null()
            && emptied["maturity_rating"].is_null()
    );
    assert_eq!((&emptied["cast"], &emptied["genres"]), (&json!([]), &json!(["thriller", "mystery"])));
    assert_eq!(emptied["available_until"], "2030-01-01T00:00:00.000Z");
    // What changes nothing is no edit.
    let same = admin.patch(&title.path(), json!({ "title": " The Third Man " })).await.expect(200).json;
    assert_eq!(same["revision"], emptied["revision"]);
}

async fn every_wrong_field_is_named(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Right", Private).await;
    let wrong = json!({
        "title": "", "genres": ["polka"], "tags": (0..31).map(|n| n.to_string()).collect::<Vec<_>>(), "cast": [{ "name": " " }],
        "language": "English", "release_year": 1492, "maturity_rating": "18+", "kind": "episode",
        "available_from": "tomorrow", "countries": ["DE"], "poster_id": "x", "visibility": "scheduled",
    });
    let refused = admin.patch(&title.path(), wrong).await.expect(422);
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    let mut fields: Vec<_> = refused.json["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "available_from",
            "cast",
            "countries",
            "genres",
            "kind",
            "language",
            "maturity_rating",
            "poster_id",
            "publish_at",
            "release_year",
            "tags",
            "title"
        ]
    );
    let countries =
        refused.json["errors"].as_array().unwrap().iter().find(|error| error["field"] == "countries");
    assert!(countries.unwrap()["detail"].as_str().unwrap().contains("cannot tell where its viewers are"));
    assert_eq!(admin.get(&title.path()).await.json["title"], "Right", "nothing of a refused edit is kept");
    for body in [
        json!({ "release_year": "1949" }),
        json!({ "cast": [{ "name": "a", "fee": 1 }] }),
        json!({ "tags": "a" }),
    ] {
        admin.patch(&title.path(), body).await.expect(422);
    }
    let vera = house.person(&admin, "vera", "creator").await;
    vera.patch(&title.path(), json!({ "tags": ["x"] })).await.expect(404);
}

async fn outside_its_window_a_title_is_for_its_owner_only(house: House) {
    let admin = house.admin().await;
    let carl = house.person(&admin, "carl", "creator").await;
    let vera = house.person(&admin, "vera", "creator").await;
    let title = house.title(&carl, "Premiere", Public).await;
    let other = house.title(&carl, "By link", Unlisted).await;
    let picture = carl.get(&title.path()).await.json["poster_url"].as_str().unwrap().to_owned();
    let history = format!("/api/v1/me/history/{}", title.id);
    let position = json!({ "position_ms": 5000, "duration_ms": 600_000 });
    vera.put(&history, position.clone()).await.expect(204);
    let window =
        json!({ "available_from": "2026-01-02T00:00:00Z", "available_until": "2026-01-02T04:00:00Z" });
    for path in [title.path(), other.path()] {
        carl.patch(&path, window.clone()).await.expect(200);
    }
    let paths = [title.path(), other.path(), format!("{}/renditions", title.path()), picture.clone()];
    let shut = async |code: &str, field: &str| {
        for who in [&house.visitor(), &vera] {
            for path in &paths {
                let refused = who.get(path).await.expect(403);
                assert_eq!(refused.code(), code, "{path}");
                assert!(refused.json[field].is_string());
            }
            let refused = who.post(&format!("{}/playback", title.path()), json!({})).await.expect(403);
            assert_eq!(refused.code(), code);
            who.get(&format!("{}/events", title.path())).await.expect(403);
            for list in ["/api/v1/videos", "/api/v1/search?q=premiere"] {
                assert!(who.get(list).await.expect(200).each("title").is_empty(), "{list}");
            }
            assert_eq!(who.get("/api/v1/home").await.expect(200).json["rows"], json!([]));
        }
        vera.put(&history, position.clone()).await.expect(403);
        assert!(vera.get("/api/v1/me/history").await.each("title").is_empty());
        assert!(vera.get("/api/v1/me/continue").await.each("title").is_empty());
        let page = house.visitor().get(&format!("/watch/{}", title.id)).await.expect(200);
        assert!(!String::from_utf8_lossy(&page.bytes).contains("Premiere"));
        for who in [&carl, &admin] {
            who.get(&title.path()).await.expect(200);
            let plays = who.post(&format!("{}/playback", title.path()), json!({})).await.expect(200);
            assert!(
                plays.json["expires_at"].as_str().unwrap() > "2026-01-01T06",
                "not cut for who manages it"
            );
        }
        vera.get(&format!("{}/posters", title.path())).await.expect(403);
    };
    shut("not_yet_available", "available_from").await;

    house.clock.advance(Duration::from_secs(25 * 3600));
    for who in [&house.visitor(), &vera] {
        who.get(&title.path()).await.expect(200);
        assert_eq!(who.get("/api/v1/search?q=premiere").await.each("title"), ["Premiere"]);
        assert_eq!(who.get("/api/v1/videos").await.each("title"), ["Premiere"]);
        let plays = who.post(&format!("{}/playback", title.path()), json!({})).await.expect(200);
        assert_eq!(plays.json["expires_at"], "2026-01-02T04:00:00.000Z", "cut to the window's end");
        // The origin lets the token through now and not after the window.
        let manifest = plays.json["hls_url"].as_str().unwrap();
        // There are no media in this test, but the token is good.
        who.get(manifest).await.expect(404);
    }
    assert_eq!(vera.get("/api/v1/me/history").await.each("title"), ["Premiere"]);
    let running = vera.post(&format!("{}/playback", title.path()), json!({})).await.json["hls_url"].clone();
    let shared = house.visitor().get(&picture).await.expect(200);
    assert!(
        shared.headers["cache-control"].to_str().unwrap().starts_with("private"),
        "no cache may outlive the window"
    );

    house.clock.advance(Duration::from_secs(3 * 3600));
    house.visitor().get(running.as_str().unwrap()).await.expect(401);
    shut("no_longer_available", "available_until").await;
    let conditional =
        house.visitor().request(Method::GET, &picture).header("if-none-match", &shared.headers["etag"]);
    send(conditional).await.expect(403);
}

async fn the_vocabulary_counts_what_everybody_finds(house: House) {
    let admin = house.admin().await;
    for (name, visibility, genres, language) in [
        ("A", Public, json!(["comedy", "drama"]), "de"),
        ("B", Public, json!(["comedy"]), "de"),
        ("C", Public, json!(["war"]), "pt-BR"),
        ("D", Private, json!(["western"]), "fr"),
    ] {
        let title = house.title(&admin, name, visibility).await;
        admin.patch(&title.path(), json!({ "genres": genres, "language": language })).await.expect(200);
        if name == "C" {
            admin.patch(&title.path(), json!({ "genres": [] })).await.expect(200);
        }
    }
    let words = house.visitor().get("/api/v1/vocabulary").await.expect(200).json;
    let titles = |id: &str| {
        let genres = words["genres"].as_array().unwrap();
        genres.iter().find(|genre| genre["id"] == id).unwrap()["titles"].as_i64().unwrap()
    };
    assert_eq!((titles("comedy"), titles("drama"), titles("war"), titles("western")), (2, 1, 0, 0));
    assert_eq!(words["languages"], json!([{ "tag": "de", "titles": 2 }, { "tag": "pt-BR", "titles": 1 }]));
    assert_eq!(words["ratings"][2], json!({ "id": "PG-13", "age": 13 }));
    assert_eq!(words["kinds"], json!(["movie", "clip", "recording"]));
    assert_eq!(
        (words["knows_countries"].as_bool(), words["countries"].as_array().unwrap().len()),
        (Some(false), 249)
    );
}
