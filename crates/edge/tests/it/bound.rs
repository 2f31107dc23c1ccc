//! Tokens for one country or one program, and the check for other caches.

use backends::geo::{Config as GeoConfig, Geo};
use domain::playback_token::{Claims, browser_mark};
use edge::{Bound, Config};
use http::HeaderMap;

use crate::world::{World, ask};

const FOREVER: &[(&str, &str)] = &[("cache-control", "max-age=31536000, immutable"), ("etag", "\"a\"")];

/// An edge that believes the proxy at the other end, and its word about countries.
async fn believing() -> World {
    let country_header = Some("CF-IPCountry".to_owned());
    let geo = Geo::open(&GeoConfig { country_header, ..GeoConfig::default() }).unwrap();
    let nobody = domain::Network::try_from("0.0.0.0/32".to_owned()).unwrap();
    let proxies = api::address::Config { trusted_proxies: vec![nobody] };
    let world = World::bound(Config::default(), Bound { geo, proxies, edges: Vec::new() }).await;
    world.upstream.says(FOREVER, "segment");
    world
}

fn path(world: &World, claims: &Claims) -> String {
    format!("/media/{}/{}/v1/1.m4s", world.minter.mint(claims), world.id)
}

#[tokio::test]
async fn a_token_for_one_country_counts_in_no_other() {
    let world = believing().await;
    let path = path(&world, &Claims { country: "DE".parse().ok(), ..world.claims() });
    for _ in 0..2 {
        let here = world.ask("GET", &path, &[("cf-ipcountry", "DE")]).await;
        assert_eq!(here.status, 200);
        for elsewhere in [&[("cf-ipcountry", "FR")][..], &[("cf-ipcountry", "XX")], &[]] {
            let refused = world.ask("GET", &path, elsewhere).await;
            assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "another_country"));
        }
    }
    let shielded = [("cdn-loop", "kinora; hops=1")];
    assert_eq!(world.ask("GET", &path, &shielded).await.status, 403, "a proxy is no edge");
}

#[tokio::test]
async fn an_edge_in_front_has_looked() {
    let edges = vec![domain::Network::try_from("0.0.0.0/32".to_owned()).unwrap()];
    let world = World::bound(Config::default(), Bound { edges, ..Bound::default() }).await;
    world.upstream.says(FOREVER, "segment");
    let path = path(&world, &Claims { browser: Some(browser_mark("A")), ..world.claims() });
    assert_eq!(world.ask("GET", &path, &[("cdn-loop", "kinora; hops=1")]).await.status, 200);
    assert_eq!(world.ask("GET", &path, &[]).await.status, 403, "that was no edge");
}

#[tokio::test]
async fn who_is_not_believed_cannot_say_where_it_is() {
    let world = World::start().await;
    world.upstream.says(FOREVER, "segment");
    let claims = Claims { browser: Some(browser_mark("A")), ..world.claims() };
    let path = path(&world, &claims);
    let refused = world.ask("GET", &path, &[("cdn-loop", "kinora; hops=1"), ("user-agent", "B")]).await;
    assert_eq!(refused.code(), "another_device", "nobody has looked");
}

#[tokio::test]
async fn a_token_for_one_program_counts_for_no_other() {
    let world = believing().await;
    let agent = "Mozilla/5.0 (X11; Linux x86_64)";
    let path = path(&world, &Claims { browser: Some(browser_mark(agent)), ..world.claims() });
    for _ in 0..2 {
        assert_eq!(world.ask("GET", &path, &[("user-agent", agent)]).await.status, 200);
        for other in [&[("user-agent", "VLC/3")][..], &[("user-agent", "")], &[]] {
            let refused = world.ask("GET", &path, other).await;
            assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "another_device"));
        }
    }
}

#[tokio::test]
async fn other_caches_are_told_who_may_and_what_is_the_same() {
    let world = believing().await;
    let check = async |original: &str, headers: &[(&str, &str)]| {
        let mut all = vec![("x-original-uri", original)];
        all.extend_from_slice(headers);
        let got = ask(&world.edge, "GET", "/edge/check", &all).await;
        (got.status.as_u16(), got.header("x-kinora-key").to_owned(), got.headers)
    };
    let list = |query: &str| format!("{}{query}", world.path("main.m3u8"));
    let (status, key, headers) = check(&list("?CMCD=x"), &[]).await;
    assert_eq!((status, headers["cache-control"].to_str().unwrap()), (204, "private, max-age=5"));
    assert_eq!(check(&list(""), &[]).await.1, key, "another token, no query: the same");
    assert_ne!(check(&list("?_HLS_msn=3"), &[]).await.1, key);
    assert_ne!(check(&list(""), &[("accept-encoding", "gzip")]).await.1, key);
    let capped = Claims { max_height: Some(480), ..world.claims() };
    let small = format!("/media/{}/{}/main.m3u8", world.minter.mint(&capped), world.id);
    assert_ne!(check(&small, &[]).await.1, key);
    let bound = path(&world, &Claims { country: "DE".parse().ok(), ..world.claims() });
    assert_eq!(check(&bound, &[("cf-ipcountry", "DE")]).await.0, 204);
    assert_eq!(check(&bound, &[("cf-ipcountry", "FR")]).await.0, 403);
    let expired = path(&world, &Claims { expires: 1, ..world.claims() });
    for (bad, expected) in [
        (expired.as_str(), 401),
        ("", 403),
        ("/", 403),
        ("/media/x.y/z/main.m3u8", 403),
        ("/api/v1/videos", 403),
        ("/media/a/../b", 403),
        (&list("?_HLS_msn=1&_HLS_msn=2"), 403),
    ] {
        let (status, key, _) = check(bad, &[]).await;
        assert_eq!((status, key.as_str()), (expected, ""), "{bad}");
    }
    let none: HeaderMap = ask(&world.edge, "GET", "/edge/check", &[]).await.headers;
    assert!(!none.contains_key("x-kinora-key"));
}
