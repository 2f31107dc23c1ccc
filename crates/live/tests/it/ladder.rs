//! The real-time ladder: made by ffmpeg of what ffmpeg publishes, and judged by ffmpeg.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use live::{
    Ended, Feed, Track, Windows, feed,
    ladder::{Losses, Plan, Process, Rung, Starter, Uncaged, can_stay, run, still},
    ring::{Frame, Item, Start},
};
use media::{cmaf, mp4};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use crate::{
    house::{Ffmpeg, House, SOON},
    probe::track,
};

fn plan() -> Plan {
    let rung = |width, height, bitrate_bps| Rung { width, height, bitrate_bps };
    Plan {
        keeps_source: true,
        key_interval_ms: 1000,
        rungs: vec![rung(320, 180, 400_000), rung(160, 90, 150_000)],
        audio_bps: 96_000,
        sound: None,
        preset: "ultrafast".into(),
        threads: 1,
    }
}

/// The system's ffmpeg, of which the last one started can be killed.
struct Mortal {
    ffmpeg: Uncaged,
    started: Mutex<Vec<Option<u32>>>,
}

impl Starter for Mortal {
    async fn start(&self, args: Vec<String>) -> io::Result<Process> {
        let process = self.ffmpeg.start(args).await?;
        let child = process.keep.downcast_ref::<tokio::process::Child>();
        self.started.lock().unwrap().push(child.and_then(tokio::process::Child::id));
        Ok(process)
    }
}

impl Mortal {
    fn kill(&self) {
        let pid = self.started.lock().unwrap().last().copied().flatten().unwrap();
        let done = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
        assert!(done.success());
    }
}

struct Stage {
    house: House,
    dir: tempfile::TempDir,
    source: Feed,
    output: Feed,
    starter: Arc<Mortal>,
    ladder: JoinHandle<()>,
    losses: Losses,
    publisher: JoinHandle<()>,
}

/// Publishes `seconds` in real time and makes a ladder of it.
async fn stage(ffmpeg: Ffmpeg, encode: &str, seconds: u32, plan: Plan) -> Stage {
    stage_with(ffmpeg, encode, seconds, plan, Ffmpeg::System).await
}

/// The same with another encoder.
async fn stage_with(ffmpeg: Ffmpeg, encode: &str, seconds: u32, plan: Plan, encoder: Ffmpeg) -> Stage {
    let house = House::open().await;
    let to = format!("-f flv {}", house.url("key"));
    stage_at(house, &to, ffmpeg, &format!("{encode} -c:a aac"), seconds, plan, encoder).await
}

/// The same at a house's address, of whatever protocol.
async fn stage_at(
    mut house: House,
    to: &str,
    ffmpeg: Ffmpeg,
    encode: &str,
    seconds: u32,
    plan: Plan,
    encoder: Ffmpeg,
) -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let inputs = format!(
        "-re -f lavfi -i testsrc2=s=640x360:r=30:d={seconds} -re -f lavfi -i sine=r=48000:d={seconds}"
    );
    let line = format!("{inputs} {encode} {to}");
    let mut command = ffmpeg.command(dir.path(), &line);
    let publisher = tokio::spawn(async move { assert!(command.status().await.unwrap().success()) });
    let source = house.opened().await;
    let (writer, output) = feed(Windows { seconds: 3600, ..Windows::default() }, Instant::now());
    let starter = Arc::new(Mortal { ffmpeg: Uncaged { program: encoder.path() }, started: Mutex::default() });
    let losses = Losses::default();
    let ladder = tokio::spawn(run(source.clone(), writer, plan, starter.clone(), losses.clone()));
    Stage { house, dir, source, output, starter, ladder, losses, publisher }
}

impl Stage {
    /// Deaths and rungs that were given up, and what came of it.
    async fn end(mut self) -> ((u64, usize), Feed, Feed, tempfile::TempDir) {
        self.publisher.await.unwrap();
        assert_eq!(self.house.closed().await, Ended::Finished);
        timeout(SOON, self.ladder).await.unwrap().unwrap();
        ((self.losses.deaths(), self.losses.given_up().len()), self.source, self.output, self.dir)
    }
}

const X264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 30";

async fn frames(track: &Track) -> Vec<Frame> {
    let mut reader = track.ring.reader(Start::Oldest);
    let mut frames = Vec::new();
    while let Some(Item::Frame(frame)) = reader.next().await {
        frames.push(frame);
    }
    frames
}

/// Milliseconds.
fn shown(frames: &[Frame], only_keys: bool) -> Vec<i64> {
    let wanted = frames.iter().filter(|frame| frame.key || !only_keys);
    let mut times: Vec<i64> =
        wanted.map(|frame| frame.pts * 1000 / i64::from(frame.spec.timescale)).collect();
    times.sort_unstable();
    times
}

/// Writes a track as CMAF and has ffmpeg decode it: how many pictures it finds.
fn decoded(dir: &Path, frames: &[Frame]) -> usize {
    let spec = &frames[0].spec;
    let mut bytes = cmaf::init_segment(spec).unwrap();
    let base = frames[0].dts;
    for (n, pair) in frames.windows(2).enumerate() {
        let sample = mp4::Sample {
            dts: 0,
            cts_offset: i32::try_from(pair[0].pts - pair[0].dts).unwrap(),
            duration: u32::try_from(pair[1].dts - pair[0].dts).unwrap(),
            is_sync: pair[0].key,
            data: pair[0].data.clone(),
        };
        let at = u64::try_from(pair[0].dts - base).unwrap();
        cmaf::segment(n as u32, at, &[sample], spec.kind()).unwrap().write_to(&mut bytes);
    }
    std::fs::write(dir.join("rung.mp4"), bytes).unwrap();
    let args = "-v warning -i rung.mp4 -fps_mode passthrough -f framemd5 -";
    let out = std::process::Command::new("ffmpeg").args(args.split(' ')).current_dir(dir).output().unwrap();
    assert!(out.stderr.is_empty(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().lines().filter(|line| !line.starts_with('#')).count()
}

/// How long after the source's frame a rung's comes, milliseconds, for each.
fn delays(source: Track, rung: Track) -> JoinHandle<Vec<u128>> {
    async fn arrivals(track: Track) -> Vec<(i64, Instant)> {
        let mut reader = track.ring.reader(Start::Oldest);
        let mut all = Vec::new();
        while let Some(item) = reader.next().await {
            if let Item::Frame(frame) = item {
                all.push((frame.pts * 1000 / i64::from(frame.spec.timescale), Instant::now()));
            }
        }
        all
    }
    tokio::spawn(async move {
        let (source, rung) = tokio::join!(arrivals(source), arrivals(rung));
        let of = |time: i64| source.iter().find(|(t, _)| *t == time).map(|(_, at)| *at);
        let delay = |(time, at): &(i64, Instant)| of(*time).map(|from| (*at - from).as_millis());
        rung.iter().filter_map(delay).collect()
    })
}

async fn until_there(feed: &Feed, name: &str) -> Track {
    let mut tracks = feed.watch_tracks();
    let there = tracks.wait_for(|all| all.iter().any(|track| track.id.to_string() == name));
    drop(timeout(SOON, there).await.unwrap().unwrap());
    track(feed, name)
}

/// Transport streams have other ticks than RTMP, and times that begin anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_ladder_of_what_comes_over_srt() {
    let x265 = "-c:v libx265 -preset ultrafast -x265-params log-level=none -pix_fmt yuv420p -g 30";
    for encode in [&format!("{X264} -bf 2 -c:a aac"), &format!("{x265} -c:a libopus -b:a 96k")] {
        let house = House::open().await;
        let to = format!("-f mpegts -output_ts_offset 95441 {}", house.srt_url("streamid=key"));
        let stage = stage_at(house, &to, Ffmpeg::System, encode, 5, plan(), Ffmpeg::System).await;
        let (losses, source, output, dir) = stage.end().await;
        assert_eq!(losses, (0, 0));
        let original = frames(&track(&source, "video 0")).await;
        assert!(original.len() > 130, "{}", original.len());
        for (name, width) in [("video 1", 320), ("video 2", 160)] {
            let made = frames(&track(&output, name)).await;
            for only_keys in [false, true] {
                let (from, made) = (shown(&original, only_keys), shown(&made, only_keys));
                let near = from.iter().zip(&made).all(|(from, made)| (from - made).abs() <= 1);
                assert!(from.len() == made.len() && near, "{name}: {from:?} {made:?}");
            }
            let cmaf::Media::Video { picture, .. } = &made[0].spec.media else { panic!("a picture") };
            assert_eq!((picture.width, decoded(dir.path(), &made)), (width, made.len() - 1));
        }
        let (sound, made) =
            (frames(&track(&source, "audio 0")).await, frames(&track(&output, "audio 0")).await);
        let span = |frames: &[Frame]| {
            let times = shown(frames, false);
            times[times.len() - 1] - times[0]
        };
        assert!((span(&sound) - span(&made)).abs() < 100, "{} {}", span(&sound), span(&made));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rung_has_every_picture_and_the_same_key_frames() {
    let stage = stage(Ffmpeg::System, &format!("{X264} -bf 2"), 6, plan()).await;
    let (top, rung) =
        (until_there(&stage.source, "video 0").await, until_there(&stage.output, "video 2").await);
    let delays = delays(top, rung);
    let (losses, source, output, dir) = stage.end().await;
    assert_eq!(losses, (0, 0));
    let original = frames(&track(&source, "video 0")).await;
    assert_eq!(original.len(), 180);
    let apart = source.snapshot(Instant::now()).tracks[0].longest_key_interval_ms;
    assert!(
        can_stay(&original[0].spec, apart, 2000) && !can_stay(&original[0].spec, apart, 500),
        "{apart:?}"
    );
    let kept = frames(&track(&output, "video 0")).await;
    assert_eq!((kept.len(), shown(&kept, false)), (180, shown(&original, false)));
    assert_eq!(
        frames(&track(&output, "audio 0")).await.len(),
        frames(&track(&source, "audio 0")).await.len()
    );
    for (name, width) in [("video 1", 320), ("video 2", 160)] {
        let made = frames(&track(&output, name)).await;
        assert_eq!(shown(&made, false), shown(&original, false), "{name}");
        assert_eq!(shown(&made, true), shown(&original, true), "{name}");
        assert!(made.iter().all(|frame| frame.pts == frame.dts), "no B-frames");
        let cmaf::Media::Video { picture, .. } = &made[0].spec.media else { panic!("a picture") };
        assert_eq!(picture.width, width);
        assert_eq!(decoded(dir.path(), &made), 179);
    }
    let mut delays = delays.await.unwrap();
    delays.sort_unstable();
    // 70 ms on an idle machine of two cores; 67 are those of the two B-frames that come before their turn.
    assert!(delays.len() > 150 && delays[delays.len() / 2] < 500, "{delays:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_source_key_frames_are_made() {
    let plan = Plan { keeps_source: false, ..plan() };
    let stage =
        stage(Ffmpeg::System, "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 300", 5, plan).await;
    let (_, source, output, _dir) = stage.end().await;
    let all = shown(&frames(&track(&source, "video 0")).await, false);
    let made = frames(&track(&output, "video 1")).await;
    assert_eq!(shown(&made, false), all);
    let keys = shown(&made, true);
    assert_eq!(keys, shown(&frames(&track(&output, "video 2")).await, true), "aligned");
    assert_eq!(keys.len(), 5, "{keys:?}");
    assert!(output.tracks().iter().all(|track| track.id.to_string() != "video 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn hevc_is_encoded_by_an_old_ffmpeg() {
    let encode = "-c:v libx265 -preset ultrafast -x265-params log-level=none:bframes=0:keyint=30 -pix_fmt yuv420p -rtmp_enhanced_codecs hvc1";
    let stage = stage(Ffmpeg::Recent, encode, 5, plan()).await;
    let (losses, source, output, dir) = stage.end().await;
    assert_eq!(losses, (0, 0));
    let original = frames(&track(&source, "video 0")).await;
    assert!(!can_stay(&original[0].spec, Some(1000), 2000), "not everybody plays HEVC");
    let made = frames(&track(&output, "video 1")).await;
    assert_eq!(made.len(), original.len());
    let apart = |(a, b): (&i64, &i64)| (a - b).abs();
    let (a, b) = (shown(&original, true), shown(&made, true));
    assert!(a.len() == b.len() && a.iter().zip(&b).map(apart).max() <= Some(1), "{a:?} {b:?}");
    assert_eq!(decoded(dir.path(), &made), made.len() - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recent_ffmpeg_makes_the_same() {
    let plan = Plan { keeps_source: false, ..plan() };
    let stage = stage_with(Ffmpeg::System, X264, 4, plan, Ffmpeg::Recent).await;
    let (losses, source, output, dir) = stage.end().await;
    assert_eq!(losses, (0, 0));
    let made = frames(&track(&output, "video 2")).await;
    assert_eq!(shown(&made, false), shown(&frames(&track(&source, "video 0")).await, false));
    assert_eq!((shown(&made, true).len(), decoded(dir.path(), &made)), (4, 119));
}

/// A dead encoder is replaced, and its rungs go on with the next key frame.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_encoder_heals_within_a_group() {
    let stage = stage(Ffmpeg::System, X264, 7, plan()).await;
    until_there(&stage.output, "video 1").await;
    sleep(Duration::from_millis(1700)).await;
    stage.starter.kill();
    let (losses, source, output, dir) = stage.end().await;
    assert_eq!(losses, (1, 0));
    let made = frames(&track(&output, "video 1")).await;
    let times = shown(&made, false);
    let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(gap <= 1500, "{gap} ms are missing");
    assert_eq!(times.last(), shown(&frames(&track(&source, "video 0")).await, false).last());
    assert_eq!(frames(&track(&output, "video 0")).await.len(), 210, "the source goes on meanwhile");
    decoded(dir.path(), &made);
}

/// An encoder that reads and never answers, and one that does not start.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_encoder_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let hangs = dir.path().join("hangs");
    std::fs::write(&hangs, "#!/bin/sh\nexec cat >/dev/null\n").unwrap();
    std::fs::set_permissions(&hangs, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for (program, wait) in [("true".into(), 700), ("/nowhere/ffmpeg".into(), 700), (hangs, 6_500)] {
        let (mut source, feed_of_source) = feed(Windows::default(), Instant::now());
        let (writer, output) = feed(Windows::default(), Instant::now());
        let starter = Arc::new(Uncaged { program });
        let losses = Losses::default();
        let ladder = tokio::spawn(run(feed_of_source, writer, plan(), starter, losses.clone()));
        Ffmpeg::System.make(dir.path(), &format!("-f lavfi -i testsrc2=s=64x64:d=1 {X264} one.flv")).await;
        let bytes = std::fs::read(dir.path().join("one.flv")).unwrap();
        crate::probe::fill(&mut source, &bytes);
        sleep(Duration::from_millis(wait)).await;
        drop(source);
        timeout(SOON, ladder).await.unwrap().unwrap();
        assert!((1..20).contains(&losses.deaths()), "{losses:?}");
        assert_eq!(frames(&track(&output, "video 0")).await.len(), 25, "the source is there all the same");
    }
}

/// An encoder that gets its frames late, as from a machine that has too much to do, unless little is asked of it.
struct Overloaded(Uncaged);

impl Starter for Overloaded {
    async fn start(&self, args: Vec<String>) -> io::Result<Process> {
        let much = args.iter().any(|arg| arg == "[v1]");
        let mut process = self.0.start(args).await?;
        if much {
            let (ours, mut theirs) = tokio::io::duplex(1000);
            let mut stdin = std::mem::replace(&mut process.stdin, Box::pin(ours));
            tokio::spawn(async move {
                let mut piece = [0; 1000];
                while let Ok(read @ 1..) = tokio::io::AsyncReadExt::read(&mut theirs, &mut piece).await {
                    sleep(Duration::from_millis(40)).await;
                    let written = tokio::io::AsyncWriteExt::write_all(&mut stdin, &piece[..read]).await;
                    if written.is_err() {
                        break;
                    }
                }
            });
        }
        Ok(process)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn overload_gives_up_the_top_rung_and_keeps_the_others() {
    let mut house = House::open().await;
    let dir = tempfile::tempdir().unwrap();
    let line = format!("-re -f lavfi -i testsrc2=s=640x360:r=30:d=9 {X264} -f flv {}", house.url("key"));
    let mut command = Ffmpeg::System.command(dir.path(), &line);
    let publisher = tokio::spawn(async move { assert!(command.status().await.unwrap().success()) });
    let source = house.opened().await;
    let (writer, output) = feed(Windows { seconds: 3600, ..Windows::default() }, Instant::now());
    let starter = Arc::new(Overloaded(Uncaged { program: "ffmpeg".into() }));
    let losses = Losses::default();
    timeout(SOON, run(source.clone(), writer, plan(), starter, losses.clone())).await.unwrap();
    let losses = (losses.deaths(), losses.given_up().len());
    publisher.await.unwrap();
    assert_eq!(losses, (0, 1));
    let last = |frames: &[Frame]| shown(frames, false).last().copied();
    let (top, rung) = (frames(&track(&output, "video 1")).await, frames(&track(&output, "video 2")).await);
    assert!(last(&top) < last(&rung), "the top rung has ended, the other one goes on");
    assert_eq!(last(&rung), last(&frames(&track(&source, "video 0")).await));
}

/// Opus becomes AAC that keeps its times.
#[tokio::test(flavor = "multi_thread")]
async fn sound_is_made_into_aac() {
    let mut house = House::open().await;
    let dir = tempfile::tempdir().unwrap();
    let line = format!(
        "-re -f lavfi -i sine=r=48000:d=4 -c:a libopus -rtmp_enhanced_codecs Opus -f flv {}",
        house.url("key")
    );
    let mut command = Ffmpeg::Recent.command(dir.path(), &line);
    let publisher = tokio::spawn(async move { assert!(command.status().await.unwrap().success()) });
    let source = house.opened().await;
    let (writer, output) = feed(Windows::default(), Instant::now());
    let starter = Arc::new(Uncaged { program: "ffmpeg".into() });
    let losses = Losses::default();
    timeout(SOON, run(source.clone(), writer, plan(), starter, losses.clone())).await.unwrap();
    let losses = (losses.deaths(), losses.given_up().len());
    publisher.await.unwrap();
    assert_eq!(losses, (0, 0));
    let (opus, aac) = (frames(&track(&source, "audio 0")).await, frames(&track(&output, "audio 0")).await);
    assert_eq!(aac[0].spec.codec().unwrap(), "mp4a.40.2");
    let (from, to) = (shown(&opus, false), shown(&aac, false));
    let near = |a: Option<&i64>, b: Option<&i64>| (a.unwrap() - b.unwrap()).abs() < 60;
    assert!(near(from.first(), to.first()) && near(from.last(), to.last()), "{from:?} {to:?}");
    assert!(aac.windows(2).all(|pair| pair[1].dts - pair[0].dts == 1024), "without a gap");
}

#[tokio::test]
async fn a_still_picture_is_made_for_each_rung() {
    let dir = tempfile::tempdir().unwrap();
    let line = "-f lavfi -i color=red:s=1280x720 -frames:v 1 red.jpg";
    assert!(Ffmpeg::System.command(dir.path(), line).status().await.unwrap().success());
    let jpeg = bytes::Bytes::from(std::fs::read(dir.path().join("red.jpg")).unwrap());
    let starter = Uncaged { program: Ffmpeg::System.path() };
    let made = still(&starter, jpeg.clone(), plan().rungs, "ultrafast").await.unwrap();
    assert_eq!(made.len(), 2);
    for (frame, height) in made.iter().zip([180, 90]) {
        let cmaf::Media::Video { picture, .. } = &frame.spec.media else { panic!("no picture") };
        assert_eq!((picture.height, frame.key), (height, true));
        let next = Frame { dts: 3000, ..frame.clone() };
        assert_eq!(decoded(dir.path(), &[frame.clone(), next]), 1);
    }
    assert!(still(&starter, jpeg.slice(..100), plan().rungs, "ultrafast").await.is_none());
}
