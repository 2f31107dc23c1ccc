//! Scheduled publishing: hidden until its time, public at it, across restarts and edits.

use std::time::Duration;

use domain::Visibility::Private;
use serde_json::{Value, json};
use server::config::Role;
use store::outbox;

use crate::harness::{Caller, House, Title};

crate::on_both!(a_scheduled_title_becomes_public_at_its_time, edits_move_and_end_a_schedule);

const HOUR: Duration = Duration::from_secs(3600);

/// Waits for the worker, which looks every second or two.
async fn until_public(of: &Caller, title: &Title) -> Value {
    for _ in 0..600 {
        let json = of.get(&title.path()).await.expect(200).json;
        if json["visibility"] == "public" {
            return json;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it was not published");
}

async fn a_scheduled_title_becomes_public_at_its_time(house: House) {
    let admin = house.admin().await;
    let vera = house.person(&admin, "vera", "creator").await;
    let older = house.title(&admin, "Premiere", Private).await;
    house.title(&admin, "Newer", domain::Visibility::Public).await;
    let schedule = json!({ "visibility": "scheduled", "publish_at": "2026-01-01T03:00:00Z" });
    let planned = admin.patch(&older.path(), schedule).await.expect(200).json;
    assert_eq!(
        (&planned["visibility"], &planned["publish_at"]),
        (&json!("scheduled"), &json!("2026-01-01T03:00:00.000Z"))
    );

    // A restart forgets nothing.
    let house = house.restarted(&Role::ALL).await;
    let (admin, vera) = (admin.moved_to(&house.base), vera.moved_to(&house.base));
    house.clock.advance(HOUR * 2);
    for who in [&house.visitor(), &vera] {
        who.get(&older.path()).await.expect(404);
        who.post(&format!("{}/playback", older.path()), json!({})).await.expect(404);
        assert!(who.get("/api/v1/search?q=premiere").await.each("title").is_empty());
        assert_eq!(who.get("/api/v1/videos").await.each("title"), ["Newer"]);
    }
    admin.post(&format!("{}/playback", older.path()), json!({})).await.expect(200);

    house.clock.advance(HOUR);
    let public = until_public(&admin, &older).await;
    assert!(public["publish_at"].is_null());
    house.visitor().get(&older.path()).await.expect(200);
    assert_eq!(
        house.visitor().get("/api/v1/videos").await.each("title"),
        ["Premiere", "Newer"],
        "new when it is shown"
    );
    let changes = admin.get(&format!("{}/changes", older.path())).await.expect(200).json;
    assert_eq!(changes["items"][0]["field"], "visibility");
    assert!(changes["items"][0]["by"].is_null(), "Kinora did it itself");
    let events = outbox::read(&mut house.app().store.reader().await.unwrap(), 0, 100).await.unwrap();
    let published: Vec<_> = events.iter().filter(|event| event.topic == "title.published").collect();
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].subject, older.id.to_string());
}

async fn edits_move_and_end_a_schedule(house: House) {
    let admin = house.admin().await;
    let [moved, ended, trashed, busy] = [
        house.title(&admin, "Moved", Private).await,
        house.title(&admin, "Ended", Private).await,
        house.title(&admin, "Trashed", Private).await,
        house.title(&admin, "Busy", Private).await,
    ];
    for title in [&moved, &ended, &trashed, &busy] {
        let schedule = json!({ "visibility": "scheduled", "publish_at": "2026-01-01T03:00:00Z" });
        admin.patch(&title.path(), schedule).await.expect(200);
    }
    let past = json!({ "publish_at": "2025-12-31T00:00:00Z" });
    assert_eq!(admin.patch(&moved.path(), past).await.expect(422).json["field"], "publish_at");
    admin.patch(&moved.path(), json!({ "publish_at": "2026-01-01T05:00:00Z" })).await.expect(200);
    let private = admin.patch(&ended.path(), json!({ "visibility": "private" })).await.expect(200).json;
    assert!(private["publish_at"].is_null(), "the time ends with the schedule");
    admin.delete(&trashed.path()).await.expect(200);
    // Stopping the work on a title leaves its schedule alone.
    let mut tx = house.app().store.begin().await.unwrap();
    store::jobs::cancel_by_subject(&mut tx, &busy.id.to_string(), house.clock.now()).await.unwrap();
    tx.commit().await.unwrap();

    let house = house.restarted(&Role::ALL).await;
    let admin = admin.moved_to(&house.base);
    house.clock.advance(HOUR * 3);
    until_public(&admin, &busy).await;
    until_public(&admin, &trashed).await;
    house.visitor().get(&trashed.path()).await.expect(404);
    assert_eq!(admin.get(&moved.path()).await.json["visibility"], "scheduled");
    assert_eq!(admin.get(&ended.path()).await.json["visibility"], "private");
    house.clock.advance(HOUR * 2);
    until_public(&admin, &moved).await;
    assert_eq!(admin.get(&ended.path()).await.json["visibility"], "private");
}
