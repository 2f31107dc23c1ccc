//! Times of day at which an edge does what can wait.

use std::{fmt, str::FromStr};

use domain::Micros;
use serde::{Deserialize, Serialize};

const DAY: i64 = 24 * 60;

/// From one minute of the day to another, UTC: `22:00-06:00` goes over midnight, `00:00-24:00` is always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hours {
    from: i64,
    to: i64,
}

/// A text that is no span of hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("hours are two times of day in UTC, such as 01:00-05:30")]
pub struct NoHours;

impl Hours {
    pub fn contain(&self, now: Micros) -> bool {
        let minute = now.seconds().div_euclid(60).rem_euclid(DAY);
        if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        }
    }
}

impl FromStr for Hours {
    type Err = NoHours;

    fn from_str(text: &str) -> Result<Self, NoHours> {
        let (from, to) = text.split_once('-').ok_or(NoHours)?;
        let hours = Self { from: minute(from)?, to: minute(to)? };
        let good = hours.from < DAY && hours.from != hours.to;
        if good { Ok(hours) } else { Err(NoHours) }
    }
}

fn minute(text: &str) -> Result<i64, NoHours> {
    let (hour, minute) = text.trim().split_once(':').ok_or(NoHours)?;
    let number = |text: &str| -> Result<i64, NoHours> {
        let good = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
        if good { text.parse().map_err(|_| NoHours) } else { Err(NoHours) }
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let all = hour * 60 + minute;
    if minute < 60 && all <= DAY { Ok(all) } else { Err(NoHours) }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |at: i64| format!("{:02}:{:02}", at / 60, at % 60);
        write!(f, "{}-{}", part(self.from), part(self.to))
    }
}

impl TryFrom<String> for Hours {
    type Error = NoHours;

    fn try_from(text: String) -> Result<Self, NoHours> {
        text.parse()
    }
}

impl From<Hours> for String {
    fn from(hours: Hours) -> Self {
        hours.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64, minute: i64) -> Micros {
        Micros((20_000 * DAY + hour * 60 + minute) * 60 * Micros::SECOND)
    }

    #[test]
    fn hours_are_read_and_may_go_over_midnight() {
        let night: Hours = "22:00-06:30".parse().unwrap();
        assert!(night.contain(at(23, 0)) && night.contain(at(0, 0)) && night.contain(at(6, 29)));
        assert!(!night.contain(at(6, 30)) && !night.contain(at(21, 59)));
        let day: Hours = "09:00-17:00".parse().unwrap();
        assert!(day.contain(at(9, 0)) && !day.contain(at(17, 0)));
        let always: Hours = "00:00-24:00".parse().unwrap();
        assert!(always.contain(at(0, 0)) && always.contain(at(23, 59)));
        assert_eq!(night.to_string(), "22:00-06:30");
        for bad in [
            "",
            "1-2",
            "01:00",
            "1:00-02:00",
            "24:00-01:00",
            "10:60-11:00",
            "05:00-05:00",
            "a:b-c:d",
            "25:00-26:00",
        ] {
            assert_eq!(bad.parse::<Hours>(), Err(NoHours), "{bad}");
        }
    }
}
