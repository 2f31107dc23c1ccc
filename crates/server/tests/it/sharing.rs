//! Titles on other people's pages: the embedded player, oEmbed, feeds, sitemap. Only what everybody may see.

use domain::Visibility;
use reqwest::Method;

use crate::harness::{Answer, House, send};

crate::on_both!(
    titles_are_embedded_and_found_by_oembed,
    feeds_have_public_titles_only,
    robots_find_the_sitemap,
);

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.bytes.to_vec()).unwrap()
}

async fn titles_are_embedded_and_found_by_oembed(house: House) {
    let admin = house.admin().await;
    let public = house.title(&admin, "Tom & \"Jerry\"", Visibility::Public).await;
    let unlisted = house.title(&admin, "For friends", Visibility::Unlisted).await;
    let private = house.title(&admin, "Mine", Visibility::Private).await;
    let visitor = house.visitor();
    let page = |id| format!("/embed/{id}");
    for title in [&public, &unlisted] {
        let answer = visitor.get(&page(title.id)).await.expect(200);
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors *") && !policy.contains("'unsafe-eval'"), "{policy}");
        assert!(!answer.headers.contains_key("x-frame-options"));
    }
    // What strangers may not see is nobody's, whoever asks; its name is not told.
    for caller in [&visitor, &admin] {
        let answer = caller.get(&page(private.id)).await.expect(404);
        assert!(!text(&answer).contains("Mine"));
    }
    visitor.get("/embed/nonsense").await.expect(404);
    // No other page may be framed.
    for path in ["/", &format!("/watch/{}", public.id), "/embed.html"] {
        let answer = visitor.get(path).await;
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
    }
    let watch = text(&visitor.get(&format!("/watch/{}", public.id)).await);
    assert!(watch.contains("type=\"application/json+oembed\""), "{watch}");

    let oembed = |query: String| {
        let caller = house.visitor();
        async move { caller.get(&format!("/oembed?{query}")).await }
    };
    let url = |id| format!("url={}/watch/{id}", house.base);
    let answer = oembed(url(public.id)).await.expect(200);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    let json = &answer.json;
    assert_eq!((&json["version"], &json["type"]), (&"1.0".into(), &"video".into()));
    assert_eq!((&json["title"], &json["author_name"]), (&"Tom & \"Jerry\"".into(), &"Ada Admin".into()));
    assert_eq!((&json["width"], &json["height"]), (&1280.into(), &720.into()));
    let html = json["html"].as_str().unwrap();
    let frame = format!("<iframe src=\"{}/embed/{}\"", house.base, public.id);
    assert!(html.starts_with(&frame) && html.contains("Tom &amp; &quot;Jerry&quot;"), "{html}");
    let small = oembed(format!("{}&maxwidth=320", url(unlisted.id))).await.expect(200);
    assert_eq!((&small.json["width"], &small.json["height"]), (&320.into(), &180.into()));
    let xml = oembed(format!("{}&format=xml", url(public.id))).await.expect(200);
    assert!(text(&xml).contains("<title>Tom &amp; &quot;Jerry&quot;</title>"), "{}", text(&xml));
    oembed(format!("{}&format=yaml", url(public.id))).await.expect(501);
    oembed(url(private.id)).await.expect(404);
    oembed(format!("url=https://example.org/watch/{}", public.id)).await.expect(404);
    oembed("format=json".into()).await.expect(422);
}

async fn feeds_have_public_titles_only(house: House) {
    let admin = house.admin().await;
    let ben = house.person(&admin, "ben", "creator").await;
    let idle = house.person(&admin, "idle", "creator").await;
    let first = house.title(&admin, "First <one>", Visibility::Public).await;
    house.title(&admin, "Unlisted one", Visibility::Unlisted).await;
    house.title(&ben, "Private one", Visibility::Private).await;
    let second = house.title(&ben, "Second one", Visibility::Public).await;
    let feed = admin.get("/feeds/latest.xml").await.expect(200);
    assert_eq!(feed.headers["content-type"], "application/rss+xml; charset=utf-8");
    let xml = text(&feed);
    assert!(xml.contains("First &lt;one&gt;") && xml.contains("Second one"), "{xml}");
    assert!(!xml.contains("Unlisted one") && !xml.contains("Private one"), "{xml}");
    assert!(xml.find("Second one") < xml.find("First &lt;one&gt;"), "newest first");
    assert!(xml.contains(&format!("<link>{}/watch/{}</link>", house.base, first.id)), "{xml}");
    assert!(xml.contains("<media:thumbnail") && !xml.contains("<enclosure"), "{xml}");
    for (name, value) in [("if-none-match", "etag"), ("if-modified-since", "last-modified")] {
        let request = admin.request(Method::GET, "/feeds/latest.xml").header(name, &feed.headers[value]);
        send(request).await.expect(304);
    }
    let channel = house.visitor().get(&format!("/feeds/channels/{}.xml", ben.id.unwrap())).await.expect(200);
    let xml = text(&channel);
    assert!(xml.contains(&second.id.to_string()) && !xml.contains(&first.id.to_string()), "{xml}");
    for nobody in [format!("{}.xml", idle.id.unwrap()), "x.xml".into(), ben.id.unwrap().to_string()] {
        house.visitor().get(&format!("/feeds/channels/{nobody}")).await.expect(404);
    }
}

async fn robots_find_the_sitemap(house: House) {
    let admin = house.admin().await;
    let public = house.title(&admin, "A film", Visibility::Public).await;
    let hidden = house.title(&admin, "Hidden", Visibility::Unlisted).await;
    let robots = text(&house.visitor().get("/robots.txt").await.expect(200));
    assert!(robots.contains(&format!("Sitemap: {}/sitemap.xml", house.base)), "{robots}");
    assert!(robots.contains("Disallow: /studio"));
    let map = text(&house.visitor().get("/sitemap.xml").await.expect(200));
    assert!(map.contains(&format!("<loc>{}/watch/{}</loc>", house.base, public.id)), "{map}");
    assert!(!map.contains(&hidden.id.to_string()));
}
