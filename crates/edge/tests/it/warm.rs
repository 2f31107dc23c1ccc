//! Bringing a presentation near.

use axum::response::IntoResponse;
use domain::edges::{Part, Warm, WarmingState};
use edge::{Config, Warming};
use http::StatusCode;

use crate::world::{World, answer, until};

const FOREVER: &[(&str, &str)] = &[("cache-control", "max-age=31536000, immutable"), ("etag", "\"a\"")];

/// A title of two renditions with twenty segments of four seconds each.
fn title(world: &World) {
    world.upstream.does(|request| {
        let path = request.uri().path().to_owned();
        let segments: String = (0..20).map(|n| format!("#EXTINF:4,\n{n}.m4s\n")).collect();
        let response = match path.rsplit_once('/').map(|(_, name)| name) {
            Some("main.m3u8") => {
                answer(FOREVER, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv1/list.m3u8\nv2/list.m3u8\n")
            }
            Some("main.mpd") => answer(FOREVER, "<MPD/>"),
            Some("list.m3u8") => answer(FOREVER, format!("#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n{segments}")),
            Some("storyboard.vtt") => StatusCode::NOT_FOUND.into_response(),
            _ => answer(FOREVER, vec![7; 1000]),
        };
        async move { response }
    });
}

fn order(world: &World, part: Part) -> Warm {
    Warm {
        presentation: world.id,
        token: world.token(),
        part,
        in_quiet_hours: false,
        title: "A title".into(),
    }
}

#[tokio::test]
async fn what_was_brought_near_is_a_hit_for_the_first_viewer() {
    let world = World::start().await;
    title(&world);
    world.edge.warm(order(&world, Part::All));
    world.edge.warm(order(&world, Part::All));
    until(|| world.edge.report().warmings.first().is_some_and(|one| one.state == WarmingState::Done)).await;
    let [told] = &world.edge.report().warmings[..] else { panic!("the same is not done twice") };
    assert_eq!((told.done, told.total, told.failed), (8 + 2 * 21, 10 + 2 * 21, 2), "{told:?}");
    let asked = world.upstream.count();
    for rest in ["main.m3u8", "main.mpd", "v1/list.m3u8", "v2/init.mp4", "v2/19.m4s", "v1/0.m4s"] {
        assert_eq!(world.get(rest).await.cache(), "hit", "{rest}");
    }
    let path = world.path("v1/list.m3u8");
    assert_eq!(world.ask("GET", &path, &[("accept-encoding", "gzip")]).await.cache(), "hit");
    assert_eq!(world.upstream.count(), asked);
    assert_eq!(world.edge.report().count("miss"), 0, "who warms up is no viewer");
}

#[tokio::test]
async fn the_start_is_enough_for_the_start() {
    let world = World::start().await;
    title(&world);
    world.edge.warm(order(&world, Part::Start));
    until(|| world.edge.report().warmings.first().is_some_and(|one| one.state == WarmingState::Done)).await;
    assert_eq!(world.get("v1/7.m4s").await.cache(), "hit");
    assert_eq!(world.get("v1/8.m4s").await.cache(), "fwd=uri-miss");
}

#[tokio::test]
async fn what_can_wait_waits_for_its_hours() {
    // The clock of these tests begins at 15:06:40 UTC.
    let warming = Warming { hours: vec!["15:30-16:00".parse().unwrap()], bytes_per_second: 0 };
    let world = World::with(Config { warming, ..Config::default() }).await;
    title(&world);
    let waits = Warm { in_quiet_hours: true, ..order(&world, Part::Start) };
    world.edge.warm(waits);
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(world.edge.report().warmings[0].state, WarmingState::Waiting);
    assert_eq!(world.upstream.count(), 0);
    world.pass(30 * 60);
    // Whatever comes next has the edge look at what waits.
    let other = Warm { presentation: domain::PresentationId::new(), ..order(&world, Part::Start) };
    world.edge.warm(other);
    until(|| world.edge.report().warmings[0].state == WarmingState::Done).await;
    assert_eq!(world.get("v1/0.m4s").await.cache(), "hit");
}

#[tokio::test]
async fn a_purge_ends_it() {
    let world = World::with(Config {
        warming: Warming { hours: Vec::new(), bytes_per_second: 1000 },
        ..Config::default()
    })
    .await;
    title(&world);
    world.edge.warm(order(&world, Part::All));
    until(|| world.edge.report().warmings.first().is_some_and(|one| one.done > 8)).await;
    world.edge.purge(world.id).await;
    assert!(world.edge.report().warmings.is_empty());
    let asked = world.upstream.count();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(world.upstream.count() <= asked + 4, "no more than what was under way");
}
