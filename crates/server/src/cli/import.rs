//! `kinora import`: has a server fetch a file from a link, and follows the work on it.

use std::process::ExitCode;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::upload::{BAD_TOKEN, Outcome, Result, Server, Until, failed, outcome, reason, tell, words_of};

/// Have a Kinora server fetch a video file from a link. The command may be stopped at any time: the server goes on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// https://, http://, or s3://BUCKET/KEY of a bucket that the server's operator has named
    #[arg(value_name = "URL")]
    url: String,
    /// Title; without it one is made from the file's name
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Who can find and open it
    #[arg(long, value_name = "WHO", value_parser = ["public", "unlisted", "private"], default_value = "private")]
    visibility: String,
    /// Return only when processing has finished, or with --wait=playable as soon as it can be played
    #[arg(long, value_name = "UNTIL", num_args = 0..=1, require_equals = true, default_missing_value = "finished")]
    wait: Option<Until>,
    /// Print {"id","state","page_url","hls_url","dash_url"} on standard output and nothing else there
    #[arg(long)]
    json: bool,
    /// Address of the server
    #[arg(long, env = "KINORA_SERVER", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    server: Url,
    /// API token with the scope upload; also read for --wait and --json
    #[arg(long, env = "KINORA_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: String,
}

/// Exit codes: 0 done, 1 failed, 2 wrong usage (by the parser), 3 the server could not make a title of the file.
pub async fn run(args: Args) -> ExitCode {
    let json = args.json;
    let done = tokio::select! {
        done = import(args) => done,
        _ = tokio::signal::ctrl_c() => Err(failed("stopped. The server goes on by itself; see your library.")),
    };
    tell("import", done, json)
}

async fn import(args: Args) -> Result<Outcome> {
    #[derive(Deserialize)]
    struct Imported {
        video_id: String,
    }
    let server = Server::new(&args.server, &args.token)?;
    // A first sign that there is a Kinora at all, in better words than those of a failed request.
    server.chunk_bytes().await?;
    let body = json!({ "url": args.url, "title": args.title, "visibility": args.visibility });
    let answer = server.http.post(server.url("api/v1/imports")?).json(&body).send().await;
    let answer = answer.map_err(|error| failed(reason(&error)))?;
    let imported: Imported = match answer.status() {
        StatusCode::CREATED => answer.json().await.map_err(|error| failed(reason(&error)))?,
        StatusCode::UNAUTHORIZED => return Err(failed(BAD_TOKEN)),
        _ => return Err(failed(words_of(answer).await)),
    };
    outcome(&server, imported.video_id, args.wait, args.json).await
}
