//! Media addresses and uploads: what a token opens, and everything that it does not.

use std::time::{Duration, Instant};

use domain::{
    PresentationId,
    playback_token::{Claims, Minter},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::config::Role;

use crate::{
    engines::Engines,
    film::film,
    harness::{Caller, House, send},
};

crate::on_both_engines!(a_media_token_opens_its_title_alone, uploads_are_their_owners_alone);

/// One of each kind of thing that an origin serves.
const SERVED: [&str; 10] = [
    "main.m3u8",
    "main.mpd",
    "v90p/playlist.m3u8",
    "v90p/iframes.m3u8",
    "v90p/init.mp4",
    "v90p/0.m4s",
    "v90p/i0.m4s",
    "a0/0.m4s",
    "storyboard/1.jpg",
    "storyboard.vtt",
];

struct Place {
    token: String,
    presentation: String,
}

impl Place {
    fn of(playback: &Value) -> Self {
        let mut parts = playback["hls_url"].as_str().unwrap().split('/').skip(2).map(str::to_owned);
        Self { token: parts.next().unwrap(), presentation: parts.next().unwrap() }
    }

    fn with(&self, token: &str, rest: &str) -> String {
        format!("/media/{token}/{}/{rest}", self.presentation)
    }
}

async fn status(caller: &Caller, path: &str) -> (u16, String) {
    let answer = caller.get(path).await;
    (answer.status.as_u16(), answer.code().to_owned())
}

async fn a_media_token_opens_its_title_alone(engines: Engines) {
    let house = House::start(engines, &Role::ALL, testkit::fake_clock()).await;
    let (admin, visitor) = (house.admin().await, house.visitor());
    let file = film(3).await.file;
    let (first, second) = (admin.upload("first", &file).await, admin.upload("second", &file).await);
    for id in [first, second] {
        admin.until_complete(id).await;
    }
    let place = Place::of(&visitor.playback(first).await);
    let other = Place::of(&visitor.playback(second).await);
    for rest in SERVED {
        visitor.get(&place.with(&place.token, rest)).await.expect(200);
        // The token of one title does not open another one.
        let refused = status(&visitor, &other.with(&place.token, rest)).await;
        assert_eq!(refused, (403, "token_for_another_title".into()), "{rest}");
    }
    for (what, token) in forged(&house, &admin, &place).await {
        for rest in SERVED {
            let answer = visitor.get(&place.with(&token, rest)).await;
            let refused = [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&answer.status);
            assert!(refused, "{what}, {rest}: {}", answer.status);
            assert!(!answer.bytes.starts_with(b"#EXTM3U"), "{what}, {rest}");
        }
    }
    // Neither session nor API token stands in for a media token, nor do they widen one.
    let all = admin.token(&["read", "manage", "admin"]).await;
    for caller in [admin.clone(), visitor.with_bearer(all)] {
        assert_eq!(status(&caller, &other.with(&place.token, "main.m3u8")).await.0, 403);
        assert_eq!(status(&caller, &place.with("x", "main.m3u8")).await.0, 403);
    }
    // Who has turned a title private gives no new tokens to others, and those that were given end.
    let path = format!("/api/v1/videos/{first}");
    admin.patch(&path, json!({ "visibility": "private" })).await.expect(200);
    visitor.post(&format!("{path}/playback"), json!({})).await.expect(404);
    let began = Instant::now();
    while status(&visitor, &place.with(&place.token, "main.m3u8")).await.0 == 200 {
        assert!(began.elapsed() < Duration::from_secs(20), "the tokens are still good");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for rest in SERVED {
        let refused = status(&visitor, &place.with(&place.token, rest)).await;
        assert_eq!(refused, (401, "token_revoked".into()), "{rest}");
    }
    house.clock.advance(Duration::from_secs(1));
    let own = Place::of(&admin.playback(first).await);
    admin.get(&own.with(&own.token, "main.m3u8")).await.expect(200);
    house.clock.advance(Duration::from_secs(3 * 3600));
    visitor.get(&other.with(&other.token, "main.m3u8")).await.expect(200);
    house.clock.advance(Duration::from_secs(4 * 3600));
    for rest in SERVED {
        let refused = status(&visitor, &other.with(&other.token, rest)).await;
        assert_eq!(refused, (401, "token_expired".into()), "{rest}");
    }
}

/// Tokens that nobody here has given for this title.
async fn forged(house: &House, admin: &Caller, place: &Place) -> Vec<(&'static str, String)> {
    let elsewhere = House::embedded().await;
    let presentation: PresentationId = place.presentation.parse().unwrap();
    let claims = Claims::new(presentation, house.clock.now().seconds() + 3600, uuid::Uuid::now_v7());
    let keeper = elsewhere.admin().await;
    let theirs = elsewhere.title(&keeper, "Theirs", domain::Visibility::Public).await;
    let theirs = Place::of(&keeper.playback(theirs.id).await).token;
    let foreign = Minter::from_seed(&[8; 32]).mint(&claims);
    let (body, signature) = place.token.split_once('.').unwrap();
    let (foreign_body, foreign_signature) = foreign.split_once('.').unwrap();
    let altered = |text: &str, at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let api_token = admin.token(&["read"]).await;
    let session = admin.cookie.as_deref().unwrap().split_once('=').unwrap().1.to_owned();
    vec![
        ("of another instance", theirs),
        ("for this title, by a foreign key", foreign.clone()),
        ("foreign claims, our signature", format!("{foreign_body}.{signature}")),
        ("our claims, a foreign signature", format!("{body}.{foreign_signature}")),
        ("first letter altered", altered(&place.token, 0)),
        ("claims altered", altered(&place.token, body.len() / 2)),
        ("signature altered", altered(&place.token, body.len() + 10)),
        ("signature cut short", place.token[..place.token.len() - 4].to_owned()),
        ("signature extended", format!("{}AAAA", place.token)),
        ("no signature", format!("{body}.")),
        ("no dot", body.to_owned()),
        ("no claims", format!(".{signature}")),
        ("a second part", format!("{}.{signature}", place.token)),
        ("padded", format!("{}==", place.token)),
        ("in other letters", place.token.to_uppercase()),
        ("very long", "A".repeat(3000)),
        ("nothing but a space", "%20".into()),
        ("a path", "..%2f..".into()),
        ("an API token", api_token),
        ("a session", session),
    ]
}

async fn uploads_are_their_owners_alone(engines: Engines) {
    let house = House::start(engines, &[Role::Api, Role::Origin], testkit::fake_clock()).await;
    let admin = house.admin().await;
    let owner = house.person(&admin, "owner", "creator").await;
    let other = house.person(&admin, "other", "creator").await;
    let bytes = std::fs::read(film(3).await.file).unwrap();
    let (upload, id) = owner.begin_upload("mine", bytes.len()).await;
    owner.send_bytes(&upload, 0, bytes[..1000].to_vec()).await.expect(204);
    let visitor = house.visitor();
    for (caller, expected) in [(&other, 404), (&admin, 404), (&visitor, 401)] {
        send(caller.tus(Method::HEAD, &upload)).await.expect(expected);
        caller.send_bytes(&upload, 1000, bytes[1000..].to_vec()).await.expect(expected);
        send(caller.tus(Method::DELETE, &upload)).await.expect(expected);
        let overridden = caller.tus(Method::POST, &upload).header("x-http-method-override", "DELETE");
        send(overridden).await.expect(expected);
        // Nor can it be made a piece of an own file.
        let joined = caller.tus(Method::POST, "/api/v1/uploads");
        let joined = send(joined.header("upload-concat", format!("final;{upload}"))).await;
        assert!(joined.status.is_client_error(), "{}", joined.status);
    }
    let reading = visitor.with_bearer(owner.token(&["read"]).await);
    send(reading.tus(Method::HEAD, &upload)).await.expect(403);
    reading.send_bytes(&upload, 1000, bytes[1000..].to_vec()).await.expect(403);
    assert!(other.get("/api/v1/me/uploads").await.expect(200).json.as_array().unwrap().is_empty());
    other.post(&format!("/api/v1/videos/{id}/cancel"), json!({})).await.expect(404);
    let stands_at = send(owner.tus(Method::HEAD, &upload)).await.expect(200);
    assert_eq!(stands_at.headers["upload-offset"], "1000");
    owner.send_bytes(&upload, 1000, bytes[1000..].to_vec()).await.expect(204);
}
