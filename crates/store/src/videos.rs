//! Titles: what the library shows, from the first uploaded byte to the trash.

use std::str::FromStr;

use domain::{
    Audience, Language, Micros, PresentationId, SourceId, UserId, VideoId, Visibility,
    details::Credit,
    vocabulary::{Genre, Kind, Rating},
};

use crate::{
    Connect, Error, Result, Tx, artwork,
    db::{execute, query},
    library::{Countries, List, Maybe, country_pattern},
    search::{self, Searched},
};

/// Where a title stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// An event that has not begun.
    Upcoming,
    Uploading,
    Processing,
    /// Playable; grows while `complete` is false.
    Ready,
    Failed,
    Cancelled,
    /// An event that was not kept.
    Ended,
}

impl State {
    pub const ALL: &'static [Self] = &[
        Self::Upcoming,
        Self::Uploading,
        Self::Processing,
        Self::Ready,
        Self::Failed,
        Self::Cancelled,
        Self::Ended,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Uploading => "uploading",
            Self::Processing => "processing",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
        }
    }

    /// Has everybody who may open a title in this state something to see? That an event is to come, or that it is over, is such.
    pub fn is_shown(self) -> bool {
        matches!(self, Self::Ready | Self::Upcoming | Self::Ended)
    }
}

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|state| state.word() == text);
        known.copied().ok_or_else(|| {
            "a state is upcoming, uploading, processing, ready, failed, cancelled or ended".to_owned()
        })
    }
}

impl TryFrom<String> for State {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// A row of the library, with its owner's name.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Video {
    #[sqlx(try_from = "String")]
    pub id: VideoId,
    #[sqlx(try_from = "String")]
    pub owner_id: UserId,
    pub owner_name: String,
    pub title: String,
    pub description: String,
    /// Credit line shown under the title; may be empty.
    pub attribution: String,
    #[sqlx(try_from = "String")]
    pub kind: Kind,
    #[sqlx(try_from = "String")]
    pub genres: List<Genre>,
    #[sqlx(try_from = "String")]
    pub tags: List<String>,
    #[sqlx(rename = "cast_list", try_from = "String")]
    pub cast: List<Credit>,
    #[sqlx(try_from = "String")]
    pub directors: List<String>,
    #[sqlx(try_from = "Option<String>")]
    pub language: Maybe<Language>,
    pub release_year: Option<i64>,
    #[sqlx(try_from = "Option<String>")]
    pub maturity_rating: Maybe<Rating>,
    #[sqlx(try_from = "String")]
    pub visibility: Visibility,
    /// When a scheduled title becomes public.
    pub publish_at: Option<i64>,
    /// It plays from then on …
    pub available_from: Option<i64>,
    /// … and before then.
    pub available_until: Option<i64>,
    #[sqlx(try_from = "Option<String>")]
    pub countries: Countries,
    #[sqlx(try_from = "String")]
    pub state: State,
    /// The presentation grows no more.
    pub complete: bool,
    /// It is, or was, sent live: [`crate::events`] has more.
    pub is_event: bool,
    /// Why it failed, in words for its creator.
    pub error: Option<String>,
    pub source_id: Option<String>,
    pub presentation_id: Option<String>,
    /// An earlier title of the same owner that was made of the same bytes.
    pub duplicate_of: Option<String>,
    /// The chosen picture.
    pub poster_id: Option<String>,
    /// The chosen pictures of all kinds.
    #[sqlx(try_from = "String")]
    pub artwork: artwork::Chosen,
    pub duration_ms: Option<i64>,
    pub width: Option<i64>,
    pub height: Option<i64>,
    /// Grows with every change that its editors see.
    pub revision: i64,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
    #[sqlx(try_from = "i64")]
    pub updated_at: Micros,
    pub published_at: Option<i64>,
    /// In the trash since.
    pub deleted_at: Option<i64>,
}

impl Video {
    /// What plays now.
    pub fn presentation(&self) -> Option<PresentationId> {
        self.presentation_id.as_deref().and_then(|id| id.parse().ok())
    }

    pub fn source(&self) -> Option<SourceId> {
        self.source_id.as_deref().and_then(|id| id.parse().ok())
    }

    /// Is it sent now?
    pub fn is_live(&self) -> bool {
        self.is_event && self.state == State::Ready && !self.complete
    }

    pub fn is_trashed(&self) -> bool {
        self.deleted_at.is_some()
    }
}

/// A title that begins its life.
#[derive(Debug, Clone)]
pub struct NewVideo {
    pub id: VideoId,
    pub owner: UserId,
    pub title: String,
    pub description: String,
    pub attribution: String,
    pub visibility: Visibility,
}

/// Sorts after every id, so that a first page needs no statement of its own.
pub(crate) const LAST_ID: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// `SELECT` of [`Video`] with whatever follows. Not of all columns: the text that is searched is the largest.
macro_rules! select {
    ($($rest:expr),+) => {
        concat!(
            "SELECT v.id, v.owner_id, u.name AS owner_name, v.title, v.description, v.attribution, v.kind, v.genres, v.tags, \
             v.cast_list, v.directors, v.language, v.release_year, v.maturity_rating, v.visibility, v.publish_at, \
             v.available_from, v.available_until, v.countries, v.state, v.complete, v.is_event, v.error, v.source_id, v.presentation_id, \
             v.duplicate_of, v.poster_id, v.artwork, v.duration_ms, v.width, v.height, v.revision, v.created_at, v.updated_at, \
             v.published_at, v.deleted_at FROM videos v JOIN users u ON u.id = v.owner_id ",
            $($rest),+
        )
    };
}

/// Is the title `v` one that everybody may find, at the instant and in the country pattern of these parameters? The SQL of
/// [`domain::access::Terms::check`] for strangers.
macro_rules! listed {
    ($now:literal, $country:literal) => {
        concat!("v.visibility = 'public' AND ", crate::videos::playing!($now, $country))
    };
}

/// Does the title `v` play then and there?
macro_rules! playing {
    ($now:literal, $country:literal) => {
        concat!("v.state = 'ready' AND ", crate::videos::there!($now, $country))
    };
}

/// Is the title `v` for those who are there then, whatever its state?
macro_rules! there {
    ($now:literal, $country:literal) => {
        concat!(
            "v.deleted_at IS NULL AND (v.available_from IS NULL OR v.available_from <= ",
            $now,
            ") AND (v.available_until IS NULL OR v.available_until > ",
            $now,
            ") AND (v.countries IS NULL OR v.countries LIKE ",
            $country,
            ")"
        )
    };
}

pub(crate) use {listed, playing, select, there};

/// Creates a title in state `uploading`.
pub async fn insert(tx: &mut Tx, new: &NewVideo, now: Micros) -> Result<()> {
    let (owner_name,) = query!(
        fetch_one,
        &mut *tx,
        (String,),
        "SELECT name FROM users WHERE id = $1",
        new.owner.to_string()
    )?;
    execute!(
        tx,
        "INSERT INTO videos (id, owner_id, title, description, attribution, visibility, state, complete, search_text,
             revision, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'uploading', FALSE, $7, 1, $8, $8)",
        new.id.to_string(),
        new.owner.to_string(),
        &new.title,
        &new.description,
        &new.attribution,
        new.visibility.word(),
        search::text_of(&Searched {
            title: &new.title,
            owner: &owner_name,
            cast: &[],
            directors: &[],
            tags: &[],
            description: &new.description,
        }),
        now.0,
    )?;
    Ok(())
}

/// One title, also from the trash. [`Error::NotFound`] when there is none.
pub async fn get(conn: &mut impl Connect, id: VideoId) -> Result<Video> {
    query!(fetch_one, conn, Video, select!("WHERE v.id = $1"), id.to_string())
}

/// Those of these titles that there are.
pub async fn get_all(conn: &mut impl Connect, ids: &[VideoId]) -> Result<Vec<Video>> {
    let ids = serde_json::Value::from(ids.iter().map(ToString::to_string).collect::<Vec<_>>()).to_string();
    query!(
        fetch_all,
        conn,
        Video,
        sqlite select!("WHERE v.id IN (SELECT value FROM json_each($1))"),
        postgres select!("WHERE v.id IN (SELECT jsonb_array_elements_text($1::jsonb))"),
        ids
    )
}

/// The title that plays `presentation`.
pub async fn by_presentation(conn: &mut impl Connect, presentation: PresentationId) -> Result<Video> {
    let id = presentation.to_string();
    query!(fetch_one, conn, Video, select!("JOIN presentations p ON p.video_id = v.id WHERE p.id = $1"), id)
}

/// Titles that play for `audience` and are listed, newest first, after the key `(published_at, id)` of the last one seen.
pub async fn list_public(
    conn: &mut impl Connect,
    audience: &Audience,
    after: Option<(i64, VideoId)>,
    limit: u32,
) -> Result<Vec<Video>> {
    let (published_at, id) = after.map_or((i64::MAX, LAST_ID.to_owned()), |(at, id)| (at, id.to_string()));
    query!(
        fetch_all,
        conn,
        Video,
        select!(
            "WHERE ",
            listed!("$4", "$5"),
            " AND (v.published_at, v.id) < ($1, $2) ORDER BY v.published_at DESC, v.id DESC LIMIT $3"
        ),
        published_at,
        id,
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
    )
}

/// Titles of `genre` listed for `audience`, newest first.
pub async fn list_genre(
    conn: &mut impl Connect,
    audience: &Audience,
    genre: &str,
    limit: u32,
) -> Result<Vec<Video>> {
    query!(
        fetch_all,
        conn,
        Video,
        select!(
            "JOIN video_genres g ON g.video_id = v.id WHERE g.genre = $1 AND ",
            listed!("$3", "$4"),
            " ORDER BY v.published_at DESC, v.id DESC LIMIT $2"
        ),
        genre,
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
    )
}

/// Which titles a studio list shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// `None`: everybody's.
    pub owner: Option<UserId>,
    pub state: Option<State>,
    /// Those in the trash instead of those that are not.
    pub trash: bool,
}

/// Titles for the studio, latest created first, after the id of the last one seen.
pub async fn list_managed(
    conn: &mut impl Connect,
    filter: Filter,
    after: Option<VideoId>,
    limit: u32,
) -> Result<Vec<Video>> {
    query!(
        fetch_all,
        conn,
        Video,
        select!(
            "WHERE ($1 = '' OR v.owner_id = $1) AND ($2 = '' OR v.state = $2)
               AND ((v.deleted_at IS NULL AND NOT $3) OR (v.deleted_at IS NOT NULL AND $3)) AND v.id < $4
             ORDER BY v.id DESC LIMIT $5"
        ),
        filter.owner.map_or_else(String::new, |owner| owner.to_string()),
        filter.state.map_or("", State::word),
        filter.trash,
        after.map_or_else(|| LAST_ID.to_owned(), |id| id.to_string()),
        i64::from(limit),
    )
}

/// Puts a title into the trash. It plays for nobody and counts for its purge from now on.
pub async fn trash(tx: &mut Tx, id: VideoId, now: Micros) -> Result<()> {
    let done = execute!(
        tx,
        "UPDATE videos SET deleted_at = COALESCE(deleted_at, $1), revision = revision + 1, updated_at = $1 WHERE id = $2",
        now.0,
        id.to_string(),
    )?;
    one(done)
}

/// Takes a title out of the trash.
pub async fn restore(tx: &mut Tx, id: VideoId, now: Micros) -> Result<()> {
    let done = execute!(
        tx,
        "UPDATE videos SET deleted_at = NULL, revision = revision + 1, updated_at = $1 WHERE id = $2",
        now.0,
        id.to_string(),
    )?;
    one(done)
}

/// Removes the row and all that hangs on it. Blobs are the caller's care.
pub async fn delete(tx: &mut Tx, id: VideoId) -> Result<()> {
    execute!(tx, "DELETE FROM videos WHERE id = $1", id.to_string()).map(|_| ())
}

/// Titles that have lain in the trash since before `before`.
pub async fn trashed_before(conn: &mut impl Connect, before: Micros, limit: u32) -> Result<Vec<VideoId>> {
    let rows = query!(
        fetch_all,
        conn,
        (String,),
        "SELECT id FROM videos WHERE deleted_at < $1 ORDER BY deleted_at LIMIT $2",
        before.0,
        i64::from(limit),
    )?;
    rows.into_iter().map(|(id,)| id.parse().map_err(|_| Error::Corrupt(format!("videos.id {id}")))).collect()
}

/// Titles of which the row or a step changed at or after `since`, with the time of the latest change, oldest first.
pub async fn changed_since(
    conn: &mut impl Connect,
    since: Micros,
    limit: u32,
) -> Result<Vec<(VideoId, Micros)>> {
    let rows = query!(
        fetch_all,
        conn,
        (String, i64),
        "SELECT id, MAX(updated_at) AS latest FROM (
             SELECT id, updated_at FROM videos WHERE updated_at >= $1
             UNION ALL SELECT video_id, updated_at FROM steps WHERE updated_at >= $1
         ) AS changed GROUP BY id ORDER BY latest, id LIMIT $2",
        since.0,
        i64::from(limit),
    )?;
    rows.into_iter()
        .map(|(id, at)| Ok((id.parse().map_err(|_| Error::Corrupt(format!("videos.id {id}")))?, Micros(at))))
        .collect()
}

/// The source is whole: `uploading` becomes `processing`. [`Error::NotFound`] when the title is gone or was cancelled.
pub async fn processing(tx: &mut Tx, id: VideoId, source: SourceId, now: Micros) -> Result<()> {
    let done = execute!(
        tx,
        "UPDATE videos SET state = 'processing', source_id = $1, error = NULL, revision = revision + 1, updated_at = $2
         WHERE id = $3 AND state = 'uploading'",
        source.to_string(),
        now.0,
        id.to_string(),
    )?;
    one(done)
}

/// What the probe found: duration and display size.
pub async fn describe(
    tx: &mut Tx,
    id: VideoId,
    duration_ms: Option<i64>,
    size: Option<(i64, i64)>,
    now: Micros,
) -> Result<()> {
    let done = execute!(
        tx,
        "UPDATE videos SET duration_ms = $1, width = $2, height = $3, updated_at = $4 WHERE id = $5",
        duration_ms,
        size.map(|(width, _)| width),
        size.map(|(_, height)| height),
        now.0,
        id.to_string(),
    )?;
    one(done)
}

/// `presentation` can be played; `complete` once it grows no more.
pub async fn playable(
    tx: &mut Tx,
    id: VideoId,
    presentation: PresentationId,
    complete: bool,
    now: Micros,
) -> Result<()> {
    let done = execute!(
        tx,
        "UPDATE videos SET state = 'ready', complete = $1, presentation_id = $2, error = NULL,
             published_at = COALESCE(published_at, $3), revision = revision + 1, updated_at = $3
         WHERE id = $4",
        complete,
        presentation.to_string(),
        now.0,
        id.to_string(),
    )?;
    one(done)
}

/// It has just become public: among the newest from now on, if it plays already.
pub async fn published_now(tx: &mut Tx, id: VideoId, now: Micros) -> Result<()> {
    execute!(
        tx,
        "UPDATE videos SET published_at = $1 WHERE id = $2 AND published_at IS NOT NULL",
        now.0,
        id.to_string()
    )
    .map(|_| ())
}

/// The work ended for good; `error` says why in words for the creator.
pub async fn failed(tx: &mut Tx, id: VideoId, error: &str, now: Micros) -> Result<()> {
    let done = execute!(
        tx,
        "UPDATE videos SET state = 'failed', error = $1, revision = revision + 1, updated_at = $2 WHERE id = $3",
        error,
        now.0,
        id.to_string(),
    )?;
    one(done)
}

/// Its owner stopped the work. Also ends a growing title, but no event. Says whether there was something to stop.
pub async fn cancelled(tx: &mut Tx, id: VideoId, now: Micros) -> Result<bool> {
    let done = execute!(
        tx,
        "UPDATE videos SET state = 'cancelled', error = NULL, revision = revision + 1, updated_at = $1
         WHERE id = $2 AND NOT is_event AND (state IN ('uploading', 'processing') OR (state = 'ready' AND NOT complete))",
        now.0,
        id.to_string(),
    )?;
    Ok(done == 1)
}

/// Work begins anew after a failure or a cancellation. Says whether the title was in such a state and has a source.
pub async fn retrying(tx: &mut Tx, id: VideoId, now: Micros) -> Result<bool> {
    let done = execute!(
        tx,
        "UPDATE videos SET state = 'processing', error = NULL, revision = revision + 1, updated_at = $1
         WHERE id = $2 AND state IN ('failed', 'cancelled') AND source_id IS NOT NULL",
        now.0,
        id.to_string(),
    )?;
    Ok(done == 1)
}

/// A failed or cancelled title without a source waits for one again. Says whether it was in such a state.
pub async fn waiting_again(tx: &mut Tx, id: VideoId, now: Micros) -> Result<bool> {
    let done = execute!(
        tx,
        "UPDATE videos SET state = 'uploading', error = NULL, revision = revision + 1, updated_at = $1
         WHERE id = $2 AND state IN ('failed', 'cancelled') AND source_id IS NULL",
        now.0,
        id.to_string(),
    )?;
    Ok(done == 1)
}

fn one(affected: u64) -> Result<()> {
    if affected == 0 { Err(Error::NotFound) } else { Ok(()) }
}
