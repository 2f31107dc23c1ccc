//! The studio's list of titles: filtered and sorted, paged by key.

use domain::{UserId, VideoId, Visibility};

use crate::{
    Connect, Result,
    db::query,
    search::fold,
    videos::{LAST_ID, State, Video},
};

/// Most words of the text that count.
const MAX_WORDS: usize = 4;

/// Which titles are shown.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// `None`: everybody's.
    pub owner: Option<UserId>,
    pub state: Option<State>,
    pub visibility: Option<Visibility>,
    /// Words that must occur in title, description, tags or people.
    pub text: String,
    /// Those in the trash instead of those that are not.
    pub trash: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// Latest created first; in the trash, latest deleted first.
    #[default]
    Newest,
    Oldest,
    /// Latest changed first.
    Changed,
    /// By the folded title.
    Title,
}

/// Where the page before ended: the sort key of its last row as a number or a text, and its id.
pub type Key = (i64, String, VideoId);

/// A row with its sort keys.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Row {
    #[sqlx(flatten)]
    pub video: Video,
    sort_number: i64,
    sort_text: String,
}

impl Row {
    pub fn key(&self) -> Key {
        (self.sort_number, self.sort_text.clone(), self.video.id)
    }
}

/// One statement for all orders: what a sort does not use is the same for every row. Times are negated to be ascending.
macro_rules! listed {
    ($compared:literal, $order:literal) => {
        concat!(
            "SELECT * FROM (
                 SELECT v.*, u.name AS owner_name,
                     CAST(CASE WHEN $1 = 'changed' THEN -v.updated_at
                         WHEN $1 = 'newest' AND v.deleted_at IS NOT NULL THEN -v.deleted_at ELSE 0 END AS BIGINT) AS sort_number,
                     CASE WHEN $1 = 'title' THEN SUBSTR(v.search_text, 1, 60) ELSE '' END AS sort_text
                 FROM videos v JOIN users u ON u.id = v.owner_id
                 WHERE ($2 = '' OR v.owner_id = $2) AND ($3 = '' OR v.state = $3) AND ($4 = '' OR v.visibility = $4)
                   AND ((v.deleted_at IS NULL AND NOT $5) OR (v.deleted_at IS NOT NULL AND $5))
                   AND v.search_text LIKE $6 AND v.search_text LIKE $7 AND v.search_text LIKE $8 AND v.search_text LIKE $9
             ) AS listed
             WHERE (sort_number, sort_text) > ($10, $11) OR (sort_number = $10 AND sort_text = $11 AND ",
            $compared,
            ") ORDER BY sort_number, sort_text, ",
            $order,
            " LIMIT $13"
        )
    };
}

/// Titles after the key of the last one seen.
pub async fn list(
    conn: &mut impl Connect,
    filter: &Filter,
    sort: Sort,
    after: Option<Key>,
    limit: u32,
) -> Result<Vec<Row>> {
    let folded = fold(&filter.text);
    let mut words = folded.split(' ').take(MAX_WORDS).map(|word| format!("%{word}%"));
    let mut next = || words.next().unwrap_or_else(|| "%".to_owned());
    let word = match sort {
        Sort::Newest => "newest",
        Sort::Oldest => "oldest",
        Sort::Changed => "changed",
        Sort::Title => "title",
    };
    let upwards = matches!(sort, Sort::Oldest | Sort::Title);
    let first = if upwards { String::new() } else { LAST_ID.to_owned() };
    let (number, text, id) =
        after.map_or((i64::MIN, String::new(), first), |(n, t, id)| (n, t, id.to_string()));
    let owner = filter.owner.map_or_else(String::new, |owner| owner.to_string());
    let state = filter.state.map_or("", State::word);
    let visibility = filter.visibility.map_or("", Visibility::word);
    let patterns = [next(), next(), next(), next()];
    let [a, b, c, d] = &patterns;
    let limit = i64::from(limit);
    macro_rules! run {
        ($sql:expr) => {
            query!(
                fetch_all,
                conn,
                Row,
                $sql,
                word,
                owner,
                state,
                visibility,
                filter.trash,
                a,
                b,
                c,
                d,
                number,
                text,
                id,
                limit
            )
        };
    }
    if upwards { run!(listed!("id > $12", "id")) } else { run!(listed!("id < $12", "id DESC")) }
}
