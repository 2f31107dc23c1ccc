//! The walk through a whole presentation: what to fetch, in which order, and which rules to apply to it.

mod dash;
mod hls;
mod media;

use std::time::Duration;

use super::{
    Answer, Failure, Place, Report, Source, Want,
    hls::{self as playlists, Playlist, Variables},
    http,
    rules::http as rules,
};

/// How thorough a check is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Fetch every segment, not a sample of each rendition.
    pub all_segments: bool,
    /// Reload what is still growing, twice.
    pub reload: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { all_segments: false, reload: true }
    }
}

/// Checks the presentation at `root`. An error says that there was nothing to check.
pub fn check(source: &mut dyn Source, root: &str, options: &Options) -> Result<Report, Failure> {
    let mut walk =
        Walk { source, report: Report::default(), options, spent: false, headers: media::Headers::new() };
    let want = Want::whole(root);
    let answer = walk.source.fetch(std::slice::from_ref(&want)).pop();
    let answer = answer.unwrap_or(Err(Failure::Unavailable("no answer".into())))?;
    if answer.is_http() && answer.status != 200 {
        return Err(Failure::Unavailable(format!("{root} answered with status {}", answer.status)));
    }
    if playlists::is_playlist(&answer.body) {
        walk.hls(&answer);
    } else if super::dash::is_manifest(&answer.body) {
        walk.dash(&answer);
    } else {
        let start: String =
            String::from_utf8_lossy(&answer.body[..answer.body.len().min(60)]).escape_debug().collect();
        return Err(Failure::Unavailable(format!(
            "{root} is neither an HLS playlist nor a DASH manifest: `{start}`"
        )));
    }
    Ok(walk.report)
}

/// One check under way.
struct Walk<'a> {
    source: &'a mut dyn Source,
    report: Report,
    options: &'a Options,
    /// A limit of the source was reached: nothing more is fetched.
    spent: bool,
    /// Headers that were read, by address and range.
    headers: media::Headers,
}

impl Walk<'_> {
    /// Fetches several things; what could not be had is told and `None`.
    fn fetch(&mut self, wants: &[Want]) -> Vec<Option<Answer>> {
        if self.spent || wants.is_empty() {
            return vec![None; wants.len()];
        }
        let mut answers = self.source.fetch(wants);
        answers.resize_with(wants.len(), || Err(Failure::Limit("not fetched".into())));
        let took = |(want, answer): (&Want, Result<Answer, Failure>)| match answer {
            Ok(answer) => http::usable(want, &answer, &mut self.report).then_some(answer),
            Err(Failure::Unavailable(why)) => {
                self.report.add(&rules::UNAVAILABLE, Place::whole(&want.url), why);
                None
            }
            Err(Failure::Limit(why)) => {
                self.report.unchecked(format!("not everything was fetched: {why}"));
                self.spent = true;
                None
            }
        };
        wants.iter().zip(answers).map(took).collect()
    }

    fn get(&mut self, url: &str) -> Option<Answer> {
        self.fetch(&[Want::whole(url)]).pop().flatten()
    }

    /// An absolute address; what cannot be resolved is told.
    fn resolve(&mut self, base: &str, reference: &str, place: &Place) -> Option<String> {
        let url = self.source.resolve(base, reference).filter(|_| !reference.is_empty());
        if url.is_none() {
            let what = format!("`{reference}` cannot be resolved");
            self.report.add(&super::rules::hls::URI_INVALID, place.clone(), what);
        }
        url
    }

    fn pause(&mut self, how_long: Duration) -> bool {
        !self.spent && self.source.pause(how_long)
    }

    /// Fetches and reads a playlist.
    fn playlist(&mut self, url: &str, imported: &Variables) -> Option<Playlist> {
        let answer = self.get(url)?;
        http::check(&answer, http::Kind::Playlist, &mut self.report);
        let url = if answer.url.is_empty() { url } else { &answer.url };
        playlists::read(&answer.body, url, imported, &mut self.report)
    }
}

/// Which of `count` pieces are looked at: all of a few, else the ends and neighbours in between.
fn chosen(count: usize, all: bool) -> Vec<bool> {
    let few = count <= 12 || all;
    let quarters = [count / 4, count / 2, count * 3 / 4];
    let is = |n: usize| few || n < 3 || n + 2 >= count || quarters.iter().any(|q| n == *q || n == q + 1);
    (0..count).map(is).collect()
}
