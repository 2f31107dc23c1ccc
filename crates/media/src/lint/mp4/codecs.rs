//! Codec strings (RFC 6381 and the codecs' own registrations): their form, and whether two mean the same.

/// Whether a codec string is written as its format prescribes. Formats that are not known count as good.
pub fn is_well_formed(codec: &str) -> bool {
    let parts: Vec<&str> = codec.split('.').collect();
    let hex = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_hexdigit());
    let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
    match (parts[0], &parts[1..]) {
        ("avc1" | "avc2" | "avc3" | "avc4", rest) => matches!(rest, [p] if hex(p, 6)),
        ("hvc1" | "hev1" | "dvh1" | "dvhe", rest) => {
            let tier = |t: &str| matches!(t.as_bytes(), [b'L' | b'H', level @ ..] if !level.is_empty() && level.iter().all(u8::is_ascii_digit));
            match rest {
                // Dolby Vision: profile and level.
                [profile, level] if parts[0].starts_with("dv") => digits(profile, 2) && digits(level, 2),
                [profile, compatibility, level, constraints @ ..] => {
                    let profile = profile.trim_start_matches(['A', 'B', 'C']);
                    !profile.is_empty()
                        && profile.bytes().all(|b| b.is_ascii_digit())
                        && (1..=8).contains(&compatibility.len())
                        && compatibility.bytes().all(|b| b.is_ascii_hexdigit())
                        && tier(level)
                        && constraints.len() <= 6
                        && constraints.iter().all(|c| (1..=2).contains(&c.len()) && hex(c, c.len()))
                }
                _ => false,
            }
        }
        ("av01", [profile, level, depth, rest @ ..]) => {
            let (number, tier) = level.split_at_checked(2).unwrap_or(("", ""));
            digits(profile, 1)
                && digits(number, 2)
                && matches!(tier, "M" | "H")
                && digits(depth, 2)
                && rest.len() <= 7
        }
        ("vp09", [profile, level, depth, rest @ ..]) => {
            [*profile, level, depth].iter().chain(rest).all(|part| digits(part, 2)) && rest.len() <= 5
        }
        ("av01" | "vp09", _) => false,
        ("mp4a", rest) => match rest {
            [object] => hex(object, 2),
            [object, kind] => hex(object, 2) && (1..=2).contains(&kind.len()) && digits(kind, kind.len()),
            _ => false,
        },
        ("stpp", rest) => !rest.is_empty() || parts.len() == 1,
        (first, _) => !first.is_empty(),
    }
}

/// Whether it names a format of moving pictures.
pub fn is_video(codec: &str) -> bool {
    let first = codec.split('.').next().unwrap_or_default();
    matches!(
        first,
        "avc1"
            | "avc2"
            | "avc3"
            | "avc4"
            | "hvc1"
            | "hev1"
            | "dvh1"
            | "dvhe"
            | "dvav"
            | "dva1"
            | "dav1"
            | "av01"
            | "vp08"
            | "vp09"
            | "mp4v"
            | "vvc1"
            | "vvi1"
    )
}

/// Whether two strings name the same format: equal but for case, and no further than both go.
pub fn same(told: &str, found: &str) -> bool {
    let lower = |s: &str| s.to_ascii_lowercase();
    let (told, found) = (lower(told), lower(found));
    if told == found {
        return true;
    }
    // Trailing parts may be left out, and .0 constraint bytes of H.265 and leading zeros of H.264 differ in writing.
    let trimmed = |s: &str| {
        let mut parts: Vec<String> = s.split('.').map(|p| p.trim_start_matches('0').to_owned()).collect();
        while parts.len() > 1 && parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        parts
    };
    let (told, found) = (trimmed(&told), trimmed(&found));
    let optional = ["av01", "vp09", "vp9", "stpp"].iter().any(|f| told[0].trim_start_matches('0') == *f);
    told == found
        || (optional && told.iter().zip(&found).all(|(a, b)| a == b))
        || found.len() == 1 && told[0] == found[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_known() {
        for good in [
            "avc1.64001f",
            "hvc1.1.6.L93.B0",
            "hev1.2.4.L120.90",
            "av01.0.04M.08",
            "av01.0.04M.10.0.112.09.16.09.0",
            "vp09.00.10.08",
            "mp4a.40.2",
            "mp4a.a5",
            "ac-3",
            "ec-3",
            "opus",
            "Opus",
            "fLaC",
            "wvtt",
            "stpp.ttml.im1t",
            "dvh1.05.06",
            "jpeg",
        ] {
            assert!(is_well_formed(good), "{good}");
        }
        for bad in [
            "avc1",
            "avc1.64",
            "avc1.66.30",
            "hvc1",
            "hvc1.1.6",
            "av01",
            "vp09.0.10.08",
            "mp4a",
            "mp4a.40.",
            "",
        ] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn writing_does_not_matter() {
        assert!(same("avc1.64001F", "avc1.64001f"));
        assert!(same("hvc1.1.6.L93.B0", "hvc1.1.6.L93.b0"));
        assert!(same("hvc1.1.6.L93", "hvc1.1.6.L93.0"));
        assert!(same("opus", "Opus"));
        assert!(same("av01.0.04M.08", "av01.0.04M.08.0.110.01.01.01.0"));
        assert!(!same("avc1.64001f", "avc1.640020"));
        assert!(!same("avc1.64001f", "avc3.64001f"));
        assert!(!same("mp4a.40.5", "mp4a.40.2"));
    }
}
