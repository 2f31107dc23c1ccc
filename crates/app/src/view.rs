//! How titles and people look in JSON.

use api::Time;
use domain::{Micros, Viewer};
use serde::Serialize;
use store::{artwork, positions::Position, steps, videos};
use utoipa::ToSchema;

use crate::{App, broadcast::EventInfo, title};

/// A title.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Video {
    pub id: String,
    pub title: String,
    pub description: String,
    /// Credit line, may be empty.
    pub attribution: String,
    #[schema(value_type = KindWord)]
    pub kind: &'static str,
    /// Ids of the vocabulary.
    pub genres: Vec<&'static str>,
    pub tags: Vec<String>,
    pub cast: Vec<Credit>,
    pub directors: Vec<String>,
    /// BCP 47.
    #[schema(required = true)]
    pub language: Option<String>,
    #[schema(required = true)]
    pub release_year: Option<i64>,
    /// G, PG, PG-13, R, NC-17, TV-Y, TV-Y7, TV-G, TV-PG, TV-14 or TV-MA.
    #[schema(required = true)]
    pub maturity_rating: Option<&'static str>,
    /// public, unlisted, private or scheduled.
    #[schema(value_type = VisibilityWord)]
    pub visibility: &'static str,
    #[schema(value_type = StateWord)]
    pub state: &'static str,
    /// When a scheduled title becomes public.
    #[schema(required = true)]
    pub publish_at: Option<Time>,
    /// It plays from then on …
    #[schema(required = true)]
    pub available_from: Option<Time>,
    /// … and before then; for those who manage it at any time.
    #[schema(required = true)]
    pub available_until: Option<Time>,
    /// The only countries where it plays, ISO 3166-1 alpha-2; `null`: everywhere.
    #[schema(required = true)]
    pub countries: Option<Vec<String>>,
    /// False while the presentation still grows.
    pub complete: bool,
    /// It is sent now.
    pub live: bool,
    /// What a live event has beside its title; told with a single title, on home and in lists of events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventInfo>,
    /// Why it failed; told to those who may manage the title.
    #[schema(required = true)]
    pub error: Option<String>,
    #[schema(required = true)]
    pub duration_ms: Option<i64>,
    #[schema(required = true)]
    pub width: Option<i64>,
    #[schema(required = true)]
    pub height: Option<i64>,
    pub owner: Owner,
    pub created_at: Time,
    #[schema(required = true)]
    pub published_at: Option<Time>,
    pub updated_at: Time,
    /// In the trash since.
    #[schema(required = true)]
    pub deleted_at: Option<Time>,
    /// When it will be deleted for good, unless it is taken out of the trash.
    #[schema(required = true)]
    pub purge_at: Option<Time>,
    /// Grows with every edit; the ETag is `"r{revision}"`.
    pub revision: i64,
    #[schema(required = true)]
    pub poster_url: Option<String>,
    /// The chosen pictures.
    pub artwork: Artwork,
    /// How far the caller has watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Is it on the caller's list? Told where titles are found and watched, to those who are signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_watchlist: Option<bool>,
    /// The workflow's steps; only for those who may manage the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<Step>>,
    /// An earlier title of the same owner that was made of the same bytes; told to those who may manage the title.
    #[schema(required = true)]
    pub duplicate_of: Option<String>,
    /// Whether the caller may edit and delete it.
    pub can_manage: bool,
    /// Where people watch it.
    pub page_url: String,
}

/// The chosen pictures of a title, each in several sizes and formats.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct Artwork {
    /// 16:9, or the title's own shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub poster: Option<Picture>,
    /// 2:3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub portrait: Option<Picture>,
    /// 21:9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub banner: Option<Picture>,
}

/// A picture that is served in several sizes and formats.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Picture {
    /// Without a size: add `?width=160`, 320, 640, 1280 or 1920. AVIF, WebP or JPEG, as `Accept` says.
    pub url: String,
    /// Size of the widest form, in pixels.
    pub width: i64,
    pub height: i64,
    /// A tiny picture as data URL, to be shown enlarged until the real one is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blur: Option<String>,
    /// Text that stands for it; may be empty.
    pub alt: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Owner {
    pub id: String,
    pub name: String,
}

/// Someone in the cast.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Credit {
    pub name: String,
    /// Whom they play; may be empty.
    pub role: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Progress {
    pub position_ms: i64,
    pub duration_ms: i64,
}

/// One step of the way from file to title.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Step {
    /// upload, probe, encode, audio, pictures or publish.
    #[schema(example = "encode")]
    pub name: &'static str,
    #[schema(value_type = StepState)]
    pub state: &'static str,
    /// Units of work done, of `total`.
    pub done: i64,
    /// 0: not known yet.
    pub total: i64,
    pub message: String,
    pub updated_at: Time,
}

/// Who can find and open a title.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum VisibilityWord {
    Public,
    Unlisted,
    Private,
    Scheduled,
}

/// What sort of title it is.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum KindWord {
    Movie,
    Clip,
    Recording,
}

/// Where a title stands.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum StateWord {
    /// An event that has not begun.
    Upcoming,
    Uploading,
    Processing,
    Ready,
    Failed,
    Cancelled,
    /// An event that was not kept.
    Ended,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum StepState {
    Waiting,
    Running,
    Done,
    Failed,
    Cancelled,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum RoleWord {
    Viewer,
    Creator,
    Admin,
}

#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code)]
pub enum ScopeWord {
    Read,
    Upload,
    Manage,
    Admin,
}

impl App {
    /// The title as `viewer` may see it. They may open it: the caller has asked `title::may_open`.
    pub fn video(&self, row: videos::Video, viewer: Option<Viewer>) -> Video {
        let manages = title::may_manage(&row, viewer);
        let live = row.is_live();
        let poster_url =
            row.poster_id.as_deref().map(|picture| picture_url(&row.id.to_string(), picture, 640));
        Video {
            page_url: self.link(&format!("/watch/{}", row.id)),
            poster_url,
            artwork: Artwork::new(&row.id.to_string(), row.artwork),
            id: row.id.to_string(),
            title: row.title,
            description: row.description,
            attribution: row.attribution,
            kind: row.kind.word(),
            genres: row.genres.0.into_iter().map(|genre| genre.word()).collect(),
            tags: row.tags.0,
            cast: row
                .cast
                .0
                .into_iter()
                .map(|credit| Credit { name: credit.name, role: credit.role })
                .collect(),
            directors: row.directors.0,
            language: row.language.0.map(String::from),
            release_year: row.release_year,
            maturity_rating: row.maturity_rating.0.map(|rating| rating.word()),
            visibility: row.visibility.word(),
            publish_at: row.publish_at.map(time),
            available_from: row.available_from.map(time),
            available_until: row.available_until.map(time),
            countries: row.countries.0.map(|list| list.into_iter().map(String::from).collect()),
            state: row.state.word(),
            complete: row.complete,
            live,
            event: None,
            error: row.error.filter(|_| manages),
            duplicate_of: row.duplicate_of.filter(|_| manages),
            duration_ms: row.duration_ms,
            width: row.width,
            height: row.height,
            owner: Owner { id: row.owner_id.to_string(), name: row.owner_name },
            created_at: row.created_at.into(),
            published_at: row.published_at.map(time),
            updated_at: row.updated_at.into(),
            deleted_at: row.deleted_at.map(time),
            purge_at: row
                .deleted_at
                .map(|at| time(at.saturating_add(i64::from(self.config.trash_days) * Micros::DAY))),
            revision: row.revision,
            progress: None,
            in_watchlist: None,
            steps: None,
            can_manage: manages,
        }
    }
}

impl Artwork {
    fn new(video: &str, chosen: artwork::Chosen) -> Self {
        let picture = |piece: artwork::Piece| Picture {
            url: artwork_url(video, &piece.id),
            width: piece.width,
            height: piece.height,
            blur: Some(piece.blur).filter(|blur| !blur.is_empty()),
            alt: piece.alt,
        };
        Self {
            poster: chosen.poster.map(picture),
            portrait: chosen.portrait.map(picture),
            banner: chosen.banner.map(picture),
        }
    }
}

impl Video {
    #[must_use]
    pub fn with_progress(self, position: Option<&Position>) -> Self {
        let progress =
            position.map(|p| Progress { position_ms: p.position_ms, duration_ms: p.watched_duration_ms });
        Self { progress, ..self }
    }

    #[must_use]
    pub fn with_steps(self, steps: impl IntoIterator<Item = steps::Step>) -> Self {
        Self { steps: Some(steps.into_iter().map(Step::from).collect()), ..self }
    }
}

impl From<steps::Step> for Step {
    fn from(step: steps::Step) -> Self {
        Self {
            name: step.name.as_str(),
            state: step.state.as_str(),
            done: step.done,
            total: step.total,
            message: step.message,
            updated_at: step.updated_at.into(),
        }
    }
}

fn time(micros: i64) -> Time {
    Time(Micros(micros))
}

/// Where a picture is served in all sizes and formats.
pub fn artwork_url(video: &str, picture: &str) -> String {
    format!("/api/v1/videos/{video}/artwork/{picture}")
}

/// Where a picture is served as JPEG, in one of the usual widths.
pub fn picture_url(video: &str, picture: &str, width: u32) -> String {
    format!("/api/v1/videos/{video}/poster/{picture}/{width}.jpg")
}
