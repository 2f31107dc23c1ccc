//! Live events from an encoder nobody here wrote to players nobody here wrote: sent, seen, interrupted, kept.

use std::{
    net::TcpListener,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use backends::clock::Clock;
use domain::VideoId;
use futures::future::join_all;
use serde_json::json;
use server::config::Role;
use tokio::process::{Child, Command};

use crate::{
    engines::{Engines, Process},
    film::run,
    harness::{Answer, Caller, House},
    judges::node,
    pictures,
};

crate::on_both_engines!(an_event_is_seen_while_it_is_sent_and_kept);

const SOON: Duration = Duration::from_secs(40);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An event with the addresses of its two places.
pub struct Event {
    pub id: VideoId,
    pub primary: String,
    backup: String,
}

impl Event {
    pub async fn new(caller: &Caller, more: serde_json::Value) -> Self {
        let mut body = json!({ "title": "Launch", "visibility": "public", "latency": "low" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let id =
            caller.post("/api/v1/events", body).await.expect(201).json["id"].as_str().unwrap().to_owned();
        let ways = caller.get(&format!("/api/v1/events/{id}/ingest")).await.expect(200).json;
        let server = ways["servers"][0]["url"].as_str().unwrap();
        let key = |n: usize| format!("{server}/{}", ways["keys"][n]["key"].as_str().unwrap());
        Self { primary: key(0), backup: key(1), id: id.parse().unwrap() }
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/events/{}{rest}", self.id)
    }

    pub async fn until(&self, caller: &Caller, state: &str) {
        let began = Instant::now();
        loop {
            let event = caller.get(&self.path("")).await.expect(200).json;
            if event["state"] == state {
                return;
            }
            assert!(began.elapsed() < SOON, "it is not {state}: {event}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn end(&self, caller: &Caller) {
        caller.post(&self.path("/end"), json!({})).await;
        self.until(caller, "ended").await;
    }
}

/// Sends a test picture in real time.
pub fn publish(to: &str, size: &str, rate: u32, seconds: u32) -> Child {
    let line = format!(
        "-hide_banner -loglevel error -nostdin -re -f lavfi -i testsrc2=s={size}:r=30 -re -f lavfi -i sine=r={rate} -t {seconds} \
         -c:v libx264 -preset ultrafast -tune zerolatency -g 30 -pix_fmt yuv420p -c:a aac -ac 2 -f flv"
    );
    Command::new("ffmpeg")
        .args(line.split_whitespace())
        .arg(to)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

pub async fn house(engines: Engines) -> House {
    House::configured(engines, &Role::ALL, Clock::system(), |config| {
        config.live.rtmp.listen = Some(([127, 0, 0, 1], free_port()).into());
        config.live.making.rungs.truncate(3);
        config.live.making.preset = "ultrafast".into();
    })
    .await
}

/// A playback's folder.
pub async fn folder(base: &str, caller: &Caller, id: VideoId) -> String {
    let playback = caller.playback(id).await;
    let hls = playback["hls_url"].as_str().unwrap().strip_suffix("/main.m3u8").unwrap().to_owned();
    format!("{base}{hls}")
}

pub async fn get(url: &str) -> Answer {
    crate::harness::send(reqwest::Client::new().get(url)).await
}

/// The value of a tag in a playlist.
fn tag(playlist: &str, name: &str) -> Option<String> {
    playlist.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
}

fn count(playlist: &str, name: &str) -> usize {
    playlist.lines().filter(|line| line.starts_with(name)).count()
}

async fn an_event_is_seen_while_it_is_sent_and_kept(engines: Engines) {
    let house = house(engines).await;
    let admin = house.admin().await;
    let event = Event::new(&admin, json!({})).await;
    let mut encoder = publish(&event.primary, "640x480", 48_000, 26);
    event.until(&admin, "live").await;
    let folder = folder(&house.base, &house.visitor(), event.id).await;
    waiting_works(&folder).await;
    many_wait_and_one_asks(&house, &folder).await;
    a_segment_comes_while_it_is_made(&house, &folder).await;
    // Others play it while it goes on.
    for manifest in ["main.m3u8", "main.mpd", "low.mpd"] {
        let url = format!("{folder}/{manifest}");
        let args = ["-v", "error", "-i", &url, "-t", "3", "-map", "0", "-f", "framemd5", "-"];
        let frames = run("ffmpeg", &args).await;
        assert!(frames.lines().filter(|line| !line.starts_with('#')).count() > 150, "{frames}");
    }
    assert!(encoder.wait().await.unwrap().success());
    event.end(&admin).await;
    let video = admin.until_complete(event.id).await;
    let seconds = video["duration_ms"].as_f64().unwrap() / 1000.0;
    assert!((20.0..40.0).contains(&seconds), "{video}");
    // An ordinary title, by the judges of ordinary titles.
    let hls = format!("{folder}/main.m3u8");
    let list = get(&format!("{folder}/v360p/playlist.m3u8")).await.expect(200).text();
    assert!(list.contains("#EXT-X-ENDLIST") && list.contains("PLAYLIST-TYPE:VOD"), "{list}");
    // Who began with what is of low latency goes on.
    let plain = get(&format!("{folder}/main.mpd")).await.expect(200);
    assert_eq!(get(&format!("{folder}/low.mpd")).await.expect(200).text(), plain.text());
    get(&format!("{folder}/v360p/0.chunks.m4s")).await.expect(200);
    if let Some(judged) = node("hls.mjs", &[&hls]).await {
        assert_eq!(judged["variants"].as_array().unwrap().len(), 2, "{judged}");
        assert_eq!(judged["variants"][0]["complete"], true);
    }
    let checked = Command::new(env!("CARGO_BIN_EXE_kinora"))
        .args(["check", "--strict", "--all-segments", &hls])
        .output();
    let checked = checked.await.unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
    let args = [
        "-v",
        "error",
        "-count_packets",
        "-show_entries",
        "stream=codec_type,nb_read_packets",
        "-of",
        "csv=p=0",
    ];
    let rung = format!("{folder}/v360p/playlist.m3u8");
    let packets = run("ffprobe", &[&args[..], &[&rung]].concat()).await;
    let packets: f64 = packets.trim().rsplit(',').next().unwrap().parse().unwrap();
    assert!(packets / 30.0 > 19.0, "{packets} pictures in {seconds} s");
}

/// Blocking reload, parts, what is too far ahead, what lies past the end of a segment, updates.
async fn waiting_works(folder: &str) {
    let url = format!("{folder}/v480p/playlist.m3u8");
    let first = get(&url).await.expect(200).text();
    let server = tag(&first, "#EXT-X-SERVER-CONTROL:").unwrap();
    assert!(server.contains("CAN-BLOCK-RELOAD=YES") && server.contains("PART-HOLD-BACK=1."), "{server}");
    assert_eq!(tag(&first, "#EXT-X-TARGETDURATION:").unwrap(), "2");
    let first_number: u64 = tag(&first, "#EXT-X-MEDIA-SEQUENCE:").unwrap().parse().unwrap();
    let next = first_number + count(&first, "#EXTINF") as u64;
    let far = get(&format!("{url}?_HLS_msn={}", next + 5)).await;
    assert_eq!(far.status, 400, "{}", far.text());
    assert_eq!(get(&format!("{url}?_HLS_part=1")).await.status, 400);
    // The segment after this one is there when the answer comes.
    let began = Instant::now();
    let later = get(&format!("{url}?_HLS_msn={next}&_HLS_part=99999")).await;
    assert_eq!(later.status, 400, "a part that never comes");
    let later =
        get(&format!("{url}?_HLS_msn={}&_HLS_part=0&_HLS_skip=YES", next + 1)).await.expect(200).text();
    assert!(began.elapsed() > Duration::from_millis(300), "it waited");
    assert!(
        later.contains(&format!("\n{next}.m4s\n")) && later.contains(&format!("URI=\"{}.0.m4s\"", next + 1)),
        "{later}"
    );
    assert_eq!(count(&later, "#EXT-X-RENDITION-REPORT"), 2, "{later}");
    // The part that is announced is held until it is there.
    let hint = tag(&later, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=").unwrap();
    let part = get(&format!("{folder}/v480p/{}", hint.trim_matches('"'))).await.expect(200);
    assert!(part.headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(get(&format!("{folder}/v480p/{}.0.m4s", next + 900)).await.status, 404);
    // All parts of a segment are the segment's samples.
    let whole = get(&format!("{folder}/v480p/{next}.m4s")).await.expect(200);
    assert_eq!(whole.headers["content-type"], "video/mp4");
}

/// How often the origin was asked for something of a kind.
async fn asked(house: &House, kind: &str) -> f64 {
    let metrics = get(&format!("{}/metrics", house.base)).await.expect(200).text();
    let kind = format!("kind=\"{kind}\"");
    let of = |line: &&str| line.starts_with("kinora_origin_requests_total") && line.contains(&kind);
    metrics.lines().filter(of).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum::<f64>()
}

/// However many wait for a playlist, the origin is asked once.
async fn many_wait_and_one_asks(house: &House, folder: &str) {
    let url = format!("{folder}/v360p/playlist.m3u8");
    let list = get(&url).await.expect(200).text();
    let next = count(&list, "#EXTINF") as u64
        + tag(&list, "#EXT-X-MEDIA-SEQUENCE:").unwrap().parse::<u64>().unwrap();
    let before = asked(house, "playlist").await;
    let wanted = format!("{url}?_HLS_msn={}&_HLS_part=1", next + 1);
    let answers = join_all((0..200).map(|_| get(&wanted))).await;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text() == answers[0].text()));
    let between = asked(house, "playlist").await - before;
    // Other tests in this process may ask as well.
    assert!(between < 20.0, "{between} requests for 200 viewers");
}

/// The mean colour of each picture.
async fn colours(input: &str, to: &Path) -> Vec<[u8; 3]> {
    let args = ["-v", "error", "-i", input, "-map", "0:v:0", "-fps_mode", "passthrough", "-vf"];
    let made = ["scale=1:1:flags=area,format=rgb24", "-f", "rawvideo", to.to_str().unwrap()];
    run("ffmpeg", &[&args[..], &made[..]].concat()).await;
    std::fs::read(to).unwrap().as_chunks().0.to_vec()
}

/// LL-DASH: what is being made is sent part by part, to all who wait by one request, and is kept when it is whole.
async fn a_segment_comes_while_it_is_made(house: &House, folder: &str) {
    let mpd = get(&format!("{folder}/low.mpd")).await.expect(200).text();
    assert!(mpd.contains("availabilityTimeComplete=\"false\"") && mpd.contains("<Latency "), "{mpd}");
    let time = get(&format!("{folder}/time.txt")).await.expect(200);
    let told: api::Time = time.text().parse().unwrap();
    let behind = house.clock.now().0 - told.0.0;
    assert!((0..1_000_000).contains(&behind), "{}", time.text());
    let before = asked(house, "segment").await;
    let list = get(&format!("{folder}/v360p/playlist.m3u8")).await.expect(200).text();
    // The one after the one that is being made: it is waited for.
    let next = count(&list, "#EXTINF") as u64
        + tag(&list, "#EXT-X-MEDIA-SEQUENCE:").unwrap().parse::<u64>().unwrap()
        + 1;
    let url = format!("{folder}/v360p/{next}.chunks.m4s");
    let watch = async || {
        let mut answer = reqwest::Client::new().get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let (mut body, mut times) = (Vec::new(), Vec::new());
        while let Some(piece) = answer.chunk().await.unwrap() {
            body.extend_from_slice(&piece);
            times.push(Instant::now());
        }
        (body, *times.last().unwrap() - times[0])
    };
    let answers = join_all((0..40).map(|_| watch())).await;
    for (body, took) in &answers {
        assert!(body == &answers[0].0 && *took > Duration::from_millis(1000), "it came within {took:?}");
    }
    let boxes: Vec<_> = media::mp4::Boxes::new(&answers[0].0).map(|found| found.unwrap().0).collect();
    assert!(boxes.len() >= 15, "{} boxes", boxes.len());
    assert!(boxes.chunks(3).all(|part| part == [*b"prft", *b"moof", *b"mdat"]), "{boxes:?}");
    let again = get(&url).await.expect(200);
    assert!(again.bytes == answers[0].0 && again.headers["cache-status"].to_str().unwrap().contains("hit"));
    let between = asked(house, "segment").await - before;
    assert!(between < 10.0, "{between} requests for 40 viewers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_takes_over_and_what_is_missing_is_filled() {
    let house = house(Engines::embedded()).await;
    let admin = house.admin().await;
    let event = Event::new(&admin, json!({})).await;
    // What is shown while nobody sends.
    let poster = house.engines.dir().join("red.jpg");
    let args = ["-v", "error", "-f", "lavfi", "-i", "color=red:s=1280x720", "-frames:v", "1"];
    run("ffmpeg", &[&args[..], &[poster.to_str().unwrap()]].concat()).await;
    pictures::uploaded(&admin, event.id, "kind=poster", std::fs::read(poster).unwrap()).await;
    let mut primary = publish(&event.primary, "640x480", 48_000, 60);
    event.until(&admin, "live").await;
    // Of another size and another sample rate.
    let mut backup = publish(&event.backup, "320x240", 44_100, 60);
    let on_air = async |wanted: &str| {
        let began = Instant::now();
        loop {
            let health = admin.get(&event.path("/health")).await;
            if health.status == 200 && health.json["on_air"] == wanted {
                return began.elapsed();
            }
            assert!(began.elapsed() < SOON, "{wanted} is not on air: {}", health.text());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    on_air("primary").await;
    let health = admin.get(&event.path("/health")).await.expect(200).json;
    assert_eq!(health["ladder"]["rungs"][0]["height"], 480, "{health}");
    tokio::time::sleep(Duration::from_secs(4)).await;
    primary.kill().await.unwrap();
    let took = on_air("backup").await;
    assert!(took < Duration::from_secs(8), "the backup is on air after {took:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    backup.kill().await.unwrap();
    on_air("slate").await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let folder = folder(&house.base, &house.visitor(), event.id).await;
    let list = get(&format!("{folder}/v480p/playlist.m3u8")).await.expect(200).text();
    assert!(count(&list, "#EXT-X-DISCONTINUITY") >= 2, "{list}");
    event.end(&admin).await;
    let video = admin.until_complete(event.id).await;
    let args = [
        "-v",
        "error",
        "-i",
        &format!("{folder}/main.m3u8"),
        "-map",
        "0:v:0",
        "-map",
        "0:a:0",
        "-f",
        "null",
        "-",
    ];
    run("ffmpeg", &args).await;
    let hls = format!("{folder}/v480p/playlist.m3u8");
    let seen = colours(&hls, &house.engines.dir().join("colours")).await;
    let red = seen.iter().filter(|colour| colour[0] > 200 && colour[1] < 60 && colour[2] < 60).count();
    // Three in a second, and not before a second and a half of silence.
    assert!((4..30).contains(&red), "{red} of {} pictures are the poster", seen.len());
    // Nothing of the time between is missing in the recording.
    let args = [
        "-v",
        "error",
        "-show_entries",
        "packet=pts_time",
        "-of",
        "csv=p=0",
        &format!("{folder}/v480p/playlist.m3u8"),
    ];
    let times = run("ffprobe", &args).await;
    let times: Vec<f64> = times.lines().filter_map(|line| line.trim_end_matches(',').parse().ok()).collect();
    let widest = times.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max);
    assert!(widest < 1.0, "{widest} s without a picture in {video}");
}

/// The encoders of this process.
fn encoders() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let children = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("children")).ok());
    let pids: Vec<String> =
        children.flat_map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect();
    let encodes = |pid: &String| {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.contains("-force_key_frames"))
    };
    pids.into_iter().filter(encodes).collect()
}

fn signal(pid: &str, name: &str) {
    assert!(std::process::Command::new("kill").args([name, pid]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_slow_machine_cannot_make_is_withdrawn() {
    let house = house(Engines::embedded()).await;
    let admin = house.admin().await;
    let event = Event::new(&admin, json!({})).await;
    let _encoder = publish(&event.primary, "1280x720", 48_000, 60);
    event.until(&admin, "live").await;
    let folder = folder(&house.base, &house.visitor(), event.id).await;
    let list = get(&format!("{folder}/main.m3u8")).await.expect(200).text();
    assert!(list.contains("v480p") && list.contains("v360p"), "{list}");
    let pids = encoders();
    let [encoder] = pids.as_slice() else { panic!("{pids:?}") };
    signal(encoder, "-STOP");
    tokio::time::sleep(Duration::from_secs(4)).await;
    signal(encoder, "-CONT");
    let began = Instant::now();
    loop {
        let health = admin.get(&event.path("/health")).await.expect(200).json;
        let on = |n: usize| health["ladder"]["rungs"][n]["on"].as_bool().unwrap();
        if !on(1) {
            assert!(on(0) && on(2), "{health}");
            break;
        }
        assert!(began.elapsed() < SOON, "nothing is given up: {health}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // Players are sent to the others, which go on.
    for path in ["v480p/playlist.m3u8", "v480p/playlist.m3u8?_HLS_msn=3"] {
        assert_eq!(get(&format!("{folder}/{path}")).await.status, 404);
    }
    tokio::time::sleep(Duration::from_secs(6)).await;
    for manifest in ["main.m3u8", "main.mpd"] {
        let text = get(&format!("{folder}/{manifest}")).await.expect(200).text();
        assert!(!text.contains("v480p") && text.contains("v360p") && text.contains("v720p"), "{text}");
    }
    let smaller = format!("{folder}/v360p/playlist.m3u8");
    let before = count(&get(&smaller).await.expect(200).text(), "#EXTINF");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(count(&get(&smaller).await.expect(200).text(), "#EXTINF") > before);
    // And so is the recording.
    event.end(&admin).await;
    admin.until_complete(event.id).await;
    let list = get(&format!("{folder}/main.m3u8")).await.expect(200).text();
    assert!(!list.contains("v480p") && list.contains("v360p") && list.contains("v720p"), "{list}");
    let args = ["-v", "error", "-i", &smaller, "-map", "0:v:0", "-f", "null", "-"];
    run("ffmpeg", &args).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_given_up_before_it_begins_holds_nobody_up() {
    let house = house(Engines::embedded()).await;
    let admin = house.admin().await;
    let event = Event::new(&admin, json!({})).await;
    let mut publisher = publish(&event.primary, "1280x720", 48_000, 15);
    let encoder = loop {
        if let Some(pid) = encoders().pop() {
            break pid;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    signal(&encoder, "-STOP");
    tokio::time::sleep(Duration::from_secs(4)).await;
    signal(&encoder, "-CONT");
    event.until(&admin, "live").await;
    let folder = folder(&house.base, &house.visitor(), event.id).await;
    let list = get(&format!("{folder}/main.m3u8")).await.expect(200).text();
    assert!(!list.contains("v480p") && list.contains("v360p") && list.contains("v720p"), "{list}");
    publisher.wait().await.unwrap();
    event.end(&admin).await;
    admin.until_complete(event.id).await;
    let rung = format!("{folder}/v360p/playlist.m3u8");
    run("ffmpeg", &["-v", "error", "-i", &rung, "-map", "0:v:0", "-f", "null", "-"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_goes_on_after_its_node_has_died() {
    let engines = Engines::embedded();
    let token = engines.token();
    let port = free_port();
    let start = || {
        let mut command = engines.command();
        command.env("KINORA_LIVE__RTMP__LISTEN", format!("127.0.0.1:{port}"));
        Process::start(command, "api,worker,origin,edge,live")
    };
    let node = start();
    let caller = Caller::at(&node.base, token.clone());
    let event = Event::new(&caller, json!({})).await;
    let mut first = publish(&event.primary, "640x480", 48_000, 60);
    event.until(&caller, "live").await;
    let path = caller.playback(event.id).await["hls_url"]
        .as_str()
        .unwrap()
        .replace("main.m3u8", "v480p/playlist.m3u8");
    tokio::time::sleep(Duration::from_secs(6)).await;
    let before = get(&format!("{}{path}", node.base)).await.expect(200).text();
    node.kill();
    first.kill().await.unwrap();
    let node = start();
    let caller = Caller::at(&node.base, token);
    // Nobody publishes yet: what is there can be watched.
    let began = Instant::now();
    let between = loop {
        let list = get(&format!("{}{path}", node.base)).await.expect(200).text();
        if count(&list, "#EXTINF") + 1 >= count(&before, "#EXTINF") {
            break list;
        }
        assert!(began.elapsed() < SOON, "{before}\n{list}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let _second = publish(&event.primary, "640x480", 48_000, 60);
    let began = Instant::now();
    let after = loop {
        let list = get(&format!("{}{path}", node.base)).await.expect(200).text();
        if list.contains("#EXT-X-PRELOAD-HINT") && count(&list, "#EXTINF") > count(&between, "#EXTINF") + 2 {
            break list;
        }
        assert!(began.elapsed() < SOON, "it does not go on: {list}\n{}", node.log());
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(after.contains("#EXT-X-DISCONTINUITY"), "{after}");
    for line in between.lines().filter(|line| line.ends_with(".m4s")) {
        assert!(after.contains(line), "{line} has gone");
    }
    event.end(&caller).await;
    caller.until_complete(event.id).await;
    let hls = format!("{}{}", node.base, path.replace("v480p/playlist.m3u8", "main.m3u8"));
    run("ffmpeg", &["-v", "error", "-i", &hls, "-map", "0:v:0", "-map", "0:a:0", "-f", "null", "-"]).await;
}

/// Two nodes that share a database, objects, a bus and a cache, behind an API and an edge of another process.
struct Cluster {
    house: House,
    nodes: Vec<Node>,
}

struct Node {
    process: Process,
    rtmp: u16,
}

impl Node {
    fn start(engines: &Engines) -> Self {
        let (rtmp, http) = (free_port(), free_port());
        let mut command = engines.command();
        command.env("KINORA_LIVE__RTMP__LISTEN", format!("127.0.0.1:{rtmp}"));
        command.env("KINORA_LIVE__URL", format!("http://127.0.0.1:{http}"));
        let mut process = Process::spawn_at(command, "live", &format!("127.0.0.1:{http}"), &[]);
        process.ready().unwrap_or_else(|| panic!("the node ended: {}", process.log()));
        Self { process, rtmp }
    }

    fn address(&self, event: &Event) -> String {
        let (_, key) = event.primary.rsplit_once('/').unwrap();
        format!("rtmp://127.0.0.1:{}/live/{key}", self.rtmp)
    }
}

impl Cluster {
    async fn new() -> Self {
        let engines = Engines::cluster().await;
        let roles = [Role::Api, Role::Worker, Role::Origin, Role::Edge];
        let house = House::configured(engines.clone(), &roles, Clock::system(), |config| {
            config.app.live.rtmp_url = Some("rtmp://in.example.org/live".into());
        })
        .await;
        let nodes = vec![Node::start(&engines), Node::start(&engines)];
        Self { house, nodes }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_moves_to_another_node() {
    let Cluster { house, mut nodes } = Cluster::new().await;
    let admin = house.admin().await;
    let event = Event::new(&admin, json!({})).await;
    assert!(event.primary.starts_with("rtmp://in.example.org/live/"), "{}", event.primary);
    let (first, second) = (nodes.remove(0), nodes.remove(0));
    let mut sending = publish(&first.address(&event), "640x480", 48_000, 90);
    event.until(&admin, "live").await;
    // Seen through the edge and the origin of another process, what is not yet stored and what is to come among it.
    let folder = folder(&house.base, &house.visitor(), event.id).await;
    waiting_works(&folder).await;
    // The same place at another node is refused as long as somebody publishes.
    let refused = publish(&second.address(&event), "640x480", 48_000, 5).wait().await.unwrap();
    assert!(!refused.success());
    assert!(!second.process.log().contains("a publisher is on air"), "{}", second.process.log());
    let health = admin.get(&event.path("/health")).await.expect(200).json;
    assert_eq!(health["on_air"], "primary", "{health}");
    let url = format!("{folder}/v480p/playlist.m3u8");
    let before = get(&url).await.expect(200).text();
    first.process.kill();
    sending.kill().await.unwrap();
    // As encoders do: again and again until they are let in.
    let began = Instant::now();
    let mut sending = publish(&second.address(&event), "640x480", 48_000, 90);
    let after = loop {
        if sending.try_wait().unwrap().is_some() {
            sending = publish(&second.address(&event), "640x480", 48_000, 90);
        }
        let list = get(&url).await;
        let text = list.text();
        if text.contains("#EXT-X-PRELOAD-HINT") && count(&text, "#EXTINF") > count(&before, "#EXTINF") + 2 {
            break text;
        }
        assert!(began.elapsed() < 2 * SOON, "it does not go on: {text}\n{}", second.process.log());
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    assert!(after.contains("#EXT-X-DISCONTINUITY"), "{after}");
    // The last segment of a dead node is lost when it was not stored.
    let names: Vec<&str> = before.lines().filter(|line| line.ends_with(".m4s")).collect();
    for name in &names[..names.len() - 1] {
        assert!(after.contains(name), "{name} has gone: {after}");
    }
    waiting_works(&folder).await;
    event.end(&admin).await;
    admin.until_complete(event.id).await;
    let hls = format!("{folder}/main.m3u8");
    run("ffmpeg", &["-v", "error", "-i", &hls, "-map", "0:v:0", "-map", "0:a:0", "-f", "null", "-"]).await;
}
