//! What editors say of a title, and the rules that an edit must keep: one clear message for each field.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::{
    Micros, Visibility,
    locale::{Country, Language},
    text::{self, Fault},
    vocabulary::{Genre, Kind, Rating},
};

pub const MAX_TITLE: usize = 200;
pub const MAX_DESCRIPTION: usize = 10_000;
pub const MAX_CREDIT_LINE: usize = 200;
pub const MAX_GENRES: usize = 5;
pub const MAX_TAGS: usize = 30;
pub const MAX_TAG: usize = 40;
pub const MAX_CAST: usize = 100;
pub const MAX_DIRECTORS: usize = 20;
/// Longest name of a person or role.
pub const MAX_NAME: usize = 100;
/// The year of the oldest film that is kept.
pub const FIRST_YEAR: i64 = 1870;
/// How far ahead times may lie.
const HORIZON: i64 = 100 * 366 * Micros::DAY;

/// Someone in the cast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credit {
    pub name: String,
    /// Whom they play; may be empty.
    #[serde(default)]
    pub role: String,
}

/// Everything that editors set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fields {
    pub title: String,
    pub description: String,
    /// Credit line, may be empty.
    pub attribution: String,
    pub kind: Kind,
    pub genres: Vec<Genre>,
    /// Lower case, each once, in the order given.
    pub tags: Vec<String>,
    pub cast: Vec<Credit>,
    pub directors: Vec<String>,
    /// The language that is spoken.
    pub language: Option<Language>,
    pub release_year: Option<i64>,
    pub maturity_rating: Option<Rating>,
    pub visibility: Visibility,
    /// When a scheduled title becomes public; `None` unless it is scheduled.
    pub publish_at: Option<Micros>,
    /// The title plays from then on …
    pub available_from: Option<Micros>,
    /// … and no longer from then on.
    pub available_until: Option<Micros>,
    /// Where it plays; `None`: everywhere. Never empty, in the order of codes.
    pub countries: Option<Vec<Country>>,
    /// The chosen picture.
    pub poster_id: Option<String>,
}

/// Changes as they come from outside; `None` leaves a field as it is, `Some(None)` empties it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub title: Option<String>,
    pub description: Option<String>,
    pub attribution: Option<String>,
    pub kind: Option<String>,
    pub genres: Option<Vec<String>>,
    pub tags: Option<Vec<String>>,
    pub cast: Option<Vec<Credit>>,
    pub directors: Option<Vec<String>>,
    pub language: Option<Option<String>>,
    pub release_year: Option<Option<i64>>,
    pub maturity_rating: Option<Option<String>>,
    pub visibility: Option<String>,
    pub publish_at: Option<Option<Micros>>,
    pub available_from: Option<Option<Micros>>,
    pub available_until: Option<Option<Micros>>,
    pub countries: Option<Option<Vec<String>>>,
    /// The caller checks that it is a picture of this title.
    pub poster_id: Option<String>,
}

/// A field that does not hold what it must.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    pub field: &'static str,
    /// A sentence for the person who filled it in.
    pub words: String,
}

/// Notes faults by field; a field's first fault is the one that is told.
#[derive(Default)]
struct Faults(Vec<FieldFault>);

impl Faults {
    fn add(&mut self, field: &'static str, words: impl Into<String>) {
        if self.0.iter().all(|fault| fault.field != field) {
            self.0.push(FieldFault { field, words: words.into() });
        }
    }

    /// Puts `read` into `into`, or notes why not.
    fn set<T>(&mut self, field: &'static str, into: &mut T, read: Result<T, String>) {
        match read {
            Ok(value) => *into = value,
            Err(words) => self.add(field, words),
        }
    }
}

impl Change {
    /// The fields of `old` after this change, normalised. All faults at once, at most one for each field.
    pub fn apply(self, old: &Fields, now: Micros) -> Result<Fields, Vec<FieldFault>> {
        let mut faults = Faults::default();
        let mut new = old.clone();
        let f = &mut faults;
        if let Some(given) = self.title {
            f.set("title", &mut new.title, filled("A title", &given, MAX_TITLE));
        }
        if let Some(given) = self.description {
            let read = text::prose(&given, MAX_DESCRIPTION);
            f.set(
                "description",
                &mut new.description,
                read.map_err(|fault| refused("A description", MAX_DESCRIPTION, fault)),
            );
        }
        if let Some(given) = self.attribution {
            f.set("attribution", &mut new.attribution, line("A credit line", &given, MAX_CREDIT_LINE));
        }
        if let Some(given) = self.kind {
            f.set(
                "kind",
                &mut new.kind,
                given.parse().map_err(|_| "A title is a movie, a clip or a recording.".into()),
            );
        }
        if let Some(given) = self.genres {
            f.set("genres", &mut new.genres, genres(&given));
        }
        if let Some(given) = self.tags {
            f.set("tags", &mut new.tags, tags(&given));
        }
        if let Some(given) = self.cast {
            f.set("cast", &mut new.cast, cast(&given));
        }
        if let Some(given) = self.directors {
            f.set("directors", &mut new.directors, directors(&given));
        }
        if let Some(given) = self.language {
            let read = given.map(|tag| tag.trim().parse()).transpose();
            f.set(
                "language",
                &mut new.language,
                read.map_err(|e: crate::locale::NoLanguage| format!("{}.", capital(e))),
            );
        }
        if let Some(given) = self.release_year {
            f.set("release_year", &mut new.release_year, release_year(given, now));
        }
        if let Some(given) = self.maturity_rating {
            let read = given.map(|word| word.trim().parse::<Rating>()).transpose();
            f.set(
                "maturity_rating",
                &mut new.maturity_rating,
                read.map_err(|e| format!("A rating is one of {}.", e.expected)),
            );
        }
        if let Some(given) = self.countries {
            f.set("countries", &mut new.countries, countries(given));
        }
        if let Some(picture) = self.poster_id {
            new.poster_id = Some(picture);
        }
        if let Some(given) = self.visibility {
            f.set(
                "visibility",
                &mut new.visibility,
                given.parse().map_err(|_| "Visibility is public, unlisted, private or scheduled.".into()),
            );
        }
        times(f, &mut new, old, [self.publish_at, self.available_from, self.available_until], now);
        if faults.0.is_empty() { Ok(new) } else { Err(faults.0) }
    }
}

fn times(f: &mut Faults, new: &mut Fields, old: &Fields, given: [Option<Option<Micros>>; 3], now: Micros) {
    let [publish_at, from, until] = given;
    for (field, into, given) in [
        ("publish_at", &mut new.publish_at, publish_at),
        ("available_from", &mut new.available_from, from),
        ("available_until", &mut new.available_until, until),
    ] {
        let Some(given) = given else { continue };
        let far = given.is_some_and(|at| at.0 < 0 || at > now.plus(HORIZON));
        f.set(field, into, if far { Err("This time lies too far away.".into()) } else { Ok(given) });
    }
    match (new.visibility, new.publish_at) {
        (Visibility::Scheduled, None) => {
            f.add("publish_at", "A scheduled title needs the time at which it becomes public.")
        }
        (Visibility::Scheduled, Some(at)) => {
            let moved = old.visibility != Visibility::Scheduled || old.publish_at != new.publish_at;
            if moved && at <= now {
                f.add(
                    "publish_at",
                    "This time has passed. Choose one that is still to come, or make the title public now.",
                );
            }
        }
        // A time to publish without a schedule would mean nothing; one that was there before ends with the schedule.
        (_, Some(_)) if publish_at.is_some() => {
            f.add(
                "publish_at",
                "Only a scheduled title has a time to be published: set the visibility to scheduled too.",
            );
        }
        (_, _) => new.publish_at = None,
    }
    if let (Some(from), Some(until)) = (new.available_from, new.available_until)
        && from >= until
    {
        f.add("available_until", "The end of the availability must come after its beginning.");
    }
}

fn filled(what: &str, given: &str, max: usize) -> Result<String, String> {
    text::filled_line(given, max).map_err(|fault| match fault {
        Fault::Empty => format!("{what} must not be empty."),
        fault => refused(what, max, fault),
    })
}

fn line(what: &str, given: &str, max: usize) -> Result<String, String> {
    text::line(given, max).map_err(|fault| refused(what, max, fault))
}

fn refused(what: &str, max: usize, fault: Fault) -> String {
    match fault {
        Fault::Empty => format!("{what} must not be empty."),
        Fault::TooLong(_) => format!("{what} has at most {max} characters."),
        Fault::Control => format!("{what} cannot hold control characters."),
    }
}

fn capital(text: impl ToString) -> String {
    let text = text.to_string();
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// What is shown of a wrong value.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

fn genres(given: &[String]) -> Result<Vec<Genre>, String> {
    let mut out = Vec::new();
    for word in given.iter().take(1000) {
        let genre = word.trim().parse().map_err(|_| {
            format!("“{}” is not a genre. The genres are listed at /api/v1/vocabulary.", shown(word))
        })?;
        if !out.contains(&genre) {
            out.push(genre);
        }
    }
    if out.len() > MAX_GENRES { Err(format!("A title has at most {MAX_GENRES} genres.")) } else { Ok(out) }
}

/// A tag as it is stored and compared: compatibility characters and capitals folded, no leading `#`.
pub fn fold_tag(given: &str) -> Result<String, String> {
    let folded: String = given.nfkc().flat_map(char::to_lowercase).collect();
    line("A tag", folded.trim().trim_start_matches('#'), MAX_TAG)
}

fn tags(given: &[String]) -> Result<Vec<String>, String> {
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    for tag in given {
        let tag = fold_tag(tag)?;
        if !tag.is_empty() && seen.insert(tag.clone()) {
            out.push(tag);
        }
        if out.len() > MAX_TAGS {
            return Err(format!("A title has at most {MAX_TAGS} tags."));
        }
    }
    Ok(out)
}

fn cast(given: &[Credit]) -> Result<Vec<Credit>, String> {
    if given.len() > MAX_CAST {
        return Err(format!("A cast has at most {MAX_CAST} people."));
    }
    let credit = |credit: &Credit| {
        let name = filled("A name in the cast", &credit.name, MAX_NAME)?;
        Ok(Credit { name, role: line("A role in the cast", &credit.role, MAX_NAME)? })
    };
    given.iter().map(credit).collect()
}

fn directors(given: &[String]) -> Result<Vec<String>, String> {
    if given.len() > MAX_DIRECTORS {
        return Err(format!("A title has at most {MAX_DIRECTORS} directors."));
    }
    let mut out: Vec<String> = Vec::new();
    for name in given {
        let name = filled("A director's name", name, MAX_NAME)?;
        if !out.contains(&name) {
            out.push(name);
        }
    }
    Ok(out)
}

fn release_year(given: Option<i64>, now: Micros) -> Result<Option<i64>, String> {
    // A mean Gregorian year; ten years ahead the fraction does not matter.
    let last = 1970 + now.seconds() / 31_556_952 + 10;
    match given {
        Some(year) if !(FIRST_YEAR..=last).contains(&year) => {
            Err(format!("A release year lies between {FIRST_YEAR} and {last}."))
        }
        year => Ok(year),
    }
}

fn countries(given: Option<Vec<String>>) -> Result<Option<Vec<Country>>, String> {
    let Some(given) = given else { return Ok(None) };
    let mut out = BTreeSet::new();
    for code in given.iter().take(1000) {
        let country = code.trim().parse();
        out.insert(country.map_err(|_| {
            format!("“{}” is not a country. Use two letters of ISO 3166-1, such as DE.", shown(code))
        })?);
    }
    if out.is_empty() {
        return Err("Name at least one country, or null for everywhere.".into());
    }
    Ok(Some(out.into_iter().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = Micros(1_767_225_600 * Micros::SECOND); // 2026-01-01

    fn fields() -> Fields {
        Fields {
            title: "T".into(),
            description: String::new(),
            attribution: String::new(),
            kind: Kind::Clip,
            genres: vec![],
            tags: vec![],
            cast: vec![],
            directors: vec![],
            language: None,
            release_year: None,
            maturity_rating: None,
            visibility: Visibility::Private,
            publish_at: None,
            available_from: None,
            available_until: None,
            countries: None,
            poster_id: None,
        }
    }

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn what_is_given_is_normalised() {
        let change = Change {
            title: Some("  The\u{202E}  Third Man ".into()),
            genres: Some(words(&["drama", "thriller", "drama"])),
            tags: Some(words(&[" #Wien ", "wien", "Film  Noir", "", "ﬁlm"])),
            cast: Some(vec![Credit { name: " Orson  Welles".into(), role: "Harry Lime ".into() }]),
            directors: Some(words(&["Carol Reed", " Carol  Reed"])),
            language: Some(Some("EN-gb".into())),
            release_year: Some(Some(1949)),
            maturity_rating: Some(Some("PG".into())),
            countries: Some(Some(words(&["fr", "DE", "FR"]))),
            ..Change::default()
        };
        let new = change.apply(&fields(), NOW).unwrap();
        assert_eq!(new.title, "The Third Man");
        assert_eq!(new.genres, [Genre::Drama, Genre::Thriller]);
        assert_eq!(new.tags, ["wien", "film noir", "film"]);
        assert_eq!(new.cast[0], Credit { name: "Orson Welles".into(), role: "Harry Lime".into() });
        assert_eq!(new.directors, ["Carol Reed"]);
        assert_eq!(new.language.as_ref().unwrap().tag(), "en-GB");
        assert_eq!(
            new.countries.as_ref().unwrap().iter().map(Country::code).collect::<Vec<_>>(),
            ["DE", "FR"]
        );
        let emptied = Change { language: Some(None), countries: Some(None), ..Change::default() };
        let emptied = emptied.apply(&new, NOW).unwrap();
        assert_eq!((emptied.language, emptied.countries, emptied.release_year), (None, None, Some(1949)));
    }

    #[test]
    fn all_faults_are_told_at_once_one_for_each_field() {
        let change = Change {
            title: Some(" ".into()),
            description: Some("x".repeat(10_001)),
            kind: Some("episode".into()),
            genres: Some(words(&["polka"])),
            tags: Some((0..31).map(|n| format!("t{n}")).collect()),
            cast: Some(vec![Credit { name: String::new(), role: "x".into() }]),
            directors: Some(words(&["a\u{7}"])),
            language: Some(Some("klingon!".into())),
            release_year: Some(Some(1492)),
            maturity_rating: Some(Some("XXX".into())),
            visibility: Some("everybody".into()),
            countries: Some(Some(vec![])),
            available_from: Some(Some(Micros(5))),
            available_until: Some(Some(Micros(5))),
            ..Change::default()
        };
        let faults = change.apply(&fields(), NOW).unwrap_err();
        let named: Vec<_> = faults.iter().map(|fault| fault.field).collect();
        assert_eq!(
            named,
            [
                "title",
                "description",
                "kind",
                "genres",
                "tags",
                "cast",
                "directors",
                "language",
                "release_year",
                "maturity_rating",
                "countries",
                "visibility",
                "available_until"
            ]
        );
        for fault in faults {
            assert!(fault.words.ends_with('.') && !fault.words.starts_with('a'), "{}", fault.words);
        }
    }

    #[test]
    fn a_schedule_has_a_time_to_come_and_ends_with_it() {
        let scheduled = |at: Option<i64>| Change {
            visibility: Some("scheduled".into()),
            publish_at: at.map(|at| Some(NOW.plus(at))),
            ..Change::default()
        };
        assert_eq!(scheduled(None).apply(&fields(), NOW).unwrap_err()[0].field, "publish_at");
        assert!(scheduled(Some(0)).apply(&fields(), NOW).is_err());
        assert!(scheduled(Some(i64::MAX / 2)).apply(&fields(), NOW).is_err());
        let planned = scheduled(Some(60)).apply(&fields(), NOW).unwrap();
        assert_eq!(planned.publish_at, Some(NOW.plus(60)));
        // Other edits of a title that is just due are no fault of the editor.
        let retitled = Change { title: Some("New".into()), ..Change::default() };
        assert!(retitled.apply(&planned, NOW.plus(61)).is_ok());
        let public = Change { visibility: Some("public".into()), ..Change::default() };
        assert_eq!(public.apply(&planned, NOW).unwrap().publish_at, None);
        let loose = Change { publish_at: Some(Some(NOW.plus(60))), ..Change::default() };
        assert_eq!(loose.apply(&fields(), NOW).unwrap_err()[0].field, "publish_at");
    }
}
