//! Titles of a worker with a device that breaks at some moment.

use domain::profile::{Effort, Video, VideoCodec};

use super::*;
use crate::hardware::{self, Hardware, StandIn};

/// A house with one slot and a device that behaves as `told`; titles are made in H.264 and HEVC.
async fn house(told: &str) -> House {
    let mut house = House::new().await;
    let stand_in = StandIn::parse(told).unwrap();
    let found =
        hardware::try_all(&house.flow.tools, stand_in.listed(), Some(&stand_in), &std::env::temp_dir()).await;
    let hardware = Arc::new(Hardware::new(found, &Wish::Auto, Some(stand_in)));
    house.flow.tools = Arc::new(Tools { hardware, ..Tools::clone(&house.flow.tools) });
    let mut profile = Profile::clone(&house.flow.usual);
    let hevc = Video { codec: VideoCodec::Hevc, effort: Effort::Fast, crf: None, from_height: Some(240) };
    profile.video.push(hevc);
    house.flow.usual = Arc::new(profile);
    house.slots = 1;
    house
}

impl House {
    /// Works until nothing is left to do.
    async fn whole(&self, video: VideoId) -> Descriptor {
        let stop = CancellationToken::new();
        let task = tokio::spawn(self.worker().run(stop.clone()));
        let over = async {
            loop {
                let mut reader = self.store.reader().await.unwrap();
                let jobs = jobs::list(&mut reader, &video.to_string()).await.unwrap();
                assert!(jobs.iter().all(|job| job.state != jobs::State::Dead), "{jobs:#?}");
                if jobs.iter().all(|job| job.state == jobs::State::Done) {
                    return;
                }
                drop(reader);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), over).await.unwrap();
        stop.cancel();
        task.await.unwrap();
        let row = videos::get(&mut self.store.reader().await.unwrap(), video).await.unwrap();
        self.descriptor(&row).await
    }

    /// Everything stored for a title is named by its descriptor.
    async fn no_strays(&self, descriptor: &Descriptor) {
        let used: Vec<&str> =
            descriptor.tracks.iter().flat_map(|t| &t.extents).map(|e| e.object.as_str()).collect();
        let stored = self.objects().await;
        let media = stored.iter().filter(|object| object.ends_with(".cmfv"));
        assert_eq!(media.filter(|object| !used.contains(&object.as_str())).count(), 0, "{stored:?}");
    }

    /// Which units hardware made.
    async fn by_hardware(&self, video: VideoId) -> Vec<String> {
        let mut reader = self.store.reader().await.unwrap();
        let presentation = presentations::of_video(&mut reader, video).await.unwrap()[0].id;
        let units = store::units::list(&mut reader, presentation).await.unwrap();
        let by = |unit: &store::units::Unit| unit.result.contains("\"by\":\"nvenc\"");
        let mut names: Vec<String> = units.into_iter().filter(by).map(|unit| unit.name).collect();
        names.sort();
        names
    }
}

fn codecs(descriptor: &Descriptor) -> Vec<(&str, &str, usize)> {
    let tracks = descriptor.tracks.iter().filter(|track| track.is_video());
    tracks
        .map(|track| (track.id.as_str(), track.codec.get(..4).unwrap_or_default(), track.extents.len()))
        .collect()
}

const WHOLE: [(&str, &str, usize); 3] =
    [("v240p", "avc3", 2), ("v120p", "avc3", 2), ("v240phevc", "hvc1", 2)];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_makes_a_title() {
    let house = house("h264 hevc").await;
    let file = film(house.dir.path(), 17).await;
    let video = house.upload(&file, 1).await;
    let descriptor = house.whole(video).await;
    assert_eq!(codecs(&descriptor), WHOLE);
    assert_eq!(house.by_hardware(video).await, ["v:0", "v:0.hevc", "v:1", "v:1.hevc"]);
    house.no_strays(&descriptor).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_device_began_to_add_software_makes_anew() {
    // It breaks after both chunks in H.264 and the first in HEVC.
    let house = house("h264 hevc fails-from=3").await;
    let file = film(house.dir.path(), 17).await;
    let video = house.upload(&file, 1).await;
    let descriptor = house.whole(video).await;
    assert_eq!(codecs(&descriptor), WHOLE);
    assert_eq!(house.by_hardware(video).await, ["v:0", "v:1"], "HEVC has one encoder from end to end");
    let steps = steps::list(&mut house.store.reader().await.unwrap(), video).await.unwrap();
    let formats = steps.iter().find(|step| step.name == steps::Name::Formats).unwrap();
    assert_eq!((formats.state, formats.done, formats.total), (steps::State::Done, 850 / 2, 850 / 2));
    house.no_strays(&descriptor).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_title_that_is_watched_goes_on_behind_the_same_header() {
    let house = house("h264 wrong-from=1").await;
    let file = film(house.dir.path(), 17).await;
    let video = house.upload(&file, 1).await;
    let early = house.work_until(video, |row| row.published_at.is_some()).await;
    let before = house.descriptor(&early).await;
    let after = house.whole(video).await;
    assert_eq!(house.by_hardware(video).await, ["v:0"]);
    assert_eq!(codecs(&after), WHOLE);
    assert_eq!(after.tracks[0].init, before.tracks[0].init);
    house.no_strays(&after).await;
}
