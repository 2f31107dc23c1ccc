//! Search: titles by words and filters, and the people and channels of these words.

use api::{Cursor, FieldError, Json, Problem, ProblemBody, Query, page};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::search::{self, Hit, Length, Sort, Wanted};
use utoipa::{IntoParams, ToSchema};

use crate::{App, Asker, Result, personal::Personal, view::Video};

/// Longest query, in characters.
const MAX_QUERY: usize = 200;
/// Most people and most channels of an answer.
const GROUP: u32 = 8;
/// Years further away than these are nobody's.
const YEARS: std::ops::RangeInclusive<i64> = 0..=9999;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words, all of which must occur in title, channel name, people, tags or description. May be empty beside a filter.
    #[serde(default)]
    pub q: String,
    /// Id of a genre.
    pub genre: Option<String>,
    /// BCP 47; its regional variants as well.
    pub language: Option<String>,
    /// Released in this year or later.
    pub year_from: Option<i64>,
    /// Released in this year or earlier.
    pub year_to: Option<i64>,
    /// `short` (under 20 minutes), `medium` or `long` (an hour and more).
    pub length: Option<String>,
    /// A maturity rating.
    pub rating: Option<String>,
    /// `relevance` (as without it), `newest` or `longest`.
    pub sort: Option<String>,
    /// Rows on the page, 1 to 100; 24 unless told.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// What was found, in groups.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchAnswer {
    /// Titles.
    pub items: Vec<Video>,
    /// Send it back as `cursor` for the next page of titles; `null` on the last one.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
    /// People in whose names all words occur; on the first page only. Search for the name to get their titles.
    pub people: Vec<Person>,
    /// Channels in whose names all words occur; on the first page only.
    pub channels: Vec<Channel>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Person {
    pub name: String,
    /// director, cast or both.
    #[schema(example = json!(["director"]))]
    pub jobs: Vec<&'static str>,
    pub titles: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Channel {
    /// The account's.
    pub id: String,
    pub name: String,
    pub titles: i64,
}

/// Titles in which every word occurs and that pass the filters, best first; with people and channels of these words.
#[utoipa::path(get, path = "/api/v1/search", tag = "discovery", params(SearchQuery),
    responses((status = 200, body = SearchAnswer), (status = 422, body = ProblemBody)))]
pub async fn search(
    State(app): State<App>,
    asker: Asker,
    Query(query): Query<SearchQuery>,
) -> Result<Json<SearchAnswer>> {
    let cursor = Cursor { limit: query.limit, cursor: query.cursor.clone() };
    let (limit, after) = (cursor.limit()?, cursor.after()?);
    let wanted = query.wanted()?;
    let mut reader = app.store.reader().await?;
    let hits = search::find(&mut reader, &asker, &wanted, after, limit + 1).await?;
    let (people, channels) = if after.is_none() {
        let people = search::people(&mut reader, &asker, &wanted.words, GROUP).await?;
        (people, search::channels(&mut reader, &asker, &wanted.words, GROUP).await?)
    } else {
        Default::default()
    };
    let personal = Personal::of(&mut reader, asker.viewer).await?;
    let key = |hit: &Hit| (hit.rank, hit.video.published_at.unwrap_or_default(), hit.video.id);
    let page = page::page(hits, limit, key, |hit| personal.dress(app.video(hit.video, asker.viewer)));
    Ok(Json(SearchAnswer {
        items: page.items,
        next_cursor: page.next_cursor,
        people: people.into_iter().map(Person::from).collect(),
        channels: channels.into_iter().map(Channel::from).collect(),
    }))
}

impl SearchQuery {
    fn wanted(&self) -> Result<Wanted, Problem> {
        let mut errors = Vec::new();
        let mut wrong =
            |field: &'static str, detail: &str| errors.push(FieldError { field, detail: detail.into() });
        if self.q.chars().count() > MAX_QUERY {
            wrong("q", "A search has at most 200 characters.");
        }
        // An empty parameter is what a form sends for "any".
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let genre = given(&self.genre).map(|word| word.parse()).transpose();
        let language = given(&self.language).map(|tag| tag.parse()).transpose();
        let rating = given(&self.rating).map(|word| word.parse()).transpose();
        let length = match given(&self.length).as_deref() {
            None => None,
            Some("short") => Some(Length::Short),
            Some("medium") => Some(Length::Medium),
            Some("long") => Some(Length::Long),
            Some(_) => {
                wrong("length", "A length is short, medium or long.");
                None
            }
        };
        let sort = match given(&self.sort).as_deref() {
            None | Some("relevance") => Sort::Relevance,
            Some("newest") => Sort::Newest,
            Some("longest") => Sort::Longest,
            Some(_) => {
                wrong("sort", "Titles can be sorted by relevance, newest or longest.");
                Sort::Relevance
            }
        };
        if genre.is_err() {
            wrong("genre", "This is not a genre. The genres are listed at /api/v1/vocabulary.");
        }
        if language.is_err() {
            wrong("language", "A language is a BCP 47 tag such as en, pt-BR or zh-Hant.");
        }
        if rating.is_err() {
            wrong("rating", "This is not a maturity rating. They are listed at /api/v1/vocabulary.");
        }
        if self.year_from.is_some_and(|year| !YEARS.contains(&year)) {
            wrong("year_from", "A year has at most four digits.");
        }
        if self.year_to.is_some_and(|year| !YEARS.contains(&year)) {
            wrong("year_to", "A year has at most four digits.");
        }
        match (genre, language, rating) {
            (Ok(genre), Ok(language), Ok(rating)) if errors.is_empty() => Ok(Wanted {
                words: self.q.clone(),
                genre,
                language,
                rating,
                years: (self.year_from, self.year_to),
                length,
                sort,
            }),
            _ => Err(Problem::invalid_fields(errors)),
        }
    }
}

impl From<search::Person> for Person {
    fn from(found: search::Person) -> Self {
        let jobs = [("director", found.directs), ("cast", found.plays)];
        let jobs = jobs.into_iter().filter(|(_, does)| *does).map(|(job, _)| job).collect();
        Self { name: found.name, jobs, titles: found.titles }
    }
}

impl From<search::Channel> for Channel {
    fn from(found: search::Channel) -> Self {
        Self { id: found.id, name: found.name, titles: found.titles }
    }
}
