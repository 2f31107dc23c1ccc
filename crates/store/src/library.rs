//! What editors say of a title: reading it, saving an edit with its history, and who the title is shown to.

use std::str::FromStr;

use domain::{
    Audience, Country, Micros, UserId, VideoId,
    access::{Terms, Window},
    details::{Credit, Fields},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
    search::{self, Searched},
    videos::{self, Video, listed},
};

/// A list stored as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: DeserializeOwned> TryFrom<String> for List<T> {
    type Error = Error;

    fn try_from(json: String) -> Result<Self> {
        serde_json::from_str(&json).map(Self).map_err(|e| Error::Corrupt(format!("a list of videos: {e}")))
    }
}

/// A word that may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maybe<T>(pub Option<T>);

impl<T: FromStr<Err: std::fmt::Display>> TryFrom<Option<String>> for Maybe<T> {
    type Error = Error;

    fn try_from(text: Option<String>) -> Result<Self> {
        let word = text.map(|text| text.parse()).transpose();
        word.map(Self).map_err(|e| Error::Corrupt(format!("a word of videos: {e}")))
    }
}

/// Where a title plays. Stored as JSON, `NULL` for everywhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Countries(pub Option<Vec<Country>>);

impl TryFrom<Option<String>> for Countries {
    type Error = Error;

    fn try_from(json: Option<String>) -> Result<Self> {
        let list = json.map(|json| serde_json::from_str(&json)).transpose();
        list.map(Self).map_err(|e| Error::Corrupt(format!("videos.countries: {e}")))
    }
}

impl Video {
    /// Everything that editors set.
    pub fn fields(&self) -> Fields {
        Fields {
            title: self.title.clone(),
            description: self.description.clone(),
            attribution: self.attribution.clone(),
            kind: self.kind,
            genres: self.genres.0.clone(),
            tags: self.tags.0.clone(),
            cast: self.cast.0.clone(),
            directors: self.directors.0.clone(),
            language: self.language.0.clone(),
            release_year: self.release_year,
            maturity_rating: self.maturity_rating.0,
            visibility: self.visibility,
            publish_at: self.publish_at.map(Micros),
            available_from: self.available_from.map(Micros),
            available_until: self.available_until.map(Micros),
            countries: self.countries.0.clone(),
            poster_id: self.poster_id.clone(),
        }
    }

    /// To whom it is shown.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            owner: self.owner_id,
            visibility: self.visibility,
            window: Window { from: self.available_from.map(Micros), until: self.available_until.map(Micros) },
            countries: self.countries.0.as_deref(),
        }
    }
}

/// For `countries LIKE`: matches the stored lists that hold the audience's country, and none when nobody can tell it.
pub(crate) fn country_pattern(audience: &Audience) -> String {
    audience.country.map_or_else(|| "-".to_owned(), |country| format!("%\"{country}\"%"))
}

/// Makes other writers of the title wait for this transaction, and reads it as it is then.
pub async fn lock(tx: &mut Tx, id: VideoId) -> Result<Video> {
    execute!(&mut *tx, "UPDATE videos SET revision = revision WHERE id = $1", id.to_string())?;
    videos::get(tx, id).await
}

/// Puts `new` in the place of `old`'s fields and notes what changed, by whom (`None`: Kinora itself). [`Error::Stale`] when
/// the title is no longer at `old`'s revision. Without a difference nothing is written.
pub async fn save(tx: &mut Tx, old: &Video, new: &Fields, by: Option<UserId>, now: Micros) -> Result<Video> {
    let before = old.fields();
    if before == *new {
        return Ok(old.clone());
    }
    let searched = Searched {
        title: &new.title,
        owner: &old.owner_name,
        cast: &new.cast,
        directors: &new.directors,
        tags: &new.tags,
        description: &new.description,
    };
    let done = execute!(
        &mut *tx,
        "UPDATE videos SET title = $1, description = $2, attribution = $3, kind = $4, genres = $5, tags = $6, cast_list = $7,
             directors = $8, language = $9, release_year = $10, maturity_rating = $11, visibility = $12, publish_at = $13,
             available_from = $14, available_until = $15, countries = $16, poster_id = $17, search_text = $18,
             revision = revision + 1, updated_at = $19
         WHERE id = $20 AND revision = $21",
        &new.title,
        &new.description,
        &new.attribution,
        new.kind.word(),
        json(&new.genres)?,
        json(&new.tags)?,
        json(&new.cast)?,
        json(&new.directors)?,
        new.language.as_ref().map(|language| language.tag()),
        new.release_year,
        new.maturity_rating.map(|rating| rating.word()),
        new.visibility.word(),
        new.publish_at.map(|at| at.0),
        new.available_from.map(|at| at.0),
        new.available_until.map(|at| at.0),
        new.countries.as_ref().map(json).transpose()?,
        new.poster_id.as_deref(),
        search::text_of(&searched),
        now.0,
        old.id.to_string(),
        old.revision,
    )?;
    if done == 0 {
        return Err(Error::Stale);
    }
    if before.genres != new.genres {
        index_genres(tx, old.id, new).await?;
    }
    if (&before.cast, &before.directors) != (&new.cast, &new.directors) {
        index_people(tx, old.id, new).await?;
    }
    note(tx, old, &before, new, by, now).await?;
    videos::get(tx, old.id).await
}

fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Corrupt(e.to_string()))
}

async fn index_genres(tx: &mut Tx, id: VideoId, new: &Fields) -> Result<()> {
    execute!(&mut *tx, "DELETE FROM video_genres WHERE video_id = $1", id.to_string())?;
    for genre in &new.genres {
        execute!(
            &mut *tx,
            "INSERT INTO video_genres (genre, video_id) VALUES ($1, $2)",
            genre.word(),
            id.to_string()
        )?;
    }
    Ok(())
}

async fn index_people(tx: &mut Tx, id: VideoId, new: &Fields) -> Result<()> {
    execute!(&mut *tx, "DELETE FROM video_people WHERE video_id = $1", id.to_string())?;
    let cast = new.cast.iter().map(|credit| ("cast", &credit.name));
    for (job, name) in cast.chain(new.directors.iter().map(|name| ("director", name))) {
        let folded = search::fold(name);
        if folded.is_empty() {
            continue;
        }
        execute!(
            &mut *tx,
            "INSERT INTO video_people (folded, video_id, job, name) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            folded,
            id.to_string(),
            job,
            name,
        )?;
    }
    Ok(())
}

/// A field that an edit changed.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Change {
    pub id: String,
    /// `None`: Kinora itself.
    pub user_id: Option<String>,
    /// `None` when the account is gone.
    pub user_name: Option<String>,
    pub field: String,
    /// JSON, times in microseconds.
    pub old_value: String,
    pub new_value: String,
    /// The title's after the edit; edits of several fields share it.
    pub revision: i64,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
}

async fn note(
    tx: &mut Tx,
    old: &Video,
    before: &Fields,
    after: &Fields,
    by: Option<UserId>,
    now: Micros,
) -> Result<()> {
    let (before, after) = (as_map(before)?, as_map(after)?);
    for (field, new) in &after {
        let was = before.get(field).unwrap_or(&Value::Null);
        if was == new {
            continue;
        }
        insert_change(tx, old.id, by, field, was, new, old.revision + 1, now).await?;
    }
    Ok(())
}

fn as_map(fields: &Fields) -> Result<Map<String, Value>> {
    match serde_json::to_value(fields) {
        Ok(Value::Object(map)) => Ok(map),
        other => Err(Error::Corrupt(format!("fields: {other:?}"))),
    }
}

/// Notes something that changed about a title outside its fields, such as its way into the trash.
#[allow(clippy::too_many_arguments)]
pub async fn insert_change(
    tx: &mut Tx,
    video: VideoId,
    by: Option<UserId>,
    field: &str,
    old: &Value,
    new: &Value,
    revision: i64,
    now: Micros,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO video_changes (video_id, id, user_id, field, old_value, new_value, revision, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        video.to_string(),
        Uuid::now_v7().to_string(),
        by.map(|user| user.to_string()),
        field,
        old.to_string(),
        new.to_string(),
        revision,
        now.0,
    )
    .map(|_| ())
}

/// The history of a title, latest first, after the id of the last one seen.
pub async fn changes(
    conn: &mut impl Connect,
    video: VideoId,
    after: Option<String>,
    limit: u32,
) -> Result<Vec<Change>> {
    query!(
        fetch_all,
        conn,
        Change,
        "SELECT c.id, c.user_id, u.name AS user_name, c.field, c.old_value, c.new_value, c.revision, c.created_at
         FROM video_changes c LEFT JOIN users u ON u.id = c.user_id
         WHERE c.video_id = $1 AND c.id < $2 ORDER BY c.id DESC LIMIT $3",
        video.to_string(),
        after.unwrap_or_else(|| videos::LAST_ID.to_owned()),
        i64::from(limit),
    )
}

/// Deletes changes older than `before`.
pub async fn prune_changes(tx: &mut Tx, before: Micros) -> Result<u64> {
    execute!(tx, "DELETE FROM video_changes WHERE created_at < $1", before.0)
}

/// People as they are searched.
pub(crate) fn names<'a>(cast: &'a [Credit], directors: &'a [String]) -> impl Iterator<Item = &'a str> {
    directors.iter().map(String::as_str).chain(cast.iter().map(|credit| credit.name.as_str()))
}

/// How many titles carry a word.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Tally {
    pub word: String,
    pub titles: i64,
}

/// The genres of the titles listed for `audience`, most titles first.
pub async fn genres_in_use(conn: &mut impl Connect, audience: &Audience) -> Result<Vec<Tally>> {
    query!(
        fetch_all,
        conn,
        Tally,
        concat!(
            "SELECT g.genre AS word, COUNT(*) AS titles FROM video_genres g JOIN videos v ON v.id = g.video_id WHERE ",
            listed!("$1", "$2"),
            " GROUP BY g.genre ORDER BY titles DESC, word"
        ),
        audience.now.0,
        country_pattern(audience),
    )
}

/// The languages of the titles listed for `audience`, most titles first.
pub async fn languages_in_use(conn: &mut impl Connect, audience: &Audience) -> Result<Vec<Tally>> {
    query!(
        fetch_all,
        conn,
        Tally,
        concat!(
            "SELECT v.language AS word, COUNT(*) AS titles FROM videos v WHERE v.language IS NOT NULL AND ",
            listed!("$1", "$2"),
            " GROUP BY v.language ORDER BY titles DESC, word"
        ),
        audience.now.0,
        country_pattern(audience),
    )
}
