//! Language tags (BCP 47, RFC 5646 §2.1): whether they are well-formed.

/// Whether `tag` follows the grammar: `de`, `zh-Hant-TW`, `x-klingon`. Registration of the subtags is not looked up.
pub fn is_well_formed(tag: &str) -> bool {
    let subtags: Vec<&str> = tag.split('-').collect();
    if subtags.iter().any(|s| !(1..=8).contains(&s.len()) || !s.bytes().all(|b| b.is_ascii_alphanumeric())) {
        return false;
    }
    let letters = |s: &str| s.bytes().all(|b| b.is_ascii_alphabetic());
    match subtags.split_first() {
        Some((&("x" | "X" | "i" | "I"), rest)) => !rest.is_empty(),
        Some((first, rest)) => {
            (2..=8).contains(&first.len())
                && letters(first)
                && rest
                    .last()
                    .is_none_or(|last| last.len() > 1 || rest.iter().any(|s| s.eq_ignore_ascii_case("x")))
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_well_formed;

    #[test]
    fn the_grammar_decides() {
        for good in
            ["de", "en-GB", "zh-Hant-TW", "es-419", "x-elvish", "sl-rozaj-biske", "und", "de-u-co-phonebk"]
        {
            assert!(is_well_formed(good), "{good}");
        }
        for bad in ["", "e", "en_GB", "en-", "english language", "123", "en-toolongsubtag", "x", "en-u"] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }
}
