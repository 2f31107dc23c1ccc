//! Titles limited to countries: who may not watch, wherever the country comes from.

use domain::Visibility::{Public, Unlisted};
use reqwest::{Method, StatusCode};
use serde_json::json;
use server::config::{Config, Role};

use crate::harness::{Answer, Caller, House, send};

crate::on_both!(a_limited_title_is_shut_elsewhere, a_proxy_may_tell_the_country_and_nobody_else);

const ROLES: [Role; 2] = [Role::Api, Role::Origin];

/// As if a trusted proxy passed on a request from `address`.
async fn from(who: &Caller, address: &str, method: Method, path: &str) -> Answer {
    let request = who.request(method.clone(), path).header("x-forwarded-for", address);
    send(if method == Method::GET { request } else { request.json(&json!({})) }).await
}

fn proxied(config: &mut Config) {
    config.http.trusted_proxies = vec!["127.0.0.1".to_owned().try_into().unwrap()];
}

async fn a_limited_title_is_shut_elsewhere(house: House) {
    let admin = house.admin().await;
    let vera = house.person(&admin, "vera", "creator").await;
    let carl = house.person(&admin, "carl", "creator").await;
    let title = house.title(&carl, "Tatort", Public).await;
    let linked = house.title(&carl, "By link", Unlisted).await;
    let dir = tempfile::tempdir().unwrap();
    let database = dir.path().join("countries.mmdb");
    let networks = [("81.0.0.0", 8, "FR"), ("185.4.4.0", 24, "DE")];
    std::fs::write(&database, testkit::country_database(&networks, true)).unwrap();
    let house = house
        .reconfigured(&ROLES, |config| {
            proxied(config);
            config.geo.database = Some(database);
        })
        .await;
    let [admin, vera, carl] = [admin, vera, carl].map(|who| who.moved_to(&house.base));
    assert_eq!(house.visitor().get("/api/v1/vocabulary").await.json["knows_countries"], true);
    for path in [title.path(), linked.path()] {
        let limited = carl.patch(&path, json!({ "countries": ["de", "AT"] })).await.expect(200).json;
        assert_eq!(limited["countries"], json!(["AT", "DE"]));
        assert_eq!(
            carl.patch(&path, json!({ "countries": ["XX"] })).await.expect(422).json["field"],
            "countries"
        );
        assert_eq!(
            carl.patch(&path, json!({ "countries": [] })).await.expect(422).json["field"],
            "countries"
        );
    }
    let picture = carl.get(&title.path()).await.json["poster_url"].as_str().unwrap().to_owned();
    let playback = format!("{}/playback", title.path());
    let history = format!("/api/v1/me/history/{}", title.id);

    let inside = "185.4.4.77";
    for who in [&house.visitor(), &vera] {
        for path in [&title.path(), &linked.path(), &picture] {
            from(who, inside, Method::GET, path).await.expect(200);
        }
        from(who, inside, Method::POST, &playback).await.expect(200);
        assert_eq!(from(who, inside, Method::GET, "/api/v1/search?q=tatort").await.each("title"), ["Tatort"]);
        assert_eq!(from(who, inside, Method::GET, "/api/v1/videos").await.each("title"), ["Tatort"]);
    }
    let seen = vera.request(Method::PUT, &history).header("x-forwarded-for", inside);
    send(seen.json(&json!({ "position_ms": 5000, "duration_ms": 600_000 }))).await.expect(204);
    assert_eq!(from(&vera, inside, Method::GET, "/api/v1/me/continue").await.each("title"), ["Tatort"]);

    // France; an address of no country; this machine, which is nowhere; IPv6 that the database does not know.
    for outside in ["81.2.3.4", "8.8.8.8", "127.0.0.1", "10.1.2.3", "2001:db8::1"] {
        for who in [&house.visitor(), &vera] {
            for path in [&title.path(), &linked.path(), &picture, &format!("{}/renditions", title.path())] {
                let refused = from(who, outside, Method::GET, path).await.expect(403);
                assert_eq!(refused.code(), "not_available_in_country", "{path} from {outside}");
            }
            let refused = from(who, outside, Method::POST, &playback).await.expect(403);
            assert_eq!(refused.code(), "not_available_in_country");
            for list in
                ["/api/v1/videos", "/api/v1/search?q=tatort", "/api/v1/me/history", "/api/v1/me/continue"]
            {
                let listed = from(who, outside, Method::GET, list).await;
                assert!(
                    listed.each("title").is_empty() || listed.status == StatusCode::UNAUTHORIZED,
                    "{list}"
                );
            }
            assert_eq!(
                from(who, outside, Method::GET, "/api/v1/home").await.expect(200).json["rows"],
                json!([])
            );
            let found = from(who, outside, Method::GET, "/api/v1/search?q=carl").await.expect(200).json;
            assert_eq!(found["channels"], json!([]), "a channel without titles here is none");
            let page = from(who, outside, Method::GET, &format!("/watch/{}", title.id)).await.expect(200);
            assert!(!String::from_utf8_lossy(&page.bytes).contains("Tatort"));
        }
        for manager in [&carl, &admin] {
            from(manager, outside, Method::GET, &title.path()).await.expect(200);
            from(manager, outside, Method::POST, &playback).await.expect(200);
        }
    }

    // Without a way to tell countries the limit stays and shuts everybody out; it can only be lifted.
    let house = house.reconfigured(&ROLES, proxied).await;
    let carl = carl.moved_to(&house.base);
    from(&house.visitor(), inside, Method::GET, &title.path()).await.expect(403);
    carl.patch(&title.path(), json!({ "countries": ["DE"] })).await.expect(422);
    carl.patch(&title.path(), json!({ "countries": null })).await.expect(200);
    from(&house.visitor(), "81.2.3.4", Method::GET, &title.path()).await.expect(200);
}

async fn a_proxy_may_tell_the_country_and_nobody_else(house: House) {
    let admin = house.admin().await;
    let title = house.title(&admin, "Here", Public).await;
    let header = "cf-ipcountry";
    let asked = async |house: &House, country: &str| {
        let request = house.visitor().request(Method::GET, &title.path());
        send(request.header(header, country).header("x-forwarded-for", "198.51.100.7")).await.status.as_u16()
    };
    let house = house
        .reconfigured(&ROLES, |config| {
            proxied(config);
            config.geo.country_header = Some("CF-IPCountry".into());
        })
        .await;
    let admin = admin.moved_to(&house.base);
    admin.patch(&title.path(), json!({ "countries": ["DE"] })).await.expect(200);
    assert_eq!(asked(&house, "DE").await, 200);
    for elsewhere in ["FR", "XX", "T1", "", "Deutschland", "DE, FR"] {
        assert_eq!(asked(&house, elsewhere).await, 403, "{elsewhere}");
    }
    // Whoever is no trusted proxy cannot choose a country.
    let house = house
        .reconfigured(&ROLES, |config| {
            config.http.trusted_proxies = vec!["203.0.113.1".to_owned().try_into().unwrap()];
            config.geo.country_header = Some("CF-IPCountry".into());
        })
        .await;
    assert_eq!(asked(&house, "DE").await, 403);
    // A private network can be given the country of the house.
    let house = house.reconfigured(&ROLES, |config| config.geo.private_networks = "DE".parse().ok()).await;
    assert_eq!(
        asked(&house, "FR").await,
        200,
        "the header of a stranger counts for nothing, the address is loopback"
    );
}
