//! A whole Kinora whose objects are encrypted at rest: everything works as without, and nothing in the store can be read.

use std::collections::HashSet;

use backends::blob::{self, Blobs};
use bytes::Bytes;

use crate::{
    engines::Engines,
    film::{film, judge},
    harness::House,
};

crate::on_both_engines!(a_film_is_encoded_and_played_and_nothing_in_the_store_is_clear);

/// What every encrypted object begins with.
const MAGIC: &[u8] = b"\x89Kinora sealed\r\n";
/// So many equal bytes are no chance.
const WINDOW: usize = 16;

async fn a_film_is_encoded_and_played_and_nothing_in_the_store_is_clear(engines: Engines) {
    let key = "a5".repeat(32);
    let engines = engines.encrypted(&key);
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let film = film(6).await;
    let id = admin.upload("Secret film", &film.file).await;
    let video = admin.until_complete(id).await;
    judge(&film, &house.base, &admin.playback(id).await).await;
    let poster = admin.get(video["poster_url"].as_str().unwrap()).await.expect(200);
    assert!(poster.bytes.starts_with(b"\xff\xd8"), "a poster is a JPEG for those who may see it");

    let blobs = &house.server.blobs;
    let objects: Vec<String> = blobs.list("").await.unwrap().into_iter().map(|entry| entry.object).collect();
    for part in ["masters/", ".cmfv", ".cmfa", "/descriptor/", "/storyboard/", "pictures/", "keys/playback/"]
    {
        assert!(objects.iter().any(|object| object.contains(part)), "no {part} among {objects:?}");
    }
    for object in &objects {
        let (clear, stored) = (blobs.get(object).await.unwrap(), stored(&house.engines, object).await);
        assert!(stored.starts_with(MAGIC), "{object}");
        assert!(stored.len() > clear.len(), "{object}");
        let windows: HashSet<&[u8]> = clear.chunks_exact(WINDOW).collect();
        let found = stored.windows(WINDOW).position(|window| windows.contains(window));
        assert_eq!(found, None, "{object}: clear bytes in the store");
    }

    // Whoever has lost the key learns which one it is.
    let without = blob::Config {
        encryption_key: None,
        encryption_required: false,
        ..house.engines.blobs_config().clone()
    };
    let master = objects.iter().find(|object| object.starts_with("masters/")).unwrap();
    let error = Blobs::open(&without).unwrap().get(master).await.unwrap_err().to_string();
    let name = blob::key_id(&key.as_str().into()).unwrap();
    assert!(error.contains(&name) && !error.contains(&key), "{error}");
}

/// The bytes of an object as they lie in the directory or the bucket.
async fn stored(engines: &Engines, object: &str) -> Bytes {
    let config = engines.blobs_config();
    if let Some(dir) = config.url.strip_prefix("file:") {
        return std::fs::read(std::path::Path::new(dir).join(object)).unwrap().into();
    }
    let place = config.url.strip_prefix("s3://").unwrap();
    let url = format!("{}/{place}/{object}", config.s3.endpoint.as_deref().unwrap());
    // The bucket's server wants somebody, whoever it is.
    let signed = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    let request = reqwest::Client::new().get(url).header("authorization", signed);
    request.send().await.unwrap().error_for_status().unwrap().bytes().await.unwrap()
}
