//! Who may fetch, and what is refused without asking anybody.

use domain::{
    PresentationId,
    playback_token::{Claims, Minter},
    revocation::Revocation,
};

use crate::world::{START, World};

const FOREVER: &[(&str, &str)] = &[("cache-control", "max-age=31536000, immutable"), ("etag", "\"a\"")];

#[tokio::test]
async fn every_request_needs_a_good_token_hits_included() {
    let world = World::start().await;
    world.upstream.says(FOREVER, "segment");
    let good = world.claims();
    let at = |token: &str, id: PresentationId| format!("/media/{token}/{id}/v1/1.m4s");
    let mint = |claims: &Claims| world.minter.mint(claims);
    let path = at(&mint(&good), world.id);
    assert_eq!(world.ask("GET", &path, &[]).await.status, 200);
    assert_eq!(world.ask("GET", &path, &[]).await.cache(), "hit");
    let genuine = mint(&good);
    let (body, signature) = genuine.split_once('.').unwrap();
    let other = PresentationId::new();
    let swapped = mint(&Claims { max_height: Some(720), ..good.clone() });
    let refused = [
        (at("", world.id), 404, "not_found"),
        (at("x", world.id), 403, "token_invalid"),
        (at("x.y", world.id), 403, "token_invalid"),
        (at(body, world.id), 403, "token_invalid"),
        (at(&format!("{body}."), world.id), 403, "token_invalid"),
        (at(&format!("{body}.{}", swapped.split_once('.').unwrap().1), world.id), 403, "token_invalid"),
        (at(&format!("{}.{signature}", swapped.split_once('.').unwrap().0), world.id), 403, "token_invalid"),
        (at(&format!("{genuine}A"), world.id), 403, "token_invalid"),
        (at(&Minter::from_seed(&[8; 32]).mint(&good), world.id), 403, "token_invalid"),
        (at(&mint(&Claims { expires: START, ..good.clone() }), world.id), 401, "token_expired"),
        (
            at(&mint(&Claims { presentation: other, ..good.clone() }), world.id),
            403,
            "token_for_another_title",
        ),
        (at(&genuine, other), 403, "token_for_another_title"),
    ];
    let asked = world.upstream.count();
    for (path, status, code) in refused {
        let got = world.ask("GET", &path, &[]).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (status, code), "{path}");
        assert_eq!(got.header("access-control-allow-origin"), "*");
    }
    assert_eq!(world.upstream.count(), asked, "no upstream is bothered");
}

#[tokio::test]
async fn tokens_expire_and_sessions_are_revoked_while_they_are_remembered() {
    let world = World::start().await;
    world.upstream.says(FOREVER, "segment");
    let claims = world.claims();
    let path = format!("/media/{}/{}/v1/1.m4s", world.minter.mint(&claims), world.id);
    assert_eq!(world.ask("GET", &path, &[]).await.status, 200);
    world.edge.revoke(Revocation::Session { session: claims.session, until: claims.expires });
    let got = world.ask("GET", &path, &[]).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (401, "token_revoked"));
    let path = world.path("v1/1.m4s");
    assert_eq!(world.ask("GET", &path, &[]).await.status, 200, "other sessions go on");
    world.pass(3600);
    assert_eq!(world.ask("GET", &path, &[]).await.code(), "token_expired");
}

#[tokio::test]
async fn keys_that_come_later_are_found() {
    let world = World::start().await;
    world.upstream.says(FOREVER, "segment");
    let minter = Minter::from_seed(&[9; 32]);
    let path = format!("/media/{}/{}/v1/1.m4s", minter.mint(&world.claims()), world.id);
    assert_eq!(world.ask("GET", &path, &[]).await.status, 403);
    let hex: String = minter.public_key().iter().map(|b| format!("{b:02x}")).collect();
    let json = format!("{{\"alg\":\"Ed25519\",\"public_key\":\"{hex}\"}}");
    world.blobs.put(&backends::blob::names::playback_key("k2"), json.into()).await.unwrap();
    assert_eq!(world.ask("GET", &path, &[]).await.status, 200);
}

#[tokio::test]
async fn caps_have_answers_of_their_own() {
    let world = World::start().await;
    world.upstream.says(FOREVER, "all");
    world.get("main.mpd").await;
    let capped = Claims { max_height: Some(480), ..world.claims() };
    let path = format!("/media/{}/{}/main.mpd", world.minter.mint(&capped), world.id);
    world.upstream.says(FOREVER, "few");
    assert_eq!(world.ask("GET", &path, &[]).await.body(), b"few");
    assert_eq!(world.get("main.mpd").await.body(), b"all");
}

#[tokio::test]
async fn strange_addresses_and_methods_are_refused_here() {
    let world = World::start().await;
    world.upstream.says(FOREVER, "segment");
    for rest in [
        "../x",
        "v1/../../etc/passwd",
        "v1//1.m4s",
        "v1/%2e%2e/1.m4s",
        "v1/1.m4s/",
        ".git/config",
        "a%00b",
        "v1/1.m4s?_HLS_msn=%27",
    ] {
        let got = world.get(rest).await;
        assert_eq!(got.status, 404, "{rest}");
    }
    let path = world.path("v1/1.m4s");
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PURGE"] {
        let got = world.ask(method, &path, &[]).await;
        assert_eq!((got.status.as_u16(), got.header("allow")), (405, "GET, HEAD, OPTIONS"), "{method}");
    }
    assert_eq!(world.ask("OPTIONS", &path, &[]).await.status, 204);
    assert_eq!(world.upstream.count(), 0);
}
