//! Finding titles by words: case- and accent-insensitive, all words must occur, best titles first.

use domain::{Audience, UserId, VideoId, details::Credit};
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

/// A found title and how well it fits: 0 its title begins with the query, 1 the words follow each other at the start of a
/// word, 2 the rest.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Hit {
    #[sqlx(flatten)]
    pub video: Video,
    pub fit: i64,
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

/// Titles listed for `audience` in which every word of `words` occurs, best first, then newest. No words: nothing.
pub async fn find(
    conn: &mut impl Connect,
    audience: &Audience,
    words: &str,
    after: Option<Key>,
    limit: u32,
) -> Result<Vec<Hit>> {
    let folded = fold(words);
    if folded.is_empty() {
        return Ok(Vec::new());
    }
    let [p0, p1, p2, p3, p4, p5, p6, p7] = patterns(words);
    let (fit, at, id) =
        after.map_or((-1, i64::MAX, LAST_ID.to_owned()), |(fit, at, id)| (fit, at, id.to_string()));
    query!(
        fetch_all,
        conn,
        Hit,
        concat!(
            "SELECT * FROM (
             SELECT v.*, u.name AS owner_name, CAST(CASE WHEN v.search_text LIKE $1 THEN 0
                 WHEN v.search_text LIKE $2 THEN 1 ELSE 2 END AS BIGINT) AS fit
             FROM videos v JOIN users u ON u.id = v.owner_id
             WHERE ",
            listed!("$15", "$16"),
            " AND v.search_text LIKE $3 AND v.search_text LIKE $4 AND v.search_text LIKE $5 AND v.search_text LIKE $6
               AND v.search_text LIKE $7 AND v.search_text LIKE $8 AND v.search_text LIKE $9 AND v.search_text LIKE $10
         ) AS found
         WHERE fit > $11 OR (fit = $11 AND (published_at, id) < ($12, $13))
         ORDER BY fit, published_at DESC, id DESC LIMIT $14"
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
        fit,
        at,
        id,
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
    )
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
