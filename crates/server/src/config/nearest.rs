//! Which known word someone may have meant.

/// The known word that is at most a third of its letters away.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let best = known.iter().map(|name| (distance(word, name), *name)).min()?;
    (best.0 * 3 <= best.1.chars().count().max(3)).then_some(best.1)
}

/// Optimal string alignment distance: letters inserted, left out, replaced, or two neighbours swapped.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut least = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        least = least.min(table[i - 2][j - 2] + 1);
                    }
                    least
                }
            };
        }
    }
    table[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        assert_eq!(nearest("ulr", &["url", "max_connections"]), Some("url"));
        assert_eq!(nearest("max_conections", &["url", "max_connections"]), Some("max_connections"));
        assert_eq!(nearest("colour", &["url", "max_connections"]), None);
        assert_eq!(distance("", "abc"), 3);
    }
}
