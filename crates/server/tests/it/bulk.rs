//! Bulk edits, the studio's filters, the history of changes, the trash.

use std::time::Duration;

use domain::Visibility::{Private, Public};
use serde_json::{Value, json};

use crate::harness::{House, Title};

crate::on_both!(
    many_titles_are_edited_and_each_tells_its_outcome,
    bulk_edits_have_limits_and_owners,
    the_trash_takes_and_gives_back_many,
    the_studio_filters_and_sorts,
    every_change_is_told_and_can_be_taken_back,
);

const BULK: &str = "/api/v1/studio/bulk";

fn ids(titles: &[&Title]) -> Vec<String> {
    titles.iter().map(|title| title.id.to_string()).collect()
}

fn oks(json: &Value) -> Vec<bool> {
    json["results"].as_array().unwrap().iter().map(|result| result["ok"].as_bool().unwrap()).collect()
}

async fn many_titles_are_edited_and_each_tells_its_outcome(house: House) {
    let admin = house.admin().await;
    let [a, b, c] = [
        house.title(&admin, "A", Private).await,
        house.title(&admin, "B", Private).await,
        house.title(&admin, "C", Private).await,
    ];
    let full: Vec<String> = (0..30).map(|n| format!("t{n}")).collect();
    admin.patch(&b.path(), json!({ "tags": full })).await.expect(200);
    let body = json!({ "ids": ids(&[&a, &b, &c]), "changes": { "visibility": "public", "language": "de" },
        "add_tags": ["#Neu"], "add_genres": ["drama"] });
    let answer = admin.post(BULK, body).await.expect(200).json;
    assert_eq!(
        (oks(&answer), &answer["changed"], &answer["refused"]),
        (vec![true, false, true], &json!(2), &json!(1))
    );
    assert_eq!(answer["results"][1]["problem"]["errors"][0]["field"], "tags");
    assert_eq!(answer["results"][0]["video"]["tags"], json!(["neu"]));
    let refused = admin.get(&b.path()).await.json;
    assert_eq!(
        (&refused["visibility"], &refused["genres"]),
        (&json!("private"), &json!([])),
        "all of it or nothing"
    );
    let changed = admin.get(&c.path()).await.json;
    assert_eq!((&changed["visibility"], &changed["language"]), (&json!("public"), &json!("de")));
    assert_eq!((&changed["genres"], &changed["tags"]), (&json!(["drama"]), &json!(["neu"])));
    let removed = json!({ "ids": ids(&[&a, &b]), "remove_tags": ["NEU", "t3"], "remove_genres": ["drama"] });
    assert_eq!(oks(&admin.post(BULK, removed).await.expect(200).json), [true, true]);
    assert_eq!(admin.get(&a.path()).await.json["tags"], json!([]));
    assert_eq!(admin.get(&b.path()).await.json["tags"].as_array().unwrap().len(), 29);
    // Edits of their own: what an undo sends.
    let revision = admin.get(&a.path()).await.json["revision"].as_i64().unwrap();
    let own = json!({ "edits": [
        { "id": a.id.to_string(), "revision": revision, "changes": { "visibility": "private", "language": null } },
        { "id": c.id.to_string(), "revision": 1, "changes": { "visibility": "private" } },
    ] });
    let answer = admin.post(BULK, own).await.expect(200).json;
    assert_eq!(oks(&answer), [true, false]);
    assert_eq!(answer["results"][1]["problem"]["code"], "changed_meanwhile");
    assert!(admin.get(&a.path()).await.json["language"].is_null());
}

async fn bulk_edits_have_limits_and_owners(house: House) {
    let admin = house.admin().await;
    let carl = house.person(&admin, "carl", "creator").await;
    let (mine, public, hidden) = (
        house.title(&carl, "Mine", Private).await,
        house.title(&admin, "Public", Public).await,
        house.title(&admin, "Hidden", Private).await,
    );
    let body =
        json!({ "ids": [mine.id, public.id, hidden.id, "nonsense"], "changes": { "title": "Stolen" } });
    let answer = carl.post(BULK, body.clone()).await.expect(200).json;
    assert_eq!(oks(&answer), [true, false, false, false]);
    let codes: Vec<_> = (1..4).map(|n| answer["results"][n]["problem"]["status"].as_u64().unwrap()).collect();
    assert_eq!(codes, [403, 404, 404]);
    assert!(answer["results"][2].get("video").is_none());
    assert_eq!(admin.get(&public.path()).await.json["title"], "Public");
    house.visitor().post(BULK, body.clone()).await.expect(401);
    let reader = carl.with_bearer(carl.token(&["read"]).await);
    reader.post(BULK, body).await.expect(403);
    for wrong in [
        json!({}),
        json!({ "ids": [mine.id] }),
        json!({ "ids": [], "action": "delete" }),
        json!({ "ids": [mine.id, mine.id], "action": "delete" }),
        json!({ "ids": [mine.id], "action": "delete", "changes": { "title": "x" } }),
        json!({ "ids": [mine.id], "edits": [{ "id": mine.id, "changes": {} }] }),
        json!({ "ids": (0..101).map(|_| domain::VideoId::new().to_string()).collect::<Vec<_>>(), "action": "delete" }),
        json!({ "ids": [mine.id], "action": "burn" }),
    ] {
        carl.post(BULK, wrong.clone()).await.expect(422);
    }
    assert!(carl.get(&mine.path()).await.json["deleted_at"].is_null());
}

async fn the_trash_takes_and_gives_back_many(house: House) {
    let admin = house.admin().await;
    let (a, b) = (house.title(&admin, "A", Public).await, house.title(&admin, "B", Public).await);
    let all = ids(&[&a, &b]);
    let answer = admin.post(BULK, json!({ "ids": all, "action": "delete" })).await.expect(200).json;
    assert_eq!(answer["results"][0]["video"]["purge_at"], "2026-01-31T00:00:02.000Z", "30 days are left");
    house.visitor().get(&a.path()).await.expect(404);
    assert_eq!(admin.get("/api/v1/studio/videos?trash=true").await.each("title").len(), 2);
    admin.post(BULK, json!({ "ids": all, "action": "restore" })).await.expect(200);
    house.visitor().get(&a.path()).await.expect(200);
    let history = admin.get(&format!("{}/changes", a.path())).await.expect(200).json;
    let fields: Vec<_> = history["items"].as_array().unwrap().iter().map(|item| item["to"].clone()).collect();
    assert_eq!(fields, [json!(false), json!(true)]);
    let gone = json!({ "ids": ids(&[&a]), "action": "delete_forever" });
    let answer = admin.post(BULK, gone).await.expect(200).json;
    assert!(answer["results"][0].get("video").is_none() && answer["results"][0]["ok"] == true);
    let answer = admin.post(BULK, json!({ "ids": all, "action": "restore" })).await.expect(200).json;
    assert_eq!(oks(&answer), [false, true]);
    assert_eq!(answer["results"][0]["problem"]["status"], 409);
}

async fn the_studio_filters_and_sorts(house: House) {
    let admin = house.admin().await;
    let zebra = house.title(&admin, "zebra", Public).await;
    house.title(&admin, "Ähre", Private).await;
    house.title(&admin, "Bär", Private).await;
    house.unfinished(&admin, "Running", Private).await;
    house.clock.advance(Duration::from_secs(1));
    admin.patch(&zebra.path(), json!({ "tags": ["Striped"] })).await.expect(200);
    let list = async |query: &str| {
        admin.get(&format!("/api/v1/studio/videos?{query}")).await.expect(200).each("title")
    };
    assert_eq!(list("").await, ["Running", "Bär", "Ähre", "zebra"]);
    assert_eq!(list("sort=oldest").await, ["zebra", "Ähre", "Bär", "Running"]);
    assert_eq!(list("sort=title").await, ["Ähre", "Bär", "Running", "zebra"]);
    assert_eq!(list("sort=changed").await[0], "zebra");
    assert_eq!(list("visibility=public").await, ["zebra"]);
    assert_eq!(list("state=uploading").await, ["Running"]);
    assert_eq!(list("q=bar").await, ["Bär"]);
    assert_eq!(list("q=STRIPED").await, ["zebra"]);
    assert_eq!(list("q=zebra+bar").await, Vec::<String>::new());
    for sort in ["newest", "oldest", "title", "changed"] {
        let whole = list(&format!("sort={sort}")).await;
        let mut paged = Vec::new();
        let mut path = format!("/api/v1/studio/videos?sort={sort}&limit=1");
        loop {
            let page = admin.get(&path).await.expect(200);
            paged.extend(page.each("title"));
            let Some(cursor) = page.json["next_cursor"].as_str() else { break };
            path = format!("/api/v1/studio/videos?sort={sort}&limit=1&cursor={cursor}");
        }
        assert_eq!(paged, whole, "{sort}");
    }
    for wrong in ["sort=size", "visibility=open", "state=done", &format!("q={}", "x".repeat(201)), "cursor=x"]
    {
        admin.get(&format!("/api/v1/studio/videos?{wrong}")).await.expect(422);
    }
}

async fn every_change_is_told_and_can_be_taken_back(house: House) {
    let admin = house.admin().await;
    let carl = house.person(&admin, "carl", "creator").await;
    let title = house.title(&carl, "First", Public).await;
    let until = "2030-01-01T00:00:00.000Z";
    carl.patch(&title.path(), json!({ "title": "Second", "genres": ["war"], "available_until": until }))
        .await
        .expect(200);
    house.clock.advance(Duration::from_secs(60));
    admin.patch(&title.path(), json!({ "title": "Third" })).await.expect(200);
    let path = format!("{}/changes", title.path());
    let all = carl.get(&path).await.expect(200).json["items"].as_array().unwrap().clone();
    assert_eq!(all.len(), 4);
    assert_eq!(
        (&all[0]["field"], &all[0]["from"], &all[0]["to"]),
        (&json!("title"), &json!("Second"), &json!("Third"))
    );
    assert_eq!(all[0]["by"]["name"], "Ada Admin");
    assert_eq!(all[0]["at"], "2026-01-01T00:01:01.000Z");
    let first: Vec<_> =
        all[1..].iter().map(|change| (change["field"].clone(), change["by"]["name"].clone())).collect();
    for field in ["title", "genres", "available_until"] {
        assert!(first.contains(&(json!(field), json!("carl"))), "{field}");
    }
    assert!(all[1..].iter().all(|change| change["revision"] == all[1]["revision"]), "one edit, one revision");
    let of = |field: &str| all[1..].iter().find(|change| change["field"] == field).unwrap().clone();
    assert_eq!(
        (of("available_until")["to"].clone(), of("available_until")["from"].clone()),
        (json!(until), Value::Null)
    );
    // What is told can be sent back as it is.
    for field in ["title", "genres", "available_until"] {
        carl.patch(&title.path(), json!({ field: of(field)["from"] })).await.expect(200);
    }
    let back = carl.get(&title.path()).await.json;
    assert_eq!(
        (&back["title"], &back["genres"], &back["available_until"]),
        (&json!("First"), &json!([]), &Value::Null)
    );
    // Paged, and nobody else's business.
    let page = carl.get(&format!("{path}?limit=3")).await.expect(200).json;
    let next = carl
        .get(&format!("{path}?limit=100&cursor={}", page["next_cursor"].as_str().unwrap()))
        .await
        .expect(200);
    assert_eq!(next.json["items"].as_array().unwrap().len(), 4);
    let vera = house.person(&admin, "vera", "creator").await;
    vera.get(&path).await.expect(404);
    house.visitor().get(&path).await.expect(401);
    // After their time changes are forgotten.
    house.clock.advance(Duration::from_secs(731 * 24 * 3600));
    let roles = [server::config::Role::Api];
    let house = house.restarted(&roles).await;
    let carl = house.sign_in("carl@example.org").await;
    for _ in 0..100 {
        if carl.get(&path).await.expect(200).json["items"] == json!([]) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("old changes stay");
}
