//! `kinora event`: plans live events, lists them, shows their keys and ends them, by the API of a server.

use std::process::ExitCode;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::upload::{BAD_TOKEN, Result, Server, failed, reason, words_of};

/// Plan live events and look after them
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
    /// Address of the server
    #[arg(
        long,
        env = "KINORA_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        global = true
    )]
    server: Url,
    /// API token with the scopes read and manage
    #[arg(
        long,
        env = "KINORA_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        default_value = "",
        global = true
    )]
    token: String,
    /// Print what the server answers, as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Plan an event; prints its id and its address
    Create {
        #[arg(long, value_name = "TEXT")]
        title: String,
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Who can find and open it
        #[arg(long, value_name = "WHO", value_parser = ["public", "unlisted", "private"], default_value = "private")]
        visibility: String,
        /// When it is announced to begin, such as 2026-12-24T18:00:00Z
        #[arg(long, value_name = "TIME")]
        starts_at: Option<String>,
        /// low: two to three seconds behind; standard: six to ten
        #[arg(long, value_parser = ["low", "standard"], default_value = "low")]
        latency: String,
        /// How far viewers can go back while it is live
        #[arg(long, value_name = "SECONDS", default_value_t = domain::event::DEFAULT_DVR_SECONDS)]
        dvr: i64,
        /// Keep nothing when it ends
        #[arg(long)]
        no_record: bool,
    },
    /// List your events, a line for each
    List {
        #[arg(long, value_parser = ["upcoming", "live", "ended"], default_value = "upcoming")]
        state: String,
    },
    /// Show where encoders send an event to, and its keys
    Key {
        #[arg(value_name = "EVENT")]
        id: String,
        /// Give it other keys first; the old ones are good no longer
        #[arg(long)]
        rotate: bool,
    },
    /// Cut a clip out of an event, live or recorded; prints its id, its address, and where it really begins and ends
    ///
    /// Nothing is encoded: cuts lie at the borders of segments, which last about two seconds.
    Clip {
        #[arg(value_name = "EVENT")]
        id: String,
        /// From the beginning of the event: seconds, 12:30 or 1:12:30
        #[arg(long, value_name = "TIME", value_parser = clock)]
        from: u64,
        #[arg(long, value_name = "TIME", value_parser = clock)]
        to: u64,
        #[arg(long, value_name = "TEXT")]
        title: String,
        /// Who can find and open it
        #[arg(long, value_name = "WHO", value_parser = ["public", "unlisted", "private"], default_value = "private")]
        visibility: String,
    },
    /// End a live event, once and for all
    End {
        #[arg(value_name = "EVENT")]
        id: String,
    },
}

/// Exit codes: 0 done, 1 failed, 2 wrong usage (by the parser).
pub async fn run(args: Args) -> ExitCode {
    match act(&args).await {
        Ok(lines) => {
            lines.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("kinora event: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn act(args: &Args) -> Result<Vec<String>> {
    let server = Server::new(&args.server, &args.token)?;
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (answer, lines): (Value, Vec<String>) = match &args.command {
        Command::Create { title, description, visibility, starts_at, latency, dvr, no_record } => {
            let body = json!({ "title": title, "description": description, "visibility": visibility,
                "starts_at": starts_at, "latency": latency, "dvr_seconds": dvr, "record": !no_record });
            let event = ask(&server, Method::POST, "api/v1/events", Some(body)).await?;
            let lines = vec![words(&event["id"]), server.absolute(&words(&event["video"]["page_url"]))?];
            (event, lines)
        }
        Command::List { state } => {
            let events = list(&server, state).await?;
            let line = |event: &Value| {
                let at = event["starts_at"].as_str().unwrap_or("-");
                format!("{}  {at:<24}  {}", words(&event["id"]), words(&event["video"]["title"]))
            };
            let lines = events.iter().map(line).collect();
            (Value::Array(events), lines)
        }
        Command::Key { id, rotate } => {
            let (method, rest) =
                if *rotate { (Method::POST, "keys/rotate") } else { (Method::GET, "ingest") };
            let ingest =
                ask(&server, method, &format!("api/v1/events/{}/{rest}", checked(id)?), None).await?;
            let of = |field: &str| ingest[field].as_array().cloned().unwrap_or_default();
            let servers = of("servers").into_iter().map(|one| words(&one["url"]));
            let keys =
                of("keys").into_iter().map(|one| format!("{:<8}{}", words(&one["slot"]), words(&one["key"])));
            let lines = servers.chain(keys).collect();
            (ingest, lines)
        }
        Command::Clip { id, from, to, title, visibility } => {
            let path = format!("api/v1/events/{}/clips", checked(id)?);
            let body = json!({ "from_ms": from, "to_ms": to, "title": title, "visibility": visibility });
            let clip = ask(&server, Method::POST, &path, Some(body)).await?;
            let page = server.absolute(&format!("/watch/{}", words(&clip["id"])))?;
            let time = |field: &str| shown(clip[field].as_u64().unwrap_or(0));
            let span = format!("{} to {}", time("from_ms"), time("to_ms"));
            let lines = vec![words(&clip["id"]), page, span];
            (clip, lines)
        }
        Command::End { id } => {
            let path = format!("api/v1/events/{}/end", checked(id)?);
            let event = ask(&server, Method::POST, &path, None).await?;
            (event, vec!["The event is ending.".to_owned()])
        }
    };
    Ok(if args.json { vec![answer.to_string()] } else { lines })
}

/// Milliseconds of a time such as `90`, `1:30.5` or `1:12:30`.
fn clock(text: &str) -> std::result::Result<u64, String> {
    let wrong = || format!("`{text}` is no time; write 90, 1:30.5 or 1:12:30");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let parts: Vec<&str> = whole.split(':').collect();
    if parts.len() > 3 || fraction.len() > 3 {
        return Err(wrong());
    }
    let number = |digits: &str| match digits.bytes().all(|digit| digit.is_ascii_digit()) && digits.len() < 10
    {
        true => digits.parse::<u64>().map_err(|_| wrong()),
        false => Err(wrong()),
    };
    let seconds = parts.iter().try_fold(0, |sum, part| Ok::<_, String>(sum * 60 + number(part)?))?;
    Ok(seconds * 1000 + number(&format!("{fraction:0<3}"))?)
}

/// The same the other way round.
fn shown(ms: u64) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!("{}:{:02}:{:02}.{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// All pages.
async fn list(server: &Server, state: &str) -> Result<Vec<Value>> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("api/v1/events?state={state}&limit=100{cursor}");
        let mut page = ask(server, Method::GET, &path, None).await?;
        if let Value::Array(items) = page["items"].take() {
            events.extend(items);
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(events),
        }
    }
}

/// An id goes into an address: nothing else may.
fn checked(id: &str) -> Result<domain::VideoId> {
    id.parse().map_err(|_| failed(format!("`{id}` is no id of an event; `kinora event list` shows them")))
}

async fn ask(server: &Server, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
    let mut request = server.http.request(method, server.url(path)?);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.map_err(|error| failed(reason(&error)))?;
    match answer.status() {
        StatusCode::UNAUTHORIZED => Err(failed(BAD_TOKEN)),
        status if status.is_success() => answer.json().await.map_err(|error| failed(reason(&error))),
        _ => Err(failed(words_of(answer).await)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, ms) in [("90", 90_000), ("1:30", 90_000), ("1:30.5", 90_500), ("1:12:30.045", 4_350_045)] {
            assert_eq!(clock(text), Ok(ms), "{text}");
            assert_eq!(clock(&shown(ms)), Ok(ms));
        }
        for wrong in ["", "a", "-1", "1:2:3:4", "1.2345", "1:", ":", "+5", "99999999999"] {
            assert!(clock(wrong).is_err(), "{wrong}");
        }
    }
}
