//! Finding titles by words and filters: case- and accent-insensitive, all words must occur, best titles first; and the
//! people and channels of these words.

use domain::{
    Audience, Language, UserId, VideoId,
    details::Credit,
    vocabulary::{Genre, Rating},
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::{
    Connect, Result, Tx,
    db::{execute, query},
    library::{self, country_pattern},
    videos::{LAST_ID, Video, listed, select},
};

/// Longest description that is searched, in characters.
const SEARCHED_CHARS: usize = 20_000;
/// Most words of a query that count.
const MAX_WORDS: usize = 8;
/// Channels looked at for those whose name has the words.
const MAX_CANDIDATES: i64 = 500;
const MINUTE_MS: i64 = 60_000;

/// A found title and its place: by relevance 0 when its title begins with the query, 1 when the words follow each other at
/// the start of a word, 2 for the rest.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Hit {
    #[sqlx(flatten)]
    pub video: Video,
    pub rank: i64,
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// All must occur; none are needed when there is a filter.
    pub words: String,
    pub genre: Option<Genre>,
    /// Its regional variants as well.
    pub language: Option<Language>,
    pub rating: Option<Rating>,
    /// Both included; titles without a year only when neither is given.
    pub years: (Option<i64>, Option<i64>),
    pub length: Option<Length>,
    pub sort: Sort,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Under 20 minutes.
    Short,
    Medium,
    /// An hour and more.
    Long,
}

impl Length {
    /// From the first to before the second, in milliseconds.
    fn bounds(self) -> (i64, i64) {
        match self {
            Self::Short => (0, 20 * MINUTE_MS),
            Self::Medium => (20 * MINUTE_MS, 60 * MINUTE_MS),
            Self::Long => (60 * MINUTE_MS, i64::MAX),
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Relevance,
    Newest,
    Longest,
}

impl Sort {
    fn word(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Newest => "newest",
            Self::Longest => "longest",
        }
    }
}

impl Wanted {
    /// Neither words nor a filter: nothing is found.
    pub fn is_empty(&self) -> bool {
        let filters = [
            self.genre.is_some(),
            self.language.is_some(),
            self.rating.is_some(),
            self.years != (None, None),
            self.length.is_some(),
        ];
        fold(&self.words).is_empty() && !filters.contains(&true)
    }
}

/// Folds a text to lower-case words without accents, one space between them.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'đ' | 'ð' => out.push('d'),
            'ł' => out.push('l'),
            'ı' => out.push('i'),
            'þ' => out.push_str("th"),
            c if c.is_alphanumeric() => out.push(c),
            // An apostrophe joins: "don't" is found as "dont".
            '\'' | '’' => {}
            _ if out.ends_with(' ') || out.is_empty() => {}
            _ => out.push(' '),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// What is searched of a title.
pub(crate) struct Searched<'a> {
    pub title: &'a str,
    pub owner: &'a str,
    pub cast: &'a [Credit],
    pub directors: &'a [String],
    pub tags: &'a [String],
    pub description: &'a str,
}

/// The searched text of a title. Begins with the folded title, which ranking relies on.
pub(crate) fn text_of(of: &Searched<'_>) -> String {
    let mut text = fold(of.title);
    let people = library::names(of.cast, of.directors);
    for part in std::iter::once(of.owner).chain(people).chain(of.tags.iter().map(String::as_str)) {
        text.push_str("\n ");
        text.push_str(&fold(part));
    }
    let description: String = of.description.chars().take(SEARCHED_CHARS).collect();
    text.push_str("\n ");
    text.push_str(&fold(&description));
    text
}

/// Rewrites the searched text of all titles of `owner`, whose name has become `name`.
pub(crate) async fn refold_owner(tx: &mut Tx, owner: UserId, name: &str) -> Result<()> {
    let rows = query!(fetch_all, &mut *tx, Video, select!("WHERE v.owner_id = $1"), owner.to_string())?;
    for video in rows {
        let text = text_of(&Searched {
            title: &video.title,
            owner: name,
            cast: &video.cast.0,
            directors: &video.directors.0,
            tags: &video.tags.0,
            description: &video.description,
        });
        execute!(&mut *tx, "UPDATE videos SET search_text = $1 WHERE id = $2", text, video.id.to_string())?;
    }
    Ok(())
}

/// A LIKE pattern for each of the first words of a query, filled up with the one that everything matches. Folded words hold
/// letters and digits only, so nothing in them is special to LIKE.
pub(crate) fn patterns(words: &str) -> [String; MAX_WORDS] {
    let folded = fold(words);
    let mut words = folded.split(' ');
    std::array::from_fn(|_| words.next().map_or_else(|| "%".to_owned(), |word| format!("%{word}%")))
}

/// Where the page before ended.
pub type Key = (i64, i64, VideoId);

/// Titles listed for `audience` in which every word occurs and that pass the filters, in the order asked, then newest.
pub async fn find(
    conn: &mut impl Connect,
    audience: &Audience,
    wanted: &Wanted,
    after: Option<Key>,
    limit: u32,
) -> Result<Vec<Hit>> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let folded = fold(&wanted.words);
    let [p0, p1, p2, p3, p4, p5, p6, p7] = patterns(&wanted.words);
    let (rank, at, id) =
        after.map_or((i64::MIN, i64::MAX, LAST_ID.to_owned()), |(rank, at, id)| (rank, at, id.to_string()));
    let language = wanted.language.as_ref().map_or("%", Language::tag);
    let (from, to) = match wanted.years {
        (None, None) => (-1, i64::MAX),
        (from, to) => (from.unwrap_or(0), to.unwrap_or(i64::MAX)),
    };
    let (shortest, longest) = wanted.length.map_or((0, i64::MAX), Length::bounds);
    query!(
        fetch_all,
        conn,
        Hit,
        concat!(
            "SELECT * FROM (
             SELECT v.*, u.name AS owner_name, CAST(CASE WHEN $17 = 'newest' THEN 0
                 WHEN $17 = 'longest' THEN -COALESCE(v.duration_ms, 0) WHEN v.search_text LIKE $1 THEN 0
                 WHEN v.search_text LIKE $2 THEN 1 ELSE 2 END AS BIGINT) AS rank
             FROM videos v JOIN users u ON u.id = v.owner_id
             WHERE ",
            listed!("$15", "$16"),
            " AND v.search_text LIKE $3 AND v.search_text LIKE $4 AND v.search_text LIKE $5 AND v.search_text LIKE $6
               AND v.search_text LIKE $7 AND v.search_text LIKE $8 AND v.search_text LIKE $9 AND v.search_text LIKE $10
               AND ($18 = '' OR EXISTS (SELECT 1 FROM video_genres g WHERE g.video_id = v.id AND g.genre = $18))
               AND (COALESCE(v.language, '') LIKE $19 OR v.language LIKE $20)
               AND COALESCE(v.maturity_rating, '') LIKE $21
               AND COALESCE(v.release_year, -1) BETWEEN $22 AND $23
               AND COALESCE(v.duration_ms, 0) >= $24 AND COALESCE(v.duration_ms, 0) < $25
         ) AS found
         WHERE rank > $11 OR (rank = $11 AND (published_at, id) < ($12, $13))
         ORDER BY rank, published_at DESC, id DESC LIMIT $14"
        ),
        format!("{folded}%"),
        format!("% {folded}%"),
        p0,
        p1,
        p2,
        p3,
        p4,
        p5,
        p6,
        p7,
        rank,
        at,
        id,
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
        wanted.sort.word(),
        wanted.genre.map_or("", Genre::word),
        language,
        format!("{language}-%"),
        wanted.rating.map_or("%", Rating::word),
        from,
        to,
        shortest,
        longest,
    )
}

/// A person whose name holds the words, and how many listed titles they are in.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Person {
    pub name: String,
    pub titles: i64,
    pub directs: bool,
    pub plays: bool,
}

/// People of the titles listed for `audience` in whose names every word occurs, those with most titles first.
pub async fn people(
    conn: &mut impl Connect,
    audience: &Audience,
    words: &str,
    limit: u32,
) -> Result<Vec<Person>> {
    let folded = fold(words);
    if folded.is_empty() {
        return Ok(Vec::new());
    }
    let [a, b, c, d, ..] = patterns(&folded);
    query!(
        fetch_all,
        conn,
        Person,
        concat!(
            "SELECT MIN(p.name) AS name, COUNT(DISTINCT p.video_id) AS titles,
                 MAX(CASE WHEN p.job = 'director' THEN 1 ELSE 0 END) = 1 AS directs,
                 MAX(CASE WHEN p.job = 'cast' THEN 1 ELSE 0 END) = 1 AS plays
             FROM video_people p JOIN videos v ON v.id = p.video_id
             WHERE p.folded LIKE $3 AND p.folded LIKE $4 AND p.folded LIKE $5 AND p.folded LIKE $6 AND ",
            listed!("$1", "$2"),
            " GROUP BY p.folded ORDER BY titles DESC, name LIMIT $7"
        ),
        audience.now.0,
        country_pattern(audience),
        a,
        b,
        c,
        d,
        i64::from(limit),
    )
}

/// A channel: somebody with listed titles.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Channel {
    pub id: String,
    pub name: String,
    pub titles: i64,
}

/// Channels whose name holds every word, those with most listed titles first. Their titles' searched text holds the name,
/// folded; which of the candidates have the words in the name itself is decided here.
pub async fn channels(
    conn: &mut impl Connect,
    audience: &Audience,
    words: &str,
    limit: u32,
) -> Result<Vec<Channel>> {
    let folded = fold(words);
    if folded.is_empty() {
        return Ok(Vec::new());
    }
    let [a, b, c, d, ..] = patterns(&folded);
    let mut found = query!(
        fetch_all,
        conn,
        Channel,
        concat!(
            "SELECT u.id, u.name, COUNT(*) AS titles FROM videos v JOIN users u ON u.id = v.owner_id
             WHERE v.search_text LIKE $3 AND v.search_text LIKE $4 AND v.search_text LIKE $5 AND v.search_text LIKE $6 AND ",
            listed!("$1", "$2"),
            " GROUP BY u.id, u.name ORDER BY titles DESC, u.name LIMIT $7"
        ),
        audience.now.0,
        country_pattern(audience),
        a,
        b,
        c,
        d,
        MAX_CANDIDATES,
    )?;
    found.retain(|channel| {
        let name = fold(&channel.name);
        folded.split(' ').all(|word| name.contains(word))
    });
    found.truncate(limit as usize);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_forgets_case_accents_and_punctuation() {
        assert_eq!(fold("  Crème  BRÛLÉE — d'été! "), "creme brulee dete");
        assert_eq!(fold("Straße Łódź Ærø"), "strasse lodz aero");
        assert_eq!(fold("100%_\\"), "100");
        assert_eq!(fold("ﬁlm ２０"), "film 20");
        assert_eq!(fold("映画 фильм"), "映画 фильм");
    }
}
