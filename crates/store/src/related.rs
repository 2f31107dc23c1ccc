//! Candidates for "more like this": public titles that might resemble one. How well each does is `domain::related`'s
//! question.

use domain::{Audience, VideoId};

use crate::{
    Connect, Result,
    db::query,
    library::country_pattern,
    search,
    videos::{Video, listed, select},
};

/// Words of a title that candidates are sought by.
const WORDS: usize = 4;
/// Words shorter than this say little: articles, prepositions.
const SHORTEST: usize = 4;

/// Up to `limit` each of: the owner's other titles, titles of the same genres, titles that share a word with this one's title,
/// and the newest ones; as far as `audience` finds them listed. Without doubles, without the title itself.
pub async fn candidates(
    conn: &mut impl Connect,
    audience: &Audience,
    of: &Video,
    limit: u32,
) -> Result<Vec<Video>> {
    let mut found = query!(
        fetch_all,
        &mut *conn,
        Video,
        select!(
            "WHERE v.owner_id = $1 AND v.id <> $2 AND ",
            listed!("$4", "$5"),
            " ORDER BY v.published_at DESC, v.id DESC LIMIT $3"
        ),
        of.owner_id.to_string(),
        of.id.to_string(),
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
    )?;
    found.extend(of_same_genres(conn, audience, of, limit).await?);
    found.extend(with_same_words(conn, audience, of, limit).await?);
    let newest = crate::videos::list_public(conn, audience, None, limit).await?;
    found.extend(newest.into_iter().filter(|video| video.id != of.id));
    let mut seen = std::collections::HashSet::<VideoId>::new();
    found.retain(|video| seen.insert(video.id));
    Ok(found)
}

async fn of_same_genres(
    conn: &mut impl Connect,
    audience: &Audience,
    of: &Video,
    limit: u32,
) -> Result<Vec<Video>> {
    query!(
        fetch_all,
        &mut *conn,
        Video,
        select!(
            "WHERE v.id <> $1 AND v.id IN (SELECT other.video_id FROM video_genres other
                 JOIN video_genres own ON own.genre = other.genre WHERE own.video_id = $1) AND ",
            listed!("$3", "$4"),
            " ORDER BY v.published_at DESC, v.id DESC LIMIT $2"
        ),
        of.id.to_string(),
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
    )
}

async fn with_same_words(
    conn: &mut impl Connect,
    audience: &Audience,
    of: &Video,
    limit: u32,
) -> Result<Vec<Video>> {
    let words = telling_words(&of.title);
    let Some(first) = words.first() else { return Ok(Vec::new()) };
    let word = |at: usize| format!("%{}%", words.get(at).unwrap_or(first));
    query!(
        fetch_all,
        &mut *conn,
        Video,
        select!(
            "WHERE v.id <> $1
               AND (v.search_text LIKE $2 OR v.search_text LIKE $3 OR v.search_text LIKE $4 OR v.search_text LIKE $5) AND ",
            listed!("$7", "$8"),
            " ORDER BY v.published_at DESC, v.id DESC LIMIT $6"
        ),
        of.id.to_string(),
        word(0),
        word(1),
        word(2),
        word(3),
        i64::from(limit),
        audience.now.0,
        country_pattern(audience),
    )
}

/// The longest words of a title, folded.
fn telling_words(title: &str) -> Vec<String> {
    let folded = search::fold(title);
    let mut words: Vec<&str> = folded.split(' ').filter(|word| word.chars().count() >= SHORTEST).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    words.dedup();
    words.into_iter().take(WORDS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_tell_more() {
        assert_eq!(telling_words("The Meadow at First Light"), ["meadow", "first", "light"]);
        assert!(telling_words("A to Z").is_empty());
    }
}
