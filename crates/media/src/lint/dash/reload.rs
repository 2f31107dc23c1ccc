//! A manifest and its update (ISO/IEC 23009-1 §5.4).

use std::collections::BTreeMap;

use super::{Manifest, addressing::Addressing};
use crate::lint::{Place, Report, number, rules::dash as rules};

/// Compares `new` with `old`, which was loaded before.
pub fn check(old: &Manifest, new: &Manifest, report: &mut Report) {
    let mut say = |what: String| report.add(&rules::RELOAD, Place::whole(&new.url), what);
    if new.dynamic && old.availability_start != new.availability_start {
        say("availabilityStartTime is another".into());
    }
    if let Some((before, now)) = old.publish_time.zip(new.publish_time).filter(|(before, now)| now < before) {
        say(format!("publishTime went back by {} s", number::seconds(before - now)));
    }
    for period in old.periods.iter().filter(|p| p.id.is_some()) {
        let Some(now) = new.periods.iter().find(|p| p.id == period.id) else { continue };
        if now.start != period.start {
            let (before, now) = (number::seconds(period.start), number::seconds(now.start));
            say(format!(
                "Period {} started at {before} s, now at {now} s",
                period.id.as_deref().unwrap_or_default()
            ));
        }
        let (before, now) = (segments(period), segments(now));
        for (key, (duration, url)) in &before {
            let Some((now, now_url)) = now.get(key) else { continue };
            if duration != now || url != now_url {
                let what = format!(
                    "segment {url} of {} at {} lasted {duration} ticks, now {now_url} {now}",
                    key.0, key.1
                );
                say(what);
            }
        }
        // The last listed segment may not vanish while earlier ones stay.
        for id in before.keys().map(|(id, _)| *id).collect::<std::collections::BTreeSet<_>>() {
            let last = |all: &BTreeMap<(&str, i64), (i64, &str)>| {
                all.keys().filter(|k| k.0 == id).map(|k| k.1).max()
            };
            if last(&now).is_some() && last(&now) < last(&before) {
                say(format!("segments of {id} vanished from the end"));
            }
        }
    }
}

/// Durations and URLs of the segments by representation and start.
fn segments(period: &super::manifest::Period) -> BTreeMap<(&str, i64), (i64, &str)> {
    let mut out = BTreeMap::new();
    for representation in period.sets.iter().flat_map(|set| &set.representations) {
        let Addressing::Template(template) = &representation.addressing else { continue };
        for entry in template.entries.iter().filter(|_| template.has_timeline) {
            out.insert((representation.id.as_str(), entry.start), (entry.duration, entry.url.as_str()));
        }
    }
    out
}
