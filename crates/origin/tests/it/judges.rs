//! ffprobe, ffmpeg, hls-parser, m3u8-parser, mpd-parser and the DASH schema read what we serve.

use std::path::PathBuf;

use crate::world::{FRAMES, World};

/// Frames of each rung have the source's count and times, without a warning.
async fn frames(world: &World, url: &str, streams: &[(&str, u32)]) {
    for (map, count) in streams {
        let args = ["-i", url, "-map", map, "-c", "copy", "-f", "framehash", "-"];
        let report = world.run("ffmpeg", &args).await;
        let times: Vec<i64> = report
            .lines()
            .filter(|l| !l.starts_with('#'))
            .map(|l| l.split(',').nth(2).unwrap().trim().parse().unwrap())
            .collect();
        assert_eq!(times.len() as u32, *count, "{url} {map}");
        let mut sorted = times;
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!((sorted.len() as u32, sorted[0]), (*count, 0), "{url} {map}");
    }
    world.run("ffmpeg", &["-i", url, "-map", "0", "-f", "null", "-"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_reads_hls_and_dash_frame_by_frame() {
    let world = World::start().await;
    let audio = world.descriptor.tracks[2].duration() / 1024;
    for manifest in ["main.m3u8", "main.mpd"] {
        let url = world.url(manifest);
        let streams = [("0:v:0", FRAMES), ("0:v:1", FRAMES), ("0:a:0", audio as u32)];
        frames(&world, &url, &streams).await;
        let entries = "stream=codec_type,start_time:format=duration";
        let told = world.run("ffprobe", &["-show_entries", entries, "-of", "json", &url]).await;
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        for stream in told["streams"].as_array().unwrap() {
            let start: f64 = stream["start_time"].as_str().unwrap_or("0").parse().unwrap();
            assert!(start.abs() < 0.02, "{manifest}: {stream}");
        }
        let duration: f64 = told["format"]["duration"].as_str().unwrap().parse().unwrap();
        assert!((duration - 10.01).abs() < 0.06, "{manifest}: {duration}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ffmpeg_decodes_single_pictures() {
    let world = World::start().await;
    let list = world.get(&world.url("v240p/iframes.m3u8"), &[]).await.text();
    assert_eq!(list.matches("#EXTINF").count(), 10);
    let init = world.get(&world.url("v240p/init.mp4"), &[]).await.body;
    for n in [0, 5, 9] {
        let picture = world.get(&world.url(&format!("v240p/i{n}.m4s")), &[]).await;
        assert_eq!(picture.status, 200);
        let file = world.dir.path().join("picture.mp4");
        std::fs::write(&file, [&init[..], &picture.body].concat()).unwrap();
        let shown = world
            .run("ffprobe", &["-show_entries", "frame=pts,pict_type", "-of", "csv=p=0", "picture.mp4"])
            .await;
        assert_eq!(shown.lines().next().unwrap().trim_end_matches(','), format!("{},I", n * 24 * 1001));
    }
    assert_eq!(world.get(&world.url("v240p/i10.m4s"), &[]).await.status, 404);
    assert_eq!(world.get(&world.url("a0/i0.m4s"), &[]).await.status, 404);
}

/// Runs a script of `judges/` where its modules are installed.
async fn judge(script: &str, url: &str) -> serde_json::Value {
    let home = || std::env::var("HOME").map(|h| PathBuf::from(h).join(".cache/kinora"));
    let cache = std::env::var("KINORA_CACHE").map(PathBuf::from).or_else(|_| home()).unwrap().join("judges");
    assert!(
        cache.join("node_modules/hls-parser").exists(),
        "./test installs the judges into {}",
        cache.display()
    );
    // Modules are looked for beside the script's real place.
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../judges").join(script);
    let copy = cache.join(format!("{}-{script}", std::process::id()));
    std::fs::copy(source, &copy).unwrap();
    let out = tokio::process::Command::new("node").arg(&copy).arg(url).output().await.unwrap();
    std::fs::remove_file(&copy).unwrap();
    assert!(out.status.success(), "{script}: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

/// The schema is in no package registry: checked where `KINORA_DASH_SCHEMA` tells its place (judges/README.md).
async fn schema(world: &World) {
    let Ok(schema) = std::env::var("KINORA_DASH_SCHEMA") else { return };
    let manifest = world.get(&world.url("main.mpd"), &[]).await.body;
    let file = world.dir.path().join("main.mpd");
    std::fs::write(&file, manifest).unwrap();
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../judges/mpd_schema.py");
    let python = std::env::var("KINORA_PYTHON").unwrap_or_else(|_| "python3".into());
    let out = tokio::process::Command::new(python).arg(script).arg(file).arg(schema).output().await.unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_readers_accept_playlists_and_manifest() {
    let mut world = World::start().await;
    let hls = judge("hls.mjs", &world.url("main.m3u8")).await;
    let counts = ["variants", "audio", "iframes", "images"].map(|k| hls[k].as_array().unwrap().len());
    assert_eq!(counts, [2, 1, 2, 1], "{hls}");
    assert_eq!(hls["variants"][0]["segments"], 5);
    let dash = judge("dash.mjs", &world.url("main.mpd")).await;
    assert_eq!(
        (dash["video"].as_array().unwrap().len(), dash["audio"].as_array().unwrap().len()),
        (2, 1),
        "{dash}"
    );
    assert_eq!((&dash["video"][0]["segments"], &dash["complete"]), (&5.into(), &true.into()));
    schema(&world).await;
    world.publish(2, false, 2).await;
    world.wait("main.mpd", |manifest| manifest.contains("type=\"dynamic\"")).await;
    let hls = judge("hls.mjs", &world.url("main.m3u8")).await;
    assert_eq!((&hls["variants"][0]["segments"], &hls["variants"][0]["type"]), (&2.into(), &"EVENT".into()));
    let dash = judge("dash.mjs", &world.url("main.mpd")).await;
    assert_eq!(dash["video"][0]["segments"], 2, "{dash}");
    schema(&world).await;
}
