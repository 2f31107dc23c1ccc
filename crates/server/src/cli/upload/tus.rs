//! The sending side of tus 1.0.0: create or go on, send piece after piece, ask and retry when something breaks.

use std::{
    io::SeekFrom,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::{Body, Method, RequestBuilder, Response, StatusCode, header};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::{
    BAD_TOKEN, Making, Result, Server, failed, memory,
    memory::{Key, Upload},
    reason, words_of,
};

/// Failures one after the other, none of which brought a byte further, before we give up: about three minutes.
const PATIENCE: u32 = 14;

/// A local file to be sent.
pub struct Source {
    path: PathBuf,
    size: u64,
    modified: u128,
}

/// Looks at the file before anybody is bothered with it.
pub async fn open(path: &Path) -> Result<Source> {
    let shown = path.display();
    let path =
        tokio::fs::canonicalize(path).await.map_err(|e| failed(format!("cannot open {shown}: {e}")))?;
    let meta = tokio::fs::metadata(&path).await.map_err(|e| failed(format!("cannot open {shown}: {e}")))?;
    if !meta.is_file() {
        return Err(failed(format!("{shown} is not a file")));
    }
    if meta.len() == 0 {
        return Err(failed(format!("{shown} is empty")));
    }
    tokio::fs::File::open(&path).await.map_err(|e| failed(format!("cannot read {shown}: {e}")))?;
    Ok(Source { path, size: meta.len(), modified: modified(&meta) })
}

fn modified(meta: &std::fs::Metadata) -> u128 {
    meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_nanos())
}

/// Sends the file, or what is missing of it, and gives the id of its title.
pub async fn send(server: &Server, source: Source, args: &Making, chunk: u64) -> Result<String> {
    let directory = memory::directory();
    let key = Key {
        server: server.base.to_string(),
        path: source.path.clone(),
        size: source.size,
        modified: source.modified,
    };
    let recalled = directory.as_deref().and_then(|directory| memory::recall(directory, &key));
    let begun = match recalled {
        Some(upload) => find(server, &upload, source.size).await?.map(|offset| (upload, offset)),
        None => None,
    };
    let (upload, offset) = match begun {
        Some(begun) => begun,
        None => (create(server, &source, args).await?, 0),
    };
    if let Some(directory) = &directory
        && let Err(error) = memory::remember(directory, &key, &upload)
    {
        eprintln!(
            "kinora upload: could not go on after an interruption, since {} cannot be written: {error}",
            directory.display()
        );
    }
    let bar = progress_bar(&source, offset);
    let sent = send_from(server, &source, &upload, offset, chunk, &bar).await;
    match &sent {
        Ok(()) => bar.finish_and_clear(),
        Err(_) => bar.abandon(),
    }
    sent?;
    if let Some(directory) = &directory {
        memory::forget(directory, &key);
    }
    Ok(upload.video)
}

/// Where an upload of before stands; `None` when the server has forgotten it.
async fn find(server: &Server, upload: &Upload, size: u64) -> Result<Option<u64>> {
    let mut failures = 0;
    loop {
        match offset(server, upload, size).await {
            Ok(offset) => return Ok(Some(offset)),
            Err(Trouble::Final(_, StatusCode::NOT_FOUND | StatusCode::GONE)) => return Ok(None),
            Err(trouble) => wait_after(trouble, &mut failures).await?,
        }
    }
}

async fn create(server: &Server, source: &Source, args: &Making) -> Result<Upload> {
    let name = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kind = mime_guess::from_path(&source.path).first_or_octet_stream();
    let mut pairs =
        vec![("filename", name.as_str()), ("filetype", kind.essence_str()), ("visibility", &args.visibility)];
    pairs.extend(args.title.as_deref().map(|title| ("title", title)));
    let metadata: Vec<_> =
        pairs.iter().map(|(key, value)| format!("{key} {}", STANDARD.encode(value))).collect();
    let url = server.url("api/v1/uploads")?;
    let mut failures = 0;
    loop {
        let request = tus(server, Method::POST, url.as_str());
        let request =
            request.header("upload-length", source.size).header("upload-metadata", metadata.join(","));
        match checked(request.send().await).await {
            Ok(answer) => return created(server, &answer),
            Err(trouble) => wait_after(trouble, &mut failures).await?,
        }
    }
}

fn created(server: &Server, answer: &Response) -> Result<Upload> {
    let text = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
    match (text("location"), text("kinora-video-id")) {
        (Some(location), Some(video)) => {
            Ok(Upload { url: server.absolute(location)?, video: video.to_owned() })
        }
        _ => Err(failed("the server's answer says nowhere to send the file to")),
    }
}

async fn send_from(
    server: &Server,
    source: &Source,
    upload: &Upload,
    mut at: u64,
    chunk: u64,
    bar: &ProgressBar,
) -> Result<()> {
    let mut failures = 0;
    while at < source.size {
        bar.set_position(at);
        let end = source.size.min(at.saturating_add(chunk));
        let trouble = match patch(server, source, upload, at, end, bar).await? {
            Ok(stands_at) if stands_at > at => {
                (at, failures) = (stands_at, 0);
                continue;
            }
            Ok(_) => Trouble::Passing("the server took no byte".into(), None),
            Err(trouble) => trouble,
        };
        // What came before the trouble may have been kept.
        match offset(server, upload, source.size).await {
            Ok(stands_at) => {
                failures = if stands_at > at { 0 } else { failures };
                at = stands_at;
                if at < source.size {
                    wait_after(trouble, &mut failures).await?;
                }
            }
            Err(unknown) => {
                wait_after(
                    if matches!(trouble, Trouble::Final(..)) { trouble } else { unknown },
                    &mut failures,
                )
                .await?
            }
        }
    }
    Ok(())
}

/// Sends bytes `at..end` and gives the new offset. The outer error is ours and final.
async fn patch(
    server: &Server,
    source: &Source,
    upload: &Upload,
    at: u64,
    end: u64,
    bar: &ProgressBar,
) -> Result<Result<u64, Trouble>> {
    let unreadable = |e| failed(format!("cannot read {}: {e}", source.path.display()));
    let mut file = tokio::fs::File::open(&source.path).await.map_err(unreadable)?;
    let meta = file.metadata().await.map_err(unreadable)?;
    if meta.len() != source.size || modified(&meta) != source.modified {
        return Err(failed(format!("{} was changed while it was being uploaded", source.path.display())));
    }
    file.seek(SeekFrom::Start(at)).await.map_err(unreadable)?;
    let counting = bar.clone();
    let pieces = ReaderStream::with_capacity(file.take(end - at), 256 * 1024)
        .inspect_ok(move |piece| counting.inc(piece.len() as u64));
    let request = tus(server, Method::PATCH, &upload.url)
        .header(header::CONTENT_TYPE, "application/offset+octet-stream")
        .header(header::CONTENT_LENGTH, end - at)
        .header("upload-offset", at)
        .body(Body::wrap_stream(pieces));
    Ok(match checked(request.send().await).await {
        Ok(answer) => told_offset(&answer),
        Err(trouble) => Err(trouble),
    })
}

async fn offset(server: &Server, upload: &Upload, size: u64) -> Result<u64, Trouble> {
    let request = tus(server, Method::HEAD, &upload.url).timeout(Duration::from_secs(30));
    let answer = checked(request.send().await).await?;
    let length =
        answer.headers().get("upload-length").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    if length != Some(size) {
        return Err(Trouble::Final("that upload is of another file".into(), StatusCode::NOT_FOUND));
    }
    told_offset(&answer)
}

fn told_offset(answer: &Response) -> Result<u64, Trouble> {
    let told =
        answer.headers().get("upload-offset").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    told.ok_or_else(|| {
        Trouble::Final("the server does not say where the upload stands".into(), answer.status())
    })
}

fn tus(server: &Server, method: Method, url: &str) -> RequestBuilder {
    server.http.request(method, url).header("tus-resumable", "1.0.0")
}

/// What stands in the way.
enum Trouble {
    /// May go away; with the wait that the server asks for.
    Passing(String, Option<Duration>),
    Final(String, StatusCode),
}

async fn checked(answer: reqwest::Result<Response>) -> Result<Response, Trouble> {
    let answer = answer.map_err(|e| Trouble::Passing(reason(&e), None))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let wait =
        answer.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let passing = status.is_server_error() || matches!(status.as_u16(), 400 | 408 | 409 | 423 | 425 | 429);
    let is_ours = status != StatusCode::BAD_REQUEST || answer.headers().contains_key("upload-offset");
    let words = match status {
        StatusCode::UNAUTHORIZED => BAD_TOKEN.into(),
        _ => words_of(answer).await,
    };
    Err(if passing && is_ours {
        Trouble::Passing(words, wait.map(Duration::from_secs))
    } else {
        Trouble::Final(words, status)
    })
}

/// Waits before the next attempt, longer each time; gives up after [`PATIENCE`] of them or at once when waiting is in vain.
async fn wait_after(trouble: Trouble, failures: &mut u32) -> Result<()> {
    match trouble {
        Trouble::Final(words, _) => Err(failed(words)),
        Trouble::Passing(words, _) if *failures >= PATIENCE => Err(failed(format!(
            "gave up after {failures} attempts: {words}. The same command goes on where this one ended."
        ))),
        Trouble::Passing(_, asked) => {
            let own = Duration::from_millis(500 << (*failures).min(5));
            *failures += 1;
            tokio::time::sleep(asked.unwrap_or(own).min(Duration::from_secs(60))).await;
            Ok(())
        }
    }
}

fn progress_bar(source: &Source, offset: u64) -> ProgressBar {
    let template = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let name = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bar = ProgressBar::new(source.size).with_style(style).with_message(name).with_position(offset);
    bar.reset_eta();
    bar
}
