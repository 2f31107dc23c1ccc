//! Answers about titles that are kept: true everywhere, at once where the change was made and soon elsewhere.

use std::time::Duration;

use backends::clock::Clock;
use domain::Visibility::Public;
use serde_json::json;
use server::config::Role;

use crate::{
    engines::Engines,
    harness::{Caller, House},
};

crate::on_both_engines!(what_is_kept_ends_with_the_change_in_every_process);

/// How many answers this process took from memory.
async fn kept(visitor: &Caller) -> u64 {
    let text = String::from_utf8(visitor.get("/metrics").await.expect(200).bytes.to_vec()).unwrap();
    let line = text.lines().find(|line| line.starts_with("kinora_title_answers_total{from=\"memory\"}"));
    line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
}

/// Reads until the answer is `wanted`; a promise of one second, with room for a busy machine.
async fn soon(visitor: &Caller, path: &str, wanted: impl Fn(&crate::harness::Answer) -> bool) {
    for _ in 0..100 {
        if wanted(&visitor.get(path).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the change is not seen");
}

async fn what_is_kept_ends_with_the_change_in_every_process(engines: Engines) {
    let here = House::start(engines.clone(), &[Role::Api], Clock::system()).await;
    let there = House::start(engines, &[Role::Api], Clock::system()).await;
    let admin = here.admin().await;
    let title = here.title(&admin, "Before", Public).await;
    let (path, near, far) = (title.path(), here.visitor(), there.visitor());
    let before = near.get(&path).await.expect(200);
    far.get(&path).await.expect(200);
    for _ in 0..100 {
        if kept(&near).await > 10 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        for visitor in [&near, &far] {
            let again = visitor.get(&path).await.expect(200);
            assert_eq!(again.json, before.json);
            assert_eq!(again.headers["etag"], before.headers["etag"]);
            assert_eq!(again.headers["content-type"], before.headers["content-type"]);
        }
    }
    assert!(kept(&near).await > 10, "nothing was kept");

    let edited = admin.patch(&path, json!({ "title": "After" })).await.expect(200);
    let read = near.get(&path).await.expect(200);
    assert_eq!((&read.json["title"], &read.headers["etag"]), (&json!("After"), &edited.headers["etag"]));
    soon(&far, &path, |answer| answer.json["title"] == "After").await;

    near.get(&path).await.expect(200);
    admin.patch(&path, json!({ "visibility": "private" })).await.expect(200);
    near.get(&path).await.expect(404);
    soon(&far, &path, |answer| answer.status == 404).await;
    // Their owner sees what visitors do not.
    assert_eq!(admin.get(&path).await.expect(200).json["can_manage"], true);
}
