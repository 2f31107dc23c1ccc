//! Caching, conditional and partial answers, and presentations that grow.

use crate::world::{Answer, World};

#[tokio::test(flavor = "multi_thread")]
async fn segments_are_sent_whole_and_in_parts() {
    let world = World::start().await;
    // The third segment lies in the second object.
    let url = world.url("v240p/3.m4s");
    let whole = world.get(&url, &[]).await;
    assert_eq!((whole.status, whole.header("content-type")), (200, "video/mp4"));
    assert_eq!(whole.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_eq!(&whole.body[4..8], b"moof");
    let told: u32 = world.descriptor.tracks[0].segments().nth(3).unwrap().2.bytes;
    assert_eq!(whole.body.len(), told as usize);

    let part = world.get(&url, &[("Range", "bytes=4-7")]).await;
    assert_eq!((part.status, &part.body[..]), (206, &b"moof"[..]));
    assert_eq!(part.header("content-range"), format!("bytes 4-7/{told}"));
    let tail = world.get(&url, &[("Range", "bytes=-10")]).await;
    assert_eq!(tail.body, whole.body.slice(told as usize - 10..));
    let beyond = world.get(&url, &[("Range", &format!("bytes={told}-"))]).await;
    assert_eq!((beyond.status, beyond.header("content-range")), (416, &*format!("bytes */{told}")));

    let tag = whole.header("etag").to_owned();
    assert!(tag.starts_with('"'));
    let same = world.get(&url, &[("If-None-Match", &tag)]).await;
    assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, &*tag));
    let head = Answer::of(world.http.head(&url).send().await.unwrap()).await;
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, &*told.to_string(), 0));
    assert_eq!(world.get(&world.url("v240p/5.m4s"), &[]).await.status, 404);
    assert_eq!(world.get(&world.url("a0/0.m4s"), &[]).await.header("content-type"), "audio/mp4");
}

#[tokio::test(flavor = "multi_thread")]
async fn manifests_are_compressed_for_those_who_ask() {
    let world = World::start().await;
    for rest in ["main.m3u8", "main.mpd", "v240p/playlist.m3u8", "storyboard.vtt", "storyboard/playlist.m3u8"]
    {
        let url = world.url(rest);
        let plain = world.get(&url, &[]).await;
        let packed = world.get(&url, &[("Accept-Encoding", "gzip")]).await;
        assert_eq!((plain.status, packed.status), (200, 200));
        assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
        assert_eq!((plain.header("vary"), packed.header("vary")), ("Accept-Encoding", "Accept-Encoding"));
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed.body[..]), &mut text)
            .unwrap();
        assert_eq!(text, plain.text());
        assert_ne!(plain.header("etag"), packed.header("etag"));
        for (answer, coding) in [(&plain, "identity"), (&packed, "gzip")] {
            let headers = [("Accept-Encoding", coding), ("If-None-Match", answer.header("etag"))];
            assert_eq!(world.get(&url, &headers).await.status, 304, "{rest}");
        }
        assert_eq!(plain.header("access-control-allow-origin"), "*");
        assert_eq!(plain.header("timing-allow-origin"), "*");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_growing_presentation_is_followed_to_its_end() {
    let mut world = World::start().await;
    world.publish(2, false, 1).await;
    let growing = world.wait("v240p/playlist.m3u8", |t| !t.contains("ENDLIST")).await;
    assert_eq!(growing.matches("#EXTINF").count(), 1);
    let url = world.url("v240p/playlist.m3u8");
    assert_eq!(world.get(&url, &[]).await.header("cache-control"), "public, max-age=1");
    assert!(world.get(&world.url("main.mpd"), &[]).await.text().contains("type=\"dynamic\""));
    assert_eq!(world.get(&world.url("v240p/1.m4s"), &[]).await.status, 404);
    world.publish(3, false, 3).await;
    let more = world.wait("v240p/playlist.m3u8", |t| t.matches("#EXTINF").count() == 3).await;
    assert!(more.starts_with(&growing), "an EVENT playlist only grows");
    assert_eq!(world.get(&world.url("v240p/1.m4s"), &[]).await.status, 200);
    world.publish(4, true, usize::MAX).await;
    let done = world.wait("v240p/playlist.m3u8", |t| t.contains("ENDLIST")).await;
    assert_eq!(done.matches("#EXTINF").count(), 5);
    assert!(world.get(&world.url("main.mpd"), &[]).await.text().contains("type=\"static\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_may_lose_objects_without_a_crash() {
    let world = World::start().await;
    assert_eq!(world.get(&world.url("v240p/0.m4s"), &[]).await.status, 200);
    world.blobs.delete_prefix(&backends::blob::names::presentation(world.id)).await.unwrap();
    assert_eq!(world.get(&world.url("v240p/0.m4s"), &[]).await.status, 404);
    let gone = world.get(&world.url("v240p/i0.m4s"), &[]).await;
    assert_eq!(gone.code(), "not_found");
}
