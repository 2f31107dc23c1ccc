//! `kinora upload`: sends a file to a server, goes on where an interrupted upload stands, and follows the work on it.

mod memory;
mod tus;
mod watch;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::ValueEnum;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde::Serialize;
use url::Url;

/// Send a video file to a Kinora server. An interrupted upload goes on when the same command is given again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to send
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    making: Making,
}

/// What is said of the title to be made, to whom, and what the command waits for and prints.
#[derive(Debug, clap::Args)]
pub(super) struct Making {
    /// Title; without it one is made from the file's name
    #[arg(long, value_name = "TEXT")]
    pub(super) title: Option<String>,
    /// Who can find and open it
    #[arg(long, value_name = "WHO", value_parser = ["public", "unlisted", "private"], default_value = "private")]
    pub(super) visibility: String,
    /// Return only when processing has finished, or with --wait=playable as soon as it can be played
    #[arg(long, value_name = "UNTIL", num_args = 0..=1, require_equals = true, default_missing_value = "finished")]
    pub(super) wait: Option<Until>,
    /// Print {"id","state","page_url","hls_url","dash_url"} on standard output and nothing else there
    #[arg(long)]
    pub(super) json: bool,
    /// Address of the server
    #[arg(long, env = "KINORA_SERVER", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(super) server: Url,
    /// API token with the scope upload; also read for --wait and --json
    #[arg(long, env = "KINORA_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(super) token: String,
}

/// What `--wait` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Until {
    Playable,
    Finished,
}

/// Why the command did not succeed; each has an exit code that scripts may rely on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// 1: the file was not uploaded, or nobody could tell what became of it.
    #[error("{0}")]
    Failed(String),
    /// 3: uploaded, but no title came of it.
    #[error("{0}")]
    Processing(String),
}

pub(super) type Result<T, E = Failure> = std::result::Result<T, E>;

pub(super) fn failed(words: impl Into<String>) -> Failure {
    Failure::Failed(words.into())
}

pub(super) const BAD_TOKEN: &str = "the token is not, or no longer, good. Make one on your account page";

/// What `--json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    id: String,
    state: String,
    page_url: String,
    hls_url: Option<String>,
    dash_url: Option<String>,
}

/// Exit codes: 0 done, 1 failed, 2 wrong usage (by the parser), 3 the server could not make a title of the file.
pub async fn run(args: Args) -> ExitCode {
    let json = args.making.json;
    let done = tokio::select! {
        done = upload(args) => done,
        _ = tokio::signal::ctrl_c() => Err(failed("stopped. The same command goes on where this one ended.")),
    };
    tell("upload", done, json)
}

/// Prints how a command ended, and gives its exit code.
pub(super) fn tell(command: &str, done: Result<Outcome>, json: bool) -> ExitCode {
    match done {
        Ok(outcome) if json => {
            println!("{}", serde_json::to_string(&outcome).unwrap_or_default());
            ExitCode::SUCCESS
        }
        Ok(outcome) => {
            println!("{}", outcome.page_url);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("kinora {command}: {failure}");
            ExitCode::from(if matches!(failure, Failure::Processing(_)) { 3 } else { 1 })
        }
    }
}

async fn upload(args: Args) -> Result<Outcome> {
    let server = Server::new(&args.making.server, &args.making.token)?;
    let file = tus::open(&args.file).await?;
    let chunk = server.chunk_bytes().await?;
    let video = tus::send(&server, file, &args.making, chunk).await?;
    outcome(&server, video, args.making.wait, args.making.json).await
}

/// Waits as told, and says what became of the title.
pub(super) async fn outcome(
    server: &Server,
    video: String,
    wait: Option<Until>,
    json: bool,
) -> Result<Outcome> {
    let title = match wait {
        Some(until) => watch::wait(server, &video, until).await?,
        None => watch::title(server, &video).await?,
    };
    let (hls_url, dash_url) = if json && title.state == "ready" {
        let (hls, dash) = watch::manifests(server, &video).await?.addresses(server)?;
        (Some(hls), Some(dash))
    } else {
        (None, None)
    };
    let page_url = server.absolute(&title.page_url)?;
    Ok(Outcome { id: video, state: title.state, page_url, hls_url, dash_url })
}

/// The server that we talk to.
pub(super) struct Server {
    pub(super) http: reqwest::Client,
    base: Url,
}

impl Server {
    pub(super) fn new(server: &Url, token: &str) -> Result<Self> {
        if !matches!(server.scheme(), "http" | "https") {
            return Err(failed(format!(
                "{server} is no address of a server: it must begin with http:// or https://"
            )));
        }
        let mut token = HeaderValue::from_str(&format!("Bearer {}", token.trim()))
            .map_err(|_| failed("the token has characters that no token has"))?;
        token.set_sensitive(true);
        let http = reqwest::Client::builder()
            .user_agent(concat!("kinora/", env!("CARGO_PKG_VERSION")))
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, token)]))
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(Duration::from_secs(90))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|e| failed(format!("cannot make an HTTP client: {e}")))?;
        let mut base = server.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { http, base })
    }

    /// `path` below the server's address, which may itself have a path.
    pub(super) fn url(&self, path: &str) -> Result<Url> {
        let relative = path.trim_start_matches('/');
        self.base.join(relative).map_err(|e| failed(format!("{path} is no address: {e}")))
    }

    /// A link that the server gave, as an absolute address of this same server unless it names another.
    pub(super) fn absolute(&self, link: &str) -> Result<String> {
        match Url::parse(link) {
            Ok(url) => Ok(url.into()),
            Err(_) => Ok(self.url(link)?.into()),
        }
    }

    /// How large the server wants request bodies to be. Also the first sign that there is a Kinora at all.
    pub(super) async fn chunk_bytes(&self) -> Result<u64> {
        #[derive(serde::Deserialize)]
        struct Instance {
            upload_chunk_bytes: u64,
        }
        let base = self.base.as_str().trim_end_matches('/');
        let answer = self.http.get(self.url("api/v1/instance")?).send().await;
        let answer = answer
            .map_err(|e| failed(format!("no answer from {base}: {}. Is the server running?", reason(&e))))?;
        if answer.status() == reqwest::StatusCode::UNAUTHORIZED {
            return Err(failed(BAD_TOKEN));
        }
        let instance: Instance = answer
            .json()
            .await
            .map_err(|_| failed(format!("{base} answers, but it is not a Kinora server")))?;
        Ok(instance.upload_chunk_bytes.clamp(1 << 20, 1 << 40))
    }
}

/// The innermost cause, which is what people understand.
pub(super) fn reason(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// What an error answer says, in words.
pub(super) async fn words_of(answer: reqwest::Response) -> String {
    #[derive(serde::Deserialize)]
    struct Problem {
        detail: String,
    }
    let status = answer.status();
    match answer.json::<Problem>().await {
        Ok(problem) => problem.detail,
        Err(_) => format!("the server answered {status}"),
    }
}
