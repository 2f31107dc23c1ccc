//! Home and search.

use domain::Visibility::{Private, Public, Unlisted};
use serde_json::json;

use crate::harness::House;

crate::on_both!(
    home_has_rows_of_real_titles,
    home_has_a_row_for_each_larger_genre,
    search_finds_words_however_they_are_written,
    search_finds_people_tags_and_channels,
    search_has_filters_and_orders,
);

async fn home_has_rows_of_real_titles(house: House) {
    let admin = house.admin().await;
    let empty = house.visitor().get("/api/v1/home").await.expect(200);
    assert!(empty.json["hero"].is_null() && empty.json["rows"] == json!([]));
    let shown = house.title(&admin, "Shown", Public).await;
    house.title(&admin, "Mine", Private).await;
    let visitor = house.visitor().get("/api/v1/home").await.expect(200);
    assert_eq!(visitor.json["hero"]["title"], "Shown");
    assert_eq!(visitor.json["rows"].as_array().unwrap().len(), 1);
    let history = format!("/api/v1/me/history/{}", shown.id);
    admin.put(&history, json!({ "position_ms": 5000, "duration_ms": 600_000 })).await.expect(204);
    let home = admin.get("/api/v1/home").await.expect(200);
    let rows: Vec<_> = home.json["rows"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(rows, ["continue", "new", "mine"]);
    assert_eq!(home.json["rows"][0]["items"][0]["progress"]["position_ms"], 5000);
}

async fn search_finds_words_however_they_are_written(house: House) {
    let admin = house.admin().await;
    for title in ["Une Été à Paris", "Paris by Night", "Summer in Berlin: 100% fun"] {
        house.title(&admin, title, Public).await;
    }
    house.title(&admin, "Paris unlisted", Unlisted).await;
    house.title(&admin, "Paris private", Private).await;
    let find = |words: &str| {
        let path = format!("/api/v1/search?q={}", words.replace(' ', "+").replace('%', "%25"));
        let admin = admin.clone();
        async move { admin.get(&path).await.expect(200).each("title") }
    };
    assert_eq!(
        find("PARIS").await,
        ["Paris by Night", "Une Été à Paris"],
        "a title that begins so comes first"
    );
    assert_eq!(find("ete").await, ["Une Été à Paris"]);
    assert_eq!(find("night paris").await, ["Paris by Night"], "all words, in any order");
    assert_eq!(find("paris berlin").await, Vec::<String>::new());
    assert_eq!(find("ada berl").await, ["Summer in Berlin: 100% fun"], "the channel's name counts");
    assert_eq!(find("100%").await, ["Summer in Berlin: 100% fun"]);
    assert_eq!(find("%").await, Vec::<String>::new());
    let first = admin.get("/api/v1/search?q=paris&limit=1").await.expect(200);
    let cursor = first.json["next_cursor"].as_str().unwrap();
    let second = admin.get(&format!("/api/v1/search?q=paris&limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!(second.each("title"), ["Une Été à Paris"]);
    assert!(second.json["next_cursor"].is_null());
    admin.patch("/api/v1/me", json!({ "name": "Zoë" })).await.expect(200);
    assert_eq!(find("zoe berlin").await.len(), 1, "a new name is found");
    assert!(find("ada berlin").await.is_empty());
}

async fn home_has_a_row_for_each_larger_genre(house: House) {
    let admin = house.admin().await;
    for (name, genres) in
        [("A", json!(["comedy", "war"])), ("B", json!(["comedy", "drama"])), ("C", json!(["drama"]))]
    {
        let title = house.title(&admin, name, Public).await;
        admin.patch(&title.path(), json!({ "genres": genres })).await.expect(200);
    }
    let hidden = house.title(&admin, "D", Private).await;
    admin.patch(&hidden.path(), json!({ "genres": ["comedy", "war"] })).await.expect(200);
    let home = house.visitor().get("/api/v1/home").await.expect(200).json;
    let rows: Vec<_> =
        home["rows"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(rows, ["new", "genre:comedy", "genre:drama"]);
    assert_eq!(home["rows"][1]["title"], "Comedy");
    let titles: Vec<_> =
        home["rows"][1]["items"].as_array().unwrap().iter().map(|item| item["title"].clone()).collect();
    assert_eq!(titles, ["B", "A"]);
}

async fn search_finds_people_tags_and_channels(house: House) {
    let admin = house.admin().await;
    let film = house.title(&admin, "The Third Man", Public).await;
    let other = house.title(&admin, "Citizen Kane", Public).await;
    let hidden = house.title(&admin, "Unseen", Private).await;
    let welles = json!([{ "name": "Orson Welles", "role": "Harry Lime" }, { "name": "Orson Welles", "role": "Voice" }]);
    let change = json!({ "cast": welles, "directors": ["Carol Reed"], "tags": ["Vienna"] });
    admin.patch(&film.path(), change).await.expect(200);
    for title in [&other, &hidden] {
        admin.patch(&title.path(), json!({ "directors": ["Orson Wellès"] })).await.expect(200);
    }
    let find =
        async |words: &str| house.visitor().get(&format!("/api/v1/search?q={words}")).await.expect(200);
    let found = find("orson+welles").await;
    assert_eq!(found.each("title"), ["Citizen Kane", "The Third Man"]);
    assert_eq!(
        found.json["people"],
        json!([{ "name": "Orson Welles", "jobs": ["director", "cast"], "titles": 2 }])
    );
    assert_eq!(find("vienna").await.each("title"), ["The Third Man"]);
    assert_eq!(find("carol").await.json["people"][0]["jobs"], json!(["director"]));
    let ada = find("ADA").await.json;
    assert_eq!(
        ada["channels"],
        json!([{ "id": admin.id.unwrap().to_string(), "name": "Ada Admin", "titles": 2 }])
    );
    assert_eq!(find("third").await.json["channels"], json!([]), "a word of a title is no channel");
    // Only the first page has the groups.
    let first = house.visitor().get("/api/v1/search?q=orson&limit=1").await.expect(200).json;
    let next = format!("/api/v1/search?q=orson&limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = house.visitor().get(&next).await.expect(200).json;
    assert_eq!((&second["people"], second["items"].as_array().unwrap().len()), (&json!([]), 1));
    // Who leaves the title is no longer found by it.
    admin.patch(&film.path(), json!({ "cast": [] })).await.expect(200);
    assert_eq!(find("orson").await.each("title"), ["Citizen Kane"]);
    assert_eq!(find("orson").await.json["people"][0]["jobs"], json!(["director"]));
}

async fn search_has_filters_and_orders(house: House) {
    let admin = house.admin().await;
    let store = &house.app().store;
    for (name, minutes, year, language, rating, genres) in [
        ("Film one", 90, 1949, "de", "PG", json!(["drama"])),
        ("Film two", 30, 1999, "pt-BR", "R", json!(["drama", "war"])),
        ("Film three", 5, 2020, "pt", "PG", json!(["comedy"])),
    ] {
        let title = house.title(&admin, name, Public).await;
        let fields = json!({ "release_year": year, "language": language, "maturity_rating": rating, "genres": genres });
        admin.patch(&title.path(), fields).await.expect(200);
        let mut tx = store.begin().await.unwrap();
        let now = house.clock.now();
        store::videos::describe(&mut tx, title.id, Some(minutes * 60_000), None, now).await.unwrap();
        tx.commit().await.unwrap();
    }
    house.title(&admin, "Film bare", Public).await;
    let find = async |query: &str| {
        house.visitor().get(&format!("/api/v1/search?{query}")).await.expect(200).each("title")
    };
    assert_eq!(find("q=film").await, ["Film bare", "Film three", "Film two", "Film one"]);
    assert_eq!(find("q=film&sort=longest").await, ["Film one", "Film two", "Film bare", "Film three"]);
    assert_eq!(find("genre=drama").await, ["Film two", "Film one"], "a filter needs no words");
    assert_eq!(find("q=film&language=pt").await, ["Film three", "Film two"]);
    assert_eq!(find("language=pt-br").await, ["Film two"]);
    assert_eq!(find("q=film&rating=PG&sort=newest").await, ["Film three", "Film one"]);
    assert_eq!(find("year_from=1950").await, ["Film three", "Film two"]);
    assert_eq!(find("year_to=1999").await, ["Film two", "Film one"]);
    assert_eq!(find("year_from=1999&year_to=1999").await, ["Film two"]);
    assert_eq!(find("length=short").await, ["Film bare", "Film three"]);
    assert_eq!(find("length=medium").await, ["Film two"]);
    assert_eq!(find("length=long&genre=").await, ["Film one"]);
    assert_eq!(find("q=film&genre=comedy&length=long").await, Vec::<String>::new());
    assert_eq!(find("q=").await, Vec::<String>::new());
    let mut paged = Vec::new();
    let mut path = "/api/v1/search?q=film&sort=longest&limit=1".to_owned();
    loop {
        let page = house.visitor().get(&path).await.expect(200);
        paged.extend(page.each("title"));
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        path = format!("/api/v1/search?q=film&sort=longest&limit=1&cursor={cursor}");
    }
    assert_eq!(paged, ["Film one", "Film two", "Film bare", "Film three"]);
    let wrong =
        "q=film&genre=polka&language=Klingon&rating=99&length=endless&sort=best&year_from=-1&year_to=99999";
    let refused = house.visitor().get(&format!("/api/v1/search?{wrong}")).await.expect(422).json;
    assert_eq!(refused["errors"].as_array().unwrap().len(), 7);
}
