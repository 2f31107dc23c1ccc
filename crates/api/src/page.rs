//! Keyset paging: a limit, and an opaque cursor that names the last row seen.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::Problem;

/// Most rows on a page.
pub const MAX_LIMIT: u32 = 100;
const DEFAULT_LIMIT: u32 = 24;
/// Longest cursor that is looked at.
const MAX_CURSOR: usize = 512;

/// One page of a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Send it back as `cursor` for the next page; `null` on the last one.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
}

/// The query parameters of every list.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Cursor {
    /// Rows on the page, 1 to 100; 24 unless told.
    pub limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

impl Cursor {
    /// How many rows the page may hold.
    pub fn limit(&self) -> Result<u32, Problem> {
        match self.limit {
            None => Ok(DEFAULT_LIMIT),
            Some(limit @ 1..=MAX_LIMIT) => Ok(limit),
            Some(_) => {
                Err(Problem::invalid("limit", format!("The limit is a number from 1 to {MAX_LIMIT}.")))
            }
        }
    }

    /// The key of the last row of the page before.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        self.cursor.as_deref().map(decode).transpose()
    }
}

/// Makes a page of `rows`, read with one row more than `limit` to learn whether another page follows.
pub fn page<T, U, K: Serialize>(
    mut rows: Vec<T>,
    limit: u32,
    key: impl FnOnce(&T) -> K,
    view: impl FnMut(T) -> U,
) -> Page<U> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = if more { rows.last().map(|row| encode(&key(row))) } else { None };
    Page { items: rows.into_iter().map(view).collect(), next_cursor }
}

/// A key as an opaque text.
pub fn encode<K: Serialize>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(key).unwrap_or_default())
}

fn decode<K: DeserializeOwned>(text: &str) -> Result<K, Problem> {
    let bytes = (text.len() <= MAX_CURSOR).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or_else(|| {
        Problem::invalid("cursor", "This cursor is not one of ours. Start from the first page.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(limit: Option<u32>, cursor: Option<&str>) -> Cursor {
        Cursor { limit, cursor: cursor.map(str::to_owned) }
    }

    #[test]
    fn pages_follow_each_other() {
        let first = page(vec![9, 8, 7], 2, |n| *n, |n| n * 10);
        assert_eq!(first.items, [90, 80]);
        let next = first.next_cursor.unwrap();
        assert_eq!(cursor(None, Some(&next)).after::<i64>().unwrap(), Some(8));
        assert!(page(vec![1, 2], 2, |n| *n, |n| n).next_cursor.is_none());
    }

    #[test]
    fn foreign_cursors_and_limits_are_refused() {
        assert_eq!(cursor(Some(0), None).limit().unwrap_err().status(), 422);
        assert!(cursor(Some(101), None).limit().is_err());
        let long = "A".repeat(600);
        for bad in ["", "!!", "MTI", &encode(&"text"), &long] {
            assert!(cursor(None, Some(bad)).after::<(i64, String)>().is_err(), "{bad}");
        }
    }
}
