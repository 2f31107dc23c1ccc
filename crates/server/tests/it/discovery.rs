//! Home and search.

use domain::Visibility::{Private, Public, Unlisted};
use serde_json::json;

use crate::harness::House;

crate::on_both!(home_has_rows_of_real_titles, search_finds_words_however_they_are_written);

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
