//! Language tags of files, brought to the shortest form of BCP 47 (RFC 5646 §4.5), which players and people understand.

/// ISO 639-1, ISO 639-2/T, and ISO 639-2/B where that differs.
#[rustfmt::skip]
const LANGUAGES: &[(&str, &str, &str)] = &[
    ("aa", "aar", ""), ("ab", "abk", ""), ("ae", "ave", ""), ("af", "afr", ""), ("ak", "aka", ""), ("am", "amh", ""),
    ("an", "arg", ""), ("ar", "ara", ""), ("as", "asm", ""), ("av", "ava", ""), ("ay", "aym", ""), ("az", "aze", ""),
    ("ba", "bak", ""), ("be", "bel", ""), ("bg", "bul", ""), ("bi", "bis", ""), ("bm", "bam", ""), ("bn", "ben", ""),
    ("bo", "bod", "tib"), ("br", "bre", ""), ("bs", "bos", ""), ("ca", "cat", ""), ("ce", "che", ""), ("ch", "cha", ""),
    ("co", "cos", ""), ("cr", "cre", ""), ("cs", "ces", "cze"), ("cu", "chu", ""), ("cv", "chv", ""), ("cy", "cym", "wel"),
    ("da", "dan", ""), ("de", "deu", "ger"), ("dv", "div", ""), ("dz", "dzo", ""), ("ee", "ewe", ""), ("el", "ell", "gre"),
    ("en", "eng", ""), ("eo", "epo", ""), ("es", "spa", ""), ("et", "est", ""), ("eu", "eus", "baq"), ("fa", "fas", "per"),
    ("ff", "ful", ""), ("fi", "fin", ""), ("fj", "fij", ""), ("fo", "fao", ""), ("fr", "fra", "fre"), ("fy", "fry", ""),
    ("ga", "gle", ""), ("gd", "gla", ""), ("gl", "glg", ""), ("gn", "grn", ""), ("gu", "guj", ""), ("gv", "glv", ""),
    ("ha", "hau", ""), ("he", "heb", ""), ("hi", "hin", ""), ("ho", "hmo", ""), ("hr", "hrv", ""), ("ht", "hat", ""),
    ("hu", "hun", ""), ("hy", "hye", "arm"), ("hz", "her", ""), ("ia", "ina", ""), ("id", "ind", ""), ("ie", "ile", ""),
    ("ig", "ibo", ""), ("ii", "iii", ""), ("ik", "ipk", ""), ("io", "ido", ""), ("is", "isl", "ice"), ("it", "ita", ""),
    ("iu", "iku", ""), ("ja", "jpn", ""), ("jv", "jav", ""), ("ka", "kat", "geo"), ("kg", "kon", ""), ("ki", "kik", ""),
    ("kj", "kua", ""), ("kk", "kaz", ""), ("kl", "kal", ""), ("km", "khm", ""), ("kn", "kan", ""), ("ko", "kor", ""),
    ("kr", "kau", ""), ("ks", "kas", ""), ("ku", "kur", ""), ("kv", "kom", ""), ("kw", "cor", ""), ("ky", "kir", ""),
    ("la", "lat", ""), ("lb", "ltz", ""), ("lg", "lug", ""), ("li", "lim", ""), ("ln", "lin", ""), ("lo", "lao", ""),
    ("lt", "lit", ""), ("lu", "lub", ""), ("lv", "lav", ""), ("mg", "mlg", ""), ("mh", "mah", ""), ("mi", "mri", "mao"),
    ("mk", "mkd", "mac"), ("ml", "mal", ""), ("mn", "mon", ""), ("mr", "mar", ""), ("ms", "msa", "may"), ("mt", "mlt", ""),
    ("my", "mya", "bur"), ("na", "nau", ""), ("nb", "nob", ""), ("nd", "nde", ""), ("ne", "nep", ""), ("ng", "ndo", ""),
    ("nl", "nld", "dut"), ("nn", "nno", ""), ("no", "nor", ""), ("nr", "nbl", ""), ("nv", "nav", ""), ("ny", "nya", ""),
    ("oc", "oci", ""), ("oj", "oji", ""), ("om", "orm", ""), ("or", "ori", ""), ("os", "oss", ""), ("pa", "pan", ""),
    ("pi", "pli", ""), ("pl", "pol", ""), ("ps", "pus", ""), ("pt", "por", ""), ("qu", "que", ""), ("rm", "roh", ""),
    ("rn", "run", ""), ("ro", "ron", "rum"), ("ru", "rus", ""), ("rw", "kin", ""), ("sa", "san", ""), ("sc", "srd", ""),
    ("sd", "snd", ""), ("se", "sme", ""), ("sg", "sag", ""), ("si", "sin", ""), ("sk", "slk", "slo"), ("sl", "slv", ""),
    ("sm", "smo", ""), ("sn", "sna", ""), ("so", "som", ""), ("sq", "sqi", "alb"), ("sr", "srp", ""), ("ss", "ssw", ""),
    ("st", "sot", ""), ("su", "sun", ""), ("sv", "swe", ""), ("sw", "swa", ""), ("ta", "tam", ""), ("te", "tel", ""),
    ("tg", "tgk", ""), ("th", "tha", ""), ("ti", "tir", ""), ("tk", "tuk", ""), ("tl", "tgl", ""), ("tn", "tsn", ""),
    ("to", "ton", ""), ("tr", "tur", ""), ("ts", "tso", ""), ("tt", "tat", ""), ("tw", "twi", ""), ("ty", "tah", ""),
    ("ug", "uig", ""), ("uk", "ukr", ""), ("ur", "urd", ""), ("uz", "uzb", ""), ("ve", "ven", ""), ("vi", "vie", ""),
    ("vo", "vol", ""), ("wa", "wln", ""), ("wo", "wol", ""), ("xh", "xho", ""), ("yi", "yid", ""), ("yo", "yor", ""),
    ("za", "zha", ""), ("zh", "zho", "chi"), ("zu", "zul", ""),
];

/// A tag in its shortest form with language, script, region and variants; `None` for what is none, or says "undetermined".
pub fn shortest(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    let mut parts = tag.split('-');
    let first = parts.next()?.to_ascii_lowercase();
    if !(2..=3).contains(&first.len()) || !first.bytes().all(|b| b.is_ascii_lowercase()) || first == "und" {
        return None;
    }
    let known = LANGUAGES.iter().find(|(_, t, b)| *t == first || *b == first);
    let mut out = known.map_or(first.clone(), |(two, ..)| (*two).to_owned());
    for part in parts {
        let letters = part.bytes().all(|b| b.is_ascii_alphabetic());
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        let part = match part.len() {
            // Extensions and private use mean nothing to a stranger.
            1 if letters || digits => break,
            2 if letters => part.to_ascii_uppercase(),
            3 if digits => part.to_owned(),
            4 if letters => part[..1].to_ascii_uppercase() + &part[1..].to_ascii_lowercase(),
            4..=8 if part.bytes().all(|b| b.is_ascii_alphanumeric()) => part.to_ascii_lowercase(),
            // Extended languages (three letters) are deprecated in favour of their own tags.
            3 if letters => continue,
            _ => return None,
        };
        if out.len() + 1 + part.len() > 35 {
            break;
        }
        out = out + "-" + &part;
    }
    Some(out)
}

/// The three letters of ISO 639-2/T for a tag, as ISO-BMFF wants them (ISO/IEC 14496-12 §8.4.2).
pub fn three_letters(tag: &str) -> Option<String> {
    let first = tag.split('-').next()?;
    let known = LANGUAGES.iter().find(|(two, ..)| *two == first).map(|(_, t, _)| (*t).to_owned());
    known.or_else(|| (first.len() == 3).then(|| first.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_as_short_as_can_be() {
        for (tag, short) in [
            ("eng", "en"),
            ("ger", "de"),
            ("deu", "de"),
            ("EN-us", "en-US"),
            ("pt_BR", "pt-BR"),
            ("zho-hans-cn", "zh-Hans-CN"),
            ("zh-cmn-Hant", "zh-Hant"),
            ("gsw", "gsw"),
            ("es-419", "es-419"),
            ("sl-rozaj-biske-1994", "sl-rozaj-biske-1994"),
            ("de-CH-x-phonebk", "de-CH"),
            ("zxx", "zxx"),
        ] {
            assert_eq!(shortest(tag).as_deref(), Some(short), "{tag}");
        }
    }

    #[test]
    fn what_is_no_language_is_left_out() {
        for tag in ["und", "", "e", "english", "<b>", "e1", "en--", "en-$", "en-\u{202E}", "und-Latn", "日本"]
        {
            assert_eq!(shortest(tag), None, "{tag}");
        }
    }

    #[test]
    fn headers_take_three_letters() {
        assert_eq!(three_letters("en-US").as_deref(), Some("eng"));
        assert_eq!(three_letters("gsw").as_deref(), Some("gsw"));
        assert_eq!(three_letters("xx"), None);
    }

    #[test]
    fn the_table_is_sorted_and_says_nothing_twice() {
        assert!(LANGUAGES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let mut three: Vec<&str> =
            LANGUAGES.iter().flat_map(|(_, t, b)| [*t, *b]).filter(|c| !c.is_empty()).collect();
        let all = three.len();
        three.sort_unstable();
        three.dedup();
        assert_eq!(three.len(), all);
        assert!(three.iter().all(|code| code.len() == 3));
    }
}
