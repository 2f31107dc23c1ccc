//! Two loads of one playlist, one after the other (RFC 8216bis §6.2.1, §6.2.2).

use std::time::Duration;

use super::media::MediaPlaylist;
use crate::lint::{Place, Report, number, rules::hls_live as rules};

/// Compares `new` with `old`, which was loaded before.
pub fn check(old: &MediaPlaylist, new: &MediaPlaylist, report: &mut Report) {
    let whole = || Place::whole(&new.url);
    if old.target != new.target {
        let what = format!(
            "the target duration was {:?}, now it is {:?}",
            old.target.unwrap_or(0),
            new.target.unwrap_or(0)
        );
        report.add(&rules::TARGET_CHANGED, whole(), what);
    }
    let changed = old.kind != new.kind && !(new.ended && new.kind.as_deref() == Some("VOD"));
    if changed
        || (old.kind.as_deref() == Some("VOD") && old.segments != new.segments)
        || (old.ended && old != new)
    {
        let what = format!(
            "type {:?}, ended {}, became type {:?}, ended {}",
            old.kind, old.ended, new.kind, new.ended
        );
        report.add(&rules::TYPE_CHANGED, whole(), what);
    }
    let Some(removed) = new.sequence.checked_sub(old.sequence) else {
        let what = format!("the media sequence went back from {} to {}", old.sequence, new.sequence);
        report.add(&rules::SEQUENCE_BACK, whole(), what);
        return;
    };
    let removed = usize::try_from(removed).unwrap_or(usize::MAX);
    if removed > 0 && old.kind.as_deref() == Some("EVENT") {
        report.add(&rules::EVENT_REMOVED, whole(), format!("{removed} segments were removed"));
    }
    let gone = &old.segments[..removed.min(old.segments.len())];
    if removed <= old.segments.len() {
        let passed = gone.iter().filter(|s| s.discontinuity).count() as u64;
        // A discontinuity may be counted as removed only when its segment is.
        if new.discontinuity_sequence != old.discontinuity_sequence.saturating_add(passed) {
            let what = format!(
                "the discontinuity sequence went from {} to {}, and {passed} discontinuities were removed",
                old.discontinuity_sequence, new.discontinuity_sequence
            );
            report.add(&rules::DISCONTINUITY_SEQUENCE, whole(), what);
        }
    }
    segments(old, new, removed, report);
    let target = new.target_micros();
    if removed > 0 && !new.ended && new.duration() < 3 * target {
        let what = format!(
            "it lasts {} s, three target durations are {} s",
            number::seconds(new.duration()),
            3 * target / 1_000_000
        );
        report.add(&rules::WINDOW_SHORT, whole(), what);
    }
}

/// Whether nothing came in `apart`, though more was to be expected (§6.2.2).
pub fn stalled(old: &MediaPlaylist, new: &MediaPlaylist, apart: Duration, report: &mut Report) {
    let last = |p: &MediaPlaylist| p.sequence.saturating_add(p.segments.len() as u64);
    let waited = i64::try_from(apart.as_micros()).unwrap_or(i64::MAX);
    let target = new.target_micros();
    if !new.ended
        && last(new) == last(old)
        && waited.saturating_mul(2) > target.saturating_mul(3)
        && target > 0
    {
        let what = format!("no segment came in {} s", number::seconds(waited));
        report.add(&rules::STALLED, Place::whole(&new.url), what);
    }
}

fn segments(old: &MediaPlaylist, new: &MediaPlaylist, removed: usize, report: &mut Report) {
    let kept = old.segments.get(removed..).unwrap_or_default();
    if new.segments.len() < kept.len() {
        let what = format!("{} segments vanished from the end", kept.len() - new.segments.len());
        let rule =
            if old.kind.as_deref() == Some("EVENT") { &rules::EVENT_REMOVED } else { &rules::SEQUENCE_BACK };
        report.add(rule, Place::whole(&new.url), what);
    }
    let map = |p: &MediaPlaylist, index: Option<usize>| {
        index.and_then(|i| p.maps.get(i)).map(|m| (m.uri.clone(), m.range.clone()))
    };
    for (before, now) in kept.iter().zip(&new.segments) {
        let place = Place::line(&new.url, now.line);
        let same = before.uri == now.uri
            && before.duration == now.duration
            && before.range == now.range
            && before.discontinuity == now.discontinuity
            && map(old, before.map) == map(new, now.map);
        if !same {
            let seconds = number::seconds;
            let what = format!(
                "`{}` of {} s is now `{}` of {} s, or has another range, header or discontinuity",
                before.uri,
                seconds(before.duration),
                now.uri,
                seconds(now.duration)
            );
            report.add(&rules::SEGMENT_CHANGED, place.clone(), what);
        }
        if before.date.zip(now.date).is_some_and(|(a, b)| a != b) {
            report.add(&rules::DATE_CHANGED, place, "its program date time is another");
        }
    }
}
