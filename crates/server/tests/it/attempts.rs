//! Nobody gets in: a table of attempts on media, sent byte by byte to a whole Kinora with its edge. Each is refused, and what is
//! asked for rightly afterwards is what it was before.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::playback_token::{Claims, Minter, browser_mark};
use serde_json::{Value, json};
use server::config::Role;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use uuid::Uuid;

use crate::{
    engines::Engines,
    film::film,
    harness::{Caller, House},
};

const AGENT: &str = "Mozilla/5.0 (TV)";
/// What a viewer in the right place with the right program sends.
const RIGHT: &str =
    "Host: a\r\nUser-Agent: Mozilla/5.0 (TV)\r\nX-Forwarded-For: 203.0.113.7\r\nCF-IPCountry: DE\r\n";

/// Sends these bytes and reads all that comes until nothing does.
async fn raw(house: &House, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(house.server.address).await.unwrap();
    // Whoever hangs up early has refused as well.
    let _ = stream.write_all(bytes).await;
    let mut out = Vec::new();
    let mut buffer = vec![0; 64 << 10];
    while let Ok(Ok(read @ 1..)) =
        tokio::time::timeout(Duration::from_millis(700), stream.read(&mut buffer)).await
    {
        out.extend_from_slice(&buffer[..read]);
    }
    out
}

fn get(path: &str, headers: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n").into_bytes()
}

fn status(answer: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(&answer[..answer.len().min(64)]);
    text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn body(answer: &[u8]) -> &[u8] {
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(answer.len(), |at| at + 4);
    &answer[at..]
}

/// How many answers say that all is well.
fn good_answers(answer: &[u8]) -> usize {
    ["HTTP/1.1 200", "HTTP/1.1 206"]
        .iter()
        .map(|line| answer.windows(line.len()).filter(|part| *part == line.as_bytes()).count())
        .sum()
}

/// A title, its token, and what is known of both.
struct Title {
    token: String,
    presentation: String,
}

impl Title {
    fn of(playback: &Value) -> Self {
        let mut parts = playback["hls_url"].as_str().unwrap().split('/').skip(2).map(str::to_owned);
        Self { token: parts.next().unwrap(), presentation: parts.next().unwrap() }
    }

    fn with(&self, token: &str, rest: &str) -> String {
        format!("/media/{token}/{}/{rest}", self.presentation)
    }

    /// The token with other claims under its own signature.
    fn forged(&self, change: impl FnOnce(&mut Value)) -> String {
        let (claims, signature) = self.token.split_once('.').unwrap();
        let mut claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        change(&mut claims);
        format!("{}.{signature}", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }
}

async fn playback(house: &House, caller: &Caller, id: domain::VideoId) -> Title {
    let path = format!("/api/v1/videos/{id}/playback");
    let request = caller.request(reqwest::Method::POST, &path).json(&json!({}));
    let request = request.header("user-agent", AGENT).header("cf-ipcountry", "DE");
    let answer = crate::harness::send(request.header("x-forwarded-for", "203.0.113.7")).await.expect(200);
    let _ = house;
    Title::of(&answer.json)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_in() {
    let house = House::configured(Engines::embedded(), &Role::ALL, testkit::fake_clock(), |config| {
        config.http.trusted_proxies = vec!["127.0.0.1".to_owned().try_into().unwrap()];
        config.geo.country_header = Some("CF-IPCountry".into());
        config.app.bind_playback_to_browser = true;
        config.app.streams_per_account = 2;
    })
    .await;
    let admin = house.admin().await;
    let file = film(4).await.file;
    let (first, second) = (admin.upload("first", &file).await, admin.upload("second", &file).await);
    for id in [first, second] {
        admin.until_complete(id).await;
        let path = format!("/api/v1/videos/{id}");
        admin.patch(&path, json!({ "visibility": "public", "countries": ["DE", "AT"] })).await.expect(200);
    }
    // What was begun under the old terms ends; this begins after.
    house.clock.advance(Duration::from_secs(1));
    let viewer = house.person(&admin, "vera", "viewer").await;
    let (title, other) = (playback(&house, &viewer, first).await, playback(&house, &viewer, second).await);
    // A stream of somebody else, who stops it.
    let stopped = playback(&house, &admin, first).await;
    for stream in admin.get("/api/v1/me/streams").await.expect(200).json.as_array().unwrap() {
        admin
            .delete(&format!("/api/v1/me/streams/{}", stream["session"].as_str().unwrap()))
            .await
            .expect(204);
    }
    let right = title.with(&title.token, "v90p/0.m4s");
    let list = title.with(&title.token, "main.m3u8");
    let (segment, playlist) = (raw(&house, &get(&right, RIGHT)).await, raw(&house, &get(&list, RIGHT)).await);
    assert_eq!((status(&segment), status(&playlist)), (200, 200));
    let (segment, playlist) = (body(&segment).to_vec(), body(&playlist).to_vec());

    let mut tried = 0;
    let attempts = [tokens(&house, &title, &other, &stopped), places(&title), paths(&title, &other)].concat();
    for (what, request) in attempts {
        let answer = raw(&house, &request).await;
        assert!(matches!(status(&answer), 0 | 400..=414 | 421), "{what}: {}", status(&answer));
        let told = body(&answer);
        let leaks = told.windows(64).any(|part| part == &segment[..64]) || told.starts_with(b"#EXTM3U");
        assert!(!leaks, "{what}");
        tried += 1;
    }
    for (what, request, most) in smuggled(&title, &other) {
        let answer = raw(&house, &request).await;
        assert!(
            good_answers(&answer) <= most,
            "{what}: {}",
            String::from_utf8_lossy(&answer[..answer.len().min(300)])
        );
        tried += 1;
    }
    for (what, request) in poisons(&list) {
        raw(&house, &request).await;
        assert_eq!(body(&raw(&house, &get(&list, RIGHT)).await), playlist, "{what}");
        tried += 1;
    }
    for (what, range) in ranges() {
        let answer = raw(&house, &get(&right, &format!("{RIGHT}Range: {range}\r\n"))).await;
        assert!(matches!(status(&answer), 200 | 206 | 400 | 416), "{what}: {}", status(&answer));
        assert!(body(&answer).len() <= segment.len(), "{what}: {} bytes", body(&answer).len());
        tried += 1;
    }
    assert_eq!(body(&raw(&house, &get(&right, RIGHT)).await), segment);

    // One stream too many, by another way in.
    let request =
        viewer.request(reqwest::Method::POST, &format!("/api/v1/videos/{first}/playback")).json(&json!({}));
    let request = request.header("x-forwarded-for", "203.0.113.7").header("cf-ipcountry", "DE");
    assert_eq!(crate::harness::send(request).await.expect(403).code(), "too_many_streams");
    tried += 1;
    assert!(tried >= 80, "{tried} attempts");
}

fn tokens(house: &House, title: &Title, other: &Title, stopped: &Title) -> Vec<(&'static str, Vec<u8>)> {
    let own = title.token.as_str();
    let (claims, signature) = own.split_once('.').unwrap();
    let (other_claims, other_signature) = other.token.split_once('.').unwrap();
    let altered = |at: usize| {
        let mut bytes = own.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let now = house.clock.now().seconds();
    let presentation = title.presentation.parse().unwrap();
    let foreign = |expires| {
        let claims = Claims::new(presentation, expires, Uuid::now_v7());
        Minter::from_seed(&[9; 32]).mint(&claims)
    };
    let unsigned = URL_SAFE_NO_PAD.encode(
        json!({ "alg": "none", "p": title.presentation, "e": now + 900, "s": Uuid::now_v7() }).to_string(),
    );
    let rest = "v90p/0.m4s";
    let at = |token: &str| get(&title.with(token, rest), RIGHT);
    vec![
        ("no token", get(&format!("/media/{}/{rest}", title.presentation), RIGHT)),
        ("an empty token", at("")),
        ("a word", at("null")),
        ("a dot", at(".")),
        ("claims alone", at(claims)),
        ("claims and a dot", at(&format!("{claims}."))),
        ("a signature alone", at(&format!(".{signature}"))),
        ("three parts", at(&format!("{own}.{signature}"))),
        ("twice", at(&format!("{own}{own}"))),
        ("claims altered at their beginning", at(&altered(1))),
        ("claims altered in the middle", at(&altered(claims.len() / 2))),
        ("a signature altered at its beginning", at(&altered(claims.len() + 2))),
        ("a signature altered in the middle", at(&altered(claims.len() + 40))),
        ("a signature cut short", at(&own[..own.len() - 4])),
        ("padding", at(&format!("{own}=="))),
        ("percent signs", at(&own.replace('.', "%2e"))),
        ("capitals", at(&own.to_uppercase())),
        ("too long", at(&format!("{}.{signature}", "A".repeat(4000)))),
        ("no signature asked for", at(&format!("{unsigned}."))),
        ("claims of ours that nobody signed", at(&format!("{unsigned}.{signature}"))),
        ("another's key", at(&foreign(now + 900))),
        ("another's key, long expired", at(&foreign(now - 900))),
        ("the token of another title", at(&other.token)),
        ("this title's token for another", get(&other.with(own, rest), RIGHT)),
        ("the claims of another title, this signature", at(&format!("{other_claims}.{signature}"))),
        ("this title's claims, another signature", at(&format!("{claims}.{other_signature}"))),
        ("a longer life", at(&title.forged(|claims| claims["e"] = json!(now + 9_000_000)))),
        (
            "another title in the claims",
            get(&other.with(&title.forged(|c| c["p"] = json!(other.presentation)), rest), RIGHT),
        ),
        ("another session in the claims", at(&title.forged(|claims| claims["s"] = json!(Uuid::now_v7())))),
        ("another country in the claims", at(&title.forged(|claims| claims["c"] = json!("FR")))),
        (
            "no country in the claims",
            at(&title.forged(|claims| drop(claims.as_object_mut().unwrap().remove("c")))),
        ),
        ("another program in the claims", at(&title.forged(|claims| claims["b"] = json!(browser_mark("x"))))),
        ("larger pictures in the claims", at(&title.forged(|claims| claims["h"] = json!(4320)))),
        ("a claim that nobody knows", at(&title.forged(|claims| claims["x"] = json!(true)))),
        ("a stream that was stopped", at(&stopped.token)),
        (
            "the token in the query",
            get(&format!("/media/x/{}/{rest}?token={own}", title.presentation), RIGHT),
        ),
        (
            "the token as a bearer",
            get(&title.with("x", rest), &format!("{RIGHT}Authorization: Bearer {own}\r\n")),
        ),
        ("the token as a cookie", get(&title.with("x", rest), &format!("{RIGHT}Cookie: token={own}\r\n"))),
    ]
}

fn places(title: &Title) -> Vec<(&'static str, Vec<u8>)> {
    let path = title.with(&title.token, "v90p/0.m4s");
    let from = |headers: &str| get(&path, &format!("Host: a\r\n{headers}"));
    vec![
        (
            "another country",
            from("User-Agent: Mozilla/5.0 (TV)\r\nX-Forwarded-For: 203.0.113.7\r\nCF-IPCountry: FR\r\n"),
        ),
        (
            "a country where it plays, but not this token",
            from("User-Agent: Mozilla/5.0 (TV)\r\nX-Forwarded-For: 203.0.113.7\r\nCF-IPCountry: AT\r\n"),
        ),
        (
            "an unknown country",
            from("User-Agent: Mozilla/5.0 (TV)\r\nX-Forwarded-For: 203.0.113.7\r\nCF-IPCountry: XX\r\n"),
        ),
        ("no country", from("User-Agent: Mozilla/5.0 (TV)\r\nX-Forwarded-For: 203.0.113.7\r\n")),
        (
            "two countries, the wrong one first",
            from(
                "User-Agent: Mozilla/5.0 (TV)\r\nX-Forwarded-For: 203.0.113.7\r\nCF-IPCountry: FR\r\nCF-IPCountry: DE\r\n",
            ),
        ),
        (
            "another program",
            from("User-Agent: VLC/3\r\nX-Forwarded-For: 203.0.113.7\r\nCF-IPCountry: DE\r\n"),
        ),
        ("no program", from("X-Forwarded-For: 203.0.113.7\r\nCF-IPCountry: DE\r\n")),
        (
            "a program that says more",
            from("User-Agent: Mozilla/5.0 (TV) x\r\nX-Forwarded-For: 203.0.113.7\r\nCF-IPCountry: DE\r\n"),
        ),
        (
            "another program on HTTP/1.0",
            format!("GET {path} HTTP/1.0\r\nUser-Agent: VLC/3\r\n\r\n").into_bytes(),
        ),
        (
            "another program, by HEAD",
            format!("HEAD {path} HTTP/1.1\r\nHost: a\r\nUser-Agent: VLC/3\r\nConnection: close\r\n\r\n")
                .into_bytes(),
        ),
        ("another program, a part", from("User-Agent: VLC/3\r\nCF-IPCountry: DE\r\nRange: bytes=0-9\r\n")),
    ]
}

fn paths(title: &Title, other: &Title) -> Vec<(&'static str, Vec<u8>)> {
    let (token, id, foreign) = (&title.token, &title.presentation, &other.presentation);
    let at = |path: String| get(&path, RIGHT);
    vec![
        ("up into another title", at(format!("/media/{token}/{id}/../{foreign}/v90p/0.m4s"))),
        ("up with percent signs", at(format!("/media/{token}/{id}/%2e%2e/{foreign}/v90p/0.m4s"))),
        ("up with percent signs, twice", at(format!("/media/{token}/{id}/%252e%252e/{foreign}/v90p/0.m4s"))),
        ("up with a slash in percent signs", at(format!("/media/{token}/{id}/..%2f{foreign}/v90p/0.m4s"))),
        ("up with backslashes", at(format!("/media/{token}/{id}/..\\{foreign}\\v90p\\0.m4s"))),
        ("two slashes", at(format!("/media/{token}/{id}//v90p/0.m4s"))),
        ("slashes at the beginning", at(format!("//media/{token}/{foreign}/v90p/0.m4s"))),
        ("a semicolon", at(format!("/media/{token}/{id};/{foreign}/v90p/0.m4s"))),
        ("a null byte", at(format!("/media/{token}/{foreign}/v90p/0.m4s%00.m3u8"))),
        ("hidden names", at(format!("/media/{token}/{id}/.descriptor.json"))),
        ("the keys", at(format!("/media/{token}/{id}/../../playback-keys/k1.json"))),
        ("the descriptor", at(format!("/media/{token}/{id}/descriptor.json"))),
        ("another address in the line", at(format!("http://b/media/{token}/{foreign}/v90p/0.m4s"))),
        ("the id in capitals", at(format!("/media/{token}/{}/v90p/0.m4s", id.to_uppercase()))),
        ("the id without dashes", at(format!("/media/{token}/{}/v90p/0.m4s", id.replace('-', "")))),
        ("media in capitals", at(format!("/MEDIA/{token}/{foreign}/v90p/0.m4s"))),
        ("a long path", at(format!("/media/{token}/{id}/{}", "a/".repeat(4000)))),
        ("a negative number", at(format!("/media/{token}/{id}/v90p/-1.m4s"))),
        ("a number with zeros before it", at(format!("/media/{token}/{id}/v90p/00.m4s"))),
        ("a parameter twice", at(format!("/media/{token}/{id}/main.m3u8?_HLS_msn=1&_HLS_msn=2"))),
        ("a strange parameter", at(format!("/media/{token}/{id}/main.m3u8?_HLS_skip=%0d%0aX:1"))),
    ]
}

/// With how many good answers each may get: of the requests in it that are asked rightly.
fn smuggled(title: &Title, other: &Title) -> Vec<(&'static str, Vec<u8>, usize)> {
    let right = title.with(&title.token, "main.m3u8");
    let wrong = other.with(&title.token, "main.m3u8");
    let hidden = format!("GET {wrong} HTTP/1.1\r\n{RIGHT}\r\n");
    let with =
        |fields: &str, rest: &str| format!("GET {right} HTTP/1.1\r\n{RIGHT}{fields}\r\n{rest}").into_bytes();
    let length = hidden.len();
    vec![
        (
            "a length and chunks",
            with(
                &format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"),
                &format!("0\r\n\r\n{hidden}"),
            ),
            1,
        ),
        (
            "chunks and a length",
            with(
                "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
                &format!("{length:x}\r\n{hidden}\r\n0\r\n\r\n"),
            ),
            1,
        ),
        ("chunks that are none", with("Transfer-Encoding: xchunked\r\n", &format!("0\r\n\r\n{hidden}")), 1),
        (
            "a blank before the colon",
            with("Transfer-Encoding : chunked\r\n", &format!("0\r\n\r\n{hidden}")),
            1,
        ),
        ("two lengths", with(&format!("Content-Length: 0\r\nContent-Length: {length}\r\n"), &hidden), 1),
        ("a length with a sign", with(&format!("Content-Length: +{length}\r\n"), &hidden), 1),
        ("a negative length", with("Content-Length: -1\r\n", &hidden), 1),
        ("a folded line", with(&format!("X: a\r\n Content-Length: {length}\r\n"), &hidden), 1),
        ("a line feed alone", with("X: a\nTransfer-Encoding: chunked\r\n", &format!("0\r\n\r\n{hidden}")), 1),
        ("a body that is a request", with(&format!("Content-Length: {length}\r\n"), &hidden), 1),
        (
            "an upgrade",
            with("Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n", &hidden),
            1,
        ),
        (
            "another version",
            format!("GET {right} HTTP/1.1\r\n{RIGHT}\r\nGET {wrong} HTTP/9.9\r\n\r\n").into_bytes(),
            1,
        ),
        ("one after another", format!("GET {right} HTTP/1.1\r\n{RIGHT}\r\n{hidden}").into_bytes(), 1),
    ]
}

/// What might be kept for others.
fn poisons(list: &str) -> Vec<(&'static str, Vec<u8>)> {
    let with = |headers: &str| get(list, &format!("{RIGHT}{headers}"));
    vec![
        ("another host", with("X-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n")),
        ("another address", with("X-Original-URL: /x\r\nX-Rewrite-URL: /x\r\nX-Original-URI: /x\r\n")),
        ("another method", with("X-HTTP-Method-Override: POST\r\n")),
        ("another key", with("X-Kinora-Key: x\r\nCache-Tag: y\r\n")),
        ("another scheme", with("X-Forwarded-Proto: gopher\r\nX-Forwarded-Scheme: x\r\n")),
        ("another coding", with("Accept-Encoding: br, deflate, x\r\n")),
        ("no store", with("Cache-Control: no-store\r\nPragma: no-cache\r\n")),
        ("a query", get(&format!("{list}?utm=x&callback=evil"), RIGHT)),
        ("a part", with("Range: bytes=5-9\r\n")),
        ("unless it is so", with("If-None-Match: *\r\n")),
        ("a language", with("Accept-Language: <script>\r\nOrigin: null\r\n")),
        ("a circle", with("CDN-Loop: kinora; hops=200\r\n")),
    ]
}

fn ranges() -> Vec<(&'static str, String)> {
    let many: String = (0..1000).map(|n| format!("{n}-{n},")).collect();
    let all: String = "0-,".repeat(500);
    vec![
        ("a thousand parts", format!("bytes={}", many.trim_end_matches(','))),
        ("everything many times", format!("bytes={}", all.trim_end_matches(','))),
        ("backwards", "bytes=9-1".into()),
        ("beyond the end", "bytes=99999999-".into()),
        ("a number without end", format!("bytes={}-", "9".repeat(40))),
        ("the last of more than there is", "bytes=-99999999999".into()),
        ("nothing of the end", "bytes=-0".into()),
        ("another unit", "seconds=0-1".into()),
        ("no numbers", "bytes=a-b".into()),
        ("signs", "bytes=+0-+5".into()),
    ]
}
