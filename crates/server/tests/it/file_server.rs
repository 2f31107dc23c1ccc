//! Somebody else's web server, as kind or as hostile as a test wants it.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// How the server behaves at a path.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    pub body: Bytes,
    /// Instead of 200 or 206.
    pub status: Option<&'static str>,
    pub headers: Vec<String>,
    /// Without ranges every answer begins at the beginning.
    pub ranges: bool,
    pub etag: Option<&'static str>,
    /// The connection ends after so many bytes of the body, this many times.
    pub cuts: (usize, usize),
    /// Bytes a second, in ten pieces.
    pub bps: Option<usize>,
    /// Announced instead of the true length; `None` within: no length and no end.
    pub told_length: Option<Option<u64>>,
}

/// A running server. Ends with the test.
pub struct FileServer {
    pub port: u16,
    pages: Arc<Mutex<Vec<(String, Manner)>>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FileServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Self { port, pages: Arc::default(), requests: Arc::default() };
        let (pages, requests) = (server.pages.clone(), server.requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (pages, requests) = (pages.clone(), requests.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &pages, &requests).await;
                });
            }
        });
        server
    }

    /// Puts a file at `path` and gives its address.
    pub fn put(&self, path: &str, manner: Manner) -> String {
        let mut pages = self.pages.lock().unwrap();
        pages.retain(|(known, _)| known != path);
        pages.push((path.to_owned(), manner));
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The heads of all requests for `path` so far, in lower case.
    pub fn requests(&self, path: &str) -> Vec<String> {
        let all = self.requests.lock().unwrap();
        all.iter()
            .filter(|head| {
                head.starts_with(&format!("get {path} ")) || head.starts_with(&format!("get {path}?"))
            })
            .cloned()
            .collect()
    }
}

/// How to answer a request for `path`, and after how many bytes to break off.
fn meet(pages: &Mutex<Vec<(String, Manner)>>, path: &str) -> Option<(Manner, Option<usize>)> {
    let mut pages = pages.lock().unwrap();
    let (_, manner) = pages.iter_mut().find(|(known, _)| known.to_lowercase() == path)?;
    let cut = (manner.cuts.1 > 0).then_some(manner.cuts.0);
    manner.cuts.1 = manner.cuts.1.saturating_sub(1);
    Some((manner.clone(), cut))
}

async fn serve(
    stream: TcpStream,
    pages: &Mutex<Vec<(String, Manner)>>,
    requests: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let head = head.to_lowercase();
    requests.lock().unwrap().push(head.clone());
    let path = head.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
    let Some((manner, cut)) = meet(pages, &path) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").await;
    };
    let line =
        |name: &str| head.lines().find_map(|line| line.strip_prefix(name).map(str::trim).map(str::to_owned));
    let fresh = line("if-range:").is_none_or(|tag| manner.etag.is_some_and(|own| own.to_lowercase() == tag));
    let from = line("range: bytes=").and_then(|range| range.trim_end_matches('-').parse::<usize>().ok());
    let from = from.filter(|from| manner.ranges && fresh && *from < manner.body.len());
    let body = manner.body.slice(from.unwrap_or(0)..);
    let mut answer = match (manner.status, from) {
        (Some(status), _) => format!("HTTP/1.1 {status}\r\n"),
        (None, Some(from)) => {
            let all = manner.body.len();
            format!("HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {from}-{}/{all}\r\n", all - 1)
        }
        (None, None) => "HTTP/1.1 200 OK\r\n".to_owned(),
    };
    match manner.told_length {
        None => answer += &format!("content-length: {}\r\n", body.len()),
        Some(Some(length)) => answer += &format!("content-length: {length}\r\n"),
        Some(None) => {}
    }
    manner.etag.iter().for_each(|etag| answer += &format!("etag: {etag}\r\n"));
    manner.headers.iter().for_each(|header| answer += &format!("{header}\r\n"));
    stream.write_all(format!("{answer}connection: close\r\n\r\n").as_bytes()).await?;
    let body = cut.map_or(body.clone(), |cut| body.slice(..cut.min(body.len())));
    let piece = manner.bps.map_or(64 << 10, |bps| (bps / 10).max(1));
    for piece in body.chunks(piece) {
        stream.write_all(piece).await?;
        stream.flush().await?;
        if manner.bps.is_some() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    // A body without an end, for whoever reads on.
    while manner.told_length == Some(None) {
        stream.write_all(&[0; 64 << 10]).await?;
    }
    stream.shutdown().await
}
