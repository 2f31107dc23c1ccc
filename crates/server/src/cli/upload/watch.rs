//! Following the work on an uploaded title.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use reqwest::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};

use super::{Failure, Result, Server, Until, failed, reason, words_of};

const EVERY: Duration = Duration::from_millis(700);
/// Failed looks one after the other before we give up.
const PATIENCE: u32 = 60;

/// What we read of a title.
#[derive(Debug, Deserialize)]
pub struct Title {
    pub state: String,
    complete: bool,
    error: Option<String>,
    #[serde(default)]
    steps: Vec<Step>,
    pub page_url: String,
}

#[derive(Debug, Deserialize)]
struct Step {
    name: String,
    state: String,
    done: i64,
    total: i64,
}

#[derive(Debug, Deserialize)]
pub struct Manifests {
    hls_url: String,
    dash_url: String,
    /// Base addresses to try in this order; none: those of the server itself.
    #[serde(default)]
    edges: Vec<String>,
}

impl Manifests {
    /// Absolute addresses of the HLS and the DASH manifest, from where viewers are to take them first.
    pub fn addresses(&self, server: &Server) -> Result<(String, String)> {
        let first = self.edges.first().map_or("", |base| base.trim_end_matches('/'));
        let address = |link: &str| server.absolute(&format!("{first}{link}"));
        Ok((address(&self.hls_url)?, address(&self.dash_url)?))
    }
}

pub async fn title(server: &Server, video: &str) -> Result<Title> {
    let url = server.url(&format!("api/v1/videos/{video}"))?;
    match read(server.http.get(url).send().await).await {
        Ok(title) => Ok(title),
        Err(Look::Failed(words) | Look::Passing(words)) => {
            Err(failed(format!("uploaded, but its state is unknown: {words}")))
        }
    }
}

/// Addresses that any player takes.
pub async fn manifests(server: &Server, video: &str) -> Result<Manifests> {
    let url = server.url(&format!("api/v1/videos/{video}/playback"))?;
    match read(server.http.post(url).send().await).await {
        Ok(manifests) => Ok(manifests),
        Err(Look::Failed(words) | Look::Passing(words)) => {
            Err(failed(format!("uploaded, but it does not play: {words}")))
        }
    }
}

/// Looks at the title until it is playable or finished, showing its steps.
pub async fn wait(server: &Server, video: &str, until: Until) -> Result<Title> {
    let url = server.url(&format!("api/v1/videos/{video}"))?;
    let style = ProgressStyle::with_template("{spinner} {wide_msg}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let spinner = ProgressBar::new_spinner().with_style(style);
    let mut failures = 0;
    let outcome = loop {
        match read::<Title>(server.http.get(url.clone()).send().await).await {
            Ok(title) => {
                failures = 0;
                spinner.set_message(summary(&title));
                spinner.tick();
                if let Some(end) = end_of(title, until) {
                    break end;
                }
            }
            Err(Look::Passing(words)) if failures >= PATIENCE => {
                break Err(failed(format!("uploaded, but its state is unknown: {words}")));
            }
            Err(Look::Passing(_)) => failures += 1,
            Err(Look::Failed(words)) => {
                break Err(failed(format!("uploaded, but its state is unknown: {words}")));
            }
        }
        tokio::time::sleep(EVERY).await;
    };
    spinner.finish_and_clear();
    outcome
}

fn end_of(title: Title, until: Until) -> Option<Result<Title>> {
    let words = title.error.clone().unwrap_or_else(|| "no reason was given".into());
    match title.state.as_str() {
        "failed" => {
            Some(Err(Failure::Processing(format!("the server could not make a title of this file: {words}"))))
        }
        "cancelled" => Some(Err(Failure::Processing("the work on this title was cancelled".into()))),
        "ready" if until == Until::Playable => Some(Ok(title)),
        "ready" if title.complete && title.steps.iter().all(Step::is_over) => Some(Ok(title)),
        _ => None,
    }
}

impl Step {
    fn is_over(&self) -> bool {
        !matches!(self.state.as_str(), "waiting" | "running")
    }
}

fn summary(title: &Title) -> String {
    let running = title.steps.iter().filter(|step| step.state == "running").map(|step| match step.total {
        0 => step.name.clone(),
        total => format!("{} {} %", step.name, (step.done.clamp(0, total) * 100) / total),
    });
    let steps: Vec<String> = running.collect();
    if steps.is_empty() { title.state.clone() } else { steps.join(", ") }
}

enum Look {
    Passing(String),
    Failed(String),
}

async fn read<T: DeserializeOwned>(answer: reqwest::Result<reqwest::Response>) -> Result<T, Look> {
    let answer = answer.map_err(|e| Look::Passing(reason(&e)))?;
    match answer.status() {
        status if status.is_success() => answer.json().await.map_err(|e| Look::Passing(reason(&e))),
        StatusCode::NOT_FOUND => {
            Err(Look::Failed("the title is gone, or the token lacks the scope `read` to see it".into()))
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(Look::Passing(words_of(answer).await))
        }
        _ => Err(Look::Failed(words_of(answer).await)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(state: &str, complete: bool, step: &str) -> Title {
        let step = Step { name: "pictures".into(), state: step.into(), done: 1, total: 4 };
        Title {
            state: state.into(),
            complete,
            error: Some("no picture".into()),
            steps: vec![step],
            page_url: "/watch/x".into(),
        }
    }

    #[test]
    fn waiting_ends_when_it_should() {
        let ends = |title, until| end_of(title, until).map(|end| end.is_ok());
        assert_eq!(ends(title("processing", false, "running"), Until::Playable), None);
        assert_eq!(ends(title("ready", false, "running"), Until::Playable), Some(true));
        assert_eq!(ends(title("ready", false, "running"), Until::Finished), None);
        assert_eq!(ends(title("ready", true, "running"), Until::Finished), None);
        assert_eq!(ends(title("ready", true, "done"), Until::Finished), Some(true));
        assert_eq!(ends(title("failed", false, "failed"), Until::Finished), Some(false));
        assert_eq!(summary(&title("processing", false, "running")), "pictures 25 %");
    }

    #[test]
    fn manifests_are_taken_from_the_first_edge() {
        let server = Server::new(&"https://tv.example/base".parse().unwrap(), "t").unwrap();
        let of = |edges: &[&str]| {
            let edges = edges.iter().map(ToString::to_string).collect();
            Manifests { hls_url: "/media/a.m3u8".into(), dash_url: "/media/a.mpd".into(), edges }
                .addresses(&server)
                .unwrap()
                .0
        };
        assert_eq!(of(&[]), "https://tv.example/base/media/a.m3u8");
        assert_eq!(of(&["https://e1.example", "https://e2.example"]), "https://e1.example/media/a.m3u8");
    }
}
