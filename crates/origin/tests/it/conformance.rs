//! Our own lint over what the origin serves: complete, growing, and as it grows.

use std::time::Duration;

use media::lint::{self, Answer, Failure, Options, Report, Source, Want};
use tokio::runtime::Handle;

use crate::world::World;

/// The origin as the lint sees it. Between two loads the presentation grows.
struct Served {
    http: reqwest::Client,
    handle: Handle,
    pauses: std::sync::mpsc::SyncSender<()>,
    resumed: std::sync::mpsc::Receiver<()>,
}

impl Served {
    async fn answer(http: reqwest::Client, want: Want) -> Result<Answer, Failure> {
        let mut request = http.get(&want.url);
        if let Some(range) = &want.range {
            request = request.header("range", format!("bytes={}-{}", range.start, range.end - 1));
        }
        let failed = |e: reqwest::Error| Failure::Unavailable(e.to_string());
        let response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let text = |v: &reqwest::header::HeaderValue| v.to_str().unwrap_or_default().to_owned();
        let headers = response.headers().iter().map(|(n, v)| (n.as_str().to_owned(), text(v))).collect();
        let body = response.bytes().await.map_err(failed)?;
        Ok(Answer { url: want.url, status, headers, size: Some(body.len() as u64), body })
    }
}

impl Source for Served {
    fn fetch(&mut self, wants: &[Want]) -> Vec<Result<Answer, Failure>> {
        wants.iter().map(|want| self.handle.block_on(Self::answer(self.http.clone(), want.clone()))).collect()
    }

    fn resolve(&self, base: &str, reference: &str) -> Option<String> {
        let base: reqwest::Url = base.parse().ok()?;
        base.join(reference).ok().map(Into::into)
    }

    fn pause(&mut self, _: Duration) -> bool {
        self.pauses.send(()).is_ok() && self.resumed.recv().is_ok()
    }
}

/// Errors and warnings in words, and what was looked at. `grow` is called at each pause.
async fn check(world: &mut World, rest: &str, mut versions: Vec<(u64, bool, usize)>) -> Report {
    let (pauses, paused) = std::sync::mpsc::sync_channel(0);
    let (resume, resumed) = std::sync::mpsc::channel();
    let mut source = Served { http: world.http.clone(), handle: Handle::current(), pauses, resumed };
    let url = world.url(rest);
    let options = Options { all_segments: true, reload: true };
    let checking = tokio::task::spawn_blocking(move || lint::check(&mut source, &url, &options).unwrap());
    while !checking.is_finished() {
        if paused.try_recv().is_ok() {
            if !versions.is_empty() {
                let (version, complete, segments) = versions.remove(0);
                world.publish(version, complete, segments).await;
                // The origin may hold a descriptor for a while.
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
            resume.send(()).unwrap();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let report = checking.await.unwrap();
    let bad: Vec<String> = report
        .findings()
        .iter()
        .filter(|f| f.rule.severity != lint::Severity::Note)
        .map(|f| format!("{} {}: {}", f.rule.id, f.place, f.what))
        .collect();
    assert!(bad.is_empty(), "{rest}: {bad:#?}");
    assert!(report.looked_at["segments"] > 5, "{:?}", report.looked_at);
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_presentation_conforms() {
    let mut world = World::start().await;
    for manifest in ["main.m3u8", "main.mpd"] {
        let report = check(&mut world, manifest, Vec::new()).await;
        assert_eq!(report.not_checked(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_growing_presentation_conforms_from_load_to_load() {
    let mut world = World::start().await;
    for (manifest, first) in [("main.m3u8", 2), ("main.mpd", 5)] {
        world.publish(first, false, 2).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        let next = vec![(first + 1, false, 4), (first + 2, true, usize::MAX)];
        check(&mut world, manifest, next).await;
    }
}
