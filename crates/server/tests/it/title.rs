//! From a file to a title, through the public faces: sent by tus, made by the workers, judged as players read it.

use domain::VideoId;
use reqwest::Method;
use serde_json::Value;

use crate::{
    engines::Engines,
    film::{descriptor, film, judge, strays},
    harness::{Caller, House},
};

crate::on_both_engines!(an_uploaded_film_becomes_a_title);

async fn an_uploaded_film_becomes_a_title(engines: Engines) {
    let house = House::working(engines).await;
    let admin = house.admin().await;
    let film = film(14).await;
    let id = admin.upload("A film", &film.file).await;
    let mut told = follow(&admin, id).await;
    let video = admin.until_complete(id).await;
    for (field, value) in [("duration_ms", 14_000), ("width", 160), ("height", 90)] {
        assert_eq!(video[field], value, "{field}");
    }
    let steps = video["steps"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 6, "{names:?}");
    for step in steps {
        assert_eq!((&step["state"], &step["done"]), (&"done".into(), &step["total"]), "{step}");
    }
    let last = told.pop().expect("the title's events");
    assert_eq!((&last["complete"], &last["state"]), (&true.into(), &"ready".into()));
    let visitor = house.visitor();
    let playback = visitor.playback(id).await;
    judge(&film, &house.base, &playback).await;
    pictures(&visitor, &video, &playback).await;
    let renditions = visitor.get(&format!("/api/v1/videos/{id}/renditions")).await.expect(200);
    assert_eq!(renditions.json.as_array().unwrap().len(), 3, "{}", renditions.json);
    assert_eq!(descriptor(&house, id).await["complete"], true);
    assert_eq!(strays(&house, &[id]).await, [""; 0]);
    let listed = visitor.get("/api/v1/videos").await.expect(200).each("id");
    assert_eq!(listed, [id.to_string()]);
}

/// What the title's events tell until it is complete.
async fn follow(caller: &Caller, id: VideoId) -> Vec<Value> {
    let mut events =
        caller.request(Method::GET, &format!("/api/v1/videos/{id}/events")).send().await.unwrap();
    let (mut text, mut told) = (String::new(), Vec::<Value>::new());
    while told.last().is_none_or(|video| video["complete"] == false && video["state"] != "failed") {
        let chunk = tokio::time::timeout(std::time::Duration::from_secs(100), events.chunk()).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&chunk.unwrap().expect("events until the end")));
        while let Some((event, rest)) = text.split_once("\n\n") {
            let data = event.lines().find_map(|line| line.strip_prefix("data:"));
            told.extend(data.and_then(|data| serde_json::from_str(data).ok()));
            text = rest.to_owned();
        }
    }
    told
}

/// Posters and the storyboard are pictures of the sizes that they claim.
async fn pictures(visitor: &Caller, video: &Value, playback: &Value) {
    let id = video["id"].as_str().unwrap();
    let posters = visitor.get(&format!("/api/v1/videos/{id}/posters")).await.expect(200);
    let urls = posters.each("url");
    assert!(!urls.is_empty());
    for url in urls.iter().chain([&video["poster_url"].as_str().unwrap().to_owned()]) {
        let picture = visitor.get(url).await.expect(200);
        assert_eq!(picture.headers["content-type"], "image/jpeg");
        assert!(picture.bytes.starts_with(b"\xff\xd8\xff"), "{url}");
    }
    let storyboard = playback["storyboard_url"].as_str().expect("a storyboard");
    let cues = visitor.get(storyboard).await.expect(200);
    let text = String::from_utf8_lossy(&cues.bytes).into_owned();
    assert!(text.starts_with("WEBVTT") && text.matches("-->").count() == 7, "{text}");
    let sheet = text.lines().find_map(|line| line.split_once("#xywh=")).expect("a picture").0;
    let base = storyboard.rsplit_once('/').unwrap().0;
    let sheet = visitor.get(&format!("{base}/{sheet}")).await.expect(200);
    assert!(sheet.bytes.starts_with(b"\xff\xd8\xff"));
}
