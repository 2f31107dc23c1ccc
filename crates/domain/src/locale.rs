//! Languages (BCP 47) and countries (ISO 3166-1).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Assigned alpha-2 codes of ISO 3166-1, in order.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY \
    BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO \
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM \
    JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ \
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE \
    RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT \
    TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Two-letter codes of ISO 639-1, in order.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el \
    en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja \
    jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd \
    ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr \
    ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// A country by its ISO 3166-1 alpha-2 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country([u8; 2]);

/// A text that is no country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a country is two letters of ISO 3166-1, such as DE or US")]
pub struct NoCountry;

impl Country {
    /// All of them, in the order of their codes.
    pub fn all() -> impl Iterator<Item = Self> {
        COUNTRIES.split_ascii_whitespace().filter_map(|code| code.parse().ok())
    }

    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Country {
    type Err = NoCountry;

    /// Letters of either case.
    fn from_str(text: &str) -> Result<Self, NoCountry> {
        let upper = text.to_ascii_uppercase();
        let bytes: [u8; 2] = upper.as_bytes().try_into().map_err(|_| NoCountry)?;
        let known = COUNTRIES.split_ascii_whitespace().any(|code| code == upper);
        if known { Ok(Self(bytes)) } else { Err(NoCountry) }
    }
}

impl TryFrom<String> for Country {
    type Error = NoCountry;

    fn try_from(text: String) -> Result<Self, NoCountry> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.code().to_owned()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A language tag in its canonical case (RFC 5646 §2.1, §4.5): `en`, `pt-BR`, `zh-Hant-TW`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

/// A text that is no language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a language is a BCP 47 tag such as en, pt-BR or zh-Hant")]
pub struct NoLanguage;

/// Longest tag that is taken, as RFC 5646 §4.4.1 recommends.
const MAX_TAG: usize = 35;

impl Language {
    pub fn tag(&self) -> &str {
        &self.0
    }
}

impl FromStr for Language {
    type Err = NoLanguage;

    /// Well-formed tags of the `langtag` form whose two-letter languages and regions exist.
    fn from_str(text: &str) -> Result<Self, NoLanguage> {
        if text.len() > MAX_TAG || !text.is_ascii() {
            return Err(NoLanguage);
        }
        let parts: Vec<&str> = text.split('-').collect();
        let mut at = 0;
        let mut take = |fits: &dyn Fn(&str) -> bool| -> Option<&str> {
            let part = parts.get(at).copied().filter(|part| fits(part))?;
            at += 1;
            Some(part)
        };
        let alpha = |part: &str, least: usize, most: usize| {
            (least..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic())
        };
        let alphanumeric = |part: &str, least: usize, most: usize| {
            (least..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        };
        let language = take(&|part| alpha(part, 2, 3)).ok_or(NoLanguage)?.to_ascii_lowercase();
        if language.len() == 2 && !LANGUAGES.split_ascii_whitespace().any(|known| known == language) {
            return Err(NoLanguage);
        }
        let mut out = vec![language];
        // One extended language subtag, as the registry knows them.
        out.extend(take(&|part| alpha(part, 3, 3)).map(str::to_ascii_lowercase));
        out.extend(take(&|part| alpha(part, 4, 4)).map(title_case));
        let region = |part: &str| {
            (part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit())) || part.parse::<Country>().is_ok()
        };
        out.extend(take(&region).map(str::to_ascii_uppercase));
        let variant = |part: &str| {
            alphanumeric(part, 5, 8)
                || (part.len() == 4 && alphanumeric(part, 4, 4) && part.as_bytes()[0].is_ascii_digit())
        };
        while let Some(part) = take(&variant) {
            out.push(part.to_ascii_lowercase());
        }
        while let Some(single) = take(&|part| alphanumeric(part, 1, 1)) {
            let least = if single.eq_ignore_ascii_case("x") { 1 } else { 2 };
            out.push(single.to_ascii_lowercase());
            let before = out.len();
            while let Some(part) = take(&|part| alphanumeric(part, least, 8)) {
                out.push(part.to_ascii_lowercase());
            }
            if out.len() == before {
                return Err(NoLanguage);
            }
        }
        if at == parts.len() { Ok(Self(out.join("-"))) } else { Err(NoLanguage) }
    }
}

fn title_case(part: &str) -> String {
    let mut out = part.to_ascii_lowercase();
    out[..1].make_ascii_uppercase();
    out
}

impl TryFrom<String> for Language {
    type Error = NoLanguage;

    fn try_from(text: String) -> Result<Self, NoLanguage> {
        text.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_iso_3166() {
        assert_eq!(Country::all().count(), 249);
        assert_eq!("de".parse::<Country>().unwrap().code(), "DE");
        for bad in ["", "D", "DEU", "XX", "ZZ", "EU", "UK", "d\u{0}", "ß"] {
            assert!(bad.parse::<Country>().is_err(), "{bad}");
        }
        assert!(serde_json::from_str::<Country>("\"XX\"").is_err());
    }

    #[test]
    fn language_tags_take_their_canonical_case() {
        for (given, canonical) in [
            ("EN", "en"),
            ("pt-br", "pt-BR"),
            ("ZH-hANT-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("sl-Rozaj-Biske", "sl-rozaj-biske"),
            ("de-CH-1996", "de-CH-1996"),
            ("zh-yue-HK", "zh-yue-HK"),
            ("gsw", "gsw"),
            ("en-u-hc-h12", "en-u-hc-h12"),
            ("en-x-Twain", "en-x-twain"),
        ] {
            assert_eq!(given.parse::<Language>().unwrap().tag(), canonical);
        }
        for bad in [
            "", "e", "english", "xx", "en-", "-en", "en--US", "en_US", "en-US-US", "en-u", "en-XX", "é", "12",
        ] {
            assert!(bad.parse::<Language>().is_err(), "{bad}");
        }
        assert!(format!("en-x-{}", "a-".repeat(30)).parse::<Language>().is_err());
    }
}
