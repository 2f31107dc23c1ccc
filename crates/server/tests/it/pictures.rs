//! Artwork: uploads, crops, formats, moments of a title, what is refused, and what is left when pictures go.

use std::{path::Path, time::Duration};

use backends::{blob::names, clock::Clock};
use domain::{
    VideoId,
    Visibility::{Private, Public},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use server::config::Role;

use crate::{
    engines::Engines,
    film::{film, pictures_are_made, run, strays},
    harness::{Answer, Caller, House, send},
};

crate::on_both_engines!(
    artwork_is_cut_made_chosen_and_deleted,
    what_is_no_sound_picture_is_refused,
    a_titles_own_frames_become_artwork,
    drafts_and_private_artwork_are_not_shown,
    artwork_is_its_managers_affair,
);

/// Without a worker.
async fn resting(engines: Engines) -> House {
    House::start(engines, &[Role::Api, Role::Origin], testkit::fake_clock()).await
}

/// A worker and the rest, by the real time.
async fn open(engines: Engines) -> (House, Caller) {
    let house = House::start(engines, &Role::ALL, Clock::system()).await;
    let admin = house.admin().await;
    (house, admin)
}

/// A picture made by ffmpeg from a source of its own, in a directory that lasts as long as the test.
async fn made(house: &House, name: &str, args: &[&str]) -> Vec<u8> {
    let file = house.engines.dir().join(name);
    let all = [&["-v", "error", "-y"], args, &[file.to_str().unwrap()]].concat();
    run("ffmpeg", &all).await;
    std::fs::read(file).unwrap()
}

/// Four quarters: red, green, blue, yellow.
const QUARTERS: &str = "color=0xC81E28:s=400x300,pad=800:600:0:0:0x14963C,drawbox=x=0:y=300:w=400:h=300:c=0x283CC8:t=fill,\
    drawbox=x=400:y=300:w=400:h=300:c=0xE6DC3C:t=fill";
const RED: [u8; 3] = [0xC8, 0x1E, 0x28];
const GREEN: [u8; 3] = [0x14, 0x96, 0x3C];
const BLUE: [u8; 3] = [0x28, 0x3C, 0xC8];
const YELLOW: [u8; 3] = [0xE6, 0xDC, 0x3C];

async fn quarters(house: &House, name: &str) -> Vec<u8> {
    let graph = format!("{QUARTERS},format=rgb24");
    made(house, name, &["-f", "lavfi", "-i", &graph, "-frames:v", "1", "-q:v", "2"]).await
}

async fn send_picture(caller: &Caller, id: VideoId, query: &str, bytes: Vec<u8>) -> Answer {
    let request = caller.request(Method::POST, &format!("/api/v1/videos/{id}/artwork?{query}"));
    send(request.header("content-type", "image/jpeg").body(bytes)).await
}

/// Waits for a picture to be made, or to fail.
async fn settled(caller: &Caller, id: VideoId, picture: &str) -> Value {
    for _ in 0..1200 {
        let list = caller.get(&format!("/api/v1/videos/{id}/artwork")).await.expect(200).json;
        let found = list.as_array().unwrap().iter().find(|one| one["id"] == picture).unwrap().clone();
        if found["state"] == "ready" || found["state"] == "failed" {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{picture} is not made");
}

pub async fn uploaded(caller: &Caller, id: VideoId, query: &str, bytes: Vec<u8>) -> Value {
    let made = send_picture(caller, id, query, bytes).await.expect(202);
    settled(caller, id, made.json["id"].as_str().unwrap()).await
}

/// Size and pixels of a picture as ffmpeg sees it.
async fn pixels(dir: &Path, bytes: &[u8]) -> (usize, usize, Vec<u8>) {
    let (file, out) = (dir.join("judged"), dir.join("judged.rgb"));
    std::fs::write(&file, bytes).unwrap();
    let file = file.to_str().unwrap();
    let probe = [
        "-v",
        "error",
        "-select_streams",
        "v:0",
        "-show_entries",
        "stream=width,height",
        "-of",
        "csv=p=0",
        file,
    ];
    let size = run("ffprobe", &probe).await;
    let mut size = size.trim().split(',').map(|n| n.parse::<usize>().unwrap());
    let args =
        ["-v", "error", "-y", "-i", file, "-pix_fmt", "rgb24", "-f", "rawvideo", out.to_str().unwrap()];
    run("ffmpeg", &args).await;
    (size.next().unwrap(), size.next().unwrap(), std::fs::read(out).unwrap())
}

fn near(found: &[u8], wanted: [u8; 3]) -> bool {
    found.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 10)
}

/// Is the picture as wide and high as wanted, and of these colours in its four corners?
async fn judge(house: &House, bytes: &[u8], size: (usize, usize), corners: [[u8; 3]; 4]) {
    let (width, height, rgb) = pixels(house.engines.dir(), bytes).await;
    assert_eq!((width, height), size);
    let at = |x: usize, y: usize| &rgb[(y * width + x) * 3..][..3];
    let (left, right, top, bottom) = (width / 8, width * 7 / 8, height / 8, height * 7 / 8);
    for ((x, y), wanted) in
        [(left, top), (right, top), (left, bottom), (right, bottom)].into_iter().zip(corners)
    {
        assert!(near(at(x, y), wanted), "{:?} for {wanted:?} at {x}, {y}", at(x, y));
    }
}

async fn get_as(caller: &Caller, url: &str, accept: &str) -> Answer {
    send(caller.request(Method::GET, url).header("accept", accept)).await
}

async fn artwork_is_cut_made_chosen_and_deleted(engines: Engines) {
    let (house, admin) = open(engines).await;
    let title = house.title(&admin, "Cut", Public).await;
    let jpeg = quarters(&house, "quarters.jpg").await;

    // The upper left part as 16:9: three quarters of it are seen, and the cut runs through the colours' border.
    let poster =
        uploaded(&admin, title.id, "kind=poster&crop=0,0,0.8,0.6&alt=Four%20colours", jpeg.clone()).await;
    assert_eq!(
        (&poster["state"], &poster["chosen"], &poster["origin"]),
        (&json!("ready"), &json!(true), &json!("upload"))
    );
    assert_eq!((poster["width"].as_i64(), poster["height"].as_i64()), (Some(640), Some(360)));
    assert!(poster["blur"].as_str().unwrap().starts_with("data:image/webp;base64,"));
    let video = house.visitor().get(&title.path()).await.expect(200).json;
    let url = video["artwork"]["poster"]["url"].as_str().unwrap();
    assert_eq!(video["artwork"]["poster"]["alt"], "Four colours");
    for (accept, kind) in [
        ("image/avif,image/webp,*/*", "image/avif"),
        ("image/webp,*/*", "image/webp"),
        ("image/*", "image/jpeg"),
        ("image/avif;q=0,image/jpeg", "image/jpeg"),
    ] {
        for (asked, got) in [(100, 160), (320, 320), (321, 640), (4000, 640)] {
            let answer = get_as(&house.visitor(), &format!("{url}?width={asked}"), accept).await.expect(200);
            assert_eq!(answer.headers["content-type"], kind);
            assert_eq!(answer.headers["vary"], "Accept, Cookie, Authorization");
            assert!(answer.headers["cache-control"].to_str().unwrap().contains("immutable"));
            judge(&house, &answer.bytes, (got, got * 9 / 16), [RED, GREEN, BLUE, YELLOW]).await;
            let tag = answer.headers["etag"].to_str().unwrap().to_owned();
            assert!(tag.starts_with('"') && tag.contains(&format!("-{got}.")), "{tag}");
            let again = house.visitor().request(Method::GET, &format!("{url}?width={asked}"));
            send(again.header("accept", accept).header("if-none-match", tag)).await.expect(304);
        }
    }
    for bad in ["width=0", "width=10001", "width=x", "width=-1"] {
        let status = house.visitor().get(&format!("{url}?{bad}")).await.status.as_u16();
        assert!(matches!(status, 400 | 422), "{bad}: {status}");
    }
    let poster_url = house.visitor().get(video["poster_url"].as_str().unwrap()).await.expect(200);
    assert_eq!(poster_url.headers["content-type"], "image/jpeg");

    // Upright from a PNG, chosen only later.
    let png = quarters(&house, "quarters.png").await;
    let portrait = uploaded(&admin, title.id, "kind=portrait&choose=false", png).await;
    assert_eq!(portrait["chosen"], false);
    let path = format!("{}/artwork/{}", title.path(), portrait["id"].as_str().unwrap());
    let picture = admin.get(&format!("{path}?width=2000")).await.expect(200);
    assert!(picture.headers["cache-control"].to_str().unwrap().starts_with("private"));
    judge(&house, &picture.bytes, (400, 600), [RED, GREEN, BLUE, YELLOW]).await;
    house.visitor().get(&path).await.expect(404);
    let chosen = admin.patch(&path, json!({ "chosen": true, "alt": "Upright" })).await.expect(200);
    assert_eq!((&chosen.json["chosen"], &chosen.json["alt"]), (&json!(true), &json!("Upright")));
    house.visitor().get(&path).await.expect(200);
    assert_eq!(house.visitor().get(&title.path()).await.json["artwork"]["portrait"]["alt"], "Upright");

    // Gone, back as it was, gone for good.
    admin.delete(&path).await.expect(204);
    house.visitor().get(&path).await.expect(404);
    assert!(house.visitor().get(&title.path()).await.json["artwork"]["portrait"].is_null());
    assert_eq!(admin.post(&format!("{path}/restore"), json!({})).await.expect(200).json["chosen"], true);
    house.visitor().get(&path).await.expect(200);
    admin.delete(&path).await.expect(204);
    let poster_path = format!("{}/artwork/{}", title.path(), poster["id"].as_str().unwrap());
    admin.delete(&poster_path).await.expect(204);
    let left = house.visitor().get(&title.path()).await.json;
    assert!(left["poster_url"].as_str().unwrap().contains(&title.poster), "the frame takes its place");
    let mut tx = house.app().store.begin().await.unwrap();
    let now = house.clock.now();
    for one in [&portrait, &poster] {
        // As if it had been deleted two days ago.
        let id = one["id"].as_str().unwrap();
        let picture = store::artwork::get(&mut tx, title.id, id).await.unwrap();
        store::artwork::restore(&mut tx, &picture, now).await.unwrap();
        store::artwork::delete(&mut tx, &picture, now.plus(-2 * domain::Micros::DAY)).await.unwrap();
    }
    tx.commit().await.unwrap();
    app::catalog::artwork::expire(house.app()).await.unwrap();
    gone(&house, title.id, [&portrait, &poster]).await;
    admin.post(&format!("{path}/restore"), json!({})).await.expect(404);
    let kept = house.server.blobs.list(&names::pictures(title.id)).await.unwrap();
    assert!(kept.iter().all(|entry| entry.object.contains(&title.poster)), "{kept:?}");
    admin.delete(&format!("{}?permanent=true", title.path())).await.expect(204);
    gone(&house, title.id, []).await;
    while !house.server.blobs.list(&names::pictures(title.id)).await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until jobs are done and these pictures have no row and no object.
async fn gone<const N: usize>(house: &House, id: VideoId, pictures: [&Value; N]) {
    for _ in 0..1200 {
        if pictures_are_made(house).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let objects = house.server.blobs.list(&names::pictures(id)).await.unwrap();
    for picture in pictures {
        let own = picture["id"].as_str().unwrap();
        assert!(!objects.iter().any(|entry| entry.object.contains(own)), "{objects:?}");
    }
}

async fn what_is_no_sound_picture_is_refused(engines: Engines) {
    let (house, admin) = open(engines).await;
    let title = house.title(&admin, "Hostile", Public).await;
    let jpeg = quarters(&house, "quarters.jpg").await;
    let script: &[u8] = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let refused_at_once: [&[u8]; 8] = [
        script,
        b"<?xml version='1.0'?><!DOCTYPE svg SYSTEM 'file:///etc/passwd'><svg/>",
        b"GIF89a\x01\0\x01\0\x80\0\0/*\xFF\xD8\xFF",
        b"%PDF-1.7\n\xFF\xD8\xFF\xE0",
        b"PK\x03\x04",
        b"#EXTM3U\nfile:///etc/passwd\n",
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        b"",
    ];
    for bytes in refused_at_once {
        let answer = send_picture(&admin, title.id, "kind=poster", bytes.to_vec()).await;
        assert_eq!(answer.expect(415).code(), "unsupported_media_type", "{bytes:?}");
    }
    let huge = [jpeg.as_slice(), &vec![0; 20 << 20]].concat();
    send_picture(&admin, title.id, "kind=poster", huge).await.expect(413);
    for (query, status) in [
        ("kind=square", 422),
        ("", 422),
        ("kind=poster&crop=0,0,2,1", 422),
        ("kind=poster&crop=a", 422),
        ("kind=poster&size=1", 422),
        ("kind=poster&alt=a%0Ab", 422),
    ] {
        send_picture(&admin, title.id, query, jpeg.clone()).await.expect(status);
    }

    // A bomb: a header that tells of 100,000 × 100,000 pixels; half a file; another kind of file behind the first bytes.
    let png = quarters(&house, "quarters.png").await;
    let mut bomb = png.clone();
    bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0]);
    let crc = crc32(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&crc);
    let large =
        made(&house, "large.png", &["-f", "lavfi", "-i", "color=black:s=8000x7000", "-frames:v", "1"]).await;
    assert!(large.len() < 1 << 20);
    let half = jpeg[..600].to_vec();
    let polyglot = [b"\xFF\xD8\xFF\xE0", script].concat();
    let tiny = made(&house, "tiny.png", &["-f", "lavfi", "-i", "testsrc2=s=80x60", "-frames:v", "1"]).await;
    for (bytes, words) in [
        (bomb, "million pixels"),
        (large, "million pixels"),
        (half, "damaged"),
        (polyglot, "damaged"),
        (tiny, "160 pixels"),
    ] {
        let failed = uploaded(&admin, title.id, "kind=poster", bytes).await;
        assert_eq!(failed["state"], "failed");
        assert!(failed["error"].as_str().unwrap().contains(words), "{failed}");
    }
    let shown = house.visitor().get(&title.path()).await.json;
    assert!(shown["poster_url"].as_str().unwrap().contains(&title.poster), "nothing was chosen");

    // What hangs on a sound picture does not come through, nor what its metadata tell.
    let loaded = [jpeg.as_slice(), b"PK\x03\x04", script].concat();
    let commented = made(
        &house,
        "note.png",
        &["-f", "lavfi", "-i", QUARTERS, "-frames:v", "1", "-metadata", "comment=at home"],
    )
    .await;
    for bytes in [loaded, commented] {
        let sound = uploaded(&admin, title.id, "kind=poster", bytes).await;
        assert_eq!(sound["state"], "ready", "{sound}");
        for accept in ["image/avif", "image/webp", "image/jpeg"] {
            let url = format!("{}?width=1920", sound["url"].as_str().unwrap());
            let served = get_as(&admin, &url, accept).await.expect(200).bytes;
            for secret in [&b"alert(1)"[..], b"at home", b"PK\x03\x04"] {
                assert!(!served.windows(secret.len()).any(|window| window == secret));
            }
        }
        let objects = house.server.blobs.list(&names::pictures(title.id)).await.unwrap();
        let own = names::picture_upload(title.id, sound["id"].as_str().unwrap());
        assert!(!objects.iter().any(|entry| entry.object == own), "the original is not kept");
    }
    // A camera held upright: turned by a quarter (EXIF orientation 6).
    let turned = [&jpeg[..2], &exif_orientation(6), &jpeg[2..]].concat();
    let portrait = uploaded(&admin, title.id, "kind=portrait", turned).await;
    assert_eq!(portrait["state"], "ready", "{portrait}");
    let bytes = admin.get(&format!("{}?width=1920", portrait["url"].as_str().unwrap())).await.bytes;
    judge(&house, &bytes, (533, 800), [BLUE, RED, YELLOW, GREEN]).await;
}

/// CRC-32 of PNG chunks (ISO/IEC 15948 §5.5).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

/// An APP1 segment that holds nothing but an orientation.
fn exif_orientation(orientation: u8) -> Vec<u8> {
    let tiff = [&b"MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"[..], &[orientation], &[0; 6]].concat();
    let body = [&b"Exif\0\0"[..], &tiff].concat();
    [&[0xFF, 0xE1][..], &(body.len() as u16 + 2).to_be_bytes(), &body].concat()
}

async fn a_titles_own_frames_become_artwork(engines: Engines) {
    let (house, admin) = open(engines).await;
    let film = film(6).await;
    let id = admin.upload("Frames", &film.file).await;
    admin.until_complete(id).await;
    let path = format!("/api/v1/videos/{id}");
    let frames = admin.get(&format!("{path}/artwork")).await.expect(200).json;
    let frames = frames.as_array().unwrap();
    assert!(
        !frames.is_empty() && frames.iter().all(|one| one["origin"] == "frame" && one["blur"].is_string())
    );
    assert_eq!(frames.iter().filter(|one| one["chosen"] == true).count(), 1);
    // The automatic poster is there in all formats soon after.
    let url = frames[0]["url"].as_str().unwrap();
    let mut kind = String::new();
    for _ in 0..1200 {
        let answer = get_as(&house.visitor(), &format!("{url}?width=160"), "image/avif").await.expect(200);
        answer.headers["content-type"].to_str().unwrap().clone_into(&mut kind);
        if kind == "image/avif" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(kind, "image/avif");

    let moments = format!("{path}/artwork/moments");
    let body = json!({ "kind": "banner", "at_ms": 3_500, "crop": { "x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0 } });
    let made = admin.post(&moments, body).await.expect(202).json;
    let banner = settled(&admin, id, made["id"].as_str().unwrap()).await;
    assert_eq!(
        (&banner["state"], &banner["chosen"], &banner["at_ms"]),
        (&json!("ready"), &json!(true), &json!(3_500))
    );
    assert_eq!((banner["width"].as_i64(), banner["height"].as_i64()), (Some(160), Some(69)));
    // It shows that moment and no other: the frame at 3.5 s of the film, and not those half a second before and after.
    let shown = admin.get(&format!("{}?width=160", banner["url"].as_str().unwrap())).await.expect(200);
    let (_, _, shown) = pixels(house.engines.dir(), &shown.bytes).await;
    let mut distances = Vec::new();
    for at in ["3.0", "3.5", "4.0"] {
        let name = format!("at{at}.png");
        let still = made_from(&house, &film.file, at, &name).await;
        let (_, _, still) = pixels(house.engines.dir(), &still).await;
        distances.push(shown.iter().zip(&still).map(|(a, b)| u64::from(a.abs_diff(*b)).pow(2)).sum::<u64>());
    }
    assert!(distances[1] * 3 < distances[0] && distances[1] * 3 < distances[2], "{distances:?}");

    for (body, status) in [
        (json!({ "kind": "banner", "at_ms": 60_000 }), 422),
        (json!({ "kind": "banner", "at_ms": -1 }), 422),
        (json!({ "kind": "banner" }), 422),
        (json!({ "kind": "banner", "at_ms": 0, "crop": { "x": 0, "y": 0, "width": 9, "height": 1 } }), 422),
    ] {
        admin.post(&moments, body).await.expect(status);
    }
    // The very end has a last frame.
    let last = admin.post(&moments, json!({ "kind": "poster", "at_ms": 6_000 })).await.expect(202).json;
    assert_eq!(settled(&admin, id, last["id"].as_str().unwrap()).await["state"], "ready");
    assert_eq!(strays(&house, &[id]).await, [""; 0]);
    admin.delete(&format!("{path}?permanent=true")).await.expect(204);
    for _ in 0..1200 {
        if house.server.blobs.list(&names::pictures(id)).await.unwrap().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("pictures of a deleted title remain");
}

async fn made_from(house: &House, film: &Path, at: &str, name: &str) -> Vec<u8> {
    let args = ["-ss", at, "-i", film.to_str().unwrap(), "-frames:v", "1", "-vf", "crop=160:69:0:11"];
    made(house, name, &args).await
}

async fn drafts_and_private_artwork_are_not_shown(engines: Engines) {
    let house = resting(engines).await;
    let admin = house.admin().await;
    let other = house.person(&admin, "otto", "creator").await;
    let private = house.title(&admin, "Private", Private).await;
    let url = format!("{}/artwork/{}", private.path(), private.poster);
    admin.get(&format!("{url}?width=320")).await.expect(200);
    for stranger in [&house.visitor(), &other] {
        stranger.get(&url).await.expect(404);
        stranger.get(&format!("{}/poster/{}/640.jpg", private.path(), private.poster)).await.expect(404);
    }
    let public = house.title(&admin, "Public", Public).await;
    house.visitor().get(&format!("{}/artwork/{}", public.path(), private.poster)).await.expect(404);
    for trick in
        ["..%2f..%2fsecret", "%2e%2e", "x%00", &format!("{}-320.jpg", public.poster), "'%20OR%20'1'='1"]
    {
        let status = admin.get(&format!("{}/artwork/{trick}", public.path())).await.status;
        assert!(matches!(status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST), "{trick}: {status}");
    }
    // Something in the trash shows no pictures to others.
    admin.delete(&public.path()).await.expect(200);
    house.visitor().get(&format!("{}/artwork/{}", public.path(), public.poster)).await.expect(404);
}

async fn artwork_is_its_managers_affair(engines: Engines) {
    let house = resting(engines).await;
    let admin = house.admin().await;
    let other = house.person(&admin, "otto", "creator").await;
    let public = house.title(&admin, "Public", Public).await;
    let private = house.title(&admin, "Private", Private).await;
    let reader = admin.with_bearer(admin.token(&["read"]).await);
    let jpeg = b"\xFF\xD8\xFF\xE0jpeg".to_vec();
    for (caller, title, status) in [
        (&house.visitor(), &public, 401),
        (&other, &public, 403),
        (&other, &private, 404),
        (&reader, &public, 403),
    ] {
        let path = format!("{}/artwork", title.path());
        let own = format!("{path}/{}", title.poster);
        caller.get(&path).await.expect(status);
        send_picture(caller, title.id, "kind=poster", jpeg.clone()).await.expect(status);
        caller.post(&format!("{path}/moments"), json!({ "kind": "poster", "at_ms": 0 })).await.expect(status);
        caller.patch(&own, json!({ "alt": "mine" })).await.expect(status);
        caller.delete(&own).await.expect(status);
        caller.post(&format!("{own}/restore"), json!({})).await.expect(status);
    }
    // A frame can be deleted, too, and comes back; a title without another has no poster meanwhile.
    let own = format!("{}/artwork/{}", public.path(), public.poster);
    admin.delete(&own).await.expect(204);
    assert!(admin.get(&public.path()).await.json["poster_url"].is_null());
    admin.delete(&own).await.expect(404);
    admin.post(&format!("{own}/restore"), json!({})).await.expect(200);
    assert!(admin.get(&public.path()).await.json["poster_url"].is_string());
    let list = admin.get(&format!("{}/artwork", public.path())).await.expect(200).json;
    assert_eq!((&list[0]["chosen"], &list[0]["alt"]), (&json!(true), &json!("")));
    // At most so many are kept.
    for n in 0..domain::artwork::MAX_PICTURES {
        send_picture(&admin, public.id, "kind=poster", jpeg.clone()).await.expect(202);
        assert!(n < 60);
    }
    send_picture(&admin, public.id, "kind=poster", jpeg).await.expect(409);
}
