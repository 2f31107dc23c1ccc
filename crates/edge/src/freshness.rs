//! How long a stored answer may be used: RFC 9111 for a shared cache, with RFC 5861 (stale-while-revalidate and
//! stale-if-error). Nothing is guessed: without explicit freshness an answer is stale at once.

use domain::Micros;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::{Deserialize, Serialize};

/// What the operator decides, seconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// Longest use of "there is nothing" (404, 410).
    pub negative_s: u64,
    /// Where the answer says nothing of it.
    pub while_revalidate_s: u64,
    /// Where the answer says nothing of it.
    pub if_error_s: u64,
}

/// From when on, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// When the origin made the answer, as far as can be told (RFC 9111 §4.2.3).
    born: Micros,
    /// When it came, or was last found to be the present one.
    checked: Micros,
    lifetime_s: u64,
    while_revalidate_s: u64,
    if_error_s: u64,
    /// RFC 8246: its address never shows other bytes.
    immutable: bool,
    /// Upstreams failed: until then it is used without waiting for them.
    excused: Micros,
}

/// What may be done with a stored answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Fresh,
    /// May be used while somebody asks whether it is still the present one.
    UseAndRevalidate,
    /// Must be revalidated first. With `on_error` it may be used when nobody can be asked.
    Stale {
        on_error: bool,
    },
}

/// Longest lifetime that is believed: ten years.
const LONGEST_S: u64 = 315_360_000;

impl Freshness {
    /// Of an answer that was asked for and came at these times. `None`: it must not be stored.
    pub fn of(
        status: StatusCode,
        headers: &HeaderMap,
        asked: Micros,
        answered: Micros,
        rules: Rules,
    ) -> Option<Self> {
        let negative = matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE);
        if status != StatusCode::OK && !negative {
            return None;
        }
        let told = Directives::read(headers);
        if told.no_store || headers.get(header::VARY).is_some_and(|vary| vary == "*") {
            return None;
        }
        let explicit = if told.no_cache { Some(0) } else { told.lifetime(headers, answered) };
        let lifetime_s = if negative {
            explicit.unwrap_or(rules.negative_s).min(rules.negative_s)
        } else {
            explicit.unwrap_or(0)
        };
        if lifetime_s == 0 && (negative || !headers.contains_key(header::ETAG)) {
            return None;
        }
        let strict = told.must_revalidate || told.no_cache || negative;
        let stale = |told: Option<u64>, rule| if strict { 0 } else { told.unwrap_or(rule) };
        let age_s = initial_age_s(headers, asked, answered);
        Some(Self {
            born: answered.plus(-micros(age_s)),
            checked: answered,
            lifetime_s,
            while_revalidate_s: stale(told.while_revalidate, rules.while_revalidate_s),
            if_error_s: stale(told.if_error, rules.if_error_s),
            immutable: told.immutable && status == StatusCode::OK,
            excused: Micros::default(),
        })
    }

    /// For `Age` (RFC 9111 §5.1), seconds.
    pub fn age_s(&self, now: Micros) -> u64 {
        u64::try_from(now.0.saturating_sub(self.born.0) / Micros::SECOND).unwrap_or(0)
    }

    /// `trusted_since` is the last time from which on nothing was missed that upstreams told.
    pub fn state(&self, now: Micros, trusted_since: Micros) -> State {
        let until = |seconds: u64| self.born.plus(micros(self.lifetime_s.saturating_add(seconds)));
        let on_error = self.may_cover_errors(now);
        if on_error && now < self.excused {
            return State::UseAndRevalidate;
        }
        if !self.immutable && self.checked < trusted_since {
            State::Stale { on_error }
        } else if now < until(0) {
            State::Fresh
        } else if now < until(self.while_revalidate_s) {
            State::UseAndRevalidate
        } else {
            State::Stale { on_error }
        }
    }

    /// May it be used when no upstream answers?
    pub fn may_cover_errors(&self, now: Micros) -> bool {
        now < self.born.plus(micros(self.lifetime_s.saturating_add(self.if_error_s)))
    }

    /// The same, to be used without waiting for upstreams until then, as far as it may be.
    pub fn excused(self, until: Micros) -> Self {
        Self { excused: until, ..self }
    }

    /// Worth writing down so that it outlives a restart?
    pub fn lasts(&self, at_least_s: u64) -> bool {
        self.immutable || self.lifetime_s >= at_least_s
    }
}

fn micros(seconds: u64) -> i64 {
    i64::try_from(seconds.min(LONGEST_S)).unwrap_or(0).saturating_mul(Micros::SECOND)
}

fn initial_age_s(headers: &HeaderMap, asked: Micros, answered: Micros) -> u64 {
    let delay = answered.seconds().saturating_sub(asked.seconds());
    let apparent = date(headers, header::DATE).map_or(0, |made| answered.seconds().saturating_sub(made));
    let told = text(headers, header::AGE).and_then(seconds).map_or(0, |age| {
        let age = i64::try_from(age).unwrap_or(i64::MAX);
        age.saturating_add(delay)
    });
    u64::try_from(apparent.max(told)).unwrap_or(0)
}

#[derive(Debug, Default)]
struct Directives {
    no_store: bool,
    no_cache: bool,
    must_revalidate: bool,
    immutable: bool,
    max_age: Option<u64>,
    shared_max_age: Option<u64>,
    while_revalidate: Option<u64>,
    if_error: Option<u64>,
}

impl Directives {
    fn read(headers: &HeaderMap) -> Self {
        let mut out = Self::default();
        for value in headers.get_all(header::CACHE_CONTROL) {
            let Ok(value) = value.to_str() else {
                // Nobody knows what it forbids.
                out.no_store = true;
                continue;
            };
            for directive in value.split(',') {
                let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
                let argument = argument.trim().trim_matches('"');
                match name.trim().to_ascii_lowercase().as_str() {
                    // A list of fields (§5.2.2.4, §5.2.2.7) is taken as the directive without one, which is stricter.
                    "no-store" | "private" => out.no_store = true,
                    "no-cache" => out.no_cache = true,
                    "must-revalidate" | "proxy-revalidate" => out.must_revalidate = true,
                    "immutable" => out.immutable = true,
                    "max-age" => out.max_age = least(out.max_age, argument),
                    "s-maxage" => {
                        out.shared_max_age = least(out.shared_max_age, argument);
                        // §5.2.2.10: as proxy-revalidate.
                        out.must_revalidate = true;
                    }
                    "stale-while-revalidate" => out.while_revalidate = least(out.while_revalidate, argument),
                    "stale-if-error" => out.if_error = least(out.if_error, argument),
                    _ => {}
                }
            }
        }
        out
    }

    /// Explicit freshness lifetime (§4.2.1), seconds.
    fn lifetime(&self, headers: &HeaderMap, answered: Micros) -> Option<u64> {
        if let Some(lifetime) = self.shared_max_age.or(self.max_age) {
            return Some(lifetime.min(LONGEST_S));
        }
        headers.get(header::EXPIRES)?;
        // A date that is none has passed (§5.3).
        let expires = date(headers, header::EXPIRES).unwrap_or(0);
        let made = date(headers, header::DATE).unwrap_or(answered.seconds());
        Some(u64::try_from(expires.saturating_sub(made)).unwrap_or(0).min(LONGEST_S))
    }
}

/// The stricter of two, as §4.2.1 advises; what is no number counts as 0.
fn least(known: Option<u64>, argument: &str) -> Option<u64> {
    let value = seconds(argument).unwrap_or(0);
    Some(known.map_or(value, |known| known.min(value)))
}

fn seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    // More than fits is as good as for ever.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn date(headers: &HeaderMap, name: HeaderName) -> Option<i64> {
    let at = httpdate::parse_http_date(text(headers, name)?).ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Micros = Micros(1_000_000 * Micros::SECOND);
    const RULES: Rules = Rules { negative_s: 3, while_revalidate_s: 0, if_error_s: 50 };
    const OK: StatusCode = StatusCode::OK;

    fn headers(list: &[(&str, &str)]) -> HeaderMap {
        list.iter().map(|(n, v)| (HeaderName::try_from(*n).unwrap(), v.parse().unwrap())).collect()
    }

    fn of(status: StatusCode, list: &[(&str, &str)]) -> Option<Freshness> {
        Freshness::of(status, &headers(list), AT, AT, RULES)
    }

    fn after(freshness: &Freshness, seconds: i64) -> State {
        freshness.state(AT.plus(seconds * Micros::SECOND), Micros(0))
    }

    fn http_date(at: Micros) -> String {
        let since = std::time::Duration::from_secs(at.seconds() as u64);
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
    }

    type Row<'a> = (StatusCode, &'a [(&'a str, &'a str)], Option<u64>);

    /// What is stored, and for how many seconds.
    #[test]
    fn lifetimes() {
        let (soon, past) = (http_date(AT.plus(7 * Micros::SECOND)), http_date(AT.plus(-1)));
        let table: &[Row] = &[
            (OK, &[("cache-control", "max-age=60")], Some(60)),
            (OK, &[("cache-control", "public, max-age=60, s-maxage=5")], Some(5)),
            (OK, &[("cache-control", "max-age=60"), ("cache-control", "max-age=2")], Some(2)),
            (OK, &[("cache-control", "Max-Age=\"60\"")], Some(60)),
            (OK, &[("cache-control", "max-age=99999999999999999999")], Some(LONGEST_S)),
            (OK, &[("cache-control", "max-age=abc")], None),
            (OK, &[("cache-control", "max-age=abc"), ("etag", "\"a\"")], Some(0)),
            (OK, &[("cache-control", "max-age=60, no-store")], None),
            (OK, &[("cache-control", "max-age=60, private")], None),
            (OK, &[("cache-control", "max-age=60, private=\"set-cookie\"")], None),
            (OK, &[("cache-control", "max-age=60, no-cache"), ("etag", "\"a\"")], Some(0)),
            (OK, &[("expires", &soon)], Some(7)),
            (OK, &[("expires", &past)], None),
            (OK, &[("expires", "0"), ("etag", "\"a\"")], Some(0)),
            (OK, &[("cache-control", "max-age=9"), ("expires", &past)], Some(9)),
            (OK, &[], None),
            (OK, &[("last-modified", &past)], None),
            (OK, &[("cache-control", "max-age=60"), ("vary", "*")], None),
            (OK, &[("cache-control", "max-age=60"), ("vary", "Accept-Encoding")], Some(60)),
            (StatusCode::NOT_FOUND, &[], Some(3)),
            (StatusCode::GONE, &[("cache-control", "max-age=60")], Some(3)),
            (StatusCode::NOT_FOUND, &[("cache-control", "max-age=1")], Some(1)),
            (StatusCode::NOT_FOUND, &[("cache-control", "no-store")], None),
            (StatusCode::PARTIAL_CONTENT, &[("cache-control", "max-age=60")], None),
            (StatusCode::FORBIDDEN, &[("cache-control", "max-age=60")], None),
            (StatusCode::INTERNAL_SERVER_ERROR, &[("cache-control", "max-age=60")], None),
            (StatusCode::SERVICE_UNAVAILABLE, &[], None),
        ];
        for (status, list, lifetime) in table {
            assert_eq!(of(*status, list).map(|f| f.lifetime_s), *lifetime, "{status} {list:?}");
        }
    }

    #[test]
    fn answers_grow_old_and_stale() {
        let stale = |on_error| State::Stale { on_error };
        let plain = of(OK, &[("cache-control", "max-age=10")]).unwrap();
        assert_eq!(after(&plain, 9), State::Fresh);
        assert_eq!(after(&plain, 10), stale(true));
        assert_eq!(after(&plain, 60), stale(false));
        let told =
            of(OK, &[("cache-control", "max-age=10, stale-while-revalidate=5, stale-if-error=20")]).unwrap();
        assert_eq!(after(&told, 14), State::UseAndRevalidate);
        assert_eq!(after(&told, 15), stale(true));
        assert_eq!(after(&told, 30), stale(false));
        for strict in ["must-revalidate", "proxy-revalidate", "s-maxage=10"] {
            let list = format!("max-age=10, stale-while-revalidate=5, stale-if-error=20, {strict}");
            let strict = of(OK, &[("cache-control", &list)]).unwrap();
            assert_eq!(after(&strict, 10), stale(false), "{list}");
        }
    }

    #[test]
    fn age_counts_what_was_spent_elsewhere() {
        let old = of(OK, &[("cache-control", "max-age=10"), ("age", "8")]).unwrap();
        assert_eq!(old.age_s(AT), 8);
        assert_eq!((after(&old, 1), after(&old, 2)), (State::Fresh, State::Stale { on_error: true }));
        let made = http_date(AT.plus(-4 * Micros::SECOND));
        let made = of(OK, &[("cache-control", "max-age=10"), ("date", &made)]).unwrap();
        assert_eq!(made.age_s(AT.plus(Micros::SECOND)), 5);
        let slow = headers(&[("cache-control", "max-age=10"), ("age", "2")]);
        let slow = Freshness::of(OK, &slow, AT.plus(-3 * Micros::SECOND), AT, RULES).unwrap();
        assert_eq!(slow.age_s(AT), 5);
        // A clock that is ahead makes nothing younger than new.
        let ahead = http_date(AT.plus(100 * Micros::SECOND));
        assert_eq!(of(OK, &[("cache-control", "max-age=1"), ("date", &ahead)]).unwrap().age_s(AT), 0);
    }

    #[test]
    fn distrust_spares_what_never_changes() {
        let later = AT.plus(1);
        let list = of(OK, &[("cache-control", "max-age=10")]).unwrap();
        assert_eq!(list.state(later, later), State::Stale { on_error: true });
        let segment = of(OK, &[("cache-control", "max-age=10, immutable")]).unwrap();
        assert_eq!(segment.state(later, later), State::Fresh);
    }
}
