//! Times as manifests write them: ISO 8601, which XML Schema (xs:dateTime, xs:duration) and HLS follow.

/// Microseconds since the Unix epoch as UTC, whole seconds: `2025-06-01T12:00:00Z`.
pub fn date_time(micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Civil date from days, counting years from March (Howard Hinnant's algorithm).
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (h, m, s) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{h:02}:{m:02}:{s:02}Z")
}

/// The same with milliseconds: `2025-06-01T12:00:00.250Z`.
pub fn date_time_ms(micros: i64) -> String {
    let seconds = date_time(micros);
    let ms = micros.rem_euclid(1_000_000) / 1000;
    format!("{}.{ms:03}Z", seconds.trim_end_matches('Z'))
}

/// Microseconds as `PT12.5S`.
pub fn duration(micros: u64) -> String {
    let fraction = format!("{:06}", micros % 1_000_000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("PT{}{point}{fraction}S", micros / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_right() {
        assert_eq!(date_time(0), "1970-01-01T00:00:00Z");
        assert_eq!(date_time(951_782_400_000_000), "2000-02-29T00:00:00Z");
        assert_eq!(date_time(1_735_689_599_999_999), "2024-12-31T23:59:59Z");
        assert_eq!(date_time(-1), "1969-12-31T23:59:59Z");
        assert_eq!(date_time_ms(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(date_time_ms(1_735_689_600_050_000), "2025-01-01T00:00:00.050Z");
    }

    #[test]
    fn durations_have_no_needless_digits() {
        assert_eq!(duration(30_000_000), "PT30S");
        assert_eq!(duration(1_500_000), "PT1.5S");
        assert_eq!(duration(33_367), "PT0.033367S");
    }
}
