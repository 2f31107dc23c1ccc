//! `kinora admin doctor`: is everything there that Kinora needs?

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::bail;
use backends::{blob::Blobs, bus::Bus, cache::Cache};
use bytes::Bytes;
use store::Store;
use tokio::process::Command;

use super::admin::Place;
use crate::config::{Config, Role};

pub(super) async fn run(place: &Place) -> anyhow::Result<()> {
    let config = place.load()?;
    let mut ill = 0;
    let mut tell = |what: &str, found: Result<String, String>| match found {
        Ok(words) => println!("ok    {what}: {words}"),
        Err(words) => {
            ill += 1;
            println!("FAIL  {what}: {words}");
        }
    };
    tell("configuration", Ok(format!("data in {}", config.data_dir.display())));
    tell("database", database(&config).await);
    tell("objects", objects(&config).await);
    tell("bus", bus(&config).await);
    tell("cache", cache(&config).await);
    if config.roles.contains(&Role::Worker) {
        for (name, program) in [("ffmpeg", &config.encoding.ffmpeg), ("ffprobe", &config.encoding.ffprobe)] {
            tell(name, version(program).await);
        }
        tell("cage for decoders", cage());
    }
    if ill > 0 { bail!("{ill} of the checks failed") } else { Ok(()) }
}

async fn database(config: &Config) -> Result<String, String> {
    let store = Store::connect(&config.database).await.map_err(|e| e.to_string())?;
    let mut reader = store.reader().await.map_err(|e| e.to_string())?;
    let claimed = store::users::any(&mut reader).await.map_err(|e| e.to_string())?;
    drop(reader);
    let engine = format!("{:?}", store.engine());
    store.close().await;
    Ok(format!("{engine}, {}", if claimed { "set up" } else { "not set up yet" }))
}

/// Writes, reads and deletes an object.
async fn objects(config: &Config) -> Result<String, String> {
    let round_trip = async {
        let blobs = Blobs::open(&config.blob)?;
        let object = format!("doctor/{}", uuid::Uuid::now_v7());
        blobs.put(&object, Bytes::from_static(b"kinora")).await?;
        let back = blobs.get(&object).await?;
        blobs.delete(&object).await?;
        Ok::<_, backends::blob::Error>(back)
    };
    match round_trip.await {
        Ok(back) if back == "kinora" => Ok("can be written, read and deleted".into()),
        Ok(_) => Err("what was read is not what was written".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Waits a moment for the connection.
async fn bus(config: &Config) -> Result<String, String> {
    let bus = Bus::open(&config.bus).await.map_err(|e| e.to_string())?;
    if config.bus.url.is_empty() {
        return Ok("none; processes find each other's work by looking".into());
    }
    for _ in 0..50 {
        if bus.reaches_others() {
            return Ok("connected".into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err("cannot be reached (bus.url); all works without it, slower".into())
}

async fn cache(config: &Config) -> Result<String, String> {
    let cache = Cache::open(&config.cache).map_err(|e| e.to_string())?;
    if !cache.is_shared() {
        return Ok("none; each process counts streams for itself".into());
    }
    cache.ping().await.map_err(|e| format!("cannot be reached (cache.url): {e}"))?;
    Ok("answers".into())
}

/// Can decoders of foreign files be kept from network, programs and files?
fn cage() -> Result<String, String> {
    let found = vod::guest::capabilities();
    match (found.seccomp, found.landlock) {
        (false, _) => Err("this kernel has no seccomp; decoders will not be started".into()),
        (true, 0) => {
            Err("no Landlock (Linux 5.13 or later): decoders can read what this user may read".into())
        }
        (true, version) => Ok(format!("seccomp, Landlock {version}")),
    }
}

async fn version(program: &Path) -> Result<String, String> {
    let output = Command::new(program).arg("-version").stdin(Stdio::null()).output().await;
    let output = output.map_err(|error| format!("cannot be started ({error}); install ffmpeg"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(str::to_owned).ok_or_else(|| "does not tell its version".into())
}
