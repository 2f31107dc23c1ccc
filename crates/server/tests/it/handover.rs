//! One process takes another one's place under load: no connection is refused, no answer is cut off, and the edge keeps what
//! it holds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    engines::{Engines, Process},
    film::film,
    harness::Caller,
};

fn free_port() -> String {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    probe.local_addr().unwrap().to_string()
}

/// Asks for these addresses without end, on connections that stay and on new ones. Gives how many answers came.
fn load(
    addresses: Vec<String>,
    length: Vec<usize>,
    over: Arc<AtomicBool>,
) -> Vec<tokio::task::JoinHandle<usize>> {
    let asking = |fresh: bool| {
        let (addresses, length, over) = (addresses.clone(), length.clone(), over.clone());
        tokio::spawn(async move {
            let idle = if fresh { 0 } else { 4 };
            let http = reqwest::Client::builder().pool_max_idle_per_host(idle).build().unwrap();
            let done = AtomicUsize::new(0);
            while !over.load(Ordering::Relaxed) {
                for (address, length) in addresses.iter().zip(&length) {
                    let answer = http.get(address).send().await.expect("nobody is refused");
                    assert_eq!(answer.status(), 200);
                    assert_eq!(answer.bytes().await.expect("nothing is cut off").len(), *length);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            }
            done.into_inner()
        })
    };
    (0..6).map(|n| asking(n % 2 == 0)).collect()
}

async fn reaches(base: &str, process: &Process) {
    for _ in 0..500 {
        if process.log().contains("Kinora is ready") && reqwest::get(format!("{base}/readyz")).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not ready: {}", process.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_that_another_process_serves() {
    let engines = Engines::embedded();
    let token = engines.token();
    let place = free_port();
    let base = format!("http://{place}");
    let roles = "api,worker,origin,edge";
    let start = |flags: &[&str]| Process::spawn_at(engines.command(), roles, &place, flags);
    let mut first = start(&[]);
    first.ready().unwrap();
    let caller = Caller::at(&base, token);
    let id = caller.upload("passed on", &film(6).await.file).await;
    caller.until_complete(id).await;
    let playback = caller.playback(id).await;
    let list = playback["hls_url"].as_str().unwrap();
    let addresses: Vec<String> = ["main.m3u8", "v90p/0.m4s", "a0/0.m4s"]
        .iter()
        .map(|rest| format!("{base}{}", list.replace("main.m3u8", rest)))
        .collect();
    let mut length = Vec::new();
    for address in &addresses {
        length.push(reqwest::get(address).await.unwrap().bytes().await.unwrap().len());
    }
    // Files are written after the answer.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let over = Arc::new(AtomicBool::new(false));
    let askers = load(addresses.clone(), length, over.clone());

    // One that cannot start changes nothing.
    let mut broken = engines.command();
    broken.env("KINORA_EDGE__UPSTREAMS", "[\"nowhere\"]").env("KINORA_ROLES", "edge");
    let mut broken = Process::spawn_at(broken, "edge", &place, &["--take-over"]);
    assert!(!broken.ended(Duration::from_secs(30)).await.success(), "{}", broken.log());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(first.log().contains("a successor went before it was ready"), "{}", first.log());

    let mut second = start(&["--take-over"]);
    assert!(first.ended(Duration::from_secs(40)).await.success(), "{}", first.log());
    reaches(&base, &second).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    // And once more, as a service manager does it: the process starts its successor itself.
    second.signal("HUP");
    assert!(second.ended(Duration::from_secs(40)).await.success(), "{}", second.log());
    tokio::time::sleep(Duration::from_millis(500)).await;
    over.store(true, Ordering::Relaxed);
    for asker in askers {
        let answers = asker.await.expect("no asker failed");
        assert!(answers > 30, "{answers} answers");
    }
    // The third holds what the first has fetched.
    let segment = reqwest::get(&addresses[1]).await.unwrap();
    assert!(
        segment.headers()["cache-status"].to_str().unwrap().ends_with("; hit"),
        "{:?}",
        segment.headers()
    );
    let mut third = start(&["--take-over"]);
    third.ready().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    third.terminate();
    assert!(third.ended(Duration::from_secs(40)).await.success());
}
