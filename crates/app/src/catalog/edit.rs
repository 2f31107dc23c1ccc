//! Editing a title: what comes in, which fields are wrong, and the new title.

use api::{FieldError, Id, Json, Principal, Problem, ProblemBody, Time, etag};
use axum::{extract::State, http::HeaderMap, response::Response};
use domain::{
    Micros, VideoId,
    details::{self, Change, Credit, FieldFault},
};
use serde::{Deserialize, Deserializer};
use store::{Tx, library, videos};
use utoipa::ToSchema;

use super::{artwork, routes::tagged, schedule};
use crate::{
    App, Result, announce,
    playback::narrowed,
    title,
    view::{KindWord, VisibilityWord},
};

/// Changes of a title. What is absent stays as it is; `null` empties a field that may be empty.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VideoBody {
    /// 1 to 200 characters on one line.
    pub title: Option<String>,
    /// At most 10 000 characters.
    pub description: Option<String>,
    /// Credit line shown under the title.
    pub attribution: Option<String>,
    #[schema(value_type = Option<KindWord>)]
    pub kind: Option<String>,
    /// Ids of the vocabulary, at most 5.
    #[schema(max_items = 5)]
    pub genres: Option<Vec<String>>,
    /// At most 30 of at most 40 characters; stored in lower case.
    #[schema(max_items = 30)]
    pub tags: Option<Vec<String>>,
    #[schema(max_items = 100)]
    pub cast: Option<Vec<CreditBody>>,
    #[schema(max_items = 20)]
    pub directors: Option<Vec<String>>,
    /// BCP 47.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub language: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i64>)]
    pub release_year: Option<Option<i64>>,
    /// G, PG, PG-13, R, NC-17, TV-Y, TV-Y7, TV-G, TV-PG, TV-14 or TV-MA.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub maturity_rating: Option<Option<String>>,
    #[schema(value_type = Option<VisibilityWord>)]
    pub visibility: Option<String>,
    /// When a scheduled title becomes public.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub publish_at: Option<Option<String>>,
    /// The title plays from then on.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub available_from: Option<Option<String>>,
    /// The title plays before then.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub available_until: Option<Option<String>>,
    /// ISO 3166-1 alpha-2 codes of the only countries where it plays; `null`: everywhere.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    pub countries: Option<Option<Vec<String>>>,
    /// One of the title's posters.
    pub poster_id: Option<String>,
}

/// Someone in the cast.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreditBody {
    pub name: String,
    /// Whom they play.
    #[serde(default)]
    pub role: String,
}

/// Tells `null` from absent.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl VideoBody {
    /// The change, and what could not even be read.
    fn change(self, faults: &mut Vec<FieldFault>) -> Change {
        let mut time = |field: &'static str, text: Option<Option<String>>| -> Option<Option<Micros>> {
            let Some(text) = text? else { return Some(None) };
            match text.parse::<Time>() {
                Ok(Time(at)) => Some(Some(at)),
                Err(_) => {
                    let words = "Write the time as 2026-11-21T12:30:00Z (RFC 3339).".to_owned();
                    faults.push(FieldFault { field, words });
                    None
                }
            }
        };
        let credit = |CreditBody { name, role }: CreditBody| Credit { name, role };
        Change {
            publish_at: time("publish_at", self.publish_at),
            available_from: time("available_from", self.available_from),
            available_until: time("available_until", self.available_until),
            title: self.title,
            description: self.description,
            attribution: self.attribution,
            kind: self.kind,
            genres: self.genres,
            tags: self.tags,
            cast: self.cast.map(|cast| cast.into_iter().map(credit).collect()),
            directors: self.directors,
            language: self.language,
            release_year: self.release_year,
            maturity_rating: self.maturity_rating,
            visibility: self.visibility,
            countries: self.countries,
            poster_id: self.poster_id,
        }
    }
}

/// Changes a title's details. With `If-Match` only the revision that it names.
#[utoipa::path(patch, path = "/api/v1/videos/{id}", tag = "videos", params(("id" = String, Path),
    ("If-Match" = Option<String>, Header, description = "the ETag of the revision that the change is based on")),
    request_body = VideoBody,
    responses((status = 200, body = crate::view::Video), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 412, body = ProblemBody),
        (status = 422, body = ProblemBody, description = "`errors` names every field that is wrong")))]
pub async fn edit(
    State(app): State<App>,
    principal: Principal,
    Id(id): Id<VideoId>,
    headers: HeaderMap,
    Json(body): Json<VideoBody>,
) -> Result<Response> {
    let mut tx = app.store.begin().await?;
    title::manage(&mut tx, id, &principal).await?;
    let row = library::lock(&mut tx, id).await?;
    etag::check(&headers, row.revision)?;
    let row = change(&app, &mut tx, row, body, &principal).await?;
    let video = app.video_with_steps(&mut tx, row, Some(principal.viewer())).await?;
    tx.commit().await?;
    Ok(tagged(video))
}

/// Applies `body` to a title that `principal` may change and that is locked.
pub(crate) async fn change(
    app: &App,
    tx: &mut Tx,
    row: videos::Video,
    body: VideoBody,
    principal: &Principal,
) -> Result<videos::Video> {
    let now = app.clock.now();
    let mut faults = Vec::new();
    let change = body.change(&mut faults);
    let poster = match &change.poster_id {
        Some(poster) => artwork::poster(tx, row.id, poster).await?,
        None => None,
    };
    if change.poster_id.is_some() && poster.is_none() {
        faults.push(fault("poster_id", "This is not a poster of this title."));
    }
    if matches!(change.countries, Some(Some(_))) && !app.geo.knows_countries() {
        faults.push(fault(
            "countries",
            "This instance cannot tell where its viewers are, so it cannot limit a title to countries. An administrator can \
             set `geo.database` or `geo.country_header` in its configuration.",
        ));
    }
    let old = row.fields();
    match change.apply(&old, now) {
        Ok(new) if faults.is_empty() => {
            let saved = library::save(tx, &row, &new, Some(principal.user), now).await?;
            schedule::plan(tx, &row, &saved, now).await?;
            let saved = match poster {
                Some(poster) => {
                    artwork::choose(tx, &poster, now).await?;
                    videos::get(tx, row.id).await?
                }
                None => saved,
            };
            narrowed::note(tx, &row, &saved, now).await?;
            announce::edited(tx, &row, &saved, now).await?;
            Ok(saved)
        }
        outcome => {
            let others = outcome.err().unwrap_or_default();
            let others: Vec<_> = others
                .into_iter()
                .filter(|other| faults.iter().all(|known| known.field != other.field))
                .collect();
            faults.extend(others);
            Err(problem(faults).into())
        }
    }
}

fn fault(field: &'static str, words: &str) -> FieldFault {
    FieldFault { field, words: words.into() }
}

fn problem(faults: Vec<details::FieldFault>) -> Problem {
    let error = |FieldFault { field, words }: FieldFault| FieldError { field, detail: words };
    Problem::invalid_fields(faults.into_iter().map(error).collect())
}
