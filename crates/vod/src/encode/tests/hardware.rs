//! Encoders in hardware, played by software with settings of its own.

use std::sync::Arc;

use domain::profile::{Effort, Video, VideoCodec};

use super::*;
use crate::{
    encoders::Encoders,
    hardware::{self, Backend, Hardware, StandIn, Wish},
};

/// Tools with a device that behaves as `told`.
async fn tools(told: &str) -> Tools {
    let stand_in = StandIn::parse(told).unwrap();
    let found =
        hardware::try_all(&Tools::default(), stand_in.listed(), Some(&stand_in), &std::env::temp_dir()).await;
    assert_eq!(found, stand_in.listed(), "all of them work");
    let hardware = Hardware::new(found, &Wish::Auto, Some(stand_in));
    Tools { hardware: Arc::new(hardware), ..Tools::default() }
}

/// A source with chunks of 12, 32 and 4 seconds, and its plan.
struct Source {
    dir: tempfile::TempDir,
    path: PathBuf,
    plan: plan::VideoPlan,
}

impl Source {
    async fn new(codec: VideoCodec) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let args = with_sound("testsrc2=s=426x240:r=10:d=48", &["-g", "37", "-t", "48"]);
        let args: Vec<&str> =
            args.iter().map(|word| if word.starts_with("sine") { "sine=d=48" } else { word }).collect();
        let path = media(dir.path(), "a.mp4", &args).await;
        let mut profile = profile();
        profile.video = vec![Video { codec, effort: Effort::Fast, crf: None, from_height: None }];
        let (info, index) = probe::probe(&Tools::default(), &path, &probe::Limits::default()).await.unwrap();
        let mut plan = plan::plan(&info, &index, &profile).unwrap().video.unwrap();
        assert_eq!(plan.chunks.len(), 3);
        plan.hardware = vec![codec];
        Self { dir, path, plan }
    }

    async fn chunk(&self, tools: &Tools, n: usize) -> Encoded {
        let scratch = tempfile::tempdir_in(self.dir.path()).unwrap();
        let mut made = chunk(tools, &self.plan, n, &[], &self.path, scratch.path(), |_| ()).await.unwrap();
        for file in &mut made.files {
            let kept = self.dir.path().join(format!("{}.{n}", file.id));
            std::fs::rename(&file.path, &kept).unwrap();
            file.path = kept;
        }
        made
    }

    /// One file for each rung: the first chunk's header and the media of all.
    fn join(&self, chunks: &[Encoded]) -> Vec<PathBuf> {
        let one = |rung: usize| {
            let first = &chunks[0].files[rung].head;
            let mut bytes = STANDARD.decode(&first.init).unwrap();
            for made in chunks {
                assert!(first.takes(&made.files[rung].head), "{first:?} {:?}", made.files[rung].head);
                bytes.extend(std::fs::read(&made.files[rung].path).unwrap());
            }
            let path = self.dir.path().join(format!("{}.mp4", chunks[0].files[rung].id));
            std::fs::write(&path, bytes).unwrap();
            path
        };
        (0..self.plan.rungs.len()).map(one).collect()
    }
}

/// Every picture can be decoded without a word of complaint, is the source's, and stands at its time.
async fn whole(source: &Source, track: &Path, rung: &plan::RungPlan, codec: &str) {
    let times = decoded(track).await;
    assert_eq!(times, (0..480).map(|n| n * 100_000).collect::<Vec<_>>());
    judge("ffmpeg", &["-v", "warning", "-xerror", "-i", track.to_str().unwrap(), "-f", "null", "-"]).await;
    let tag = codecs::told(track, "codec_tag_string").await;
    assert_eq!(tag, codec, "{}", track.display());
    assert_eq!(size(track).await, format!("{}x{}", rung.width, rung.height));
    let worst = codecs::worst_frame(&source.path, track, (rung.width, rung.height)).await;
    assert!(worst > 0.8, "{}: a frame is not the source's ({worst})", rung.id);
}

#[tokio::test]
async fn a_title_goes_on_when_its_device_breaks() {
    for broken in ["fails-from=1", "wrong-from=1"] {
        let source = Source::new(VideoCodec::H264).await;
        let tools = tools(&format!("h264 {broken}")).await;
        let first = source.chunk(&tools, 0).await;
        assert_eq!(first.by, Some(Backend::Nvenc));
        // At the second job it breaks: the same call answers, with software's work.
        let second = source.chunk(&tools, 1).await;
        assert_eq!((second.by, tools.hardware.usable().len()), (None, 0), "{broken}: the device rests");
        let third = source.chunk(&tools, 2).await;
        assert_eq!(third.by, None);
        for (a, b) in first.files.iter().zip(&second.files).take(1) {
            assert_ne!(a.head.init, b.head.init, "the parameter sets differ");
            assert_eq!((a.head.codec.as_str(), b.head.codec.as_str()), ("avc3.640015", "avc3.640015"));
        }
        let tracks = source.join(&[first, second, third]);
        for (track, rung) in tracks.iter().zip(&source.plan.rungs) {
            whole(&source, track, rung, "avc3").await;
        }
    }
}

#[tokio::test]
async fn encoders_take_turns_within_a_track() {
    let source = Source::new(VideoCodec::H264).await;
    let device = tools("h264").await;
    let mut chunks = Vec::new();
    for (n, tools) in [Tools::default(), device.clone(), Tools::default()].iter().enumerate() {
        chunks.push(source.chunk(tools, n).await);
    }
    assert_eq!(chunks.iter().map(|made| made.by).collect::<Vec<_>>(), [None, Some(Backend::Nvenc), None]);
    for (track, rung) in source.join(&chunks).iter().zip(&source.plan.rungs) {
        whole(&source, track, rung, "avc3").await;
        // A player that begins in the middle has the device's sets from there.
        let seek = ["-v", "warning", "-xerror", "-ss", "20", "-i", track.to_str().unwrap()];
        judge("ffmpeg", &[&seek[..], &["-t", "5", "-f", "null", "-"]].concat()).await;
    }
}

#[tokio::test]
async fn plans_without_hardware_are_as_they_were() {
    let mut source = Source::new(VideoCodec::H264).await;
    source.plan.hardware.clear();
    let made = source.chunk(&tools("h264").await, 0).await;
    assert_eq!(made.by, None);
    assert_eq!(made.files[0].head.codec, "avc1.640015");
}

#[tokio::test]
async fn tracks_of_added_codecs_tell_when_encoders_differ() {
    let source = Source::new(VideoCodec::Hevc).await;
    let hard = source.chunk(&tools("hevc").await, 0).await;
    let soft = source.chunk(&Tools::default(), 2).await;
    assert_eq!((hard.by, soft.by), (Some(Backend::Nvenc), None));
    assert!(!hard.files[0].head.takes(&soft.files[0].head), "another header");
    assert!(hard.files[1].head.takes(&soft.files[1].head), "the small rung is software's in any case");
}

#[tokio::test]
async fn what_does_not_work_is_not_used() {
    // Key frames elsewhere than where they were asked for.
    let stand_in = StandIn::parse("h264 hevc wrong-from=0").unwrap();
    stand_in.used();
    let found =
        hardware::try_all(&Tools::default(), stand_in.listed(), Some(&stand_in), &std::env::temp_dir()).await;
    assert_eq!(found, []);
    if Path::new("/dev/nvidiactl").exists() || !hardware::render_nodes().is_empty() {
        return;
    }
    // What ffmpeg lists without a device to it.
    let encoders = Encoders::find(&Tools::default(), &Wish::Auto, &std::env::temp_dir()).await;
    assert_eq!(encoders.hardware().found(), []);
    assert!(encoders.video().contains(&VideoCodec::H264));
}
