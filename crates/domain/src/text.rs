//! Text that people write: normalised (NFC, Unicode Standard Annex 15), without what could disguise or break a page.

use unicode_normalization::UnicodeNormalization;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("must not be empty")]
    Empty,
    /// More characters than this.
    #[error("has more than {0} characters")]
    TooLong(usize),
    #[error("holds control characters")]
    Control,
}

/// One line: trimmed, inner white space as single spaces, 0 to `max` characters (Unicode scalar values).
pub fn line(text: &str, max: usize) -> Result<String, Fault> {
    if text.trim().chars().any(is_control) {
        return Err(Fault::Control);
    }
    let words: Vec<String> =
        text.split_whitespace().map(|word| word.nfc().filter(|c| !is_disguise(*c)).collect()).collect();
    bounded(words.join(" ").trim().to_owned(), max)
}

/// As [`line`], but not empty.
pub fn filled_line(text: &str, max: usize) -> Result<String, Fault> {
    match line(text, max)? {
        empty if empty.is_empty() => Err(Fault::Empty),
        line => Ok(line),
    }
}

/// Several lines: line ends become `\n`, the ends are trimmed, 0 to `max` characters.
pub fn prose(text: &str, max: usize) -> Result<String, Fault> {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n");
    if text.chars().any(|c| is_control(c) && c != '\n' && c != '\t') {
        return Err(Fault::Control);
    }
    let text: String = text.nfc().filter(|c| !is_disguise(*c)).collect();
    bounded(text.trim().to_owned(), max)
}

fn bounded(text: String, max: usize) -> Result<String, Fault> {
    if text.chars().count() > max { Err(Fault::TooLong(max)) } else { Ok(text) }
}

/// What is left of words that a machine found somewhere, when all that [`line`] refuses or leaves out is left out.
pub fn visible(text: &str) -> String {
    text.chars().filter(|c| !is_hidden(*c)).collect()
}

/// Does a character belong to those that [`visible`] leaves out?
pub fn is_hidden(c: char) -> bool {
    is_control(c) || is_disguise(c)
}

fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Characters that reorder or hide their neighbours: bidirectional embeddings, overrides and isolates (UAX 9), the byte
/// order mark, the invisible operators. Joiners and the two plain direction marks stay: scripts and emoji need them.
fn is_disguise(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{2060}'..='\u{2064}'
        | '\u{200B}' | '\u{FFF9}'..='\u{FFFB}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_without_disguises() {
        assert_eq!(line("  Une   e\u{301}te\u{301} ", 20).unwrap(), "Une été");
        assert_eq!(line("a\u{202E}gpj.exe\u{2066}", 20).unwrap(), "agpj.exe");
        assert_eq!(line("\u{FEFF}", 20).unwrap(), "");
        assert_eq!(filled_line(" \u{200B} ", 20), Err(Fault::Empty));
        for bad in ["a\nb", "a\u{0}b", "a\tb", "a\u{2028}b", "a\u{85}b"] {
            assert_eq!(line(bad, 20), Err(Fault::Control), "{bad:?}");
        }
        assert_eq!(line("👩‍👩‍👧 می‌خواهم", 20).unwrap(), "👩‍👩‍👧 می‌خواهم", "joiners are part of words");
    }

    #[test]
    fn found_words_lose_what_is_hidden() {
        assert_eq!(visible("\u{202E}gpj.exe\u{2066}\u{7}\u{1B}[31m"), "gpj.exe[31m");
        assert_eq!(visible("two\nlines\u{2028}and more"), "twolinesand more");
        for text in [
            "Übergröße",
            "日本語のタイトル",
            "שלום",
            "مرحبا",
            "किताब",
            "👩\u{200D}👧 family",
            "می\u{200C}خواهم",
        ] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn lengths_count_characters() {
        assert!(line(&"é".repeat(20), 20).is_ok());
        assert_eq!(line(&"é".repeat(21), 20), Err(Fault::TooLong(20)));
        assert!(line(&"e\u{301}".repeat(20), 20).is_ok(), "counted as normalised");
    }

    #[test]
    fn prose_keeps_its_lines() {
        assert_eq!(prose(" one\r\ntwo\rthree\u{2029}\t4 \n", 40).unwrap(), "one\ntwo\nthree\n\t4");
        assert_eq!(prose("bell\u{7}", 40), Err(Fault::Control));
    }
}
