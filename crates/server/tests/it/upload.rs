//! Uploads against the real program in a process of its own, killed without warning in the middle of them.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::Method;

use crate::engines::{Engines, Process};

crate::on_both_engines!(a_killed_server_loses_no_acknowledged_byte);

struct Client {
    http: reqwest::Client,
    token: String,
}

impl Client {
    fn request(&self, process: &Process, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", process.base));
        request.bearer_auth(&self.token).header("tus-resumable", "1.0.0")
    }

    async fn create(&self, process: &Process, length: usize) -> String {
        let request = self.request(process, Method::POST, "/api/v1/uploads").header("upload-length", length);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    async fn offset(&self, process: &Process, path: &str) -> usize {
        let answer = self.request(process, Method::HEAD, path).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers()["upload-offset"].to_str().unwrap().parse().unwrap()
    }

    fn patch(
        &self,
        process: &Process,
        path: &str,
        offset: usize,
        body: reqwest::Body,
    ) -> reqwest::RequestBuilder {
        let request = self.request(process, Method::PATCH, path).header("upload-offset", offset);
        request.header("content-type", "application/offset+octet-stream").body(body)
    }
}

pub fn noise(length: usize) -> Bytes {
    let mut x = 0x9e37_79b9_u32;
    let step = |x: &mut u32| {
        *x ^= *x << 13;
        *x ^= *x >> 17;
        *x ^= *x << 5;
        *x
    };
    (0..length / 4 + 1).flat_map(|_| step(&mut x).to_le_bytes()).take(length).collect()
}

/// Three deaths, each after some acknowledged requests and in the middle of another one.
async fn a_killed_server_loses_no_acknowledged_byte(engines: Engines) {
    let bytes = noise(70_000_000);
    let client = Client { http: reqwest::Client::new(), token: engines.token() };
    let mut process = engines.start("api");
    let path = client.create(&process, bytes.len()).await;
    let mut told = 0;
    for (chunk, acknowledged, cut) in [(700_001, 3, 1), (9_000_000, 1, 8_888_888), (1, 2, 36_000_000)] {
        for _ in 0..acknowledged {
            let body = bytes.slice(told..told + chunk);
            until_free(&client, &process, &path, told, body).await;
            told += chunk;
        }
        let (sender, receiver) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(1);
        let body = reqwest::Body::wrap_stream(tokio_stream::wrappers::ReceiverStream::new(receiver));
        let doomed = tokio::spawn(client.patch(&process, &path, told, body).send());
        for at in (told..told + cut).step_by(100_000) {
            let end = (at + 100_000).min(told + cut);
            sender.send(Ok(bytes.slice(at..end))).await.unwrap();
        }
        process.kill();
        assert!(doomed.await.unwrap().is_err(), "nobody answered");
        process = engines.start("api");
        let stands_at = client.offset(&process, &path).await;
        assert!(stands_at >= told, "told {told}, but it stands at {stands_at}");
        assert!(stands_at <= told + cut);
        told = stands_at;
    }
    until_free(&client, &process, &path, told, bytes.slice(told..)).await;
    assert_eq!(client.offset(&process, &path).await, bytes.len());
    process.kill();
    let stored = engines.blobs();
    let masters = stored.list("masters").await.unwrap();
    assert_eq!(masters.len(), 1);
    assert!(stored.get(&masters[0].object).await.unwrap() == bytes, "the file is not what was sent");
}

/// Sends bytes; waits as long as the lease of a dead process lasts.
async fn until_free(client: &Client, process: &Process, path: &str, offset: usize, body: Bytes) {
    let began = Instant::now();
    loop {
        let answer = client.patch(process, path, offset, body.clone().into()).send().await.unwrap();
        match answer.status().as_u16() {
            204 => return,
            423 if began.elapsed() < Duration::from_secs(20) => {
                tokio::time::sleep(Duration::from_millis(300)).await
            }
            status => panic!("{status} at {offset}: {}", answer.text().await.unwrap()),
        }
    }
}
