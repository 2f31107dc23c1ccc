//! `kinora check`: looks at an HLS or DASH presentation, anyone's, with the eyes of the standards.

mod local;
mod print;
mod remote;

use std::{
    io::IsTerminal,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use media::lint::{self, Answer, Failure, Options, Report, Severity, Source, Want};
use reqwest::header::{HeaderName, HeaderValue};
use url::Url;

/// Check an HLS or DASH presentation against its standards. Exit status: 0 clean, 1 errors found, 2 it could not be checked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address of a playlist or manifest, or a local file or folder
    #[arg(value_name = "URL_OR_PATH")]
    target: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    /// Exit with status 1 for warnings, too
    #[arg(long)]
    strict: bool,
    /// Send this header with requests to the given host; may be repeated
    #[arg(long, value_name = "K: V")]
    header: Vec<String>,
    /// Most requests, or files, to read
    #[arg(long, value_name = "N", default_value_t = 2000)]
    limit: usize,
    /// Read every segment, not a sample of each rendition
    #[arg(long)]
    all_segments: bool,
    /// Do not load growing playlists again
    #[arg(long)]
    no_reload: bool,
    /// Seconds after which nothing more is fetched
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
}

/// What was checked, and how it went.
struct Outcome {
    target: String,
    report: Report,
}

pub async fn run(args: Args) -> ExitCode {
    let strict = args.strict;
    let json = args.json;
    let handle = tokio::runtime::Handle::current();
    // The walk is synchronous: it must not block the runtime that fetches for it.
    let done = tokio::task::spawn_blocking(move || outcomes(&args, &handle)).await;
    let outcomes = match done {
        Ok(Ok(outcomes)) => outcomes,
        Ok(Err(why)) => return cannot(&why),
        Err(_) => return cannot("the check broke off: this is a fault of kinora"),
    };
    if json {
        println!("{}", print::json(&outcomes));
    } else {
        print!("{}", print::text(&outcomes, std::io::stdout().is_terminal()));
    }
    let total = |severity| outcomes.iter().map(|o| o.report.total(severity)).sum::<usize>();
    let bad = total(Severity::Error) + if strict { total(Severity::Warning) } else { 0 };
    ExitCode::from(u8::from(bad > 0))
}

fn cannot(why: &str) -> ExitCode {
    eprintln!("kinora check: {}", print::plain(why));
    ExitCode::from(2)
}

fn outcomes(args: &Args, handle: &tokio::runtime::Handle) -> Result<Vec<Outcome>, String> {
    let options = Options { all_segments: args.all_segments, reload: !args.no_reload };
    let budget = Budget::new(args);
    let url = Url::parse(&args.target).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    if let Some(url) = url {
        let headers = args.header.iter().map(|h| header(h)).collect::<Result<Vec<_>, _>>()?;
        let mut source = Watched::new(remote::Remote::new(&url, headers, budget, handle.clone())?);
        return Ok(vec![one(&mut source, url.as_str(), &options)?]);
    }
    if args.target.contains("://") {
        return Err(format!("{} is no address that can be checked: only http and https are", args.target));
    }
    let roots = local::roots(Path::new(&args.target))?;
    let mut source = Watched::new(local::Local::new(Path::new(&args.target), budget)?);
    roots.iter().map(|root| one(&mut source, root, &options)).collect()
}

fn one(source: &mut dyn Source, root: &str, options: &Options) -> Result<Outcome, String> {
    let report = lint::check(source, root, options).map_err(|failure| failure.to_string())?;
    Ok(Outcome { target: root.to_owned(), report })
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wrong = || format!("`{text}` is no header: write 'Name: value'");
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let name = name.trim().parse().map_err(|_| wrong())?;
    let mut value: HeaderValue = value.trim().parse().map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// What a check may cost.
#[derive(Debug, Clone)]
struct Budget {
    left: usize,
    limit: usize,
    until: Instant,
}

/// Bytes of one thing that is fetched.
const MOST_BYTES: u64 = 256 << 20;

impl Budget {
    fn new(args: &Args) -> Self {
        let time = Duration::from_secs(args.timeout.min(86_400));
        Self { left: args.limit, limit: args.limit, until: Instant::now() + time }
    }

    /// Takes one request off, or says why there is none left.
    fn take(&mut self) -> Result<(), Failure> {
        if Instant::now() >= self.until {
            return Err(Failure::Limit("the time is over (--timeout)".into()));
        }
        self.left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| Failure::Limit(format!("{} requests were sent (--limit)", self.limit)))?;
        Ok(())
    }

    /// Waits, unless that would last too long.
    fn pause(&self, how_long: Duration) -> bool {
        if Instant::now() + how_long >= self.until {
            return false;
        }
        std::thread::sleep(how_long);
        true
    }
}

/// Shows on a terminal what is being fetched.
struct Watched<S> {
    source: S,
    bar: ProgressBar,
    fetched: u64,
}

impl<S> Watched<S> {
    fn new(source: S) -> Self {
        let style = ProgressStyle::with_template("{spinner} {wide_msg}");
        let bar =
            ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Self { source, bar, fetched: 0 }
    }
}

impl<S: Source> Source for Watched<S> {
    fn fetch(&mut self, wants: &[Want]) -> Vec<Result<Answer, Failure>> {
        self.fetched += wants.len() as u64;
        if let Some(want) = wants.first() {
            self.bar.set_message(format!("{} fetched, now {}", self.fetched, print::plain(&want.url)));
            self.bar.tick();
        }
        self.source.fetch(wants)
    }

    fn resolve(&self, base: &str, reference: &str) -> Option<String> {
        self.source.resolve(base, reference)
    }

    fn pause(&mut self, how_long: Duration) -> bool {
        self.bar.set_message(format!("waiting {} s for what is new", how_long.as_secs()));
        self.bar.tick();
        self.source.pause(how_long)
    }
}

impl<S> Drop for Watched<S> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
