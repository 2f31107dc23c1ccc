//! Families of codecs, as players and tokens choose among them.

use std::fmt;

/// Codecs that a decoder has or has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// H.264, which everything plays.
    Avc,
    Hevc,
    Vp9,
    Av1,
    /// AAC, which everything plays.
    Aac,
    Opus,
    /// AC-3 and E-AC-3.
    Ec3,
}

impl Family {
    pub const ALL: [Self; 7] =
        [Self::Avc, Self::Hevc, Self::Vp9, Self::Av1, Self::Aac, Self::Opus, Self::Ec3];

    /// Of an RFC 6381 codecs string; `None` for formats that are not known.
    pub fn of(codec: &str) -> Option<Self> {
        Some(match codec.split('.').next()? {
            "avc1" | "avc3" => Self::Avc,
            "hvc1" | "hev1" => Self::Hevc,
            "vp09" => Self::Vp9,
            "av01" => Self::Av1,
            "mp4a" => Self::Aac,
            "opus" | "Opus" => Self::Opus,
            "ac-3" | "ec-3" => Self::Ec3,
            _ => return None,
        })
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Avc => "avc",
            Self::Hevc => "hevc",
            Self::Vp9 => "vp9",
            Self::Av1 => "av1",
            Self::Aac => "aac",
            Self::Opus => "opus",
            Self::Ec3 => "ec3",
        }
    }
}

/// A set of families. Its text, such as `avc,av1,aac`, is the same for equal sets, so that it fits into cache keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Codecs(u8);

impl Codecs {
    /// From names with commas between them; names that are not known are passed over. `None` when nothing is left.
    pub fn parse(text: &str) -> Option<Self> {
        let known = |name: &str| Family::ALL.into_iter().find(|family| family.name() == name);
        let set: Self = text.split(',').filter_map(|name| known(name.trim())).collect();
        (set != Self::default()).then_some(set)
    }

    pub fn has(self, family: Family) -> bool {
        self.0 & (1 << family as u8) != 0
    }
}

impl FromIterator<Family> for Codecs {
    fn from_iter<I: IntoIterator<Item = Family>>(families: I) -> Self {
        Self(families.into_iter().fold(0, |set, family| set | 1 << family as u8))
    }
}

impl fmt::Display for Codecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            Family::ALL.into_iter().filter(|family| self.has(*family)).map(Family::name).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_have_one_text() {
        let set = Codecs::parse("aac, av1,avc,future,avc").unwrap();
        assert_eq!(set.to_string(), "avc,av1,aac");
        assert_eq!(Codecs::parse(&set.to_string()), Some(set));
        assert!(set.has(Family::Av1) && !set.has(Family::Hevc));
        assert_eq!(Codecs::parse("future"), None);
    }

    #[test]
    fn strings_belong_to_families() {
        for (codec, family) in [
            ("avc1.64001f", Some(Family::Avc)),
            ("hvc1.2.4.L153.90", Some(Family::Hevc)),
            ("ac-3", Some(Family::Ec3)),
            ("opus", Some(Family::Opus)),
            ("vvc1.1.L51", None),
            ("", None),
        ] {
            assert_eq!(Family::of(codec), family, "{codec}");
        }
    }
}
