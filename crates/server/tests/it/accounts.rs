//! Set-up, sign-in, sessions, passwords, tokens, administration.

use std::time::Duration;

use serde_json::json;

use crate::harness::{House, PASSWORD};

crate::on_both!(
    the_first_account_is_the_administrator_and_the_only_set_up,
    sessions_slide_rotate_and_end,
    a_password_change_ends_other_sessions,
    sign_in_tells_nothing_and_slows_down,
    tokens_have_scopes_and_an_end,
    administrators_manage_people,
    the_command_lines_administrator_is_claimed_by_set_up,
);

async fn the_first_account_is_the_administrator_and_the_only_set_up(house: House) {
    let visitor = house.visitor();
    assert_eq!(visitor.get("/api/v1/instance").await.json["setup_required"], true);
    visitor.get("/api/v1/session").await.expect(401);
    let body = json!({ "name": "A", "email": "a@example.org", "password": "short" });
    let refused = visitor.post("/api/v1/setup", body).await.expect(422);
    assert_eq!(refused.json["field"], "password");
    // Two at once: one wins.
    let body = |n: u8| json!({ "name": "A", "email": format!("a{n}@example.org"), "password": PASSWORD });
    let (one, two) =
        tokio::join!(visitor.post("/api/v1/setup", body(1)), visitor.post("/api/v1/setup", body(2)));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let won = if one.status == 201 { one } else { two };
    assert_eq!(won.json["user"]["role"], "admin");
    let cookie = won.headers["set-cookie"].to_str().unwrap();
    for part in ["kinora_session=", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert_eq!(visitor.get("/api/v1/instance").await.json["setup_required"], false);
}

async fn sessions_slide_rotate_and_end(house: House) {
    let admin = house.admin().await;
    house.clock.advance(Duration::from_secs(20 * 86_400));
    let answer = admin.get("/api/v1/session").await.expect(200);
    assert!(answer.headers.contains_key("set-cookie"), "the cookie's life is prolonged");
    house.clock.advance(Duration::from_secs(20 * 86_400));
    admin.get("/api/v1/session").await.expect(200);

    // Signing in again replaces the session that the browser had.
    let body = json!({ "email": "ada@example.org", "password": PASSWORD });
    let mut again = admin.clone();
    let answer = admin.post("/api/v1/session", body).await.expect(201);
    again.take_cookie(&answer);
    assert_ne!(again.cookie, admin.cookie);
    admin.get("/api/v1/session").await.expect(401);

    let other = house.sign_in("ada@example.org").await;
    let sessions = again.get("/api/v1/me/sessions").await.expect(200);
    let list = sessions.json.as_array().unwrap();
    assert_eq!(list.len(), 2);
    let foreign = list.iter().find(|s| s["current"] == false).unwrap()["id"].as_str().unwrap();
    again.delete(&format!("/api/v1/me/sessions/{foreign}")).await.expect(204);
    other.get("/api/v1/session").await.expect(401);
    again.delete(&format!("/api/v1/me/sessions/{foreign}")).await.expect(404);

    house.clock.advance(Duration::from_secs(31 * 86_400));
    again.get("/api/v1/session").await.expect(401);
    let fresh = house.sign_in("ada@example.org").await;
    fresh.delete("/api/v1/session").await.expect(204);
    fresh.get("/api/v1/session").await.expect(401);
}

async fn a_password_change_ends_other_sessions(house: House) {
    let here = house.admin().await;
    let there = house.sign_in("ada@example.org").await;
    let change = |current: &str| json!({ "current_password": current, "new_password": "another password" });
    let wrong = here.post("/api/v1/me/password", change("wrong")).await.expect(422);
    assert_eq!(wrong.json["field"], "current_password");
    here.post("/api/v1/me/password", change(PASSWORD)).await.expect(204);
    here.get("/api/v1/session").await.expect(200);
    there.get("/api/v1/session").await.expect(401);
    let body = |password: &str| json!({ "email": "ada@example.org", "password": password });
    house.visitor().post("/api/v1/session", body(PASSWORD)).await.expect(401);
    house.visitor().post("/api/v1/session", body("another password")).await.expect(201);
}

async fn sign_in_tells_nothing_and_slows_down(house: House) {
    house.admin().await;
    let visitor = house.visitor();
    let body = |email: &str| json!({ "email": email, "password": "wrong password" });
    let known = visitor.post("/api/v1/session", body("ada@example.org")).await.expect(401);
    let unknown = visitor.post("/api/v1/session", body("nobody@example.org")).await.expect(401);
    let senseless = visitor.post("/api/v1/session", body("not an address")).await.expect(401);
    assert_eq!(known.json, unknown.json);
    assert_eq!(known.json, senseless.json);
    // An account that nobody has is slowed down just as one that somebody has.
    for email in ["ada@example.org", "nobody@example.org"] {
        for _ in 0..9 {
            visitor.post("/api/v1/session", body(email)).await.expect(401);
        }
        let slowed = visitor.post("/api/v1/session", body(email)).await.expect(429);
        assert!(slowed.headers.contains_key("retry-after"));
    }
    let right = json!({ "email": "ada@example.org", "password": PASSWORD });
    visitor.post("/api/v1/session", right.clone()).await.expect(429);
    house.clock.advance(Duration::from_secs(61));
    visitor.post("/api/v1/session", right).await.expect(201);
}

async fn tokens_have_scopes_and_an_end(house: House) {
    let admin = house.admin().await;
    let body = json!({ "name": "backup", "scopes": ["read", "manage"], "expires_in_days": 2 });
    let made = admin.post("/api/v1/me/tokens", body).await.expect(201);
    let secret = made.json["token"].as_str().unwrap();
    assert!(secret.starts_with("kin_"));
    let program = house.visitor().with_bearer(secret);
    program.get("/api/v1/studio/videos").await.expect(200);
    program.get("/api/v1/users").await.expect(403);
    program.get("/api/v1/me/tokens").await.expect(403);
    assert!(
        !admin.get("/api/v1/me/tokens").await.bytes.windows(secret.len()).any(|w| w == secret.as_bytes())
    );
    house.clock.advance(Duration::from_secs(2 * 86_400 + 1));
    program.get("/api/v1/studio/videos").await.expect(401);

    let lasting = house.visitor().with_bearer(admin.token(&["read"]).await);
    lasting.get("/api/v1/studio/videos").await.expect(200);
    let listed = admin.get("/api/v1/me/tokens").await.expect(200);
    let id = listed.each("id").remove(0);
    admin.delete(&format!("/api/v1/me/tokens/{id}")).await.expect(204);
    lasting.get("/api/v1/studio/videos").await.expect(401);
    for bad in [json!([]), json!(["root"])] {
        admin.post("/api/v1/me/tokens", json!({ "name": "x", "scopes": bad })).await.expect(422);
    }
}

async fn administrators_manage_people(house: House) {
    let admin = house.admin().await;
    let carl = house.person(&admin, "carl", "creator").await;
    let again = json!({ "name": "C", "email": "CARL@example.org", "password": PASSWORD, "role": "viewer" });
    admin.post("/api/v1/users", again).await.expect(409);
    carl.get("/api/v1/users").await.expect(403);
    let path = format!("/api/v1/users/{}", carl.id.unwrap());
    let changed = admin.patch(&path, json!({ "role": "viewer", "quota_bytes": 5 })).await.expect(200);
    assert_eq!(changed.json["user"]["role"], "viewer");
    assert_eq!(changed.json["user"]["quota_bytes"], 5);
    let kept = admin.patch(&path, json!({ "name": "Carl" })).await.expect(200);
    assert_eq!(kept.json["user"]["quota_bytes"], 5);
    let cleared = admin.patch(&path, json!({ "quota_bytes": null })).await.expect(200);
    assert!(cleared.json["user"]["quota_bytes"].is_null());
    admin.patch(&path, json!({ "disabled": true })).await.expect(200);
    carl.get("/api/v1/session").await.expect(401);
    let body = json!({ "email": "carl@example.org", "password": PASSWORD });
    house.visitor().post("/api/v1/session", body.clone()).await.expect(401);
    admin.patch(&path, json!({ "disabled": false })).await.expect(200);
    house.visitor().post("/api/v1/session", body).await.expect(201);
    let me = format!("/api/v1/users/{}", admin.id.unwrap());
    admin.patch(&me, json!({ "role": "viewer" })).await.expect(409);
    admin.patch(&me, json!({ "disabled": true })).await.expect(409);
    assert_eq!(admin.get("/api/v1/users?limit=1").await.each("name"), ["Carl"]);
}

async fn the_command_lines_administrator_is_claimed_by_set_up(house: House) {
    let made = house.app().administrator().await.unwrap();
    assert_eq!(house.visitor().get("/api/v1/instance").await.json["setup_required"], true);
    let body = json!({ "email": made.email, "password": "!" });
    house.visitor().post("/api/v1/session", body).await.expect(401);
    let admin = house.admin().await;
    assert_eq!(admin.id, Some(made.id), "what the command line brought in belongs to the administrator");
    assert_eq!(house.app().administrator().await.unwrap().id, made.id);
}
