//! Who may not pass.

use domain::{
    PresentationId,
    playback_token::{Claims, Minter},
};

use crate::world::{START, World};

#[tokio::test(flavor = "multi_thread")]
async fn only_a_good_token_for_this_title_passes() {
    let world = World::start().await;
    let good = world.minter.mint(&world.claims());
    for rest in
        ["main.m3u8", "main.mpd", "v240p/playlist.m3u8", "v240p/0.m4s", "v240p/init.mp4", "storyboard/1.jpg"]
    {
        assert_eq!(world.get(&world.url_with(&good, rest), &[]).await.status, 200, "{rest}");

        let expired = world.minter.mint(&Claims { expires: START, ..world.claims() });
        let answer = world.get(&world.url_with(&expired, rest), &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (401, "token_expired"), "{rest}");

        let foreign = Minter::from_seed(&[8; 32]).mint(&world.claims());
        let answer = world.get(&world.url_with(&foreign, rest), &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "token_invalid"), "{rest}");

        let altered = format!("A{}", &good[1..]);
        let answer = world.get(&world.url_with(&altered, rest), &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "token_invalid"), "{rest}");

        let other = world.minter.mint(&Claims { presentation: PresentationId::new(), ..world.claims() });
        let answer = world.get(&world.url_with(&other, rest), &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "token_for_another_title"), "{rest}");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    for token in ["x", "a.b", "..", &"a".repeat(1100)] {
        let status = world.get(&world.url_with(token, "main.m3u8"), &[]).await.status;
        assert!(status == 403 || status == 404, "{token}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_was_good_expires() {
    let world = World::start().await;
    let url = world.url("main.m3u8");
    assert_eq!(world.get(&url, &[]).await.status, 200);
    world.clock.advance(std::time::Duration::from_secs(3600));
    assert_eq!(world.get(&url, &[]).await.code(), "token_expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_capped_token_gets_no_larger_rung() {
    let world = World::start().await;
    let token = world.minter.mint(&Claims { max_height: Some(120), ..world.claims() });
    let list = world.get(&world.url_with(&token, "main.m3u8"), &[]).await.text();
    assert!(list.contains("v120p/") && !list.contains("v240p/"), "{list}");
    for rest in ["v240p/playlist.m3u8", "v240p/iframes.m3u8", "v240p/init.mp4", "v240p/0.m4s", "v240p/i0.m4s"]
    {
        let answer = world.get(&world.url_with(&token, rest), &[]).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "rung_not_allowed"), "{rest}");
    }
    assert_eq!(world.get(&world.url_with(&token, "v120p/0.m4s"), &[]).await.status, 200);
    assert_eq!(world.get(&world.url_with(&token, "a0/0.m4s"), &[]).await.status, 200);
}

/// Sends a request line as it is: clients tidy paths up before they send them.
async fn raw(world: &World, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut socket =
        tokio::net::TcpStream::connect(world.root().trim_start_matches("http://")).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: origin\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_that_climb_lead_nowhere() {
    let world = World::start().await;
    let token = world.minter.mint(&world.claims());
    let (id, secret) = (world.id, "keys/playback/k1.json");
    for path in [
        format!("/media/{token}/{id}/../../../{secret}"),
        format!("/media/{token}/{id}/..%2f..%2f..%2f{secret}"),
        format!("/media/{token}/{id}/v240p/../../{secret}"),
        format!("/media/{token}/{id}/%2e%2e/{secret}"),
        format!("/media/{token}/{id}//etc/passwd"),
        format!("/media/{token}/{id}/v240p/0.m4s%00.jpg"),
        format!("/media/{token}/{id}/v240p/-1.m4s"),
        format!("/media/{token}/{id}/v240p/99999999999999999999.m4s"),
        format!("/media/{token}/{id}/storyboard/../descriptor/0000000001.json"),
        format!("/media/{token}/{id}/descriptor/0000000001.json"),
        format!("/media/{token}/{id}/c0/v240p.cmfv"),
        format!("/media/{token}/../{token}/{id}/main.m3u8"),
        format!("/media/{token}/{id}"),
        "/media/".into(),
    ] {
        let answer = raw(&world, &path).await;
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {answer}");
        assert!(!answer.contains("public_key"), "{path}");
    }
    let absent = world.get(&world.url("v999p/0.m4s"), &[]).await;
    assert_eq!((absent.status, absent.code().as_str()), (404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_appear_later_are_found() {
    let world = World::without_key().await;
    let url = world.url("main.m3u8");
    assert_eq!(world.get(&url, &[]).await.code(), "token_invalid");
    world.store_key("k1", &world.minter).await;
    assert_eq!(world.get(&url, &[]).await.status, 200);
    // A second key, as while one is rotated; the first stays good.
    let next = Minter::from_seed(&[9; 32]);
    world.store_key("k2", &next).await;
    assert_eq!(world.get(&world.url_with(&next.mint(&world.claims()), "main.mpd"), &[]).await.status, 200);
    assert_eq!(world.get(&world.url("main.mpd"), &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn media_is_only_read() {
    let world = World::start().await;
    let url = world.url("main.m3u8");
    for method in [reqwest::Method::POST, reqwest::Method::PUT, reqwest::Method::DELETE] {
        let response = world.http.request(method, &url).send().await.unwrap();
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET, HEAD, OPTIONS");
    }
    let preflight =
        world.http.request(reqwest::Method::OPTIONS, &url).header("Origin", "https://example.org");
    let preflight = preflight.header("Access-Control-Request-Method", "GET").send().await.unwrap();
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    assert!(preflight.headers()["access-control-allow-headers"].to_str().unwrap().contains("Range"));
}
