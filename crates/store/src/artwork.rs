//! Pictures of titles: frames that the workflow found, and what people uploaded or picked; and which of them are chosen.
//!
//! The chosen ones are repeated in the title's own row, as JSON by kind, so that lists need no second statement.

use std::str::FromStr;

use domain::{
    Micros, PresentationId, VideoId,
    artwork::{Crop, Kind, Variant},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    Connect, Error, Result, Tx,
    db::{execute, query},
};

/// Where a picture comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Found by the workflow among the key frames.
    Frame,
    /// Picked by a person.
    Moment,
    Upload,
}

/// Where a picture stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its file is being received.
    Arriving,
    /// A job makes it.
    Making,
    Ready,
    Failed,
}

macro_rules! words {
    ($type:ident, $what:literal, $($variant:ident $word:literal),+) => {
        impl $type {
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(Error::Corrupt(format!(concat!($what, " {:?}"), text))),
                }
            }
        }

        impl TryFrom<String> for $type {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }
    };
}

words!(Origin, "pictures.origin", Frame "frame", Moment "moment", Upload "upload");
words!(State, "pictures.state", Arriving "arriving", Making "making", Ready "ready", Failed "failed");

/// Stored forms of a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Variants(pub Vec<Variant>);

impl TryFrom<String> for Variants {
    type Error = Error;

    fn try_from(json: String) -> Result<Self> {
        read(&json, "pictures.variants").map(Self)
    }
}

/// A picture of a title.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Picture {
    pub id: String,
    #[sqlx(try_from = "String")]
    pub video_id: VideoId,
    #[sqlx(try_from = "String")]
    pub kind: Kind,
    #[sqlx(try_from = "String")]
    pub origin: Origin,
    #[sqlx(try_from = "String")]
    pub state: State,
    pub position: i64,
    /// Where in the title it was taken; 0 for uploads.
    pub at_ms: i64,
    /// Size of the widest form, in pixels; 0 while it is not known.
    pub width: i64,
    pub height: i64,
    #[sqlx(try_from = "String")]
    pub variants: Variants,
    /// A tiny picture as data URL, or empty.
    pub blur: String,
    pub alt: String,
    crop: Option<String>,
    /// To be taken when it is ready, or when it is restored.
    pub choose: bool,
    /// Why it failed, in words for its creator.
    pub error: Option<String>,
    pub presentation_id: Option<String>,
    #[sqlx(try_from = "i64")]
    pub created_at: Micros,
    pub deleted_at: Option<i64>,
}

impl Picture {
    /// The part of the original that was asked for.
    pub fn crop(&self) -> Crop {
        self.crop.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or(Crop::WHOLE)
    }

    /// What it was taken from.
    pub fn presentation(&self) -> Option<PresentationId> {
        self.presentation_id.as_deref().and_then(|id| id.parse().ok())
    }
}

/// A picture to be made.
#[derive(Debug, Clone)]
pub struct NewPicture {
    pub id: String,
    pub video: VideoId,
    pub kind: Kind,
    pub origin: Origin,
    pub state: State,
    pub at_ms: i64,
    pub crop: Crop,
    pub alt: String,
    pub choose: bool,
    pub presentation: Option<PresentationId>,
}

/// What came of a picture's making.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    pub size: (u32, u32),
    pub variants: Vec<Variant>,
    pub blur: String,
}

/// A chosen picture, as the title's row repeats it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub id: String,
    pub width: i64,
    pub height: i64,
    pub blur: String,
    pub alt: String,
    /// Nobody chose it: a better frame may take its place.
    #[serde(default)]
    pub auto: bool,
}

/// The chosen pictures of a title.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chosen {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster: Option<Piece>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portrait: Option<Piece>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banner: Option<Piece>,
}

impl TryFrom<String> for Chosen {
    type Error = Error;

    fn try_from(json: String) -> Result<Self> {
        read(&json, "videos.artwork")
    }
}

impl Chosen {
    pub fn get(&self, kind: Kind) -> Option<&Piece> {
        match kind {
            Kind::Poster => self.poster.as_ref(),
            Kind::Portrait => self.portrait.as_ref(),
            Kind::Banner => self.banner.as_ref(),
        }
    }

    pub fn has(&self, picture: &str) -> bool {
        Kind::ALL.iter().any(|kind| self.get(*kind).is_some_and(|piece| piece.id == picture))
    }

    fn slot(&mut self, kind: Kind) -> &mut Option<Piece> {
        match kind {
            Kind::Poster => &mut self.poster,
            Kind::Portrait => &mut self.portrait,
            Kind::Banner => &mut self.banner,
        }
    }
}

fn read<T: DeserializeOwned>(json: &str, what: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| Error::Corrupt(format!("{what}: {e}")))
}

fn write<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::Corrupt(e.to_string()))
}

/// `SELECT` of [`Picture`] with whatever follows.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, video_id, kind, origin, state, position, at_ms, width, height, variants, blur, alt, crop, choose,
                 error, presentation_id, created_at, deleted_at FROM pictures ",
            $rest
        )
    };
}

/// All pictures of a title, deleted ones left out: frames by their place, then the others, latest first.
pub async fn list(conn: &mut impl Connect, video: VideoId) -> Result<Vec<Picture>> {
    query!(
        fetch_all,
        conn,
        Picture,
        select!(
            "WHERE video_id = $1 AND deleted_at IS NULL
             ORDER BY CASE WHEN origin = 'frame' THEN 0 ELSE 1 END, position, created_at DESC, id DESC"
        ),
        video.to_string(),
    )
}

/// Ids of all pictures of a title, deleted ones among them: their objects are wanted.
pub async fn ids(conn: &mut impl Connect, video: VideoId) -> Result<Vec<String>> {
    let sql = "SELECT id FROM pictures WHERE video_id = $1";
    let rows = query!(fetch_all, conn, (String,), sql, video.to_string())?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// One picture of a title, also a deleted one. An id comes from outside as it is: one that cannot be ours names nothing.
pub async fn get(conn: &mut impl Connect, video: VideoId, id: &str) -> Result<Picture> {
    if id.len() > 64 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(Error::NotFound);
    }
    query!(fetch_one, conn, Picture, select!("WHERE id = $1 AND video_id = $2"), id, video.to_string())
}

/// Pictures that people made, deleted ones among them.
pub async fn count_made(conn: &mut impl Connect, video: VideoId) -> Result<usize> {
    let sql = "SELECT COUNT(*) FROM pictures WHERE video_id = $1 AND origin <> 'frame'";
    let (count,) = query!(fetch_one, conn, (i64,), sql, video.to_string())?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

pub async fn insert(tx: &mut Tx, new: &NewPicture, now: Micros) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO pictures (id, video_id, kind, position, at_ms, width, height, object, origin, state, variants, alt,
             crop, choose, presentation_id, created_at, updated_at)
         VALUES ($1, $2, $3, 0, $4, 0, 0, '', $5, $6, '[]', $7, $8, $9, $10, $11, $11)",
        &new.id,
        new.video.to_string(),
        new.kind.word(),
        new.at_ms,
        new.origin.word(),
        new.state.word(),
        &new.alt,
        write(&new.crop)?,
        new.choose,
        new.presentation.map(|id| id.to_string()),
        now.0,
    )
    .map(|_| ())
}

/// A frame that the workflow found.
#[derive(Debug, Clone)]
pub struct Frame {
    pub id: String,
    pub at_ms: i64,
    /// Size that it will be served in when it is chosen, in pixels.
    pub size: (u32, u32),
    pub variants: Vec<Variant>,
    pub blur: String,
}

/// Adds a frame of `presentation` at its place among the frames. One that is there already stays as it is.
pub async fn insert_frame(
    tx: &mut Tx,
    video: VideoId,
    presentation: PresentationId,
    frame: &Frame,
    position: i64,
    now: Micros,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO pictures (id, video_id, kind, position, at_ms, width, height, object, origin, state, variants, blur,
             presentation_id, created_at, updated_at)
         VALUES ($1, $2, 'poster', $3, $4, $5, $6, '', 'frame', 'ready', $7, $8, $9, $10, $10) ON CONFLICT (id) DO NOTHING",
        &frame.id,
        video.to_string(),
        position,
        frame.at_ms,
        i64::from(frame.size.0),
        i64::from(frame.size.1),
        write(&frame.variants)?,
        &frame.blur,
        presentation.to_string(),
        now.0,
    )
    .map(|_| ())
}

/// The frames of a title, in order.
pub async fn frames(conn: &mut impl Connect, video: VideoId) -> Result<Vec<Picture>> {
    let all = list(conn, video).await?;
    Ok(all.into_iter().filter(|picture| picture.origin == Origin::Frame).collect())
}

/// Its file has arrived. Says whether it was waited for.
pub async fn arrived(tx: &mut Tx, video: VideoId, id: &str, now: Micros) -> Result<bool> {
    let done = execute!(
        tx,
        "UPDATE pictures SET state = 'making', updated_at = $1 WHERE id = $2 AND video_id = $3 AND state = 'arriving'",
        now.0,
        id,
        video.to_string(),
    )?;
    Ok(done == 1)
}

/// Records what a picture has become, and takes it where it was to be taken. Says whether it is still wanted.
pub async fn made(tx: &mut Tx, video: VideoId, id: &str, made: &Made, now: Micros) -> Result<bool> {
    let mut chosen = lock(tx, video, now).await?;
    let done = execute!(
        &mut *tx,
        "UPDATE pictures SET state = 'ready', error = NULL, width = $1, height = $2, variants = $3, blur = $4, updated_at = $5
         WHERE id = $6 AND video_id = $7",
        i64::from(made.size.0),
        i64::from(made.size.1),
        write(&made.variants)?,
        &made.blur,
        now.0,
        id,
        video.to_string(),
    )?;
    if done == 0 {
        return Ok(false);
    }
    let picture = get(&mut *tx, video, id).await?;
    let slot = chosen.slot(picture.kind);
    let had = slot.as_ref().is_some_and(|piece| piece.id == id);
    if had || (picture.choose && picture.deleted_at.is_none()) {
        let auto = had && slot.as_ref().is_some_and(|piece| piece.auto);
        *slot = Some(piece(&picture, auto));
        save(tx, video, &chosen, now).await?;
    }
    Ok(true)
}

/// A picture cannot be made; `error` says why in words for its creator. One that could be shown already stays as it is.
pub async fn failed(tx: &mut Tx, id: &str, error: &str, now: Micros) -> Result<()> {
    execute!(
        tx,
        "UPDATE pictures SET state = 'failed', error = $1, updated_at = $2 WHERE id = $3 AND state <> 'ready'",
        error,
        now.0,
        id,
    )
    .map(|_| ())
}

/// Makes `picture`, which must be ready and not deleted, the one of its kind.
pub async fn choose(tx: &mut Tx, picture: &Picture, now: Micros) -> Result<()> {
    let mut chosen = lock(tx, picture.video_id, now).await?;
    *chosen.slot(picture.kind) = Some(piece(picture, false));
    save(tx, picture.video_id, &chosen, now).await
}

/// Takes the picture `id` as poster unless a person chose one. Says whether it is the poster now.
pub async fn propose(tx: &mut Tx, video: VideoId, id: &str, now: Micros) -> Result<bool> {
    let picture = get(tx, video, id).await?;
    let mut chosen = lock(tx, video, now).await?;
    let free = chosen.poster.as_ref().is_none_or(|poster| poster.auto);
    if free {
        chosen.poster = Some(piece(&picture, true));
        save(tx, video, &chosen, now).await?;
    }
    Ok(free)
}

/// No picture of `kind` any more. A title keeps a poster while there is a frame.
pub async fn unchoose(tx: &mut Tx, video: VideoId, kind: Kind, now: Micros) -> Result<()> {
    let mut chosen = lock(tx, video, now).await?;
    let next = if kind == Kind::Poster { first_frame(tx, video).await? } else { None };
    *chosen.slot(kind) = next.map(|picture| piece(&picture, true));
    save(tx, video, &chosen, now).await
}

/// Changes the text that stands for a picture.
pub async fn describe(tx: &mut Tx, picture: &Picture, alt: &str, now: Micros) -> Result<()> {
    execute!(
        &mut *tx,
        "UPDATE pictures SET alt = $1, updated_at = $2 WHERE id = $3",
        alt,
        now.0,
        &picture.id
    )?;
    let mut chosen = lock(tx, picture.video_id, now).await?;
    if let Some(piece) = chosen.slot(picture.kind).as_mut().filter(|piece| piece.id == picture.id) {
        piece.alt = alt.to_owned();
        save(tx, picture.video_id, &chosen, now).await?;
    }
    Ok(())
}

/// Deletes a picture until [`restore`] or its purge; where it was chosen, the title does without.
pub async fn delete(tx: &mut Tx, picture: &Picture, now: Micros) -> Result<()> {
    let mut chosen = lock(tx, picture.video_id, now).await?;
    let had = chosen.get(picture.kind).is_some_and(|piece| piece.id == picture.id);
    execute!(
        &mut *tx,
        "UPDATE pictures SET deleted_at = $1, choose = $2, updated_at = $1 WHERE id = $3 AND deleted_at IS NULL",
        now.0,
        had || (picture.choose && picture.state != State::Ready),
        &picture.id,
    )?;
    if had {
        let next = if picture.kind == Kind::Poster { first_frame(tx, picture.video_id).await? } else { None };
        *chosen.slot(picture.kind) = next.map(|picture| piece(&picture, true));
        save(tx, picture.video_id, &chosen, now).await?;
    }
    Ok(())
}

/// Undoes [`delete`].
pub async fn restore(tx: &mut Tx, picture: &Picture, now: Micros) -> Result<()> {
    let mut chosen = lock(tx, picture.video_id, now).await?;
    execute!(
        &mut *tx,
        "UPDATE pictures SET deleted_at = NULL, updated_at = $1 WHERE id = $2",
        now.0,
        &picture.id
    )?;
    if picture.choose && picture.state == State::Ready {
        *chosen.slot(picture.kind) = Some(piece(picture, false));
        save(tx, picture.video_id, &chosen, now).await?;
    }
    Ok(())
}

/// Pictures whose end has come: deleted before `deleted_before`, or never whole and untouched since `idle_before`.
pub async fn expired(
    conn: &mut impl Connect,
    deleted_before: Micros,
    idle_before: Micros,
    limit: u32,
) -> Result<Vec<Picture>> {
    query!(
        fetch_all,
        conn,
        Picture,
        select!(
            "WHERE deleted_at < $1 OR (state IN ('arriving', 'failed') AND updated_at < $2 AND origin <> 'frame')
             ORDER BY id LIMIT $3"
        ),
        deleted_before.0,
        idle_before.0,
        i64::from(limit),
    )
}

/// Frames of a title that are not its poster.
pub async fn unchosen_frames(conn: &mut impl Connect, video: VideoId) -> Result<Vec<String>> {
    let rows = query!(
        fetch_all,
        conn,
        (String,),
        "SELECT p.id FROM pictures p JOIN videos v ON v.id = p.video_id
         WHERE p.video_id = $1 AND p.origin = 'frame' AND COALESCE(v.poster_id, '') <> p.id",
        video.to_string(),
    )?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Removes the row. Blobs are the caller's care.
pub async fn remove(tx: &mut Tx, video: VideoId, id: &str) -> Result<()> {
    execute!(tx, "DELETE FROM pictures WHERE id = $1 AND video_id = $2", id, video.to_string()).map(|_| ())
}

fn piece(picture: &Picture, auto: bool) -> Piece {
    Piece {
        id: picture.id.clone(),
        width: picture.width,
        height: picture.height,
        blur: picture.blur.clone(),
        alt: picture.alt.clone(),
        auto,
    }
}

async fn first_frame(tx: &mut Tx, video: VideoId) -> Result<Option<Picture>> {
    let frames = query!(
        fetch_optional,
        tx,
        Picture,
        select!(
            "WHERE video_id = $1 AND origin = 'frame' AND state = 'ready' AND deleted_at IS NULL ORDER BY position LIMIT 1"
        ),
        video.to_string(),
    )?;
    Ok(frames)
}

/// The chosen pictures of a title, which nobody else changes until the transaction ends.
async fn lock(tx: &mut Tx, video: VideoId, now: Micros) -> Result<Chosen> {
    let (artwork,) = query!(
        fetch_one,
        tx,
        (String,),
        "UPDATE videos SET updated_at = $1 WHERE id = $2 RETURNING artwork",
        now.0,
        video.to_string(),
    )?;
    artwork.try_into()
}

async fn save(tx: &mut Tx, video: VideoId, chosen: &Chosen, now: Micros) -> Result<()> {
    execute!(
        tx,
        "UPDATE videos SET artwork = $1, poster_id = $2, revision = revision + 1, updated_at = $3 WHERE id = $4",
        write(chosen)?,
        chosen.poster.as_ref().map(|piece| piece.id.clone()),
        now.0,
        video.to_string(),
    )
    .map(|_| ())
}
