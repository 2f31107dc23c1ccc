//! What a rule is, and how a table of rules is written.

use crate::lint::Severity;

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standard {
    /// draft-pantos-hls-rfc8216bis, HTTP Live Streaming 2nd edition.
    Hls,
    /// HLS Authoring Specification for Apple Devices.
    Apple,
    /// The image media playlist extension (github.com/image-media-playlist/spec).
    Images,
    /// ISO/IEC 23000-19.
    Cmaf,
    /// ISO/IEC 14496-12.
    IsoBmff,
    /// ISO/IEC 14496-15.
    NalFile,
    /// Encapsulation of Opus in ISO Base Media File Format.
    Opus,
    /// ISO/IEC 23001-7.
    Cenc,
    /// ISO/IEC 23009-1.
    Dash,
    /// DASH-IF Interoperability Points 4.3.
    DashIf,
    /// DASH-IF guidelines, restricted timing model.
    DashIfTiming,
    Rfc6381,
    /// RFC 9110, HTTP semantics.
    Http,
    /// The Fetch standard.
    Fetch,
    Xml,
}

impl Standard {
    pub fn name(self) -> &'static str {
        match self {
            Self::Hls => "RFC 8216bis",
            Self::Apple => "HLS Authoring Specification for Apple Devices",
            Self::Images => "Image Media Playlist",
            Self::Cmaf => "ISO/IEC 23000-19",
            Self::IsoBmff => "ISO/IEC 14496-12",
            Self::NalFile => "ISO/IEC 14496-15",
            Self::Opus => "Opus in ISOBMFF",
            Self::Cenc => "ISO/IEC 23001-7",
            Self::Dash => "ISO/IEC 23009-1",
            Self::DashIf => "DASH-IF IOP 4.3",
            Self::DashIfTiming => "DASH-IF restricted timing model",
            Self::Rfc6381 => "RFC 6381",
            Self::Http => "RFC 9110",
            Self::Fetch => "Fetch",
            Self::Xml => "XML 1.0",
        }
    }
}

/// One rule.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Stable: scripts may rely on it.
    pub id: &'static str,
    pub severity: Severity,
    pub standard: Standard,
    /// Section of the standard.
    pub section: &'static str,
    /// What must hold.
    pub about: &'static str,
    /// What to do about a breach.
    pub advice: &'static str,
}

impl Rule {
    /// `RFC 8216bis §4.4.3.1`.
    pub fn source(&self) -> String {
        if self.section.is_empty() {
            self.standard.name().to_owned()
        } else {
            format!("{} §{}", self.standard.name(), self.section)
        }
    }
}

macro_rules! rules {
    ($($name:ident: $id:literal $severity:ident $standard:ident $section:literal, $about:literal, $advice:literal;)*) => {
        $(
            #[doc = $about]
            pub static $name: $crate::lint::rules::Rule = $crate::lint::rules::Rule {
                id: $id,
                severity: $crate::lint::Severity::$severity,
                standard: $crate::lint::rules::Standard::$standard,
                section: $section,
                about: $about,
                advice: $advice,
            };
        )*
        /// The rules of this subject, in reading order.
        pub static ALL: &[&$crate::lint::rules::Rule] = &[$(&$name),*];
    };
}
