//! How much two titles resemble one another, for "more like this": what they share, weighed.

use std::collections::BTreeSet;

/// What is compared of a title. Words are folded by the caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits {
    pub owner: String,
    pub genres: BTreeSet<String>,
    pub tags: BTreeSet<String>,
    /// Cast and directors.
    pub people: BTreeSet<String>,
    /// Of the title.
    pub title: BTreeSet<String>,
    /// Of the description.
    pub text: BTreeSet<String>,
}

const GENRES: f64 = 4.0;
const PEOPLE: f64 = 3.0;
const TAGS: f64 = 3.0;
const TITLE: f64 = 3.0;
const TEXT: f64 = 1.5;
const OWNER: f64 = 1.0;

/// From 0, nothing shared, upwards. Symmetric.
pub fn likeness(a: &Traits, b: &Traits) -> f64 {
    GENRES * overlap(&a.genres, &b.genres)
        + PEOPLE * overlap(&a.people, &b.people)
        + TAGS * overlap(&a.tags, &b.tags)
        + TITLE * overlap(&a.title, &b.title)
        + TEXT * overlap(&a.text, &b.text)
        + if a.owner == b.owner { OWNER } else { 0.0 }
}

/// The cosine of two sets: 0 when nothing is shared, 1 when they are equal.
fn overlap(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let shared = a.intersection(b).count() as f64;
    shared / ((a.len() * b.len()) as f64).sqrt()
}

/// The words of a folded text that tell something: four letters and more, at most 200.
pub fn words(folded: &str) -> BTreeSet<String> {
    folded.split_whitespace().filter(|word| word.chars().count() >= 4).take(200).map(str::to_owned).collect()
}

/// `candidates` by how much they resemble `of`; among equals the order that they came in. At most `limit`.
pub fn ranked<T>(of: &Traits, candidates: Vec<(Traits, T)>, limit: usize) -> Vec<T> {
    let mut scored: Vec<(f64, T)> =
        candidates.into_iter().map(|(traits, candidate)| (likeness(of, &traits), candidate)).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(limit).map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(owner: &str, genres: &[&str], title: &str) -> Traits {
        Traits {
            owner: owner.into(),
            genres: genres.iter().map(|&g| g.to_owned()).collect(),
            title: words(title),
            ..Traits::default()
        }
    }

    #[test]
    fn what_is_shared_counts_and_order_breaks_ties() {
        let of = traits("ada", &["comedy", "family"], "rabbit season");
        let genre = traits("bob", &["comedy"], "other");
        let owner = traits("ada", &["war"], "other");
        let title = traits("bob", &[], "season rabbit");
        let nothing = traits("bob", &["war"], "other");
        let order = ranked(
            &of,
            vec![
                (nothing.clone(), "first nothing"),
                (owner, "owner"),
                (genre, "genre"),
                (title, "title"),
                (nothing, "second nothing"),
            ],
            4,
        );
        assert_eq!(order, ["title", "genre", "owner", "first nothing"]);
    }

    #[test]
    fn likeness_is_symmetric_and_bounded() {
        let a = traits("ada", &["comedy", "family"], "rabbit season");
        let b = traits("bob", &["family"], "season of rabbits and more words");
        assert!((likeness(&a, &b) - likeness(&b, &a)).abs() < 1e-12);
        assert!(likeness(&a, &b) < likeness(&a, &a));
        assert!(likeness(&Traits { owner: "x".into(), ..Traits::default() }, &a).abs() < 1e-12);
    }
}
