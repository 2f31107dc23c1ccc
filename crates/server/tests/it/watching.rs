//! The watchlist, more like this, and keeping one's history.

use domain::Visibility::{Private, Public};
use serde_json::json;

use crate::harness::House;

crate::on_both!(
    a_list_is_ones_own,
    a_full_list_says_so,
    what_is_like_a_title_comes_first,
    a_history_is_searched_and_cleared,
);

async fn a_list_is_ones_own(house: House) {
    let admin = house.admin().await;
    let vera = house.person(&admin, "vera", "viewer").await;
    let [first, second] =
        [house.title(&admin, "First", Public).await, house.title(&admin, "Second", Public).await];
    let secret = house.title(&admin, "Secret", Private).await;
    let entry = |id: domain::VideoId| format!("/api/v1/me/watchlist/{id}");

    house.visitor().get("/api/v1/me/watchlist").await.expect(401);
    house.visitor().put(&entry(first.id), json!({})).await.expect(401);
    vera.put(&entry(secret.id), json!({})).await.expect(404);
    vera.put(&entry(domain::VideoId::new()), json!({})).await.expect(404);
    vera.with_bearer(vera.token(&["read"]).await).get("/api/v1/me/watchlist").await.expect(200);

    vera.put(&entry(first.id), json!({})).await.expect(204);
    house.clock.advance(std::time::Duration::from_secs(1));
    vera.put(&entry(second.id), json!({})).await.expect(204);
    house.clock.advance(std::time::Duration::from_secs(1));
    vera.put(&entry(first.id), json!({})).await.expect(204);
    assert_eq!(
        vera.get("/api/v1/me/watchlist").await.each("title"),
        ["Second", "First"],
        "it keeps its place"
    );
    let page = vera.get("/api/v1/me/watchlist?limit=1").await.expect(200);
    let next = format!("/api/v1/me/watchlist?limit=1&cursor={}", page.json["next_cursor"].as_str().unwrap());
    assert_eq!(vera.get(&next).await.each("title"), ["First"]);
    vera.get("/api/v1/me/watchlist?cursor=nonsense").await.expect(422);

    // Marked wherever titles are found, for her alone.
    assert_eq!(vera.get(&first.path()).await.json["in_watchlist"], true);
    assert_eq!(admin.get(&first.path()).await.json["in_watchlist"], false);
    assert!(house.visitor().get(&first.path()).await.json["in_watchlist"].is_null());
    assert!(admin.get("/api/v1/me/watchlist").await.each("title").is_empty());
    let home = vera.get("/api/v1/home").await.expect(200);
    let rows: Vec<_> = home.json["rows"].as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    assert_eq!(rows, ["list", "new"]);
    assert_eq!(home.json["hero"]["in_watchlist"], true);
    assert_eq!(vera.get("/api/v1/search?q=first").await.json["items"][0]["in_watchlist"], true);

    // What is no longer hers to see is not on it, and comes back with the permission.
    admin.patch(&second.path(), json!({ "visibility": "private" })).await.expect(200);
    assert_eq!(vera.get("/api/v1/me/watchlist").await.each("title"), ["First"]);
    admin.patch(&second.path(), json!({ "visibility": "public" })).await.expect(200);
    vera.delete(&entry(first.id)).await.expect(204);
    vera.delete(&entry(first.id)).await.expect(204);
    assert_eq!(vera.get("/api/v1/me/watchlist").await.each("title"), ["Second"]);
    admin.delete(&format!("{}?permanent=true", second.path())).await.expect(204);
    assert!(vera.get("/api/v1/me/watchlist").await.each("title").is_empty());
}

async fn a_full_list_says_so(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "One more", Public).await;
    let store = &house.app().store;
    let mut tx = store.begin().await.unwrap();
    for _ in 0..store::watchlist::MOST {
        let new = store::videos::NewVideo {
            id: domain::VideoId::new(),
            owner: admin.id.unwrap(),
            title: "Filler".into(),
            description: String::new(),
            attribution: String::new(),
            visibility: Public,
        };
        store::videos::insert(&mut tx, &new, house.clock.now()).await.unwrap();
        assert!(store::watchlist::put(&mut tx, admin.id.unwrap(), new.id, house.clock.now()).await.unwrap());
    }
    tx.commit().await.unwrap();
    let answer = admin.put(&format!("/api/v1/me/watchlist/{}", title.id), json!({})).await.expect(409);
    assert!(answer.json["detail"].as_str().unwrap().contains("full"));
}

async fn what_is_like_a_title_comes_first(house: House) {
    let admin = house.admin().await;
    let other = house.person(&admin, "other", "creator").await;
    let of = house.title(&admin, "Penguins of the southern ice", Public).await;
    let like = house.title(&other, "Southern penguins", Public).await;
    house.title(&other, "Cooking for two", Public).await;
    let seen = house.title(&other, "More penguins", Public).await;
    let secret = house.title(&other, "Penguins in private", Private).await;
    let path = format!("{}/related", of.path());
    let answer = house.visitor().get(&path).await.expect(200);
    let titles = |json: &serde_json::Value| -> Vec<String> {
        json.as_array().unwrap().iter().map(|v| v["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles(&answer.json), ["Southern penguins", "More penguins", "Cooking for two"]);
    // What I have seen comes last.
    admin
        .put(
            &format!("/api/v1/me/history/{}", like.id),
            json!({ "position_ms": 600_000, "duration_ms": 600_000 }),
        )
        .await
        .expect(204);
    let mine = admin.get(&path).await.expect(200);
    assert_eq!(titles(&mine.json), ["More penguins", "Cooking for two", "Southern penguins"]);
    assert_eq!(
        titles(&admin.get(&format!("{path}?limit=1")).await.json),
        ["Southern penguins"],
        "cut first, then ordered"
    );
    for limit in ["0", "51"] {
        admin.get(&format!("{path}?limit={limit}")).await.expect(422);
    }
    house.visitor().get(&format!("{}/related", secret.path())).await.expect(404);
    other.delete(&seen.path()).await.expect(200);
    assert_eq!(titles(&house.visitor().get(&path).await.json), ["Southern penguins", "Cooking for two"]);
}

async fn a_history_is_searched_and_cleared(house: House) {
    let admin = house.admin().await;
    let vera = house.person(&admin, "vera", "viewer").await;
    let watched = json!({ "position_ms": 5000, "duration_ms": 600_000 });
    for title in ["Winter in Oslo", "Summer in Oslo", "Berlin"] {
        let title = house.title(&admin, title, Public).await;
        for person in [&admin, &vera] {
            person.put(&format!("/api/v1/me/history/{}", title.id), watched.clone()).await.expect(204);
        }
    }
    assert_eq!(vera.get("/api/v1/me/history?q=OSLO+wint").await.each("title"), ["Winter in Oslo"]);
    assert_eq!(
        vera.get("/api/v1/me/history?q=oslo").await.each("title"),
        ["Summer in Oslo", "Winter in Oslo"]
    );
    assert!(vera.get("/api/v1/me/history?q=paris").await.each("title").is_empty());
    vera.get(&format!("/api/v1/me/history?q={}", "x".repeat(201))).await.expect(422);
    house.visitor().delete("/api/v1/me/history").await.expect(401);
    vera.delete("/api/v1/me/history").await.expect(204);
    assert!(vera.get("/api/v1/me/history").await.each("title").is_empty());
    assert_eq!(admin.get("/api/v1/me/history").await.each("title").len(), 3, "everybody has their own");
}
