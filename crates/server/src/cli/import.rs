//! `kinora import`: has a server fetch a file from a link, and follows the work on it.

use std::process::ExitCode;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::upload::{BAD_TOKEN, Making, Outcome, Result, Server, failed, outcome, reason, tell, words_of};

/// Have a Kinora server fetch a video file from a link. The command may be stopped at any time: the server goes on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// https://, http://, or s3://BUCKET/KEY of a bucket that the server's operator has named
    #[arg(value_name = "URL")]
    url: String,
    #[command(flatten)]
    making: Making,
}

/// Exit codes: 0 done, 1 failed, 2 wrong usage (by the parser), 3 the server could not make a title of the file.
pub async fn run(args: Args) -> ExitCode {
    let json = args.making.json;
    let done = tokio::select! {
        done = import(args) => done,
        _ = tokio::signal::ctrl_c() => Err(failed("stopped. The server goes on by itself; see your library.")),
    };
    tell("import", done, json)
}

async fn import(Args { url, making }: Args) -> Result<Outcome> {
    #[derive(Deserialize)]
    struct Imported {
        video_id: String,
    }
    let server = Server::new(&making.server, &making.token)?;
    // A first sign that there is a Kinora at all, in better words than those of a failed request.
    server.chunk_bytes().await?;
    let body = json!({ "url": url, "title": making.title, "visibility": making.visibility });
    let answer = server.http.post(server.url("api/v1/imports")?).json(&body).send().await;
    let answer = answer.map_err(|error| failed(reason(&error)))?;
    let imported: Imported = match answer.status() {
        StatusCode::CREATED => answer.json().await.map_err(|error| failed(reason(&error)))?,
        StatusCode::UNAUTHORIZED => return Err(failed(BAD_TOKEN)),
        _ => return Err(failed(words_of(answer).await)),
    };
    outcome(&server, imported.video_id, making.wait, making.json).await
}
