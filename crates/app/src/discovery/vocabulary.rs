//! The words that titles are filed under.

use api::Json;
use axum::extract::State;
use domain::{
    locale::Country,
    vocabulary::{Genre, Kind, Rating},
};
use serde::Serialize;
use store::library::{self, Tally};
use utoipa::ToSchema;

use crate::{App, Asker, Result};

/// The fixed words, and how many titles that everybody may find carry them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Vocabulary {
    #[schema(example = json!(["movie", "clip", "recording"]))]
    pub kinds: Vec<&'static str>,
    /// All of them, in the order of their names.
    pub genres: Vec<GenreEntry>,
    /// All of them, films' first.
    pub ratings: Vec<RatingEntry>,
    /// Those that have titles, most titles first.
    pub languages: Vec<LanguageEntry>,
    /// Every country that a title can be limited to, ISO 3166-1 alpha-2.
    #[schema(example = json!(["AT", "CH", "DE"]))]
    pub countries: Vec<String>,
    /// Whether this instance can tell where its viewers are: without it titles cannot be limited to countries.
    pub knows_countries: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct GenreEntry {
    #[schema(example = "animation")]
    pub id: &'static str,
    /// In English.
    #[schema(example = "Animation")]
    pub name: &'static str,
    pub titles: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RatingEntry {
    #[schema(example = "PG-13")]
    pub id: &'static str,
    /// The age in years from which such titles are thought suitable.
    #[schema(example = 13)]
    pub age: u8,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LanguageEntry {
    /// BCP 47.
    pub tag: String,
    pub titles: i64,
}

/// Genres, ratings, countries, and the languages that have titles.
#[utoipa::path(get, path = "/api/v1/vocabulary", tag = "discovery", responses((status = 200, body = Vocabulary)))]
pub async fn get(State(app): State<App>, asker: Asker) -> Result<Json<Vocabulary>> {
    let mut reader = app.store.reader().await?;
    let genres = library::genres_in_use(&mut reader, &asker).await?;
    let languages = library::languages_in_use(&mut reader, &asker).await?;
    let titles = |id: &str| genres.iter().find(|tally| tally.word == id).map_or(0, |tally| tally.titles);
    let genre =
        |genre: &Genre| GenreEntry { id: genre.word(), name: genre.name(), titles: titles(genre.word()) };
    let rating = |rating: &Rating| RatingEntry { id: rating.word(), age: rating.age() };
    Ok(Json(Vocabulary {
        kinds: Kind::ALL.iter().map(|kind| kind.word()).collect(),
        genres: Genre::ALL.iter().map(genre).collect(),
        ratings: Rating::ALL.iter().map(rating).collect(),
        languages: languages
            .into_iter()
            .map(|Tally { word, titles }| LanguageEntry { tag: word, titles })
            .collect(),
        countries: Country::all().map(String::from).collect(),
        knows_countries: app.geo.knows_countries(),
    }))
}
