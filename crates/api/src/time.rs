//! Instants as they appear in JSON: RFC 3339, answers in UTC and to the millisecond.

use std::str::FromStr;

use domain::Micros;
use serde::{Serialize, Serializer};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, schema::Type},
};

/// An instant in an answer: `2026-11-21T12:30:07.125Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Micros);

impl From<Micros> for Time {
    fn from(micros: Micros) -> Self {
        Self(micros)
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = self.0.millis();
        let (year, month, day) = civil(millis.div_euclid(86_400_000));
        let rest = millis.rem_euclid(86_400_000);
        let (hour, minute, second) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", rest % 1000)
    }
}

/// A text that is no instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time is written as 2026-11-21T12:30:00Z (RFC 3339)")]
pub struct NoTime;

impl FromStr for Time {
    type Err = NoTime;

    /// RFC 3339 with any offset; finer than a microsecond is cut off.
    fn from_str(text: &str) -> Result<Self, NoTime> {
        let read = OffsetDateTime::parse(text.trim(), &Rfc3339).map_err(|_| NoTime)?;
        i64::try_from(read.unix_timestamp_nanos().div_euclid(1000))
            .map(|micros| Self(Micros(micros)))
            .map_err(|_| NoTime)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .into()
    }
}

impl ToSchema for Time {}

/// Days since 1970-01-01 as year, month and day of the proleptic Gregorian calendar, which repeats every 146 097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468; // counted from 0000-03-01, so that the leap day ends a year
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_rfc_3339() {
        let text = |seconds: i64| Time(Micros(seconds * Micros::SECOND + 250_999)).to_string();
        assert_eq!(text(0), "1970-01-01T00:00:00.250Z");
        assert_eq!(text(951_782_400), "2000-02-29T00:00:00.250Z");
        assert_eq!(text(1_767_225_599), "2025-12-31T23:59:59.250Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.250Z");
        assert_eq!(serde_json::to_string(&Time(Micros(0))).unwrap(), "\"1970-01-01T00:00:00.000Z\"");
    }
    #[test]
    fn instants_are_read_with_any_offset() {
        let micros = |text: &str| text.parse::<Time>().map(|time| time.0.0);
        assert_eq!(micros("2000-02-29T00:00:00.250Z"), Ok(951_782_400_250_000));
        assert_eq!(micros("2000-02-29T02:30:00+02:30"), Ok(951_782_400_000_000));
        for bad in [
            "",
            "2000-02-30T00:00:00Z",
            "2000-02-29",
            "2000-02-29T00:00:00",
            "951782400",
            "99999-01-01T00:00:00Z",
        ] {
            assert!(micros(bad).is_err(), "{bad}");
        }
    }
}
