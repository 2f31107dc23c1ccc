//! `kinora admin demo`: a film clip for an empty library, so that a newcomer sees something play.

use std::path::Path;

use anyhow::Context;
use backends::blob::names;
use domain::{SourceId, VideoId, Visibility};
use store::{
    jobs,
    sources::{self, NewSource, Part},
    steps,
    videos::{self, Filter, NewVideo},
};

use super::admin::Place;

const TITLE: &str = "Big Buck Bunny";
const DESCRIPTION: &str = "A giant rabbit with a heart bigger than himself meets three bullying rodents. A clip of the short \
    film, so that there is something to watch before you upload your own.";
const ATTRIBUTION: &str = "© Blender Foundation | www.bigbuckbunny.org, CC BY 3.0";

/// Brings `clip` into the library unless it holds anything. A running server's worker takes it from there.
pub(super) async fn run(place: &Place, clip: &Path) -> anyhow::Result<()> {
    let (config, app) = place.open().await?;
    let mut reader = app.store.reader().await?;
    let mut has_any = false;
    for trash in [false, true] {
        let filter = Filter { trash, ..Filter::default() };
        has_any |= !videos::list_managed(&mut reader, filter, None, 1).await?.is_empty();
    }
    drop(reader);
    if !has_any {
        // The object store takes the file that it is given for its own.
        let copy = config.data_dir.join(format!("demo-{}.tmp", uuid::Uuid::now_v7()));
        tokio::fs::copy(clip, &copy).await.with_context(|| format!("{}", clip.display()))?;
        let filename = clip.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let done = ingest(&app, &copy, filename).await;
        // Gone already where the store moved it.
        let _ = tokio::fs::remove_file(&copy).await;
        done?;
    }
    app.store.close().await;
    Ok(())
}

async fn ingest(app: &app::App, clip: &Path, filename: String) -> anyhow::Result<()> {
    let owner = app.administrator().await?;
    let (video, source) = (VideoId::new(), SourceId::new());
    let object = names::master(source);
    let length = app.blobs.put_file(&object, clip).await.with_context(|| format!("{}", clip.display()))?;
    let now = app.clock.now();
    let mut tx = app.store.begin().await?;
    let new = NewVideo {
        id: video,
        owner: owner.id,
        title: TITLE.into(),
        description: DESCRIPTION.into(),
        attribution: ATTRIBUTION.into(),
        visibility: Visibility::Public,
    };
    videos::insert(&mut tx, &new, now).await?;
    let parts = vec![Part { object, length }];
    let content_type = "video/mp4".to_owned();
    sources::insert(
        &mut tx,
        &NewSource { id: source, owner: owner.id, video, filename, content_type, parts },
        now,
    )
    .await?;
    videos::processing(&mut tx, video, source, now).await?;
    let bytes = i64::try_from(length).unwrap_or(i64::MAX);
    steps::set(&mut tx, video, steps::Name::Upload, steps::State::Done, bytes, bytes, "", now).await?;
    let (subject, payload) = (video.to_string(), serde_json::json!({ "source": source }).to_string());
    let key = format!("probe:{source}");
    jobs::enqueue(&mut tx, &jobs::NewJob::new("probe", &subject, &payload).dedupe(&key), now).await?;
    tx.commit().await?;
    println!("The library was empty: added a clip of {TITLE} ({ATTRIBUTION}).");
    Ok(())
}
