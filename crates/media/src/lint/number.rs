//! Numbers as playlists and manifests write them, without floating point.

/// A decimal number of seconds in microseconds, rounded: `4.004`, `-2`, `1.5E-1` is none.
pub fn micros(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && part.is_empty()) || !all_digits(whole) || !all_digits(part) || whole.len() > 9 {
        return None;
    }
    let seconds: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut sixths = part.bytes().chain(std::iter::repeat(b'0'));
    let mut fraction = 0i64;
    for _ in 0..6 {
        fraction = fraction * 10 + i64::from(sixths.next().unwrap_or(b'0') - b'0');
    }
    let up = i64::from(sixths.next().is_some_and(|b| b >= b'5'));
    let value = seconds.checked_mul(1_000_000)?.checked_add(fraction + up)?;
    Some(if negative { -value } else { value })
}

/// Microseconds as seconds: `4.004`.
pub fn seconds(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (whole, part) = (micros.unsigned_abs() / 1_000_000, micros.unsigned_abs() % 1_000_000);
    let text = format!("{sign}{whole}.{part:06}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Some three thousand years in microseconds: no time is longer, so that sums and differences of a few are safe.
pub const LONGEST: i64 = 100_000_000_000_000_000;

/// Ticks in microseconds, rounded down; never more than [`LONGEST`].
pub fn ticks(ticks: i64, timescale: u32) -> i64 {
    let value = i128::from(ticks) * 1_000_000 / i128::from(timescale.max(1));
    value.clamp(-i128::from(LONGEST), i128::from(LONGEST)) as i64
}

/// Bits per second of so many bytes in so many microseconds, at most a petabit.
pub fn bitrate(bytes: u64, micros: i64) -> u64 {
    let micros = u128::from(micros.max(1).unsigned_abs());
    (u128::from(bytes) * 8_000_000 / micros).min(1 << 50) as u64
}

/// An ISO 8601 date and time of day with a zone, in microseconds since the Unix epoch. `None` when it is not one;
/// without a zone it counts as UTC and the second value is `false`.
pub fn date_time(text: &str) -> Option<(i64, bool)> {
    let (date, time) = text.split_once(['T', 't'])?;
    let mut fields = date.split('-');
    let mut field = |length: usize| -> Option<i64> {
        let text = fields.next()?;
        (text.len() == length && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let (year, month, day) = (field(4)?, field(2)?, field(2)?);
    if fields.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let (time, offset) = zone(time)?;
    let mut parts = time.split(':');
    let two = |text: Option<&str>, most: i64| -> Option<i64> {
        let text = text?;
        let value: i64 =
            (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())??;
        (value <= most).then_some(value)
    };
    let (hour, minute) = (two(parts.next(), 24)?, two(parts.next(), 59)?);
    let second = parts.next()?;
    if parts.next().is_some() || second.split('.').next().is_none_or(|whole| whole.len() != 2) {
        return None;
    }
    let second = micros(second).filter(|s| (0..61_000_000).contains(s))?;
    let minutes = days(year, month, day) * 1440 + hour * 60 + minute - offset.unwrap_or(0);
    Some((minutes * 60_000_000 + second, offset.is_some()))
}

/// Time of day and the zone's offset in minutes.
fn zone(time: &str) -> Option<(&str, Option<i64>)> {
    if let Some(time) = time.strip_suffix(['Z', 'z']) {
        return Some((time, Some(0)));
    }
    let Some(at) = time.rfind(['+', '-']) else { return Some((time, None)) };
    let (time, zone) = time.split_at(at);
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: String = zone[1..].chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = digits.get(2..).filter(|m| !m.is_empty()).map_or(Some(0), |m| m.parse().ok())?;
    Some((time, Some(sign * (hours * 60 + minutes))))
}

/// Days since the Unix epoch in the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// An `xs:duration` in microseconds; years and months have no fixed length and are refused.
pub fn xs_duration(text: &str) -> Option<i64> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (date, time) = match text.strip_prefix('P')?.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None => (text.strip_prefix('P')?, ""),
    };
    if date.is_empty() && time.is_empty() {
        return None;
    }
    let mut total = 0i64;
    for (mut rest, units) in [(date, &[('D', 86_400)][..]), (time, &[('H', 3600), ('M', 60), ('S', 1)][..])] {
        for (letter, seconds) in units {
            let Some((number, after)) = rest.split_once(*letter) else { continue };
            if *letter != 'S' && number.contains('.') {
                return None;
            }
            total = total.checked_add(micros(number).filter(|n| *n >= 0)?.checked_mul(*seconds)?)?;
            rest = after;
        }
        if !rest.is_empty() {
            return None;
        }
    }
    let total = total.min(LONGEST);
    Some(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact() {
        assert_eq!(micros("4.004"), Some(4_004_000));
        assert_eq!(micros("3.9999996"), Some(4_000_000));
        assert_eq!(micros("-1.5"), Some(-1_500_000));
        assert_eq!((micros("."), micros("1e3"), micros("٣"), micros("")), (None, None, None, None));
        assert_eq!(
            (seconds(4_004_000), seconds(-500_000), seconds(7_000_000)),
            ("4.004".into(), "-0.5".into(), "7".into())
        );
    }

    #[test]
    fn dates_and_durations_follow_iso_8601() {
        assert_eq!(date_time("1970-01-02T00:00:01.5Z"), Some((86_401_500_000, true)));
        assert_eq!(date_time("2025-06-15T15:06:40Z"), Some((1_750_000_000_000_000, true)));
        assert_eq!(date_time("2025-06-15T17:06:40+02:00"), Some((1_750_000_000_000_000, true)));
        assert_eq!(date_time("2025-06-15T15:06:40"), Some((1_750_000_000_000_000, false)));
        for wrong in
            ["2025-13-01T00:00:00Z", "2025-06-15", "2025-06-15T25:00:00Z", "2025-06-15T1:00:00Z", "T"]
        {
            assert_eq!(date_time(wrong), None, "{wrong}");
        }
        assert_eq!(xs_duration("PT1H2M3.5S"), Some(3_723_500_000));
        assert_eq!(xs_duration("P1DT1S"), Some(86_401_000_000));
        for wrong in ["", "P", "PT", "1S", "P1Y", "PT1M2", "PT1.5M", "PTS"] {
            assert_eq!(xs_duration(wrong), None, "{wrong}");
        }
    }
}
