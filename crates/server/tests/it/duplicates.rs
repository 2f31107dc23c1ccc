//! The same bytes twice: recognised for their owner alone, whichever way they came.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::VideoId;
use reqwest::Method;
use sha2::{Digest, Sha256};
use store::{duplicates, videos};

use crate::{
    engines::Engines,
    harness::{Caller, House, send},
};

crate::on_both_engines!(a_file_sent_twice_is_recognised_for_its_owner_alone);

/// Sends `bytes` in `pieces` requests.
async fn upload(caller: &Caller, bytes: &[u8], pieces: usize) -> VideoId {
    let (address, video) = caller.begin_upload("Twice", bytes.len()).await;
    let mut at = 0;
    for piece in bytes.chunks(bytes.len().div_ceil(pieces)) {
        caller.send_bytes(&address, at, piece.to_vec()).await.expect(204);
        at += piece.len();
    }
    video
}

/// Sends two pieces side by side and joins them: they did not come in order.
async fn joined(caller: &Caller, bytes: &[u8]) -> VideoId {
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let mut addresses = Vec::new();
    for piece in [first, second] {
        let request = caller.tus(Method::POST, "/api/v1/uploads").header("upload-length", piece.len());
        let answer = send(request.header("upload-concat", "partial")).await.expect(201);
        addresses.push(answer.headers["location"].to_str().unwrap().to_owned());
    }
    caller.send_bytes(&addresses[1], 0, second.to_vec()).await.expect(204);
    caller.send_bytes(&addresses[0], 0, first.to_vec()).await.expect(204);
    let metadata = format!("filename {}", STANDARD.encode("film.mp4"));
    let request = caller.tus(Method::POST, "/api/v1/uploads").header("upload-metadata", metadata);
    let answer =
        send(request.header("upload-concat", format!("final;{}", addresses.join(" ")))).await.expect(201);
    answer.headers["kinora-video-id"].to_str().unwrap().parse().unwrap()
}

async fn a_file_sent_twice_is_recognised_for_its_owner_alone(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let creator = house.person(&admin, "carl", "creator").await;
    let bytes = std::fs::read(crate::film::film(9).await.file).unwrap();
    let first = upload(&creator, &bytes, 3).await;
    assert!(creator.video(first).await["duplicate_of"].is_null());
    creator.until_complete(first).await;
    let second = upload(&creator, &bytes, 1).await;
    assert_eq!(creator.video(second).await["duplicate_of"], first.to_string());
    let store = &house.app().store;
    for title in [first, second] {
        let row = videos::get(&mut store.reader().await.unwrap(), title).await.unwrap();
        let hash =
            duplicates::sha256(&mut store.reader().await.unwrap(), row.source().unwrap()).await.unwrap();
        assert_eq!(hash, Some(hex::encode(Sha256::digest(&bytes))));
    }
    // Somebody else learns nothing, in either direction.
    let theirs = upload(&admin, &bytes, 2).await;
    assert!(admin.video(theirs).await["duplicate_of"].is_null());
    let other = [&bytes[..], b"more"].concat();
    let different = upload(&creator, &other, 2).await;
    assert!(creator.video(different).await["duplicate_of"].is_null());

    // Pieces joined: a worker reads them once more.
    let third = joined(&creator, &bytes).await;
    creator.until(third, |video| video["duplicate_of"] == first.to_string()).await;

    // Kept, the notice goes; others may not say so.
    let keep = format!("/api/v1/videos/{third}/duplicate");
    house.visitor().delete(&keep).await.expect(401);
    house.person(&admin, "cleo", "creator").await.delete(&keep).await.expect(404);
    creator.delete(&keep).await.expect(204);
    assert!(creator.video(third).await["duplicate_of"].is_null());
    // With the earlier title the notice of the later one goes as well.
    creator.delete(&format!("/api/v1/videos/{first}?permanent=true")).await.expect(204);
    creator.until(second, |video| video["duplicate_of"].is_null()).await;
}
