//! A receiver killed with SIGKILL under load: every beat that it acknowledged is found in its log.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    collections::HashSet,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, routing::post};
use backends::clock::Clock;
use domain::{
    PresentationId,
    playback_token::{Checker, Claims, Minter},
};
use insights::{Insights, log, routes};
use serde_json::{Value, json};
use uuid::Uuid;

const DIR: &str = "KINORA_TEST_RECEIVER_DIR";

fn minter() -> Minter {
    Minter::from_seed(&[9; 32])
}

/// Run by the test below in a process of its own; alone it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receiver() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let dir = Path::new(&dir);
    let url = format!("sqlite:{}", dir.join("kinora.db").display());
    let store = store::Store::connect(&store::Config { url, ..Default::default() }).await.unwrap();
    let checker = Checker::new([minter().public_key()]);
    let insights = Insights::start(Default::default(), &dir.join("beats"), store, Clock::system(), checker)
        .await
        .unwrap();
    let storing = insights.clone();
    tokio::spawn(async move { storing.run(Default::default()).await });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("listening on {}", listener.local_addr().unwrap());
    let router = Router::new().route("/api/v1/beats", post(routes::send)).with_state(insights);
    axum::serve(listener, router).await.unwrap();
}

/// Sends beats of one session until the receiver is gone, and notes those that were acknowledged.
async fn play(http: reqwest::Client, base: String, acknowledged: Arc<Mutex<HashSet<(Uuid, u32)>>>) {
    let session = Uuid::now_v7();
    let expires = Clock::system().now().seconds() + 3600;
    let claims = Claims::new(PresentationId::new(), expires, session);
    let token = minter().mint(&claims);
    for batch in 0..30_u32 {
        let seqs: Vec<u32> = (batch * 20..batch * 20 + 20).collect();
        let beat = |seq: &u32| json!({ "seq": seq, "kind": "play", "playing_ms": 10, "stalled_ms": 0 });
        let beats: Vec<Value> = seqs.iter().map(beat).collect();
        let body = json!({ "v": 1, "token": token, "beats": beats }).to_string();
        let request =
            http.post(format!("{base}/api/v1/beats")).header("content-type", "text/plain").body(body);
        // An answer that was cut off acknowledges nothing.
        let Ok(answer) = request.send().await else { return };
        assert_eq!(answer.status(), 200);
        if answer.bytes().await.is_err() {
            return;
        }
        acknowledged.lock().unwrap().extend(seqs.into_iter().map(|seq| (session, seq)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_killed_loses_no_acknowledged_beat() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "receiver", "--nocapture"])
            .env(DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address =
            lines.find_map(|line| line.unwrap().split_once("listening on ").map(|(_, at)| at.to_owned()));
        let base = format!("http://{}", address.unwrap());
        let acknowledged = Arc::new(Mutex::new(HashSet::new()));
        let http = reqwest::Client::new();
        let players: Vec<_> =
            (0..200).map(|_| tokio::spawn(play(http.clone(), base.clone(), acknowledged.clone()))).collect();
        // In the middle of it, however fast the machine is.
        let began = Instant::now();
        while acknowledged.lock().unwrap().len() < 5_000 * (round + 1) {
            assert!(began.elapsed() < Duration::from_secs(30), "nothing is acknowledged");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for player in players {
            player.await.unwrap();
        }
        let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap());
        assert!(acknowledged.len() < 200 * 600, "it died too late");
        let mut lost = acknowledged.clone();
        for segment in log::segments(&dir.path().join("beats/0")).unwrap() {
            log::read(&segment, |_, record| {
                for beat in &record.beats {
                    lost.remove(&(record.session, beat.seq));
                }
            })
            .unwrap();
        }
        assert!(lost.is_empty(), "{} of {} acknowledged beats are lost", lost.len(), acknowledged.len());
    }
}
