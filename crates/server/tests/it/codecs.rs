//! Titles in several codecs, from the profile to what players are given.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use backends::clock::Clock;
use domain::{
    Micros, VideoId,
    ladder::Rung,
    profile::{AudioCodec, Effort, Profile, Video, VideoCodec},
};
use serde_json::{Value, json};
use server::config::Role;
use store::{jobs, profiles};

use crate::{
    conformance,
    engines::Engines,
    film::{film, run, times},
    harness::{Caller, House},
    judges::node,
};

crate::on_both_engines!(a_title_in_every_codec, a_codec_that_fails_leaves_the_title_as_it_is);

/// Lets titles be made in all codecs.
pub async fn choose_all(house: &House) {
    // Rungs for test films of 160×90.
    let ladder = [(90, 400_000), (64, 120_000)].map(|(height, bitrate_bps)| Rung { height, bitrate_bps });
    let mut profile = Profile::of_ladder(ladder.to_vec());
    for codec in [VideoCodec::Hevc, VideoCodec::Vp9, VideoCodec::Av1] {
        profile.video.push(Video { codec, effort: Effort::Fast, crf: None, from_height: Some(90) });
    }
    profile.audio.push(AudioCodec::Opus);
    profile.check().unwrap();
    let mut tx = house.app().store.begin().await.unwrap();
    let body = serde_json::to_string(&profile).unwrap();
    profiles::put(&mut tx, "everything", &body, 0, Micros(1)).await.unwrap();
    profiles::choose(&mut tx, Some("everything")).await.unwrap();
    tx.commit().await.unwrap();
}

pub async fn step(caller: &Caller, id: VideoId, name: &str, wanted: &str) -> Value {
    step_within(caller, id, (name, wanted), Duration::from_secs(120)).await
}

pub async fn step_within(
    caller: &Caller,
    id: VideoId,
    (name, wanted): (&str, &str),
    patience: Duration,
) -> Value {
    let began = Instant::now();
    loop {
        let video = caller.video(id).await;
        let steps = video["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == name).cloned().unwrap_or_default();
        if step["state"] == wanted {
            return step;
        }
        assert!(began.elapsed() < patience, "still {steps:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn a_title_in_every_codec(engines: Engines) {
    // What is added to a whole title is seen at once.
    let at_once = |config: &mut server::config::Config| config.origin.complete_max_age_ms = 100;
    let house = House::configured(engines, &Role::ALL, Clock::system(), at_once).await;
    choose_all(&house).await;
    let admin = house.admin().await;
    let film = film(14).await;
    let id = admin.upload("everything", &film.file).await;
    let before = admin.until_complete(id).await;
    step(&admin, id, "formats", "done").await;
    let playback = house.visitor().playback(id).await;
    let hls = format!("{}{}", house.base, playback["hls_url"].as_str().unwrap());
    // The step ends before the descriptor is there.
    let began = Instant::now();
    let text = loop {
        let text = reqwest::get(&hls).await.unwrap().text().await.unwrap();
        if ["avc1.", "hvc1.", "vp09.", "av01.", "mp4a.40.2", "opus"].iter().all(|codec| text.contains(codec))
        {
            break text;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let first = text.lines().find(|line| line.starts_with("#EXT-X-STREAM-INF")).unwrap();
    assert!(
        first.contains("avc1.") && first.contains("mp4a.40.2"),
        "what plays everywhere comes first: {text}"
    );
    let mut seen = Vec::new();
    // The same pictures stand there with each codec of sound.
    let paths: BTreeSet<&str> = text.lines().filter(|line| line.starts_with('v')).collect();
    for path in paths {
        let url = format!("{}/{path}", hls.rsplit_once('/').unwrap().0);
        let entries = ["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0", &url];
        let told = run("ffprobe", &entries).await;
        seen.push(told.lines().next().unwrap_or_default().to_owned());
        assert_eq!(times(&url, "v:0").await.len(), film.frames, "{url}");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["av1", "h264", "hevc", "vp9"]);
    conformance::both_clean(&house.base, &playback).await;
    let count = |value: &Value| value.as_array().unwrap().len();
    if let Some(read) = node("hls.mjs", &[&hls]).await {
        // Two rungs of H.264 and one of each other codec, each with two codecs of sound.
        assert_eq!((count(&read["variants"]), count(&read["audio"])), (10, 2), "{read}");
    }
    let dash = format!("{}{}", house.base, playback["dash_url"].as_str().unwrap());
    if let Some(read) = node("dash.mjs", &[&dash]).await {
        assert_eq!((count(&read["video"]), count(&read["audio"])), (5, 2), "{read}");
    }
    assert_eq!(admin.video(id).await["state"], before["state"]);
    assert!(crate::film::strays(&house, &[id]).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_keeps_every_codec() {
    let at_once = |config: &mut server::config::Config| config.origin.complete_max_age_ms = 100;
    let house = House::configured(Engines::embedded(), &Role::ALL, Clock::system(), at_once).await;
    choose_all(&house).await;
    let admin = house.admin().await;
    let id = admin.upload("cut", &film(14).await.file).await;
    admin.until_complete(id).await;
    step(&admin, id, "formats", "done").await;
    // One segment stays as it is, a piece of the next is encoded anew.
    let keep = json!({ "keep": [{ "start_ms": 4000, "end_ms": 10_000 }] });
    admin.post(&format!("/api/v1/videos/{id}/trim"), keep).await.expect(202);
    admin.until(id, |video| video["duration_ms"] == 6000 && video["complete"] == true).await;
    step(&admin, id, "formats", "done").await;
    let began = Instant::now();
    loop {
        let playback = house.visitor().playback(id).await;
        let hls = format!("{}{}", house.base, playback["hls_url"].as_str().unwrap());
        let text = reqwest::get(&hls).await.unwrap().text().await.unwrap();
        let paths: BTreeSet<&str> = text.lines().filter(|line| line.starts_with('v')).collect();
        if paths.len() == 5 {
            for path in paths {
                let url = format!("{}/{path}", hls.rsplit_once('/').unwrap().0);
                assert_eq!(times(&url, "v:0").await.len(), 150, "{url}");
            }
            assert!(text.contains("opus"), "{text}");
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{text}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn a_codec_that_fails_leaves_the_title_as_it_is(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let id = admin.upload("plain", &film(2).await.file).await;
    admin.until_complete(id).await;
    let mut tx = house.app().store.begin().await.unwrap();
    let (subject, payload) = (id.to_string(), json!({ "presentation": "none" }).to_string());
    let job = jobs::NewJob::new("chunk-av1", &subject, &payload);
    jobs::enqueue(&mut tx, &job, house.app().clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    let failed = step(&admin, id, "formats", "failed").await;
    assert!(!failed["message"].as_str().unwrap().is_empty());
    let video = admin.video(id).await;
    assert_eq!((&video["state"], &video["complete"]), (&"ready".into(), &true.into()));
    // Its creator may try again; this one fails again.
    let path = format!("/api/v1/videos/{id}/retry");
    admin.post(&path, json!({})).await.expect(200);
    step(&admin, id, "formats", "failed").await;
    let sound = admin.upload("nothing failed", &film(1).await.file).await;
    admin.until_complete(sound).await;
    admin.post(&format!("/api/v1/videos/{sound}/retry"), json!({})).await.expect(409);
}
