//! The access table: every way that we know to reach what is not one's own, and what comes of it.

use std::time::Duration;

use domain::Visibility::{Private, Public, Unlisted};
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Caller, House, Title, send};

crate::on_both!(
    private_titles_do_not_exist_for_others,
    unlisted_titles_open_by_link_and_are_never_listed,
    sessions_and_tokens_that_are_not_good_open_nothing,
    tokens_reach_as_far_as_their_scopes,
    other_sites_cannot_use_the_session,
    twisted_paths_and_cursors_lead_nowhere,
);

/// All that can be asked about a title: method, path below it, body.
const ASKED: [(&str, &str); 16] = [
    ("GET", ""),
    ("GET", "/posters"),
    ("GET", "/poster/{poster}/320.jpg"),
    ("GET", "/poster/{poster}/1280.jpg"),
    ("GET", "/renditions"),
    ("GET", "/events"),
    ("POST", "/playback"),
    ("PATCH", ""),
    ("DELETE", ""),
    ("DELETE", "?permanent=true"),
    ("POST", "/restore"),
    ("POST", "/cancel"),
    ("POST", "/retry"),
    ("PUT", "history"),
    ("GET", "/related"),
    ("PUT", "watchlist"),
];

async fn ask(caller: &Caller, title: &Title, (method, below): (&str, &str)) -> u16 {
    let path = match below {
        "history" => format!("/api/v1/me/history/{}", title.id),
        "watchlist" => format!("/api/v1/me/watchlist/{}", title.id),
        below => format!("{}{}", title.path(), below.replace("{poster}", &title.poster)),
    };
    let body = match (method, below) {
        ("PATCH", _) => json!({ "title": "Mine now" }),
        (_, "history") => json!({ "position_ms": 1, "duration_ms": 2 }),
        _ => json!({}),
    };
    let request = caller.request(method.parse().unwrap(), &path).json(&body);
    let response = request.send().await.unwrap();
    response.status().as_u16()
}

async fn private_titles_do_not_exist_for_others(house: House) {
    let admin = house.admin().await;
    let owner = house.person(&admin, "owner", "creator").await;
    let other = house.person(&admin, "other", "creator").await;
    let private = house.title(&owner, "Private", Private).await;
    let trashed = house.title(&owner, "Trashed", Public).await;
    owner.delete(&trashed.path()).await.expect(200);
    let unfinished = house.unfinished(&owner, "Unfinished", Public).await;
    let unfinished =
        Title { id: unfinished, presentation: private.presentation, poster: private.poster.clone() };
    let nothing = Title {
        id: domain::VideoId::new(),
        presentation: private.presentation,
        poster: private.poster.clone(),
    };
    for title in [&private, &trashed, &unfinished, &nothing] {
        for asked in ASKED {
            assert_eq!(ask(&other, title, asked).await, 404, "{asked:?} by another creator");
            let needs_account = !matches!(asked.0, "GET") && asked.1 != "/playback";
            let expected = if needs_account { 401 } else { 404 };
            assert_eq!(ask(&house.visitor(), title, asked).await, expected, "{asked:?} by a visitor");
        }
    }
    // Word for word what is said of a title that never was.
    let one = other.get(&private.path()).await;
    let two = other.get(&nothing.path()).await;
    assert_eq!(one.bytes, two.bytes);
    for list in ["/api/v1/videos", "/api/v1/search?q=private", "/api/v1/studio/videos", "/api/v1/home"] {
        let text = String::from_utf8_lossy(&other.get(list).await.expect(200).bytes).into_owned();
        assert!(!text.contains(&private.id.to_string()) && !text.contains(&trashed.id.to_string()), "{list}");
    }
    other.get("/api/v1/studio/videos?all=true").await.expect(403);
    // A picture of another title does not open by way of an open one.
    let mine = house.title(&other, "Mine", Public).await;
    other.get(&format!("{}/poster/{}/640.jpg", mine.path(), private.poster)).await.expect(404);
    other.patch(&mine.path(), json!({ "poster_id": private.poster })).await.expect(422);
    // The studio's events are about one's own titles only: a change of a foreign one is followed by a change of an own one.
    let mut events = other.request(Method::GET, "/api/v1/studio/events").send().await.unwrap();
    house.clock.advance(Duration::from_millis(5));
    owner.patch(&private.path(), json!({ "title": "Still private" })).await.expect(200);
    house.clock.advance(Duration::from_millis(5));
    other.patch(&mine.path(), json!({ "title": "Changed" })).await.expect(200);
    let mut text = String::new();
    while !text.contains("Changed") {
        let chunk = tokio::time::timeout(Duration::from_secs(20), events.chunk()).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&chunk.unwrap().unwrap()));
    }
    assert!(!text.contains("Still private"), "{text}");
    // Its owner and an administrator may.
    for caller in [&owner, &admin] {
        assert_eq!(ask(caller, &private, ("GET", "")).await, 200);
        assert_eq!(ask(caller, &private, ("POST", "/playback")).await, 200);
    }
}

async fn unlisted_titles_open_by_link_and_are_never_listed(house: House) {
    let admin = house.admin().await;
    let other = house.person(&admin, "other", "creator").await;
    let unlisted = house.title(&admin, "Unlisted", Unlisted).await;
    let visitor = house.visitor();
    visitor.get(&unlisted.path()).await.expect(200);
    visitor.post(&format!("{}/playback", unlisted.path()), json!({})).await.expect(200);
    for list in ["/api/v1/videos", "/api/v1/search?q=unlisted", "/api/v1/home"] {
        for caller in [&visitor, &other, &admin] {
            let answer = caller.get(list).await.expect(200);
            let rows = answer.json["rows"].as_array().cloned().unwrap_or_default();
            let shared = rows.iter().filter(|row| row["id"] != "mine").collect::<Vec<_>>();
            assert!(
                answer.each("id").is_empty() && !json!(shared).to_string().contains(&unlisted.id.to_string())
            );
        }
    }
    // What can be seen can be refused openly.
    for asked in
        [("PATCH", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/retry"), ("POST", "/restore")]
    {
        assert_eq!(ask(&other, &unlisted, asked).await, 403, "{asked:?}");
        assert_eq!(ask(&visitor, &unlisted, asked).await, 401, "{asked:?}");
    }
    let seen = other.get(&unlisted.path()).await;
    assert!(seen.json["steps"].is_null() && seen.json["can_manage"] == false);
    // An id that differs in its last digit is another one, or none.
    let mut guess = unlisted.path();
    let last = guess.pop().unwrap();
    guess.push(if last == '0' { '1' } else { '0' });
    visitor.get(&guess).await.expect(404);
}

async fn sessions_and_tokens_that_are_not_good_open_nothing(house: House) {
    let admin = house.admin().await;
    let secret = admin.token(&["read", "manage", "admin"]).await;
    let visitor = house.visitor();
    let altered = |text: &str, at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let cookie = admin.cookie.clone().unwrap();
    let session = cookie.trim_start_matches("kinora_session=").to_owned();
    let bearers = [
        String::new(),
        "kin_".into(),
        altered(&secret, 10),
        altered(&secret, secret.len() - 1),
        secret[..secret.len() - 1].to_owned(),
        format!("{secret}A"),
        secret.trim_start_matches("kin_").to_owned(),
        // A session's secret is no API token, nor the other way round.
        session.clone(),
        format!("kin_{session}"),
        "x".repeat(5000),
        "' OR 1=1 --".into(),
    ];
    for bearer in &bearers {
        visitor.with_bearer(bearer.clone()).get("/api/v1/studio/videos").await.expect(401);
        // Nor does a bad token count as none.
        visitor.with_bearer(bearer.clone()).get("/api/v1/home").await.expect(401);
    }
    for value in [secret.clone(), altered(&session, 5), String::new(), "x".repeat(5000)] {
        visitor.with_cookie(format!("kinora_session={value}")).get("/api/v1/studio/videos").await.expect(401);
    }
    let planted = format!("kinora_session={session}; kinora_session={}", altered(&session, 1));
    visitor.with_cookie(planted).get("/api/v1/studio/videos").await.expect(401);
    let basic =
        visitor.request(Method::GET, "/api/v1/home").header("authorization", format!("Basic {secret}"));
    send(basic).await.expect(401);
    // A foreign account's session cannot be ended, its token not revoked.
    let other = house.person(&admin, "other", "creator").await;
    let sessions = admin.get("/api/v1/me/sessions").await.each("id");
    other.delete(&format!("/api/v1/me/sessions/{}", sessions[0])).await.expect(404);
    let tokens = admin.get("/api/v1/me/tokens").await.each("id");
    other.delete(&format!("/api/v1/me/tokens/{}", tokens[0])).await.expect(404);
    visitor.with_bearer(secret.clone()).get("/api/v1/studio/videos").await.expect(200);
    house.clock.advance(Duration::from_secs(366 * 86_400));
    visitor.with_bearer(secret).get("/api/v1/studio/videos").await.expect(401);
    admin.get("/api/v1/studio/videos").await.expect(401);
}

async fn tokens_reach_as_far_as_their_scopes(house: House) {
    let admin = house.admin().await;
    let owner = house.person(&admin, "owner", "creator").await;
    let private = house.title(&owner, "Private", Private).await;
    let with = |token: String| house.visitor().with_bearer(token);
    let reading = with(owner.token(&["read"]).await);
    let uploading = with(owner.token(&["upload"]).await);
    let managing = with(owner.token(&["manage"]).await);
    let admins_reading = with(admin.token(&["read"]).await);
    let admins_all = with(admin.token(&["read", "admin"]).await);
    reading.get(&private.path()).await.expect(200);
    uploading.get(&private.path()).await.expect(404);
    managing.get(&private.path()).await.expect(404);
    admins_reading.get(&private.path()).await.expect(404);
    admins_all.get(&private.path()).await.expect(200);
    reading.patch(&private.path(), json!({ "title": "x" })).await.expect(403);
    reading.delete(&private.path()).await.expect(403);
    uploading.delete(&private.path()).await.expect(403);
    managing.patch(&private.path(), json!({ "title": "x" })).await.expect(200);
    uploading.get("/api/v1/me/history").await.expect(403);
    admins_reading.get("/api/v1/users").await.expect(403);
    admins_reading.get("/api/v1/studio/videos?all=true").await.expect(403);
    admins_all.get("/api/v1/users").await.expect(200);
    // No token, however wide, manages the account itself; nobody gives away what they do not have.
    for path in ["/api/v1/me/tokens", "/api/v1/me/sessions"] {
        admins_all.get(path).await.expect(403);
    }
    let password = json!({ "current_password": "x", "new_password": "yyyyyyyyyyyy" });
    admins_all.post("/api/v1/me/password", password).await.expect(403);
    admins_all.post("/api/v1/me/tokens", json!({ "name": "x", "scopes": ["admin"] })).await.expect(403);
    owner.post("/api/v1/me/tokens", json!({ "name": "x", "scopes": ["admin"] })).await.expect(403);
    let viewer = house.person(&admin, "viewer", "viewer").await;
    let viewers = with(viewer.token(&["upload"]).await);
    let create = viewers.request(Method::POST, "/api/v1/uploads").header("tus-resumable", "1.0.0");
    send(create.header("upload-length", "5")).await.expect(403);
    let create = reading.request(Method::POST, "/api/v1/uploads").header("tus-resumable", "1.0.0");
    send(create.header("upload-length", "5")).await.expect(403);
    // Who loses a role loses what their tokens could do with it.
    let path = format!("/api/v1/users/{}", admin.id.unwrap());
    let second = house.person(&admin, "second", "admin").await;
    second.patch(&path, json!({ "role": "creator" })).await.expect(200);
    admins_all.get("/api/v1/users").await.expect(403);
}

async fn other_sites_cannot_use_the_session(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Film", Private).await;
    let host = house.base.trim_start_matches("http://").to_owned();
    let cookie = admin.cookie.clone().unwrap();
    let from = |headers: &[(&'static str, String)]| {
        let mut request = house.visitor().request(Method::DELETE, &title.path()).header("cookie", &cookie);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        send(request)
    };
    let own = format!("http://{host}");
    from(&[("sec-fetch-site", "cross-site".into())]).await.expect(403);
    from(&[("sec-fetch-site", "same-site".into())]).await.expect(403);
    from(&[("sec-fetch-site", "cross-site".into()), ("origin", own.clone())]).await.expect(403);
    from(&[("origin", "https://evil.example".into())]).await.expect(403);
    from(&[("origin", "null".into())]).await.expect(403);
    from(&[("origin", format!("{own}.evil.example"))]).await.expect(403);
    from(&[]).await.expect(403);
    from(&[("origin", own)]).await.expect(200);
    // Signing somebody in from another site is refused, too; and a form cannot send JSON.
    let body = json!({ "email": "ada@example.org", "password": crate::harness::PASSWORD });
    let login = |site: &str| {
        house.visitor().request(Method::POST, "/api/v1/session").header("sec-fetch-site", site.to_owned())
    };
    send(login("cross-site").json(&body)).await.expect(403);
    send(login("none").header("content-type", "text/plain").body(body.to_string())).await.expect(415);
    let answer =
        send(house.visitor().request(Method::GET, "/api/v1/home").header("origin", "https://evil.example"));
    assert!(
        !answer.await.headers.contains_key("access-control-allow-origin"),
        "the API is not read across origins"
    );
}

async fn twisted_paths_and_cursors_lead_nowhere(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Film", Public).await;
    let id = title.id.to_string();
    let address = house.server.address;
    for path in [
        format!("/api/v1/videos/{}", id.to_uppercase()),
        format!("/api/v1/videos/{}", id.replace('-', "")),
        format!("/api/v1/videos/%7B{id}%7D"),
        format!("/api/v1/videos/{id}%00"),
        format!("/api/v1/videos/{id}/"),
        format!("/api/v1/videos/..%2f{id}"),
        format!("/api/v1/videos/{id}/poster/..%2f..%2f{}/320.jpg", title.poster),
        format!("/api/v1/videos/{id}/poster/{}/321.jpg", title.poster),
        format!("/api/v1/videos/{id}/poster/{}/320.jpg%2f..", title.poster),
        format!("/api/v1/videos/{id}/poster/{}/320", title.poster),
        "/api/v1/../../etc/passwd".into(),
        "/api/../secret".into(),
        "/assets/../index.html".into(),
        "/assets/..%2f..%2fCargo.toml".into(),
        "/%2e%2e/%2e%2e/etc/passwd.txt".into(),
        "/media/x.y/../../etc/passwd".into(),
    ] {
        let (status, _) =
            raw(address, &format!("GET {path} HTTP/1.1\r\nhost: k\r\nconnection: close\r\n\r\n")).await;
        assert!((400..=404).contains(&status), "{path}: {status}");
    }
    for cursor in ["", "x", "bnVsbA", "WzEsMl0", "eyJhIjoxfQ", "WzEsICInIE9SIDE9MSAtLSJd", &"A".repeat(600)] {
        for list in ["/api/v1/videos", "/api/v1/search?q=film", "/api/v1/studio/videos", "/api/v1/me/history"]
        {
            let join = if list.contains('?') { '&' } else { '?' };
            let answer = admin.get(&format!("{list}{join}cursor={cursor}")).await.expect(422);
            assert_eq!(answer.json["field"], "cursor");
        }
    }
    let long = format!("GET /api/v1/home HTTP/1.1\r\nhost: k\r\nx-long: {}\r\n\r\n", "x".repeat(100_000));
    assert_eq!(raw(address, &long).await.0, 431);
    let big = json!({ "description": "x".repeat(300_000) });
    admin.patch(&title.path(), big).await.expect(413);
    let (status, head) = raw(address, "GET / HTTP/1.1\r\nhost: k\r\nconnection: close\r\n\r\n").await;
    assert_eq!(status, 200);
    for header in
        ["content-security-policy:", "x-content-type-options: nosniff", "referrer-policy:", "x-request-id:"]
    {
        assert!(head.contains(header), "{header} in {head}");
    }
}

/// Sends text as it is and gives status and head of the answer.
async fn raw(address: std::net::SocketAddr, request: &str) -> (u16, String) {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    // The server may answer and hang up before it has read everything.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while !bytes.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    }
    let head = String::from_utf8_lossy(&bytes).into_owned();
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    (status, head)
}
